//! A process that appends to a ledger, killed at random moments and on a disk that fills up: what
//! it had a receipt for is there, and the next process goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_daemon::ledger::{At, Expectation, Summary, locate, verify};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// The example, which cargo builds with the tests, beside them.
fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("this program");
    path.pop();
    path.pop();
    path.push("examples");
    path.push(name);
    assert!(path.is_file(), "{} is missing: cargo build --examples", path.display());
    path
}

/// A writer, killed when dropped.
struct Writer {
    process: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Writer {
    fn start(mut command: Command) -> Self {
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("starts");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (says, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if says.send(line).is_err() {
                    return;
                }
            }
        });
        Self { process, lines }
    }

    fn of(folder: &Path, callers: u32) -> Self {
        let mut command = Command::new(example("ledger"));
        command.arg(folder).arg(callers.to_string());
        Self::start(command)
    }

    /// Waits for a line that begins with `mark`, and gives all lines up to it.
    fn read_until(&self, mark: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            lines.push(self.lines.recv_timeout(left).expect("a line in time"));
            if lines.last().is_some_and(|line| line.starts_with(mark)) {
                return lines;
            }
        }
    }

    /// SIGKILL; gives what it had said and nobody had read.
    fn kill(mut self) -> Vec<String> {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
        self.lines.iter().collect()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What writers had receipts for.
#[derive(Debug, Default)]
struct Receipts {
    sequences: BTreeSet<u64>,
    /// The heads in the receipts, by their last record's number.
    heads: BTreeMap<u64, String>,
}

impl Receipts {
    /// Adds the receipts in a writer's lines; a torn last line is none.
    fn collect(&mut self, lines: &[String]) {
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["kept", sequence, head, hash] = words[..]
                && hash.len() == 64
            {
                let sequence = sequence.parse().expect("a number");
                assert!(self.sequences.insert(sequence), "the number {sequence} was given twice");
                let head = head.parse().expect("a number");
                let before = self.heads.insert(head, hash.to_owned());
                assert!(before.is_none_or(|before| before == hash), "two heads at {head}");
            }
        }
    }

    /// Verifies the ledger and finds every receipt in it.
    fn check(&self, folder: &Path) -> Summary {
        let summary = verify(folder, &Expectation::default()).expect("whole");
        let last = self.sequences.last().copied().unwrap_or_default();
        assert!(summary.head_sequence >= last, "{} ends before {last}", summary.head_sequence);
        // A head commits to everything before it: the last ones, and some on the way.
        let every = self.heads.len() / 40 + 1;
        for (sequence, hash) in self.heads.iter().rev().step_by(every) {
            let located = locate(folder, *sequence).expect("sound").expect("a ledger");
            assert_eq!(located.at, At::Head(hash.parse().expect("a hash")), "number {sequence}");
        }
        summary
    }
}

#[test]
fn killed_at_random_moments_no_receipt_is_lost_or_given_twice() {
    let folder = tempfile::tempdir().expect("folder");
    let mut receipts = Receipts::default();
    for round in 0_u64..12 {
        let writer = Writer::of(folder.path(), 16);
        receipts.collect(&writer.read_until("kept"));
        // Moments that differ from round to round and from run to run, by as much as the machine does.
        let until = Instant::now() + Duration::from_micros(round * 7919 % 60_000);
        let mut lines = Vec::new();
        while let Ok(line) =
            writer.lines.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            lines.push(line);
        }
        receipts.collect(&lines);
        receipts.collect(&writer.kill());
        // Whole but for a line that was being written.
        let summary = match verify(folder.path(), &Expectation::default()) {
            Ok(summary) => Some(summary),
            Err(fault) => {
                assert!(fault.to_string().contains("incomplete"), "{fault}");
                None
            }
        };
        if summary.is_some() {
            receipts.check(folder.path());
        }
    }
    let writer = Writer::of(folder.path(), 16);
    receipts.collect(&writer.read_until("kept"));
    receipts.collect(&writer.kill());
    drop(Command::new(example("ledger")).arg(folder.path()).args(["1", "1"]).output());
    let summary = receipts.check(folder.path());
    assert!(receipts.sequences.len() > 100, "{receipts:?}");
    assert!(summary.files > 1, "no rotation was killed: {summary:?}");
}

#[test]
fn on_a_disk_without_room_records_are_refused_and_what_was_kept_stays() {
    let folder = tempfile::tempdir().expect("folder");
    // 8 blocks of 512 octets, of a file that rotates at 32 KiB: writes fail in the middle of lines.
    let mut command = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    command.args(["-c", limited]).arg(example("ledger")).arg(folder.path()).arg("4");
    let writer = Writer::start(command);
    let mut receipts = Receipts::default();
    receipts.collect(&writer.read_until("refused"));
    let refusals = writer.read_until("refused").len();
    assert!(refusals > 0);
    receipts.collect(&writer.kill());
    assert!(!receipts.sequences.is_empty());
    // With room again, the next process cuts off the half line that the other one may have been killed at, and
    // goes on.
    let output = Command::new(example("ledger"))
        .arg(folder.path())
        .args(["2", "10"])
        .output()
        .expect("runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let before = receipts.sequences.len();
    receipts.collect(&text.lines().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(receipts.sequences.len(), before + 10, "{text}");
    receipts.check(folder.path());
}

#[test]
fn a_second_process_is_refused_while_the_first_lives_and_not_after_it_was_killed() {
    let folder = tempfile::tempdir().expect("folder");
    let writer = Writer::of(folder.path(), 1);
    writer.read_until("kept");
    let second = || {
        let mut command = Command::new(example("ledger"));
        command.arg(folder.path()).args(["1", "1"]).output().expect("runs")
    };
    let refused = second();
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("Locked"), "{text}");
    writer.kill();
    assert!(second().status.success());
}
