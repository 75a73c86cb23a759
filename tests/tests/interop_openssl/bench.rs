//! A folder in which `openssl` runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
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
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The first certificate of a PEM file, DER.
    pub(crate) fn read_certificate(&self, name: &str) -> Vec<u8> {
        pem::read_certificates(&self.path(name)).expect("certificates").swap_remove(0)
    }

    /// Runs `openssl` with these arguments, separated by blanks; what it says on either stream.
    #[track_caller]
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        let (success, text) = self.run(arguments);
        assert!(success, "openssl {arguments}\n{text}");
        text
    }

    /// As [`Self::openssl`], for what it must refuse.
    #[track_caller]
    pub(crate) fn openssl_refuses(&self, arguments: &str) -> String {
        let (success, text) = self.run(arguments);
        assert!(!success, "openssl {arguments} should fail\n{text}");
        text
    }

    fn run(&self, arguments: &str) -> (bool, String) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .expect("openssl must be installed: scripts/setup test");
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Asserts that every TLV of a DER object parses.
    #[track_caller]
    pub(crate) fn parses(&self, der: &[u8]) {
        self.write("parse.der", der);
        let text = self.openssl("asn1parse -inform DER -in parse.der");
        assert!(!text.contains("<ASN1") && !text.contains("BAD "), "{text}");
    }
}

/// Every file directly in `folder`.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}
