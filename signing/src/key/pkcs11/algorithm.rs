//! How keys in tokens sign: the mechanism asked for, and the signature as X.509 and CMS have it.
//!
//! Only digests go to the token: every module has the two mechanisms that take one, and a message
//! need not travel to a network module.

use countersign_core::{
    crypto::{KeyAlgorithm, SignatureScheme},
    digest::HashAlgorithm,
    oid,
    x509::PublicKey,
};
use cryptoki::{mechanism::Mechanism, object::ObjectHandle, session::Session};

use super::fault::Fault;
use crate::{der, key::TokenError};

/// The kind of a key in a token that we sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SigningAlgorithm {
    EcdsaP256,
    EcdsaP384,
    /// PKCS#1 v1.5 with SHA-256, for a modulus of that many octets.
    Rsa {
        modulus_octets: usize,
    },
}

impl SigningAlgorithm {
    /// The kind of a public key; nothing for kinds that are not signed with here.
    pub(super) fn of(spki: &[u8]) -> Option<Self> {
        let key = PublicKey::decode(spki).ok()?;
        match key.algorithm {
            KeyAlgorithm::P256 => Some(Self::EcdsaP256),
            KeyAlgorithm::P384 => Some(Self::EcdsaP384),
            rsa @ KeyAlgorithm::Rsa { bits } if rsa.is_acceptable() => {
                Some(Self::Rsa { modulus_octets: bits.div_ceil(8) })
            }
            _ => None,
        }
    }

    pub(super) const fn scheme(self) -> SignatureScheme {
        match self {
            Self::EcdsaP256 => SignatureScheme::EcdsaP256Sha256,
            Self::EcdsaP384 => SignatureScheme::EcdsaP384Sha384,
            Self::Rsa { .. } => SignatureScheme::RsaPkcs1Sha256,
        }
    }

    pub(super) const fn hash(self) -> HashAlgorithm {
        match self {
            Self::EcdsaP384 => HashAlgorithm::Sha384,
            Self::EcdsaP256 | Self::Rsa { .. } => HashAlgorithm::Sha256,
        }
    }

    /// Has the token sign a digest of [`hash`](Self::hash).
    pub(super) fn sign(
        self,
        session: &Session,
        key: ObjectHandle,
        digest: &[u8],
        uri: &str,
    ) -> Result<Vec<u8>, Fault> {
        let (mechanism, data, octets) = match self {
            Self::EcdsaP256 => (Mechanism::Ecdsa, digest.to_vec(), 64),
            Self::EcdsaP384 => (Mechanism::Ecdsa, digest.to_vec(), 96),
            Self::Rsa { modulus_octets } => {
                (Mechanism::RsaPkcs, sha256_digest_info(digest), modulus_octets)
            }
        };
        let signature = session
            .sign(&mechanism, key, &data)
            .map_err(|error| Fault::of(uri, "signing", &error))?;
        if signature.len() != octets {
            let detail = format!("the token made a signature of {} octets", signature.len());
            return Err(TokenError::Failing { uri: uri.to_owned(), detail }.into());
        }
        Ok(match self {
            Self::EcdsaP256 | Self::EcdsaP384 => ecdsa_sig_value(&signature),
            Self::Rsa { .. } => signature,
        })
    }
}

/// r and s one after the other (PKCS#11 §6.3.1) as `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
fn ecdsa_sig_value(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    der::sequence(&[&der::unsigned_integer(r), &der::unsigned_integer(s)])
}

/// `DigestInfo` (RFC 8017 §9.2), which `CKM_RSA_PKCS` pads and signs.
fn sha256_digest_info(digest: &[u8]) -> Vec<u8> {
    let algorithm = der::sequence(&[&der::oid(&oid::SHA256), der::NULL]);
    der::sequence(&[&algorithm, &der::octet_string(digest)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{FileKey, KeyAlgorithm, Signer};

    #[test]
    fn knows_the_kinds_of_key_it_signs_with() {
        for (ours, expected) in [
            (KeyAlgorithm::P256, SigningAlgorithm::EcdsaP256),
            (KeyAlgorithm::P384, SigningAlgorithm::EcdsaP384),
            (KeyAlgorithm::Rsa3072, SigningAlgorithm::Rsa { modulus_octets: 384 }),
        ] {
            let key = FileKey::generate(ours).expect("a key");
            assert_eq!(SigningAlgorithm::of(key.spki()), Some(expected));
            assert_eq!(expected.scheme(), key.scheme());
        }
        assert_eq!(SigningAlgorithm::of(b"\x30\x00"), None);
    }

    #[test]
    fn numbers_of_a_signature_are_positive_and_short() {
        let mut raw = [0; 64];
        raw[0] = 0x80;
        raw[63] = 1;
        let mut expected = vec![0x30, 0x26, 0x02, 0x21, 0x00, 0x80];
        expected.extend([0; 31]);
        expected.extend([0x02, 0x01, 0x01]);
        assert_eq!(ecdsa_sig_value(&raw), expected);
    }
}
