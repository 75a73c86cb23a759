//! What provenance must say: real provenance and ours, under policies that expect one thing each.

use countersign_core::{
    crypto::{aws_lc::AwsLc, rustcrypto::RustCrypto},
    finding::FindingCode as F,
    report::{Report, Verdict},
};
use countersign_tests::corpus::{
    Case,
    public_good::{CONDA, COSIGN, NPM, NPM_V02, Published, STAGING_ENVELOPE, changed},
    statements::{EXPECTATIONS, PROVENANCE_V1, PROVENANCE_V02, provenance_case},
};
use serde_json::{Value, json};

#[track_caller]
fn verify(case: &Case) -> Report {
    let native = case.verify(&AwsLc);
    assert_eq!(native, case.verify(&RustCrypto), "{}: rustcrypto differs", case.name);
    native
}

/// The codes of everything that is not a note.
#[track_caller]
fn codes(case: &Case) -> Vec<F> {
    let report = verify(case);
    let codes = report.findings().iter().map(|each| each.code);
    let codes: Vec<F> = codes.filter(|code| code.exit_code() != 0).collect();
    assert_eq!(codes.is_empty(), report.verdict() == Verdict::Verified);
    assert!(codes.iter().all(|code| code.exit_code() == 16), "{codes:?}");
    codes
}

/// The codes of our provenance with one change.
#[track_caller]
fn of(version: &str, from: &str, to: &str) -> Vec<F> {
    let predicate = if version == "v1" { PROVENANCE_V1 } else { PROVENANCE_V02 };
    assert!(predicate.contains(from), "{version} has no {from}");
    codes(&provenance_case("", version, &predicate.replace(from, to), EXPECTATIONS))
}

/// Both versions with one change, which leads to the same codes.
#[track_caller]
fn of_both(from: &str, to: &str) -> Vec<F> {
    let codes = of("v1", from, to);
    assert_eq!(codes, of("v0.2", from, to), "v0.2 differs");
    codes
}

#[test]
fn what_the_policy_expects_is_found_in_both_versions() {
    assert_eq!(of_both("", ""), []);
}

#[test]
fn each_unexpected_fact_has_a_code_of_its_own() {
    assert_eq!(of_both("actions/runner/", "actions/other/"), [F::PROVENANCE_BUILDER]);
    let source = [F::PROVENANCE_SOURCE];
    assert_eq!(of_both("org/app", "stranger/app"), source);
    assert_eq!(of_both("org/app", "org/app2"), source);
    assert_eq!(of_both("github.com/org/app", "github.com.evil.example/org/app"), source);
    assert_eq!(of_both("refs/tags/v1.2", "refs/heads/v1.2"), [F::PROVENANCE_REF]);
    assert_eq!(of_both("refs/tags/v1.2", "refs/tags/v1/2"), [F::PROVENANCE_REF]);
    // Another way to build has its source elsewhere; here the dependencies say it.
    assert_eq!(of("v1", "workflow/v1", "workflow/v2"), [F::PROVENANCE_BUILD_TYPE]);
    assert_eq!(of("v0.2", "cli/gha/v2", "cli/gitlab/v2"), [F::PROVENANCE_BUILD_TYPE]);
}

#[test]
fn everything_that_is_unexpected_is_named() {
    let predicate = PROVENANCE_V1
        .replace("org/app", "stranger/app")
        .replace("refs/tags/v1.2", "refs/heads/main")
        .replace("actions/runner/", "actions/other/");
    let all = codes(&provenance_case("", "v1", &predicate, EXPECTATIONS));
    assert_eq!(all, [F::PROVENANCE_SOURCE, F::PROVENANCE_BUILDER, F::PROVENANCE_REF]);
}

