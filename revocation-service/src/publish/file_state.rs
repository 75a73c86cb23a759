//! What tells one version of a file from the next without reading it.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::SystemTime};

use countersign_signing::files::FileError;

/// A version of a file; the default is that of no file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl FileState {
    /// The file as it is now.
    ///
    /// # Errors
    /// It is missing, or cannot be looked at.
    pub(crate) fn of(path: &Path) -> Result<Self, FileError> {
        let metadata = fs::metadata(path).map_err(|source| FileError::Io {
            operation: "look at",
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            inode: metadata.ino(),
        })
    }
}
