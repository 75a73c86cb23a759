//! Somebody who can write a ledger's folder, and nothing else, forges it from a record on that nobody has seen yet: what
//! was seen or kept before is then "in a file that was archived", and could not be compared.

use std::{fs, path::Path, time::SystemTime};

use countersign_ledger::{
    Hash,
    lines::{FILE_KIND, encode_line, file_name},
};
use serde_json::{Value, json};

use crate::site::Site;

/// A ledger of format 1 whose first line has that number and follows that hash.
fn forge(folder: &Path, name: &str, id: &str, sequence: u64, previous: &Hash) {
    fs::create_dir_all(folder).expect("made");
    let (mut text, now) = (Vec::new(), SystemTime::now());
    let record = json!({ "ledger": name, "id": id, "format": 1, "file": 2 }).to_string();
    let first = encode_line(&mut text, sequence, now, FILE_KIND, &record, previous);
    encode_line(&mut text, sequence + 1, now, "nothing.happened", "{}", &first);
    fs::write(folder.join(file_name(2)), text).expect("written");
}

#[test]
fn a_head_that_the_database_knows_is_not_believed_to_be_archived() {
    let site = Site::start();
    site.succeed("countersign revoke --certificate signer.pem --reason superseded --yes");
    let shown = site.succeed("countersign --format json audit verify revocation.db.audit");
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let (id, last) = (&shown["result"]["id"], &shown["result"]["head_sequence"]);
    let (id, last) = (id.as_str().expect("a number").to_owned(), last.as_u64().expect("a number"));
    let Site { founded, service } = site;
    assert!(service.stop().expect("stopped").success());
    let folder = founded.shell.folder().join("revocation.db.audit");
    fs::rename(&folder, founded.shell.folder().join("evidence")).expect("moved");
    // The stop may have added some; the number is the attacker's to choose.
    forge(&folder, "revocation", &id, last + 100, &Hash::of_line(b"any"));
    for _ in 0..2 {
        let ran = founded.shell.run("countersign-revocation --config revocation.toml");
        let ran = ran.expect("a shell");
        assert_eq!(ran.exit_code, 2, "{}", ran.said());
        assert!(ran.said().contains("--replace-ledger"), "{}", ran.said());
    }
    fs::remove_dir_all(&folder).expect("removed");
    fs::rename(founded.shell.folder().join("evidence"), &folder).expect("moved");
    drop(founded.start_revocation().expect("with the whole ledger it starts"));
}

#[test]
fn after_a_line_only_the_next_number_comes() {
    let site = Site::start();
    let folder = site.founded.shell.folder();
    let (id, archived) =
        ("0123456789abcdef0123456789abcdef", Hash::of_line(b"the last line archived"));
    let ledger = folder.join("ledger");
    forge(&ledger, "timestamp", id, 5, &archived);
    let verify = format!("countersign --format json audit verify ledger --after 4:{archived}");
    site.succeed(&verify);
    // Everything that was seen is replaced by what says to come later.
    fs::remove_dir_all(&ledger).expect("removed");
    forge(&ledger, "timestamp", id, 11, &archived);
    let ran = site.founded.shell.run(&verify).expect("a shell");
    assert_eq!(ran.exit_code, 10, "{}", ran.said());
    let value: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(value["error"]["code"], "audit.sequence.broken");
    // Nor by another ledger that says to continue the first, with archived bundles.
    fs::remove_dir_all(&ledger).expect("removed");
    fs::create_dir_all(ledger.join("pending")).expect("made");
    let begun = json!({ "ledger": "timestamp", "id": id, "format": 2, "continues": { "sequence": 50, "hash": archived } });
    let record = format!(
        "{{\"sequence\":51,\"time\":\"2026-11-23T07:05:00.123Z\",\"kind\":\"ledger.begun\",\"record\":{begun}}}"
    );
    let octets = countersign_ledger::encode_segment(&[record]);
    fs::write(ledger.join("pending").join("0".repeat(20)), octets).expect("written");
    for more in ["--archived", "", &format!("--after 4:{archived}")] {
        let line = format!("countersign --format json audit verify ledger {more}");
        let ran = site.founded.shell.run(&line).expect("a shell");
        assert_eq!(ran.exit_code, 10, "{}", ran.said());
    }
}

#[test]
fn the_lock_is_no_way_to_another_file() {
    use std::os::unix::fs::{MetadataExt, symlink};
    let Site { founded, service } = Site::start();
    assert!(service.stop().expect("stopped").success());
    let folder = founded.shell.folder();
    let (lock, other) = (folder.join("revocation.db.audit/lock"), folder.join("other"));
    fs::write(&other, "others read it").expect("written");
    for link in [
        |target: &Path, at: &Path| symlink(target, at),
        |target: &Path, at: &Path| fs::hard_link(target, at),
    ] {
        fs::remove_file(&lock).expect("removed");
        link(&other, &lock).expect("linked");
        let ran =
            founded.shell.run("countersign-revocation --config revocation.toml").expect("a shell");
        assert_eq!(ran.exit_code, 3, "{}", ran.said());
        assert!(ran.said().contains("lock is a link to another file"), "{}", ran.said());
        assert_eq!(fs::metadata(&other).expect("there").mode() & 0o777, 0o644);
    }
    fs::remove_file(&lock).expect("removed");
    drop(founded.start_revocation().expect("it starts"));
}
