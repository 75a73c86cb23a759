//! One process at a time compares what a folder keeps with what is to take its place.
//!
//! Without it, of two processes that run at the same time the one that began first and ends last
//! would put what it saw in the place of something newer.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Hidden, and none of the files that are kept.
const NAME: &str = ".lock";

/// The lock of a folder; it is given back when dropped. `None` if the folder has none, because it
/// cannot be written or its file system knows no locks: then nothing better can be done than to
/// compare without.
pub(crate) fn lock(folder: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(folder.join(NAME));
    file.ok().filter(|file| file.lock().is_ok())
}
