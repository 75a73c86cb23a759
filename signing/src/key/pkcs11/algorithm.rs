//! How keys in tokens sign: the mechanism asked for, and the signature as X.509 and CMS have it.
//!
//! Only digests go to the token, but for Ed25519, which signs messages: every module has the
//! mechanisms that take a digest, and a message need not travel to a network module. A key that
//! wants its PIN for each signature is the other exception (see `authorised`).

use countersign_core::{
    crypto::{KeyAlgorithm, SignatureScheme, aws_lc::AwsLc},
    digest::{Digest, HashAlgorithm, digest},
    oid,
    x509::PublicKey,
};
use cryptoki::{
    mechanism::{
        Mechanism, MechanismType,
        eddsa::{EddsaParams, EddsaSignatureScheme},
        rsa::{PkcsMgfType, PkcsPssParams},
    },
    object::ObjectHandle,
    session::Session,
};

use super::fault::Fault;
use crate::{der, key::TokenError};

/// The kind of a key in a token that we sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SigningAlgorithm {
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Ed25519,
    /// With SHA-256, for a modulus of that many octets.
    Rsa {
        modulus_octets: usize,
        padding: RsaPadding,
    },
}

/// What an RSA key may sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RsaPadding {
    Pkcs1,
    Pss,
}

impl RsaPadding {
    /// PKCS#1 v1.5, which everybody reads, unless `allowed` has PSS and not that.
    pub(super) fn of(allowed: &[MechanismType]) -> Self {
        let has = |wanted: MechanismType| allowed.contains(&wanted);
        let pss = has(MechanismType::RSA_PKCS_PSS) || has(MechanismType::SHA256_RSA_PKCS_PSS);
        if pss && !has(MechanismType::RSA_PKCS) { Self::Pss } else { Self::Pkcs1 }
    }
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub(super) enum ToSign<'a> {
    Message(&'a [u8]),
    /// Of [`SigningAlgorithm::hash`].
    Digest(&'a Digest),
}

impl SigningAlgorithm {
    /// The kind of a public key; nothing for kinds that are not signed with here.
    pub(super) fn of(spki: &[u8], padding: RsaPadding) -> Option<Self> {
        let key = PublicKey::decode(spki).ok()?;
        match key.algorithm {
            KeyAlgorithm::P256 => Some(Self::EcdsaP256),
            KeyAlgorithm::P384 => Some(Self::EcdsaP384),
            KeyAlgorithm::P521 => Some(Self::EcdsaP521),
            KeyAlgorithm::Ed25519 => Some(Self::Ed25519),
            rsa @ KeyAlgorithm::Rsa { bits } if rsa.is_acceptable() => {
                Some(Self::Rsa { modulus_octets: bits.div_ceil(8), padding })
            }
            _ => None,
        }
    }

    pub(super) const fn scheme(self) -> SignatureScheme {
        match self {
            Self::EcdsaP256 => SignatureScheme::EcdsaP256Sha256,
            Self::EcdsaP384 => SignatureScheme::EcdsaP384Sha384,
            Self::EcdsaP521 => SignatureScheme::EcdsaP521Sha512,
            Self::Ed25519 => SignatureScheme::Ed25519,
            Self::Rsa { padding: RsaPadding::Pkcs1, .. } => SignatureScheme::RsaPkcs1Sha256,
            Self::Rsa { padding: RsaPadding::Pss, .. } => SignatureScheme::RsaPssSha256,
        }
    }

    /// The hash that is signed; nothing for Ed25519, which takes the message.
    pub(super) const fn hash(self) -> Option<HashAlgorithm> {
        self.scheme().hash_algorithm()
    }

    /// Has the token sign, in one call.
    pub(super) fn sign(
        self,
        session: &Session,
        key: ObjectHandle,
        to_sign: ToSign<'_>,
        uri: &str,
    ) -> Result<Vec<u8>, Fault> {
        let data = self.data(to_sign, uri)?;
        let signature = session
            .sign(&self.mechanism(), key, &data)
            .map_err(|error| Fault::of(uri, "signing", &error))?;
        self.finished(signature, uri)
    }

    /// The mechanism that takes what [`data`](Self::data) makes.
    pub(super) fn mechanism(self) -> Mechanism<'static> {
        match self {
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 => Mechanism::Ecdsa,
            Self::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)),
            Self::Rsa { padding: RsaPadding::Pkcs1, .. } => Mechanism::RsaPkcs,
            Self::Rsa { padding: RsaPadding::Pss, .. } => Mechanism::RsaPkcsPss(pss()),
        }
    }

    /// The mechanism that takes the message and hashes it; nothing for Ed25519.
    pub(super) fn hashing_mechanism(self) -> Option<Mechanism<'static>> {
        Some(match self {
            Self::EcdsaP256 => Mechanism::EcdsaSha256,
            Self::EcdsaP384 => Mechanism::EcdsaSha384,
            Self::EcdsaP521 => Mechanism::EcdsaSha512,
            Self::Ed25519 => return None,
            Self::Rsa { padding: RsaPadding::Pkcs1, .. } => Mechanism::Sha256RsaPkcs,
            Self::Rsa { padding: RsaPadding::Pss, .. } => Mechanism::Sha256RsaPkcsPss(pss()),
        })
    }

    /// What [`mechanism`](Self::mechanism) signs.
    pub(super) fn data(self, to_sign: ToSign<'_>, uri: &str) -> Result<Vec<u8>, Fault> {
        let octets = match (self.hash(), to_sign) {
            (Some(hash), ToSign::Message(message)) => {
                digest(&AwsLc, hash, message).octets().to_vec()
            }
            (Some(_), ToSign::Digest(digest)) => digest.octets().to_vec(),
            (None, ToSign::Message(message)) => message.to_vec(),
            (None, ToSign::Digest(_)) => {
                let detail = "the key signs messages and no digests".to_owned();
                return Err(TokenError::Unsuitable { uri: uri.to_owned(), detail }.into());
            }
        };
        Ok(match self {
            Self::Rsa { padding: RsaPadding::Pkcs1, .. } => sha256_digest_info(&octets),
            _ => octets,
        })
    }

    /// The signature as others read it.
    pub(super) fn finished(self, signature: Vec<u8>, uri: &str) -> Result<Vec<u8>, Fault> {
        let octets = match self {
            Self::EcdsaP256 | Self::Ed25519 => 64,
            Self::EcdsaP384 => 96,
            Self::EcdsaP521 => 132,
            Self::Rsa { modulus_octets, .. } => modulus_octets,
        };
        if signature.len() != octets {
            return Err(TokenError::KeyMismatch { uri: uri.to_owned() }.into());
        }
        Ok(match self {
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 => ecdsa_sig_value(&signature),
            Self::Ed25519 | Self::Rsa { .. } => signature,
        })
    }
}