#[test]
fn a_fact_that_is_missing_or_malformed_is_never_a_pass() {
    let missing = [F::PROVENANCE_FIELD_MISSING];
    assert_eq!(of_both(r#""id""#, r#""ID""#), missing);
    assert_eq!(of_both(r#""buildType":"#, r#""type":"#), missing);
    let builder = r#""https://github.com/actions/runner/github-hosted""#;
    assert_eq!(of_both(builder, "null"), missing);
    assert_eq!(of_both(builder, r#""""#), missing);
    for other in ["7", "true", "[]", "{}", &format!("[{builder}]")] {
        assert_eq!(of_both(builder, other), [F::PROVENANCE_FIELD_MALFORMED], "{other}");
    }
    for predicate in ["[]", "7", "null", r#""text""#] {
        for version in ["v1", "v0.2"] {
            let codes = codes(&provenance_case("", version, predicate, EXPECTATIONS));
            assert_eq!(codes, [F::PROVENANCE_FIELD_MALFORMED], "{predicate}");
        }
    }
    let elsewhere = of("v1", r#""workflow":{"#, r#""job":{"#);
    assert_eq!(elsewhere, [F::PROVENANCE_FIELD_MISSING; 2]);
    let number = of("v1", r#""workflow":{"#, r#""workflow":7,"job":{"#);
    assert_eq!(number, [F::PROVENANCE_FIELD_MALFORMED; 2]);
    let without_ref = of("v0.2", "app@refs/tags/v1.2", "app");
    assert_eq!(without_ref, missing);
}

#[test]
fn what_the_policy_does_not_ask_is_not_looked_at() {
    let predicate = PROVENANCE_V1.replace(r#""id""#, r#""ID""#);
    for rule in [r#"{"refs":["refs/tags/*"]}"#, r#"{"sources":["https://github.com/org/*"]}"#] {
        assert_eq!(codes(&provenance_case("", "v1", &predicate, rule)), []);
    }
}

fn expect(case: &mut Case, expectations: &Value) {
    case.policy = changed(&case.policy, |policy| {
        policy["signers"][0]["provenance"] = expectations.clone();
    });
}

/// Real provenance under an expectation.
#[track_caller]
fn real(published: &Published, expectations: &Value) -> Vec<F> {
    let mut case = published.case("");
    expect(&mut case, expectations);
    codes(&case)
}

#[test]
fn another_statement_or_none_meets_no_expectation() {
    let other = provenance_case("", "v9", PROVENANCE_V1, EXPECTATIONS);
    assert_eq!(codes(&other), [F::STATEMENT_PREDICATE]);
    let any_ref = json!({ "refs": ["**"] });
    assert_eq!(real(&COSIGN, &any_ref), [F::STATEMENT_PREDICATE]);
    assert_eq!(real(&CONDA, &any_ref), [F::STATEMENT_PREDICATE]);
}

#[test]
fn one_rule_must_be_met_as_a_whole() {
    let case = provenance_case("", "v1", PROVENANCE_V1, EXPECTATIONS);
    let rules = |rules: &[&Value]| {
        let mut case = case.clone();
        case.policy = changed(&case.policy, |policy| {
            let signer = policy["signers"][0].clone();
            let with = |rule: &&Value| {
                let mut signer = signer.clone();
                signer["provenance"] = (*rule).clone();
                signer
            };
            policy["signers"] = rules.iter().map(with).collect();
        });
        codes(&case)
    };
    let source = json!({ "sources": ["https://github.com/org/app"], "refs": ["refs/heads/main"] });
    let reference = json!({ "sources": ["https://github.com/org/lib"], "refs": ["refs/tags/*"] });
    assert_eq!(rules(&[&source, &reference]), [F::PROVENANCE_REF]);
    assert_eq!(rules(&[&reference, &source]), [F::PROVENANCE_SOURCE]);
    let right = json!({ "sources": ["https://github.com/org/app"], "refs": ["refs/tags/*"] });
    assert_eq!(rules(&[&source, &right]), []);
}

#[test]
fn real_provenance_is_read() {
    let npm = json!({
        "builders": ["https://github.com/actions/runner/github-hosted"],
        "sources": ["https://github.com/sigstore/sigstore-js"],
        "refs": ["refs/heads/main"],
        "build_types": ["https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"],
    });
    assert_eq!(real(&NPM, &npm), []);
    let other = "https://github.com/sigstore/cosign";
    assert_eq!(real(&NPM, &json!({ "sources": [other] })), [F::PROVENANCE_SOURCE]);
    assert_eq!(real(&NPM, &json!({ "refs": ["refs/tags/*"] })), [F::PROVENANCE_REF]);
    assert_eq!(real(&NPM, &json!({ "builders": [other] })), [F::PROVENANCE_BUILDER]);
    assert_eq!(real(&NPM, &json!({ "build_types": [other] })), [F::PROVENANCE_BUILD_TYPE]);

    let old = json!({
        "builders": ["https://github.com/npm/slsa-provenance@0.0.1"],
        "sources": ["https://github.com/github/slsa-provenance"],
        "refs": ["refs/heads/demo"],
        "build_types": ["https://github.com/npm/slsa-provenance/gha@v0"],
    });
    assert_eq!(real(&NPM_V02, &old), []);
    assert_eq!(real(&NPM_V02, &json!({ "refs": ["refs/heads/main"] })), [F::PROVENANCE_REF]);

    // It names no source.
    let bare = json!({ "builders": ["https://github.com/sigstore-conformance/*"] });
    assert_eq!(real(&STAGING_ENVELOPE, &bare), []);
    let source = json!({ "sources": ["https://github.com/sigstore-conformance/**"] });
    assert_eq!(real(&STAGING_ENVELOPE, &source), [F::PROVENANCE_FIELD_MISSING]);
}
