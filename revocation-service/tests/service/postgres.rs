//! A PostgreSQL server of our own: Debian's binaries, a temporary folder, a Unix socket.

use std::{
    fs,
    os::unix::fs::chown,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use countersign_revocation::register::storage::DatabaseLocation;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::postgres_programs::{owner, program};

/// A server; stopped when dropped.
pub(crate) struct Postgres {
    folder: TempDir,
    server: Option<Child>,
    databases: AtomicUsize,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some((user, group)) = owner() {
            chown(folder.path(), Some(user), Some(group)).expect("given away");
        }
        let output = program("initdb")
            .arg("--pgdata")
            .arg(folder.path().join("data"))
            .args(["--auth=trust", "--username=countersign", "--encoding=UTF8", "--no-locale"])
            .args(["--no-sync", "--no-instructions"])
            .output()
            .expect("initdb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut postgres = Self { folder, server: None, databases: AtomicUsize::new(0) };
        postgres.resume().await;
        postgres
    }

    /// Starts the server again after [`stop`](Self::stop).
    pub(crate) async fn resume(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).expect("a log");
        let server = program("postgres")
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .arg("-k")
            .arg(self.folder.path())
            // Nothing listens but the socket. The machine does not lose power in a test.
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=120"])
            .args(["-c", "shared_buffers=16MB", "-c", "autovacuum=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres runs");
        self.server = Some(server);
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = PgConnection::connect(&self.url("postgres")).await {
            assert!(Instant::now() < deadline, "{error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the server at once, as when its machine is lost.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // SIGQUIT: its processes end at once, with no shutdown of the data.
            let _ = kill_process(Pid::from_child(&server), Signal::QUIT);
            let _ = server.wait();
        }
    }

    /// A new, empty database.
    pub(crate) async fn database(&self) -> DatabaseLocation {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test{number}");
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("connected");
        let statement = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(statement).execute(&mut connection).await.expect("made");
        DatabaseLocation::from(self.url(&name))
    }

    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgres:///{database}?host={folder}&user=countersign")
    }

    /// Runs a client program of PostgreSQL (`pg_dump`, `pg_restore`), which must succeed.
    pub(crate) fn client(&self, name: &str, arguments: &[&str]) -> Vec<u8> {
        let output = program(name)
            .args(["--host", self.folder.path().to_str().expect("UTF-8")])
            .args(["--username", "countersign"])
            .args(arguments)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}
