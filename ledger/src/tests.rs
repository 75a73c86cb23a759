//! A ledger in a folder: written, interrupted, tampered with, proved from.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::lines;
use super::*;

const NAME: &str = "test";

fn options() -> Options {
    Options { name: NAME, durability: Durability::Relaxed, segment_bytes: 1 << 20 }
}

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_mins(29_923_625)
}

fn open_in(folder: &Path) -> Appender {
    open(folder, options(), Box::new(Disk), time()).expect("opens").appender
}

/// Appends records with the numbers from `from` on, before `to`, some at a time.
fn append(appender: &mut Appender, from: u64, to: u64) -> Head {
    let records: Vec<String> = (from..to).map(|number| format!("{{\"n\":{number}}}")).collect();
    for batch in records.chunks(7) {
        let batch = batch.iter().map(|record| NewRecord { kind: "token", record });
        appender.append(batch, time()).expect("kept");
    }
    appender.head()
}

fn tile(folder: &Path, appender: &mut Appender) {
    appender.seal().expect("sealed");
    let sealed = appender.take_sealed();
    integrate(folder, appender.identity(), &sealed, None).expect("on tiles");
}

/// A ledger of records 0 to 300 (the first one its beginning) with 281 of them on tiles, and its heads.
fn ledger() -> (TempDir, BTreeMap<u64, Hash>) {
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    let mut heads = BTreeMap::new();
    for number in 1..=300 {
        let head = append(&mut appender, number, number + 1);
        heads.insert(head.sequence, head.hash);
        if [100, 256, 280].contains(&number) {
            tile(folder.path(), &mut appender);
        }
    }
    (folder, heads)
}

fn check(folder: &Path) -> Result<Summary, Fault> {
    verify(folder, &Expectation::default())
}

fn expecting(head: Hash) -> Expectation {
    Expectation { head: Some(head), ..Expectation::default() }
}

/// All files below a folder but the lock, with their octets.
fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("lock") {
                let name = path.strip_prefix(folder).expect("below").to_owned();
                files.insert(name, fs::read(path).expect("read"));
            }
        }
    }
    files
}

fn names(folder: &Path) -> Vec<String> {
    files_of(folder).keys().map(|path| path.display().to_string()).collect()
}

fn copy(folder: &Path) -> TempDir {
    let other = tempfile::tempdir().expect("folder");
    put(other.path(), &files_of(folder));
    other
}

fn put(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    for (name, octets) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, octets).expect("written");
    }
}

#[test]
fn a_whole_ledger_has_a_summary_and_the_files_of_the_specification() {
    let (folder, heads) = ledger();
    let summary = check(folder.path()).expect("whole");
    assert_eq!((summary.records, summary.head_sequence, summary.head), (301, 300, heads[&300]));
    assert_eq!((summary.files, summary.first_sequence, summary.backward_times), (3, 0, 0));
    assert_eq!(summary.ledger, NAME);
    let expected = [
        "checkpoint",
        "pending/00000000000000000281",
        "tile/0/000",
        "tile/0/001.p/25",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/25",
    ];
    assert_eq!(names(folder.path()), expected);
}

#[test]
fn every_head_that_it_had_can_be_expected_and_located_and_no_other() {
    let (folder, heads) = ledger();
    for (sequence, hash) in &heads {
        let at = locate(folder.path(), *sequence).expect("sound").expect("a ledger").at;
        assert_eq!(at, At::Head(*hash), "{sequence}");
    }
    for sequence in [1, 255, 256, 280, 281, 300] {
        let summary = verify(folder.path(), &expecting(heads[&sequence])).expect("whole");
        assert_eq!(summary.records_after_expected_head, Some(300 - sequence));
    }
    let other = Hash::of_line(b"");
    let fault = verify(folder.path(), &expecting(other)).expect_err("no such head");
    assert!(matches!(fault.what, What::HeadMissing { expected } if expected == other), "{fault}");
    let behind = locate(folder.path(), 301).expect("sound").expect("a ledger");
    assert_eq!((behind.at, behind.head.hash), (At::BehindTheEnd, heads[&300]));
}

