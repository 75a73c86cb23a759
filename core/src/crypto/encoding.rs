//! The one encoding that each public key has.
//!
//! A key that was stolen is told by its `SubjectPublicKeyInfo`: its digest is what is revoked, what
//! locks an administrator out, what a policy allows. Whoever has the private key could have it
//! certified in another encoding, and that key would be another one, good for ever. So of each key
//! exactly one encoding is read, here, by all who read keys:
//!
//! * Elliptic curves (RFC 5480 §2.1.1): `id-ecPublicKey` with a named curve, and an uncompressed
//!   point. Off-spec: §2.2 lets a certificate have a compressed point, too. It is refused on purpose:
//!   one key, one identity. (That the coordinates are below the field's prime, SEC 1 §2.3.4, is
//!   checked with each signature, by both fillers; nothing verifies by a key where they are not.)
//! * RSA (RFC 3279 §2.3.1): the parameters are NULL; modulus and exponent are positive, in DER, and
//!   nothing follows.
//! * Ed25519 (RFC 8410 §3): no parameters, and a point as RFC 8032 §5.1.3 decodes it.
//!
//! Keys of other kinds are [`KeyAlgorithm::Unsupported`]: nothing is verified by them, so their other
//! encodings open nothing.

use const_oid::ObjectIdentifier;
use der::Tag;

use super::KeyAlgorithm;
use crate::{
    asn1::{self, AlgorithmIdentifier, Asn1Error, Cursor},
    oid,
};

/// SEC 1 §2.3.3: the first octet of an uncompressed point.
const UNCOMPRESSED: u8 = 0x04;
/// RFC 8032 §5.1.5.
const ED25519_OCTETS: usize = 32;
/// The exponent of RSA keys that are certified.
const USUAL_EXPONENT: &[u8] = &[0x01, 0x00, 0x01];

impl KeyAlgorithm {
    /// The kind of a decoded `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// A key of a kind that we know is not in its one encoding.
    pub(crate) fn of(algorithm: &AlgorithmIdentifier<'_>, public_key: &[u8]) -> asn1::Result<Self> {
        match algorithm.oid {
            oid::EC_PUBLIC_KEY => elliptic(algorithm, public_key),
            oid::RSA_ENCRYPTION => rsa(algorithm, public_key),
            oid::ED25519 => ed25519(algorithm, public_key),
            _ => Ok(Self::Unsupported),
        }
    }
}

fn elliptic(algorithm: &AlgorithmIdentifier<'_>, point: &[u8]) -> asn1::Result<KeyAlgorithm> {
    // RFC 5480 §2.1.1: implicitCurve and specifiedCurve MUST NOT be used. A named curve can be
    // written out in specifiedCurve, in many ways.
    let curve = algorithm
        .parameters
        .filter(|tlv| tlv.tag == Tag::ObjectIdentifier)
        .and_then(|tlv| ObjectIdentifier::from_bytes(tlv.value).ok())
        .ok_or(unexpected("subjectPublicKeyInfo (a curve that is not named)"))?;
    // With the octets of both coordinates.
    let (kind, octets) = match curve {
        oid::SECP256R1 => (KeyAlgorithm::P256, 64),
        oid::SECP384R1 => (KeyAlgorithm::P384, 96),
        oid::SECP521R1 => (KeyAlgorithm::P521, 132),
        _ => return Ok(KeyAlgorithm::Unsupported),
    };
    match point.split_first() {
        Some((&UNCOMPRESSED, both)) if both.len() == octets => Ok(kind),
        _ => Err(unexpected("subjectPublicKeyInfo (a point that is not uncompressed)")),
    }
}

fn rsa(algorithm: &AlgorithmIdentifier<'_>, public_key: &[u8]) -> asn1::Result<KeyAlgorithm> {
    let is_null = |tlv: asn1::Tlv<'_>| tlv.tag == Tag::Null && tlv.value.is_empty();
    if !algorithm.parameters.is_some_and(is_null) {
        return Err(unexpected("subjectPublicKeyInfo (parameters that are not NULL)"));
    }
    let (modulus, _) = rsa_numbers(public_key)?;
    let magnitude = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let leading = magnitude.first().map_or(0, |octet| octet.leading_zeros() as usize);
    let bits = magnitude.len().saturating_mul(8).saturating_sub(leading);
    Ok(KeyAlgorithm::Rsa { bits })
}

