//! One verification, step by step: JavaScript fetches and hashes between the steps.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::cell::{OnceCell, RefCell};

use base64ct::{Base64, Encoding};
use countersign_core::{
    Artifact, EvidenceSet, Keep, Plan, RevocationSource, Verification as Opened,
    crypto::{CheckedSignatures, Remembering, rustcrypto::RustCrypto},
    digest::{Digest, HashAlgorithm, digest},
    finding::{Finding, FindingCode, quoted},
    limits,
    pem::{self, Kind, PemFault},
    policy::{Names, Policy},
    report::{ArtifactSummary, Report},
    revocation,
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TokenForm,
    x509::{Certificate, LinkOctets},
};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::crl::Question;

/// Cryptography that remembers which signatures hold: a CRL is looked at when it arrives, and again for the report.
pub(crate) type Crypto = Remembering<'static, RefCell<CheckedSignatures>, RustCrypto>;

/// Everything that one verification is made from; untrusted, all of it.
#[wasm_bindgen]
pub struct Verification {
    terms: Terms,
    /// Opened when it is first asked for anything, so that what it verifies is verified once.
    opened: OnceCell<Result<Opened<'static>, Finding>>,
    name: Option<String>,
    offered_as: Option<String>,
    size: Option<u64>,
    digests: Vec<Digest>,
    content: Option<Vec<u8>>,
    beginning: Option<Vec<u8>>,
    /// How much of the file was handed in, kept or not.
    content_size: usize,
    crls: Vec<Vec<u8>>,
    ocsp_responses: Vec<Vec<u8>>,
    /// The links whose revocation sources were named so far, each once.
    links: RefCell<Vec<LinkOctets>>,
    /// What cannot be used of what was handed in.
    fault: Option<Finding>,
}

/// What a verification is opened with.
#[derive(Clone, Debug)]
struct Terms {
    bundles: EvidenceSet,
    trust: Result<TrustRoot, Finding>,
    policy: Result<Policy, Finding>,
    key: Option<Vec<u8>>,
    now: UnixSeconds,
    crypto: &'static Crypto,
}

impl Terms {
    /// Opens the verification.
    ///
    /// Its terms stay in memory as long as this instance of the module: each check has an instance of its
    /// own (`web/src/verify/engine.ts`), and the memory ends with it.
    ///
    /// # Errors
    /// Trust root or policy cannot be read.
    fn open(&self) -> Result<Opened<'static>, Finding> {
        let Self { bundles, trust, policy, key, now, crypto } = &*Box::leak(Box::new(self.clone()));
        let trust = trust.as_ref().map_err(Clone::clone)?;
        let policy = policy.as_ref().map_err(Clone::clone)?;
        Ok(Opened::open(bundles, trust, policy, *crypto, key.as_deref(), *now))
    }
}

/// What to do with the artifact before it is judged.
#[derive(Serialize)]
struct Reading {
    /// The digests to compute; empty when the file need not be read: bundle, trust root or policy
    /// cannot be, or the download did not finish. The report will say it.
    algorithms: Vec<&'static str>,
    /// The published size in bytes, for showing.
    size: Option<u64>,
    /// Whether the file itself is wanted beside its digests (`addContent`).
    content: bool,
}

/// Where the revocation of one certificate can be looked up.
#[derive(Serialize)]
struct Source {
    subject: &'static str,
    /// Whether the policy demands that it is known.
    required: bool,
    /// Whether what was handed in so far says something authentic and recent of it, so that nobody
    /// need be asked.
    covered: bool,
    crl_urls: Vec<String>,
    ocsp_urls: Vec<String>,
    /// The certificate, DER in Base64.
    certificate: String,
    /// The SHA-256 digest of the issuer's public key, in hex. It stays the same if the issuer has
    /// several certificates.
    issuer_key: String,
    /// An OCSP request, DER in Base64.
    ocsp_request: String,
}

#[wasm_bindgen]
impl Verification {
    /// The bundle, the trust root and the policy, each as JSON in UTF-8, and the time in seconds
    /// since 1970. The report says what cannot be read.
    #[wasm_bindgen(constructor)]
    pub fn new(bundle: &[u8], trust: &[u8], policy: &[u8], now_seconds: f64) -> Self {
        Self {
            terms: Terms {
                bundles: EvidenceSet::decode(bundle, TokenForm::Der),
                trust: TrustRoot::decode(trust),
                policy: Policy::decode(policy),
                key: None,
                now: seconds_of(now_seconds),
                crypto: Box::leak(Box::new(Remembering::new(&RustCrypto, RefCell::default()))),
            },
            opened: OnceCell::new(),
            name: None,
            offered_as: None,
            size: None,
            digests: Vec::new(),
            content: None,
            beginning: None,
            content_size: 0,
            crls: Vec::new(),
            ocsp_responses: Vec::new(),
            links: RefCell::default(),
            fault: None,
        }
    }

