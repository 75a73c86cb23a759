//! Log entries that are each wrong in one way, and otherwise validly signed: one code for each.

use countersign_core::{
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    finding::{Class, FindingCode},
    policy::Policy,
    report::{Outcome, Question, Report, Verdict},
    time::UnixSeconds,
};
use countersign_signing::key::NewKey;
use countersign_tests::{
    certificate_log::{CertificateLog, embed, timestamp_list},
    log::{Kind, Log, list, with_entries},
    world::{IDENTITY, NOW, World},
};
use serde_json::{Value, json};

const FILE: &[u8] = b"the published program";
/// When the files were signed and logged.
const SIGNED: UnixSeconds = NOW.minus_seconds(3_600);

/// A world whose trust root lists a log, and a bundle of it with a timestamp.
struct Logged {
    world: World,
    log: Log,
    bundle: Vec<u8>,
}

impl Logged {
    fn new() -> Self {
        Self::by(Log::ed25519("log.example"))
    }

    fn by(log: Log) -> Self {
        let mut world = World::with_algorithm(NewKey::P256);
        list(&mut world, &[log.trusted()], &[]);
        let bundle = world.sign(FILE, Some(SIGNED));
        Self { world, log, bundle }
    }

    /// The genuine entry of the bundle.
    fn entry(&self, promised: Option<UnixSeconds>) -> Value {
        self.log.entry(&Kind::HashedRekordV2.body(&self.bundle), promised)
    }

    fn verify(&self, entries: &[Value]) -> Report {
        self.verify_bundle(&with_entries(&self.bundle, entries))
    }

    fn verify_bundle(&self, bundle: &[u8]) -> Report {
        self.world.verify(bundle, &self.world.given(FILE))
    }

    fn verify_under(&self, rules: &str, bundle: &[u8]) -> Report {
        let text = format!(
            r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}],{rules}}}"#
        );
        let policy = Policy::decode(text.as_bytes()).expect("a policy");
        self.world.verify_under(&policy, bundle, &self.world.given(FILE), &AwsLc)
    }

    /// Verifies the genuine entry with one change.
    fn changed(&self, promised: Option<UnixSeconds>, change: impl FnOnce(&mut Value)) -> Report {
        let mut entry = self.entry(promised);
        change(&mut entry);
        self.verify(&[entry])
    }
}

#[track_caller]
fn assert_verified(report: &Report) {
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
}

#[track_caller]
fn assert_code(report: &Report, code: FindingCode) {
    let decisive = report.decisive().map(|finding| finding.code);
    assert_eq!(decisive, Some(code), "{:#?}", report.findings());
    assert_ne!(report.verdict(), Verdict::Verified);
}

fn has(report: &Report, code: FindingCode) -> bool {
    report.findings().iter().any(|finding| finding.code == code)
}

fn outcome(report: &Report) -> Outcome {
    let check = report.checks.iter().find(|check| check.question == Question::PubliclyLogged);
    check.expect("every question is answered").outcome
}

/// Another value of the same base64 form: the first octet changed.
fn flipped(value: &Value) -> Value {
    let text = value.as_str().expect("text");
    let first = if text.starts_with('A') { "B" } else { "A" };
    json!(format!("{first}{}", &text[1..]))
}

#[test]
fn verifies_every_kind_of_entry_by_both_kinds_of_logs() {
    for log in [Log::ed25519("log.example"), Log::p256("log.example")] {
        let logged = Logged::by(log);
        let message = &logged.bundle;
        let envelope = logged.world.attest("app", FILE, Some(SIGNED));
        let of_messages = Kind::OF_MESSAGES.map(|kind| (kind, message));
        let of_envelopes = Kind::OF_ENVELOPES.map(|kind| (kind, &envelope));
        for (kind, bundle) in of_messages.iter().chain(&of_envelopes) {
            for promised in [None, Some(SIGNED)] {
                let entry = logged.log.entry(&kind.body(bundle), promised);
                let bundle = with_entries(bundle, &[entry]);
                for crypto in [&AwsLc as &dyn CryptoProvider, &RustCrypto] {
                    let given = logged.world.given(FILE);
                    let policy = logged.world.policy();
                    let report = logged.world.verify_under(&policy, &bundle, &given, crypto);
                    assert_verified(&report);
                    assert_eq!(outcome(&report), Outcome::Passed, "{kind:?}");
                }
            }
        }
    }
}

