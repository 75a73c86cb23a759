//! Responding: OCSP (RFC 6960, RFC 9654, RFC 9919), and who signs it.
//!
//! [`answer`] turns the octets of a request into those of an answer; HTTP is `public`'s business at
//! the top. The database is the authority on every answer; two caches spare it and the keys. Both are
//! good for one *generation*: a number in memory that grows before a change is acknowledged, and
//! within a second of another replica's change.
//!
//! ```text
//!   question ──► KeptAnswers: CertID as asked ──► a signed answer, and what must stay true of it
//!                 │  of this generation: given as it is
//!                 │  of an earlier one: the status is read again; the same status keeps the answer
//!                 │  too old, another delegate, another CRL made elsewhere: signed anew
//!                 ▼
//!                status ──► StatusMemory: issuer and serial number ──► the database's last word
//!                 │          of this generation: taken
//!                 ▼          of an earlier one: ignored
//!                Storage ──► reads two indices
//!
//!   Storage::commit ──► generation + 1      (nothing is removed: what is of an earlier one is not believed)
//!   feed of PostgreSQL ──► generation + 1   (no feed: no generation, and neither cache is believed)
//! ```
//!
//! | | [`KeptAnswers`] | [`StatusMemory`] |
//! |---|---|---|
//! | spares | the signature: some 100 µs with P-384, far more in a token | the database: a question with a nonce is signed each time, and costs no read |
//! | filled by | the first who asks; `refresh_if_due` ahead of time | every reading of a status: for an answer, or for the administration's check of a client |
//! | cleared by | a new generation with another status, age, another delegate or CRL; the least used go first | a new generation; the least used go first |
//! | bounded by | octets of questions and answers | 32,768 serial numbers |

mod delegates;
pub(crate) mod encoded_request;
mod fault;
mod figures;
mod kept;
mod ocsp;
mod signed;
pub(crate) mod signing_queue;
mod status;

use std::sync::Arc;

use countersign_core::time::UnixSeconds;
use countersign_daemon::clock::Clock;
use serde::Deserialize;

use self::signing_queue::SigningQueue;
pub(crate) use self::{
    delegates::{DelegateError, refresh_delegate, reload_delegates},
    fault::Fault,
    figures::{Figures, Outcome},
    kept::KeptAnswers,
    ocsp::{Answer, answer},
    signed::SignedAnswer,
    status::{CrlWord, Reader, RecordStatus, StatusMemory, by_crl, of_record, status},
};
use crate::{publish::Issuers, register::storage::Storage};

/// OCSP answers that are kept: one takes about 2.5 kB.
const KEPT_ANSWERS: usize = 1 << 13;

/// What OCSP says of a serial number that was never registered; never `good`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeverIssued {
    /// `unknown`.
    #[default]
    Unknown,
    /// `revoked` since 1970 with certificateHold and the extended-revoke extension, RFC 6960 §2.2.
    Revoked,
}

/// The numbers of the configuration that answers need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Answers that may be made at once.
    pub(crate) ocsp_max_in_flight: usize,
    /// What OCSP says of serial numbers never registered.
    pub(crate) never_issued: NeverIssued,
    /// Validity of an OCSP answer.
    pub(crate) ocsp_validity_seconds: u32,
    /// `CertIDs` in a request.
    pub(crate) ocsp_max_certificates: usize,
    /// Seconds for which HTTP caches may keep an answer.
    pub(crate) ocsp_max_age_seconds: u32,
}

/// What answers are made from and kept in.
#[derive(Debug)]
pub(crate) struct Responder {
    issuers: Arc<Issuers>,
    storage: Arc<Storage>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    signing: SigningQueue,
    kept_answers: KeptAnswers,
    status_memory: StatusMemory,
    figures: Figures,
}

impl Responder {
    /// A responder for `issuers`.
    pub(crate) fn new(
        issuers: Arc<Issuers>,
        storage: Arc<Storage>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        Self {
            issuers,
            storage,
            clock,
            settings,
            signing: SigningQueue::new(settings.ocsp_max_in_flight),
            kept_answers: KeptAnswers::new(
                KEPT_ANSWERS,
                settings.ocsp_max_age_seconds,
                settings.ocsp_validity_seconds,
            ),
            status_memory: StatusMemory::default(),
            figures: Figures::new(),
        }
    }

    /// The OCSP answers that are kept.
    pub(crate) fn kept_answers(&self) -> &KeptAnswers {
        &self.kept_answers
    }

    /// How many answers are being read up or signed.
    pub(crate) fn answers_being_made(&self) -> usize {
        self.signing.taken(self.settings.ocsp_max_in_flight)
    }

    fn now(&self) -> UnixSeconds {
        self.clock.unix_now()
    }
}
