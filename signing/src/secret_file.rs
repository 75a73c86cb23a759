//! Files that hold a secret: keys, passphrases, PINs, passwords of databases and stores.
//!
//! One rule for the command line and the services: a regular file, which belongs to who runs the
//! program or to root, and which nobody else may read or write. What systemd hands to a service
//! (`LoadCredential=`) shows an access control list in the group's bits, and may. What is read is
//! wiped from memory when dropped.

use std::{
    env,
    fs::{self, File, Metadata},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::files::{self, FileError};

/// An encrypted RSA key of 16384 bits has under 16 KiB; a path that names a log by mistake must
/// not fill the memory.
const MAXIMUM_OCTETS: u64 = 64 << 10;

/// Passphrases, PINs and passwords: longer ones are files named by mistake.
const MAXIMUM_LINE_OCTETS: u64 = 4096;

/// Where systemd puts the credentials of a service (systemd.exec, `LoadCredential=`).
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Why a file with a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read, or is not a file of that kind.
    #[error(transparent)]
    File(#[from] FileError),
    /// Others than its owner may use it.
    #[error(
        "{}: mode {mode:04o} lets others than its owner use this file; run: chmod 600 {}",
        path.display(),
        path.display()
    )]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody else, who can read and change it whatever its mode.
    #[error(
        "{}: it belongs to the user with the number {owner}, and not to who runs this program or root",
        path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
    },
}

/// Reads the whole of a secret file.
///
/// # Errors
/// [`SecretFileError`]; also for a file of over 64 KiB.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    read_bounded(path, MAXIMUM_OCTETS)
}

/// Reads the first line of a secret file, without its end; what follows the first line feed is
/// ignored, as `openssl` does.
///
/// # Errors
/// [`SecretFileError`]; also for a file of over 4096 octets.
pub fn read_line(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let mut content = read_bounded(path, MAXIMUM_LINE_OCTETS)?;
    if let Some(end) = content.iter().position(|octet| *octet == b'\n') {
        content.truncate(end);
    }
    if content.last() == Some(&b'\r') {
        content.pop();
    }
    Ok(content)
}

fn read_bounded(path: &Path, maximum: u64) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    // Before it is opened: opening a pipe waits for whoever writes to it.
    let metadata = fs::metadata(path).map_err(FileError::io("open", path))?;
    if !metadata.is_file() {
        return Err(FileError::NotARegularFile { path: path.to_owned() }.into());
    }
    let file = File::open(path).map_err(FileError::io("open", path))?;
    // The open file is asked, not the name: the name may mean another file a moment later.
    let metadata = file.metadata().map_err(FileError::io("read", path))?;
    let credentials = env::var_os(CREDENTIALS_VARIABLE);
    let user = rustix::process::geteuid().as_raw();
    refuse_others(path, &metadata, credentials.as_deref().map(Path::new), user)?;
    Ok(Zeroizing::new(files::read_open_file(&file, path, maximum)?))
}

fn refuse_others(
    path: &Path,
    metadata: &Metadata,
    credentials: Option<&Path>,
    user: u32,
) -> Result<(), SecretFileError> {
    let mode = metadata.permissions().mode() & 0o7777;
    // The folder of the credentials itself lets nobody else in.
    let is_credential = credentials.is_some_and(|folder| path.parent() == Some(folder));
    let forbidden = if is_credential { 0o037 } else { 0o077 };
    if mode & forbidden != 0 {
        return Err(SecretFileError::Permissions { path: path.to_owned(), mode });
    }
    let owner = metadata.uid();
    if owner != user && owner != 0 {
        return Err(SecretFileError::Owner { path: path.to_owned(), owner });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn secret(folder: &tempfile::TempDir, mode: u32) -> PathBuf {
        let path = folder.path().join(format!("secret-{mode:o}"));
        fs::write(&path, "correct horse\r\nbattery\n").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("permitted");
        path
    }

    #[test]
    fn reads_what_its_owner_alone_may_use() {
        let folder = tempfile::tempdir().expect("a folder");
        for mode in [0o600, 0o400] {
            let path = secret(&folder, mode);
            assert_eq!(**read_line(&path).expect("a line"), *b"correct horse");
            assert_eq!(read(&path).expect("all").len(), 23);
        }
    }

    #[test]
    fn refuses_what_others_may_use_and_names_the_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        for mode in [0o644, 0o640, 0o604, 0o601, 0o660] {
            let error = read_line(&secret(&folder, mode)).expect_err("refused");
            assert!(matches!(error, SecretFileError::Permissions { .. }), "{error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn refuses_what_belongs_to_a_stranger() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = secret(&folder, 0o600);
        let metadata = fs::metadata(&path).expect("there");
        let own = metadata.uid();
        assert!(refuse_others(&path, &metadata, None, own).is_ok());
        let of_another = refuse_others(&path, &metadata, None, own.wrapping_add(1));
        // A file of root's may be used by everybody who can read it.
        assert_eq!(of_another.is_ok(), own == 0);
    }

    #[test]
    fn a_credential_may_show_its_list_in_the_group_bits_and_nothing_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |mode, credentials| {
            let path = secret(&folder, mode);
            let metadata = fs::metadata(&path).expect("there");
            refuse_others(&path, &metadata, credentials, metadata.uid()).is_ok()
        };
        let here = Some(folder.path());
        let elsewhere = Some(Path::new("/run/credentials/other.service"));
        assert!(check(0o440, here) && check(0o400, here) && check(0o600, None));
        for mode in [0o460, 0o444, 0o450, 0o441] {
            assert!(!check(mode, here), "{mode:o}");
        }
        assert!(!check(0o440, elsewhere) && !check(0o440, None));
        assert!(!check(0o440, folder.path().parent()));
    }

    #[test]
    fn refuses_folders_and_what_is_too_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = read(folder.path()).expect_err("a folder");
        assert!(matches!(error, SecretFileError::File(FileError::NotARegularFile { .. })));
        let path = secret(&folder, 0o600);
        fs::write(&path, vec![b'x'; 5_000]).expect("written");
        let error = read_line(&path).expect_err("too long");
        assert!(matches!(error, SecretFileError::File(FileError::TooLarge { .. })));
    }
}
