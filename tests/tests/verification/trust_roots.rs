//! Trust roots as others write them: both versions, parts alone, and times that must be there.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    finding::{Finding, FindingCode},
    trust::TrustRoot,
};
use countersign_tests::corpus::{
    Case, cases,
    public_good::{COSIGN, GITHUB, read},
};
use serde_json::{Value, json};

const PARTS: [&str; 4] = ["certificateAuthorities", "timestampAuthorities", "tlogs", "ctlogs"];

fn roots() -> Vec<Value> {
    [COSIGN, GITHUB]
        .iter()
        .map(|published| serde_json::from_slice(&read(published.root)).expect("JSON"))
        .collect()
}

fn decode(root: &Value) -> Result<TrustRoot, Finding> {
    TrustRoot::decode(root.to_string().as_bytes())
}

/// Where an authority or log says when it is believed.
fn holder<'v>(part: &str, entry: &'v mut Value) -> &'v mut Value {
    if part.ends_with("logs") { &mut entry["publicKey"] } else { entry }
}

#[test]
fn an_authority_or_log_without_a_start_is_refused_by_its_place() {
    let mut tried = std::collections::BTreeSet::new();
    for root in roots() {
        decode(&root).expect("as it is published, it is read");
        for part in PARTS {
            let Some(last) = root[part].as_array().and_then(|list| list.len().checked_sub(1))
            else {
                continue;
            };
            tried.insert(part);
            for window in [
                None,
                Some(json!({})),
                Some(json!({ "start": null })),
                Some(Value::Null),
                Some(json!({ "end": "2030-01-01T00:00:00Z" })),
            ] {
                let mut root = root.clone();
                let holder = holder(part, &mut root[part][last]);
                match window {
                    Some(window) => holder["validFor"] = window,
                    None => drop(holder.as_object_mut().expect("an object").remove("validFor")),
                }
                let finding = decode(&root).expect_err("without a start");
                assert_eq!(finding.code, FindingCode::TRUST_ROOT_MALFORMED);
                let place = finding.subject.expect("a place");
                assert!(place.starts_with(&format!("{part}[{last}].")), "{place}");
                assert!(place.contains("validFor"), "{place}");
                assert_eq!(finding.expected.as_deref(), Some("a start"));
            }
        }
    }
    assert_eq!(tried.len(), PARTS.len(), "{tried:?}");
}

#[test]
fn both_versions_are_read_and_no_other() {
    for mut root in roots() {
        for media_type in [
            "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "application/vnd.dev.sigstore.trustedroot.v0.1+json",
            "application/vnd.dev.sigstore.trustedroot.v0.2+json",
        ] {
            root["mediaType"] = json!(media_type);
            decode(&root).expect("read");
        }
        for media_type in
            ["application/vnd.dev.sigstore.trustedroot.v0.9+json", "application/json", ""]
        {
            root["mediaType"] = json!(media_type);
            let finding = decode(&root).expect_err("another");
            assert_eq!(
                (finding.code, finding.subject.as_deref()),
                (FindingCode::TRUST_ROOT_MALFORMED, Some("mediaType"))
            );
        }
    }
}

#[test]
fn a_part_alone_is_read_and_nothing_at_all_is_not() {
    for root in roots() {
        for part in PARTS.into_iter().filter(|part| root[part].is_array()) {
            let alone = json!({ "mediaType": root["mediaType"], part: root[part] });
            assert!(decode(&alone).is_ok(), "{part}");
        }
        let nothing = json!({ "mediaType": root["mediaType"] });
        assert_eq!(decode(&nothing).expect_err("empty").code, FindingCode::TRUST_ROOT_EMPTY);
    }
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).expect("a case")
}

#[test]
fn what_a_check_needs_and_the_root_lacks_is_named() {
    let mut genuine = case("private-genuine");
    let mut root: Value = serde_json::from_slice(&genuine.trusted_root).expect("JSON");
    root["certificateAuthorities"] = json!([]);
    genuine.trusted_root = root.to_string().into_bytes();
    let report = genuine.verify(&AwsLc);
    let finding = report.decisive().expect("a finding");
    assert_eq!(finding.code, FindingCode::TRUST_ROOT_EMPTY);
    assert_eq!(finding.expected.as_deref(), Some("certificateAuthorities"));

    // A bare key is believed by itself: logs alone will do.
    let mut managed = case("key-genuine");
    let mut root: Value = serde_json::from_slice(&managed.trusted_root).expect("JSON");
    root["certificateAuthorities"] = json!([]);
    managed.trusted_root = root.to_string().into_bytes();
    assert!(managed.verify(&AwsLc).decisive().is_none());
}
