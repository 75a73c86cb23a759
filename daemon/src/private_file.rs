//! Files that hold a secret: keys and passphrases.
//!
//! A file that others than its owner may touch is refused before it is read. What is read is wiped
//! from memory when dropped.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The largest secret file that is read: no key or passphrase comes near 64 KiB, and a path that
/// points to a device or a log by mistake must not fill the memory.
const MAX_BYTES: u64 = 64 * 1024;

/// Where systemd puts the credentials of a service (systemd.exec, `LoadCredential=`).
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Why a secret file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// The file cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Group or others have a right to the file.
    #[error("{}: mode {mode:04o} lets others than its owner use this file; run: chmod 600 {}", path.display(), path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The path is a folder, device or pipe, or the file is over 64 KiB.
    #[error("{}: not a regular file of at most 65536 bytes", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the whole of a secret file.
///
/// # Errors
/// The file is missing, is not a regular file, is over 64 KiB, or has a mode looser than 0600.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let failed = |source| PrivateFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // The open handle is asked, not the path: what was checked is what is read.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(PrivateFileError::Shape { path: path.to_owned() });
    }
    let mode = metadata.mode() & 0o7777;
    let credentials = env::var_os(CREDENTIALS_VARIABLE);
    if mode & forbidden_bits(path, credentials.as_deref().map(Path::new)) != 0 {
        return Err(PrivateFileError::Permissions { path: path.to_owned(), mode });
    }
    // Room for all of it at once: a vector that grows leaves copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_BYTES).unwrap_or(0)));
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The permission bits that a secret file must not have. systemd lets a service read its
/// credentials by an access control list, whose mask shows in the group's bits; the folder itself
/// lets nobody else in.
fn forbidden_bits(path: &Path, credentials: Option<&Path>) -> u32 {
    let is_credential = credentials.is_some_and(|folder| path.parent() == Some(folder));
    if is_credential { 0o037 } else { 0o077 }
}

/// Reads a passphrase: the file's first line without its end; what follows it is ignored, as
/// `openssl` does.
///
/// # Errors
/// As [`read`].
pub fn read_passphrase(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let mut bytes = read(path)?;
    if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        bytes.truncate(end);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn file_with_mode(folder: &tempfile::TempDir, mode: u32) -> PathBuf {
        let path = folder.path().join(format!("secret-{mode:o}"));
        fs::write(&path, "correct horse\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode set");
        path
    }

    #[test]
    fn refuses_a_file_others_may_read_and_names_the_remedy() {
        let folder = tempfile::tempdir().expect("folder");
        for mode in [0o644, 0o640, 0o601, 0o660] {
            let error = read(&file_with_mode(&folder, mode)).expect_err("refused");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_credential_of_systemd_may_show_its_access_list_in_the_group_bits() {
        let folder = Path::new("/run/credentials/a.service");
        let file = folder.join("passphrase");
        assert_eq!(forbidden_bits(&file, Some(folder)), 0o037);
        assert_eq!(forbidden_bits(&file, Some(Path::new("/run/credentials/b.service"))), 0o077);
        assert_eq!(forbidden_bits(&folder.join("sub/passphrase"), Some(folder)), 0o077);
        assert_eq!(forbidden_bits(&file, None), 0o077);
    }

    #[test]
    fn reads_a_passphrase_without_its_line_end() {
        let folder = tempfile::tempdir().expect("folder");
        let path = file_with_mode(&folder, 0o400);
        assert_eq!(*read_passphrase(&path).expect("read"), b"correct horse");
    }

    #[test]
    fn refuses_a_folder() {
        let folder = tempfile::tempdir().expect("folder");
        assert!(matches!(read(folder.path()), Err(PrivateFileError::Shape { .. })));
    }
}
