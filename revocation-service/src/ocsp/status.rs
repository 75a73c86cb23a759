//! What is known of a serial number: the database's word, or that of a CRL made elsewhere.
//!
//! The database is asked again as soon as its [generation](crate::storage::Storage::generation) has
//! moved; until then its last word stands.

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use countersign_signing::ocsp::CertificateStatus;
use quick_cache::{Equivalent, sync::Cache};

use super::Fault;
use crate::{
    config::NeverIssued,
    state::{CrlSource, Issuer, Service},
    storage::{IssuerId, Status},
};

/// Serial numbers whose status is remembered: some 100 octets each, since none that is asked about
/// is longer than a serial number may be (`OcspRequest::decode`).
const REMEMBERED: usize = 1 << 15;

/// The database's word on a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    NeverIssued,
    Good,
    Revoked(RevocationReason, UnixSeconds),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    issuer: IssuerId,
    serial: Vec<u8>,
}

/// A [`Key`] that is only looked at; hashes as one.
#[derive(Hash)]
struct BorrowedKey<'a> {
    issuer: IssuerId,
    serial: &'a [u8],
}

impl Equivalent<Key> for BorrowedKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.issuer == key.issuer && self.serial == key.serial
    }
}

/// The database's words of one generation.
pub(crate) struct StatusMemory {
    words: Cache<Key, (Word, u64)>,
}

impl std::fmt::Debug for StatusMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusMemory").field("words", &self.words.len()).finish()
    }
}

impl Default for StatusMemory {
    fn default() -> Self {
        Self { words: Cache::new(REMEMBERED) }
    }
}

/// What is known of a serial number (content octets) of `issuer`.
///
/// # Errors
/// Storage failed, or there is no valid CRL of those made elsewhere and the last does not list it.
pub(crate) async fn status(
    service: &Service,
    issuer: &Issuer,
    serial: &[u8],
    now: UnixSeconds,
) -> Result<CertificateStatus, Fault> {
    // Dates recorded while the clock was ahead: an answer never speaks of what is to come.
    let revoked =
        |reason, date: UnixSeconds| CertificateStatus::Revoked { reason, date: date.min(now) };
    // A CRL made elsewhere is the authority on what its issuer revoked.
    if let CrlSource::Elsewhere(crls) = &issuer.crls {
        let is_stale = crls.current().is_none_or(|crl| crl.is_overdue(now));
        match crls.entry(serial) {
            // Old evidence still proves a revocation, but not that it is still on hold.
            Some((reason, date)) if !is_stale || reason != RevocationReason::CertificateHold => {
                return Ok(revoked(reason, date));
            }
            _ if is_stale => return Err(Fault::StaleCrl),
            _ => {}
        }
    }
    Ok(match word(service, issuer.id, serial).await? {
        Word::Good => CertificateStatus::Good,
        Word::Revoked(reason, date) => revoked(reason, date),
        Word::NeverIssued => match service.settings().never_issued {
            NeverIssued::Unknown => CertificateStatus::Unknown,
            NeverIssued::Revoked => CertificateStatus::NeverIssued,
        },
    })
}

async fn word(service: &Service, issuer: IssuerId, serial: &[u8]) -> Result<Word, Fault> {
    let memory = &service.status_memory().words;
    // Before the reading: what changes during it makes the outcome one of the generation before.
    let generation = service.storage().generation();
    if let Some((word, of)) = memory.get(&BorrowedKey { issuer, serial })
        && Some(of) == generation
    {
        return Ok(word);
    }
    let word = match service.storage().status(issuer, serial).await? {
        Status::NeverIssued => Word::NeverIssued,
        Status::Good => Word::Good,
        Status::Revoked(revocation) => Word::Revoked(revocation.reason, revocation.revocation_date),
    };
    if let Some(generation) = generation {
        memory.insert(Key { issuer, serial: serial.to_vec() }, (word, generation));
    }
    Ok(word)
}