/// SHA-256, MGF1 with the same, and a salt as long (RFC 4055 §3.1 as everybody uses it).
fn pss() -> PkcsPssParams {
    PkcsPssParams {
        hash_alg: MechanismType::SHA256,
        mgf: PkcsMgfType::MGF1_SHA256,
        s_len: 32.into(),
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
    use crate::key::{FileKey, NewKey, Signer};

    #[test]
    fn knows_the_kinds_of_key_it_signs_with() {
        for (ours, expected) in [
            (NewKey::P256, SigningAlgorithm::EcdsaP256),
            (NewKey::P384, SigningAlgorithm::EcdsaP384),
            (
                NewKey::Rsa3072,
                SigningAlgorithm::Rsa { modulus_octets: 384, padding: RsaPadding::Pkcs1 },
            ),
        ] {
            let key = FileKey::generate(ours).expect("a key");
            assert_eq!(SigningAlgorithm::of(key.spki(), RsaPadding::Pkcs1), Some(expected));
            assert_eq!(expected.scheme(), key.scheme());
        }
        assert_eq!(SigningAlgorithm::of(b"\x30\x00", RsaPadding::Pkcs1), None);
    }

    #[test]
    fn pss_is_for_keys_that_allow_nothing_else() {
        let (pkcs1, pss) = (MechanismType::RSA_PKCS, MechanismType::RSA_PKCS_PSS);
        for (allowed, expected) in [
            (&[][..], RsaPadding::Pkcs1),
            (&[pkcs1], RsaPadding::Pkcs1),
            (&[pss, pkcs1], RsaPadding::Pkcs1),
            (&[pss], RsaPadding::Pss),
            (&[MechanismType::SHA256_RSA_PKCS_PSS], RsaPadding::Pss),
        ] {
            assert_eq!(RsaPadding::of(allowed), expected, "{allowed:?}");
        }
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
