//! `audit`: a ledger of format 1, as earlier versions wrote it, whole and tampered with.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use countersign_ledger::{
    Hash,
    lines::{FILE_KIND, encode_line, file_name},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Run, World, clean};

/// Two files with four tokens each, one a minute, and the hash of each line.
fn ledger() -> (TempDir, Vec<Hash>) {
    let folder = tempfile::tempdir().expect("folder");
    let hashes = write(folder.path(), "1.2.3");
    (folder, hashes)
}

/// The same with another policy in each token: the same numbers, times and ledger, another chain.
fn write(folder: &Path, policy: &str) -> Vec<Hash> {
    let mut hashes: Vec<Hash> = Vec::new();
    for number in 1..=2 {
        let mut text = Vec::new();
        let mut add = |kind: &str, record: &Value| {
            let (sequence, previous) =
                (hashes.len() as u64, hashes.last().copied().unwrap_or(Hash::NONE));
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_417_200 + sequence * 60);
            let record = record.to_string();
            hashes.push(encode_line(&mut text, sequence, time, kind, &record, &previous));
        };
        let id = "0123456789abcdef0123456789abcdef";
        add(FILE_KIND, &json!({ "ledger": "timestamp", "id": id, "format": 1, "file": number }));
        for serial in 1..=4 {
            add("token", &json!({ "serial": format!("0a{number}{serial}"), "policy": policy }));
        }
        fs::write(folder.join(file_name(number)), text).expect("written");
    }
    hashes
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    clean(&mut command, &std::env::temp_dir());
    // What was seen of one test's ledger is nothing to another's, which has the same number.
    command.env("XDG_STATE_HOME", folder.join("state"));
    command.arg("audit").arg(arguments[0]).arg(folder).args(&arguments[1..]);
    Run::of(command.output().expect("runs"))
}

fn edit(folder: &Path, number: u64, change: impl FnOnce(&mut Vec<String>)) {
    let path = folder.join(file_name(number));
    let text = fs::read_to_string(&path).expect("read");
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    change(&mut lines);
    fs::write(path, lines.concat()).expect("written");
}

#[track_caller]
fn assert_fault(folder: &Path, code: &str, exit_code: i32, place: &str) {
    let run = run(folder, &["verify", "--format", "json"]).exits_with(exit_code);
    assert_eq!(run.finding(), code);
    let subject = run.json()["error"]["subject"].as_str().expect("a place").to_owned();
    assert!(subject.ends_with(place), "{subject}");
}

#[test]
fn a_whole_ledger_is_verified_and_its_head_printed() {
    let (folder, hashes) = ledger();
    let head = hashes[9].to_string();
    let result = run(folder.path(), &["verify", "--format", "json"]).succeeds().json();
    let result = &result["result"];
    assert_eq!(result["head"], head);
    assert_eq!((result["records"].as_u64(), result["files"].as_u64()), (Some(10), Some(2)));
    let text = run(folder.path(), &["verify"]).succeeds().stdout;
    assert!(
        text.contains("whole") && text.contains(&head) && text.contains("--expect-head"),
        "{text}"
    );
    // What sha256sum says of the last line.
    let last = folder.path().join(file_name(2));
    let shell = format!("tail -n 1 '{}' | sha256sum", last.display());
    let summed = Command::new("sh").args(["-c", &shell]).output().expect("runs");
    assert!(String::from_utf8_lossy(&summed.stdout).starts_with(&head));
}

