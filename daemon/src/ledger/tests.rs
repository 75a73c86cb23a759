//! The ledger on a disk that fails as it is told to.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Condvar;
use std::time::{Duration, Instant};

use countersign_ledger::{Disk, Entry, MediumFile, Place, Watcher, verify_each};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the disk does next.
#[derive(Debug, Default)]
struct Plan {
    /// Octets that can still be written; without a number, any.
    room: Option<usize>,
    failing_flushes: u32,
    failing_cuts: u32,
    failing_creates: u32,
    /// Flushes wait while this is set.
    stalled: bool,
    flushes: u32,
}

/// The file system, failing by a plan.
#[derive(Debug, Clone, Default)]
struct BadDisk(Arc<(Mutex<Plan>, Condvar)>);

#[derive(Debug)]
struct BadFile {
    file: Box<dyn MediumFile>,
    disk: BadDisk,
}

impl BadDisk {
    fn set(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.0.0.lock().expect("plan"));
        self.0.1.notify_all();
    }

    fn flushes(&self) -> u32 {
        self.0.0.lock().expect("plan").flushes
    }

    fn file(&self, file: Box<dyn MediumFile>) -> Box<dyn MediumFile> {
        Box::new(BadFile { file, disk: self.clone() })
    }
}

fn fails(times: &mut u32) -> io::Result<()> {
    if *times == 0 {
        return Ok(());
    }
    *times -= 1;
    Err(io::Error::other("as planned"))
}

impl Medium for BadDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn MediumFile>> {
        fails(&mut self.0.0.lock().expect("plan").failing_creates)?;
        Ok(self.file(Disk.create(path)?))
    }

    fn open_at_end(&self, path: &Path) -> io::Result<Box<dyn MediumFile>> {
        Ok(self.file(Disk.open_at_end(path)?))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.publish(from, to)
    }
}

impl MediumFile for BadFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut plan = self.disk.0.0.lock().expect("plan");
        let Some(room) = &mut plan.room else { return self.file.append(bytes) };
        let fitting = bytes.len().min(*room);
        *room -= fitting;
        self.file.append(&bytes[..fitting])?;
        if fitting < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn flush_to_disk(&mut self) -> io::Result<()> {
        let plan = self.disk.0.0.lock().expect("plan");
        let mut plan = self.disk.0.1.wait_while(plan, |plan| plan.stalled).expect("plan");
        plan.flushes += 1;
        fails(&mut plan.failing_flushes)?;
        self.file.flush_to_disk()
    }

    fn cut(&mut self, octets: u64) -> io::Result<()> {
        fails(&mut self.disk.0.0.lock().expect("plan").failing_cuts)?;
        self.file.cut(octets)
    }
}

fn options() -> Options {
    Options::new("test")
}

fn open(folder: &TempDir, disk: &BadDisk) -> Ledger {
    Ledger::open_on(folder.path(), options(), disk.clone()).expect("opens")
}

fn append(ledger: &Ledger, number: u64) -> Result<Receipt, AppendError> {
    ledger.append("token", &json!({ "number": number })).wait()
}

fn check(folder: &TempDir) -> Summary {
    verify(folder.path(), &Expectation::default()).expect("whole")
}

/// Kinds and records of a ledger that is whole.
fn records(folder: &TempDir) -> Vec<(String, serde_json::Value)> {
    struct Collecting(Vec<(String, serde_json::Value)>);
    impl Watcher for Collecting {
        fn record(&mut self, entry: &Entry<'_>, _: &Place) {
            let record = serde_json::from_str(entry.record).expect("JSON");
            self.0.push((entry.kind.to_owned(), record));
        }
    }
    let mut records = Collecting(Vec::new());
    verify_each(folder.path(), &Expectation::default(), &mut records).expect("whole");
    records.0
}

/// The numbers in the records of a ledger that is whole.
fn numbers(folder: &TempDir) -> Vec<u64> {
    records(folder).iter().filter_map(|(_, record)| record["number"].as_u64()).collect()
}

/// The write-ahead files, in their order.
fn pending(folder: &TempDir) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder.path().join("pending")).expect("listed");
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.expect("listed").path()).collect();
    files.sort();
    files
}

