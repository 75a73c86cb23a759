//! Does the signature hold? Checked over what the bundle says was signed, so that a file that
//! differs and a signature that is wrong are told apart.

use alloc::{format, vec::Vec};

use super::Run;
use crate::{
    bundle::{Content, ENVELOPE_BEGINNING, Envelope},
    crypto::{CryptoProvider, KeyAlgorithm, SignatureFault, SignatureScheme},
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode},
    limits,
};

/// What was found of a signature for a file, as far as that was known.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    file: AsKnown,
    /// The artifact's digest that it was made over, if the bundle itself says none.
    outcome: Result<Option<Digest>, Finding>,
}

/// What the outcome depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AsKnown {
    begins_like_envelope: bool,
    /// None if the bundle itself has all that was signed.
    digests: Vec<Digest>,
    /// The size of its octets, if they are at hand and signed.
    content: Option<usize>,
}

/// A signature that holds.
#[derive(Clone, Debug)]
pub(super) struct Holds {
    /// The artifact's digest that it was made over, if the bundle itself says none.
    pub(super) digest: Option<Digest>,
}

impl Checked {
    /// Whether it does not hold, whatever else becomes known of the file.
    pub(super) fn is_refuted(&self) -> bool {
        self.outcome.as_ref().is_err_and(|finding| {
            !matches!(
                finding.code,
                FindingCode::CONTENT_DIGEST_NOT_SUPPLIED | FindingCode::SIGNATURE_NEEDS_FILE
            )
        })
    }
}