#[test]
fn each_way_of_tampering_has_its_code_its_file_and_its_line() {
    let (folder, _) = ledger();
    edit(folder.path(), 1, |lines| lines[2] = lines[2].replace("0a12", "0a19"));
    assert_fault(folder.path(), "audit.line.altered", 10, "audit-000001.jsonl, line 3");
    let (folder, _) = ledger();
    edit(folder.path(), 1, |lines| lines[2] = lines[2].replace("token", "tok\"n"));
    assert_fault(folder.path(), "audit.line.malformed", 10, "audit-000001.jsonl, line 3");
    let (folder, _) = ledger();
    edit(folder.path(), 2, |lines| drop(lines.remove(2)));
    assert_fault(folder.path(), "audit.sequence.broken", 10, "audit-000002.jsonl, line 3");
    let (folder, _) = ledger();
    edit(folder.path(), 2, |lines| lines.swap(1, 2));
    assert_fault(folder.path(), "audit.sequence.broken", 10, "audit-000002.jsonl, line 2");
    let (folder, _) = ledger();
    edit(folder.path(), 2, |lines| lines[4].truncate(20));
    assert_fault(folder.path(), "audit.line.incomplete", 3, "audit-000002.jsonl, line 5");
    edit(folder.path(), 1, |lines| lines[4].truncate(20));
    assert_fault(folder.path(), "audit.file.cut", 10, "audit-000001.jsonl, line 5");
    let (folder, _) = ledger();
    fs::remove_file(folder.path().join(file_name(1))).expect("removed");
    assert_fault(folder.path(), "audit.file.missing", 10, "audit-000001.jsonl");
    let (folder, _) = ledger();
    fs::rename(folder.path().join(file_name(2)), folder.path().join(file_name(1))).expect("moved");
    assert_fault(folder.path(), "audit.sequence.broken", 10, "audit-000001.jsonl, line 1");
    let (folder, _) = ledger();
    edit(folder.path(), 1, |lines| {
        lines.truncate(1);
        lines[0] = lines[0].replace("\"format\":1", "\"format\":9");
    });
    fs::remove_file(folder.path().join(file_name(2))).expect("removed");
    assert_fault(folder.path(), "audit.format.unknown", 3, "audit-000001.jsonl, line 1");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("made");
    assert_fault(&empty, "audit.not-found", 3, "empty");
    assert_fault(&folder.path().join("none"), "setup.input.unreadable", 3, "none");
}

#[test]
fn a_ledger_cut_at_its_end_is_found_by_the_head_that_was_noted() {
    let (folder, hashes) = ledger();
    let (head, earlier) = (hashes[9].to_string(), hashes[4].to_string());
    let noted = run(folder.path(), &["verify", "--expect-head", &earlier, "--format", "json"]);
    assert_eq!(noted.succeeds().json()["result"]["records_after_expected_head"], 5);
    edit(folder.path(), 2, |lines| drop(lines.pop()));
    run(folder.path(), &["verify", "--no-memory"]).succeeds();
    let cut = run(folder.path(), &["verify", "--expect-head", &head, "--format", "json"]);
    assert_eq!(cut.exits_with(10).finding(), "audit.head.missing");
    let usage = run(folder.path(), &["verify", "--expect-head", "abc"]).exits_with(2);
    assert!(usage.stderr.contains("64"), "{}", usage.stderr);
}

#[test]
fn a_ledger_that_lost_what_was_seen_of_it_is_found_by_default() {
    let (folder, hashes) = ledger();
    let first = run(folder.path(), &["verify"]).succeeds().stdout;
    assert!(first.contains("never before"), "{first}");
    let again = run(folder.path(), &["show", "--format", "json"]).succeeds().json();
    let summary = &again["result"]["summary"];
    assert_eq!(summary["memory"], "held");
    assert_eq!(summary["seen"]["hash"], hashes[9].to_string());
    // Cut at its end, written anew, or both.
    for tamper in [
        |folder: &Path| edit(folder, 2, |lines| drop(lines.pop())),
        |folder: &Path| drop(write(folder, "1.2.4")),
        |folder: &Path| {
            write(folder, "1.2.4");
            fs::remove_file(folder.join(file_name(2))).expect("removed");
        },
    ] {
        write(folder.path(), "1.2.3");
        tamper(folder.path());
        run(folder.path(), &["verify", "--no-memory"]).succeeds();
        for command in ["verify", "show", "head"] {
            let text = run(folder.path(), &[command]).exits_with(10);
            let said = format!("{}{}", text.stdout, text.stderr);
            assert!(said.contains("audit.head.missing") && said.contains("seen at 2"), "{said}");
        }
        let found = run(folder.path(), &["verify", "--format", "json"]).exits_with(10);
        assert_eq!(found.finding(), "audit.head.missing");
        let expected = found.json()["error"]["expected"].as_str().expect("it").to_owned();
        assert!(expected.contains(&hashes[9].to_string()), "{expected}");
    }
    // What is wrong is not what is remembered.
    write(folder.path(), "1.2.3");
    run(folder.path(), &["verify"]).succeeds();
}

