//! Bundles without a certificate, verified by a key that was given: cosign's own, and ours with one
//! thing wrong each.

use countersign_core::{
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    finding::FindingCode,
    policy::Policy,
    report::{Outcome, Question, Report, Verdict},
    trust::TrustRoot,
};
use countersign_tests::{
    corpus::{
        Case,
        keys::{self, hint, managed_case, managed_key},
    },
    forge::{NOW, Release},
};

/// The case of that name, verified by both fillers.
#[track_caller]
fn of(name: &str) -> Report {
    let case = keys::cases().into_iter().find(|case| case.name == name);
    verify(&case.expect("a case of that name"))
}

#[track_caller]
fn verify(case: &Case) -> Report {
    let native = case.verify(&AwsLc);
    assert_eq!(native, case.verify(&RustCrypto), "{}: rustcrypto differs", case.name);
    native
}

#[track_caller]
fn assert_code(name: &str, code: FindingCode) {
    let report = of(name);
    let decisive = report.decisive().map(|finding| finding.code);
    assert_eq!(decisive, Some(code), "{name}: {:#?}", report.findings());
    assert_ne!(report.verdict(), Verdict::Verified);
}

fn outcome(report: &Report, question: Question) -> Outcome {
    report.checks.iter().find(|check| check.question == question).expect("an answer").outcome
}

#[test]
fn cosigns_own_bundle_verifies_by_its_key() {
    let report = verify(&managed_case());
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    // The corpus has its digest alone, and the timestamp authority publishes no revocation.
    let codes: Vec<FindingCode> = report.findings().iter().map(|each| each.code).collect();
    assert_eq!(codes, [FindingCode::SIGNATURE_KIND_UNKNOWN, FindingCode::REVOCATION_NOT_REQUIRED]);
    let signer = report.signer.as_ref().expect("a signer");
    assert!(signer.chain.is_empty() && signer.oidc_issuer.is_none());
    let key = signer.key.as_ref().expect("a key");
    assert_eq!(key.algorithm, "P-256");
    assert_eq!(
        key.fingerprint,
        "sha256:4cb32c4837c6dda8cfb1681efb3fef5f94ffce5b979e6bdb9139302c857af139"
    );
    assert_eq!(key.hint.as_deref(), Some(hint(&managed_key()).as_str()));
    assert_eq!(signer.identity, format!("key {}", key.fingerprint));
    // A key never expires, so its policy asks for no time, and the one that the log promised counts for nothing.
    assert_eq!(outcome(&report, Question::WhenSigned), Outcome::NotRequired);
    assert_eq!(outcome(&report, Question::StillTrusted), Outcome::NotRequired);
    assert_eq!(outcome(&report, Question::PubliclyLogged), Outcome::Passed);
}

#[test]
fn the_key_is_policy_enough_for_whoever_gives_it() {
    let case = managed_case();
    let key = managed_key();
    let evidence = countersign_core::Evidence {
        artifact: countersign_core::Artifact { digests: &case.digests, ..Default::default() },
        bundle: &case.bundle,
        key: Some(&key),
        ..Default::default()
    };
    // Without a trust root too: then logs and authorities are nobody's, which is noted.
    for root in [TrustRoot::decode(&case.trusted_root).expect("a trust root"), TrustRoot::default()]
    {
        let logged = !root.logs.is_empty();
        let policy = Policy::for_given_key();
        let report = countersign_core::verify(&evidence, &root, &policy, &AwsLc, case.now);
        assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
        let noted = report.findings().iter().any(|each| each.code == FindingCode::LOG_NOT_CHECKED);
        assert_eq!(noted, !logged);
    }
    // And no certificate's.
    let release = Release::new();
    let (bundle, digests) = (release.bundle(), Release::digests());
    let evidence = countersign_core::Evidence {
        artifact: countersign_core::Artifact { digests: &digests, ..Default::default() },
        bundle: &bundle,
        ..Default::default()
    };
    let policy = Policy::for_given_key();
    let report = countersign_core::verify(&evidence, &release.trust(), &policy, &AwsLc, NOW);
    assert_ne!(report.verdict(), Verdict::Verified);
    assert!(report.findings().iter().any(|each| each.code == FindingCode::POLICY_NO_SIGNER));
}

#[test]
fn a_private_bundle_verifies_by_its_key_and_its_log_entry() {
    let report = of("key-genuine");
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert_eq!(report.timestamps.len(), 1);
    assert_eq!(outcome(&report, Question::PubliclyLogged), Outcome::Passed);
    let hintless = of("key-no-hint");
    assert_eq!(hintless.verdict(), Verdict::Verified);
    assert_eq!(hintless.signer.and_then(|signer| signer.key).and_then(|key| key.hint), None);
}

#[test]
fn a_hint_is_but_a_hint_and_noted_where_it_is_not_the_keys() {
    let report = of("key-other-hint");
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    let noted = report.findings().iter().find(|each| each.code == FindingCode::KEY_HINT_DIFFERS);
    assert_eq!(noted.and_then(|note| note.found.as_deref()), Some("the release key"));
}

#[test]
fn says_which_key_is_wanted_when_none_is_given() {
    assert_code("key-not-given", FindingCode::KEY_NOT_GIVEN);
    let report = of("key-not-given");
    assert_eq!(report.exit_code(), 3);
    let wanted = report.decisive().and_then(|finding| finding.expected.as_deref());
    assert!(wanted.is_some_and(|words| words.contains("the bundle calls it")), "{wanted:?}");
}

#[test]
fn refuses_other_keys_and_what_is_no_key() {
    assert_code("key-other", FindingCode::SIGNATURE_MISMATCH);
    assert_code("key-other-kind", FindingCode::SIGNATURE_MISMATCH);
    assert_code("key-weak", FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED);
    assert_code("key-malformed", FindingCode::PUBLIC_KEY_MALFORMED);
    assert_code("key-trailing", FindingCode::PUBLIC_KEY_MALFORMED);
    assert_code("key-not-in-policy", FindingCode::KEY_NOT_ALLOWED);
    assert_code("key-identity-demanded", FindingCode::KEY_NOT_ALLOWED);
    assert_code("key-and-certificate", FindingCode::BUNDLE_MALFORMED);
    assert_code("key-for-certificate", FindingCode::PUBLIC_KEY_NOT_USED);
}

#[test]
fn the_log_entry_must_be_by_that_very_key() {
    assert_code("key-entry-by-certificate", FindingCode::LOG_ENTRY_MISMATCH);
    assert_code("key-entry-by-other-key", FindingCode::LOG_ENTRY_MISMATCH);
    assert_code("key-no-entry", FindingCode::LOG_ENTRY_ABSENT);
}
