//! Ed25519 signs files and not digests (RFC 8032 §5.1): what is found with the file at hand and
//! without it, by both fillers alike.

use countersign_core::{
    Artifact, Evidence,
    bundle::Bundle,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    finding::FindingCode,
    limits,
    policy::Policy,
    report::Verdict,
    trust::TrustRoot,
    verify,
};
use countersign_signing::key::Signer as _;
use countersign_tests::{
    corpus::{Case, cases, whole_files},
    forge::{Proofs, Release},
};

/// The code that leads, or nothing for a pass.
#[track_caller]
fn code(name: &str) -> Option<FindingCode> {
    code_of(&case(name))
}

fn case(name: &str) -> Case {
    let name = format!("whole-file-{name}");
    cases().into_iter().find(|case| case.name == name).expect("a case")
}

#[track_caller]
fn code_of(case: &Case) -> Option<FindingCode> {
    let native = case.verify(&AwsLc);
    assert_eq!(native, case.verify(&RustCrypto), "rustcrypto differs");
    match native.verdict() {
        Verdict::Verified => None,
        _ => native.decisive().map(|finding| finding.code),
    }
}

#[test]
fn a_signature_over_the_file_verifies_where_the_file_is_at_hand() {
    assert_eq!(code("genuine"), None);
    assert_eq!(code("no-digest-in-the-bundle"), None);
    assert_eq!(code("managed-key"), None);
}

#[test]
fn a_digest_is_not_enough() {
    assert_eq!(code("digest-alone"), Some(FindingCode::SIGNATURE_NEEDS_FILE));
}

#[test]
fn another_file_and_another_signer_are_told_apart() {
    assert_eq!(code("other"), Some(FindingCode::CONTENT_MISMATCH));
    assert_eq!(code("stranger"), Some(FindingCode::SIGNATURE_MISMATCH));
}

#[test]
fn octets_that_the_digests_are_not_of_prove_nothing() {
    // A file that changes between two readings: the digest is the signed one's.
    let mut case = case("genuine");
    case.content = Some(b"what came in its place".to_vec());
    assert_eq!(code_of(&case), Some(FindingCode::SIGNATURE_NEEDS_FILE));
    let mut swapped = self::case("other");
    swapped.content = Some(Release::FILE.to_vec());
    assert_eq!(code_of(&swapped), Some(FindingCode::CONTENT_MISMATCH));
    let mut without = self::case("no-digest-in-the-bundle");
    without.content = Some(b"what came in its place".to_vec());
    assert_eq!(code_of(&without), Some(FindingCode::SIGNATURE_NEEDS_FILE));
}

#[test]
fn a_file_beyond_the_limit_is_not_looked_at() {
    let case = case("genuine");
    let content = vec![0; limits::SIGNED_CONTENT_BYTES + 1];
    let trust = TrustRoot::decode(&case.trusted_root).expect("a trust root");
    let policy = Policy::decode(&case.policy).expect("a policy");
    let artifact = Artifact {
        name: Some("app"),
        size: Some(content.len() as u64),
        digests: &case.digests,
        content: Some(&content),
        beginning: None,
        ..Artifact::default()
    };
    let evidence = Evidence { artifact, bundle: &case.bundle, ..Evidence::default() };
    let by = |crypto: &dyn CryptoProvider| verify(&evidence, &trust, &policy, crypto, case.now);
    let report = by(&AwsLc);
    assert_eq!(report, by(&RustCrypto));
    let finding = report.findings().iter().find(|it| it.code == FindingCode::SIGNATURE_NEEDS_FILE);
    let finding = finding.expect("told");
    assert_eq!(finding.expected.as_deref(), Some("the file itself, of at most 128 MiB"));
    assert_eq!(finding.found.as_deref(), Some("134217729 bytes"));
}

#[test]
fn a_bundle_says_whether_it_wants_the_file() {
    let wants = |bundle: &[u8], key: Option<&[u8]>| {
        Bundle::decode(bundle).expect("a bundle").needs_content(key)
    };
    let ed25519 = whole_files::release();
    assert!(wants(&ed25519.bundle(), None));
    let managed = case("managed-key");
    assert!(wants(&managed.bundle, managed.key.as_deref()));
    assert!(!wants(&managed.bundle, None));
    let usual = Release::new();
    assert!(!wants(&usual.bundle(), None));
    assert!(!wants(&managed.bundle, Some(usual.signing.leaf_key.spki())));
    let proofs = Proofs::default();
    assert_ne!(ed25519.verify(&ed25519.bundle(), &proofs).signer, None);
}