#[track_caller]
fn poll(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn receipts_are_what_the_files_hold() {
    let folder = tempfile::tempdir().expect("folder");
    let ledger = open(&folder, &BadDisk::default());
    let receipts: Vec<Receipt> =
        (0..5).map(|number| append(&ledger, number).expect("kept")).collect();
    assert_eq!(receipts.iter().map(|it| it.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let (summary, head) = (check(&folder), receipts[4].head);
    assert_eq!((summary.head_sequence, summary.head), (5, head.hash));
    assert_eq!((head.sequence, ledger.status().head, ledger.heads().on_disk()), (5, head, head));
    assert_eq!(ledger.identity().id, summary.id);
    drop(ledger);
    let again = open(&folder, &BadDisk::default());
    assert_eq!(append(&again, 5).expect("kept").sequence, 6);
    assert_eq!(numbers(&folder), [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_strict_receipt_waits_for_the_disk_and_many_share_one_flush() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let ledger = open(&folder, &disk);
    disk.set(|plan| plan.stalled = true);
    let before = disk.flushes();
    let mut waiting: Vec<Appending> =
        (0..100).map(|number| ledger.append("token", &json!({ "number": number }))).collect();
    let early = tokio::time::timeout(Duration::from_millis(50), &mut waiting[0]).await;
    assert!(early.is_err(), "no receipt before the flush");
    assert!(ledger.status().lag >= Duration::from_millis(50));
    disk.set(|plan| plan.stalled = false);
    for appending in waiting {
        tokio::time::timeout(PATIENCE, appending).await.expect("in time").expect("kept");
    }
    assert!(disk.flushes() - before <= 3, "{}", disk.flushes() - before);
    assert_eq!(numbers(&folder), (0..100).collect::<Vec<_>>());
}

#[test]
fn the_folder_is_made_with_those_above_it_and_closed_to_strangers() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().expect("folder");
    let inner = folder.path().join("a/b/audit");
    let ledger = Ledger::open(&inner, options()).expect("opens");
    append(&ledger, 0).expect("kept");
    let others = |path: &Path| fs::metadata(path).expect("there").mode() & 0o027;
    drop(ledger);
    for path in
        ["", "lock", "pending", "tile", "tile/0/000.p/2", "tile/entries/000.p/2", "checkpoint"]
    {
        assert_eq!(others(&inner.join(path)), 0, "{path}");
    }
}

#[test]
fn a_full_queue_refuses_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let options = Options { max_queued: 10, ..options() };
    let ledger = Ledger::open_on(folder.path(), options, disk.clone()).expect("opens");
    disk.set(|plan| plan.stalled = true);
    let first = ledger.append("token", &json!({}));
    poll("the writer takes the first", || ledger.status().queued == 0);
    let queued: Vec<Appending> = (0..10).map(|_| ledger.append("token", &json!({}))).collect();
    assert!(matches!(append(&ledger, 0), Err(AppendError::Full)));
    disk.set(|plan| plan.stalled = false);
    first.wait().expect("kept");
    for appending in queued {
        appending.wait().expect("kept");
    }
    append(&ledger, 1).expect("room again");
    assert_eq!(check(&folder).records, 13);
}

#[test]
fn a_disk_that_is_full_after_any_octet_leaves_nothing_behind_and_goes_on_when_it_has_room() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let ledger = open(&folder, &disk);
    append(&ledger, 0).expect("kept");
    // A record of this length in a frame, but for its last octet.
    let before = fs::read(&pending(&folder)[0]).expect("read").len();
    append(&ledger, 0).expect("kept");
    let length = fs::read(&pending(&folder)[0]).expect("read").len() - before - 1;
    for room in 0..=length {
        disk.set(|plan| plan.room = Some(room));
        let before = check(&folder);
        assert!(matches!(append(&ledger, 1), Err(AppendError::Io(_))), "room for {room}");
        assert_eq!(check(&folder).head, before.head);
        assert!(ledger.ready().is_err());
        disk.set(|plan| plan.room = None);
        append(&ledger, 2).expect("kept");
        ledger.ready().expect("ready again");
    }
    let kept = numbers(&folder);
    assert!(kept.iter().all(|number| *number != 1) && kept.len() == length + 3, "{kept:?}");
}

#[test]
fn tells_by_itself_when_it_can_be_written_again_and_what_was_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let ledger = open(&folder, &disk);
    disk.set(|plan| plan.room = Some(0));
    for number in 0..3 {
        append(&ledger, number).expect_err("refused");
    }
    disk.set(|plan| plan.room = None);
    poll("ready without a caller", || ledger.ready().is_ok());
    let told: Vec<_> =
        records(&folder).into_iter().filter(|(kind, _)| kind == "ledger.resumed").collect();
    assert_eq!(told, [("ledger.resumed".to_owned(), json!({ "refused_records": 3 }))]);
}

#[test]
fn after_a_failed_flush_a_new_file_goes_on_from_what_was_acknowledged() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let ledger = open(&folder, &disk);
    let kept = append(&ledger, 0).expect("kept");
    disk.set(|plan| plan.failing_flushes = 1);
    assert!(matches!(append(&ledger, 1), Err(AppendError::Io(_))));
    // The file that could not be flushed ends with what was acknowledged, and another goes on.
    assert_eq!(check(&folder).head, kept.head.hash);
    assert!(pending(&folder).iter().any(|path| path.ends_with("00000000000000000002")));
    append(&ledger, 2).expect("kept");
    assert_eq!(numbers(&folder), [0, 2]);
}

