//! A folder with every CRL in it, for a web server or a CDN to serve: the same paths as below `/crl/`.
//!
//! Files are replaced whole, and an older list never takes the place of a newer one: of two replicas
//! that write to one folder, each of which locks it, or after a restore. Nothing is removed.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use super::due::{Due, KNOWN_FOR};
use countersign_core::limits;
use countersign_daemon::crash_point;
use countersign_signing::files::{self, FileError, FileMode};

/// The folder, and what is known to be in it.
#[derive(Debug)]
pub(crate) struct CrlFolder {
    root: PathBuf,
    /// The number of the list that was found or written, and when, by its path.
    numbers: Mutex<HashMap<String, (u64, Instant)>>,
}

impl CrlFolder {
    /// Lists are written below `root`, which is made if it is missing.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, numbers: Mutex::default() }
    }

    /// Whether the list of that place is known to be there, or a newer one.
    pub(crate) fn has(&self, due: &Due) -> bool {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers
            .get(&due.place)
            .is_some_and(|(known, seen)| *known >= due.crl.number && seen.elapsed() < KNOWN_FOR)
    }

    /// Looks at every file anew.
    pub(crate) fn forget_all(&self) {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Writes a list to its place, unless what is there is as new; says whether it wrote. Blocks.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn write(&self, due: &Due) -> Result<bool, FileError> {
        let path = self.root.join(&due.place);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(FileError::io("create", folder))?;
        // From reading to replacing, so that no other replica is in between.
        let lock = fs::File::open(&self.root).map_err(FileError::io("open", &self.root))?;
        lock.lock().map_err(FileError::io("lock", &self.root))?;
        let newer = number_in(&path, due)?.filter(|there| *there >= due.crl.number);
        if newer.is_none() {
            crash_point::reach("folder.write");
            files::replace(&path, &due.crl.der, FileMode::Public)?;
            crash_point::reach("folder.written");
        }
        let known = (newer.unwrap_or(due.crl.number), Instant::now());
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.insert(due.place.clone(), known);
        Ok(newer.is_none())
    }
}

/// The number of the list in that file; `None` if it has no list that could be `due`.
fn number_in(path: &Path, due: &Due) -> Result<Option<u64>, FileError> {
    match files::read_bounded(path, limits::CRL_BYTES as u64) {
        Ok(content) => Ok(due.number_of(&content.into())),
        Err(FileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
