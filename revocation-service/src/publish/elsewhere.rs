//! CRLs of an issuer whose key is elsewhere: a file that is looked at, or what an administrator
//! uploads; taken as it is or not at all.
//!
//! What comes is read, checked like every CRL and published; what fails the checks changes nothing. Nor does
//! one that takes back what the one before it revoked: whoever may hand in CRLs, or forgets an
//! option where they are made, is one person, and that takes two even where the key is here. Nor does
//! one that is not complete ([`CompleteList`](countersign_core::crl::CompleteList)): what it leaves out
//! would be good. What another replica took is taken up within a second or two, and each list is stored only in the place of the
//! one that it was held against.
//! The CRL is the only authority on what this issuer revoked: OCSP answers follow it. One that ran
//! out is taken too: it still proves what it lists, and is not served.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use countersign_core::{
    crl::RevocationReason,
    limits,
    pem::{self, Kind},
    time::UnixSeconds,
    x509::certificate::serial_text,
};
use countersign_signing::files;

use super::{
    Before, CrlError, PublishedCrl, RevokedSerials, authority::Authority, file_state::FileState,
    refuse_revival,
};
use crate::register::{
    CrlList,
    storage::{Compromise, IssuerId, Storage, StorageError, StoredCrl},
};

/// How often a list is held against the stored one again, since another replica was faster.
const ATTEMPTS: usize = 4;

/// The CRLs that one issuer makes elsewhere.
#[derive(Debug)]
pub struct CrlsElsewhere {
    authority: Arc<Authority>,
    issuer: IssuerId,
    storage: Arc<Storage>,
    path: Option<PathBuf>,
    current: ArcSwapOption<(Arc<PublishedCrl>, RevokedSerials)>,
    /// The stored list, instead of `current`, if it does not pass: an earlier version took it, or another
    /// address is configured now.
    incomplete: ArcSwapOption<Incomplete>,
    watched: Mutex<Watched>,
    /// One CRL is taken at a time: the file's, an upload, or another replica's.
    taking: tokio::sync::Mutex<()>,
}

/// A list that still proves what it lists, and nothing of what it does not.
#[derive(Debug)]
struct Incomplete {
    crl: PublishedCrl,
    revoked: RevokedSerials,
    fault: String,
}

/// What is known of the file.
#[derive(Debug, Default)]
struct Watched {
    seen: FileState,
    /// Why its last version was not taken.
    fault: Option<String>,
}

impl CrlsElsewhere {
    /// Takes up the CRL that was published last, then looks at the file in `path`, if that is where
    /// they come from. A file that is missing or not good does not keep the service from starting:
    /// [`fault`](Self::fault) says what is wrong, until there is a good one.
    ///
    /// # Errors
    /// The database failed, or what it has is no CRL of this issuer.
    pub async fn open(
        authority: Arc<Authority>,
        issuer: IssuerId,
        storage: Arc<Storage>,
        path: Option<PathBuf>,
        now: UnixSeconds,
    ) -> Result<Self, CrlError> {
        let crls = Self {
            authority,
            issuer,
            storage,
            path,
            current: ArcSwapOption::empty(),
            incomplete: ArcSwapOption::empty(),
            watched: Mutex::default(),
            taking: tokio::sync::Mutex::new(()),
        };
        crls.adopt().await?;
        match crls.refresh(now).await {
            Err(CrlError::Storage(error)) => Err(error.into()),
            Ok(()) | Err(_) => Ok(crls),
        }
    }

