use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{io, thread};

use tempfile::TempDir;

use super::*;
use crate::{At, Expectation, Fault, Hash, Head, Malformed, Start, Summary, What, locate, verify};

const ID: &str = "000102030405060708090a0b0c0d0e0f";

/// A ledger of three files with four records each; gives its folder and the hash of each line.
pub(crate) fn ledger() -> (TempDir, Vec<Hash>) {
    let folder = tempfile::tempdir().expect("folder");
    let mut hashes = vec![];
    let mut previous = Hash::NONE;
    for number in 1..=3 {
        let mut text = Vec::new();
        let mut add = |kind: &str, record: &str| {
            let sequence = hashes.len() as u64;
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_417_500 + sequence);
            previous = encode_line(&mut text, sequence, time, kind, record, &previous);
            hashes.push(previous);
        };
        add(FILE_KIND, &file_record("test", ID, number));
        for serial in 0..4 {
            add("token", &format!("{{\"serial\":\"{number}-{serial}\"}}"));
        }
        fs::write(folder.path().join(file_name(number)), text).expect("written");
    }
    (folder, hashes)
}

fn file_record(ledger: &str, id: &str, file: u64) -> String {
    let record =
        FileRecord { ledger: ledger.to_owned(), id: id.to_owned(), format: LINES_FORMAT, file };
    serde_json::to_string(&record).expect("JSON")
}

fn check(folder: &TempDir) -> Result<Summary, Fault> {
    verify(folder.path(), &Expectation::default())
}

pub(crate) fn cut_last_line(folder: &TempDir, number: u64) {
    edit(folder, number, |lines| drop(lines.pop()));
}

/// Rewrites a file's lines, each with its line feed.
fn edit(folder: &TempDir, number: u64, change: impl FnOnce(&mut Vec<String>)) {
    let path = folder.path().join(file_name(number));
    let text = fs::read_to_string(&path).expect("read");
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    change(&mut lines);
    fs::write(path, lines.concat()).expect("written");
}

#[track_caller]
fn assert_fault(folder: &TempDir, number: u64, line: u64, is: impl Fn(&What) -> bool) {
    let fault = check(folder).expect_err("a fault");
    assert_eq!(
        (fault.file.clone(), fault.line),
        (folder.path().join(file_name(number)), line),
        "{fault}"
    );
    assert!(is(&fault.what), "{fault}");
}

#[test]
fn a_whole_ledger_has_a_summary() {
    let (folder, hashes) = ledger();
    let summary = check(&folder).expect("whole");
    assert_eq!((summary.files, summary.records, summary.head_sequence), (3, 15, 14));
    assert_eq!((summary.head, summary.backward_times), (hashes[14], 0));
    assert_eq!((summary.ledger.as_str(), summary.id.as_str()), ("test", ID));
    assert_eq!(summary.head_time, "2026-11-23T07:05:14.000Z");
}

#[test]
fn any_octet_changed_but_in_the_last_line_is_found_in_its_line() {
    let (folder, _) = ledger();
    for number in 1..=3 {
        let path = folder.path().join(file_name(number));
        let good = fs::read(&path).expect("read");
        let lines =
            good.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect::<Vec<_>>();
        let mut place = 0;
        for (index, length) in lines.iter().enumerate() {
            let is_last = number == 3 && index == lines.len() - 1;
            for offset in place..place + length {
                let mut bad = good.clone();
                bad[offset] ^= 1;
                fs::write(&path, &bad).expect("written");
                match check(&folder) {
                    Err(fault) => {
                        // The `previous` of the last line has nothing after it to vouch for it.
                        let line = index as u64 + 1;
                        let near = fault.line == line || (is_last && fault.line + 1 == line);
                        assert!(fault.file == path && near, "octet {offset}: {fault}");
                    }
                    Ok(_) => assert!(is_last, "octet {offset} of file {number}"),
                }
            }
            place += length;
        }
        fs::write(&path, &good).expect("written");
    }
}

#[test]
fn a_line_changed_with_all_lines_after_it_rewritten_is_found_by_the_pinned_head() {
    let (folder, hashes) = ledger();
    edit(&folder, 3, |lines| {
        lines[4] = lines[4].replace("3-3", "9-9");
    });
    check(&folder).expect("the chain alone cannot see its last line changed");
    let expectation = Expectation { head: Some(hashes[14]), ..Expectation::default() };
    let fault = verify(folder.path(), &expectation).expect_err("a fault");
    assert!(matches!(fault.what, What::HeadMissing { expected } if expected == hashes[14]));
    assert_eq!((fault.file, fault.line), (folder.path().join(file_name(3)), 5));
}