#[test]
fn a_ledger_that_grew_or_was_archived_is_the_one_that_was_seen() {
    let (folder, hashes) = ledger();
    let second = folder.path().join(file_name(2));
    let later = fs::read(&second).expect("read");
    fs::remove_file(&second).expect("removed");
    run(folder.path(), &["verify"]).succeeds();
    fs::write(&second, later).expect("written");
    let grown = run(folder.path(), &["verify"]).succeeds().stdout;
    assert!(grown.contains("is there, 5 records before the end"), "{grown}");
    // The first file ends with the line before: the second names it, and what is remembered is later.
    fs::remove_file(folder.path().join(file_name(1))).expect("removed");
    let after = format!("4:{}", hashes[4]);
    let archived = ["verify", "--after", &after, "--format", "json"];
    let result = run(folder.path(), &archived).succeeds().json();
    assert_eq!(result["result"]["memory"], "held");
}

#[test]
fn a_head_in_an_archived_file_is_said_not_to_be_compared() {
    let (folder, hashes) = ledger();
    let second = folder.path().join(file_name(2));
    let later = fs::read(&second).expect("read");
    fs::remove_file(&second).expect("removed");
    edit(folder.path(), 1, |lines| drop(lines.pop()));
    run(folder.path(), &["verify"]).succeeds();
    fs::remove_file(folder.path().join(file_name(1))).expect("removed");
    fs::write(&second, later).expect("written");
    let after = format!("4:{}", hashes[4]);
    let text = run(folder.path(), &["verify", "--after", &after]).succeeds().stdout;
    assert!(text.contains("(record number 3) is in an archived file"), "{text}");
}

#[test]
fn what_is_remembered_is_its_owners_and_needs_a_home() {
    let (folder, _) = ledger();
    run(folder.path(), &["verify"]).succeeds();
    let heads = folder.path().join("state/countersign/ledgers");
    let all = fs::read_dir(&heads).expect("a folder").flatten();
    // Beside it is the folder's lock.
    let files: Vec<_> = all.filter(|entry| entry.file_name() != ".lock").collect();
    let [file] = files.as_slice() else { panic!("not one file: {files:?}") };
    let mode = file.metadata().expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::write(file.path(), "garbage").expect("written");
    assert_fault(folder.path(), "setup.input.unreadable", 3, ".json");
    run(folder.path(), &["verify", "--no-memory"]).succeeds();

    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    clean(&mut command, folder.path());
    command.env_remove("HOME").args(["audit", "verify"]).arg(folder.path());
    let run = Run::of(command.output().expect("runs")).succeeds();
    assert!(run.stderr.contains("not remembered"), "{}", run.stderr);
}

#[test]
fn another_ledger_in_the_same_folder_is_refused_until_the_first_one_is_forgotten() {
    let (folder, _) = ledger();
    run(folder.path(), &["verify"]).succeeds();
    for number in [1, 2] {
        fs::remove_file(folder.path().join(file_name(number))).expect("removed");
    }
    let mut text = Vec::new();
    let record = json!({ "ledger": "timestamp", "id": "new", "format": 1, "file": 1 }).to_string();
    encode_line(&mut text, 0, SystemTime::now(), FILE_KIND, &record, &Hash::NONE);
    fs::write(folder.path().join(file_name(1)), text).expect("written");
    let verify = ["verify", "--format", "json"];
    for _ in 0..2 {
        let refused = run(folder.path(), &verify).exits_with(10);
        assert_eq!(refused.finding(), "audit.head.missing");
    }
    let error = run(folder.path(), &verify).json()["error"].clone();
    let expected = error["expected"].as_str().expect("it");
    assert!(expected.contains("0123456789abcdef0123456789abcdef"), "{expected}");
    let (_, file) = error["found"].as_str().expect("it").split_once("remove ").expect("a file");
    fs::remove_file(file).expect("it is there");
    for _ in 0..2 {
        run(folder.path(), &["verify"]).succeeds();
    }
}

