//! Transparency logs: is what a bundle says about them true?
//!
//! [`merkle`] ties an entry to a root hash and an older root to a newer one, [`checkpoint`] the root hash to the log's key,
//! [`promise`] an entry and its time to that key at once, [`entry`] the entry to the bundle
//! ([`EntryKind`] lists the kinds), and [`sct`] a certificate to the certificate log. For those who keep a log, [`frontier`] lets a tree grow,
//! [`proof`] makes proofs, and [`tile`] says how it lies in files. Nothing here asks a log: all of it comes with the
//! bundle. Whether a log showed everybody the same tree is not looked at (witnesses' signatures
//! on a checkpoint are ignored).

pub mod checkpoint;
pub mod entry;
mod entry_kind;
pub mod frontier;
pub mod merkle;
pub mod promise;
pub mod proof;
pub mod sct;
pub mod tile;

pub use checkpoint::Checkpoint;
pub use entry::{EntryBody, LoggedDigest};
pub use entry_kind::EntryKind;

use alloc::{string::String, vec::Vec};

use crate::{
    crypto::{CryptoProvider, KeyAlgorithm, SignatureScheme, encoding::rsa_numbers},
    digest::{HashAlgorithm, digest},
    pattern::scheme_and_rest,
    time::UnixSeconds,
    trust::Window,
    x509::PublicKey,
};

/// A transparency log or a certificate log that the trust root lists.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its address; the checkpoint's origin follows from the host in it.
    pub base_url: String,
    /// When its signatures are believed.
    pub window: Window,
    /// `logId.keyId`, 32 octets.
    pub id: Vec<u8>,
    /// What its checkpoints are signed by, if that is not `id`.
    pub checkpoint_id: Option<Vec<u8>>,
    /// The key as the trust root has it.
    pub key: LogKey,
}

/// A log's public key.
#[derive(Clone, Debug)]
pub struct LogKey {
    /// As listed: a `SubjectPublicKeyInfo`, or a PKCS#1 `RSAPublicKey`.
    raw: Vec<u8>,
    /// The content of the `subjectPublicKey` BIT STRING.
    bits: Vec<u8>,
    /// How it signs; nothing for a kind of key that we do not know, by which nothing is signed.
    scheme: Option<SignatureScheme>,
}

impl LogKey {
    /// A key from `publicKey.rawBytes` and `publicKey.keyDetails`, or `None` if the octets are
    /// not the key that the details name. A kind that we do not know is kept, and verifies
    /// nothing.
    pub fn decode(raw: &[u8], details: &str) -> Option<Self> {
        use SignatureScheme as S;
        let own =
            |bits: &[u8], scheme| Some(Self { raw: raw.to_vec(), bits: bits.to_vec(), scheme });
        let scheme = match details {
            "PKIX_ECDSA_P256_SHA_256" => S::EcdsaP256Sha256,
            "PKIX_ECDSA_P384_SHA_256" => S::EcdsaP384Sha256,
            "PKIX_ECDSA_P384_SHA_384" => S::EcdsaP384Sha384,
            "PKIX_ECDSA_P521_SHA_256" => S::EcdsaP521Sha256,
            "PKIX_ECDSA_P521_SHA_512" => S::EcdsaP521Sha512,
            "PKIX_ED25519" => S::Ed25519,
            "PKIX_RSA_PKCS1V5"
            | "PKIX_RSA_PKCS1V15_2048_SHA256"
            | "PKIX_RSA_PKCS1V15_3072_SHA256"
            | "PKIX_RSA_PKCS1V15_4096_SHA256" => S::RsaPkcs1Sha256,
            // Deprecated, but still listed: PKCS#1 instead of SubjectPublicKeyInfo.
            "PKCS1_RSA_PKCS1V5" => {
                rsa_numbers(raw).ok()?;
                return own(raw, Some(S::RsaPkcs1Sha256));
            }
            _ => return own(raw, None),
        };
        let key = PublicKey::decode(raw).ok()?;
        let fits = scheme.fits(key.algorithm) && key.algorithm != KeyAlgorithm::Unsupported;
        if fits && key.algorithm.is_acceptable() { own(key.bits, Some(scheme)) } else { None }
    }

    /// The key as the trust root lists it.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// How it signs, where we know.
    pub fn scheme(&self) -> Option<SignatureScheme> {
        self.scheme
    }
}

impl Log {
    /// Whether both entries of a trust root are one log: the same entry, the same key (whether as PKIX or
    /// as PKCS#1), or one that was listed anew under its address.
    pub fn is_same(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
            || self.key.bits == other.key.bits
            || (!self.base_url.is_empty() && self.base_url == other.base_url)
    }

    /// Whether the log signed `message`.
    pub fn verifies(&self, crypto: &dyn CryptoProvider, message: &[u8], signature: &[u8]) -> bool {
        self.key
            .scheme
            .is_some_and(|scheme| crypto.verify(scheme, &self.key.bits, message, signature).is_ok())
    }

    /// The name in its checkpoints: the host of its address, without port and path.
    pub fn host(&self) -> &str {
        let rest = scheme_and_rest(&self.base_url).map_or(self.base_url.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or(rest)
    }

    /// Whether the log's id is the digest of its key alone, as logs have it whose ids do not
    /// bind their name (RFC 6962 §3.2, Rekor v1).
    pub(crate) fn id_is_of_key_alone(&self, crypto: &dyn CryptoProvider) -> bool {
        digest(crypto, HashAlgorithm::Sha256, &self.key.raw).octets() == self.id
    }
}

/// What a bundle says about one log entry; not verified.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its number in the whole log, over all of the log's trees.
    pub log_index: u64,
    /// Which log.
    pub log_id: Vec<u8>,
    /// What kind of entry, as the bundle says; the body says it too.
    pub kind: String,
    /// The version of the kind.
    pub version: String,
    /// When it was put into the log, as the bundle says; believed only with a promise.
    pub integrated_time: Option<UnixSeconds>,
    /// The log's signature over entry and time (the signed entry timestamp).
    pub promise: Option<Vec<u8>>,
    /// Its place in the log's tree.
    pub proof: Option<InclusionProof>,
    /// The entry itself: the octets that are the tree's leaf.
    pub body: Vec<u8>,
}

impl LogEntry {
    /// The kind that the bundle says; `None` if it is not read.
    pub(crate) fn kind(&self) -> Option<EntryKind> {
        EntryKind::parse(&self.kind, &self.version)
    }
}

/// The place of an entry in a log's tree; not verified.
#[derive(Clone, Debug)]
pub struct InclusionProof {
    /// The leaf's number in this tree.
    pub leaf_index: u64,
    /// How many leaves the tree has.
    pub tree_size: u64,
    /// The tree's root hash, 32 octets.
    pub root_hash: Vec<u8>,
    /// The hashes beside the way from leaf to root, each 32 octets.
    pub hashes: Vec<Vec<u8>>,
    /// The log's signed word on the tree.
    pub checkpoint: Option<String>,
}
