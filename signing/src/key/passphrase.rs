//! The passphrase of a key file: read, held, wiped.

use std::{env, fmt, path::Path};

use zeroize::Zeroizing;

use crate::secret_file::{self, SecretFileError};

/// A passphrase; wiped from memory when it goes, never printed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The environment has no such variable.
    #[error("the environment variable {name} is not set (or not Unicode)")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// It has no characters.
    #[error("the passphrase is empty")]
    Empty,
}

impl Passphrase {
    /// Takes a passphrase that the caller has.
    ///
    /// # Errors
    /// [`PassphraseError::Empty`] when it has no octets: it would protect nothing.
    pub fn new(octets: impl Into<Vec<u8>>) -> Result<Self, PassphraseError> {
        let octets = Zeroizing::new(octets.into());
        if octets.is_empty() { Err(PassphraseError::Empty) } else { Ok(Self(octets)) }
    }

    /// Reads a file's first line; what follows the first line feed is ignored, as `openssl` does.
    ///
    /// # Errors
    /// When the file cannot be read or others may, has over 4096 octets, or begins with an empty
    /// line.
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let line = secret_file::read_line(path)?;
        if line.is_empty() { Err(PassphraseError::Empty) } else { Ok(Self(line)) }
    }

    /// Reads an environment variable.
    ///
    /// # Errors
    /// When it is not set, not Unicode, or empty.
    pub fn from_environment(name: &str) -> Result<Self, PassphraseError> {
        let value =
            env::var(name).map_err(|_| PassphraseError::NotSet { name: name.to_owned() })?;
        Self::new(value)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn write_secret(path: &Path, content: &str) {
        fs::write(path, content).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("permitted");
    }

    #[test]
    fn reads_the_first_line_of_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("passphrase");
        for content in ["open sesame", "open sesame\n", "open sesame\r\n", "open sesame\nsecond\n"]
        {
            write_secret(&path, content);
            let passphrase = Passphrase::from_file(&path).expect("a passphrase");
            assert_eq!(passphrase.octets(), b"open sesame");
        }
    }

    #[test]
    fn rejects_an_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("passphrase");
        write_secret(&path, "\n");
        assert!(matches!(Passphrase::from_file(&path), Err(PassphraseError::Empty)));
        assert!(matches!(Passphrase::new(""), Err(PassphraseError::Empty)));
        assert!(matches!(
            Passphrase::from_environment("COUNTERSIGN_NO_SUCH_VARIABLE"),
            Err(PassphraseError::NotSet { .. })
        ));
    }

    #[test]
    fn is_never_printed() {
        let passphrase = Passphrase::new("hunter2").expect("a passphrase");
        assert!(!format!("{passphrase:?}").contains("hunter2"));
    }
}
