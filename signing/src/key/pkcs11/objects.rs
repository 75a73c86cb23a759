//! The objects in a token: the private key that a URI means, and the public key that goes with it.

use countersign_core::{oid, x509::Certificate};
use cryptoki::{
    error::Error,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};

use super::{algorithm::RsaPadding, authorised::Authentication, fault::Fault};
use crate::{
    der,
    key::{TokenError, TokenUri},
};

/// Uncompressed points on P-256, P-384 and P-521.
const UNCOMPRESSED_OCTETS: [usize; 3] = [65, 97, 133];

/// A public key of Ed25519.
const ED25519_OCTETS: usize = 32;

/// A private key in a token.
#[derive(Clone, Debug)]
pub(super) struct PrivateKey {
    pub(super) handle: ObjectHandle,
    pub(super) authentication: Authentication,
    pub(super) padding: RsaPadding,
    pub(super) id: Vec<u8>,
    pub(super) label: Vec<u8>,
}

impl PrivateKey {
    /// One of which nothing is known yet.
    pub(super) const fn new(handle: ObjectHandle) -> Self {
        let (authentication, padding) = (Authentication::Once, RsaPadding::Pkcs1);
        Self { handle, authentication, padding, id: Vec::new(), label: Vec::new() }
    }
}

/// The one private key that matches and may sign.
pub(super) fn find_private_key(session: &Session, uri: &TokenUri) -> Result<PrivateKey, Fault> {
    let name = uri.to_string();
    let failed = |error: Error| Fault::of(&name, "looking for the key", &error);
    let template = template(ObjectClass::PRIVATE_KEY, uri.id.as_deref(), uri.object.as_deref());
    let mut found = Vec::new();
    for handle in session.find_objects(&template).map_err(failed)? {
        let wanted = [
            AttributeType::Id,
            AttributeType::Label,
            AttributeType::Sign,
            AttributeType::AlwaysAuthenticate,
        ];
        let attributes = session.get_attributes(handle, &wanted).map_err(failed)?;
        if !attributes.contains(&Attribute::Sign(false)) {
            let mut key = PrivateKey::new(handle);
            for attribute in attributes {
                match attribute {
                    Attribute::Id(id) => key.id = id,
                    Attribute::Label(label) => key.label = label,
                    Attribute::AlwaysAuthenticate(true) => {
                        key.authentication = Authentication::EachSignature;
                    }
                    _ => {}
                }
            }
            key.padding = padding(session, handle);
            found.push(key);
        }
    }
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(TokenError::NoKey { uri: name }.into()),
        (Some(key), true) => Ok(key),
        (Some(last), false) => {
            let found = found.iter().chain([&last]).map(describe).collect();
            Err(TokenError::AmbiguousKey { uri: name, found }.into())
        }
    }
}

/// By itself: a token may not have the attribute, or allow mechanisms of its maker's.
fn padding(session: &Session, handle: ObjectHandle) -> RsaPadding {
    match session.get_attributes(handle, &[AttributeType::AllowedMechanisms]).as_deref() {
        Ok([Attribute::AllowedMechanisms(allowed)]) => RsaPadding::of(allowed),
        _ => RsaPadding::Pkcs1,
    }
}

/// Whether the token has a private key with that id or that label.
pub(super) fn holds(
    session: &Session,
    id: Option<&[u8]>,
    label: Option<&str>,
) -> Result<bool, Error> {
    let by = |id: Option<&[u8]>, label: Option<&str>| -> Result<bool, Error> {
        let template = template(ObjectClass::PRIVATE_KEY, id, label);
        Ok(!session.find_objects(&template)?.is_empty())
    };
    Ok((id.is_some() && by(id, None)?) || (label.is_some() && by(None, label)?))
}

/// DER of the `SubjectPublicKeyInfo` that belongs to `key`, wherever the token shows it: its public
/// key object, the private key itself, or a certificate. Whether it does belong to it, a signature
/// must prove.
pub(super) fn public_key(session: &Session, key: &PrivateKey) -> Result<Option<Vec<u8>>, Error> {
    for handle in beside(session, ObjectClass::PUBLIC_KEY, key)? {
        if let Some(spki) = spki_of(session, handle)? {
            return Ok(Some(spki));
        }
    }
    if let Some(spki) = spki_of(session, key.handle)? {
        return Ok(Some(spki));
    }
    for handle in beside(session, ObjectClass::CERTIFICATE, key)? {
        let attributes = session.get_attributes(handle, &[AttributeType::Value])?;
        if let [Attribute::Value(der)] = &attributes[..]
            && let Ok(certificate) = Certificate::decode(der)
        {
            return Ok(Some(certificate.public_key.raw.to_vec()));
        }
    }
    Ok(None)
}