#[test]
fn demands_an_entry_as_the_policy_says() {
    let logged = Logged::new();
    let with = with_entries(&logged.bundle, &[logged.entry(None)]);
    let without = &logged.bundle;
    assert_code(&logged.verify_bundle(without), FindingCode::LOG_ENTRY_ABSENT);
    assert_verified(&logged.verify_bundle(&with));
    let required = r#""transparency":"required""#;
    assert_code(&logged.verify_under(required, without), FindingCode::LOG_ENTRY_ABSENT);
    assert_verified(&logged.verify_under(required, &with));
    let off = r#""transparency":"off""#;
    assert_verified(&logged.verify_under(off, without));
    let report = logged.verify_under(off, &with);
    assert_verified(&report);
    assert!(has(&report, FindingCode::LOG_NOT_CHECKED));
    assert_eq!(outcome(&report), Outcome::NotRequired);

    // Without a log in the trust root.
    let mut unlisted = logged;
    list(&mut unlisted.world, &[], &[]);
    let report = unlisted.verify_bundle(&with);
    assert_verified(&report);
    assert!(has(&report, FindingCode::LOG_NOT_CHECKED));
    assert_code(&unlisted.verify_under(required, &with), FindingCode::LOG_NOT_TRUSTED);
    let bundle = unlisted.bundle.clone();
    assert_code(&unlisted.verify_under(required, &bundle), FindingCode::LOG_ENTRY_ABSENT);
}

