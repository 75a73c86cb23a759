//! One ledger, and what may have become of it since its head was kept.

use std::fs;

use countersign_daemon::ledger::{Head, Options};
use tempfile::TempDir;

use super::*;

const ROTATE_AT_BYTES: u64 = 500;

/// A ledger over several files, with the head at each record.
async fn ledger(folder: &Path) -> (String, Vec<Head>) {
    let options = Options { rotate_at_bytes: ROTATE_AT_BYTES, ..Options::new(NAME) };
    let ledger = Ledger::open(folder, options).expect("opened");
    let mut heads = Vec::new();
    for number in 0..12 {
        let appended = ledger.append("revocation.ordered", &json!({ "number": number })).await;
        heads.push(appended.expect("kept").head);
    }
    (ledger.identity().id.clone(), heads)
}

async fn made() -> (TempDir, String, Vec<Head>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (id, heads) = ledger(folder.path()).await;
    (folder, id, heads)
}

fn known(id: &str, head: Head) -> KnownLedger {
    let Head { sequence, hash } = head;
    KnownLedger { id: id.to_owned(), replica: String::new(), sequence, hash, replaced_by: None }
}

fn fault(folder: &Path, known: &[KnownLedger]) -> LedgerError {
    match compare(folder, known, "").expect_err("refused") {
        StartError::Ledger(fault) => fault,
        other => panic!("{other}"),
    }
}

/// The ledger written anew, with other times, so that by itself it is whole.
fn write_anew(folder: &Path) {
    let records = countersign_ledger::texts(folder).expect("whole");
    let time =
        |record: &String| record.split(r#""time":""#).nth(1).map(|rest| rest[..24].to_owned());
    let records: Vec<String> = records
        .iter()
        .map(|record| record.replace(&time(record).expect("a time"), "1970-01-01T00:00:00.000Z"))
        .collect();
    forge(folder, &records);
}

/// A ledger of these records in place of the one that is there.
fn forge(folder: &Path, records: &[String]) {
    fs::remove_dir_all(folder).expect("removed");
    fs::create_dir_all(folder.join("pending")).expect("made");
    let octets = countersign_ledger::encode_segment(records);
    fs::write(folder.join("pending").join("0".repeat(20)), octets).expect("written");
}

#[tokio::test]
async fn a_ledger_that_holds_the_head_is_good_however_many_lines_came_after_it() {
    let (folder, id, heads) = made().await;
    for head in &heads {
        compare(folder.path(), &[known(&id, *head)], "").expect("good");
    }
    compare(folder.path(), &[], "").expect("a database that knows none");
    compare(&folder.path().join("none"), &[], "").expect("the first start");
}

#[tokio::test]
async fn a_ledger_that_ends_before_the_head_is_refused() {
    let (folder, id, heads) = made().await;
    let head = heads[11];
    let beyond = Head { sequence: head.sequence + 1, ..head };
    let fault = fault(folder.path(), &[known(&id, beyond)]);
    assert!(
        matches!(&fault, LedgerError::Cut { head_sequence, .. } if *head_sequence == head.sequence),
        "{fault}"
    );
    let text = fault.to_string();
    assert!(
        text.contains("evidence") && text.contains(&format!("--replace-ledger {id}")),
        "{text}"
    );
}

#[tokio::test]
async fn a_ledger_that_was_written_anew_is_refused() {
    let (folder, id, heads) = made().await;
    write_anew(folder.path());
    countersign_ledger::verify(folder.path(), &countersign_ledger::Expectation::default())
        .expect("by itself it is whole");
    for head in &heads {
        let fault = fault(folder.path(), &[known(&id, *head)]);
        assert!(matches!(fault, LedgerError::Rewritten { .. }), "{fault}");
    }
}

#[tokio::test]
async fn a_ledger_that_is_gone_and_another_one_are_refused() {
    let (folder, id, heads) = made().await;
    let (other, ..) = made().await;
    let known = [known(&id, heads[3])];
    let none = folder.path().join("none");
    assert!(matches!(fault(&none, &known), LedgerError::Missing { .. }));
    assert!(!none.exists(), "refusing makes nothing");
    assert!(matches!(fault(other.path(), &known), LedgerError::Other { .. }));
}

#[tokio::test]
async fn a_head_in_a_file_of_format_1_that_is_gone_is_not_believed_to_be_archived() {
    use countersign_ledger::lines::{FILE_KIND, encode_line, file_name};
    let folder = tempfile::tempdir().expect("a folder");
    let id = "0123456789abcdef0123456789abcdef";
    let says = |file| json!({ "ledger": NAME, "id": id, "format": 1, "file": file }).to_string();
    let write = |number: u64, sequence: u64, previous: &Hash| {
        let mut text = Vec::new();
        let now = std::time::SystemTime::now();
        let first = encode_line(&mut text, sequence, now, FILE_KIND, &says(number), previous);
        let last = encode_line(&mut text, sequence + 1, now, "a", "{}", &first);
        fs::write(folder.path().join(file_name(number)), text).expect("written");
        last
    };
    let known = known(id, Head { sequence: 4, hash: Hash::of_line(b"the one that was kept") });
    // The attacker chooses the number of the first line.
    write(2, 6, &Hash::of_line(b"any"));
    let fault = fault(folder.path(), std::slice::from_ref(&known));
    assert!(matches!(fault, LedgerError::NotCompared { sequence: 4, .. }), "{fault}");
    // With the file that has it, the ledger is compared.
    fs::remove_file(folder.path().join(file_name(2))).expect("removed");
    let first = write(1, 0, &Hash::NONE);
    let known = KnownLedger { sequence: 1, hash: first, ..known };
    write(2, 2, &first);
    compare(folder.path(), &[known], "").expect("held");
}

#[tokio::test]
async fn a_replica_is_held_against_its_own_ledger_alone() {
    let (folder, id, heads) = made().await;
    let (other_folder, other_id, others) = made().await;
    let mine = KnownLedger { replica: "a:/audit".to_owned(), ..known(&id, heads[11]) };
    let other = KnownLedger { replica: "b:/audit".to_owned(), ..known(&other_id, others[2]) };
    let both = [mine.clone(), other];
    compare(folder.path(), &both, "a:/audit").expect("its own");
    compare(other_folder.path(), &both, "b:/audit").expect("its own");
    compare(&folder.path().join("none"), &both, "c:/audit").expect("a new replica");
    compare(other_folder.path(), &both, "a:/audit").expect_err("the other's");
    // A host that got another name took its ledger along, and must have the whole of it.
    compare(folder.path(), &both, "renamed:/audit").expect("the same ledger");
    let beyond = KnownLedger { sequence: mine.sequence + 1, ..mine };
    compare(folder.path(), &[beyond], "renamed:/audit").expect_err("cut off");
}

#[tokio::test]
async fn a_ledger_that_was_replaced_does_not_come_back() {
    let (folder, id, heads) = made().await;
    let (other, other_id, others) = made().await;
    let old = KnownLedger { replaced_by: Some(other_id.clone()), ..known(&id, heads[11]) };
    let both = [old.clone(), known(&other_id, others[11])];
    compare(other.path(), &both, "").expect("the one in use");
    assert!(matches!(fault(folder.path(), &both), LedgerError::Other { .. }));
    assert!(matches!(fault(folder.path(), &[old]), LedgerError::Replaced { .. }));
}
