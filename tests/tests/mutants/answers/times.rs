//! When it was signed: what a missing time explains, and what explains a missing time.

use countersign_core::{finding::FindingCode as F, report::Verdict};
use countersign_tests::{
    corpus::{Case, public_good::changed},
    forge::{NOW, Release},
    log::{Kind, Log, with_entries},
};
use serde_json::{Value, json};

use super::{UNSTAMPED, case, codes, unstamped, verify};

#[test]
fn a_certificate_that_expired_is_named_unless_a_missing_timestamp_explains_it() {
    let mut release = Release::new();
    release.signing.leaf.not_after = NOW.minus_seconds(60);
    let of = |bundle: Vec<u8>, rules: &str| {
        let mut codes = codes(&case(&release, bundle, rules));
        codes.retain(|code| {
            [F::TIMESTAMP_ABSENT, F::CERTIFICATE_EXPIRED_WHEN_SIGNED].contains(code)
        });
        codes
    };
    assert_eq!(of(release.bundle(), ""), []);
    assert_eq!(of(unstamped(&release), ""), [F::TIMESTAMP_ABSENT]);
    assert_eq!(of(unstamped(&release), UNSTAMPED), [F::CERTIFICATE_EXPIRED_WHEN_SIGNED]);
    // A timestamp of something else is passed over where none is demanded, and explains nothing.
    let signature = release.signature(&release.signing.leaf_key);
    let elsewhere = release.bundle_with(&signature, &[release.timestamp(b"something else")]);
    assert_eq!(of(elsewhere, UNSTAMPED), [F::CERTIFICATE_EXPIRED_WHEN_SIGNED]);

    let mut release = Release::new();
    release.signing.leaf.not_before = NOW.plus_seconds(60);
    let codes = codes(&case(&release, unstamped(&release), ""));
    assert!(codes.contains(&F::CERTIFICATE_NOT_YET_VALID), "{codes:?}");
    assert!(codes.contains(&F::TIMESTAMP_ABSENT), "{codes:?}");
}

/// A case of an unstamped bundle with a log entry that has one change; the log is listed.
fn logged(rules: &str, change: impl FnOnce(&mut Value)) -> Case {
    let release = Release::new();
    let log = Log::p256("log.example");
    let bundle = unstamped(&release);
    let mut entry = log.entry(&Kind::HashedRekordV1.body(&bundle), Some(Release::SIGNED));
    change(&mut entry);
    let mut case = case(&release, with_entries(&bundle, &[entry]), rules);
    case.trusted_root = changed(&case.trusted_root, |root| root["tlogs"] = json!([log.trusted()]));
    case
}

#[test]
fn a_promise_that_failed_explains_the_missing_time() {
    let absent = |case: &Case| codes(case).contains(&F::TIMESTAMP_ABSENT);
    let mut broken = logged("", |entry| {
        entry["integratedTime"] = json!((Release::SIGNED.seconds() + 1).to_string());
    });
    assert_eq!(verify(&logged("", |_| ())).verdict(), Verdict::Verified);
    assert_eq!(verify(&broken).decisive().map(|each| each.code), Some(F::LOG_PROMISE_INVALID));
    assert!(!absent(&broken));
    // One entry failed and another holds without vouching for a time: that is no explanation.
    let release = Release::new();
    let other = Log::ed25519("other.example");
    let further = other.entry(&Kind::HashedRekordV2.body(&unstamped(&release)), None);
    let trusted = other.trusted();
    let add = |case: &mut Case, further: &Value| {
        case.bundle = changed(&case.bundle, |bundle| {
            let entries = &mut bundle["verificationMaterial"]["tlogEntries"];
            entries.as_array_mut().expect("entries").push(further.clone());
        });
    };
    add(&mut broken, &further);
    broken.trusted_root = changed(&broken.trusted_root, |root| {
        root["tlogs"].as_array_mut().expect("logs").push(trusted.clone());
    });
    assert!(absent(&broken));
    // Nor does an entry that never promised, or a promise that nobody looked at.
    let proof = logged("", |entry| {
        let entry = entry.as_object_mut().expect("an entry");
        entry.remove("inclusionPromise");
        entry.remove("integratedTime");
        entry["inclusionProof"]["treeSize"] = json!("12");
    });
    assert!(absent(&proof));
    assert!(absent(&logged(r#","transparency":"off""#, |_| ())));
}