#[test]
fn a_head_is_printed_and_signed_and_expected_by_its_file() {
    let world = World::new();
    fs::create_dir(world.file("audit")).expect("made");
    let hashes = write(&world.file("audit"), "1.2.3");
    let head = hashes[9].to_string();
    let printed = world.run(&["audit", "head", "audit"]).succeeds().stdout;
    assert!(printed.contains(&head) && printed.contains("record number 9"), "{printed}");
    world.run(&["audit", "head", "audit", "--key", "signer.key"]).exits_with(2);

    let sign = |more: &[&str]| {
        let fixed = ["--format", "json", "audit", "head", "audit", "--output", "head.json"];
        let signer = ["--key", "signer.key", "--certificate", "signer.pem"];
        let root = ["--trusted-root", "trusted_root.json", "--no-revocation-check"];
        world.keyed(&[&fixed[..], &signer, &root, more].concat())
    };
    let signed = sign(&[]).succeeds().json();
    assert_eq!(signed["result"]["head"], head);
    assert_eq!(signed["result"]["signed"]["bundle"], "head.json.sigstore.json");
    let file: Value = serde_json::from_slice(&world.read("head.json")).expect("JSON");
    assert_eq!(
        (&file["type"], &file["hash"]),
        (&json!("urn:countersign:audit-head:v1"), &json!(head))
    );
    assert_eq!(file["sequence"], 9);
    world.verify(&["head.json"]).succeeds();
    let verify = |expected: &str| {
        world.json(&["audit", "verify", "audit", "--no-memory", "--expect-head", expected])
    };
    assert_eq!(verify("head.json").succeeds().json()["result"]["records_after_expected_head"], 0);

    // It replaces nothing unasked, and what could not be signed is not there.
    sign(&[]).exits_with(3);
    sign(&["--force"]).succeeds();
    fs::remove_file(world.file("head.json")).expect("removed");
    fs::remove_file(world.file("head.json.sigstore.json")).expect("removed");
    sign(&["--timestamp-url", "http://127.0.0.1:9/"]).exits_with(3);
    assert!(!world.file("head.json").exists());

    // A file that somebody signed as something else is no head.
    world.write("release.json", "{\"type\":\"release\",\"hash\":\"00\"}");
    assert_eq!(verify("release.json").exits_with(3).finding(), "setup.input.unreadable");
    sign(&[]).succeeds();
    edit(&world.file("audit"), 2, |lines| drop(lines.pop()));
    assert_eq!(verify("head.json").exits_with(10).finding(), "audit.head.missing");
}

#[test]
fn a_head_is_no_release_and_a_release_no_head() {
    let world = World::new();
    fs::create_dir(world.file("audit")).expect("made");
    write(&world.file("audit"), "1.2.3");
    world.write("App.tar.gz", "a download");
    world.sign(&["--no-revocation-check", "--statement", "App.tar.gz"]).succeeds();
    let head = "audit head audit --output head.json --key signer.key --certificate signer.pem \
                --trusted-root trusted_root.json --no-revocation-check";
    world.keyed(&head.split_whitespace().collect::<Vec<_>>()).succeeds();
    let policy = |name: &str, kind: &str| {
        let identity = crate::world::IDENTITY;
        let text = format!(
            "policy init --identity {identity} --timestamps 0 --revocation off \
             --predicate-type {kind} --output {name}"
        );
        world.run(&text.split_whitespace().collect::<Vec<_>>()).succeeds();
    };
    policy("heads.json", "urn:countersign:audit-head:v1");
    policy("releases.json", "https://in-toto.io/attestation/release/v0.1");
    let verify = |policy: &str, file: &str| {
        let fixed = ["verify", "--trusted-root", "trusted_root.json", "--policy"];
        world.json(&[&fixed[..], &[policy, file]].concat())
    };
    verify("heads.json", "head.json").succeeds();
    verify("releases.json", "App.tar.gz").succeeds();
    for (policy, file) in [("heads.json", "App.tar.gz"), ("releases.json", "head.json")] {
        let finding = verify(policy, file).exits_with(16).finding();
        assert_eq!(finding, "provenance.predicate.unexpected");
    }
}

