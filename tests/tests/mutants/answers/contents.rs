//! The file against what was signed: which digest, which name and which size are said to differ.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    report::Verdict,
};
use countersign_signing::bundle::{
    self, Bundle, IN_TOTO_PAYLOAD_TYPE, pre_authentication_encoding,
};
use countersign_tests::{
    corpus::{Case, public_good::changed},
    forge::Release,
};
use serde_json::{Value, json};

use super::{case, verify};

const LENGTH: u64 = Release::FILE.len() as u64;

/// A release that attests these subjects.
fn attested(subjects: &Value) -> Case {
    let release = Release::new();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://example.com/p",
        "predicate": {},
        "subject": subjects,
    });
    let payload = statement.to_string();
    let signed = pre_authentication_encoding(IN_TOTO_PAYLOAD_TYPE, payload.as_bytes());
    let signature = release.signing.leaf_key.signature(&signed);
    let timestamps = [release.timestamp(&signature)];
    let certificate = release.signing.sign().leaf;
    let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
    let bundle = Bundle::dsse(IN_TOTO_PAYLOAD_TYPE, payload.as_bytes(), &signature, evidence);
    case(&release, bundle.to_json().expect("JSON").into(), "")
}

fn of(algorithm: HashAlgorithm, octets: &[u8]) -> Digest {
    digest(&AwsLc, algorithm, octets)
}

fn hex(algorithm: HashAlgorithm, octets: &[u8]) -> String {
    of(algorithm, octets).hex()
}

/// A subject of that name with the SHA-384 of `octets`.
fn subject(name: &str, octets: &[u8]) -> Value {
    json!({ "name": name, "digest": { "sha384": hex(HashAlgorithm::Sha384, octets) } })
}

/// What leads: the code, what was expected and what was found.
#[track_caller]
fn decisive(case: &Case) -> (FindingCode, Option<String>, Option<String>) {
    let report = verify(case);
    assert_ne!(report.verdict(), Verdict::Verified);
    let Finding { code, expected, found, .. } = report.decisive().expect("a finding").clone();
    (code, expected, found)
}

fn texts(
    code: FindingCode,
    expected: &str,
    found: &str,
) -> (FindingCode, Option<String>, Option<String>) {
    (code, Some(expected.to_owned()), Some(found.to_owned()))
}

/// A mismatch of SHA-384: what `signed` has, and what the file has.
fn mismatch(signed: &[u8]) -> (FindingCode, Option<String>, Option<String>) {
    let [signed, own] = [signed, Release::FILE].map(|octets| of(HashAlgorithm::Sha384, octets));
    texts(FindingCode::CONTENT_MISMATCH, &signed.to_string(), &own.to_string())
}

#[test]
fn a_statements_only_file_is_the_one_that_is_meant_where_a_name_is_missing() {
    let other = b"another program";
    let mut unnamed_file = attested(&json!([subject("lib", other)]));
    let named = (FindingCode::CONTENT_OTHER_FILE, Some("a bundle for app".to_owned()));
    let (code, expected, _) = decisive(&unnamed_file);
    assert_eq!((code, expected), named);
    unnamed_file.file_name = None;
    assert_eq!(decisive(&unnamed_file), mismatch(other));
    let mut nameless = subject("", other);
    nameless.as_object_mut().expect("a subject").remove("name");
    assert_eq!(decisive(&attested(&json!([nameless]))), mismatch(other));
}

#[test]
fn a_file_without_a_name_may_be_any_of_the_statements() {
    let mut case = attested(&json!([subject("lib", b"a library"), subject("app", Release::FILE)]));
    case.file_name = None;
    assert_eq!(verify(&case).verdict(), Verdict::Verified);
}

#[test]
fn names_the_digest_that_differs_and_not_the_one_that_agrees() {
    let sha256 = hex(HashAlgorithm::Sha256, Release::FILE);
    let sha512 = hex(HashAlgorithm::Sha512, b"another program");
    let subjects = json!([{ "name": "app", "digest": { "sha256": sha256, "sha512": sha512 } }]);
    let own = of(HashAlgorithm::Sha512, Release::FILE);
    let expected =
        texts(FindingCode::CONTENT_MISMATCH, &format!("sha512:{sha512}"), &own.to_string());
    assert_eq!(decisive(&attested(&subjects)), expected);
}

/// A subject that gives the size of its file.
fn sized(octets: &[u8], size: u64) -> Value {
    let mut subject = subject("app", octets);
    subject["annotations"] = json!({ "size": size });
    subject
}

