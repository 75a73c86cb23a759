//! A folder with every CRL in it, for a web server or a CDN to serve: the same paths as below `/crl/`.
//!
//! Files are replaced whole, and an older list never takes the place of a newer one: of two replicas
//! that write to one folder, or after a restore. Nothing is removed.

use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use countersign_core::{asn1, crl::CertificateList, limits};
use countersign_daemon::crash_point;
use countersign_signing::files::{self, FileError, FileMode};

use super::PublishedCrl;

/// The folder, and what is known to be in it.
#[derive(Debug)]
pub(crate) struct CrlFolder {
    root: PathBuf,
    /// The number of the list that was found or written, by its path.
    numbers: Mutex<HashMap<String, u64>>,
}

impl CrlFolder {
    /// Lists are written below `root`, which is made where it is missing.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, numbers: Mutex::default() }
    }

    /// Whether the list of that place is known to be there, or a newer one.
    pub(crate) fn has(&self, place: &str, number: u64) -> bool {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.get(place).is_some_and(|known| *known >= number)
    }

    /// Looks at every file anew.
    pub(crate) fn forget_all(&self) {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Writes a list to its place, unless what is there is as new; says whether it wrote. Blocks.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn write(&self, place: &str, crl: &PublishedCrl) -> Result<bool, FileError> {
        let path = self.root.join(place);
        let newer = number_in(&path)?.filter(|there| *there >= crl.number);
        if newer.is_none() {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|source| FileError::Io {
                    operation: "create",
                    path: folder.to_owned(),
                    source,
                })?;
            }
            crash_point::reach("folder.write");
            files::replace(&path, &crl.der, FileMode::Public)?;
            crash_point::reach("folder.written");
        }
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.insert(place.to_owned(), newer.unwrap_or(crl.number));
        Ok(newer.is_none())
    }
}

/// The `CRLNumber` of the list in that file; nothing where there is none, or no list in it.
fn number_in(path: &std::path::Path) -> Result<Option<u64>, FileError> {
    match files::read_bounded(path, limits::CRL_BYTES as u64) {
        Ok(content) => Ok(number_of(&content)),
        Err(FileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The `CRLNumber` of a list; nothing of what is none.
pub(super) fn number_of(content: &[u8]) -> Option<u64> {
    let list = CertificateList::decode(content).ok()?;
    asn1::unsigned(list.extensions.number?, "CRLNumber").ok()
}