#[test]
fn what_is_left_after_archiving_is_verified_from_where_it_begins() {
    let (folder, hashes) = ledger();
    fs::remove_file(folder.path().join(file_name(1))).expect("removed");
    let after = format!("4:{}", hashes[4]);
    run(folder.path(), &["verify", "--after", &after]).succeeds();
    let other = format!("4:{}", hashes[3]);
    run(folder.path(), &["verify", "--after", &other]).exits_with(10);
}

#[test]
fn shows_the_lines_that_fit_as_they_are_in_the_files() {
    let (folder, _) = ledger();
    let show = |arguments: &[&str]| {
        let arguments: Vec<&str> = [&["show"], arguments].concat();
        run(folder.path(), &arguments)
    };
    let files = [1, 2]
        .map(|number| fs::read_to_string(folder.path().join(file_name(number))).expect("read"));
    assert_eq!(show(&[]).succeeds().stdout, files.concat());
    let count = |arguments: &[&str]| show(arguments).succeeds().stdout.lines().count();
    assert_eq!(count(&["--kind", "token"]), 8);
    assert_eq!(count(&["--kind", "token", "--kind", "ledger.file"]), 10);
    assert_eq!(count(&["--since", "2026-11-23T07:08:00Z"]), 2);
    assert_eq!(count(&["--until", "2026-11-23T07:01:00Z"]), 1);
    for serial in ["0a23", "A23", "0a:23"] {
        let shown = show(&["--serial", serial]).succeeds().stdout;
        assert!(shown.lines().count() == 1 && shown.contains("0a23"), "{serial}: {shown}");
    }
    show(&["--serial", "xyz"]).exits_with(2);
    let last = show(&["--last", "2"]).succeeds().stdout;
    assert!(last.contains("0a23") && last.contains("0a24") && last.contains("8 earlier records"));

    let json = show(&["--kind", "token", "--last", "3", "--format", "json"]).succeeds().json();
    let result = &json["result"];
    assert_eq!(result["matched"], 8);
    assert_eq!(result["records"].as_array().map(Vec::len), Some(3));
    assert_eq!(result["records"][2]["record"]["serial"], "0a24");
    assert_eq!(result["summary"]["records"], 10);
}

#[test]
fn shows_what_can_be_read_and_then_what_is_wrong() {
    let (folder, _) = ledger();
    edit(folder.path(), 2, |lines| drop(lines.remove(2)));
    let run = run(folder.path(), &["show", "--kind", "token"]).exits_with(10);
    assert!(run.stdout.contains("0a21") && run.stdout.contains("audit.sequence.broken"));
    assert!(!run.stdout.contains("0a24"));
}

#[test]
fn what_a_stranger_put_into_a_record_does_not_steer_the_terminal() {
    let folder = tempfile::tempdir().expect("folder");
    let mut text = Vec::new();
    let id = "0".repeat(32);
    let record = json!({ "ledger": "timestamp", "id": id, "format": 1, "file": 1 }).to_string();
    let first = encode_line(&mut text, 0, SystemTime::now(), FILE_KIND, &record, &Hash::NONE);
    let record = json!({ "name": "a\u{202e}b\u{9b}c\u{1b}d\u{1f600}" });
    encode_line(&mut text, 1, SystemTime::now(), "token", &record.to_string(), &first);
    fs::write(folder.path().join(file_name(1)), text).expect("written");
    let shown = run(folder.path(), &["show", "--kind", "token"]).succeeds().stdout;
    assert!(shown.is_ascii() && !shown.contains('\u{1b}'), "{shown:?}");
    let again: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(again["record"], record);
}