#[test]
fn stops_when_what_is_on_the_disk_cannot_be_known_and_opens_again() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let ledger = open(&folder, &disk);
    append(&ledger, 0).expect("kept");
    disk.set(|plan| plan.failing_flushes = 2);
    append(&ledger, 1).expect_err("refused");
    assert!(matches!(append(&ledger, 2), Err(AppendError::Stopped)));
    assert!(ledger.status().stopped && ledger.ready().is_err());
    drop(ledger);
    let again = open(&folder, &disk);
    append(&again, 3).expect("kept");
    assert_eq!(numbers(&folder), [0, 3]);
}

#[test]
fn a_failed_cut_is_tried_again_before_the_next_record() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let ledger = open(&folder, &disk);
    disk.set(|plan| (plan.room, plan.failing_cuts) = (Some(7), 1));
    append(&ledger, 0).expect_err("refused");
    disk.set(|plan| plan.room = None);
    append(&ledger, 1).expect("kept");
    assert_eq!(numbers(&folder), [1]);
}

#[test]
fn records_go_onto_tiles_when_a_file_is_large_and_a_failed_beginning_changes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let options = Options { rotate_at_bytes: 1000, ..options() };
    let ledger = Ledger::open_on(folder.path(), options, disk.clone()).expect("opens");
    for number in 0..20 {
        append(&ledger, number).expect("kept");
    }
    poll("a checkpoint", || folder.path().join("checkpoint").exists());
    disk.set(|plan| plan.failing_creates = 1);
    let refused = (20..40).filter(|number| append(&ledger, *number).is_err()).count();
    assert_eq!(refused, 1);
    drop(ledger);
    assert_eq!(numbers(&folder).len(), 39);
    let summary = check(&folder);
    let empty = fs::metadata(&pending(&folder)[0]).expect("there").len() == 0;
    assert_eq!((summary.files, pending(&folder).len(), empty), (1, 1, true), "all is on tiles");
}

#[test]
fn a_relaxed_receipt_does_not_wait_for_the_disk_which_gets_it_soon_and_at_the_end() {
    let folder = tempfile::tempdir().expect("folder");
    let disk = BadDisk::default();
    let options = Options { durability: Durability::Relaxed, ..options() };
    let ledger = Ledger::open_on(folder.path(), options, disk.clone()).expect("opens");
    let before = disk.flushes();
    for number in 0..50 {
        append(&ledger, number).expect("kept");
    }
    assert!(disk.flushes() - before <= 2 + 50 / 10, "{}", disk.flushes() - before);
    let flushed = disk.flushes();
    disk.set(|plan| plan.stalled = true);
    let kept = append(&ledger, 50).expect("kept");
    assert!(
        ledger.heads().on_disk().sequence < kept.head.sequence,
        "it is told of before its flush"
    );
    disk.set(|plan| plan.stalled = false);
    poll("a flush within a second or so", || disk.flushes() > flushed);
    poll("the flushed head", || ledger.heads().on_disk() == kept.head);
    disk.set(|plan| plan.failing_flushes = 1);
    append(&ledger, 51).expect("kept");
    poll("the failed flush", || disk.0.0.lock().expect("plan").failing_flushes == 0);
    append(&ledger, 52).expect("kept");
    drop(ledger);
    assert_eq!(numbers(&folder), (0..=52).collect::<Vec<_>>());
}

