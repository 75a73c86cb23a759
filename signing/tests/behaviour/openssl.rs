//! The real `openssl`, in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use countersign_signing::pem;
use tempfile::TempDir;

/// A folder in which `openssl` runs, and files named relative to it.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    pub(crate) fn write_pem(&self, name: &str, certificates: &[&[u8]]) {
        self.write(name, pem::encode_certificates(certificates));
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("readable")
    }

    /// Runs `openssl` with these arguments, separated by spaces; what it says on either stream.
    pub(crate) fn run(&self, arguments: &str) -> Said {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .output()
            .expect("openssl must be installed: apt-get install openssl");
        Said::of(arguments, &output)
    }

    /// The text of a certificate.
    pub(crate) fn certificate_text(&self, certificate: &[u8]) -> String {
        self.write("text.der", certificate);
        self.run("x509 -inform DER -in text.der -noout -text").succeeds()
    }

    /// Whether every TLV parses.
    pub(crate) fn parses(&self, der: &[u8]) {
        self.write("parse.der", der);
        let text = self.run("asn1parse -inform DER -in parse.der").succeeds();
        assert!(!text.contains("<ASN1") && !text.contains("BAD "), "{text}");
    }
}

/// What a command said, and whether it was content.
pub(crate) struct Said {
    arguments: String,
    success: bool,
    text: String,
}

impl Said {
    fn of(arguments: &str, output: &Output) -> Self {
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        Self {
            arguments: arguments.to_owned(),
            success: output.status.success(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }

    pub(crate) fn succeeds(self) -> String {
        assert!(self.success, "openssl {}\n{}", self.arguments, self.text);
        self.text
    }

    pub(crate) fn fails(self) -> String {
        assert!(!self.success, "openssl {} should fail\n{}", self.arguments, self.text);
        self.text
    }
}

/// Asserts that `text` contains each of `parts`.
pub(crate) fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
