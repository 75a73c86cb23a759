//! Who may sign: which authority's reason leads, whose signature would do, and how keys are hinted at.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    finding::FindingCode as F,
    oid,
    report::Verdict,
};
use countersign_signing::der::Criticality::NonCritical;
use countersign_tests::{
    corpus::{keys, public_good::changed},
    forge::{Chain, ForgeKey, IDENTITY, Release, name, usages},
};
use serde_json::{Value, json};

use super::{case, genuine, verify};

#[test]
fn names_the_reason_of_the_authority_that_knows_the_signer() {
    let mut release = Release::new();
    release.signing.authority =
        release.signing.authority.with(usages(NonCritical, &[oid::KP_SERVER_AUTH]));
    let key = |name: &str| ForgeKey::p384(name);
    let mut stranger = Release::new();
    stranger.signing = Chain::code_signing_with(key("another CA"), key("another leaf"));
    stranger.signing.authority.subject = name("another CA");
    let own = release.trusted_root()["certificateAuthorities"][0].clone();
    let other = stranger.trusted_root()["certificateAuthorities"][0].clone();
    let decisive = |authorities: &[&Value]| {
        let mut case = case(&release, release.bundle(), "");
        case.trusted_root = changed(&case.trusted_root, |root| {
            root["certificateAuthorities"] = json!(authorities);
        });
        verify(&case).decisive().map(|each| each.code)
    };
    assert_eq!(decisive(&[&other]), Some(F::CERTIFICATE_UNKNOWN_ISSUER));
    let wrong_use = decisive(&[&own]);
    assert_eq!(wrong_use, Some(F::CERTIFICATE_WRONG_USE));
    assert_eq!(decisive(&[&own, &other]), wrong_use);
    assert_eq!(decisive(&[&other, &own]), wrong_use);
}

#[test]
fn says_whose_signature_would_do() {
    let with = |signers: Value| {
        let mut case = genuine("");
        case.policy = changed(&case.policy, |policy| policy["signers"] = signers);
        let report = verify(&case);
        let finding = report.decisive().expect("a finding").clone();
        (finding.code, finding.expected.expect("who is expected"))
    };
    let key = format!("sha256:{}", "00".repeat(32));
    let signer = |rest: Value| {
        let mut signer = json!({ "files": ["**"] });
        signer.as_object_mut().expect("a map").extend(rest.as_object().cloned().expect("a map"));
        signer
    };
    let (first, second) = (json!({ "identities": ["a@b.c"] }), json!({ "identities": ["d@e.f"] }));
    let unexpected = F::CERTIFICATE_UNEXPECTED_IDENTITY;
    let both = with(json!([signer(first.clone()), signer(second)]));
    assert_eq!(both, (unexpected, "a@b.c or d@e.f".to_owned()));
    let keyed = signer(json!({ "keys": [key] }));
    let mixed = with(json!([keyed, signer(first)]));
    assert_eq!(mixed, (unexpected, format!("a@b.c or key {key}")));
    let keys_alone = with(json!([keyed]));
    assert_eq!(keys_alone, (unexpected, format!("key {key}")));
    let issuer = "https://issuer.example";
    let rules = json!({ "identities": [IDENTITY], "oidc_issuers": [issuer] });
    let vouched = with(json!([signer(rules)]));
    assert_eq!(vouched, (F::CERTIFICATE_UNEXPECTED_OIDC_ISSUER, issuer.to_owned()));
}

#[test]
fn a_hint_at_the_key_is_understood_in_every_spelling() {
    let genuine = keys::private_case();
    let octets = {
        let key = genuine.key.as_deref().expect("a key");
        digest(&AwsLc, HashAlgorithm::Sha256, key)
    };
    let base64 = keys::hint(genuine.key.as_deref().expect("a key"));
    let differs = |hint: &str| {
        let mut case = genuine.clone();
        case.bundle = changed(&case.bundle, |bundle| {
            bundle["verificationMaterial"]["publicKey"]["hint"] = json!(hint);
        });
        let report = verify(&case);
        assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
        let key = report.signer.as_ref().and_then(|signer| signer.key.as_ref()).expect("a key");
        assert_eq!(key.fingerprint, octets.to_string());
        assert_eq!(key.hint.as_deref(), (!hint.is_empty()).then_some(hint));
        report.findings().iter().any(|finding| finding.code == F::KEY_HINT_DIFFERS)
    };
    let unpadded = base64.trim_end_matches('=');
    for hint in ["", &base64, &format!("SHA256:{unpadded}"), &octets.hex()] {
        assert!(!differs(hint), "{hint}");
    }
    assert!(!differs(&octets.hex().to_uppercase()));
    for hint in ["the release key", unpadded, &format!("SHA256:{base64}")] {
        assert!(differs(hint), "{hint}");
    }
}

#[test]
fn a_key_that_the_policy_does_not_name_is_refused() {
    let mut case = keys::private_case();
    let other = format!("sha256:{}", "00".repeat(32));
    case.policy = changed(&case.policy, |policy| policy["signers"][0]["keys"] = json!([other]));
    let report = verify(&case);
    let finding = report.decisive().expect("a finding");
    assert_eq!(finding.code, F::KEY_NOT_ALLOWED);
    assert_eq!(finding.expected.as_deref(), Some(format!("key {other}").as_str()));
}
