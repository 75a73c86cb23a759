//! The demo's story with the real programs, and how the demo ends.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use countersign_tests::scenario::{self, Folder, Observer, Row, ScenarioError, Site};
use rustix::process::{Pid, Signal, kill_process};

/// Remembers everything, and interrupts before a step where it is told to.
#[derive(Default)]
struct Recorder {
    transcript: String,
    steps: usize,
    interrupted_at: Option<usize>,
}

impl Recorder {
    fn write(&mut self, line: &str) {
        self.transcript.push_str(line);
        self.transcript.push('\n');
    }
}

impl Observer for Recorder {
    fn step(&mut self, number: usize, title: &str) {
        self.steps = number;
        self.write(&format!("{number}. {title}"));
    }

    fn command(&mut self, line: &str) {
        self.write(&format!("$ {line}"));
    }

    fn said(&mut self, text: &str) {
        self.write(text);
    }

    fn remark(&mut self, text: &str) {
        self.write(text);
    }

    fn row(&mut self, row: &Row) {
        self.write(&format!("{row:?}"));
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted_at.is_some_and(|step| self.steps >= step)
    }
}

/// Processes that this thread started and that have not been waited for.
fn children() -> Vec<String> {
    let list = fs::read_to_string("/proc/thread-self/children").expect("procfs lists children");
    list.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn every_verdict_of_the_story_is_as_expected() {
    let mut recorder = Recorder::default();
    let outcome = scenario::run(Folder::Removed, &mut recorder)
        .unwrap_or_else(|error| panic!("{error}\n{}", recorder.transcript));
    for row in &outcome.rows {
        assert!(row.agrees(), "{row:#?}\n{}", recorder.transcript);
    }
    assert!(outcome.agrees());
    // Each kind of outcome that the design promises is there.
    let seen: BTreeSet<(i32, &str)> = outcome
        .rows
        .iter()
        .map(|row| (row.seen.exit_code, row.seen.code.as_deref().unwrap_or_default()))
        .collect();
    for promised in [
        (0, ""),
        (0, "revocation.revoked-after-signing"),
        (0, "revocation.compromised-after-signing"),
        (3, "revocation.unavailable"),
        (10, "content.mismatch"),
        (10, "content.incomplete"),
        (10, "content.other-file"),
        (12, "certificate.identity.unexpected"),
        (14, "revocation.revoked"),
    ] {
        assert!(seen.contains(&promised), "{promised:?} is not in {seen:?}");
    }
    assert_eq!(children(), Vec::<String>::new(), "every process has ended");
}

#[test]
fn an_interrupted_story_leaves_no_process_behind() {
    let mut recorder = Recorder { interrupted_at: Some(3), ..Recorder::default() };
    let error = scenario::run(Folder::Removed, &mut recorder).expect_err("interrupted");
    assert!(matches!(error, ScenarioError::Interrupted), "{error}\n{}", recorder.transcript);
    assert!(recorder.transcript.contains("countersign-revocation --config"), "services ran");
    assert_eq!(children(), Vec::<String>::new());
}

#[test]
fn the_folder_goes_unless_it_is_kept() {
    let path = |folder| Site::new(folder).expect("a site").shell.folder().to_owned();
    assert!(!path(Folder::Removed).exists());
    let kept = path(Folder::Kept);
    assert!(kept.is_dir());
    fs::remove_dir_all(kept).expect("removed");
}

/// Processes whose working directory is below `folder`.
fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").expect("procfs").filter_map(Result::ok);
    entries
        .map(|entry| entry.path())
        .filter(|path| fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)))
        .collect()
}

#[test]
fn the_demo_ends_at_ctrl_c_and_cleans_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_countersign-demo"))
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the demo runs");
    let mut lines = BufReader::new(demo.stdout.take().expect("its output")).lines();
    let told = lines.any(|line| line.expect("text").starts_with("4. "));
    assert!(told, "it came as far as the fourth step, with both services running");
    assert!(!processes_in(folder.path()).is_empty());
    kill_process(Pid::from_child(&demo), Signal::INT).expect("it runs");
    // Its output is read to the end, so that it does not wait for a reader.
    lines.for_each(drop);
    assert_eq!(demo.wait().expect("it ended").code(), Some(130));
    let deadline = Instant::now() + Duration::from_secs(5);
    while !processes_in(folder.path()).is_empty() {
        assert!(Instant::now() < deadline, "still there: {:?}", processes_in(folder.path()));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0, "its folder is gone");
}
