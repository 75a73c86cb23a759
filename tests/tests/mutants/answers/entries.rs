//! Log entries and certificate logs' timestamps through the one door: what is said of each that
//! does not hold, and where their limits are.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    finding::FindingCode as F,
    limits::CLOCK_SKEW_SECONDS,
    oid,
    report::{Outcome, Question as Q, Verdict},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_signing::{der::Criticality::NonCritical, key::Signer as _};
use countersign_tests::{
    certificate_log::timestamp_list,
    corpus::{Case, keys, public_good::changed},
    forge::{ExtensionDraft, ForgeKey, NOW, Release},
    log::{Kind, Log, with_entries},
};
use serde_json::{Value, json};

use super::{UNSTAMPED, answer, case, codes, unstamped, verify};

const V0_1: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";

/// A case with that bundle whose trust root lists these logs.
fn listed(bundle: Vec<u8>, logs: &[&Log], rules: &str) -> Case {
    let mut case = case(&Release::new(), bundle, rules);
    let logs: Vec<Value> = logs.iter().map(|log| log.trusted()).collect();
    case.trusted_root = changed(&case.trusted_root, |root| root["tlogs"] = json!(logs));
    case
}

/// What leads, and what it is about; nothing for a pass.
fn decisive(case: &Case) -> Option<(F, Option<String>)> {
    let report = verify(case);
    let finding = report.decisive().filter(|each| each.code.exit_code() != 0)?;
    Some((finding.code, finding.subject.clone()))
}

fn code(case: &Case) -> Option<F> {
    decisive(case).map(|(code, _)| code)
}

/// The genuine bundle with an entry of a log of that kind that has one change.
fn entry(
    kind: Kind,
    log: &Log,
    promised: Option<UnixSeconds>,
    change: impl FnOnce(&mut Value),
) -> Case {
    let bundle = Release::new().bundle();
    let mut entry = log.entry(&kind.body(&bundle), promised);
    change(&mut entry);
    listed(with_entries(&bundle, &[entry]), &[log], "")
}

fn flipped(value: &Value) -> Value {
    let text = value.as_str().expect("text");
    let first = if text.starts_with('A') { "B" } else { "A" };
    json!(format!("{first}{}", &text[1..]))
}

#[test]
fn an_entry_that_nobody_asks_for_is_noted_and_its_absence_is_not() {
    let off = r#","transparency":"off""#;
    let log = Log::ed25519("log.example");
    let bundle = Release::new().bundle();
    let logged = with_entries(&bundle, &[log.entry(&Kind::HashedRekordV2.body(&bundle), None)]);
    let noted = |case: &Case| codes(case).contains(&F::LOG_NOT_CHECKED);
    assert!(noted(&listed(logged.clone(), &[&log], off)));
    assert!(noted(&listed(logged.clone(), &[], "")));
    assert!(!noted(&listed(bundle, &[&log], off)));
    let report = verify(&listed(logged, &[&log], ""));
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    let expected = (Outcome::Passed, "Yes, in https://log.example/api.");
    assert_eq!(answer(&report, Q::PubliclyLogged), expected);
}