    /// Checks the file in `path` without the database; it must not have run out either.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn check(path: &Path, authority: &Authority, now: UnixSeconds) -> Result<(), CrlError> {
        let crl = read(path, authority)?;
        if crl.is_overdue(now) {
            return Err(CrlError::Overdue { next_update: crl.validity.next_update });
        }
        Ok(())
    }

    /// The latest CRL, if there ever was one; it may have run out.
    pub fn current(&self) -> Option<Arc<PublishedCrl>> {
        self.current.load().as_ref().map(|current| Arc::clone(&current.0))
    }

    /// What the latest CRL says of a serial number (content octets).
    pub fn entry(&self, serial: &[u8]) -> Option<(RevocationReason, UnixSeconds)> {
        if let Some(current) = self.current.load().as_ref() {
            return current.1.get(serial).copied();
        }
        self.incomplete.load().as_ref()?.revoked.get(serial).copied()
    }

    /// The number of the latest CRL, if it is not `known`, and what it lists for keyCompromise, in the order of
    /// the serial numbers; also if it counts only for what it lists.
    pub fn compromises_since(&self, known: Option<u64>) -> Option<(u64, Vec<Compromise>)> {
        let (current, incomplete) = (self.current.load_full(), self.incomplete.load_full());
        let (crl, revoked) = match (&current, &incomplete) {
            (Some(current), _) => (&*current.0, &current.1),
            (None, Some(stored)) => (&stored.crl, &stored.revoked),
            (None, None) => return None,
        };
        if known == Some(crl.number) {
            return None;
        }
        let compromised = revoked.iter().filter_map(|(serial, (reason, date))| {
            let is_compromise = *reason == RevocationReason::KeyCompromise;
            let compromise =
                Compromise { issuer: self.issuer, serial: serial.clone(), since: *date };
            is_compromise.then_some(compromise)
        });
        let mut compromised: Vec<_> = compromised.collect();
        compromised.sort_unstable_by(|one, other| one.serial.cmp(&other.serial));
        Some((crl.number, compromised))
    }

    /// Why the file, as it is now, was not taken, or the stored list cannot be served.
    pub fn fault(&self) -> Option<String> {
        let of_file = self.watched().fault.clone();
        let incomplete = self.incomplete.load();
        let of_stored = incomplete.as_ref().map(|stored| {
            let (number, fault) = (stored.crl.number, &stored.fault);
            format!(
                "CRL {number} in the database: {fault}. Give a complete one with a greater number"
            )
        });
        let faults: Vec<String> = of_stored.into_iter().chain(of_file).collect();
        (!faults.is_empty()).then(|| faults.join("; "))
    }

    /// Whether they come by upload, not from a file.
    pub fn are_uploaded(&self) -> bool {
        self.path.is_none()
    }

    /// Takes up what another replica took, and publishes the file if it changed since it was looked at
    /// last.
    ///
    /// # Errors
    /// [`CrlError`]; the CRL before stays. A bad file is not tried again until it changes.
    pub async fn refresh(&self, now: UnixSeconds) -> Result<(), CrlError> {
        let numbers = self.storage.stored_crl_numbers(self.issuer).await?;
        if numbers.get(&CrlList::WHOLE.to_string()).copied() > self.number() {
            let _taking = self.taking.lock().await;
            self.adopt().await?;
        }
        let Some(path) = &self.path else { return Ok(()) };
        let outcome = match FileState::of(path) {
            Err(fault) => {
                self.watched().seen = FileState::default();
                Err(fault.into())
            }
            Ok(state) => {
                {
                    let mut watched = self.watched();
                    if watched.seen == state {
                        return Ok(());
                    }
                    watched.seen = state;
                }
                self.take_file(path, now).await
            }
        };
        let mut watched = self.watched();
        watched.fault = outcome.as_ref().err().map(ToString::to_string);
        if matches!(outcome, Err(CrlError::Storage(_))) {
            // Not the file's fault: look at it again next time.
            watched.seen = FileState::default();
        }
        outcome
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_file(&self, path: &Path, now: UnixSeconds) -> Result<(), CrlError> {
        let (path, authority) = (path.to_owned(), Arc::clone(&self.authority));
        self.take(now, move || read(&path, &authority)).await.map(|_| ())
    }

    /// Publishes a CRL that was uploaded, DER or PEM, unless it is the one published already.
    ///
    /// # Errors
    /// [`CrlError`]; the CRL before stays.
    pub async fn upload(
        &self,
        content: Vec<u8>,
        now: UnixSeconds,
    ) -> Result<Arc<PublishedCrl>, CrlError> {
        let authority = Arc::clone(&self.authority);
        self.take(now, move || inspect(content, &authority)).await
    }

    async fn take(
        &self,
        now: UnixSeconds,
        read: impl FnOnce() -> Result<PublishedCrl, CrlError> + Send + 'static,
    ) -> Result<Arc<PublishedCrl>, CrlError> {
        // Off the threads that serve connections: it may be 32 MiB.
        let reading = tokio::task::spawn_blocking(move || {
            let crl = read()?;
            let revoked = crl.revoked_serials()?;
            Ok::<_, CrlError>((crl, revoked))
        });
        let (crl, revoked) = reading.await.map_err(|_| CrlError::Abandoned)??;
        refuse_dates_to_come(&revoked, now)?;
        let stored = StoredCrl { number: crl.number, revision: 0, der: crl.der.to_vec() };
        let _taking = self.taking.lock().await;
        for _ in 0..ATTEMPTS {
            let before = self.adopt().await?;
            if let Some(same) = self.current().filter(|published| published.der == crl.der) {
                return Ok(same);
            }
            self.refuse_worse(&crl, &revoked, now).await?;
            let storage = &self.storage;
            match storage.store_crl_made_elsewhere(self.issuer, &stored, before.as_deref()).await {
                Err(StorageError::CrlOvertaken) => continue,
                outcome => outcome?,
            }
            let (issuer, number) = (self.authority.name(), crl.number);
            tracing::info!(issuer, number, "a CRL made elsewhere is published");
            let crl = Arc::new(crl);
            self.serve(Arc::clone(&crl), revoked);
            return Ok(crl);
        }
        Err(StorageError::CrlOvertaken.into())
    }

    fn serve(&self, crl: Arc<PublishedCrl>, revoked: RevokedSerials) {
        // In this order: what is revoked is in one of them at every moment.
        self.current.store(Some(Arc::new((crl, revoked))));
        self.incomplete.store(None);
    }

    /// The number of the list that is known.
    fn number(&self) -> Option<u64> {
        let incomplete = || self.incomplete.load().as_ref().map(|stored| stored.crl.number);
        self.current().map(|crl| crl.number).or_else(incomplete)
    }

    /// Takes up the stored list if it is newer than the one that is known, and gives its DER. Who calls this
    /// has `taking`.
    ///
    /// # Errors
    /// The database failed; [`CrlError::Stored`].
    async fn adopt(&self) -> Result<Option<Bytes>, CrlError> {
        let stored = self.storage.stored_crl(self.issuer, CrlList::WHOLE).await?;
        let Some(StoredCrl { number, der, .. }) = stored else { return Ok(None) };
        let der = Bytes::from(der);
        if Some(number) <= self.number() {
            return Ok(Some(der));
        }
        let (authority, octets) = (Arc::clone(&self.authority), der.clone());
        // Off the threads that serve connections: it may be 32 MiB.
        let reading = tokio::task::spawn_blocking(move || {
            let complete = PublishedCrl::inspect_complete(&octets, &authority);
            let read = match complete {
                Ok(crl) => Ok(crl),
                Err(fault) => {
                    let crl = PublishedCrl::signed(&octets, 0, &authority)
                        .map_err(|fault| CrlError::Stored { fault: Box::new(fault) })?;
                    Err((crl, fault.to_string()))
                }
            };
            let revoked = read.as_ref().unwrap_or_else(|(crl, _)| crl).revoked_serials()?;
            Ok::<_, CrlError>((read, revoked))
        });
        match reading.await.map_err(|_| CrlError::Abandoned)?? {
            (Ok(crl), revoked) => self.serve(Arc::new(crl), revoked),
            (Err((crl, fault)), revoked) => {
                let issuer = self.authority.name();
                tracing::error!(
                    issuer,
                    number,
                    fault,
                    "the stored CRL is not served; it counts for what it lists"
                );
                self.incomplete.store(Some(Arc::new(Incomplete { crl, revoked, fault })));
                self.current.store(None);
            }
        }
        Ok(Some(der))
    }

    /// Refuses a list that may not take the place of the one that is known.
    async fn refuse_worse(
        &self,
        crl: &PublishedCrl,
        revoked: &RevokedSerials,
        now: UnixSeconds,
    ) -> Result<(), CrlError> {
        let (current, incomplete) = (self.current.load_full(), self.incomplete.load_full());
        let (published, listed) = match (&current, &incomplete) {
            (Some(current), _) => {
                crl.succeed(&current.0)?;
                (&*current.0, &current.1)
            }
            (None, Some(stored)) => {
                crl.outnumber(&stored.crl)?;
                (&stored.crl, &stored.revoked)
            }
            (None, None) => return Ok(()),
        };
        refuse_older(crl, published, now)?;
        let before = Before {
            number: published.number.to_string(),
            this_update: published.validity.this_update,
            expired_certificates_since: published.expired_certificates_since,
            revoked: listed,
        };
        refuse_revival((&self.storage, Some(self.issuer)), &before, revoked).await
    }
}

