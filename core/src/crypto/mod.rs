//! The slot that cryptography is put into, and what may be put there.
//!
//! `core` computes no digest and no signature check itself: a [`CryptoProvider`] does.
//! [`aws_lc::AwsLc`] serves native programs, [`rustcrypto::RustCrypto`] serves WebAssembly and
//! everything without a C compiler; a test runs one corpus through both. Nothing here signs.

use alloc::{boxed::Box, format, string::String};

use const_oid::ObjectIdentifier;
use pki_types::{SignatureVerificationAlgorithm, alg_id};

use crate::{
    asn1::{AlgorithmIdentifier, Cursor},
    digest::{Digest, HashAlgorithm, Hasher},
    oid,
};

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub(crate) mod encoding;
mod remembering;
#[cfg(feature = "rustcrypto")]
pub mod rustcrypto;

pub use remembering::{CheckedSignatures, Remembering, SignatureCheck, SignatureMemory};

/// A signature was not made by that key over that message, or the scheme is not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// It does not verify.
    Invalid,
    /// This scheme cannot be checked from a digest, or the provider does not have it.
    Unsupported,
}

/// Digests and signature verification, supplied from outside.
pub trait CryptoProvider {
    /// A name for reports of differences: `aws-lc-rs`, `rustcrypto`.
    fn name(&self) -> &'static str;

    /// A new hash computation.
    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher>;

    /// The implementation of `scheme`, for whole messages; certificate paths use these too.
    fn verification_algorithm(
        &self,
        scheme: SignatureScheme,
    ) -> &'static dyn SignatureVerificationAlgorithm;

    /// Checks a signature over a message of which only the digest is there.
    ///
    /// `public_key` is the content of the `subjectPublicKey` BIT STRING. The digest's algorithm
    /// must be the scheme's.
    ///
    /// # Errors
    /// [`SignatureFault::Invalid`] when it does not verify, [`SignatureFault::Unsupported`] for
    /// Ed25519, which signs messages and not digests (RFC 8032 §5.1).
    fn verify_digest(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        digest: &Digest,
        signature: &[u8],
    ) -> Result<(), SignatureFault>;

    /// Checks a signature over a whole message.
    ///
    /// `public_key` is the content of the `subjectPublicKey` BIT STRING.
    ///
    /// # Errors
    /// [`SignatureFault::Invalid`] when it does not verify.
    fn verify(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        let algorithm = self.verification_algorithm(scheme);
        let outcome = algorithm.verify_signature(public_key, message, signature);
        outcome.map_err(|_| SignatureFault::Invalid)
    }
}

/// A signature algorithm with its hash and, for ECDSA, its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureScheme {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on P-256 with SHA-384.
    EcdsaP256Sha384,
    /// ECDSA on P-256 with SHA-512.
    EcdsaP256Sha512,
    /// ECDSA on P-384 with SHA-256.
    EcdsaP384Sha256,
    /// ECDSA on P-384 with SHA-384; what we sign with.
    EcdsaP384Sha384,
    /// ECDSA on P-384 with SHA-512.
    EcdsaP384Sha512,
    /// ECDSA on P-521 with SHA-256.
    EcdsaP521Sha256,
    /// ECDSA on P-521 with SHA-384.
    EcdsaP521Sha384,
    /// ECDSA on P-521 with SHA-512.
    EcdsaP521Sha512,
    /// Ed25519.
    Ed25519,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaPkcs1Sha256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSA PSS with SHA-256, MGF1 with the same, salt of 32 octets.
    RsaPssSha256,
    /// RSA PSS with SHA-384, salt of 48 octets.
    RsaPssSha384,
    /// RSA PSS with SHA-512, salt of 64 octets.
    RsaPssSha512,
}

use SignatureScheme as S;

impl SignatureScheme {
    /// Every scheme.
    pub const ALL: [Self; 16] = [
        S::EcdsaP384Sha384,
        S::EcdsaP256Sha256,
        S::EcdsaP384Sha256,
        S::EcdsaP384Sha512,
        S::EcdsaP256Sha384,
        S::EcdsaP256Sha512,
        S::EcdsaP521Sha512,
        S::EcdsaP521Sha384,
        S::EcdsaP521Sha256,
        S::Ed25519,
        S::RsaPkcs1Sha256,
        S::RsaPkcs1Sha384,
        S::RsaPkcs1Sha512,
        S::RsaPssSha256,
        S::RsaPssSha384,
        S::RsaPssSha512,
    ];

