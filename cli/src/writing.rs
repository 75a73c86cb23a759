//! Writing what was made: atomically, never half, never over something else unasked.

use std::{fs, path::Path, process};

use countersign_signing::files::{self, FileMode};

use crate::{
    failure::{Failure, Outcome},
    interrupt::without_interruption,
};

/// What to do with a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it, and fail.
    Keep,
    /// Put the new one in its place.
    Replace,
}

impl Existing {
    /// As the flag `--force` says.
    pub fn of(force: bool) -> Self {
        if force { Self::Replace } else { Self::Keep }
    }
}

/// Writes a file.
///
/// # Errors
/// `setup.output.unwritable`; then nothing was written.
pub fn write(path: &Path, content: &[u8], mode: FileMode, existing: Existing) -> Outcome<()> {
    refuse_existing(path, existing)?;
    let written = without_interruption(|| match existing {
        Existing::Keep => files::write_new(path, content, mode),
        Existing::Replace => files::replace(path, content, mode),
    });
    Ok(written?)
}

/// Writes several files of these names into a folder, which is made if it is not there. If one of them
/// is in the way, none is written.
///
/// # Errors
/// `setup.output.unwritable`.
pub fn write_all<N: AsRef<Path>, C: AsRef<[u8]>>(
    folder: &Path,
    files: &[(N, C)],
    existing: Existing,
) -> Outcome<()> {
    fs::create_dir_all(folder).map_err(|error| Failure::unwritable(folder, error.to_string()))?;
    for (name, _) in files {
        refuse_existing(&folder.join(name), existing)?;
    }
    for (name, content) in files {
        write(&folder.join(name), content.as_ref(), FileMode::Public, existing)?;
    }
    Ok(())
}

/// Fails early when a file is in the way or its folder takes none, before work is done that would
/// be for nothing: reading a large file, asking for a timestamp, issuing a certificate.
///
/// # Errors
/// `setup.output.unwritable`.
pub fn prepare(path: &Path, existing: Existing) -> Outcome<()> {
    refuse_existing(path, existing)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Permission bits say nothing to root, and nothing of a full or read-only disk: try it.
    let probe = folder.join(format!(".countersign-{}.tmp", process::id()));
    let tried = without_interruption(|| {
        fs::OpenOptions::new().write(true).create_new(true).open(&probe)?;
        fs::remove_file(&probe)
    });
    tried.map_err(|error| Failure::unwritable(path, error.to_string()))
}

fn refuse_existing(path: &Path, existing: Existing) -> Outcome<()> {
    match path.symlink_metadata() {
        // A device or folder must not be replaced by a file, whoever asks.
        Ok(metadata) if !metadata.is_file() && !metadata.is_symlink() => {
            Err(Failure::unwritable(path, "it is not a regular file"))
        }
        Ok(_) if existing == Existing::Keep => {
            Err(files::FileError::AlreadyExists { path: path.to_owned() }.into())
        }
        // A slip of the hand must not cost a key, which nothing brings back.
        Ok(_) if holds_private_key(path) => {
            Err(Failure::unwritable(path, "it holds a private key, which is never replaced"))
        }
        _ => Ok(()),
    }
}

fn holds_private_key(path: &Path) -> bool {
    const LABEL: &[u8] = b"PRIVATE KEY-----";
    // A key file is small; a large file is none.
    let content = files::read_bounded(path, 64 * 1024).unwrap_or_default();
    content.windows(LABEL.len()).any(|window| window == LABEL)
}
