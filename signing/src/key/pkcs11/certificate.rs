//! Storing a certificate beside its key in a token, where other programs look for it.

use countersign_core::x509::Certificate;
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass};

use super::{fault::Fault, load_module, objects, slot, slot::Access};
use crate::{
    der,
    key::{KeyError, Passphrase, SignError, TokenError, TokenUri, open::pin, open_for_certificate},
};

/// Stores a certificate (DER) in the token that `uri` means, with its key's label and id. The key
/// must be the certificate's. One that is there already is left, and its storing again is no error.
///
/// # Errors
/// As [`open_for_certificate`], or when the token refuses the object.
pub fn store_certificate(
    uri: &TokenUri,
    certificate: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyError> {
    let location = crate::key::KeyLocation::Token(Box::new(uri.clone()));
    open_for_certificate(&location, passphrase, certificate)?;
    let decoded = Certificate::decode(certificate).map_err(|error| {
        KeyError::Certificate(SignError::Certificate { position: 1, detail: error.to_string() })
    })?;
    let pin = pin(uri, passphrase)?;
    let module = load_module(uri)?;
    let entered = module.enter();
    let name = uri.to_string();
    let (session, _) =
        slot::open_session(&entered, uri, pin.as_ref(), Access::Write).map_err(|it| it.error)?;
    let stored = objects::find_private_key(&session, uri).and_then(|key| {
        let failed = |error| Fault::of(&name, "storing the certificate", &error);
        let same = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::Id(key.id.clone())];
        for handle in session.find_objects(&same).map_err(failed)? {
            let value = session.get_attributes(handle, &[AttributeType::Value]).map_err(failed)?;
            if value == [Attribute::Value(certificate.to_vec())] {
                return Ok(());
            }
        }
        let template = [
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::CertificateType(CertificateType::X_509),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Label(key.label),
            Attribute::Id(key.id),
            Attribute::Subject(decoded.subject.to_vec()),
            Attribute::Issuer(decoded.issuer.to_vec()),
            Attribute::SerialNumber(der::integer_verbatim(decoded.serial)),
            Attribute::Value(certificate.to_vec()),
        ];
        session.create_object(&template).map_err(failed)?;
        Ok(())
    });
    slot::close(session);
    stored.map_err(|fault: Fault| TokenError::into(fault.error))
}
