//! CRLs of an issuer whose key is elsewhere: a file that is looked at, or what an administrator
//! uploads; taken as it is or not at all.
//!
//! What comes is read, checked like every CRL and published; what fails the checks changes nothing. Nor does
//! one that takes back what the one before it revoked: whoever may hand in CRLs, or forgets an
//! option where they are made, is one person, and that takes two even where the key is here.
//! The CRL is the only authority on what this issuer revoked: OCSP answers follow it. One that ran
//! out is taken too: it still proves what it lists, and is not served.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use countersign_core::{
    crl::{CertificateList, Revival, RevocationReason, revives},
    limits,
    pem::{self, Kind},
    time::UnixSeconds,
    x509::certificate::serial_text,
};
use countersign_signing::files;

use super::{CrlError, PublishedCrl, RevokedSerials, authority::Authority, file_state::FileState};
use crate::register::{
    CrlList,
    storage::{Compromise, Evidence, IssuerId, Storage, StoredCrl},
};

/// Serial numbers that a refusal says; a list may have a million.
const SAID_SERIALS: usize = 20;

/// The CRLs that one issuer makes elsewhere.
#[derive(Debug)]
pub struct CrlsElsewhere {
    authority: Arc<Authority>,
    issuer: IssuerId,
    storage: Arc<Storage>,
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
        storage: Arc<Storage>,
        path: Option<PathBuf>,
        now: UnixSeconds,
    ) -> Result<Self, CrlError> {
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
        self.current.load().as_ref()?.1.get(serial).copied()
    }

    /// The number of the latest CRL, if it is not `known`, and what it lists for keyCompromise, in the order of
    /// the serial numbers.
    pub fn compromises_since(&self, known: Option<u64>) -> Option<(u64, Vec<Compromise>)> {
        let current = self.current.load_full()?;
        let (crl, revoked) = &*current;
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
    /// [`CrlError`]; the CRL before stays. A bad file is not tried again until it changes.
    pub async fn refresh(&self, now: UnixSeconds) -> Result<(), CrlError> {
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
        let _taking = self.taking.lock().await;
        if let Some(current) = self.current.load_full() {
            let (published, listed) = current.as_ref();
            if crl.der == published.der {
                return Ok(Arc::clone(published));
            }
            crl.succeed(published)?;
            refuse_older(&crl, published, now)?;
            self.refuse_revival((published.as_ref(), listed), &revoked).await?;
        }
        let stored = StoredCrl { number: crl.number, revision: 0, der: crl.der.to_vec() };
        self.storage.store_crl_made_elsewhere(self.issuer, &stored).await?;
        let (issuer, number) = (self.authority.name(), crl.number);
        tracing::info!(issuer, number, "a CRL made elsewhere is published");
        let crl = Arc::new(crl);
        self.current.store(Some(Arc::new((Arc::clone(&crl), revoked))));
        Ok(crl)
    }

    /// Refuses a list that takes something back of the one before; the gravest kind is said first.
    async fn refuse_revival(
        &self,
        (published, listed): (&PublishedCrl, &RevokedSerials),
        next: &RevokedSerials,
    ) -> Result<(), CrlError> {
        let mut revived: Vec<(Revival, &[u8])> = listed
            .iter()
            .filter_map(|(serial, before)| {
                Some((revives(*before, next.get(serial).copied())?, serial.as_slice()))
            })
            .collect();
        revived.sort_unstable();
        let mut refused = Vec::new();
        for (revival, serial) in revived {
            if revival != Revival::Forgotten || !self.may_be_dropped(published, serial).await? {
                refused.push((revival, serial));
            }
        }
        let Some((gravest, _)) = refused.first().copied() else { return Ok(()) };
        let of_kind: Vec<String> = refused
            .iter()
            .filter(|(revival, _)| *revival == gravest)
            .map(|(_, serial)| serial_text(serial))
            .collect();
        let more = of_kind.len().saturating_sub(SAID_SERIALS);
        let mut serials = of_kind.into_iter().take(SAID_SERIALS).collect::<Vec<_>>().join(", ");
        if more > 0 {
            serials = format!("{serials} and {more} more");
        }
        Err(CrlError::Revives {
            published: published.number,
            revival: gravest,
            how: match gravest {
                Revival::Forgotten => "lists what this one does not",
                Revival::Lightened => "lists for a graver reason",
                Revival::MovedLater => "lists from an earlier date on",
            },
            serials,
        })
    }

    /// Whether an entry has had its time: its certificate had run out before the list that has it last
    /// (RFC 5280 §3.3), and that list does not say that it keeps such entries.
    async fn may_be_dropped(
        &self,
        published: &PublishedCrl,
        serial: &[u8],
    ) -> Result<bool, CrlError> {
        // An import could say that any certificate ran out.
        let known = self.storage.certificate(self.issuer, serial).await?;
        let Some(known) = known.filter(|known| known.evidence == Evidence::Certificate) else {
            return Ok(false);
        };
        let kept_since = CertificateList::decode(&published.der)
            .map_err(|error| CrlError::Malformed(error.to_string()))?
            .extensions
            .expired_certificates_since;
        let is_kept = kept_since.is_some_and(|since| since <= known.not_after);
        Ok(!is_kept && known.not_after < published.validity.this_update)
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
    PublishedCrl::inspect(&Bytes::from(der), 0, authority)
}
