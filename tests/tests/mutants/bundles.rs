//! Bundles, each wrong in one way and otherwise validly signed, through the one door; among them
//! what other Sigstore verifiers are known to let pass.

use countersign_core::{
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    oid,
    report::{Question, Report, Verdict},
    trust::Window,
};
use countersign_signing::{
    bundle::{self, Bundle, pre_authentication_encoding},
    der::{self, Criticality::NonCritical},
};
use countersign_tests::{
    corpus::public_good::changed,
    forge::{CrlDraft, DAY, ExtensionDraft, ForgeKey, NOW, Proofs, Release, usages},
};

#[track_caller]
fn report(release: &Release, bundle: &[u8]) -> Report {
    let list = CrlDraft::new(&release.signing.authority.subject);
    let crls = vec![list.sign(&release.signing.authority_key)];
    release.verify(bundle, &Proofs { crls, ..Proofs::default() })
}

/// The code that leads, or nothing for a pass.
fn code(report: &Report) -> Option<FindingCode> {
    match report.verdict() {
        Verdict::Verified => None,
        _ => report.decisive().map(|finding| finding.code),
    }
}

/// A bundle of a release with one change.
#[track_caller]
fn release(change: impl FnOnce(&mut Release)) -> Option<FindingCode> {
    let mut release = Release::new();
    change(&mut release);
    code(&report(&release, &release.bundle()))
}

/// subjectAltName with one `GeneralName`.
fn alternative_name(tag: u8, text: &str) -> ExtensionDraft {
    let names = der::sequence(&[&der::implicit(tag, text.as_bytes())]);
    ExtensionDraft::new(oid::CE_SUBJECT_ALT_NAME, NonCritical, names)
}

#[test]
fn accepts_the_release_that_the_mutants_are_made_from() {
    assert_eq!(release(|_| ()), None);
}

#[test]
fn rejects_signatures_of_others_and_of_other_forms() {
    let release = Release::new();
    let with = |signature: &[u8]| {
        let stamp = release.timestamp(signature);
        code(&report(&release, &release.bundle_with(signature, &[stamp])))
    };
    let genuine = release.signature(&release.signing.leaf_key);
    assert_eq!(with(&genuine), None);
    let mismatch = Some(FindingCode::SIGNATURE_MISMATCH);
    assert_eq!(with(&release.signature(&ForgeKey::p384("a stranger"))), mismatch);
    assert_eq!(with(&release.signing.leaf_key.signature(b"another file")), mismatch);
    assert_eq!(with(&[genuine.as_slice(), &[0]].concat()), mismatch, "a byte after it");
    assert_eq!(with(&genuine[..genuine.len() - 1]), mismatch, "a byte short");
    assert_eq!(with(&release.signature(&ForgeKey::p256("another curve"))), mismatch);
}

#[test]
fn rejects_a_digest_of_another_file() {
    let release = Release::new();
    let other = digest(
        &countersign_core::crypto::aws_lc::AwsLc,
        HashAlgorithm::Sha384,
        b"another published program",
    );
    let certificate = release.signing.sign().leaf;
    // Rightly signed by the signer, but for the other file.
    let signature = release.signing.leaf_key.signature(b"another published program");
    let timestamps = [release.timestamp(&signature)];
    let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
    let bundle = Bundle::message_signature(&other, &signature, evidence);
    let bundle = bundle.to_json().expect("JSON");
    let outcome = code(&report(&release, bundle.as_bytes()));
    assert_eq!(outcome, Some(FindingCode::CONTENT_MISMATCH));
}

#[test]
fn names_the_digest_that_was_signed_where_the_bundle_does_not() {
    let release = Release::new();
    let bundle = changed(&release.bundle(), |bundle| {
        let signature = bundle["messageSignature"].as_object_mut().expect("a signature");
        signature.remove("messageDigest");
    });
    // SHA-256 is the first of the file's digests; the signature is over SHA-384.
    let report = report(&release, &bundle);
    assert_eq!(code(&report), None);
    let same = report.checks.iter().find(|check| check.question == Question::SameFile);
    let answer = same.map(|check| check.answer.as_str());
    assert_eq!(answer, Some("Yes. Its SHA-384 is the one that was signed."));
}

#[test]
fn rejects_signers_for_another_use() {
    let with = |list: &[_]| {
        release(|release| {
            let leaf = release.signing.leaf.clone();
            release.signing.leaf = leaf.with(usages(NonCritical, list));
        })
    };
    let wrong_use = Some(FindingCode::CERTIFICATE_WRONG_USE);
    assert_eq!(with(&[oid::KP_SERVER_AUTH]), wrong_use, "sigstore-js accepts it");
    assert_eq!(with(&[oid::KP_ANY]), wrong_use);
    assert_eq!(with(&[oid::KP_TIME_STAMPING]), wrong_use);
    let intermediate = release(|release| {
        let authority = release.signing.authority.clone();
        release.signing.authority = authority.with(usages(NonCritical, &[oid::KP_SERVER_AUTH]));
    });
    assert_eq!(intermediate, wrong_use, "sigstore-python and sigstore-rs ignore it");
}

