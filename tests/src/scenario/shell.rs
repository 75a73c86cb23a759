//! A shell in one folder: what is shown is what runs.

use std::{
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use super::ScenarioError;
use crate::programs::{ProgramError, Programs};

/// A folder, the programs, and what was exported.
#[derive(Clone, Debug)]
pub struct Shell {
    folder: PathBuf,
    programs: Programs,
    exported: Vec<(String, String)>,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code; 128 and the signal's number when a signal ended it.
    pub exit_code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ran {
    /// What it printed on either stream.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl Shell {
    /// A shell in `folder`.
    pub fn new(folder: &Path, programs: Programs) -> Self {
        Self { folder: folder.to_owned(), programs, exported: Vec::new() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The programs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Sets a variable for the commands that follow.
    pub fn export(&mut self, name: &str, value: &str) {
        self.exported.push((name.to_owned(), value.to_owned()));
    }

    /// Runs a line of `sh` to its end.
    ///
    /// # Errors
    /// When the shell itself cannot be run.
    pub fn run(&self, line: &str) -> Result<Ran, ScenarioError> {
        let output = self
            .programs
            .command("sh", &self.folder)
            .args(["-c", line])
            .envs(self.exported.iter().map(|(name, value)| (name, value)))
            .env("NO_COLOR", "1")
            .output()
            .map_err(ProgramError::system("sh"))?;
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        Ok(Ran {
            exit_code: exit_code(output.status),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }

    /// As [`Self::run`], for a command that has to succeed.
    ///
    /// # Errors
    /// [`ScenarioError::Command`] when it does not.
    pub fn succeed(&self, line: &str) -> Result<Ran, ScenarioError> {
        let ran = self.run(line)?;
        if ran.exit_code == 0 {
            return Ok(ran);
        }
        let said = ran.said();
        Err(ScenarioError::Command { line: line.to_owned(), exit_code: ran.exit_code, said })
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| status.signal().map_or(-1, |signal| 128 + signal))
}
