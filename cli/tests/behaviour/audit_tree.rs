//! `audit`: a ledger as a service writes it today, whole and tampered with, and proofs of its records.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use countersign_ledger::{
    Appender, Disk, Durability, Head, NewRecord, Options, Proof, integrate, lines, open,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Run, World, clean};

/// When the tests' ledgers begin: 2026-11-23T07:00:00Z.
const BEGIN: u64 = 1_795_417_200;

fn opened(folder: &Path) -> Appender {
    let options =
        Options { name: "timestamp", durability: Durability::Relaxed, segment_bytes: 1 << 20 };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN);
    open(folder, options, Box::new(Disk), now).expect("opens").appender
}

/// Appends tokens with these serial numbers, a minute after the other, one at a time.
fn append(appender: &mut Appender, serials: std::ops::Range<u64>) -> Head {
    for serial in serials {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN + serial * 60);
        let record = json!({ "serial": format!("{serial:x}") }).to_string();
        appender.append([NewRecord { kind: "token", record: &record }], now).expect("kept");
    }
    appender.head()
}

fn tile(folder: &Path, appender: &mut Appender) {
    appender.seal().expect("sealed");
    let sealed = appender.take_sealed();
    integrate(folder, appender.identity(), &sealed, None).expect("on tiles");
}

/// A ledger of 400 records, 351 of them on tiles, and its head after 300.
fn ledger() -> (TempDir, Head) {
    let folder = tempfile::tempdir().expect("folder");
    let audit = folder.path().join("audit");
    let mut appender = opened(&audit);
    let noted = append(&mut appender, 1..301);
    append(&mut appender, 301..351);
    tile(&audit, &mut appender);
    append(&mut appender, 351..400);
    (folder, noted)
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    clean(&mut command, &std::env::temp_dir());
    command.current_dir(folder).env("XDG_STATE_HOME", folder.join("state")).arg("audit");
    Run::of(command.args(arguments).output().expect("runs"))
}

#[track_caller]
fn assert_fault(folder: &Path, code: &str, exit_code: i32, place: &str) {
    let run = run(folder, &["verify", "audit", "--format", "json"]).exits_with(exit_code);
    assert_eq!(run.finding(), code);
    let subject = run.json()["error"]["subject"].as_str().expect("a place").to_owned();
    assert!(subject.ends_with(place), "{subject}");
}

#[test]
fn a_whole_ledger_is_verified_with_every_head_that_was_noted() {
    let (folder, noted) = ledger();
    let result = run(folder.path(), &["verify", "audit", "--format", "json"]).succeeds().json();
    let result = &result["result"];
    assert_eq!(
        (result["records"].as_u64(), result["head_sequence"].as_u64()),
        (Some(400), Some(399))
    );
    let text = run(folder.path(), &["verify", "audit"]).succeeds().stdout;
    assert!(text.contains("whole") && text.contains("400 in 3 files"), "{text}");
    let hash = noted.hash.to_string();
    let expected = ["verify", "audit", "--expect-head", &hash, "--format", "json"];
    let result = run(folder.path(), &expected).succeeds().json();
    assert_eq!(result["result"]["records_after_expected_head"], 99);
    assert_eq!(result["result"]["memory"], "held");
}

#[test]
fn each_way_of_tampering_has_its_code_its_file_and_its_record() {
    let bundle = "audit/tile/entries/000";
    let change = |folder: &Path, name: &str, from: &str, to: &str| {
        let path = folder.join(name);
        let mut octets = fs::read(&path).expect("read");
        let at = octets.windows(from.len()).position(|part| part == from.as_bytes());
        let at = at.expect("there");
        octets[at..at + to.len()].copy_from_slice(to.as_bytes());
        fs::write(path, octets).expect("written");
    };
    let (folder, _) = ledger();
    change(folder.path(), bundle, "\"serial\":\"4d\"", "\"serial\":\"4e\"");
    assert_fault(folder.path(), "audit.line.altered", 10, "tile/entries/000, record 78");
    let (folder, _) = ledger();
    change(folder.path(), bundle, "\"sequence\":77", "\"sequence\":78");
    assert_fault(folder.path(), "audit.sequence.broken", 10, "tile/entries/000, record 78");
    let (folder, _) = ledger();
    change(folder.path(), bundle, "\"kind\":\"token\"", "\"kind\":\"Token\"");
    assert_fault(folder.path(), "audit.line.malformed", 10, "tile/entries/000, record 2");
    let (folder, _) = ledger();
    fs::remove_file(folder.path().join(bundle)).expect("removed");
    assert_fault(folder.path(), "audit.file.missing", 10, "tile/entries/000");
    let (folder, _) = ledger();
    let pending = folder.path().join("audit/pending/00000000000000000351");
    let octets = fs::read(&pending).expect("read");
    fs::write(&pending, &octets[..octets.len() - 3]).expect("written");
    assert_fault(folder.path(), "audit.line.incomplete", 3, "pending/00000000000000000351");
    let (folder, _) = ledger();
    change(folder.path(), "audit/checkpoint", "351", "350");
    assert_eq!(
        run(folder.path(), &["verify", "audit", "--format", "json"]).exits_with(10).finding(),
        "audit.file.missing"
    );
}