    /// The file's name without folders, and its size in bytes, as far as they are known.
    #[wasm_bindgen(js_name = setArtifact)]
    pub fn set_artifact(&mut self, name: Option<String>, size_bytes: Option<f64>) {
        self.name = name;
        self.size = size_bytes.and_then(size_of);
    }

    /// The name under which the file was offered, which must be the one that was signed.
    #[wasm_bindgen(js_name = setOfferedAs)]
    pub fn set_offered_as(&mut self, name: String) {
        self.offered_as = Some(name);
    }

    /// Adds a digest of the file, `sha384:HEX`; whether it is one.
    #[wasm_bindgen(js_name = addDigest)]
    pub fn add_digest(&mut self, digest: &str) -> bool {
        let digest = Digest::parse(digest);
        self.digests.extend(digest.clone());
        digest.is_some()
    }

    /// Sets the file's first octets, at least seven of them or all that there are.
    #[wasm_bindgen(js_name = setBeginning)]
    pub fn set_beginning(&mut self, octets: Vec<u8>) {
        self.beginning = Some(octets);
    }

    /// Has a file rejected that carries another name than the one under which it was signed, if the
    /// policy does not say what becomes of it.
    #[wasm_bindgen(js_name = preferExactNames)]
    pub fn prefer_exact_names(&mut self) {
        if let Ok(policy) = &mut self.terms.policy {
            policy.names.get_or_insert(Names::Exact);
            self.opened.take();
        }
    }

    /// Adds the next octets of the file itself, if the plan wants them. Beyond what a signature
    /// is checked over, all of them are given up.
    #[wasm_bindgen(js_name = addContent)]
    pub fn add_content(&mut self, octets: &[u8]) {
        let held = self.content.take().unwrap_or_default();
        self.content_size = self.content_size.saturating_add(octets.len());
        if self.content_size <= limits::SIGNED_CONTENT_BYTES {
            let mut content = held;
            content.extend_from_slice(octets);
            self.content = Some(content);
        }
    }

    /// Adds a CRL, DER, or all of a PEM file. The report names a file that cannot be read.
    #[wasm_bindgen(js_name = addCrl)]
    pub fn add_crl(&mut self, file: Vec<u8>) {
        match pem::objects(file, Kind::Crl) {
            Ok(crls) => self.crls.extend(crls),
            Err(fault) => self.refuse(FindingCode::INPUT_MALFORMED, "CRL", &fault),
        }
    }

    /// Adds an OCSP response, DER.
    #[wasm_bindgen(js_name = addOcspResponse)]
    pub fn add_ocsp_response(&mut self, response: Vec<u8>) {
        self.ocsp_responses.push(response);
    }

    /// Sets the public key that must have signed, `SubjectPublicKeyInfo` as DER or PEM, if the
    /// bundle has no certificate. The report names a file that cannot be read.
    #[wasm_bindgen(js_name = setKey)]
    pub fn set_key(&mut self, file: Vec<u8>) {
        match pem::object(file, Kind::PublicKey) {
            Ok(key) => {
                self.terms.key = Some(key);
                self.opened.take();
            }
            Err(fault) => self.refuse(FindingCode::PUBLIC_KEY_MALFORMED, "public key", &fault),
        }
    }

    /// What to compute of the artifact, as JSON text: `{"algorithms": ["sha384"], "size": 123}`.
    pub fn plan(&self) -> String {
        text_of(&self.planned())
    }

    /// The certificates whose revocation matters, and where it can be looked up, as JSON text: a
    /// list, the signer's certificate first.
    /// Addresses are named only of certificates that chain to the trust root.
    #[wasm_bindgen(js_name = revocationSources)]
    pub fn revocation_sources(&self) -> String {
        text_of(&self.sources())
    }

    /// The CRL at that place among those that were handed in, DER: each block of a PEM file has a
    /// place of its own. `None` behind the last one, and behind the last that would be looked at.
    #[wasm_bindgen(js_name = crlAt)]
    pub fn crl_at(&self, index: usize) -> Option<Vec<u8>> {
        self.crls.get(index).filter(|_| index < limits::CRLS).cloned()
    }

    /// Takes the CRL at that place away again: it is older than one that was seen before.
    #[wasm_bindgen(js_name = removeCrl)]
    pub fn remove_crl(&mut self, index: usize) {
        if index < self.crls.len() {
            self.crls.remove(index);
        }
    }

    /// What one CRL (DER or PEM), which need not have been handed in, says of a certificate (DER)
    /// that `revocationSources` named, as JSON text:
    /// `{"answers": true, "fresh": true, "this_update": 1, "number": "Cg==", "revokes": false,
    /// "next_update": 2}`. `None` if `file` is no CRL, or the certificate is another.
    #[wasm_bindgen(js_name = crlFacts)]
    pub fn crl_facts(&self, file: Vec<u8>, certificate: &[u8]) -> Option<String> {
        let rules = &self.terms.policy.as_ref().ok()?.revocation;
        let links = self.links.borrow();
        let link = links.iter().find(|link| link.certificate() == certificate)?;
        let Terms { now, crypto, .. } = self.terms;
        Question { link, rules, now, crypto }.facts_of(file)
    }