#[test]
fn rejects_identities_that_only_resemble_the_expected() {
    let named = |tag, text: &str| {
        release(|release| {
            release.signing.leaf = release.signing.leaf.clone().with(alternative_name(tag, text));
        })
    };
    let unexpected = Some(FindingCode::CERTIFICATE_UNEXPECTED_IDENTITY);
    for text in [
        "release@example.com.attacker.example",
        "prerelease@example.com",
        "Release@example.com",
        "release@example.com ",
        "release@example.com\u{0}",
        "release+x@example.com",
        "releaseXexample.com",
    ] {
        assert_eq!(named(1, text), unexpected, "{text:?}");
    }
    let absent = Some(FindingCode::CERTIFICATE_IDENTITY_ABSENT);
    assert_eq!(named(2, "release.example.com"), absent, "a DNS name");
    let without = release(|release| {
        release.signing.leaf = release.signing.leaf.clone().without(oid::CE_SUBJECT_ALT_NAME);
    });
    assert_eq!(without, absent);
}

#[test]
fn rejects_certificates_outside_their_validity_at_the_proven_time() {
    let late = release(|release| release.signing.leaf.not_before = NOW.minus_seconds(60));
    assert_eq!(late, Some(FindingCode::CERTIFICATE_NOT_YET_VALID));
    let early = release(|release| release.signing.leaf.not_after = NOW.minus_seconds(DAY));
    assert_eq!(early, Some(FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED));
    let since = release(|release| release.signing.leaf.not_after = NOW.minus_seconds(60));
    assert_eq!(since, None, "expired since");
}

#[test]
fn rejects_a_signature_outside_its_authoritys_window() {
    let until = |end| release(|release| release.window = Window { start: None, end: Some(end) });
    assert_eq!(until(Release::SIGNED), None);
    let closed = until(Release::SIGNED.minus_seconds(1));
    assert_eq!(closed, Some(FindingCode::CERTIFICATE_UNKNOWN_ISSUER));
}

#[test]
fn rejects_timestamps_over_anything_but_the_signature() {
    let release = Release::new();
    let signature = release.signature(&release.signing.leaf_key);
    for octets in [Release::FILE, Release::digest().octets(), b"another signature"] {
        let stamp = release.timestamp(octets);
        let report = report(&release, &release.bundle_with(&signature, &[stamp]));
        assert_eq!(code(&report), Some(FindingCode::TIMESTAMP_IMPRINT_MISMATCH));
    }
    // One that holds is enough; what does not is named.
    let stamps = [release.timestamp(b"another signature"), release.timestamp(&signature)];
    let report = report(&release, &release.bundle_with(&signature, &stamps));
    assert_eq!(code(&report), None);
    let codes: Vec<FindingCode> = report.findings().iter().map(|each| each.code).collect();
    assert!(codes.contains(&FindingCode::TIMESTAMP_IGNORED));
}

#[test]
fn rejects_a_weak_signer() {
    let outcome = release(|release| release.signing.set_leaf_key(ForgeKey::rsa_1024()));
    assert!(
        matches!(
            outcome,
            Some(
                FindingCode::CERTIFICATE_KEY_TOO_WEAK
                    | FindingCode::SIGNATURE_ALGORITHM_NOT_ALLOWED
            )
        ),
        "{outcome:?}"
    );
}

/// A DSSE bundle; `sign` makes the signed octets from payload type and payload.
#[track_caller]
fn envelope(
    payload_type: &str,
    payload: &str,
    signed: impl FnOnce(&str, &[u8]) -> Vec<u8>,
) -> Option<FindingCode> {
    let release = Release::new();
    let signature = release.signing.leaf_key.signature(&signed(payload_type, payload.as_bytes()));
    let timestamps = [release.timestamp(&signature)];
    let certificate = release.signing.sign().leaf;
    let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
    let bundle = Bundle::dsse(payload_type, payload.as_bytes(), &signature, evidence);
    code(&report(&release, bundle.to_json().expect("JSON").as_bytes()))
}

fn statement(name: &str, digest: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.com/p","predicate":{{}},"subject":[{{"name":"{name}","digest":{{"sha384":"{digest}"}}}}]}}"#
    )
}

#[test]
fn compares_the_statements_subjects_with_the_file() {
    let in_toto = bundle::IN_TOTO_PAYLOAD_TYPE;
    let right = Release::digest().hex();
    assert_eq!(envelope(in_toto, &statement("app", &right), pre_authentication_encoding), None);
    let other = "00".repeat(48);
    let mismatch = envelope(in_toto, &statement("app", &other), pre_authentication_encoding);
    assert_eq!(mismatch, Some(FindingCode::CONTENT_MISMATCH), "sigstore-js does not compare");
    let elsewhere = envelope(in_toto, &statement("lib", &other), pre_authentication_encoding);
    assert_eq!(elsewhere, Some(FindingCode::CONTENT_OTHER_FILE));
    let text = envelope("text/plain", &statement("app", &right), pre_authentication_encoding);
    assert_eq!(text, Some(FindingCode::STATEMENT_TYPE));
}

#[test]
fn rejects_an_envelope_signed_without_its_type() {
    let right = statement("app", &Release::digest().hex());
    let bare = envelope(bundle::IN_TOTO_PAYLOAD_TYPE, &right, |_, payload| payload.to_vec());
    assert_eq!(bare, Some(FindingCode::SIGNATURE_MISMATCH));
    let other = envelope(bundle::IN_TOTO_PAYLOAD_TYPE, &right, |_, payload| {
        pre_authentication_encoding("text/plain", payload)
    });
    assert_eq!(other, Some(FindingCode::SIGNATURE_MISMATCH));
}
