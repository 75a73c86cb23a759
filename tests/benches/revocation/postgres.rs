//! A PostgreSQL server for the bench: Debian's binaries, a temporary folder, a Unix socket. It syncs to
//! the disk as a server does.

use std::{
    fs,
    os::unix::fs::chown,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::postgres_programs::{owner, program};

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