/// Objects of a class with the same id, or, if there is none, the same label.
fn beside(
    session: &Session,
    class: ObjectClass,
    key: &PrivateKey,
) -> Result<Vec<ObjectHandle>, Error> {
    let mut template = vec![Attribute::Class(class)];
    if !key.id.is_empty() {
        template.push(Attribute::Id(key.id.clone()));
    } else if !key.label.is_empty() {
        template.push(Attribute::Label(key.label.clone()));
    } else {
        return Ok(Vec::new());
    }
    session.find_objects(&template)
}

/// The public half that an object shows: of an EC key its curve and point, of an RSA key (private
/// ones too) modulus and exponent.
fn spki_of(session: &Session, handle: ObjectHandle) -> Result<Option<Vec<u8>>, Error> {
    let kind = session.get_attributes(handle, &[AttributeType::KeyType])?;
    let wanted = match &kind[..] {
        [Attribute::KeyType(KeyType::EC | KeyType::EC_EDWARDS)] => {
            [AttributeType::EcParams, AttributeType::EcPoint]
        }
        [Attribute::KeyType(KeyType::RSA)] => {
            [AttributeType::Modulus, AttributeType::PublicExponent]
        }
        _ => return Ok(None),
    };
    let attributes = session.get_attributes(handle, &wanted)?;
    Ok(match &attributes[..] {
        [Attribute::EcParams(curve), Attribute::EcPoint(point)] if !point.is_empty() => {
            if kind == [Attribute::KeyType(KeyType::EC_EDWARDS)] {
                ed25519_spki(point)
            } else {
                Some(ec_spki(curve, point))
            }
        }
        [Attribute::Modulus(modulus), Attribute::PublicExponent(exponent)]
            if !modulus.is_empty() && !exponent.is_empty() =>
        {
            Some(rsa_spki(modulus, exponent))
        }
        _ => None,
    })
}

/// RFC 5480 §2. `CKA_EC_PARAMS` is the DER of the curve's identifier; `CKA_EC_POINT` is an OCTET
/// STRING around the point, but some tokens leave the point bare.
fn ec_spki(curve: &[u8], point: &[u8]) -> Vec<u8> {
    let algorithm = der::sequence(&[&der::oid(&oid::EC_PUBLIC_KEY), curve]);
    let bare = unwrap_octet_string(point).unwrap_or(point);
    der::sequence(&[&algorithm, &der::bit_string(bare)])
}

/// RFC 8410 §4. The key is an OCTET STRING in `CKA_EC_POINT` too (PKCS#11 §6.3.5), or bare. What has
/// another length is Ed448, with which nothing is signed here.
fn ed25519_spki(point: &[u8]) -> Option<Vec<u8>> {
    let key = match point {
        [0x04, 0x20, key @ ..] if key.len() == ED25519_OCTETS => key,
        bare => bare,
    };
    if key.len() != ED25519_OCTETS {
        return None;
    }
    Some(der::sequence(&[&der::sequence(&[&der::oid(&oid::ED25519)]), &der::bit_string(key)]))
}

/// RFC 3279 §2.3.1.
fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let algorithm = der::sequence(&[&der::oid(&oid::RSA_ENCRYPTION), der::NULL]);
    let key = der::sequence(&[&der::unsigned_integer(modulus), &der::unsigned_integer(exponent)]);
    der::sequence(&[&algorithm, &der::bit_string(&key)])
}

fn unwrap_octet_string(octets: &[u8]) -> Option<&[u8]> {
    let content = match octets {
        [0x04, 0x81, length, content @ ..] if usize::from(*length) == content.len() => content,
        [0x04, length, content @ ..] if usize::from(*length) == content.len() => content,
        _ => return None,
    };
    // An uncompressed point begins with 4 itself; the lengths tell it from a bare one whose
    // coordinates look like a header.
    let is_point = content.first() == Some(&0x04) && UNCOMPRESSED_OCTETS.contains(&content.len());
    is_point.then_some(content)
}

fn template(class: ObjectClass, id: Option<&[u8]>, label: Option<&str>) -> Vec<Attribute> {
    let mut template = vec![Attribute::Class(class)];
    template.extend(id.map(|id| Attribute::Id(id.to_vec())));
    template.extend(label.map(|label| Attribute::Label(label.as_bytes().to_vec())));
    template
}

fn describe(key: &PrivateKey) -> String {
    let label = String::from_utf8_lossy(&key.label);
    let id: Vec<String> = key.id.iter().map(|octet| format!("%{octet:02X}")).collect();
    format!("object={label};id={}", id.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{FileKey, NewKey, Signer};

    #[test]
    fn makes_the_spki_of_a_point_in_both_forms() {
        let key = FileKey::generate(NewKey::P384).expect("a key");
        let point = &key.spki()[key.spki().len() - 97..];
        let curve = der::oid(&oid::SECP384R1);
        assert_eq!(ec_spki(&curve, point), key.spki());
        assert_eq!(ec_spki(&curve, &der::octet_string(point)), key.spki());
    }
}
