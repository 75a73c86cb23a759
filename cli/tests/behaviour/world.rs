//! A folder with a certificate authority, a signer, a trust root and a policy, and the program.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const IDENTITY: &str = "release@example.org";
pub(crate) const PASSPHRASE: &str = "correct horse";

/// What the program did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits_with(0)
    }

    #[track_caller]
    pub(crate) fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// The one JSON object on stdout, whose exit code is the program's.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:#?}");
        let value: Value = serde_json::from_str(&self.stdout).expect("one JSON object");
        assert_eq!(value["exit_code"], self.code, "{self:#?}");
        value
    }

    /// The code that decided, of the command or of its only file.
    #[track_caller]
    pub(crate) fn finding(&self) -> String {
        let value = self.json();
        let code = match &value["results"] {
            Value::Array(results) => {
                let [only] = results.as_slice() else { panic!("not one result: {self:#?}") };
                if only["error"].is_null() {
                    only["code"].clone()
                } else {
                    only["error"]["code"].clone()
                }
            }
            _ => value["error"]["code"].clone(),
        };
        code.as_str().unwrap_or_else(|| panic!("no finding: {self:#?}")).to_owned()
    }
}

/// A command with nothing of ours in its environment.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    clean(&mut command, folder);
    command
}

/// Takes what would change the program's behaviour out of a command's environment.
pub(crate) fn clean(command: &mut Command, folder: &Path) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_lowercase();
        if text.starts_with("countersign_")
            || text.ends_with("_proxy")
            || text.starts_with("clicolor")
        {
            command.env_remove(&name);
        }
    }
    command.env_remove("NO_COLOR").env("HOME", folder).env("XDG_CONFIG_HOME", folder.join("none"));
    command.env_remove("XDG_STATE_HOME");
    command.current_dir(folder).stdin(Stdio::null());
}

/// Runs the program in `folder`.
pub(crate) fn run_in<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Run {
    Run::of(command(folder).args(arguments).output().expect("the program starts"))
}

/// The folder.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    /// Nothing but a folder.
    pub(crate) fn bare() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// Authority, signer, trust root, and a policy that needs neither timestamps nor revocation.
    pub(crate) fn new() -> Self {
        Self::with_base_url("http://127.0.0.1:9")
    }

    /// The same, with that address in every certificate.
    pub(crate) fn with_base_url(url: &str) -> Self {
        let world = Self::bare();
        let keyed = |text: &str| world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
        keyed(&format!("ca init ca --organisation Example --base-url {url}"));
        keyed(&format!(
            "ca issue --dir ca --profile code-signer --new-key signer.key --email {IDENTITY} --output signer.pem"
        ));
        keyed("ca issue --dir ca --profile tsa --new-key tsa.key --output tsa.pem");
        keyed("trust init --dir ca");
        keyed(&format!("policy init --identity {IDENTITY} --timestamps 0 --revocation off"));
        world
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, content).expect("written");
        path
    }

    /// Writes a file that its owner alone may use.
    pub(crate) fn write_secret(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permitted");
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).expect("readable")
    }

    /// Every name in the folder, hidden ones included, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("readable");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run_in(self.path(), arguments)
    }

    /// Runs the program with JSON as its form.
    pub(crate) fn json(&self, arguments: &[&str]) -> Run {
        run_in(self.path(), ["--format", "json"].iter().chain(arguments))
    }

    /// Runs the program with the passphrase in its environment.
    pub(crate) fn keyed(&self, arguments: &[&str]) -> Run {
        let mut command = command(self.path());
        command.env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE).args(arguments);
        Run::of(command.output().expect("the program starts"))
    }

    /// Signs with the world's signer.
    pub(crate) fn sign(&self, arguments: &[&str]) -> Run {
        let fixed = [
            "--format",
            "json",
            "sign",
            "--key",
            "signer.key",
            "--certificate",
            "signer.pem",
            "--trusted-root",
            "trusted_root.json",
        ];
        self.keyed(&[&fixed[..], arguments].concat())
    }

    /// Verifies by the world's policy, JSON out.
    pub(crate) fn verify(&self, arguments: &[&str]) -> Run {
        let fixed = ["verify", "--trusted-root", "trusted_root.json", "--policy", "policy.json"];
        self.json(&[&fixed[..], arguments].concat())
    }
}
