//! A verification that is asked what to read and where to look up revocation, as the command line and the page
//! ask it, checks no signature that it would not check for its report alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::{
    Artifact, EvidenceSet, Verification,
    crypto::{CryptoProvider, SignatureFault, SignatureScheme, aws_lc::AwsLc},
    digest::{Digest, HashAlgorithm, Hasher},
    policy::Policy,
    trust::TrustRoot,
    tsp::TokenForm,
};
use countersign_tests::corpus::{self, Case};
use pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use serde_json::{Value, json};

/// Signature checks of this process; nextest gives each test one.
static CHECKS: AtomicUsize = AtomicUsize::new(0);

/// [`AwsLc`], counted.
#[derive(Debug)]
struct Counting;

#[derive(Debug)]
struct Counted(SignatureScheme);

impl CryptoProvider for Counting {
    fn name(&self) -> &'static str {
        AwsLc.name()
    }

    fn hasher(&self, algorithm: HashAlgorithm) -> Box<dyn Hasher> {
        AwsLc.hasher(algorithm)
    }

    fn verification_algorithm(
        &self,
        scheme: SignatureScheme,
    ) -> &'static dyn SignatureVerificationAlgorithm {
        static ALL: [Counted; SignatureScheme::ALL.len()] = {
            let mut all = [const { Counted(SignatureScheme::Ed25519) }; SignatureScheme::ALL.len()];
            let mut index = 0;
            while index < all.len() {
                all[index] = Counted(SignatureScheme::ALL[index]);
                index += 1;
            }
            all
        };
        ALL.iter().find(|each| each.0 == scheme).expect("every scheme is listed")
    }

    fn verify_digest(
        &self,
        scheme: SignatureScheme,
        public_key: &[u8],
        digest: &Digest,
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        CHECKS.fetch_add(1, Ordering::Relaxed);
        AwsLc.verify_digest(scheme, public_key, digest, signature)
    }
}

impl SignatureVerificationAlgorithm for Counted {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        CHECKS.fetch_add(1, Ordering::Relaxed);
        AwsLc.verification_algorithm(self.0).verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        AwsLc.verification_algorithm(self.0).public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AwsLc.verification_algorithm(self.0).signature_alg_id()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The report alone.
    Report,
    /// What to read and whom to ask, twice, before it.
    Everything,
}

/// The report as text, and how many signatures were checked for it.
fn verify(case: &Case, asked: Asked) -> (String, usize) {
    let trust = TrustRoot::decode(&case.trusted_root).expect("a trust root");
    let policy = Policy::decode(&case.policy).expect("a policy");
    let crls: Vec<&[u8]> = case.crls.iter().map(Vec::as_slice).collect();
    let ocsp: Vec<&[u8]> = case.ocsp.iter().map(Vec::as_slice).collect();
    let artifact = Artifact {
        name: case.file_name.as_deref(),
        size: case.size,
        digests: &case.digests,
        content: case.content.as_deref(),
        ..Artifact::default()
    };
    let set = EvidenceSet::decode(&case.bundle, TokenForm::Der);
    let key = case.key.as_deref();
    let before = CHECKS.load(Ordering::Relaxed);
    let verification = Verification::open(&set, &trust, &policy, &Counting, key, case.now);
    if asked == Asked::Everything {
        for _ in 0..2 {
            let _ = verification.plan(&artifact, &HashAlgorithm::STRONG);
            let _ = verification.sources(&artifact, &[], &[]);
        }
    }
    let report = verification.report(&artifact, &crls, &ocsp);
    let checks = CHECKS.load(Ordering::Relaxed) - before;
    (serde_json::to_string(&report).expect("JSON"), checks)
}

const EXCEPTIONS: [&str; 2] = [
    // More CRLs than are looked at: there is a report without a single check.
    "crl-many",
    // Revocation voids the timestamp, so the report judges the certificate as of another time.
    "crl-timestamp-authority",
];

#[test]
fn no_signature_is_checked_twice_for_what_is_asked_before_the_report() {
    let mut checked = 0;
    for case in corpus::cases() {
        let (report, alone) = verify(&case, Asked::Report);
        let (again, together) = verify(&case, Asked::Everything);
        assert_eq!(report, again, "{}", case.name);
        if !EXCEPTIONS.contains(&case.name.as_str()) {
            assert_eq!(together, alone, "{}", case.name);
        }
        checked += alone;
    }
    assert!(checked > 500, "{checked} signatures");
}

#[test]
fn no_log_entry_is_checked_that_the_policy_does_not_ask_for() {
    let mut case =
        corpus::cases().into_iter().find(|case| case.name == "log-v1-genuine").expect("a case");
    let (_, asked) = verify(&case, Asked::Report);
    let mut policy: Value = serde_json::from_slice(&case.policy).expect("JSON");
    policy["transparency"] = json!("off");
    case.policy = policy.to_string().into_bytes();
    let (report, off) = verify(&case, Asked::Report);
    assert!(report.contains("transparency.not-checked"), "{report}");
    // The promise and the checkpoint are signed.
    assert_eq!(asked - off, 2);
}