#[test]
fn a_pinned_head_may_have_lines_after_it() {
    let (folder, hashes) = ledger();
    let expectation = Expectation { head: Some(hashes[7]), ..Expectation::default() };
    let summary = verify(folder.path(), &expectation).expect("whole");
    assert_eq!(summary.records_after_expected_head, Some(7));
}

#[test]
fn a_removed_line_is_found() {
    for (number, index) in [(1, 2), (2, 4), (3, 1)] {
        let (folder, _) = ledger();
        edit(&folder, number, |lines| drop(lines.remove(index)));
        let (number, line) = if index == 4 { (number + 1, 1) } else { (number, index as u64 + 1) };
        assert_fault(&folder, number, line, |what| matches!(what, What::Sequence { .. }));
    }
}

#[test]
fn reordered_and_repeated_lines_are_found() {
    let (folder, _) = ledger();
    edit(&folder, 2, |lines| lines.swap(2, 3));
    assert_fault(&folder, 2, 3, |what| matches!(what, What::Sequence { expected: 7, found: 8 }));
    let (folder, _) = ledger();
    edit(&folder, 2, |lines| lines.insert(3, lines[2].clone()));
    assert_fault(&folder, 2, 4, |what| matches!(what, What::Sequence { expected: 8, found: 7 }));
}

#[test]
fn a_removed_line_whose_followers_were_renumbered_is_found() {
    let (folder, _) = ledger();
    edit(&folder, 1, |lines| {
        lines.remove(2);
        for (index, line) in lines.iter_mut().enumerate().skip(2) {
            *line = line
                .replace(&format!("\"sequence\":{}", index + 1), &format!("\"sequence\":{index}"));
        }
    });
    assert_fault(&folder, 1, 3, |what| matches!(what, What::Altered { .. }));
}

#[test]
fn a_file_missing_at_the_start_or_in_the_middle_is_named() {
    for number in [1, 2] {
        let (folder, _) = ledger();
        fs::remove_file(folder.path().join(file_name(number))).expect("removed");
        assert_fault(&folder, number, 0, |what| matches!(what, What::FileMissing));
    }
}

#[test]
fn a_file_missing_at_the_end_is_found_by_the_pinned_head_only() {
    let (folder, hashes) = ledger();
    fs::remove_file(folder.path().join(file_name(3))).expect("removed");
    check(&folder).expect("whole up to there");
    let expectation = Expectation { head: Some(hashes[14]), ..Expectation::default() };
    let fault = verify(folder.path(), &expectation).expect_err("a fault");
    assert!(matches!(fault.what, What::HeadMissing { .. }), "{fault}");
}

#[test]
fn what_follows_archived_files_is_verified_from_the_hash_they_ended_with() {
    let (folder, hashes) = ledger();
    fs::remove_file(folder.path().join(file_name(1))).expect("removed");
    let after = |sequence, hash| Expectation {
        start: Start::After(Head { sequence, hash }),
        ..Expectation::default()
    };
    let summary = verify(folder.path(), &after(4, hashes[4])).expect("whole");
    assert_eq!((summary.first_sequence, summary.files), (5, 2));
    let fault = verify(folder.path(), &after(4, hashes[3])).expect_err("another start");
    assert!(matches!(fault.what, What::Altered { .. }) && fault.line == 1, "{fault}");
    let fault = verify(folder.path(), &after(3, hashes[4])).expect_err("another number");
    assert!(matches!(fault.what, What::Sequence { expected: 4, found: 5 }), "{fault}");
}

#[test]
fn a_file_of_another_ledger_or_another_place_is_foreign() {
    for record in [
        file_record("test", &"f".repeat(32), 2),
        file_record("test", ID, 7),
        file_record("b", ID, 2),
    ] {
        let (folder, hashes) = ledger();
        fs::remove_file(folder.path().join(file_name(3))).expect("removed");
        let mut text = Vec::new();
        encode_line(&mut text, 5, SystemTime::now(), FILE_KIND, &record, &hashes[4]);
        fs::write(folder.path().join(file_name(2)), text).expect("written");
        assert_fault(&folder, 2, 1, |what| matches!(what, What::Foreign { number: 2 }));
    }
}

#[test]
fn files_of_a_later_format_are_named_as_such() {
    let folder = tempfile::tempdir().expect("folder");
    let mut text = Vec::new();
    let record = file_record("test", ID, 1).replace("\"format\":1", "\"format\":2");
    encode_line(&mut text, 0, SystemTime::now(), FILE_KIND, &record, &Hash::NONE);
    fs::write(folder.path().join(file_name(1)), text).expect("written");
    assert_fault(&folder, 1, 1, |what| matches!(what, What::Format { found: 2 }));
}