/// Refuses a list that was made before the one that is published, unless that one was made by a clock that
/// was ahead, and would be in the way until then.
fn refuse_older(
    crl: &PublishedCrl,
    published: &PublishedCrl,
    now: UnixSeconds,
) -> Result<(), CrlError> {
    let (found, before) = (crl.validity.this_update, published.validity.this_update);
    if found < before && before <= now {
        return Err(CrlError::ThisUpdateGoesBack { found, published: before });
    }
    Ok(())
}

/// Refuses a list with a date that is further ahead than clocks may differ: until then, clients would take
/// the certificate for good.
fn refuse_dates_to_come(revoked: &RevokedSerials, now: UnixSeconds) -> Result<(), CrlError> {
    let latest = now.plus_seconds(limits::CLOCK_SKEW_SECONDS);
    match revoked.iter().find(|(_, (_, date))| *date > latest) {
        Some((serial, (_, date))) => {
            Err(CrlError::DateToCome { serial: serial_text(serial), date: *date, now })
        }
        None => Ok(()),
    }
}

fn read(path: &Path, authority: &Authority) -> Result<PublishedCrl, CrlError> {
    inspect(files::read_bounded(path, limits::CRL_BYTES as u64)?, authority)
}

fn inspect(content: Vec<u8>, authority: &Authority) -> Result<PublishedCrl, CrlError> {
    let der =
        pem::object(content, Kind::Crl).map_err(|fault| CrlError::Malformed(fault.to_string()))?;
    PublishedCrl::inspect_complete(&Bytes::from(der), authority)
}
