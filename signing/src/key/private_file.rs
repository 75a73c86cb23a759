//! Files that only their owner may use: keys and PINs.
//!
//! The daemon has its own for what is not a key; this one stands here because nothing of ours
//! below `signing` opens files.

use std::{
    env,
    fs::{File, Metadata},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::KeyError;
use crate::files::FileError;

/// Where systemd puts the credentials of a service (systemd.exec, `LoadCredential=`).
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Opens a file and refuses it when others than its owner may use it.
///
/// # Errors
/// [`KeyError::File`] when it cannot be opened, [`KeyError::KeyFilePermissions`] for a loose mode.
pub(super) fn open(path: &Path) -> Result<File, KeyError> {
    let file = File::open(path).map_err(FileError::io("open", path))?;
    // The open file is asked, not the name: the name may mean another file a moment later.
    let metadata = file.metadata().map_err(FileError::io("read", path))?;
    let credentials = env::var_os(CREDENTIALS_VARIABLE);
    refuse_loose_mode(path, &metadata, credentials.as_deref().map(Path::new))?;
    Ok(file)
}

fn refuse_loose_mode(
    path: &Path,
    metadata: &Metadata,
    credentials: Option<&Path>,
) -> Result<(), KeyError> {
    let mode = metadata.permissions().mode() & 0o7777;
    // systemd lets a service read its credentials by an access control list, whose mask shows in
    // the group's bits; the folder itself lets nobody else in.
    let is_credential = credentials.is_some_and(|folder| path.parent() == Some(folder));
    let forbidden = if is_credential { 0o037 } else { 0o077 };
    if metadata.is_file() && mode & forbidden != 0 {
        return Err(KeyError::KeyFilePermissions { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn a_credential_may_show_its_list_in_the_group_bits_and_nothing_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, "x").expect("written");
        let check = |mode, credentials| {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("permitted");
            let metadata = fs::metadata(&path).expect("there");
            refuse_loose_mode(&path, &metadata, credentials).is_ok()
        };
        let here = Some(folder.path());
        let elsewhere = Some(Path::new("/run/credentials/other.service"));
        assert!(check(0o440, here) && check(0o400, here) && check(0o600, None));
        for mode in [0o460, 0o444, 0o450, 0o441] {
            assert!(!check(mode, here), "{mode:o}");
        }
        assert!(!check(0o440, elsewhere) && !check(0o440, None));
    }
}
