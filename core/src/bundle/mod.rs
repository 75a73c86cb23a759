//! Sigstore bundles: what is published beside a file.
//!
//! Read strictly: a field that the format does not know is refused, as Sigstore's own clients do.
//! Decoding says nothing about whether the signature holds.

mod dsse;
mod form;
mod log_entry;
mod presented;
mod provenance;
mod python;
mod statement;

pub use dsse::{
    BEGINNING_OCTETS, ENVELOPE_BEGINNING, Envelope, IN_TOTO_PAYLOAD_TYPE,
    pre_authentication_encoding,
};
pub use presented::Presented;
pub use provenance::{Field, FieldFault, PROVENANCE_TYPES, Provenance};
pub use statement::{STATEMENT_TYPE, Statement, Subject};

use alloc::{format, string::String, vec::Vec};

use crate::{
    crypto::KeyAlgorithm,
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode},
    json::{self, Document, JsonFault},
    limits,
    tlog::LogEntry,
    x509::{Certificate, PublicKey},
};

/// A decoded bundle.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// By what the signature is to be verified.
    pub verifier: Verifier,
    /// What was signed, and the signature.
    pub content: Content,
    /// The timestamps: whole `TimeStampResp`s.
    pub timestamps: Vec<Vec<u8>>,
    /// The transparency-log entries.
    pub log_entries: Vec<LogEntry>,
    /// The version of the form.
    pub version: Version,
}

/// By what a bundle says that its signature is to be verified.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// A certificate that comes along.
    Certificate {
        /// The signer's certificate, DER.
        certificate: Vec<u8>,
        /// Further certificates sent along, DER (before v0.3).
        further: Vec<Vec<u8>>,
    },
    /// A public key that the verifier already has (a managed key).
    PublicKey {
        /// What may help to find it; says nothing that is to be believed. Sigstore's clients write
        /// the key's SHA-256 in base64.
        hint: String,
    },
}

/// The versions of the form that differ in what they demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// v0.1: a log's promise will do.
    V0_1,
    /// v0.2 and v0.3: log entries come with a proof.
    V0_2,
}

/// What was signed.
#[derive(Clone, Debug)]
pub enum Content {
    /// The artifact itself.
    MessageSignature {
        /// The digest that the bundle says was signed.
        digest: Option<Digest>,
        /// The signature.
        signature: Vec<u8>,
    },
    /// A statement about artifacts.
    Envelope(Envelope),
}

impl Content {
    /// The signature's octets, which a timestamp is made over.
    pub fn signature(&self) -> &[u8] {
        match self {
            Self::MessageSignature { signature, .. } => signature,
            Self::Envelope(envelope) => &envelope.signature,
        }
    }
}

/// Whether the digest of an unknown kind was named.
pub(crate) enum DigestFault {
    Weak(String),
    Length,
}

impl Bundle {
    /// Reads a bundle of at most [`limits::BUNDLE_BYTES`]: v0.1, v0.2 or v0.3.
    ///
    /// # Errors
    /// A finding: too large, malformed, a repeated key, too deep, too new, no certificate, no or
    /// several signatures, too many parts, a weak digest.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        bounded_size(bytes)?;
        let fault = |fault: JsonFault| json_finding(&fault);
        let text = json::text(bytes).map_err(fault)?;
        form::decode(Document::decode(&text).map_err(fault)?.root())
    }

    /// The signer's certificate, DER, if one comes along.
    pub fn certificate(&self) -> Option<&[u8]> {
        match &self.verifier {
            Verifier::Certificate { certificate, .. } => Some(certificate),
            Verifier::PublicKey { .. } => None,
        }
    }

    /// Further certificates sent along, DER.
    pub fn further_certificates(&self) -> &[Vec<u8>] {
        match &self.verifier {
            Verifier::Certificate { further, .. } => further,
            Verifier::PublicKey { .. } => &[],
        }
    }

    /// Whether the signature can only be checked over the artifact's octets and not over a digest:
    /// a message signature by an Ed25519 key (RFC 8032 §5.1). The key is the certificate's, or
    /// `given`, a DER `SubjectPublicKeyInfo`. What cannot be read needs nothing.
    pub fn needs_content(&self, given: Option<&[u8]>) -> bool {
        let Content::MessageSignature { .. } = &self.content else { return false };
        let algorithm = match (self.certificate(), given) {
            (Some(certificate), _) => {
                Certificate::decode(certificate).map(|leaf| leaf.public_key.algorithm)
            }
            (None, Some(given)) => PublicKey::decode(given).map(|key| key.algorithm),
            (None, None) => return false,
        };
        algorithm == Ok(KeyAlgorithm::Ed25519)
    }

    /// The digest algorithms of the artifact that verification will need. One that the caller has
    /// not computed ends as "not checked".
    pub fn artifact_algorithms(&self) -> Vec<HashAlgorithm> {
        match &self.content {
            Content::MessageSignature { digest: Some(digest), .. } => {
                alloc::vec![digest.algorithm()]
            }
            Content::MessageSignature { digest: None, .. } => HashAlgorithm::STRONG.to_vec(),
            Content::Envelope(envelope) => match Statement::decode(&envelope.payload) {
                Ok(statement) => statement.algorithms(),
                Err(_) => alloc::vec![HashAlgorithm::Sha256],
            },
        }
    }
}

fn bounded_size(bytes: &[u8]) -> Result<(), Finding> {
    if bytes.len() <= limits::BUNDLE_BYTES {
        return Ok(());
    }
    Err(Finding::new(FindingCode::BUNDLE_TOO_LARGE)
        .expected(format!("at most {} bytes", limits::BUNDLE_BYTES))
        .found(format!("{} bytes", bytes.len())))
}

pub(crate) fn json_finding(fault: &JsonFault) -> Finding {
    let code = match fault {
        JsonFault::Empty => FindingCode::BUNDLE_EMPTY,
        JsonFault::NotJson => FindingCode::BUNDLE_NOT_JSON,
        JsonFault::Truncated => FindingCode::BUNDLE_TRUNCATED,
        JsonFault::Malformed { .. } | JsonFault::ReservedKey(_) => FindingCode::BUNDLE_MALFORMED,
        JsonFault::DuplicateKey(_) => FindingCode::BUNDLE_DUPLICATE_KEY,
        JsonFault::TooDeep => FindingCode::BUNDLE_TOO_DEEP,
    };
    Finding::new(code).found(format!("{fault}"))
}
