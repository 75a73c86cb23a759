//! Programs of others that are the other side of a test: where they are, and how they are run.
//!
//! Debian's packages stand in the table of `scripts/setup`. Clients in Python are installed by it
//! from `tests/clients/requirements.txt`, every version pinned, into `target/clients/python`; the
//! programs that drive them, and single-file Java programs, lie in `tests/clients/`. To add one:
//! a line in the table or the requirements, a small program beside the others that takes its
//! facts as arguments and fails when the client does, and a test that runs it through here. A
//! client that is missing fails its test with the command that installs it.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// What installs everything.
const REMEDY: &str = "run scripts/setup test";

/// The jars of Debian's libbcpkix-java.
const BOUNCY_CASTLE: &str =
    "/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar";

/// What a program said, and whether it was content.
#[derive(Debug)]
pub struct Ran {
    command: String,
    success: bool,
    text: String,
}

/// Runs a program in `folder` with these arguments.
///
/// # Panics
/// When the program is not there; the message says how to install it.
pub fn run<S: AsRef<OsStr>>(
    program: &str,
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    run_command(&mut command)
}

/// Runs `tests/clients/NAME` by Python with the pinned packages.
///
/// # Panics
/// As [`run`].
pub fn run_python<S: AsRef<OsStr>>(
    name: &str,
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Ran {
    let packages = workspace().join("target/clients/python");
    assert!(packages.is_dir(), "{} is missing: {REMEDY}", packages.display());
    let mut command = Command::new("python3");
    command
        .arg(client(name))
        .args(arguments)
        .current_dir(folder)
        .env("PYTHONPATH", packages)
        .env("PYTHONNOUSERSITE", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run_command(&mut command)
}

/// Runs `tests/clients/NAME`, a Java program in one file, with `BouncyCastle` at hand.
///
/// # Panics
/// As [`run`].
pub fn run_java<S: AsRef<OsStr>>(
    name: &str,
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Ran {
    let first = BOUNCY_CASTLE.split(':').next().unwrap_or_default();
    assert!(Path::new(first).exists(), "{first} is missing: {REMEDY}");
    let mut command = Command::new("java");
    command.args(["-cp", BOUNCY_CASTLE]).arg(client(name)).args(arguments).current_dir(folder);
    run_command(&mut command)
}

fn run_command(command: &mut Command) -> Ran {
    // What the developer's machine has set up for its own network is none of a test's.
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name);
    }
    let shown = format!("{command:?}");
    let output = command.output().unwrap_or_else(|error| panic!("{shown}: {error}: {REMEDY}"));
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    Ran {
        command: shown,
        success: output.status.success(),
        text: String::from_utf8_lossy(&text).into_owned(),
    }
}

impl Ran {
    /// What it said.
    ///
    /// # Panics
    /// When it failed.
    #[track_caller]
    pub fn succeeds(self) -> String {
        assert!(self.success, "{}\n{}", self.command, self.text);
        self.text
    }

    /// What it said.
    ///
    /// # Panics
    /// When it did not fail.
    #[track_caller]
    pub fn fails(self) -> String {
        assert!(!self.success, "should fail: {}\n{}", self.command, self.text);
        self.text
    }
}

fn client(name: &str) -> PathBuf {
    workspace().join("tests/clients").join(name)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