#[test]
fn says_in_which_logs_an_entry_is_looked_for() {
    let bundle = Release::new().bundle();
    let [one, two] = ["one.example", "two.example"].map(Log::ed25519);
    let expected = |case: &Case| {
        let report = verify(case);
        let finding = report.decisive().expect("a finding").clone();
        (finding.code, finding.expected.expect("what is expected"))
    };
    let both = "https://one.example/api or https://two.example/api".to_owned();
    let absent = expected(&listed(bundle.clone(), &[&one, &two], ""));
    assert_eq!(absent, (F::LOG_ENTRY_ABSENT, both.clone()));
    let stranger = Log::ed25519("stranger.example");
    let elsewhere =
        with_entries(&bundle, &[stranger.entry(&Kind::HashedRekordV2.body(&bundle), None)]);
    let untrusted = expected(&listed(elsewhere, &[&one, &two], ""));
    assert_eq!(untrusted, (F::LOG_NOT_TRUSTED, both));
    let required = expected(&listed(bundle, &[], r#","transparency":"required""#));
    assert_eq!(required, (F::LOG_ENTRY_ABSENT, "a log in the trust root".to_owned()));
}

#[test]
fn an_entry_is_about_this_key_this_signature_and_this_digest() {
    let log = Log::ed25519("log.example");
    let mismatch = |what: &str| Some((F::LOG_ENTRY_MISMATCH, Some(what.to_owned())));
    let bundle = Release::new().bundle();
    let body = |change: fn(&mut Value)| {
        let mut body: Value =
            serde_json::from_slice(&Kind::HashedRekordV2.body(&bundle)).expect("JSON");
        change(&mut body["spec"]["hashedRekordV002"]);
        let entry = log.entry(body.to_string().as_bytes(), None);
        decisive(&listed(with_entries(&bundle, &[entry]), &[&log], ""))
    };
    assert_eq!(body(|_| ()), None);
    let digest = |spec: &mut Value| spec["data"]["digest"] = flipped(&spec["data"]["digest"]);
    assert_eq!(body(digest), mismatch("digest"));
    let signature = |spec: &mut Value| {
        spec["signature"]["content"] = flipped(&spec["signature"]["content"]);
    };
    assert_eq!(body(signature), mismatch("signature"));
    let case = |name: &str| {
        let mut cases = keys::cases().into_iter();
        decisive(&cases.find(|case| case.name == name).expect("a case of that name"))
    };
    assert_eq!(case("key-genuine"), None);
    assert_eq!(case("key-entry-by-other-key"), mismatch("key"));
    assert_eq!(case("key-entry-by-certificate"), mismatch("key"));
}

#[test]
fn believes_promises_up_to_the_leave_for_clocks() {
    let log = Log::p256("log.example");
    let promised = |time: UnixSeconds| code(&entry(Kind::HashedRekordV1, &log, Some(time), |_| ()));
    let latest = NOW.plus_seconds(CLOCK_SKEW_SECONDS);
    assert_eq!(promised(NOW), None);
    assert_eq!(promised(latest), None);
    assert_eq!(promised(latest.plus_seconds(1)), Some(F::LOG_TIME_FUTURE));
    assert_eq!(promised(latest.plus_seconds(3_600)), Some(F::LOG_TIME_FUTURE));
}

#[test]
fn a_promise_is_enough_in_the_oldest_bundles_alone() {
    let log = Log::p256("log.example");
    let without = |media_type: Option<&str>, promised: Option<UnixSeconds>, place: &str| {
        let mut case = entry(Kind::HashedRekordV1, &log, promised, |entry| {
            let (parent, field) = place.rsplit_once('/').expect("a place");
            let parent = entry.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.expect("a map").remove(field);
        });
        case.bundle = changed(&case.bundle, |bundle| {
            if let Some(media_type) = media_type {
                bundle["mediaType"] = json!(media_type);
            }
        });
        code(&case)
    };
    let promised = Some(Release::SIGNED);
    for place in ["/inclusionProof", "/inclusionProof/checkpoint"] {
        assert_eq!(without(Some(V0_1), promised, place), None, "{place}");
        assert_eq!(without(None, promised, place), Some(F::LOG_PROOF_ABSENT), "{place}");
        assert_eq!(without(Some(V0_1), None, place), Some(F::LOG_PROOF_ABSENT), "{place}");
    }
}

#[test]
fn every_part_of_a_proof_must_hold() {
    let log = Log::ed25519("log.example");
    let with = |change: fn(&mut Value)| code(&entry(Kind::HashedRekordV2, &log, None, change));
    let root = |entry: &mut Value| {
        let hash = &mut entry["inclusionProof"]["rootHash"];
        *hash = flipped(hash);
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(root), Some(F::LOG_PROOF_INVALID));
    assert_eq!(with(|entry| entry["logIndex"] = json!("7")), Some(F::LOG_ENTRY_MISMATCH));
    let noted = |entry: &mut Value| {
        entry["inclusionProof"]["checkpoint"]["envelope"] = json!("no note");
    };
    assert_eq!(with(noted), Some(F::CHECKPOINT_MALFORMED));
    // The log's own checkpoint of another tree: other in its size, or in its root.
    let checkpoint = |size: usize, flip: bool| {
        let change = |entry: &mut Value| {
            let proof = &mut entry["inclusionProof"];
            let hash = proof["rootHash"].clone();
            let hash = if flip { flipped(&hash) } else { hash };
            let text = format!("log.example\n{size}\n{}\n", hash.as_str().expect("text"));
            let note = log.note(&text, "log.example");
            proof["checkpoint"]["envelope"] = json!(note);
        };
        code(&entry(Kind::HashedRekordV2, &log, None, change))
    };
    assert_eq!(checkpoint(13, false), None);
    assert_eq!(checkpoint(14, false), Some(F::CHECKPOINT_MISMATCH));
    assert_eq!(checkpoint(13, true), Some(F::CHECKPOINT_MISMATCH));
}

/// A timestamp of the release's certificate by the log with that key (RFC 6962 §3.2).
fn certified(release: &Release, key: &ForgeKey, time: UnixSeconds) -> Vec<u8> {
    let chain = release.signing.sign();
    let tbs = Certificate::decode(&chain.leaf).expect("a certificate").tbs.to_vec();
    let issuer = Certificate::decode(&chain.authority).expect("a certificate");
    let sha256 = |octets: &[u8]| digest(&AwsLc, HashAlgorithm::Sha256, octets).octets().to_vec();
    let millis = u64::try_from(time.seconds()).expect("after 1970") * 1_000;
    let length = u32::try_from(tbs.len()).expect("a short certificate").to_be_bytes();
    let (issuer_key, id) = (sha256(issuer.public_key.raw), sha256(key.spki()));
    let signed =
        [&[0, 0][..], &millis.to_be_bytes(), &[0, 1], &issuer_key, &length[1..], &tbs, &[0, 0]];
    let signature = key.signature(&signed.concat());
    let length = u16::try_from(signature.len()).expect("a short signature").to_be_bytes();
    let head = [&[0][..], &id, &millis.to_be_bytes(), &[0, 0, 4, 3]];
    [&head.concat(), &length[..], &signature].concat()
}

/// A case of a certificate with these timestamps; the trust root lists `log`.
fn embedded(log: &Log, timestamps: impl FnOnce(&Release) -> Vec<Vec<u8>>) -> Case {
    let mut release = Release::new();
    let value = timestamp_list(&timestamps(&release));
    let extension = ExtensionDraft::new(oid::EMBEDDED_SCTS, NonCritical, value);
    release.signing.leaf = release.signing.leaf.with(extension);
    let mut case = case(&release, unstamped(&release), UNSTAMPED);
    case.trusted_root = changed(&case.trusted_root, |root| root["ctlogs"] = json!([log.trusted()]));
    case
}

#[test]
fn believes_certificate_logs_up_to_the_leave_for_clocks() {
    let log = Log::p256("certificates.example");
    let key = ForgeKey::p256("certificates.example");
    let at = |time| code(&embedded(&log, |release| vec![certified(release, &key, time)]));
    let latest = NOW.plus_seconds(CLOCK_SKEW_SECONDS);
    assert_eq!(at(NOW), None);
    assert_eq!(at(latest), None);
    assert_eq!(at(latest.plus_seconds(1)), Some(F::SCT_FUTURE));
    assert_eq!(at(latest.plus_seconds(3_600)), Some(F::SCT_FUTURE));
}

#[test]
fn what_is_wrong_with_a_trusted_logs_timestamp_leads() {
    let log = Log::p256("certificates.example");
    let [own, stranger] = ["certificates.example", "a stranger"].map(ForgeKey::p256);
    let wrong = |release: &Release| {
        let mut timestamp = certified(release, &own, NOW);
        // The time of the log's promise: signed is another.
        timestamp[40] ^= 1;
        timestamp
    };
    let foreign = |release: &Release| certified(release, &stranger, NOW);
    let invalid = Some(F::SCT_INVALID);
    assert_eq!(code(&embedded(&log, |each| vec![wrong(each), foreign(each)])), invalid);
    assert_eq!(code(&embedded(&log, |each| vec![foreign(each), wrong(each)])), invalid);
    let untrusted = code(&embedded(&log, |each| vec![foreign(each)]));
    assert_eq!(untrusted, Some(F::SCT_LOG_NOT_TRUSTED));
    let one_holds = embedded(&log, |each| vec![wrong(each), certified(each, &own, NOW)]);
    assert_eq!(code(&one_holds), None);
}