    /// Verifies; the report as JSON text (`docs/report.schema.json`).
    pub fn report(&self) -> String {
        text_of(&self.verified())
    }
}

impl Verification {
    /// The first fault is the one that is reported.
    fn refuse(&mut self, code: FindingCode, what: &str, fault: &PemFault) {
        let finding = Finding::new(code).about(fault.place(what));
        self.fault.get_or_insert(finding.found(format!("{}", fault.reason)));
    }

    /// # Errors
    /// Trust root or policy cannot be read.
    fn opened(&self) -> Result<&Opened<'static>, &Finding> {
        self.opened.get_or_init(|| self.terms.open()).as_ref()
    }

    fn planned(&self) -> Reading {
        let nothing = Reading { algorithms: Vec::new(), size: None, content: false };
        let (Ok(opened), None) = (self.opened(), &self.fault) else { return nothing };
        match opened.plan(&self.artifact(), &FASTEST_FIRST) {
            Plan::Read { algorithms, published_size, keep } => Reading {
                algorithms: algorithms.into_iter().map(HashAlgorithm::name).collect(),
                size: published_size,
                content: keep == Keep::Content,
            },
            Plan::Decided(_) => nothing,
        }
    }

    fn sources(&self) -> Vec<Source> {
        let Ok(opened) = self.opened() else { return Vec::new() };
        let (crls, ocsp_responses) = self.revocation_evidence();
        let sources = opened.sources(&self.artifact(), &crls, &ocsp_responses);
        let mut links = self.links.borrow_mut();
        for source in &sources {
            if !links.contains(&source.link) {
                links.push(source.link.clone());
            }
        }
        sources.into_iter().map(described).collect()
    }

    fn revocation_evidence(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        (
            self.crls.iter().map(Vec::as_slice).collect(),
            self.ocsp_responses.iter().map(Vec::as_slice).collect(),
        )
    }

    fn verified(&self) -> Report {
        let opened = match (self.opened(), &self.fault) {
            (Ok(opened), None) => opened,
            (Err(finding), _) | (Ok(_), Some(finding)) => {
                return Report::of_fault(finding.clone(), self.summary(), self.terms.now);
            }
        };
        let (crls, ocsp_responses) = self.revocation_evidence();
        opened.report(&self.artifact(), &crls, &ocsp_responses)
    }

    fn artifact(&self) -> Artifact<'_> {
        Artifact {
            name: self.name.as_deref(),
            offered_as: self.offered_as.as_deref(),
            size: self.size,
            digests: &self.digests,
            content: self.content.as_deref(),
            beginning: self.beginning.as_deref(),
            ..Artifact::default()
        }
    }

    fn summary(&self) -> ArtifactSummary {
        ArtifactSummary {
            name: self.name.clone().map(quoted),
            size: self.size,
            digests: self.digests.iter().map(|digest| format!("{digest}")).collect(),
        }
    }
}

/// SHA-384 and SHA-512 take 64-bit steps, which WebAssembly has, and SHA-256 the processor's help,
/// which it has not.
const FASTEST_FIRST: [HashAlgorithm; 3] =
    [HashAlgorithm::Sha384, HashAlgorithm::Sha512, HashAlgorithm::Sha256];

fn described(source: RevocationSource) -> Source {
    Source {
        subject: subject_name(source.subject),
        required: source.is_required,
        covered: source.is_covered,
        ocsp_request: Base64::encode_string(&source.ocsp_request),
        certificate: Base64::encode_string(source.link.certificate()),
        issuer_key: key_digest(source.link.issuer()),
        crl_urls: source.crl_urls,
        ocsp_urls: source.ocsp_urls,
    }
}

/// The SHA-256 digest of a certificate's public key, in hex.
fn key_digest(certificate: &[u8]) -> String {
    let key = Certificate::decode(certificate).map(|certificate| certificate.public_key.raw);
    digest(&RustCrypto, HashAlgorithm::Sha256, key.unwrap_or_default()).hex()
}

fn subject_name(subject: revocation::Subject) -> &'static str {
    match subject {
        revocation::Subject::Signer => "signer",
        revocation::Subject::Authority => "authority",
        revocation::Subject::TimestampAuthority => "timestamp-authority",
    }
}

/// JSON text; the values are ours, and writing to memory does not fail.
pub(crate) fn text_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// JavaScript's number as a time; what is no number becomes 1970, which the core refuses.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and NaN becomes zero")]
pub(crate) fn seconds_of(number: f64) -> UnixSeconds {
    UnixSeconds::new(number as i64)
}

/// JavaScript's number as a size; `None` if it is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be finite and not negative, and `as` saturates"
)]
pub(crate) fn size_of(number: f64) -> Option<u64> {
    (number.is_finite() && number >= 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strong_algorithm_has_a_place_among_the_fastest() {
        assert_eq!(FASTEST_FIRST.len(), HashAlgorithm::STRONG.len());
        assert!(HashAlgorithm::STRONG.iter().all(|each| FASTEST_FIRST.contains(each)));
    }
}
