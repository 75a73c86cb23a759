//! A chronyd of Debian's, which follows a server of ours and leaves the system's clock alone.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    time::Instant,
};

use super::*;
use crate::clock_monitor::chrony::Chrony;

const PATIENCE: Duration = Duration::from_secs(30);

/// chronyd, killed at the end, and what asks it.
struct Chronyd {
    process: Child,
    source: Chrony,
    folder: tempfile::TempDir,
}

impl Chronyd {
    /// Starts one with those further lines of configuration.
    fn start(lines: &str) -> Self {
        // chronyd wants the folder of its socket to be its own.
        let owned = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(owned).tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name).display().to_string();
        let configuration = format!(
            "port 0\ncmdport 0\nbindcmdaddress {}\npidfile {}\n{lines}\n",
            file("chronyd.sock"),
            file("pid"),
        );
        std::fs::write(file("chrony.conf"), configuration).expect("written");
        let user = Command::new("id").arg("-un").output().expect("id runs").stdout;
        // -x: it never sets the clock; -d: it stays in the foreground; -U: no root needed.
        let process = Command::new("/usr/sbin/chronyd")
            .args(["-x", "-d", "-U", "-u", String::from_utf8_lossy(&user).trim()])
            .args(["-f", &file("chrony.conf")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(file("log")).expect("a log"))
            .spawn()
            .expect("chronyd is there (scripts/setup test)");
        // What we run has no option for the socket.
        let program = file("chronyc");
        let script = format!("#!/bin/sh\nexec chronyc -h {} \"$@\"\n", file("chronyd.sock"));
        std::fs::write(&program, script).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("set");
        Self { process, source: Chrony::new(program), folder }
    }

    /// Asks until the outcome is one that is waited for.
    async fn asked_until(
        &self,
        is_wanted: fn(&Result<Measurement, SourceError>) -> bool,
    ) -> Result<Measurement, SourceError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let outcome = self.source.measure().await;
            if is_wanted(&outcome) {
                return outcome;
            }
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            assert!(Instant::now() < deadline, "{outcome:?}\n{}", log.unwrap_or_default());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Chronyd {
    fn drop(&mut self) {
        // It may have ended by itself, which its log tells.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn chronyd_tells_how_far_and_to_which_side_the_clock_is_off() {
    for offset_seconds in [7, -7] {
        let server = ntp_server(offset_seconds, 2).await;
        let chronyd = Chronyd::start(&format!(
            "server {} port {} iburst minpoll 0 maxpoll 0",
            server.ip(),
            server.port()
        ));
        let measured = chronyd.asked_until(Result::is_ok).await.expect("measured");
        let error = measured.offset_nanos + offset_seconds * SECOND;
        assert!(error.abs() < 500 * MILLI, "{offset_seconds}: {measured:?}");
        // What the server says of its own.
        assert!(measured.error_bound >= Duration::from_micros(15_625 / 2 + 15_625), "{measured:?}");
    }
}

#[tokio::test]
async fn a_chronyd_that_follows_nothing_is_no_source() {
    let chronyd = Chronyd::start("");
    let said = |outcome: &Result<Measurement, SourceError>| matches!(outcome, Err(SourceError::Failed(text)) if text.contains("not synchronised"));
    assert!(chronyd.asked_until(said).await.is_err());
}
