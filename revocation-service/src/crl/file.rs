//! CRLs of an issuer whose key is elsewhere: a file, taken as it is or not at all.
//!
//! The file is looked at regularly; when it changed, it is read, checked like every CRL and
//! published. A file that fails the checks changes nothing but the log. Its CRL is the only authority
//! on what this issuer revoked: OCSP answers follow it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use countersign_core::{limits, time::UnixSeconds};
use countersign_signing::files::{self, FileError};

use super::{CrlFault, CrlList, PublishedCrl, RevokedSerials};
use crate::{
    authority::Authority,
    signing_queue::QueueFault,
    storage::{IssuerId, Storage, StoredCrl},
};

/// A CRL file and what was last read from it.
#[derive(Debug)]
pub struct FileWatch {
    authority: Arc<Authority>,
    issuer: IssuerId,
    storage: Arc<dyn Storage>,
    path: PathBuf,
    current: ArcSwap<(Arc<PublishedCrl>, RevokedSerials)>,
    seen: Mutex<FileState>,
}

/// What tells one version of a file from the next without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl FileWatch {
    /// Reads the file. It must be good now, and not older than the one served before a restart.
    ///
    /// # Errors
    /// [`CrlFault`].
    pub async fn open(
        authority: Arc<Authority>,
        issuer: IssuerId,
        storage: Arc<dyn Storage>,
        path: PathBuf,
        now: UnixSeconds,
    ) -> Result<Self, CrlFault> {
        let seen = state_of(&path)?;
        let crl = read(&path, &authority)?;
        refuse_overdue(&crl, now)?;
        if let Some(stored) = storage.stored_crl(issuer, CrlList::WHOLE).await?
            && stored.der != crl.der
            && let Ok(published) = PublishedCrl::inspect(&stored.der.into(), 0, &authority)
        {
            crl.succeed(&published)?;
        }
        storage.store_crl(issuer, CrlList::WHOLE, &stored(&crl)).await?;
        let revoked = crl.revoked_serials()?;
        let current = ArcSwap::from_pointee((Arc::new(crl), revoked));
        Ok(Self { authority, issuer, storage, path, current, seen: Mutex::new(seen) })
    }

    /// Checks the file as [`open`](Self::open) would, without the database.
    ///
    /// # Errors
    /// [`CrlFault`].
    pub fn check(path: &Path, authority: &Authority, now: UnixSeconds) -> Result<(), CrlFault> {
        let crl = read(path, authority)?;
        refuse_overdue(&crl, now)
    }

    /// The CRL to serve.
    pub fn current(&self) -> Arc<PublishedCrl> {
        Arc::clone(&self.current.load().0)
    }

    /// What the CRL says of a serial number (content octets).
    pub fn entry(
        &self,
        serial: &[u8],
    ) -> Option<(countersign_core::crl::RevocationReason, UnixSeconds)> {
        self.current.load().1.get(serial).copied()
    }

    /// Publishes the file if it changed since it was looked at last.
    ///
    /// # Errors
    /// [`CrlFault`]; the CRL before stays. A bad file is not tried again until it changes.
    pub async fn refresh(&self) -> Result<(), CrlFault> {
        let state = state_of(&self.path)?;
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == state {
                return Ok(());
            }
            *seen = state;
        }
        let outcome = self.take().await;
        if matches!(outcome, Err(CrlFault::Storage(_))) {
            // Not the file's fault: look at it again next time.
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = FileState::default();
        }
        outcome
    }

    async fn take(&self) -> Result<(), CrlFault> {
        let (path, authority) = (self.path.clone(), Arc::clone(&self.authority));
        // Off the threads that serve connections: it may be 32 MiB.
        let reading = tokio::task::spawn_blocking(move || {
            let crl = read(&path, &authority)?;
            let revoked = crl.revoked_serials()?;
            Ok::<_, CrlFault>((crl, revoked))
        });
        let (crl, revoked) = reading.await.map_err(|_| QueueFault::Abandoned)??;
        let published = self.current();
        if crl.der == published.der {
            return Ok(());
        }
        crl.succeed(&published)?;
        self.storage.store_crl(self.issuer, CrlList::WHOLE, &stored(&crl)).await?;
        tracing::info!(issuer = self.authority.name(), number = crl.number, "CRL file published");
        self.current.store(Arc::new((Arc::new(crl), revoked)));
        Ok(())
    }
}

fn refuse_overdue(crl: &PublishedCrl, now: UnixSeconds) -> Result<(), CrlFault> {
    if crl.is_overdue(now) {
        Err(CrlFault::Overdue { next_update: crl.validity.next_update })
    } else {
        Ok(())
    }
}

fn stored(crl: &PublishedCrl) -> StoredCrl {
    StoredCrl { number: crl.number, revision: 0, der: crl.der.to_vec() }
}

fn state_of(path: &Path) -> Result<FileState, CrlFault> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).map_err(|source| FileError::Io {
        operation: "look at",
        path: path.to_owned(),
        source,
    })?;
    Ok(FileState {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        inode: metadata.ino(),
    })
}

fn read(path: &Path, authority: &Authority) -> Result<PublishedCrl, CrlFault> {
    let content = files::read_bounded(path, limits::CRL_BYTES as u64)?;
    let der = if content.first() == Some(&0x30) { content } else { from_pem(&content)? };
    PublishedCrl::inspect(&Bytes::from(der), 0, authority)
}

fn from_pem(content: &[u8]) -> Result<Vec<u8>, CrlFault> {
    match pem_rfc7468::decode_vec(content) {
        Ok(("X509 CRL", der)) => Ok(der),
        Ok((label, _)) => {
            Err(CrlFault::Malformed(format!("a PEM file of {label}, not of X509 CRL")))
        }
        Err(error) => Err(CrlFault::Malformed(format!("neither DER nor PEM: {error}"))),
    }
}
