//! Private keys behind an opaque handle.
//!
//! A [`Signer`] signs and says what its public key is; nobody outside this crate sees more of a
//! private key. It is kept in an encrypted file ([`FileKey`]) or in a PKCS#11 token. Nothing here
//! knows what is being signed.
//!
//! Whoever has a setting or flag for a key holds it as a [`KeyLocation`] (serde reads it from the
//! same string as a path) and calls [`open`], or, with the certificate at hand,
//! [`open_for_certificate`]:
//!
//! ```no_run
//! use countersign_signing::key::{self, KeyLocation, Passphrase};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // "tsa/key.pem", or "pkcs11:token=TSA;object=tsa?pin-source=file:/etc/tsa/pin"
//! let location: KeyLocation = "tsa/key.pem".parse()?;
//! let passphrase = Passphrase::from_file("tsa/passphrase".as_ref())?;
//! let signer = key::open(&location, Some(&passphrase))?; // None if no file is configured
//! # drop(signer);
//! # Ok(())
//! # }
//! ```
//!
//! A key in a token blocks its thread while it signs, and may fail for a while:
//! [`SignError::is_transient`]. It finds its token again by itself.

mod error;
mod file;
mod location;
mod open;
mod passphrase;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod pkcs8_file;
mod token_error;
mod token_uri;

use std::fmt::Debug;

use aws_lc_rs::digest;
use countersign_core::{
    crypto::{KeyAlgorithm, SignatureScheme},
    digest::Digest,
};

#[cfg(feature = "pkcs11")]
pub use self::pkcs11::{GeneratedKey, TokenKeyAlgorithm, generate_in_token, store_certificate};
pub use self::{
    error::KeyError,
    file::FileKey,
    location::KeyLocation,
    open::{PIN_VARIABLE, open, open_for_certificate},
    passphrase::{Passphrase, PassphraseError},
    pkcs8_file::UnencryptedKeys,
    token_error::TokenError,
    token_uri::{FileAttribute, TokenUri, TokenUriError},
};

/// Which key to make: of all that we read ([`KeyAlgorithm`]), those that others read too.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum NewKey {
    /// ECDSA on P-384, signing with SHA-384.
    #[default]
    P384,
    /// ECDSA on P-256, signing with SHA-256; for Sigstore verifiers that read no other leaf key.
    P256,
    /// RSA with a modulus of 3072 bits, signing PKCS#1 v1.5 with SHA-256.
    Rsa3072,
}

impl NewKey {
    /// Every choice, the default first.
    pub const ALL: [Self; 3] = [Self::P384, Self::P256, Self::Rsa3072];

    /// The algorithm of such a key.
    pub const fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::P384 => KeyAlgorithm::P384,
            Self::P256 => KeyAlgorithm::P256,
            Self::Rsa3072 => KeyAlgorithm::Rsa { bits: 3072 },
        }
    }

    /// The name on the command line and in files: `p384`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P384 => "p384",
            Self::P256 => "p256",
            Self::Rsa3072 => "rsa3072",
        }
    }

    /// The choice with that [`name`](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// What such a key signs with.
    pub const fn scheme(self) -> SignatureScheme {
        match self {
            Self::P384 => SignatureScheme::EcdsaP384Sha384,
            Self::P256 => SignatureScheme::EcdsaP256Sha256,
            Self::Rsa3072 => SignatureScheme::RsaPkcs1Sha256,
        }
    }
}

/// What a key is to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Digests will do.
    Digests,
    /// Whole messages: Ed25519 signs nothing else (RFC 8032 §5.1), and a key that wants its PIN for
    /// each signature may take nothing else.
    Messages,
}

/// A private key that can be used and not seen.
pub trait Signer: Send + Sync + Debug {
    /// The one scheme that this key signs with.
    fn scheme(&self) -> SignatureScheme;

    /// The public key: DER of the whole `SubjectPublicKeyInfo`.
    fn spki(&self) -> &[u8];

    /// Whether it is better given messages or digests.
    fn takes(&self) -> Takes {
        Takes::Digests
    }

    /// Signs a message. ECDSA signatures are DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3), RSA
    /// signatures as long as the modulus.
    ///
    /// # Errors
    /// [`SignError::Refused`] when the library refuses, [`SignError::Token`] when a token does.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// Signs a message of which only the digest is there. Whoever calls this answers for the
    /// digest being that of what is meant to be signed.
    ///
    /// # Errors
    /// [`SignError::DigestMismatch`] when the digest's algorithm is not the scheme's, else as
    /// [`sign`](Self::sign).
    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SignError>;
}

/// What a key signs to show that it works. It begins as no certificate, request, list, response, token,
/// statement or note does, and not as a token's proof of its key either.
const TRIAL_MESSAGE: &[u8] = b"countersign: a trial of a key, signing nothing";

/// Has a key sign something that means nothing, and drops the signature: a key in a token may be gone while
/// nothing else is wrong. For keys that sign no files.
///
/// # Errors
/// As [`Signer::sign`].
pub fn try_out(key: &dyn Signer) -> Result<(), SignError> {
    key.sign(TRIAL_MESSAGE).map(drop)
}

/// Why something was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The library refused, without saying why.
    #[error("the key refused to sign")]
    Refused,
    /// The token that holds the key is away, fails, or refuses.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The digest was made with another algorithm than this key signs.
    #[error("the key signs {expected} digests, not {found}")]
    DigestMismatch {
        /// The algorithm of the key's scheme.
        expected: &'static str,
        /// The algorithm of the digest.
        found: &'static str,
    },
    /// A digest was given to a key that signs messages alone.
    #[error("the key signs whole messages and no digests")]
    NeedsMessage,
    /// The certificate is for another key.
    #[error("the certificate's public key is not this key's")]
    KeyMismatch,
    /// The certificate does not decode.
    #[error("certificate {position} of the chain does not decode: {detail}")]
    Certificate {
        /// Which one, the first being 1.
        position: usize,
        /// What is wrong.
        detail: String,
    },
    /// The delegate's certificate was not issued by the issuer.
    #[error("the responder's certificate was not issued by the issuer's")]
    WrongIssuer,
    /// No certificate was given.
    #[error("the certificate chain is empty")]
    NoCertificate,
    /// No random number could be had.
    #[error("the operating system gives no random numbers")]
    Random,
}

impl SignError {
    /// Whether the same call may succeed later without anybody changing a setting.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_transient())
    }
}

/// Random octets from the operating system's generator.
///
/// # Errors
/// [`SignError::Random`] when there are none to be had.
pub(crate) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], SignError> {
    let mut octets = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| SignError::Random)?;
    Ok(octets)
}

/// A serial number or the like: 128 random bits with the top bit clear and not all zero, so that
/// its DER has at most 16 content octets and is positive (RFC 5280 §4.1.2.2 allows 20).
///
/// # Errors
/// [`SignError::Random`] when there are no random numbers.
pub fn random_serial() -> Result<[u8; 16], SignError> {
    let mut serial: [u8; 16] = random()?;
    serial[0] &= 0x7F;
    if serial == [0; 16] { Err(SignError::Random) } else { Ok(serial) }
}

/// SHA-1, which identifies keys in OCSP (RFC 6960 §4.1.1, §4.2.1) and proves nothing.
pub(crate) fn sha1(octets: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets)
}

/// SHA-256.
pub(crate) fn sha256(octets: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, octets)
}
