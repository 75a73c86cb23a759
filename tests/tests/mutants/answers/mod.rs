//! What a report answers to each question, and from what: nothing that was not proven.

mod contents;
mod entries;
mod signers;
mod standing;
mod times;

use countersign_core::{
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    finding::FindingCode,
    report::{Outcome, Question, Report, Verdict},
    time::{EARLIEST_SANE_NOW, UnixSeconds},
};
use countersign_tests::{
    corpus::{Case, keys, public_good::changed},
    forge::{CrlDraft, ForgeKey, IDENTITY, NOW, Release},
};
use serde_json::json;

use FindingCode as F;
use Question as Q;

/// No timestamp is demanded.
const UNSTAMPED: &str = r#","timestamps":{"required":0}"#;

/// The policy with these further members.
fn policy(rules: &str) -> Vec<u8> {
    format!(r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}]{rules}}}"#)
        .into_bytes()
}

/// What one file of a release is verified by.
fn case(release: &Release, bundle: Vec<u8>, rules: &str) -> Case {
    let list = CrlDraft::new(&release.signing.authority.subject);
    Case {
        name: "answers".to_owned(),
        bundle,
        trusted_root: release.trusted_root().to_string().into_bytes(),
        policy: policy(rules),
        file_name: Some("app".to_owned()),
        size: Some(Release::FILE.len() as u64),
        digests: Release::digests(),
        content: None,
        crls: vec![list.sign(&release.signing.authority_key)],
        ocsp: Vec::new(),
        key: None,
        now: NOW,
    }
}

fn genuine(rules: &str) -> Case {
    let release = Release::new();
    case(&release, release.bundle(), rules)
}

/// The bundle without a timestamp.
fn unstamped(release: &Release) -> Vec<u8> {
    release.bundle_with(&release.signature(&release.signing.leaf_key), &[])
}

#[track_caller]
fn verify(case: &Case) -> Report {
    let native = case.verify(&AwsLc);
    assert_eq!(native, case.verify(&RustCrypto), "rustcrypto differs");
    native
}

#[track_caller]
fn codes(case: &Case) -> Vec<FindingCode> {
    verify(case).findings().iter().map(|each| each.code).collect()
}

#[track_caller]
fn answer(report: &Report, question: Question) -> (Outcome, &str) {
    let check = report.checks.iter().find(|check| check.question == question);
    let check = check.expect("every question is answered");
    (check.outcome, &check.answer)
}

#[test]
fn answers_every_question_of_a_genuine_file() {
    let report = verify(&genuine(""));
    assert_eq!(report.verdict(), Verdict::Verified);
    let at = |time: UnixSeconds| time.to_string();
    let stamped = format!("No later than {}, according to ", at(Release::SIGNED));
    let as_of = format!("Yes, as of {}.", at(NOW.minus_seconds(3_600)));
    let same = "Yes. Its SHA-384 is the one that was signed.";
    assert_eq!(answer(&report, Q::SameFile), (Outcome::Passed, same));
    assert_eq!(answer(&report, Q::WhoSigned), (Outcome::Passed, "release@example.com."));
    let (outcome, words) = answer(&report, Q::WhenSigned);
    assert!(outcome == Outcome::Passed && words.starts_with(&stamped), "{words}");
    assert_eq!(answer(&report, Q::StillTrusted), (Outcome::Passed, as_of.as_str()));
    let unlogged = (Outcome::NotRequired, "The policy does not require it.");
    assert_eq!(answer(&report, Q::PubliclyLogged), unlogged);
    assert_eq!(report.artifact.name.as_deref(), Some("app"));
    assert_eq!(report.artifact.size, Some(Release::FILE.len() as u64));
    let digests: Vec<String> = Release::digests().iter().map(ToString::to_string).collect();
    assert_eq!(report.artifact.digests, digests);
}

#[test]
fn trouble_with_one_question_leaves_the_answers_to_the_others() {
    let mut case = genuine("");
    case.policy = changed(&case.policy, |policy| {
        policy["signers"][0]["identities"] = json!(["another@example.com"]);
    });
    let report = verify(&case);
    assert_eq!(report.decisive().map(|each| each.code), Some(F::CERTIFICATE_UNEXPECTED_IDENTITY));
    assert_eq!(answer(&report, Q::WhoSigned).0, Outcome::Failed);
    for question in [Q::SameFile, Q::WhenSigned, Q::StillTrusted] {
        assert_eq!(answer(&report, question).0, Outcome::Passed, "{question:?}");
    }
}

#[test]
fn says_whether_revocation_was_not_asked_for_or_not_possible() {
    let off = r#","revocation":{"signer":"off","authorities":"off","timestamp_authorities":"off"}"#;
    let not_asked = "Revocation was not checked; the policy does not require it.";
    let report = verify(&genuine(off));
    assert_eq!(report.verdict(), Verdict::Verified);
    assert_eq!(answer(&report, Q::StillTrusted), (Outcome::NotRequired, not_asked));
    // Nobody is proven to have signed: there is nobody of whom that could be said.
    let release = Release::new();
    let strangers = release.signature(&ForgeKey::p384("a stranger"));
    let bundle = release.bundle_with(&strangers, &[release.timestamp(&strangers)]);
    let report = verify(&case(&release, bundle, off));
    assert_eq!(report.signer, None);
    assert_ne!(answer(&report, Q::StillTrusted).1, not_asked);
    // A key that was given has no certificate.
    let report = verify(&keys::private_case());
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    let given = "You gave the key, so there is no certificate that could be revoked.";
    assert_eq!(answer(&report, Q::StillTrusted), (Outcome::NotRequired, given));
}

#[test]
fn refuses_a_clock_before_its_own_time() {
    let at = |now: UnixSeconds| {
        let case = Case { now, ..genuine("") };
        codes(&case).contains(&F::CLOCK_WRONG)
    };
    assert!(at(UnixSeconds::new(0)));
    assert!(at(EARLIEST_SANE_NOW.minus_seconds(1)));
    assert!(!at(EARLIEST_SANE_NOW));
}