#[test]
fn a_torn_end_is_incomplete_in_the_last_file_and_a_cut_in_another() {
    let (folder, _) = ledger();
    edit(&folder, 3, |lines| lines[4].truncate(9));
    assert_fault(&folder, 3, 5, |what| matches!(what, What::Incomplete { octets: 9 }));
    edit(&folder, 2, |lines| lines[4].truncate(7));
    assert_fault(&folder, 2, 5, |what| matches!(what, What::Cut { octets: 7 }));
}

#[test]
fn waits_for_a_line_that_is_being_written() {
    let (folder, _) = ledger();
    let path = folder.path().join(file_name(3));
    let whole = fs::read(&path).expect("read");
    fs::write(&path, &whole[..whole.len() - 5]).expect("written");
    let summary = thread::scope(|scope| {
        let reading = scope.spawn(|| check(&folder));
        let mut file = fs::OpenOptions::new().append(true).open(&path).expect("opened");
        io::Write::write_all(&mut file, &whole[whole.len() - 5..]).expect("written");
        reading.join().expect("no panic")
    });
    assert_eq!(summary.expect("whole").records, 15);
}

#[test]
fn memory_stays_bounded_on_a_file_without_line_feeds() {
    let (folder, _) = ledger();
    let path = folder.path().join(file_name(3));
    let mut bytes = fs::read(&path).expect("read");
    bytes.extend(vec![0; 200_000]);
    fs::write(&path, &bytes).expect("written");
    assert_fault(&folder, 3, 6, |what| matches!(what, What::Incomplete { octets: 200_000 }));
    bytes.push(b'\n');
    fs::write(&path, &bytes).expect("written");
    assert_fault(&folder, 3, 6, |what| matches!(what, What::Malformed(Malformed::TooLong)));
}

#[test]
fn a_folder_without_a_ledger_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("notes.txt"), "x").expect("written");
    let fault = check(&folder).expect_err("a fault");
    assert!(matches!(fault.what, What::NoLedger), "{fault}");
    let gone = verify(&folder.path().join("none"), &Expectation::default()).expect_err("a fault");
    assert!(matches!(gone.what, What::Unreadable(_)), "{gone}");
}

#[track_caller]
fn at(folder: &Path, sequence: u64) -> At {
    locate(folder, sequence).expect("no fault").expect("a ledger").at
}

#[test]
fn every_line_is_located_over_the_files_of_the_rotation() {
    let (folder, hashes) = ledger();
    for (sequence, hash) in (0..).zip(&hashes) {
        assert_eq!(at(folder.path(), sequence), At::Head(*hash), "{sequence}");
    }
    let last = hashes.len() as u64 - 1;
    let located = locate(folder.path(), 3).expect("no fault").expect("a ledger");
    assert_eq!((located.head.sequence, located.head.hash), (last, hashes[14]));
    assert_eq!(at(folder.path(), last + 1), At::BehindTheEnd);
    assert_eq!(at(folder.path(), u64::MAX), At::BehindTheEnd);
}

#[test]
fn archived_files_are_told_from_lines_that_were_cut_off() {
    let (folder, hashes) = ledger();
    fs::remove_file(folder.path().join(file_name(1))).expect("removed");
    assert_eq!(at(folder.path(), 3), At::Archived);
    // The first line that is left still names the last one that is gone.
    assert_eq!(at(folder.path(), 4), At::Head(hashes[4]));
    cut_last_line(&folder, 3);
    assert_eq!(at(folder.path(), 14), At::BehindTheEnd);
    assert_eq!(at(folder.path(), 13), At::Head(hashes[13]));
    fs::remove_file(folder.path().join(file_name(3))).expect("removed");
    assert_eq!(at(folder.path(), 13), At::BehindTheEnd);
}

#[test]
fn a_gap_among_the_files_that_must_be_read_is_a_fault() {
    let (folder, _) = ledger();
    fs::remove_file(folder.path().join(file_name(2))).expect("removed");
    let fault = locate(folder.path(), 3).expect_err("a gap");
    assert!(matches!(fault.what, What::FileMissing), "{fault}");
    assert!(matches!(at(folder.path(), 12), At::Head(_)));
}

#[test]
fn a_file_that_does_not_follow_the_one_before_is_a_fault() {
    let (folder, _) = ledger();
    let (other, _) = ledger();
    cut_last_line(&other, 2);
    fs::copy(other.path().join(file_name(2)), folder.path().join(file_name(2))).expect("copied");
    let fault = locate(folder.path(), 6).expect_err("it does not follow");
    assert!(matches!(fault.what, What::Sequence { .. }), "{fault}");
}

#[test]
fn no_folder_and_no_file_is_no_ledger() {
    let folder = tempfile::tempdir().expect("folder");
    assert_eq!(locate(folder.path(), 0).expect("no fault"), None);
    assert_eq!(locate(&folder.path().join("none"), 0).expect("no fault"), None);
}