#[test]
fn any_octet_changed_anywhere_is_found_and_the_file_is_named() {
    let (folder, _) = ledger();
    for (name, octets) in files_of(folder.path()) {
        let path = folder.path().join(&name);
        for place in (0..octets.len()).step_by(octets.len() / 60 + 1) {
            let mut wrong = octets.clone();
            wrong[place] ^= 1;
            fs::write(&path, wrong).expect("written");
            let fault = check(folder.path()).expect_err(&format!("{} at {place}", name.display()));
            // A checkpoint of another size names other files.
            assert!(fault.file == path || name.ends_with("checkpoint"), "{place}: {fault}");
        }
        fs::write(&path, octets).expect("written");
    }
    check(folder.path()).expect("whole again");
}

#[test]
fn a_changed_record_is_named_by_its_number_in_its_file() {
    let (folder, _) = ledger();
    for (name, from, to, line) in [
        ("tile/entries/000", "{\"n\":77}", "{\"n\":99}", 78),
        ("tile/entries/001.p/25", "{\"n\":260}", "{\"n\":999}", 5),
    ] {
        let path = folder.path().join(name);
        let octets = fs::read(&path).expect("read");
        let (from, to) = (from.as_bytes(), to.as_bytes());
        let at = octets.windows(from.len()).position(|part| part == from).expect("there");
        let mut wrong = octets.clone();
        wrong[at..at + to.len()].copy_from_slice(to);
        fs::write(&path, wrong).expect("written");
        let fault = check(folder.path()).expect_err("changed");
        assert_eq!((&fault.file, fault.line), (&path, line), "{fault}");
        assert!(matches!(fault.what, What::Altered { .. }), "{fault}");
        fs::write(&path, octets).expect("written");
    }
}

#[test]
fn a_missing_file_is_named() {
    let (folder, _) = ledger();
    for name in ["tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/entries/001.p/25"] {
        let octets = fs::read(folder.path().join(name)).expect("read");
        fs::remove_file(folder.path().join(name)).expect("removed");
        let fault = check(folder.path()).expect_err("missing");
        assert_eq!(fault.file, folder.path().join(name), "{fault}");
        assert!(matches!(fault.what, What::FileMissing), "{fault}");
        fs::write(folder.path().join(name), octets).expect("written");
    }
    // Without its checkpoint, the rest of the ledger has no beginning.
    fs::remove_file(folder.path().join("checkpoint")).expect("removed");
    let fault = check(folder.path()).expect_err("missing");
    assert!(matches!(fault.what, What::Sequence { expected: 0, found: 281 }), "{fault}");
}

#[test]
fn a_write_ahead_file_that_is_gone_is_missed_by_the_writer_too() {
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    append(&mut appender, 1, 40);
    appender.seal().expect("sealed");
    append(&mut appender, 40, 50);
    appender.seal().expect("sealed");
    drop(appender);
    // The last file is empty: no frame of it names a tree.
    fs::remove_file(folder.path().join("pending/00000000000000000040")).expect("removed");
    let is_gap = |fault: &Fault| matches!(fault.what, What::Sequence { expected: 40, found: 50 });
    let fault = check(folder.path()).expect_err("missing");
    assert!(is_gap(&fault), "{fault}");
    let opened = open(folder.path(), options(), Box::new(Disk), time());
    assert!(matches!(&opened, Err(OpenError::Damaged(fault)) if is_gap(fault)), "{opened:?}");
}

#[test]
fn a_batch_that_no_reader_would_take_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    let head = append(&mut appender, 1, 10);
    let record = format!("{{\"long\":\"{}\"}}", "x".repeat(60_000));
    let many = |count| (0..count).map(|_| NewRecord { kind: "token", record: &record });
    appender.append(many(1200), time()).expect_err("over 64 MiB");
    assert_eq!(appender.head(), head);
    appender.append(many(1000), time()).expect("kept");
    assert_eq!(check(folder.path()).expect("whole").records, 1010);
    drop(appender);
    assert_eq!(open_in(folder.path()).head().sequence, 1009);
}

#[test]
fn an_older_copy_is_whole_and_lacks_the_head_that_was_noted() {
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    append(&mut appender, 1, 40);
    tile(folder.path(), &mut appender);
    let old = copy(folder.path());
    let head = append(&mut appender, 40, 80);
    check(old.path()).expect("whole up to there");
    let fault = verify(old.path(), &expecting(head.hash)).expect_err("cut off");
    assert!(matches!(fault.what, What::HeadMissing { .. }), "{fault}");
    let at = locate(old.path(), head.sequence).expect("sound").expect("a ledger").at;
    assert_eq!(at, At::BehindTheEnd);
}

