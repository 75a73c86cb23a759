//! What is known of a serial number: the database's word, or that of a CRL made elsewhere. [`by_crl`] is the
//! one place that weighs the two; OCSP, lookups and lists, and the check of who administers all ask it.
//!
//! The database is asked again as soon as its [generation](crate::register::storage::Storage::generation) has
//! moved; until then its last word counts.

use countersign_core::{crl::RevocationReason, limits, time::UnixSeconds};
use countersign_signing::ocsp::CertificateStatus;
use quick_cache::{Equivalent, sync::Cache};

use super::{Fault, NeverIssued, Responder};
use crate::{
    publish::{CrlSource, Issuer},
    register::storage::{IssuerId, Listed, Revocation, Status},
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

/// For whom a status is read: each has connections of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Somebody who asked by OCSP.
    Responder,
    /// The administration.
    Administration,
}

/// What is known of a serial number (content octets) of `issuer`. No answer has a date to come, and no
/// date moves from one answer to the next: a later one would bring signatures back.
///
/// # Errors
/// Storage failed, or there is no valid CRL of those made elsewhere and the last does not list it.
pub(crate) async fn status(
    responder: &Responder,
    issuer: &Issuer,
    serial: &[u8],
    (reader, now): (Reader, UnixSeconds),
) -> Result<CertificateStatus, Fault> {
    match by_crl(issuer, serial, now) {
        CrlWord::Revoked(reason, revocation_time) => {
            return Ok(CertificateStatus::Revoked { reason, revocation_time });
        }
        // Old evidence still proves a revocation, but not that it is still on hold.
        CrlWord::OnHoldUnlessLifted(_) | CrlWord::Stale => return Err(Fault::StaleCrl),
        CrlWord::NotListed => {}
    }
    Ok(match word(responder, issuer.id, serial, reader).await? {
        Word::Good => CertificateStatus::Good,
        Word::Revoked(reason, date) => {
            if date > now {
                settle(responder, issuer, now).await;
            }
            CertificateStatus::Revoked { reason, revocation_time: date.min(now) }
        }
        Word::NeverIssued => match responder.settings.never_issued {
            NeverIssued::Unknown => CertificateStatus::Unknown,
            NeverIssued::Revoked => CertificateStatus::NEVER_ISSUED,
        },
    })
}

/// What the CRL of an issuer says whose key is elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrlWord {
    /// It lists the serial number, from that date on.
    Revoked(RevocationReason, UnixSeconds),
    /// The last one, which ran out, has it on hold; a newer one may have lifted that.
    OnHoldUnlessLifted(UnixSeconds),
    /// It does not list it, and ran out, or is not complete; or there is none.
    Stale,
    /// It does not list it: what is on record decides. Always so if the CRLs are made here.
    NotListed,
}

/// What a CRL made elsewhere says of a serial number (content octets) of `issuer`: it is the authority on what
/// its issuer revoked.
pub(crate) fn by_crl(issuer: &Issuer, serial: &[u8], now: UnixSeconds) -> CrlWord {
    let CrlSource::Elsewhere(crls) = &issuer.crls else { return CrlWord::NotListed };
    let is_stale = crls.current().is_none_or(|crl| crl.is_overdue(now));
    match crls.entry(serial) {
        Some((RevocationReason::CertificateHold, date)) if is_stale => {
            CrlWord::OnHoldUnlessLifted(as_listed(date, now))
        }
        Some((reason, date)) => CrlWord::Revoked(reason, as_listed(date, now)),
        None if is_stale => CrlWord::Stale,
        None => CrlWord::NotListed,
    }
}

/// What lookups and lists show of a certificate on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordStatus {
    /// It is not revoked.
    Good,
    /// It is.
    Revoked(Revocation),
    /// There is no valid CRL of those made elsewhere, and nothing else says that it is revoked.
    Unknown,
}

/// The status of a certificate on record, with what its issuer's CRL made elsewhere says.
pub(crate) fn of_record(issuer: &Issuer, listed: &Listed, now: UnixSeconds) -> RecordStatus {
    let by_crl = by_crl(issuer, &listed.certificate.serial, now);
    let (reason, revocation_date) = match (by_crl, &listed.revocation) {
        (CrlWord::Revoked(reason, date), _) => (reason, date),
        (CrlWord::NotListed | CrlWord::Stale, Some(revocation)) => {
            return RecordStatus::Revoked(revocation.clone());
        }
        (CrlWord::OnHoldUnlessLifted(date), _) => (RevocationReason::CertificateHold, date),
        (CrlWord::NotListed, None) => return RecordStatus::Good,
        (CrlWord::Stale, None) => return RecordStatus::Unknown,
    };
    let crl = issuer.crl();
    let recorded_at = crl.as_ref().map_or(revocation_date, |crl| crl.validity.this_update);
    let number = crl.map(|crl| format!(" {}", crl.number)).unwrap_or_default();
    let actor = format!("CRL{number}, made elsewhere");
    RecordStatus::Revoked(Revocation { reason, revocation_date, recorded_at, actor })
}

/// The date that a CRL made elsewhere lists. One that is a little ahead is said as the list says it; one
/// that is far ahead is only in a list that an earlier version took.
fn as_listed(date: UnixSeconds, now: UnixSeconds) -> UnixSeconds {
    if date > now.plus_seconds(limits::CLOCK_SKEW_SECONDS) { now } else { date }
}

/// Has dates that were recorded while the clock was ahead begin now. A database that cannot be written
/// keeps nobody from an answer.
async fn settle(responder: &Responder, issuer: &Issuer, now: UnixSeconds) {
    if let Err(error) = responder.storage.settle_dates(issuer.id, now).await {
        let issuer = issuer.authority.name();
        tracing::error!(issuer, %error, "a revocation dated in the future stays so");
    }
}

async fn word(
    responder: &Responder,
    issuer: IssuerId,
    serial: &[u8],
    reader: Reader,
) -> Result<Word, Fault> {
    let memory = &responder.status_memory.words;
    // Before the reading: what changes during it makes the outcome one of the generation before.
    let generation = responder.storage.generation();
    if let Some((word, of)) = memory.get(&BorrowedKey { issuer, serial })
        && Some(of) == generation
    {
        return Ok(word);
    }
    let status = match reader {
        Reader::Responder => responder.storage.status_to_answer(issuer, serial).await?,
        Reader::Administration => responder.storage.status(issuer, serial).await?,
    };
    let word = match status {
        Status::NeverIssued => Word::NeverIssued,
        Status::Good => Word::Good,
        Status::Revoked(revocation) => Word::Revoked(revocation.reason, revocation.revocation_date),
    };
    if let Some(generation) = generation {
        memory.insert(Key { issuer, serial: serial.to_vec() }, (word, generation));
    }
    Ok(word)
}