    /// The hash that is signed; nothing for Ed25519, which takes the message.
    pub const fn hash_algorithm(self) -> Option<HashAlgorithm> {
        match self {
            S::EcdsaP256Sha256
            | S::EcdsaP384Sha256
            | S::EcdsaP521Sha256
            | S::RsaPkcs1Sha256
            | S::RsaPssSha256 => Some(HashAlgorithm::Sha256),
            S::EcdsaP256Sha384
            | S::EcdsaP384Sha384
            | S::EcdsaP521Sha384
            | S::RsaPkcs1Sha384
            | S::RsaPssSha384 => Some(HashAlgorithm::Sha384),
            S::EcdsaP256Sha512
            | S::EcdsaP384Sha512
            | S::EcdsaP521Sha512
            | S::RsaPkcs1Sha512
            | S::RsaPssSha512 => Some(HashAlgorithm::Sha512),
            S::Ed25519 => None,
        }
    }

    /// A name for people: `ECDSA P-384 with SHA-384`.
    pub const fn name(self) -> &'static str {
        match self {
            S::EcdsaP256Sha256 => "ECDSA P-256 with SHA-256",
            S::EcdsaP256Sha384 => "ECDSA P-256 with SHA-384",
            S::EcdsaP256Sha512 => "ECDSA P-256 with SHA-512",
            S::EcdsaP384Sha256 => "ECDSA P-384 with SHA-256",
            S::EcdsaP384Sha384 => "ECDSA P-384 with SHA-384",
            S::EcdsaP384Sha512 => "ECDSA P-384 with SHA-512",
            S::EcdsaP521Sha256 => "ECDSA P-521 with SHA-256",
            S::EcdsaP521Sha384 => "ECDSA P-521 with SHA-384",
            S::EcdsaP521Sha512 => "ECDSA P-521 with SHA-512",
            S::Ed25519 => "Ed25519",
            S::RsaPkcs1Sha256 => "RSA PKCS#1 v1.5 with SHA-256",
            S::RsaPkcs1Sha384 => "RSA PKCS#1 v1.5 with SHA-384",
            S::RsaPkcs1Sha512 => "RSA PKCS#1 v1.5 with SHA-512",
            S::RsaPssSha256 => "RSA PSS with SHA-256",
            S::RsaPssSha384 => "RSA PSS with SHA-384",
            S::RsaPssSha512 => "RSA PSS with SHA-512",
        }
    }

    /// The content of the DER `AlgorithmIdentifier` (without its SEQUENCE header).
    pub fn algorithm_identifier_content(self) -> &'static [u8] {
        let identifier: &'static pki_types::AlgorithmIdentifier = match self {
            S::EcdsaP256Sha256 | S::EcdsaP384Sha256 | S::EcdsaP521Sha256 => &alg_id::ECDSA_SHA256,
            S::EcdsaP256Sha384 | S::EcdsaP384Sha384 | S::EcdsaP521Sha384 => &alg_id::ECDSA_SHA384,
            S::EcdsaP256Sha512 | S::EcdsaP384Sha512 | S::EcdsaP521Sha512 => &alg_id::ECDSA_SHA512,
            S::Ed25519 => &alg_id::ED25519,
            S::RsaPkcs1Sha256 => &alg_id::RSA_PKCS1_SHA256,
            S::RsaPkcs1Sha384 => &alg_id::RSA_PKCS1_SHA384,
            S::RsaPkcs1Sha512 => &alg_id::RSA_PKCS1_SHA512,
            S::RsaPssSha256 => &alg_id::RSA_PSS_SHA256,
            S::RsaPssSha384 => &alg_id::RSA_PSS_SHA384,
            S::RsaPssSha512 => &alg_id::RSA_PSS_SHA512,
        };
        identifier
    }

    /// The scheme that a signature algorithm means with a key of that kind: certificates, CRLs
    /// and OCSP responses.
    pub fn of(key: KeyAlgorithm, algorithm: &AlgorithmIdentifier<'_>) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| {
            scheme.fits(key)
                && (scheme.algorithm_identifier_content() == algorithm.value
                    || (scheme.is_pkcs1()
                        && algorithm.has_no_parameters()
                        && scheme.oid() == Some(algorithm.oid)))
        })
    }

    /// The scheme of a CMS `SignerInfo`, if the signature algorithm may name only the kind of
    /// key and leave the hash to the digest algorithm (RFC 5754 §3.2, RFC 5753 §2.1.1).
    pub fn of_signer_info(
        key: KeyAlgorithm,
        signature_algorithm: &AlgorithmIdentifier<'_>,
        digest_algorithm: HashAlgorithm,
    ) -> Option<Self> {
        if matches!(signature_algorithm.oid, oid::RSA_ENCRYPTION | oid::EC_PUBLIC_KEY) {
            return Self::of_key_and_hash(key, digest_algorithm);
        }
        let scheme = Self::of(key, signature_algorithm)?;
        // Signing attributes with another hash than the content's is allowed by nobody in use.
        scheme.hash_algorithm().is_none_or(|hash| hash == digest_algorithm).then_some(scheme)
    }

    /// The scheme for a key whose algorithm alone is known and a digest: artifact signatures.
    pub fn of_key_and_hash(key: KeyAlgorithm, hash: HashAlgorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| {
            scheme.fits(key) && scheme.hash_algorithm().is_none_or(|expected| expected == hash)
        })
    }

    /// Whether a key of that kind can sign so.
    pub(crate) fn fits(self, key: KeyAlgorithm) -> bool {
        match self {
            S::EcdsaP256Sha256 | S::EcdsaP256Sha384 | S::EcdsaP256Sha512 => {
                key == KeyAlgorithm::P256
            }
            S::EcdsaP384Sha256 | S::EcdsaP384Sha384 | S::EcdsaP384Sha512 => {
                key == KeyAlgorithm::P384
            }
            S::EcdsaP521Sha256 | S::EcdsaP521Sha384 | S::EcdsaP521Sha512 => {
                key == KeyAlgorithm::P521
            }
            S::Ed25519 => key == KeyAlgorithm::Ed25519,
            _ => matches!(key, KeyAlgorithm::Rsa { .. }),
        }
    }

    #[cfg(feature = "aws-lc-rs")]
    fn is_ecdsa(self) -> bool {
        [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521]
            .into_iter()
            .any(|key| self.fits(key))
    }

    fn is_pkcs1(self) -> bool {
        matches!(self, S::RsaPkcs1Sha256 | S::RsaPkcs1Sha384 | S::RsaPkcs1Sha512)
    }

    fn oid(self) -> Option<ObjectIdentifier> {
        Cursor::new(self.algorithm_identifier_content()).oid("algorithm").ok()
    }
}