#[test]
fn a_ledger_written_anew_has_another_head_at_the_same_number() {
    let (one, heads) = ledger();
    let other = tempfile::tempdir().expect("folder");
    let mut appender = open_in(other.path());
    append(&mut appender, 1, 301);
    let at = locate(other.path(), 200).expect("sound").expect("a ledger").at;
    assert!(matches!(at, At::Head(hash) if hash != heads[&200]), "{at:?}");
    // Nor do files of one continue another.
    let pending = PathBuf::from("pending/00000000000000000281");
    let octets = fs::read(other.path().join("pending/00000000000000000000")).expect("read");
    fs::write(one.path().join(pending), octets).expect("written");
    check(one.path()).expect_err("of another ledger");
}

#[test]
fn archived_bundles_are_known_by_their_hashes_if_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    let head = append(&mut appender, 1, 800);
    tile(folder.path(), &mut appender);
    fs::remove_file(folder.path().join("tile/entries/001")).expect("removed");
    let fault = check(folder.path()).expect_err("missing");
    assert!(matches!(fault.what, What::FileMissing), "{fault}");
    let bundles = Bundles::MayBeArchived;
    let archived = Expectation { bundles, ..expecting(head.hash) };
    let summary = verify(folder.path(), &archived).expect("whole");
    assert_eq!((summary.records, summary.archived_records), (544, 256));
    // The first bundle says which ledger it is.
    fs::remove_file(folder.path().join("tile/entries/000")).expect("removed");
    verify(folder.path(), &archived).expect_err("missing");
}

#[test]
fn putting_records_onto_tiles_can_be_cut_off_anywhere_and_done_again() {
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    append(&mut appender, 1, 280);
    tile(folder.path(), &mut appender);
    append(&mut appender, 280, 600);
    appender.seal().expect("sealed");
    let before = files_of(folder.path());
    let sealed = appender.take_sealed();
    integrate(folder.path(), appender.identity(), &sealed, None).expect("on tiles");
    let after = files_of(folder.path());
    let head = appender.head();
    drop(appender);
    // In the order of the work: files, the checkpoint, then what is needed no more goes.
    let mut states = vec![before.clone()];
    let is_new = |name: &&PathBuf| !before.contains_key(*name);
    for name in after.keys().filter(is_new) {
        let mut state = states.last().expect("a state").clone();
        let octets = &after[name];
        state.insert(name.clone(), octets[..octets.len() / 2].to_vec());
        states.push(state.clone());
        state.insert(name.clone(), octets.clone());
        states.push(state);
    }
    let mut state = states.last().expect("a state").clone();
    state.insert("checkpoint".into(), after[Path::new("checkpoint")].clone());
    states.push(state.clone());
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        state.remove(name);
        states.push(state.clone());
    }
    assert!(states.len() > 10);
    for state in states {
        let folder = tempfile::tempdir().expect("folder");
        put(folder.path(), &state);
        let summary = check(folder.path()).expect("whole at every moment");
        assert_eq!((summary.head_sequence, summary.head), (head.sequence, head.hash));
        let mut appender = open_in(folder.path());
        assert_eq!(appender.head(), head);
        let head = append(&mut appender, 600, 610);
        tile(folder.path(), &mut appender);
        let summary = check(folder.path()).expect("whole");
        assert_eq!((summary.head, summary.records), (head.hash, 610));
    }
}

#[test]
fn a_ledger_of_format_1_goes_on_with_its_identity_and_its_numbers() {
    let (folder, hashes) = lines::tests::ledger();
    let old = check(folder.path()).expect("whole");
    let mut appender =
        open(folder.path(), options(), Box::new(Disk), time()).expect("opens").appender;
    let head = append(&mut appender, 16, 30);
    tile(folder.path(), &mut appender);
    let summary = check(folder.path()).expect("whole");
    assert_eq!((summary.id, summary.head_sequence), (old.id, 29));
    assert_eq!((summary.records, summary.first_sequence, head.sequence), (30, 0, 29));
    // Heads of both formats are there.
    for (sequence, hash) in [(3, hashes[3]), (14, hashes[14]), (29, head.hash)] {
        let at = locate(folder.path(), sequence).expect("sound").expect("a ledger").at;
        assert_eq!(at, At::Head(hash), "{sequence}");
        verify(folder.path(), &expecting(hash)).expect("held");
    }
    // Its end cannot be cut off any more, nor can a line of it be changed.
    lines::tests::cut_last_line(&folder, 3);
    let fault = check(folder.path()).expect_err("cut off");
    assert!(matches!(fault.what, What::Altered { .. }), "{fault}");
    assert_eq!(locate(folder.path(), 3).expect("sound").expect("a ledger").at, At::BehindTheEnd);
}

