//! A PostgreSQL server for the bench: Debian's binaries, a temporary folder, a Unix socket. It syncs to
//! the disk as a server does.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// Where Debian has the binaries of each version.
const BINARIES: &str = "/usr/lib/postgresql";

/// A server with one empty database; stopped when dropped.
pub(crate) struct Postgres {
    folder: TempDir,
    server: Child,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some((user, group)) = owner() {
            chown(folder.path(), Some(user), Some(group)).expect("given away");
        }
        let data = folder.path().join("data");
        let made = program("initdb")
            .args(["--auth=trust", "--username=countersign", "--encoding=UTF8", "--no-locale"])
            .args(["--no-sync", "--no-instructions", "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let server = program("postgres")
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses="])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).expect("a log"))
            .spawn()
            .expect("postgres runs");
        let postgres = Self { folder, server };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !postgres.client("createdb", &["bench"]) {
            assert!(Instant::now() < deadline, "PostgreSQL does not answer");
            thread::sleep(Duration::from_millis(100));
        }
        postgres
    }

    /// Its database.
    pub(crate) fn url(&self) -> String {
        format!("postgres:///bench?host={}&user=countersign", self.folder.path().display())
    }

    fn client(&self, name: &str, arguments: &[&str]) -> bool {
        let folder = self.folder.path();
        let ran = program(name)
            .arg("--host")
            .arg(folder)
            .args(["--username", "countersign"])
            .args(arguments)
            .output();
        ran.expect("it runs").status.success()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its processes end at once; one that has ended needs no signal.
        let _ = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _ = self.server.wait();
    }
}

/// A program of the newest version there is, run as somebody who is not root: PostgreSQL refuses
/// root.
fn program(name: &str) -> Command {
    let mut command = Command::new(newest().join("bin").join(name));
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    command.current_dir("/").env_remove("PGHOST").env_remove("PGPORT");
    command
}

fn newest() -> PathBuf {
    let entries = fs::read_dir(BINARIES).into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| version(path).unwrap_or(0))
        .expect("PostgreSQL is missing: run scripts/setup bench")
}

/// User and group to run as: nobody special when this is root, else whoever this is.
fn owner() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let number = |flag| {
        let output = Command::new("id").args([flag, "nobody"]).output().expect("id runs");
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().expect("a number")
    };
    Some((number("-u"), number("-g")))
}
