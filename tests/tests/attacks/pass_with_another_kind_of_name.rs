//! A stranger chooses a name that the policy's pattern matches although it was written for names of another
//! kind: a branch called `x@example.com` makes a URI that ends like an e-mail address.

use countersign_core::{
    Artifact, Evidence,
    crypto::aws_lc::AwsLc,
    finding::FindingCode,
    oid,
    policy::Policy,
    report::{Report, Verdict},
    verify,
};
use countersign_signing::der::{self, Criticality};
use countersign_tests::forge::{Chain, ExtensionDraft, NOW, Release};

/// Tags of a `GeneralName` (RFC 5280 §4.2.1.6).
const EMAIL: u8 = 1;
const DNS: u8 = 2;
const URI: u8 = 6;

const STRANGER: &str = "https://git.example/attacker/app/.ci/build.yml@refs/heads/x@example.com";

/// The report on a file that somebody of that name signed, under a policy for that pattern.
fn report((kind, name): (u8, &str), pattern: &str) -> Report {
    let mut release = Release::new();
    let mut chain = Chain::code_signing();
    let names = der::sequence(&[&der::implicit(kind, name.as_bytes())]);
    let names = ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, Criticality::NonCritical, names);
    chain.leaf = chain.leaf.with(names);
    release.signing = chain;
    let policy = format!(
        r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{pattern}"]}}],
            "revocation":{{"signer":"off"}}}}"#
    );
    let policy = Policy::decode(policy.as_bytes()).expect("a policy");
    let (bundle, digests) = (release.bundle(), Release::digests());
    let artifact = Artifact { digests: &digests, ..Artifact::default() };
    let evidence = Evidence { artifact, bundle: &bundle, ..Evidence::default() };
    verify(&evidence, &release.trust(), &policy, &AwsLc, NOW)
}

fn is_let_in(name: (u8, &str), pattern: &str) -> bool {
    let report = report(name, pattern);
    if report.verdict() == Verdict::Verified {
        return true;
    }
    let code = report.decisive().map(|finding| finding.code);
    let refused = [
        Some(FindingCode::CERTIFICATE_UNEXPECTED_IDENTITY),
        Some(FindingCode::CERTIFICATE_IDENTITY_ABSENT),
    ];
    assert!(refused.contains(&code), "{code:?}");
    false
}

#[test]
fn a_pattern_lets_in_names_of_its_own_kind_only() {
    for (name, pattern, expected) in [
        ((EMAIL, "release@example.com"), "release@example.com", true),
        ((EMAIL, "release@example.com"), "*@example.com", true),
        ((URI, "release@example.com"), "release@example.com", false),
        ((DNS, "release@example.com"), "release@example.com", false),
        ((URI, STRANGER), "*@example.com", false),
        ((EMAIL, STRANGER), "https://git.example/attacker/**", false),
        ((URI, STRANGER), "https://git.example/attacker/**", true),
        ((URI, STRANGER), "https://git.example/*/*/.ci/build.yml@refs/heads/main", false),
        ((EMAIL, "https://git.example/a"), "https://git.example/a", false),
        ((URI, "https://git.example/a"), "https://git.example/a", true),
        ((URI, "spiffe://example.com/ci"), "spiffe://example.com/*", true),
    ] {
        assert_eq!(is_let_in(name, pattern), expected, "{name:?} {pattern}");
    }
}

#[test]
fn no_policy_can_be_written_whose_run_crosses_an_at_sign() {
    for pattern in ["**@example.com", "r**@example.com", "https://git.example/**@refs/heads/main"] {
        let error = Policy::for_identity(pattern, None).expect_err(pattern);
        assert_eq!(error.code, FindingCode::POLICY_MALFORMED, "{pattern}");
        assert!(error.expected.is_some_and(|text| text.contains('*')), "what to write instead");
    }
}