#[test]
fn files_of_format_1_can_be_archived_after_it_went_on() {
    let (folder, hashes) = lines::tests::ledger();
    let mut appender =
        open(folder.path(), options(), Box::new(Disk), time()).expect("opens").appender;
    append(&mut appender, 16, 30);
    for number in 1..=3 {
        fs::remove_file(folder.path().join(lines::file_name(number))).expect("removed");
    }
    let fault = check(folder.path()).expect_err("missing");
    assert!(matches!(fault.what, What::FileMissing), "{fault}");
    let after = |sequence, hash| Expectation {
        start: Start::After(Head { sequence, hash }),
        bundles: Bundles::MayBeArchived,
        head: None,
    };
    let summary = verify(folder.path(), &after(14, hashes[14])).expect("whole");
    assert_eq!((summary.first_sequence, summary.records), (15, 15));
    verify(folder.path(), &after(14, hashes[13])).expect_err("another start");
    verify(folder.path(), &after(13, hashes[14])).expect_err("another number");
    // Bundles may be archived; that says nothing of lines.
    let archived = Expectation { bundles: Bundles::MayBeArchived, ..Expectation::default() };
    let fault = verify(folder.path(), &archived).expect_err("missing");
    assert!(matches!(fault.what, What::FileMissing), "{fault}");
    assert_eq!(locate(folder.path(), 3).expect("sound").expect("a ledger").at, At::Archived);
}

#[test]
fn every_record_can_be_proved_and_no_proof_can_be_changed() {
    let (folder, heads) = ledger();
    for sequence in (0..=300).step_by(20) {
        let proof = prove(folder.path(), sequence, None).expect("sound").expect("there");
        let text = proof.text();
        assert_eq!(Proof::decode(&text), Ok(proof.clone()));
        let head = proof.verify().expect("included");
        // On tiles: the checkpoint's tree; else the tree as it is now.
        let expected = heads[&(if sequence <= 280 { 280 } else { 300 })];
        assert_eq!(head.root, expected, "{sequence}");
        assert_eq!(proof.entry().expect("a record").sequence, sequence);
        for place in (0..text.len()).step_by(5) {
            let mut wrong = text.clone().into_bytes();
            wrong[place] ^= 1;
            let Ok(wrong) = String::from_utf8(wrong) else { continue };
            let Ok(read) = Proof::decode(&wrong) else { continue };
            // What proves another record, place or tree must prove nothing.
            let (record, index) = (read.record == proof.record, read.index == proof.index);
            let is_proof = read.verify().is_ok_and(|found| found == head);
            assert!(!is_proof || (record && index), "octet {place} of the proof of {sequence}");
        }
    }
    assert_eq!(prove(folder.path(), 301, None).expect("sound"), None);
    // In the tree of a head that was noted.
    for (sequence, at) in [(0, 1), (40, 200), (40, 280), (290, 290), (7, 299)] {
        let proof = prove(folder.path(), sequence, Some(at)).expect("sound").expect("there");
        assert_eq!(proof.verify().expect("included").root, heads[&at]);
    }
    for (sequence, at) in [(41, 40), (7, 301)] {
        assert_eq!(prove(folder.path(), sequence, Some(at)).expect("sound"), None);
    }
}

#[test]
fn a_signer_signs_the_text_of_the_checkpoint() {
    #[derive(Debug)]
    struct Signer;
    impl CheckpointSigner for Signer {
        fn sign(&self, text: &str) -> std::io::Result<String> {
            Ok(format!("— signer {}\n", text.lines().nth(1).unwrap_or_default()))
        }
    }
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    append(&mut appender, 1, 10);
    appender.seal().expect("sealed");
    let sealed = appender.take_sealed();
    integrate(folder.path(), appender.identity(), &sealed, Some(&Signer)).expect("on tiles");
    let note = fs::read_to_string(folder.path().join("checkpoint")).expect("read");
    assert!(note.ends_with("\n\n— signer 10\n"), "{note}");
    check(folder.path()).expect("whole");
}