#[test]
fn demands_a_certificate_log_as_the_policy_says() {
    let mut logged = Logged::new();
    let with = with_entries(&logged.bundle, &[logged.entry(None)]);
    let required = r#""certificate_transparency":"required""#;
    assert_code(&logged.verify_under(required, &with), FindingCode::SCT_ABSENT);
    let certificate_log = Log::p256("certificates.example");
    list(&mut logged.world, &[logged.log.trusted()], &[certificate_log.trusted()]);
    assert_code(&logged.verify_bundle(&with), FindingCode::SCT_ABSENT);
    assert_verified(&logged.verify_under(r#""certificate_transparency":"off""#, &with));
}

/// A world whose trust root lists a certificate log, with such an extension in the signer's
/// certificate, verified.
fn verify_certified(value: impl FnOnce(&World, &CertificateLog) -> Vec<u8>) -> Report {
    let mut world = World::with_algorithm(NewKey::P256);
    let log = CertificateLog::new();
    list(&mut world, &[], &[Log::p256("certificates.example").trusted(), log.trusted()]);
    let value = value(&world, &log);
    embed(&mut world, &value);
    let bundle = world.sign(FILE, Some(SIGNED));
    world.verify(&bundle, &world.given(FILE))
}

#[test]
fn a_certificate_must_have_been_seen_by_a_certificate_log() {
    let issued = NOW.minus_seconds(86_400);
    let of = |change: &dyn Fn(&mut Vec<u8>)| {
        verify_certified(|world, log| {
            let mut timestamp = log.timestamp(world, issued);
            change(&mut timestamp);
            timestamp_list(&[timestamp])
        })
    };
    assert_verified(&of(&|_| ()));
    // Log id, time, algorithms, signature.
    assert_code(&of(&|octets| octets[1] ^= 1), FindingCode::SCT_LOG_NOT_TRUSTED);
    assert_code(&of(&|octets| octets[40] ^= 1), FindingCode::SCT_INVALID);
    assert_code(&of(&|octets| octets[43] = 5), FindingCode::SCT_INVALID);
    assert_code(&of(&|octets| octets[44] = 1), FindingCode::SCT_INVALID);
    assert_code(&of(&|octets| *octets.last_mut().expect("octets") ^= 1), FindingCode::SCT_INVALID);
    assert_code(&of(&|octets| octets[0] = 1), FindingCode::SCT_MALFORMED);
    assert_code(&of(&|octets| octets.push(0)), FindingCode::SCT_MALFORMED);
    assert_code(&verify_certified(|_, _| vec![4, 2, 0, 0]), FindingCode::SCT_MALFORMED);

    let at = |time| verify_certified(|world, log| timestamp_list(&[log.timestamp(world, time)]));
    assert_code(&at(NOW.plus_seconds(3_600)), FindingCode::SCT_FUTURE);
    assert_code(&at(UnixSeconds::new(1_760_000_000)), FindingCode::SCT_WINDOW);

    // One of several suffices, and a stranger's does not.
    let strangers = |world: &World| CertificateLog::new().timestamp(world, issued);
    let both = verify_certified(|world, log| {
        timestamp_list(&[strangers(world), log.timestamp(world, issued)])
    });
    assert_verified(&both);
    let stranger = verify_certified(|world, _| timestamp_list(&[strangers(world)]));
    assert_code(&stranger, FindingCode::SCT_LOG_NOT_TRUSTED);
    let many =
        verify_certified(|world, log| timestamp_list(&vec![log.timestamp(world, issued); 9]));
    assert_code(&many, FindingCode::SCT_MALFORMED);

    // A timestamp of another certificate.
    let other = World::with_algorithm(NewKey::P256);
    let moved = verify_certified(|_, log| timestamp_list(&[log.timestamp(&other, issued)]));
    assert_code(&moved, FindingCode::SCT_INVALID);
}

#[test]
fn refuses_entries_about_other_things() {
    let logged = Logged::new();
    let mismatch = |report: &Report, what: &str| {
        assert_code(report, FindingCode::LOG_ENTRY_MISMATCH);
        let about = report.decisive().and_then(|finding| finding.subject.as_deref());
        assert_eq!(about, Some(what), "{:#?}", report.findings());
    };
    let body = |change: &dyn Fn(&mut Value)| {
        let mut body: Value =
            serde_json::from_slice(&Kind::HashedRekordV2.body(&logged.bundle)).expect("JSON");
        change(&mut body["spec"]["hashedRekordV002"]);
        logged.verify(&[logged.log.entry(body.to_string().as_bytes(), None)])
    };
    let signature =
        body(&|spec| spec["signature"]["content"] = flipped(&spec["signature"]["content"]));
    mismatch(&signature, "signature");
    let certificate = body(&|spec| {
        let raw = &mut spec["signature"]["verifier"]["x509Certificate"]["rawBytes"];
        *raw = flipped(raw);
    });
    mismatch(&certificate, "certificate");
    let key = body(&|spec| {
        spec["signature"]["verifier"] = json!({ "publicKey": { "rawBytes": "MAA=" } });
    });
    mismatch(&key, "certificate");
    let digest = body(&|spec| spec["data"]["digest"] = flipped(&spec["data"]["digest"]));
    mismatch(&digest, "digest");
    let kind = logged.changed(None, |entry| entry["kindVersion"]["version"] = json!("0.0.1"));
    mismatch(&kind, "kindVersion");

    // The genuine entry of another file by the same signer.
    let other = logged.world.sign(b"another program", Some(SIGNED));
    let entry = logged.log.entry(&Kind::HashedRekordV2.body(&other), None);
    mismatch(&logged.verify(&[entry]), "signature");

    // An envelope's payload.
    let envelope = logged.world.attest("app", FILE, Some(SIGNED));
    for kind in [Kind::Dsse, Kind::IntotoV1, Kind::IntotoV2] {
        let mut body: Value = serde_json::from_slice(&kind.body(&envelope)).expect("JSON");
        let spec = &mut body["spec"];
        let holder = if kind == Kind::Dsse { spec } else { &mut spec["content"] };
        holder["payloadHash"]["value"] = json!("00".repeat(32));
        let entry = logged.log.entry(body.to_string().as_bytes(), None);
        mismatch(&logged.verify_bundle(&with_entries(&envelope, &[entry])), "digest");
    }
}

#[test]
fn refuses_entries_that_it_cannot_read() {
    let logged = Logged::new();
    let of = |body: &str| {
        let mut entry = logged.log.entry(body.as_bytes(), None);
        entry["kindVersion"] = json!({ "kind": "hashedrekord", "version": "0.0.2" });
        logged.verify(&[entry])
    };
    assert_code(&of("{}"), FindingCode::LOG_ENTRY_MALFORMED);
    assert_code(&of("no JSON"), FindingCode::LOG_ENTRY_MALFORMED);
    let unknown = of(r#"{"apiVersion":"0.0.9","kind":"hashedrekord","spec":{}}"#);
    assert_code(&unknown, FindingCode::LOG_ENTRY_UNSUPPORTED);
    assert_eq!(unknown.verdict(), Verdict::NotChecked);
}

#[test]
fn refuses_proofs_that_do_not_hold() {
    let logged = Logged::new();
    let proof = |change: &dyn Fn(&mut Value)| {
        logged.changed(None, |entry| change(&mut entry["inclusionProof"]))
    };
    let invalid = FindingCode::LOG_PROOF_INVALID;
    assert_code(&proof(&|proof| proof["hashes"][1] = flipped(&proof["hashes"][1])), invalid);
    assert_code(&proof(&|proof| proof["rootHash"] = flipped(&proof["rootHash"])), invalid);
    assert_code(&proof(&|proof| proof["logIndex"] = json!("5")), invalid);
    assert_code(&proof(&|proof| proof["logIndex"] = json!("13")), invalid);
    // The number outside the proof is the same, in a log with one tree.
    let elsewhere = logged.changed(None, |entry| entry["logIndex"] = json!("7"));
    assert_code(&elsewhere, FindingCode::LOG_ENTRY_MISMATCH);
    assert_code(&proof(&|proof| proof["treeSize"] = json!("0")), invalid);
    assert_code(
        &proof(&|proof| {
            proof["hashes"].as_array_mut().expect("hashes").pop();
        }),
        invalid,
    );
    let malformed = FindingCode::BUNDLE_MALFORMED;
    assert_code(&proof(&|proof| proof["hashes"][0] = json!("AAAA")), malformed);
    assert_code(&proof(&|proof| proof["treeSize"] = json!("-1")), malformed);
    assert_code(&proof(&|proof| proof["treeSize"] = json!("013")), malformed);
    let many = vec![json!("A".repeat(43) + "="); 65];
    assert_code(&proof(&|proof| proof["hashes"] = json!(many)), FindingCode::BUNDLE_TOO_MANY_PARTS);

    let absent = logged.changed(None, |entry| {
        entry.as_object_mut().expect("an entry").remove("inclusionProof");
    });
    assert_code(&absent, FindingCode::LOG_PROOF_ABSENT);
    let absent = proof(&|proof| {
        proof.as_object_mut().expect("a proof").remove("checkpoint");
    });
    assert_code(&absent, FindingCode::LOG_PROOF_ABSENT);
}

#[test]
fn refuses_checkpoints_that_are_not_the_logs() {
    let logged = Logged::new();
    let genuine = logged.entry(None);
    let proof = &genuine["inclusionProof"];
    let root = proof["rootHash"].as_str().expect("a root hash");
    let with = |note: &str| {
        logged.changed(None, |entry| {
            entry["inclusionProof"]["checkpoint"]["envelope"] = json!(note);
        })
    };
    let text = format!("log.example\n13\n{root}\n");
    assert_verified(&with(&logged.log.note(&text, "log.example")));
    let further = format!("{text}Timestamp: 1\n");
    assert_verified(&with(&logged.log.note(&further, "log.example")));

    assert_code(&with("no note"), FindingCode::CHECKPOINT_MALFORMED);
    let stranger = Log::ed25519_with("log.example", "a stranger");
    assert_code(&with(&stranger.note(&text, "log.example")), FindingCode::CHECKPOINT_UNSIGNED);
    // A witness's signature beside the log's own; alone it says nothing.
    let both = logged.log.note(&text, "log.example")
        + stranger.note(&text, "log.example").rsplit_once("\n\n").expect("a note").1;
    assert_verified(&with(&both));

    let signed = logged.log.note(&text, "log.example");
    let forged = signed.replacen("log.example\n13", "log.example\n14", 1);
    assert_code(&with(&forged), FindingCode::CHECKPOINT_SIGNATURE);

    let origin = FindingCode::CHECKPOINT_ORIGIN;
    let other = format!("other.example\n13\n{root}\n");
    assert_code(&with(&logged.log.note(&other, "log.example")), origin);
    assert_code(&with(&logged.log.note(&text, "other.example")), origin);
    assert_code(&with(&logged.log.note(&other, "other.example")), origin);

    let larger = format!("log.example\n14\n{root}\n");
    let mismatch = FindingCode::CHECKPOINT_MISMATCH;
    assert_code(&with(&logged.log.note(&larger, "log.example")), mismatch);
    let other_root = "A".repeat(43) + "=";
    let other_tree = format!("log.example\n13\n{other_root}\n");
    assert_code(&with(&logged.log.note(&other_tree, "log.example")), mismatch);
}

#[test]
fn refuses_promises_that_do_not_hold() {
    for log in [Log::ed25519("log.example"), Log::p256("log.example")] {
        let logged = Logged::by(log);
        let changed =
            |change: &dyn Fn(&mut Value)| logged.changed(Some(SIGNED), |entry| change(entry));
        let invalid = FindingCode::LOG_PROMISE_INVALID;
        assert_code(&changed(&|entry| entry["integratedTime"] = json!("1700000000")), invalid);
        assert_code(&changed(&|entry| entry["logIndex"] = json!("1")), invalid);
        assert_code(
            &changed(&|entry| {
                let promise = &mut entry["inclusionPromise"]["signedEntryTimestamp"];
                *promise = flipped(promise);
            }),
            invalid,
        );
        // A promise without a time.
        assert_code(&changed(&|entry| entry["integratedTime"] = json!("0")), invalid);
        // A promise is checked even beside a proof that holds, in every version.
        let future = logged.entry(Some(NOW.plus_seconds(3_600)));
        assert_code(&logged.verify(&[future]), FindingCode::LOG_TIME_FUTURE);
        let early = logged.entry(Some(UnixSeconds::new(1_760_000_000)));
        assert_code(&logged.verify(&[early]), FindingCode::LOG_WINDOW);
    }
}

#[test]
fn a_promised_time_is_a_trusted_time() {
    let logged = Logged::by(Log::p256("log.example"));
    let unstamped = logged.world.sign(FILE, None);
    let entry = |promised| logged.log.entry(&Kind::HashedRekordV1.body(&unstamped), promised);
    let report = logged.verify_bundle(&with_entries(&unstamped, &[entry(Some(SIGNED))]));
    assert_verified(&report);
    assert_eq!(report.signed_by(), Some(SIGNED));
    // Without the promise the time is only said.
    let mut said = entry(Some(SIGNED));
    said.as_object_mut().expect("an entry").remove("inclusionPromise");
    let report = logged.verify_bundle(&with_entries(&unstamped, &[said]));
    assert_code(&report, FindingCode::TIMESTAMP_ABSENT);
    // Another entry's promise vouches for nothing here, and that is what the report says.
    let other = logged.log.entry(&Kind::HashedRekordV1.body(&logged.bundle), Some(SIGNED));
    let report = logged.verify_bundle(&with_entries(&unstamped, &[other]));
    assert_code(&report, FindingCode::LOG_ENTRY_MISMATCH);
    // Nor does a log that nobody looks at.
    let off = with_entries(&unstamped, &[entry(Some(SIGNED))]);
    let report = logged.verify_under(r#""transparency":"off""#, &off);
    assert_code(&report, FindingCode::TIMESTAMP_ABSENT);
    // A log and a timestamp authority are two who vouch, one log twice is one.
    let two = r#""timestamps":{"required":2}"#;
    let both = with_entries(&logged.bundle, &[logged.entry(Some(SIGNED))]);
    assert_verified(&logged.verify_under(two, &both));
    let twice = with_entries(&unstamped, &[entry(Some(SIGNED)), entry(Some(SIGNED))]);
    assert_code(&logged.verify_under(two, &twice), FindingCode::TIMESTAMP_ABSENT);
}

#[test]
fn a_promised_time_outside_the_certificates_validity_is_refused() {
    let logged = Logged::by(Log::p256("log.example"));
    let unstamped = logged.world.sign(FILE, None);
    let before = NOW.minus_seconds(10 * 86_400);
    let entry = logged.log.entry(&Kind::HashedRekordV1.body(&unstamped), Some(before));
    let report = logged.verify_bundle(&with_entries(&unstamped, &[entry]));
    assert_code(&report, FindingCode::CERTIFICATE_NOT_YET_VALID);
}

#[test]
fn an_old_bundle_may_come_with_a_promise_alone() {
    let logged = Logged::by(Log::p256("log.example"));
    let mut entry = logged.entry(Some(SIGNED));
    entry.as_object_mut().expect("an entry").remove("inclusionProof");
    let bundle = with_entries(&logged.bundle, &[entry]);
    assert_code(&logged.verify_bundle(&bundle), FindingCode::LOG_PROOF_ABSENT);
    let mut old: Value = serde_json::from_slice(&bundle).expect("JSON");
    old["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1");
    assert_verified(&logged.verify_bundle(old.to_string().as_bytes()));
    old["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2");
    let report = logged.verify_bundle(old.to_string().as_bytes());
    assert_code(&report, FindingCode::LOG_PROOF_ABSENT);
}

#[test]
fn one_good_entry_suffices() {
    let logged = Logged::new();
    let mut bad = logged.entry(None);
    bad["inclusionProof"]["logIndex"] = json!("5");
    let report = logged.verify(&[bad, logged.entry(None)]);
    assert_verified(&report);
    assert!(has(&report, FindingCode::LOG_ENTRY_IGNORED));
    let many: Vec<Value> = (0..9).map(|_| logged.entry(None)).collect();
    assert_code(&logged.verify(&many), FindingCode::BUNDLE_TOO_MANY_PARTS);
}

#[test]
fn a_log_is_believed_within_its_window_only() {
    let mut logged = Logged::new();
    let with = |start: &str, end: &str, log: &Log| {
        let mut trusted = log.trusted();
        trusted["publicKey"]["validFor"] = json!({ "start": start, "end": end });
        trusted
    };
    let bundle = with_entries(&logged.bundle, &[logged.entry(None)]);
    // Retired after the signature was stamped: still believed. Before: not.
    let retired = with("2026-01-01T00:00:00Z", "2026-11-23T11:30:00Z", &logged.log);
    list(&mut logged.world, &[retired], &[]);
    assert_verified(&logged.verify_bundle(&bundle));
    let long_retired = with("2026-01-01T00:00:00Z", "2026-11-22T00:00:00Z", &logged.log);
    list(&mut logged.world, &[long_retired], &[]);
    assert_code(&logged.verify_bundle(&bundle), FindingCode::LOG_WINDOW);
    let stranger = Log::ed25519_with("log.example", "a stranger").trusted();
    list(&mut logged.world, &[stranger], &[]);
    assert_code(&logged.verify_bundle(&bundle), FindingCode::LOG_NOT_TRUSTED);
}

#[test]
fn trust_roots_with_malformed_logs_are_refused() {
    let logged = Logged::new();
    let root = |change: &dyn Fn(&mut Value)| {
        let mut root: Value = serde_json::from_str(&logged.world.trusted_root).expect("JSON");
        change(&mut root["tlogs"][0]);
        countersign_core::trust::TrustRoot::decode(root.to_string().as_bytes())
    };
    assert!(root(&|_| ()).is_ok());
    assert!(root(&|log| log["publicKey"]["keyDetails"] = json!("A_KEY_OF_TOMORROW")).is_ok());
    let changes: [&dyn Fn(&mut Value); 6] = [
        &|log| log["hashAlgorithm"] = json!("SHA2_512"),
        &|log| log["logId"]["keyId"] = json!("AAAA"),
        &|log| log["checkpointKeyId"] = json!({ "keyId": "AAAA" }),
        &|log| log["publicKey"]["keyDetails"] = json!("PKIX_ECDSA_P256_SHA_256"),
        &|log| log["publicKey"]["rawBytes"] = json!("AAAA"),
        &|log| log["surprise"] = json!(1),
    ];
    for change in changes {
        let code = root(change).map(|_| ()).map_err(|finding| finding.code);
        assert_eq!(code, Err(FindingCode::TRUST_ROOT_MALFORMED));
    }
}

/// A promise, a proof and a checkpoint at once: no octet of the entry may change unnoticed.
#[test]
fn no_bit_of_a_log_entry_can_change() {
    let logged = Logged::new();
    let genuine = with_entries(&logged.bundle, &[logged.entry(Some(SIGNED))]);
    let report = logged.verify_bundle(&genuine);
    assert_verified(&report);
    let text = String::from_utf8(genuine.clone()).expect("JSON");
    let start = text.find("\"timestampVerificationData\"").expect("a timestamp");
    let end = start + text[start..].find(']').expect("its end");
    for position in (0..genuine.len()).filter(|position| !(start..end).contains(position)) {
        let mut mutant = genuine.clone();
        mutant[position] ^= 1 << (position % 8);
        let seen = logged.verify_bundle(&mutant);
        let finding = seen.decisive().unwrap_or_else(|| {
            let around = &text[position.saturating_sub(20)..(position + 20).min(text.len())];
            panic!("octet {position} may change: {around}")
        });
        assert!(matches!(finding.code.class(), Class::Danger | Class::NotChecked), "{finding:?}");
        let prefixes =
            ["bundle.", "content.", "signature.", "certificate.", "timestamp.", "transparency."];
        let code = finding.code.code();
        assert!(prefixes.iter().any(|prefix| code.starts_with(prefix)), "{position}: {code}");
    }
}
