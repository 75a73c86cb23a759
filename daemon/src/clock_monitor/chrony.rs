//! chrony on this machine, by what `chronyc -c tracking` prints.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::source::{Measurement, Measuring, SourceError, TimeSource};

/// chronyd on this machine.
#[derive(Debug)]
pub(super) struct Chrony {
    program: PathBuf,
}

impl Chrony {
    pub(super) fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// The program of that name in the first folder of PATH that has it. A folder that depends on the
    /// current one is none: others may have put a program there.
    pub(super) fn in_path(name: &str) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
        let programs = folders.map(|folder| folder.join(name));
        let found = programs.into_iter().find(|program| program.is_file());
        Self::new(found.unwrap_or_else(|| PathBuf::from("/usr/bin").join(name)))
    }

    async fn ask(&self) -> Result<Measurement, SourceError> {
        let command = Command::new(&self.program)
            .args(["-n", "-c", "tracking"])
            // It needs nothing of what this service was given, passphrases among it.
            .env_clear()
            .stdin(Stdio::null())
            // One that hangs goes with the question.
            .kill_on_drop(true)
            .output();
        let output = command
            .await
            .map_err(|error| SourceError::Failed(format!("{}: {error}", self.program.display())))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            // What it says itself is on one, what chronyd answers on the other.
            let own = String::from_utf8_lossy(&output.stderr);
            let said = format!("{} {}", own.trim(), text.trim());
            return Err(SourceError::Failed(format!("chronyc: {}", said.trim())));
        }
        measurement(&text)
    }
}

impl TimeSource for Chrony {
    fn name(&self) -> &'static str {
        "chrony"
    }

    fn measure(&self) -> Measuring<'_> {
        Box::pin(self.ask())
    }
}

/// Fields of the line: 4 is the correction that is still to be made (positive: the clock is slow),
/// 10 root delay, 11 root dispersion, in seconds; 13 the leap status.
fn measurement(line: &str) -> Result<Measurement, SourceError> {
    let failed = |what: &str| SourceError::Failed(format!("chronyc: {what}"));
    let fields: Vec<&str> = line.trim().split(',').collect();
    let nanos = |index: usize| fields.get(index).and_then(|text| nanos(text));
    let (Some(slow_by), Some(delay), Some(dispersion), Some(&leap)) =
        (nanos(4), nanos(10), nanos(11), fields.get(13))
    else {
        return Err(failed("the line of tracking cannot be read"));
    };
    if leap == "Not synchronised" {
        return Err(failed("not synchronised"));
    }
    let bound = (delay / 2).saturating_add(dispersion);
    let error_bound = Duration::from_nanos(u64::try_from(bound).map_err(|_| failed("negative"))?);
    Ok(Measurement { offset_nanos: slow_by.saturating_neg(), error_bound })
}

/// Seconds with a fraction, as nanoseconds.
fn nanos(text: &str) -> Option<i64> {
    let nanos = (text.parse::<f64>().ok()? * 1e9).round();
    // An offset of more than a century is nonsense.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (nanos.abs() < 4e18).then_some(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const LINE: &str = "A29FC801,162.159.200.1,4,1763881501.123456789,-0.000012345,0.000001,\
        0.000200,-12.345,0.001,0.050,0.012345000,0.001500000,64.2,Normal\n";

    #[test]
    fn reads_the_line_of_tracking() {
        let read = measurement(LINE).expect("read");
        assert_eq!(read.offset_nanos, 12_345);
        assert_eq!(read.error_bound, Duration::from_nanos(12_345_000 / 2 + 1_500_000));
    }

    #[test]
    fn an_unsynchronised_daemon_and_nonsense_are_failures() {
        for line in [
            &LINE.replace("Normal", "Not synchronised"),
            "506 Cannot talk to daemon",
            "",
            &LINE.replace("-0.000012345", "1e300"),
            &LINE.replace("0.001500000", "-1"),
        ] {
            assert!(matches!(measurement(line), Err(SourceError::Failed(_))), "{line}");
        }
    }

    #[tokio::test]
    async fn runs_the_program() {
        let folder = tempfile::tempdir().expect("folder");
        let program = folder.path().join("chronyc");
        let script = |text: &str| {
            std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("written");
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700))
                .expect("mode");
        };
        let own = "test \"$*\" = '-n -c tracking' && test -z \"$HOME$CARGO_PKG_NAME\"";
        script(&format!("{own} && echo '{}'", LINE.trim()));
        let chrony = Chrony::new(&program);
        assert_eq!(chrony.measure().await.expect("measured").offset_nanos, 12_345);
        script("echo '506 Cannot talk to daemon'; exit 1");
        let error = chrony.measure().await.expect_err("refused").to_string();
        assert!(error.contains("506"), "{error}");
        assert!(Chrony::in_path("no-such-program").program.starts_with("/usr/bin"));
        let shell = Chrony::in_path("sh").program;
        assert!(shell.is_absolute() && shell.is_file(), "{}", shell.display());
        let missing = Chrony::new(folder.path().join("none"));
        assert!(missing.measure().await.is_err());
    }
}