#[test]
fn says_that_a_file_is_incomplete_before_it_says_that_it_differs() {
    let bytes = |count: u64| format!("{count} bytes");
    let short = attested(&json!([sized(b"a longer program", LENGTH + 1)]));
    let incomplete = texts(FindingCode::CONTENT_INCOMPLETE, &bytes(LENGTH + 1), &bytes(LENGTH));
    assert_eq!(decisive(&short), incomplete);
    let long = attested(&json!([sized(b"a shorter program", LENGTH - 1)]));
    assert_eq!(decisive(&long), mismatch(b"a shorter program"), "no download was cut off");
    // The digest agrees, the size does not: the statement contradicts itself.
    let lies = attested(&json!([sized(Release::FILE, LENGTH - 1)]));
    let too_long = texts(FindingCode::CONTENT_MISMATCH, &bytes(LENGTH - 1), &bytes(LENGTH));
    assert_eq!(decisive(&lies), too_long);
    let right = attested(&json!([sized(Release::FILE, LENGTH)]));
    assert_eq!(verify(&right).verdict(), Verdict::Verified);
}

#[test]
fn says_which_digest_is_wanted_and_which_were_given() {
    let mut statement = attested(&json!([subject("app", Release::FILE)]));
    let mut message = case(&Release::new(), Release::new().bundle(), "");
    for case in [&mut statement, &mut message] {
        case.digests.retain(|digest| digest.algorithm() != HashAlgorithm::Sha384);
        let missing = FindingCode::CONTENT_DIGEST_NOT_SUPPLIED;
        assert_eq!(decisive(case), texts(missing, "a SHA-384 digest", "sha256, sha512"));
        case.digests.clear();
        assert_eq!(decisive(case), texts(missing, "a SHA-384 digest", "none"));
    }
    let weak = attested(&json!([{ "name": "app", "digest": { "sha1": "00" } }]));
    assert_eq!(decisive(&weak).0, FindingCode::CONTENT_DIGEST_WEAK);
}

#[test]
fn a_signature_without_a_digest_is_tried_over_each_that_was_given() {
    let release = Release::new();
    let without = |bundle: &[u8]| {
        changed(bundle, |bundle| {
            let signature = bundle["messageSignature"].as_object_mut().expect("a signature");
            signature.remove("messageDigest");
        })
    };
    let mut genuine = case(&release, without(&release.bundle()), "");
    assert_eq!(verify(&genuine).verdict(), Verdict::Verified);
    genuine.digests.retain(|digest| digest.algorithm() == HashAlgorithm::Sha512);
    let (code, expected, _) = decisive(&genuine);
    assert_eq!(code, FindingCode::CONTENT_DIGEST_NOT_SUPPLIED);
    assert_eq!(expected.as_deref(), Some("a SHA-384 digest"));
    // All that it could be over were given.
    let strangers = release.signing.leaf_key.signature(b"another file");
    let bundle = release.bundle_with(&strangers, &[release.timestamp(&strangers)]);
    assert_eq!(decisive(&case(&release, without(&bundle), "")).0, FindingCode::SIGNATURE_MISMATCH);
}

#[test]
fn a_file_under_another_name_is_noted() {
    let note = |name: Option<&str>, published: Value| {
        let mut case = attested(&published);
        case.file_name = name.map(str::to_owned);
        let report = verify(&case);
        assert_eq!(report.verdict(), Verdict::Verified);
        let mut notes =
            report.findings().iter().filter(|each| each.code == FindingCode::NAME_DIFFERS).cloned();
        notes.next().map(|note| (note.expected, note.found))
    };
    let published = json!([subject("app", Release::FILE)]);
    let texts = ["app", "app (1)"].map(|name| Some(name.to_owned()));
    assert_eq!(note(Some("app (1)"), published.clone()), Some(texts.into()));
    assert_eq!(note(Some("app"), published.clone()), None);
    assert_eq!(note(None, published), None);
}

#[test]
fn a_predicate_of_another_type_is_refused_where_the_policy_names_some() {
    let with = |types: &[&str]| {
        let mut case = attested(&json!([subject("app", Release::FILE)]));
        case.policy = changed(&case.policy, |policy| {
            policy["signers"][0]["predicate_types"] = json!(types);
        });
        let report = verify(&case);
        report.decisive().filter(|each| each.code.exit_code() != 0).cloned()
    };
    assert_eq!(with(&[]), None);
    assert_eq!(with(&["https://example.com/p"]), None);
    assert_eq!(with(&["https://example.com/q", "https://example.com/p"]), None);
    let refused = with(&["https://example.com/q", "https://example.com/r"]).expect("a finding");
    assert_eq!(refused.code, FindingCode::STATEMENT_PREDICATE);
    let expected = refused.expected.as_deref();
    assert_eq!(expected, Some("https://example.com/q or https://example.com/r"));
    assert_eq!(refused.found.as_deref(), Some("https://example.com/p"));
}
