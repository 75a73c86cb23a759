//! CRLs of an issuer whose key is elsewhere: a file that is looked at, or what an administrator
//! uploads; taken as it is or not at all.
//!
//! What comes is read, checked like every CRL and published; what fails the checks changes nothing.
//! The CRL is the only authority on what this issuer revoked: OCSP answers follow it. One that ran
//! out is taken too: it still proves what it lists, and is not served.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use countersign_core::{crl::RevocationReason, limits, time::UnixSeconds};
use countersign_signing::files::{self, FileError};

use super::{CrlFault, CrlList, PublishedCrl, RevokedSerials};
use crate::{
    authority::Authority,
    signing_queue::QueueFault,
    storage::{IssuerId, Storage, StoredCrl},
};

/// The CRLs that one issuer makes elsewhere.
#[derive(Debug)]
pub struct CrlsElsewhere {
    authority: Arc<Authority>,
    issuer: IssuerId,
    storage: Arc<dyn Storage>,
    path: Option<PathBuf>,
    current: ArcSwapOption<(Arc<PublishedCrl>, RevokedSerials)>,
    watched: Mutex<Watched>,
    /// One CRL is taken at a time: the file's, or an upload.
    taking: tokio::sync::Mutex<()>,
}

/// What is known of the file.
#[derive(Debug, Default)]
struct Watched {
    seen: FileState,
    /// Why its last version was not taken.
    fault: Option<String>,
}

/// What tells one version of a file from the next without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl CrlsElsewhere {
    /// Takes up the CRL that was published last, then looks at the file in `path`, if that is where
    /// they come from. A file that is missing or not good does not keep the service from starting:
    /// [`fault`](Self::fault) says what is wrong, until there is a good one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(
        authority: Arc<Authority>,
        issuer: IssuerId,
        storage: Arc<dyn Storage>,
        path: Option<PathBuf>,
    ) -> Result<Self, CrlFault> {
        let stored = storage.stored_crl(issuer, CrlList::WHOLE).await?;
        let stored = stored.and_then(|stored| {
            let crl = PublishedCrl::inspect(&stored.der.into(), 0, &authority).ok()?;
            let revoked = crl.revoked_serials().ok()?;
            Some((Arc::new(crl), revoked))
        });
        let crls = Self {
            authority,
            issuer,
            storage,
            path,
            current: ArcSwapOption::from_pointee(stored),
            watched: Mutex::default(),
            taking: tokio::sync::Mutex::new(()),
        };
        match crls.refresh().await {
            Err(CrlFault::Storage(error)) => Err(error.into()),
            Ok(()) | Err(_) => Ok(crls),
        }
    }

    /// Checks the file in `path` without the database; it must not have run out either.
    ///
    /// # Errors
    /// [`CrlFault`].
    pub fn check(path: &Path, authority: &Authority, now: UnixSeconds) -> Result<(), CrlFault> {
        let crl = read(path, authority)?;
        if crl.is_overdue(now) {
            return Err(CrlFault::Overdue { next_update: crl.validity.next_update });
        }
        Ok(())
    }

    /// The latest CRL, if there ever was one; it may have run out.
    pub fn current(&self) -> Option<Arc<PublishedCrl>> {
        self.current.load().as_ref().map(|current| Arc::clone(&current.0))
    }

    /// What the latest CRL says of a serial number (content octets).
    pub fn entry(&self, serial: &[u8]) -> Option<(RevocationReason, UnixSeconds)> {
        self.current.load().as_ref()?.1.get(serial).copied()
    }

    /// Why the file, as it is now, was not taken.
    pub fn fault(&self) -> Option<String> {
        self.watched().fault.clone()
    }

    /// Whether they come by upload, not from a file.
    pub fn are_uploaded(&self) -> bool {
        self.path.is_none()
    }

    /// Publishes the file if it changed since it was looked at last.
    ///
    /// # Errors
    /// [`CrlFault`]; the CRL before stays. A bad file is not tried again until it changes.
    pub async fn refresh(&self) -> Result<(), CrlFault> {
        let Some(path) = &self.path else { return Ok(()) };
        let outcome = match state_of(path) {
            Err(fault) => {
                self.watched().seen = FileState::default();
                Err(fault)
            }
            Ok(state) => {
                {
                    let mut watched = self.watched();
                    if watched.seen == state {
                        return Ok(());
                    }
                    watched.seen = state;
                }
                self.take_file(path).await
            }
        };
        let mut watched = self.watched();
        watched.fault = outcome.as_ref().err().map(ToString::to_string);
        if matches!(outcome, Err(CrlFault::Storage(_))) {
            // Not the file's fault: look at it again next time.
            watched.seen = FileState::default();
        }
        outcome
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_file(&self, path: &Path) -> Result<(), CrlFault> {
        let (path, authority) = (path.to_owned(), Arc::clone(&self.authority));
        self.take(move || read(&path, &authority)).await.map(|_| ())
    }

    /// Publishes a CRL that was uploaded, DER or PEM, unless it is the one published already.
    ///
    /// # Errors
    /// [`CrlFault`]; the CRL before stays.
    pub async fn upload(&self, content: Vec<u8>) -> Result<Arc<PublishedCrl>, CrlFault> {
        let authority = Arc::clone(&self.authority);
        self.take(move || inspect(content, &authority)).await
    }

    async fn take(
        &self,
        read: impl FnOnce() -> Result<PublishedCrl, CrlFault> + Send + 'static,
    ) -> Result<Arc<PublishedCrl>, CrlFault> {
        // Off the threads that serve connections: it may be 32 MiB.
        let reading = tokio::task::spawn_blocking(move || {
            let crl = read()?;
            let revoked = crl.revoked_serials()?;
            Ok::<_, CrlFault>((crl, revoked))
        });
        let (crl, revoked) = reading.await.map_err(|_| QueueFault::Abandoned)??;
        let _taking = self.taking.lock().await;
        if let Some(published) = self.current() {
            if crl.der == published.der {
                return Ok(published);
            }
            crl.succeed(&published)?;
        }
        let stored = StoredCrl { number: crl.number, revision: 0, der: crl.der.to_vec() };
        self.storage.store_crl(self.issuer, CrlList::WHOLE, &stored).await?;
        let (issuer, number) = (self.authority.name(), crl.number);
        tracing::info!(issuer, number, "a CRL made elsewhere is published");
        let crl = Arc::new(crl);
        self.current.store(Some(Arc::new((Arc::clone(&crl), revoked))));
        Ok(crl)
    }
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
    inspect(files::read_bounded(path, limits::CRL_BYTES as u64)?, authority)
}

fn inspect(content: Vec<u8>, authority: &Authority) -> Result<PublishedCrl, CrlFault> {
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
