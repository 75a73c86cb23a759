//! A verification that is asked what to read and where to look up revocation, as the command line and the page
//! ask it, checks no signature that it would not check for its report alone.

use std::cell::RefCell;

use countersign_core::{
    Artifact, EvidenceSet, Verification,
    crypto::{CheckedSignatures, Remembering},
    digest::HashAlgorithm,
    policy::Policy,
    report::Verdict,
    revocation,
    trust::TrustRoot,
    tsp::TokenForm,
};
use countersign_tests::{
    corpus::{self, Case},
    counting::{Counting, counted},
};
use serde_json::{Value, json};

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
    let (report, checks) = counted(|| {
        let verification = Verification::open(&set, &trust, &policy, &Counting, key, case.now);
        if asked == Asked::Everything {
            for _ in 0..2 {
                let _ = verification.plan(&artifact, &HashAlgorithm::STRONG);
                let _ = verification.sources(&artifact, &crls, &ocsp);
            }
        }
        verification.report(&artifact, &crls, &ocsp)
    });
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

/// What the command line and the page do: they look at each CRL that came for each certificate, and for several
/// files, before the report is asked for.
#[test]
fn a_crl_is_checked_once_for_all_certificates_files_and_the_report() {
    let case = corpus::cases().into_iter().find(|case| case.name == "crl-genuine").expect("a case");
    let trust = TrustRoot::decode(&case.trusted_root).expect("a trust root");
    let policy = Policy::decode(&case.policy).expect("a policy");
    let crls: Vec<&[u8]> = case.crls.iter().map(Vec::as_slice).collect();
    let artifact = Artifact {
        name: case.file_name.as_deref(),
        size: case.size,
        digests: &case.digests,
        ..Artifact::default()
    };
    let (_, alone) = verify(&case, Asked::Report);
    let crypto = Remembering::new(&Counting, RefCell::<CheckedSignatures>::default());
    let file = || {
        let set = EvidenceSet::decode(&case.bundle, TokenForm::Der);
        let verification = Verification::open(&set, &trust, &policy, &crypto, None, case.now);
        let sources = verification.sources(&artifact, &[], &[]);
        for (source, crl) in
            sources.iter().flat_map(|source| crls.iter().map(move |crl| (source, crl)))
        {
            let rules = &policy.revocation;
            let _ = revocation::known(&source.link, (&[crl], &[]), rules, &crypto, case.now);
        }
        assert!(!sources.is_empty());
        verification.report(&artifact, &crls, &[])
    };
    let (first, checks) = counted(file);
    assert_eq!(first.verdict(), Verdict::Verified, "{:#?}", first.findings());
    assert_eq!(checks, alone);
    // The same file again: nothing of it is new.
    let (second, checks) = counted(file);
    assert_eq!(second, first);
    assert_eq!(checks, 0);
}