/// Modulus and exponent of a DER `RSAPublicKey` (RFC 8017 §A.1.1), content octets; both are positive.
///
/// # Errors
/// It is not one, or bytes follow.
pub(crate) fn rsa_numbers(public_key: &[u8]) -> asn1::Result<(&[u8], &[u8])> {
    const FIELD: &str = "RSAPublicKey";
    let mut sequence = Cursor::over_sequence(public_key, FIELD)?;
    let numbers = (sequence.integer(FIELD)?, sequence.integer(FIELD)?);
    sequence.finish(FIELD)?;
    // Two's complement, minimal: zero is one octet, and a negative number begins with a set bit.
    let is_positive =
        |number: &[u8]| number != [0] && number.first().is_some_and(|first| *first < 0x80);
    if is_positive(numbers.0) && is_positive(numbers.1) {
        Ok(numbers)
    } else {
        Err(unexpected("RSAPublicKey (a number that is not positive)"))
    }
}

/// Whether an `RSAPublicKey` has the exponent 65537, as all that are made today.
///
/// The factors of a modulus sign for every exponent: with another one, a stolen key is another key.
pub(crate) fn has_usual_exponent(public_key: &[u8]) -> bool {
    rsa_numbers(public_key).is_ok_and(|(_, exponent)| exponent == USUAL_EXPONENT)
}

fn ed25519(algorithm: &AlgorithmIdentifier<'_>, point: &[u8]) -> asn1::Result<KeyAlgorithm> {
    if algorithm.parameters.is_some() {
        return Err(unexpected("subjectPublicKeyInfo (parameters beside Ed25519)"));
    }
    if point.len() == ED25519_OCTETS && !is_second_form(point) {
        Ok(KeyAlgorithm::Ed25519)
    } else {
        Err(unexpected("subjectPublicKeyInfo (no point of Ed25519)"))
    }
}

/// RFC 8032 §5.1.3: y is below p = 2^255 - 19 (step 1), and where x is zero, so is its sign (step 4).
fn is_second_form(point: &[u8]) -> bool {
    let Some((last, rest)) = point.split_last() else { return true };
    let Some((first, middle)) = rest.split_first() else { return true };
    let all = |octet: u8| middle.iter().all(|each| *each == octet);
    let is_p_or_more = last & 0x7F == 0x7F && all(0xFF) && *first >= 0xED;
    // x is zero for y = 1 and y = p - 1.
    let is_one = *last == 0x80 && all(0) && *first == 1;
    let is_minus_one = *last == 0xFF && all(0xFF) && *first == 0xEC;
    is_p_or_more || is_one || is_minus_one
}

