//! A folder with every CRL in it, for a web server or a CDN to serve: the same paths as below `/crl/`.
//!
//! Files are replaced whole, and an older list never takes the place of a newer one: of two replicas
//! that write to one folder, or after a restore. Nothing is removed.

use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_core::{asn1, crl::CertificateList, limits};
use countersign_signing::files::{self, FileError, FileMode};

use super::{CrlList, PublishedCrl};

/// The folder, and what is known to be in it.
#[derive(Debug)]
pub struct CrlFolder {
    root: PathBuf,
    /// The number of the list that was found or written, by its path.
    numbers: Mutex<HashMap<String, u64>>,
}

impl CrlFolder {
    /// Lists are written below `root`, which is made where it is missing.
    pub fn new(root: PathBuf) -> Self {
        Self { root, numbers: Mutex::default() }
    }

    /// Writes the lists of the issuer called `name` that are newer than what is there. Blocks.
    ///
    /// # Errors
    /// The first file that cannot be written; those before it are.
    pub fn write(
        &self,
        name: &str,
        lists: &[(CrlList, Arc<PublishedCrl>)],
    ) -> Result<(), FileError> {
        for (list, crl) in lists {
            let place = list.path(name);
            if self.number(&place).is_none_or(|number| number < crl.number) {
                self.write_one(&place, crl)?;
            }
        }
        Ok(())
    }

    fn number(&self, place: &str) -> Option<u64> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).get(place).copied()
    }

    fn write_one(&self, place: &str, crl: &PublishedCrl) -> Result<(), FileError> {
        let path = self.root.join(place);
        let there = number_in(&path)?;
        let number = match there {
            Some(there) if there >= crl.number => there,
            _ => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(|source| FileError::Io {
                        operation: "create",
                        path: folder.to_owned(),
                        source,
                    })?;
                }
                files::replace(&path, &crl.der, FileMode::Public)?;
                crl.number
            }
        };
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.insert(place.to_owned(), number);
        Ok(())
    }
}

/// The `CRLNumber` of the list in that file; nothing where there is none, or no list in it.
fn number_in(path: &std::path::Path) -> Result<Option<u64>, FileError> {
    let content = match files::read_bounded(path, limits::CRL_BYTES as u64) {
        Ok(content) => content,
        Err(FileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let number = |octets| asn1::unsigned(octets, "CRLNumber").ok();
    Ok(CertificateList::decode(&content).ok().and_then(|list| number(list.extensions.number?)))
}
