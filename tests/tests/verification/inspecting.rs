//! What `inspect` shows of bundles and trust roots that are really out there. It judges nothing.

use countersign_core::{bundle::Bundle, finding::FindingCode, inspect::inspect};
use countersign_tests::corpus::{
    cases,
    public_good::{COSIGN, NPM, PUBLISHED, STAGING_MESSAGE, read},
};
use serde_json::{Value, json};

#[track_caller]
fn shown(octets: &[u8]) -> Value {
    let view = inspect(octets).unwrap_or_else(|finding| panic!("{finding:?}"));
    serde_json::to_value(view).expect("JSON")
}

#[test]
fn shows_log_entries_decoded() {
    let bundle = shown(&read(COSIGN.bundle));
    let entry = &bundle["tlogEntries"][0];
    assert_eq!(entry["kindVersion"], "hashedrekord 0.0.1");
    assert_eq!(entry["logId"], "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d");
    assert!(entry["logIndex"].as_u64().is_some_and(|index| index > 0));
    assert!(entry["integratedTime"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert!(entry["inclusionPromise"].is_string());
    let proof = &entry["inclusionProof"];
    assert!(proof["treeSize"].as_u64() > proof["logIndex"].as_u64());
    assert!(proof["hashes"].as_u64().is_some_and(|count| count > 10));
    let checkpoint = &proof["checkpoint"];
    assert_eq!(checkpoint["origin"], "rekor.sigstore.dev - 1193050959916656506");
    assert_eq!(checkpoint["treeSize"], proof["treeSize"]);
    assert_eq!(checkpoint["rootHash"], proof["rootHash"]);
    assert_eq!(
        checkpoint["signatures"],
        json!([{ "name": "rekor.sigstore.dev", "keyHint": "c0d23d6a" }])
    );
    let body = &entry["canonicalizedBody"];
    assert_eq!(body["kind"], "hashedrekord 0.0.1");
    assert_eq!(body["digest"], bundle["messageSignature"]["messageDigest"]);
    assert_eq!(body["signatures"][0]["signature"], bundle["messageSignature"]["signature"]);
    let serial = bundle["certificates"][0]["serialNumber"].as_str().expect("a serial number");
    assert_eq!(body["signatures"][0]["verifier"], format!("certificate {serial}"));
}

#[test]
fn shows_witnesses_of_checkpoints() {
    let bundle = shown(&read(STAGING_MESSAGE.bundle));
    let entry = &bundle["tlogEntries"][0];
    assert_eq!(entry["kindVersion"], "hashedrekord 0.0.2");
    assert!(entry.get("integratedTime").is_none() && entry.get("inclusionPromise").is_none());
    let signatures = &entry["inclusionProof"]["checkpoint"]["signatures"];
    assert!(signatures.as_array().is_some_and(|list| !list.is_empty()), "{signatures}");
}

#[test]
fn shows_certificate_timestamps() {
    let bundle = shown(&read(COSIGN.bundle));
    let timestamps = &bundle["certificates"][0]["signedCertificateTimestamps"];
    let root = shown(&read(COSIGN.root));
    let logs = root["ctlogs"].as_array().expect("logs");
    assert!(logs.iter().any(|log| log["logId"] == timestamps[0]["logId"]), "{timestamps}");
    assert!(timestamps[0]["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
}

#[test]
fn shows_the_logs_of_a_trust_root() {
    let root = shown(&read(COSIGN.root));
    assert_eq!(root["kind"], "trusted-root");
    let log = &root["tlogs"][0];
    assert_eq!(log["baseUrl"], "https://rekor.sigstore.dev");
    assert_eq!(log["publicKey"], "ECDSA P-256 with SHA-256");
    assert!(log["validFor"].as_str().is_some_and(|window| window.starts_with("from 2021")));
    assert!(root["ctlogs"].as_array().is_some_and(|logs| logs.len() >= 2));
}

#[test]
fn shows_provenance() {
    let bundle = shown(&read(NPM.bundle));
    assert_eq!(
        bundle["dsseEnvelope"]["statement"]["provenance"],
        json!({
            "builder": "https://github.com/actions/runner/github-hosted",
            "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
            "source": "https://github.com/sigstore/sigstore-js",
            "ref": "refs/heads/main",
        })
    );
}

#[test]
fn shows_a_managed_keys_hint_and_key() {
    let bundle = shown(&read("managed-key/bundle.sigstore.json"));
    assert_eq!(bundle["publicKey"]["hint"], "TLMsSDfG3ajPsWge+z/vX5T/zluXnmvbkTkwLIV68Tk=");
    let verifier = &bundle["tlogEntries"][0]["canonicalizedBody"]["signatures"][0]["verifier"];
    assert!(
        verifier.as_str().is_some_and(|text| text.starts_with("public key 3059")),
        "{verifier}"
    );
    let key = shown(&countersign_tests::corpus::keys::managed_key());
    assert_eq!((&key["kind"], &key["algorithm"]), (&json!("public-key"), &json!("P-256")));
}

/// Certificate, token, list and OCSP answer of the corpus.
fn objects() -> Vec<(&'static str, Vec<u8>)> {
    let find = |name: &str| cases().into_iter().find(|case| case.name == name).expect("a case");
    let answered = find("ocsp-by-delegate");
    let listed = find("crl-revoked-before-superseded");
    let bundle = Bundle::decode(&answered.bundle).expect("a bundle");
    vec![
        ("certificate", bundle.certificate().expect("a certificate").to_vec()),
        ("timestamp-response", bundle.timestamps.first().expect("a token").clone()),
        ("crl", listed.crls.first().expect("a list").clone()),
        ("ocsp-response", answered.ocsp.first().expect("an answer").clone()),
    ]
}

/// What is told of an object that breaks a rule.
#[track_caller]
fn broken(octets: &[u8]) -> (Value, String) {
    let broken = inspect(octets).expect_err("it breaks a rule");
    assert_eq!(broken.finding.code, FindingCode::INPUT_MALFORMED);
    let view = broken.shown.unwrap_or_else(|| panic!("not recognised: {:?}", broken.finding));
    (serde_json::to_value(view).expect("JSON"), broken.finding.found.unwrap_or_default())
}

#[test]
fn an_object_that_breaks_a_rule_is_named_with_the_field_and_what_could_be_read() {
    for (kind, octets) in objects() {
        // What follows the last field, and a last field that is cut short.
        let (view, reason) = broken(&[&octets[..], &[0]].concat());
        assert_eq!(view["kind"], kind);
        assert!(
            reason.contains("bytes follow after")
                || reason.contains("extra bytes after")
                || reason.contains("not valid DER"),
            "{reason}"
        );
        let (view, reason) = broken(&octets[..octets.len() - 10]);
        assert_eq!(view["kind"], kind, "{reason}");
        assert_eq!(view["broken"], reason.as_str());
    }
    let (_, certificate) = objects().swap_remove(0);
    let whole = shown(&certificate);
    let (view, _) = broken(&[&certificate[..], &[0]].concat());
    for field in ["serialNumber", "issuer", "notBefore", "notAfter", "subject", "publicKey"] {
        assert_eq!(view[field], whole[field], "{field}");
    }
}

#[test]
fn what_it_has_no_decoder_for_is_named_where_it_is_known() {
    let sequence =
        |content: &[u8]| [&[0x30, u8::try_from(content.len()).expect("short")], content].concat();
    let algorithm = sequence(&[6, 3, 0x2a, 3, 4]);
    for (kind, content) in [
        ("encrypted-private-key", [&algorithm[..], &[4, 1, 0]].concat()),
        ("private-key", [&[2, 1, 0], &algorithm[..], &[4, 1, 0]].concat()),
        ("ec-private-key", vec![2, 1, 1, 4, 1, 0]),
        ("rsa-private-key", [2, 1, 0].repeat(9)),
        ("pkcs12", [&[2, 1, 3], &algorithm[..], &sequence(&[])].concat()),
        ("cms", vec![6, 3, 0x2a, 3, 4, 0xa0, 0]),
    ] {
        assert_eq!(shown(&sequence(&content))["kind"], kind);
    }
    for (octets, format) in [
        (&b"PK\x03\x04...."[..], "a ZIP archive"),
        (b"\x1f\x8b\x08\0", "a gzip file"),
        (b"untrusted comment: minisign public key\n", "a minisign or signify file"),
        (b"<!DOCTYPE html>", "an HTML page"),
        (b"hello", "something else"),
    ] {
        let broken = inspect(octets).expect_err("none of ours");
        assert_eq!(broken.finding.found.as_deref(), Some(format));
        assert!(broken.shown.is_none());
    }
}

#[test]
fn a_bundle_that_speaks_of_a_trust_root_is_a_bundle() {
    let bundle = String::from_utf8(read(COSIGN.bundle)).expect("UTF-8");
    let speaking = bundle.replacen('{', r#"{"note": "see .trustedroot", "#, 1);
    let broken = inspect(speaking.as_bytes()).expect_err("an unknown field");
    assert_eq!(broken.finding.code, FindingCode::BUNDLE_MALFORMED);
    assert_eq!(shown(format!("\u{feff}{bundle}").as_bytes())["kind"], "bundle");
}

#[test]
fn shows_whatever_decodes_and_judges_nothing() {
    for (name, published) in PUBLISHED {
        for file in [published.bundle, published.root] {
            assert!(shown(&read(file))["kind"].is_string(), "{name}");
        }
    }
    let shown: Vec<bool> = cases().iter().map(|case| inspect(&case.bundle).is_ok()).collect();
    let count = shown.iter().filter(|shown| **shown).count();
    assert!(count > shown.len() * 9 / 10, "{count} of {}", shown.len());
}
