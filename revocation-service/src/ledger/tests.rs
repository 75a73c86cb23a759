//! One ledger, and what may have become of it since its head was kept.

use std::{fs, time::SystemTime};

use countersign_daemon::ledger::{Options, Receipt};
use tempfile::TempDir;

use super::*;

const ROTATE_AT_BYTES: u64 = 500;

/// A ledger over several files, with the receipt of each record.
async fn ledger(folder: &Path) -> (String, Vec<Receipt>) {
    let options = Options { rotate_at_bytes: ROTATE_AT_BYTES, ..Options::new(NAME) };
    let ledger = Ledger::open(folder, options).expect("opened");
    let mut receipts = Vec::new();
    for number in 0..12 {
        let appended = ledger.append("revocation.ordered", &json!({ "number": number })).await;
        receipts.push(appended.expect("kept"));
    }
    (ledger.identity().id.clone(), receipts)
}

async fn made() -> (TempDir, String, Vec<Receipt>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (id, receipts) = ledger(folder.path()).await;
    (folder, id, receipts)
}

fn known(id: &str, head: Receipt) -> KnownLedger {
    let Receipt { sequence, hash } = head;
    KnownLedger { id: id.to_owned(), replica: String::new(), sequence, hash, replaced_by: None }
}

fn fault(folder: &Path, known: &[KnownLedger]) -> LedgerFault {
    match compare(folder, known, "").expect_err("refused") {
        StartError::Ledger(fault) => fault,
        other => panic!("{other}"),
    }
}

/// Every line again from the file `number` on, with their times moved, and the chain computed anew.
fn recompute(folder: &Path, number: u64) {
    use countersign_ledger::{Entry, encode, file_name};
    let mut previous = None;
    for number in number.. {
        let path = folder.join(file_name(number));
        let Ok(text) = fs::read(&path) else { return };
        let mut written = Vec::new();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let entry = Entry::decode(line).expect("a line");
            let before = previous.unwrap_or(entry.previous);
            let now = SystemTime::UNIX_EPOCH;
            let Entry { sequence, kind, record, .. } = entry;
            previous = Some(encode(&mut written, sequence, now, kind, record, &before));
        }
        fs::write(path, written).expect("written");
    }
}

#[tokio::test]
async fn a_ledger_that_holds_the_head_is_good_however_many_lines_came_after_it() {
    let (folder, id, receipts) = made().await;
    for receipt in &receipts {
        compare(folder.path(), &[known(&id, *receipt)], "").expect("good");
    }
    compare(folder.path(), &[], "").expect("a database that knows none");
    compare(&folder.path().join("none"), &[], "").expect("the first start");
}

#[tokio::test]
async fn a_ledger_that_ends_before_the_head_is_refused() {
    let (folder, id, receipts) = made().await;
    let head = receipts[11];
    let beyond = Receipt { sequence: head.sequence + 1, ..head };
    let fault = fault(folder.path(), &[known(&id, beyond)]);
    assert!(
        matches!(&fault, LedgerFault::Cut { head_sequence, .. } if *head_sequence == head.sequence),
        "{fault}"
    );
    let text = fault.to_string();
    assert!(
        text.contains("evidence") && text.contains(&format!("--replace-ledger {id}")),
        "{text}"
    );
}

#[tokio::test]
async fn a_ledger_whose_chain_was_computed_anew_is_refused() {
    let (folder, id, receipts) = made().await;
    recompute(folder.path(), 1);
    countersign_ledger::verify(folder.path(), &countersign_ledger::Expectation::default())
        .expect("by itself it is whole");
    for receipt in &receipts {
        let fault = fault(folder.path(), &[known(&id, *receipt)]);
        assert!(matches!(fault, LedgerFault::Rewritten { .. }), "{fault}");
    }
}

#[tokio::test]
async fn a_ledger_that_is_gone_and_another_one_are_refused() {
    let (folder, id, receipts) = made().await;
    let (other, ..) = made().await;
    let known = [known(&id, receipts[3])];
    let none = folder.path().join("none");
    assert!(matches!(fault(&none, &known), LedgerFault::Missing { .. }));
    assert!(!none.exists(), "refusing makes nothing");
    assert!(matches!(fault(other.path(), &known), LedgerFault::Other { .. }));
}

#[tokio::test]
async fn archived_files_are_missed_by_nobody() {
    let (folder, id, receipts) = made().await;
    let first = folder.path().join(countersign_ledger::file_name(1));
    fs::remove_file(first).expect("removed");
    compare(folder.path(), &[known(&id, receipts[0])], "").expect("archived");
    compare(folder.path(), &[known(&id, receipts[11])], "").expect("still here");
    // What is left must follow on: a gap is no archive.
    let gap = folder.path().join(countersign_ledger::file_name(3));
    fs::remove_file(gap).expect("removed");
    compare(folder.path(), &[known(&id, receipts[0])], "").expect_err("damaged");
}

#[tokio::test]
async fn a_replica_is_held_against_its_own_ledger_alone() {
    let (folder, id, receipts) = made().await;
    let (other_folder, other_id, others) = made().await;
    let mine = KnownLedger { replica: "a:/audit".to_owned(), ..known(&id, receipts[11]) };
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
    let (folder, id, receipts) = made().await;
    let (other, other_id, others) = made().await;
    let old = KnownLedger { replaced_by: Some(other_id.clone()), ..known(&id, receipts[11]) };
    let both = [old.clone(), known(&other_id, others[11])];
    compare(other.path(), &both, "").expect("the one in use");
    assert!(matches!(fault(folder.path(), &both), LedgerFault::Other { .. }));
    assert!(matches!(fault(folder.path(), &[old]), LedgerFault::Replaced { .. }));
}