#[test]
fn what_is_queued_is_written_when_the_last_handle_goes() {
    let folder = tempfile::tempdir().expect("folder");
    let ledger = open(&folder, &BadDisk::default());
    let waiting: Vec<Appending> =
        (0..100).map(|number| ledger.append("token", &json!({ "number": number }))).collect();
    drop(ledger);
    for appending in waiting {
        appending.wait().expect("kept");
    }
    assert_eq!(numbers(&folder).len(), 100);
}

#[test]
fn records_that_are_none_are_refused_and_leave_no_trace() {
    let folder = tempfile::tempdir().expect("folder");
    let ledger = open(&folder, &BadDisk::default());
    let unfit = |appending: Appending| {
        assert!(matches!(appending.wait(), Err(AppendError::Unfit(_))));
    };
    unfit(ledger.append("Token", &json!({})));
    unfit(ledger.append("", &json!({})));
    unfit(ledger.append("token", &json!([1])));
    unfit(ledger.append("token", "text"));
    unfit(ledger.append("token", &json!({ "long": "x".repeat(64 * 1024) })));
    let most = 64 * 1024 - 1 - 64 - 200 - json!({ "long": "" }).to_string().len();
    ledger.append(&"k".repeat(64), &json!({ "long": "x".repeat(most) })).wait().expect("kept");
    assert_eq!(check(&folder).records, 2);
}

#[test]
fn one_process_writes_and_one_service_reads_its_own() {
    let folder = tempfile::tempdir().expect("folder");
    let ledger = open(&folder, &BadDisk::default());
    let second = Ledger::open(folder.path(), options());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    drop(ledger);
    let other = Ledger::open(folder.path(), Options::new("revocation"));
    assert!(matches!(other, Err(OpenError::OtherLedger { found, .. }) if found == "test"));
}

/// The write-ahead file of a ledger that was killed after four records, and where each frame ends.
fn killed_after_four() -> (Vec<u8>, Vec<usize>) {
    let folder = tempfile::tempdir().expect("folder");
    let ledger = open(&folder, &BadDisk::default());
    let read = || fs::read(&pending(&folder)[0]).expect("read");
    let mut ends = vec![read().len()];
    for number in 0..4 {
        append(&ledger, number).expect("kept");
        ends.push(read().len());
    }
    (read(), ends)
}

/// A folder with that write-ahead file alone.
fn folder_with(octets: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("pending").join("0".repeat(20));
    fs::create_dir(folder.path().join("pending")).expect("made");
    fs::write(&path, octets).expect("written");
    (folder, path)
}

#[test]
fn a_record_torn_at_any_octet_is_cut_off_and_told() {
    let (whole, ends) = killed_after_four();
    for cut in ends[2]..whole.len() {
        let (folder, _) = folder_with(&whole[..cut]);
        let kept = ends.iter().filter(|end| **end <= cut).count();
        let octets = cut - ends[kept - 1];
        drop(open(&folder, &BadDisk::default()));
        let records = records(&folder);
        let told = records.iter().find(|(kind, _)| kind == "ledger.recovered");
        let told = told.and_then(|(_, record)| record["torn_octets"].as_u64()).unwrap_or(0);
        assert_eq!(told, octets as u64, "cut at {cut}");
        assert_eq!(records.len(), kept + usize::from(octets > 0), "cut at {cut}");
    }
}

#[test]
fn zeros_at_the_end_are_torn_and_a_wrong_record_refuses_to_open() {
    let (whole, ends) = killed_after_four();
    let (folder, _) = folder_with(&[whole.as_slice(), &vec![0; 100_000]].concat());
    drop(open(&folder, &BadDisk::default()));
    assert_eq!(check(&folder).records, 6);

    // Anywhere, in the last record too: its frame holds the tree's root.
    for place in [ends[0] + 40, ends[3] + 40, whole.len() - 1] {
        let mut wrong = whole.clone();
        wrong[place] ^= 1;
        let (folder, path) = folder_with(&wrong);
        match Ledger::open(folder.path(), options()) {
            Err(OpenError::Damaged(fault)) => assert_eq!(fault.file, path),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read(&path).expect("read"), wrong, "what is damaged is left alone");
    }
}