#[test]
fn a_reader_beside_a_writer_never_sees_a_fault() {
    let folder = tempfile::tempdir().expect("folder");
    let mut appender = open_in(folder.path());
    let path = folder.path();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut last = 0;
            while last < 2000 {
                let summary = check(path).expect("whole at every moment");
                assert!(summary.head_sequence >= last, "it went back");
                last = summary.head_sequence;
            }
        });
        let mut number = 1;
        while !reading.is_finished() {
            append(&mut appender, number, number + 20);
            tile(path, &mut appender);
            number += 20;
        }
        reading.join().expect("no fault");
    });
}

#[test]
fn what_is_no_file_or_longer_than_any_of_its_kind_is_refused_and_never_waited_for() {
    let (whole, _) = ledger();
    let names = [
        "checkpoint",
        "pending/00000000000000000281",
        "tile/0/000",
        "tile/0/001.p/25",
        "tile/entries/000",
        "tile/entries/001.p/25",
    ];
    for name in names {
        let folder = copy(whole.path());
        let path = folder.path().join(name);
        fs::remove_file(&path).expect("removed");
        symlink("/dev/zero", &path).expect("linked");
        assert_fault(folder.path(), "not a regular file");
        fs::remove_file(&path).expect("removed");
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(CWD, &path, FileType::Fifo, mode, 0).expect("a pipe");
        assert_fault(folder.path(), "not a regular file");
        fs::remove_file(&path).expect("removed");
        // Zeros without end that take no room on the disk.
        fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("made");
        if name.starts_with("pending") {
            continue;
        }
        assert_fault(folder.path(), "not a file of a ledger");
    }
}

fn assert_fault(folder: &Path, expected: &str) {
    let fault = check(folder).expect_err("refused").to_string();
    assert!(fault.contains(expected), "{fault}");
}

#[test]
fn zeros_that_a_power_failure_left_are_counted_and_not_kept_in_memory() {
    let (folder, heads) = ledger();
    let path = folder.path().join("pending/00000000000000000281");
    let zeros = 3 * 1024 * 1024 + 5;
    let file = fs::File::options().append(true).open(&path).expect("opens");
    let whole = file.metadata().expect("there").len();
    file.set_len(whole + zeros).expect("longer");
    let fault = check(folder.path()).expect_err("torn");
    assert!(matches!(fault.what, What::Incomplete { octets } if octets == zeros), "{fault}");
    let mut file = file;
    file.write_all(b"x").expect("written");
    let fault = check(folder.path()).expect_err("damaged");
    assert!(matches!(fault.what, What::MalformedFile(_)), "{fault}");
    file.set_len(whole).expect("cut");
    assert_eq!(check(folder.path()).expect("whole").head, heads[&300]);
}

#[test]
fn a_tile_is_never_written_through_a_link() {
    let folder = tempfile::tempdir().expect("folder");
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, b"another file of the service's").expect("written");
    let ledger = folder.path().join("ledger");
    let mut appender = open_in(&ledger);
    append(&mut appender, 1, 10);
    fs::create_dir_all(ledger.join("tile/0/000.p")).expect("made");
    symlink(&elsewhere, ledger.join("tile/0/000.p/11")).expect("linked");
    tile(&ledger, &mut appender);
    assert_eq!(fs::read(&elsewhere).expect("there"), b"another file of the service's");
    check(&ledger).expect("whole");

    // Nor into another folder.
    append(&mut appender, 10, 300);
    let other = folder.path().join("folder");
    fs::create_dir(&other).expect("made");
    symlink(&other, ledger.join("tile/1")).expect("linked");
    appender.seal().expect("sealed");
    let sealed = appender.take_sealed();
    let fault = integrate(&ledger, appender.identity(), &sealed, None).expect_err("refused");
    assert!(fault.to_string().contains("is a link"), "{fault}");
    assert_eq!(names(&other), Vec::<String>::new());
}