#[test]
fn a_ledger_whose_end_was_cut_off_lacks_the_head_that_was_seen() {
    let (folder, _) = ledger();
    run(folder.path(), &["verify", "audit"]).succeeds();
    fs::remove_file(folder.path().join("audit/pending/00000000000000000351")).expect("removed");
    run(folder.path(), &["verify", "audit", "--no-memory"]).succeeds();
    for command in ["verify", "show", "head"] {
        let text = run(folder.path(), &[command, "audit"]).exits_with(10);
        let said = format!("{}{}", text.stdout, text.stderr);
        assert!(said.contains("audit.head.missing"), "{said}");
    }
}

#[test]
fn archived_bundles_are_proved_by_the_tiles_and_heads_are_compared_all_the_same() {
    let (folder, noted) = ledger();
    let audit = folder.path().join("audit");
    let mut appender = opened(&audit);
    append(&mut appender, 400..800);
    tile(&audit, &mut appender);
    fs::remove_file(audit.join("tile/entries/001")).expect("removed");
    assert_fault(folder.path(), "audit.file.missing", 10, "tile/entries/001");
    let hash = noted.hash.to_string();
    let archived = ["verify", "audit", "--archived", "--expect-head", &hash];
    let text = run(folder.path(), &archived).succeeds().stdout;
    assert!(text.contains("256 more records are not here"), "{text}");
    let other = "0".repeat(64);
    run(folder.path(), &["verify", "audit", "--archived", "--expect-head", &other]).exits_with(10);
}

#[test]
fn shows_records_as_they_are_in_the_files() {
    let (folder, _) = ledger();
    let show = |arguments: &[&str]| {
        run(folder.path(), &[&["show", "audit"], arguments].concat()).succeeds().stdout
    };
    let text = show(&["--serial", "16d"]);
    let expected = "{\"sequence\":365,\"time\":\"2026-11-23T13:05:00.000Z\",\"kind\":\"token\",\
                    \"record\":{\"serial\":\"16d\"}}\n";
    assert_eq!(text, expected);
    assert_eq!(show(&["--kind", "ledger.begun"]).lines().count(), 1);
    assert_eq!(show(&["--last", "3"]).lines().count(), 4);
}