/// What kind of public key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// RSA with a modulus of that many bits.
    Rsa {
        /// Length of the modulus in bits.
        bits: usize,
    },
    /// Anything else.
    Unsupported,
}

impl KeyAlgorithm {
    /// A name for people: `P-384`, `RSA 3072`.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Ed25519 => "Ed25519",
            Self::Rsa { .. } => "RSA",
            Self::Unsupported => "an unsupported algorithm",
        }
    }

    /// What [`is_acceptable`](Self::is_acceptable) takes, for people.
    pub const ACCEPTABLE: &'static str = "P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits";

    /// Its name with its size, for people: `RSA of 1024 bits`.
    pub fn text(self) -> String {
        match self {
            Self::Rsa { bits } => format!("RSA of {bits} bits"),
            other => String::from(other.name()),
        }
    }

    /// Whether keys of this kind and size are strong enough to be believed: P-256, P-384,
    /// P-521, Ed25519, RSA of 2048 to 4096 bits (larger ones only cost time).
    pub fn is_acceptable(self) -> bool {
        match self {
            Self::P256 | Self::P384 | Self::P521 | Self::Ed25519 => true,
            Self::Rsa { bits } => (2048..=4096).contains(&bits),
            Self::Unsupported => false,
        }
    }
}

/// An algorithm's name for people, with its identifier if it is none that is accepted.
pub fn algorithm_text(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = algorithm.oid;
    let same = |scheme: &SignatureScheme| {
        scheme.algorithm_identifier_content() == algorithm.value
            || (scheme.is_pkcs1() && scheme.oid() == Some(oid))
    };
    if let Some(scheme) = SignatureScheme::ALL.into_iter().find(same) {
        return match (scheme.hash_algorithm(), scheme.fits(KeyAlgorithm::Rsa { bits: 0 })) {
            // The curve is the key's to say.
            (Some(hash), false) => format!("ECDSA with {hash}"),
            _ => String::from(scheme.name()),
        };
    }
    match OTHER_ALGORITHMS.iter().find(|(known, _)| *known == oid) {
        Some((_, name)) => format!("{name} ({oid})"),
        None => format!("{oid}"),
    }
}

/// Hash and signature algorithms of others, broken ones for the most part.
const OTHER_ALGORITHMS: [(ObjectIdentifier, &str); 10] = [
    (oid::SHA1, "SHA-1"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.2.5"), "MD5"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"), "RSA with MD5"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"), "RSA with SHA-1"),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"), "ECDSA with SHA-1"),
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.3"), "DSA with SHA-1"),
    (ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.2"), "DSA with SHA-256"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"), "RSA PSS with other parameters"),
    (oid::RSA_ENCRYPTION, "RSA"),
    (oid::EC_PUBLIC_KEY, "ECDSA"),
];
