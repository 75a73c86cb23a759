//! Names of algorithms for people, among them those that are not accepted.

use alloc::{format, string::String};

use const_oid::ObjectIdentifier;

use super::PublicKey;
use crate::{
    asn1::{AlgorithmIdentifier, Cursor},
    crypto::KeyAlgorithm,
};

/// The algorithm's name and number: `sha1WithRSAEncryption (1.2.840.113549.1.1.5)`.
pub(crate) fn text(algorithm: &AlgorithmIdentifier<'_>) -> String {
    named(algorithm.oid)
}

/// The kind of key, with its size if that varies: `RSA of 1024 bits`.
pub(crate) fn key_text(key: &PublicKey<'_>) -> String {
    match key.algorithm {
        KeyAlgorithm::Rsa { bits } => format!("RSA of {bits} bits"),
        KeyAlgorithm::Unsupported => {
            let identifier = Cursor::over_sequence(key.raw, "subjectPublicKeyInfo")
                .and_then(|mut fields| fields.algorithm("algorithm"));
            identifier.map_or_else(
                |_| String::from(key.algorithm.name()),
                |identifier| match identifier.parameters.map(|tlv| (tlv.tag, tlv.value)) {
                    Some((der::Tag::ObjectIdentifier, curve)) => {
                        let curve = ObjectIdentifier::from_bytes(curve).map(named);
                        format!("{} on {}", named(identifier.oid), curve.unwrap_or_default())
                    }
                    _ => named(identifier.oid),
                },
            )
        }
        other => String::from(other.name()),
    }
}

fn named(id: ObjectIdentifier) -> String {
    const fn of(id: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(id)
    }
    const NAMES: [(ObjectIdentifier, &str); 13] = [
        (of("1.2.840.113549.1.1.1"), "rsaEncryption"),
        (of("1.2.840.113549.1.1.2"), "md2WithRSAEncryption"),
        (of("1.2.840.113549.1.1.4"), "md5WithRSAEncryption"),
        (of("1.2.840.113549.1.1.5"), "sha1WithRSAEncryption"),
        (of("1.2.840.113549.1.1.10"), "RSASSA-PSS with parameters that are not accepted"),
        (of("1.2.840.113549.1.1.14"), "sha224WithRSAEncryption"),
        (of("1.2.840.10045.2.1"), "ecPublicKey"),
        (of("1.2.840.10045.4.1"), "ecdsa-with-SHA1"),
        (of("1.2.840.10045.4.3.1"), "ecdsa-with-SHA224"),
        (of("1.2.840.10040.4.1"), "DSA"),
        (of("1.2.840.10040.4.3"), "dsa-with-SHA1"),
        (of("1.3.132.0.10"), "secp256k1"),
        (of("1.3.101.113"), "Ed448"),
    ];
    match NAMES.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => format!("{name} ({id})"),
        None => format!("{id}"),
    }
}