#[test]
fn one_record_is_proved_to_somebody_who_noted_a_head_and_has_nothing_else() {
    let (folder, noted) = ledger();
    let hash = noted.hash.to_string();
    let there = |record: &str| {
        let arguments = [
            "prove",
            "audit",
            "--record",
            record,
            "--output",
            "proof",
            "--force",
            "--expect-head",
            &hash,
        ];
        run(folder.path(), &arguments)
    };
    for record in [0, 7, 256, 300] {
        let text = there(&record.to_string()).succeeds().stdout;
        assert!(text.contains(&format!("number {record}\n")), "{text}");
        // What no hash binds is not called proved.
        assert!(
            text.contains("unproven:  that the ledger is countersign-audit/timestamp/"),
            "{text}"
        );
        let elsewhere = tempfile::tempdir().expect("folder");
        fs::copy(folder.path().join("proof"), elsewhere.path().join("proof")).expect("copied");
        let verify = ["verify", "proof", "--expect-head", &hash, "--format", "json"];
        let result = run(elsewhere.path(), &verify).succeeds().json();
        let result = &result["result"];
        assert_eq!(
            (&result["head"], &result["record"]["sequence"]),
            (&json!(hash), &json!(record))
        );
        assert_eq!(result["unproven"]["tree_size"], 301);

        // Another head, another record, no head.
        let other = "0".repeat(64);
        let wrong = ["verify", "proof", "--expect-head", &other, "--format", "json"];
        assert_eq!(run(elsewhere.path(), &wrong).exits_with(10).finding(), "audit.head.missing");
        let path = elsewhere.path().join("proof");
        let mut proof = Proof::decode(&fs::read_to_string(&path).expect("read")).expect("a proof");
        proof.record = proof.record.to_ascii_uppercase();
        fs::write(&path, proof.text()).expect("written");
        assert_eq!(run(elsewhere.path(), &verify).exits_with(10).finding(), "audit.line.altered");
        fs::write(&path, "garbage").expect("written");
        assert_eq!(
            run(elsewhere.path(), &verify).exits_with(3).finding(),
            "setup.input.unreadable"
        );
        run(elsewhere.path(), &["verify", "proof"]).exits_with(2);
    }
    // What came after the head that was noted is not in its tree.
    let later = there("301").exits_with(3);
    assert!(later.stderr.contains("audit.record.missing"), "{}", later.stderr);
    let newest = ["prove", "audit", "--record", "399", "--output", "newest"];
    run(folder.path(), &newest).succeeds();
    run(folder.path(), &newest).exits_with(3);
}

/// A ledger of format 1 in one file, with its last line's hash.
fn old_ledger(folder: &Path) -> (PathBuf, String) {
    fs::create_dir_all(folder).expect("made");
    let (mut text, id) = (Vec::new(), "0123456789abcdef0123456789abcdef");
    let record = json!({ "ledger": "timestamp", "id": id, "format": 1, "file": 1 }).to_string();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN - 100);
    let none = countersign_ledger::Hash::NONE;
    let first = lines::encode_line(&mut text, 0, now, lines::FILE_KIND, &record, &none);
    let last = lines::encode_line(&mut text, 1, now, "token", "{\"serial\":\"0a\"}", &first);
    let path = folder.join(lines::file_name(1));
    fs::write(&path, text).expect("written");
    (path, last.to_string())
}

#[test]
fn a_ledger_that_was_seen_in_format_1_is_the_same_one_after_it_went_on() {
    let folder = tempfile::tempdir().expect("folder");
    let audit = folder.path().join("audit");
    let (file, head) = old_ledger(&audit);
    run(folder.path(), &["verify", "audit"]).succeeds();
    append(&mut opened(&audit), 1..5);
    let text = run(folder.path(), &["verify", "audit"]).succeeds().stdout;
    assert!(text.contains("is there, 5 records before the end"), "{text}");
    run(folder.path(), &["verify", "audit", "--expect-head", &head]).succeeds();
    let shown = run(folder.path(), &["show", "audit", "--kind", "token"]).succeeds().stdout;
    assert_eq!(shown.lines().count(), 5);
    fs::remove_file(file).expect("removed");
    assert_fault(folder.path(), "audit.file.missing", 10, "audit-000001.jsonl");
    run(folder.path(), &["verify", "audit", "--after", &format!("1:{head}")]).succeeds();
}

#[test]
fn a_head_is_signed_and_expected_by_its_file() {
    let world = World::new();
    let audit = world.file("audit");
    let mut appender = opened(&audit);
    let head = append(&mut appender, 1..20);
    let signed = world.keyed(&[
        "--format",
        "json",
        "audit",
        "head",
        "audit",
        "--output",
        "head.json",
        "--key",
        "signer.key",
        "--certificate",
        "signer.pem",
        "--trusted-root",
        "trusted_root.json",
        "--no-revocation-check",
    ]);
    assert_eq!(signed.succeeds().json()["result"]["head"], head.hash.to_string());
    let file: Value = serde_json::from_slice(&world.read("head.json")).expect("JSON");
    assert_eq!((&file["sequence"], &file["hash"]), (&json!(19), &json!(head.hash.to_string())));
    world.verify(&["head.json"]).succeeds();
    append(&mut appender, 20..30);
    let verified =
        world.json(&["audit", "verify", "audit", "--expect-head", "head.json"]).succeeds();
    assert_eq!(verified.json()["result"]["records_after_expected_head"], 10);
}