impl Run<'_> {
    /// What holds, if the signature does; else a finding.
    pub(super) fn inspect_signature(&mut self) -> Option<Holds> {
        let is_message = matches!(self.bundle.content, Content::MessageSignature { .. });
        if is_message && self.artifact.first_octets().is_none() {
            self.findings.push(FindingCode::SIGNATURE_KIND_UNKNOWN.into());
        }
        let outcome = self.checked_signature().outcome;
        let digest = outcome.map_err(|finding| self.findings.push(finding)).ok()?;
        Some(Holds { digest })
    }

    /// Checks the signature, unless that was done for the same file.
    pub(super) fn checked_signature(&self) -> Checked {
        let file = self.as_known();
        match &self.known_signature {
            Some(known) if known.file == file => known.clone(),
            _ => {
                let outcome = self.verify_signature(&file);
                Checked { file, outcome }
            }
        }
    }

    fn as_known(&self) -> AsKnown {
        let (is_message, digest) = match &self.bundle.content {
            Content::MessageSignature { digest, .. } => (true, digest.as_ref()),
            Content::Envelope(_) => (false, None),
        };
        let first_octets = self.artifact.first_octets().filter(|_| is_message);
        let is_of_file =
            is_message && (digest.is_none() || self.key.algorithm == KeyAlgorithm::Ed25519);
        let artifact = Some(self.artifact).filter(|_| is_of_file);
        AsKnown {
            begins_like_envelope: first_octets
                .is_some_and(|octets| octets.starts_with(ENVELOPE_BEGINNING)),
            digests: artifact.map(|artifact| artifact.digests.to_vec()).unwrap_or_default(),
            content: artifact.and_then(|artifact| artifact.content).map(<[u8]>::len),
        }
    }

    fn verify_signature(&self, file: &AsKnown) -> Result<Option<Digest>, Finding> {
        // A key that signs files and statements signs the same octets for a statement as for a file that
        // begins like one. Without the file, nobody can tell which of the two was meant.
        if file.begins_like_envelope {
            return Err(Finding::new(FindingCode::SIGNATURE_OF_STATEMENT)
                .expected("a file")
                .found("octets that begin with DSSEv1, as those of a signed statement do"));
        }
        if !self.key.algorithm.is_acceptable() {
            return Err(Finding::new(FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED)
                .about("the signer's key")
                .expected(KeyAlgorithm::ACCEPTABLE)
                .found(crate::x509::algorithm::key_text(&self.key)));
        }
        match &self.bundle.content {
            Content::MessageSignature { digest: Some(digest), signature } => {
                self.verify_digest(digest, signature).map(|()| None)
            }
            Content::MessageSignature { digest: None, signature } => {
                self.verify_artifact(signature).map(Some)
            }
            Content::Envelope(envelope) => self.verify_envelope(envelope).map(|()| None),
        }
    }

    fn verify_digest(&self, digest: &Digest, signature: &[u8]) -> Result<(), Finding> {
        let key = self.key;
        if key.algorithm == KeyAlgorithm::Ed25519 {
            return self.verify_content(digest, signature);
        }
        let crypto = &*self.context.crypto;
        let holds = schemes(key.algorithm, Some(digest.algorithm())).into_iter().any(|scheme| {
            crypto.verify_digest(scheme, key.bits, digest, signature)
                == Ok::<(), SignatureFault>(())
        });
        if holds { Ok(()) } else { Err(self.mismatch()) }
    }

    /// Ed25519 signs the message itself (RFC 8032 §5.1.6). The octets must be those that the digest
    /// is of, so that what is compared with the digest is what was signed.
    fn verify_content(&self, digest: &Digest, signature: &[u8]) -> Result<(), Finding> {
        let needs_file = || {
            let limit = limits::SIGNED_CONTENT_BYTES / (1024 * 1024);
            Finding::new(FindingCode::SIGNATURE_NEEDS_FILE)
                .expected(format!("the file itself, of at most {limit} MiB"))
        };
        let artifact = self.artifact;
        let content = match artifact.content {
            Some(content) if content.len() <= limits::SIGNED_CONTENT_BYTES => content,
            Some(content) => return Err(needs_file().found(format!("{} bytes", content.len()))),
            None => {
                return Err(match artifact.size {
                    Some(size) => needs_file().found(format!("its digest; it has {size} bytes")),
                    None => needs_file().found("its digest"),
                });
            }
        };
        let (key, crypto) = (self.key, &*self.context.crypto);
        if crate::digest::digest(crypto, digest.algorithm(), content) != *digest {
            return Err(needs_file().found("another file than the bundle is about"));
        }
        crypto
            .verification_algorithm(SignatureScheme::Ed25519)
            .verify_signature(key.bits, content, signature)
            .map_err(|_| self.mismatch())
    }

    /// Without a digest in the bundle, any digest of the artifact that the caller has: which.
    fn verify_artifact(&self, signature: &[u8]) -> Result<Digest, Finding> {
        let digests = self.artifact.digests;
        if self.key.algorithm == KeyAlgorithm::Ed25519
            && let Some(first) = digests.first()
        {
            return self.verify_content(first, signature).map(|()| first.clone());
        }
        for digest in digests {
            if self.verify_digest(digest, signature).is_ok() {
                return Ok(digest.clone());
            }
        }
        // It may have been made over a digest that was not given.
        let given = |wanted| digests.iter().any(|digest| digest.algorithm() == wanted);
        let mut wanted = schemes(self.key.algorithm, None)
            .into_iter()
            .filter_map(SignatureScheme::hash_algorithm);
        match wanted.find(|wanted| !given(*wanted)) {
            Some(wanted) => Err(Finding::new(FindingCode::CONTENT_DIGEST_NOT_SUPPLIED)
                .expected(format!("a {wanted} digest"))),
            None => Err(self.mismatch()),
        }
    }

    fn verify_envelope(&self, envelope: &Envelope) -> Result<(), Finding> {
        let key = self.key;
        let message = envelope.signed_octets();
        let holds = schemes(key.algorithm, None).into_iter().any(|scheme| {
            let crypto = &self.context.crypto;
            crypto.verify(scheme, key.bits, &message, &envelope.signature).is_ok()
        });
        if holds { Ok(()) } else { Err(self.mismatch()) }
    }

    fn mismatch(&self) -> Finding {
        let key = self.key.algorithm.name();
        let expected = match self.leaf {
            Some(_) => format!("a signature by the certificate's {key} key"),
            None => format!("a signature by the {key} key that was given"),
        };
        Finding::new(FindingCode::SIGNATURE_MISMATCH).expected(expected).found("another signature")
    }
}

/// The schemes that a key of that kind may have signed an artifact with: its own hash first. A
/// bundle does not say which, but for the digest's algorithm.
fn schemes(key: KeyAlgorithm, hash: Option<HashAlgorithm>) -> Vec<SignatureScheme> {
    use SignatureScheme as S;
    let candidates: &[SignatureScheme] = match key {
        KeyAlgorithm::P256 => &[S::EcdsaP256Sha256, S::EcdsaP256Sha384, S::EcdsaP256Sha512],
        KeyAlgorithm::P384 => &[S::EcdsaP384Sha384, S::EcdsaP384Sha256, S::EcdsaP384Sha512],
        KeyAlgorithm::P521 => &[S::EcdsaP521Sha512, S::EcdsaP521Sha384, S::EcdsaP521Sha256],
        KeyAlgorithm::Ed25519 => &[S::Ed25519],
        KeyAlgorithm::Rsa { .. } => &[
            S::RsaPkcs1Sha256,
            S::RsaPssSha256,
            S::RsaPkcs1Sha384,
            S::RsaPssSha384,
            S::RsaPkcs1Sha512,
            S::RsaPssSha512,
        ],
        KeyAlgorithm::Unsupported => &[],
    };
    let fits = |scheme: &SignatureScheme| {
        hash.is_none_or(|hash| scheme.hash_algorithm().is_none_or(|own| own == hash))
    };
    candidates.iter().copied().filter(fits).collect()
}
