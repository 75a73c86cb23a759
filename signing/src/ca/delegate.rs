//! OCSP delegates for a service that holds a CA's key, without the CA's folder.
//!
//! `prepare → lint → issue` as everywhere. The index is not written: whoever calls this registers
//! the certificate where revocations are kept.

use countersign_core::{crypto::aws_lc::AwsLc, time::UnixSeconds};

use super::{CaError, decode, decode_public_key, issue::BACKDATED_SECONDS, lint::lint};
use crate::{
    certificate::{Fields, IssuerFields, Pointers, UnsignedCertificate, key_identifier},
    key::{FileKey, NewKey, SignError, Signer, random_serial},
    name::DistinguishedName,
    profile::Profile,
};

/// A delegate's certificate (DER) with a new key of the kind that the issuer's is, valid from now for
/// `validity_seconds`, and not beyond the issuer's certificate.
///
/// # Errors
/// The issuer's certificate does not decode or is not valid at `now`, its key is another
/// certificate's or does not sign, or the lint finds a rule broken.
pub fn issue_delegate(
    issuer_certificate: &[u8],
    issuer_key: &dyn Signer,
    pointers: &Pointers,
    (validity_seconds, now): (i64, UnixSeconds),
) -> Result<(Vec<u8>, FileKey), CaError> {
    let issuer = decode(issuer_certificate, || "the issuer's certificate".to_owned())?;
    if !issuer.is_valid_at(now) {
        let (not_before, not_after) = (issuer.not_before, issuer.not_after);
        return Err(CaError::DelegateIssuerNotValid { not_before, not_after });
    }
    let scheme = issuer_key.scheme();
    let algorithm = NewKey::ALL.into_iter().find(|algorithm| algorithm.scheme() == scheme);
    // A delegate of an issuer whose kind of key is not made in files has the usual one.
    let algorithm = algorithm.unwrap_or_default();
    let key = FileKey::generate(algorithm)?;
    let public_key = decode_public_key(key.spki())?;
    let identifier = issuer.extensions.subject_key_identifier;
    let fields = Fields {
        profile: Profile::OcspDelegate,
        serial: random_serial()?,
        issuer: &IssuerFields {
            name: issuer.subject.to_vec(),
            key_identifier: identifier
                .map_or_else(|| key_identifier(issuer.public_key.bits), <[u8]>::to_vec),
            pointers: Some(pointers.clone()),
        },
        not_before: now.minus_seconds(BACKDATED_SECONDS).max(issuer.not_before),
        not_after: now.plus_seconds(validity_seconds).min(issuer.not_after),
        subject: &DistinguishedName::common_name("OCSP").encode()?,
        names: &[],
        oidc_issuer: None,
        spki: public_key.raw,
        public_key: public_key.bits,
    };
    let linted = UnsignedCertificate::build(&fields, algorithm.scheme())?;
    lint(&linted, &FileKey::generate(algorithm)?)?;
    let unsigned = UnsignedCertificate::build(&fields, scheme)?;
    let bytes = unsigned.sign(issuer_key)?;
    let certificate = decode(&bytes, || "the new certificate".to_owned())?;
    if !certificate.is_signed_by(&issuer, &AwsLc) {
        return Err(SignError::KeyMismatch.into());
    }
    Ok((bytes, key))
}