const fn unexpected(field: &'static str) -> Asn1Error {
    Asn1Error::UnexpectedValue { field }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::{asn1::write, x509::PublicKey};

    const NULL: &[u8] = &[5, 0];

    fn read(id: ObjectIdentifier, parameters: &[u8], key: &[u8]) -> asn1::Result<KeyAlgorithm> {
        let algorithm = write::sequence(&[&write::oid(&id), parameters]);
        let spki = write::sequence(&[&algorithm, &write::bit_string(key)]);
        PublicKey::decode(&spki).map(|key| key.algorithm)
    }

    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).expect("short")], content].concat()
    }

    #[test]
    fn reads_one_encoding_of_an_elliptic_key() {
        for (curve, kind, coordinate) in [
            (oid::SECP256R1, KeyAlgorithm::P256, 32),
            (oid::SECP384R1, KeyAlgorithm::P384, 48),
            (oid::SECP521R1, KeyAlgorithm::P521, 66),
        ] {
            let named = write::oid(&curve);
            let point = |first: u8, octets: usize| [&[first][..], &alloc::vec![7; octets]].concat();
            let of = |parameters: &[u8], point: &[u8]| read(oid::EC_PUBLIC_KEY, parameters, point);
            let both = 2 * coordinate;
            assert_eq!(of(&named, &point(4, both)), Ok(kind));
            // Compressed, hybrid, at infinity, of another length.
            for other in [
                point(2, coordinate),
                point(3, coordinate),
                point(6, both),
                point(7, both),
                point(0, 0),
                point(4, both - 1),
                point(4, both + 1),
                Vec::new(),
            ] {
                assert!(of(&named, &other).is_err(), "{kind:?} {:?}", other.first());
            }
            // implicitCurve, specifiedCurve, none.
            for parameters in [NULL, &[0x30, 0], &[]] {
                assert!(of(parameters, &point(4, both)).is_err(), "{kind:?} {parameters:?}");
            }
        }
        // secp256k1.
        let other = write::oid(&ObjectIdentifier::new_unwrap("1.3.132.0.10"));
        assert_eq!(read(oid::EC_PUBLIC_KEY, &other, &[2, 1]), Ok(KeyAlgorithm::Unsupported));
    }

    #[test]
    fn reads_one_encoding_of_an_rsa_key() {
        let key = |modulus: &[u8], exponent: &[u8], more: &[u8]| {
            write::sequence(&[&tagged(2, modulus), &tagged(2, exponent), more])
        };
        let of = |parameters: &[u8], key: &[u8]| read(oid::RSA_ENCRYPTION, parameters, key);
        let good = key(&[0, 0x95], &[1, 0, 1], &[]);
        assert_eq!(of(NULL, &good), Ok(KeyAlgorithm::Rsa { bits: 8 }));
        for parameters in [&[][..], &[4, 0], &[4, 1, 7], &[0x30, 0]] {
            assert!(of(parameters, &good).is_err(), "{parameters:?}");
        }
        for other in [
            key(&[0, 0x95], &[1, 0, 1], NULL),
            key(&[0, 0, 0x95], &[1, 0, 1], &[]),
            key(&[0, 0x95], &[0, 1, 0, 1], &[]),
            key(&[0x95], &[1, 0, 1], &[]),
            key(&[0], &[1, 0, 1], &[]),
            key(&[0, 0x95], &[0], &[]),
            key(&[0, 0x95], &[0x81], &[]),
            [&good[..], NULL].concat(),
        ] {
            assert!(of(NULL, &other).is_err(), "{other:?}");
        }
        assert!(has_usual_exponent(&good) && !has_usual_exponent(&key(&[0, 0x95], &[3], &[])));
    }

    #[test]
    fn reads_one_encoding_of_an_ed25519_key() {
        let of = |parameters: &[u8], key: &[u8]| read(oid::ED25519, parameters, key);
        let mut point = [0x11; 32];
        assert_eq!(of(&[], &point), Ok(KeyAlgorithm::Ed25519));
        for parameters in [NULL, &[4, 0], &[0x30, 0]] {
            assert!(of(parameters, &point).is_err(), "{parameters:?}");
        }
        assert!(of(&[], &point[1..]).is_err());
        // y of p or more, which is also y - p.
        for (first, last) in [(0xED, 0x7F), (0xFF, 0x7F), (0xEE, 0xFF), (0xEC, 0xFF)] {
            point = [0xFF; 32];
            (point[0], point[31]) = (first, last);
            assert!(of(&[], &point).is_err(), "{first:x} {last:x}");
        }
        (point[0], point[31]) = (0xEC, 0x7F);
        assert!(of(&[], &point).is_ok());
        point = [0; 32];
        (point[0], point[31]) = (1, 0x80);
        assert!(of(&[], &point).is_err());
    }

    #[test]
    fn refuses_unused_bits() {
        let algorithm = write::sequence(&[&write::oid(&oid::ED25519)]);
        let mut bits = write::bit_string(&[0x10; 32]);
        bits[2] = 4;
        assert!(PublicKey::decode(&write::sequence(&[&algorithm, &bits])).is_err());
    }
}
