//! What the service must not forget: issuers, certificates, revocations, CRL numbers, ledgers' heads.
//!
//! [`Storage`] is the whole contract; nothing of one database shows through it. The rules of what
//! may be changed are [`crate::rules`], which every implementation calls inside its transaction.
//!
//! There is one set of statements ([`SqlStorage`]) for both databases: a `SQLite` file, owned by one process
//! ([`sqlite`]), and PostgreSQL, shared by replicas ([`postgres`]).

mod generation;
mod location;
pub mod postgres;
mod records;
mod sql;
pub mod sqlite;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use countersign_core::time::UnixSeconds;

pub use self::{
    location::DatabaseLocation,
    records::{
        CertificateRecord, Decision, Digests, HeldLedger, IssuerId, KeyRecorded, KnownLedger,
        Listed, Listing, OfKey, Pending, PendingState, Proposal, Recorded, Registration,
        ReleaseRecord, ReleasesOf, Remembered, Revocation, RevocationChanges, RevocationList,
        RevokedKey, Status, StoredCrl, Verdict, Which,
    },
    sql::SqlStorage,
};
use crate::{
    crl::CrlList,
    rules::{Refusal, RevocationOrder},
};

/// Opens the database at `location` and brings its tables up to date.
///
/// # Errors
/// [`StorageError::InUse`]; [`StorageError::Database`]: not reachable, not writable, not a database,
/// or made by a later version.
pub async fn open(location: &DatabaseLocation) -> Result<Arc<dyn Storage>, StorageError> {
    Ok(match location {
        DatabaseLocation::File(path) => Arc::new(sqlite::SqliteStorage::open(path).await?),
        DatabaseLocation::Postgres(url) => Arc::new(postgres::PostgresStorage::open(url).await?),
    })
}

/// Where the service keeps what it knows.
///
/// **Durability.** Every method that changes something returns `Ok` only once the change is
/// committed *and synced to stable storage*: it survives `kill -9` of the process and, as far as
/// the disk tells the truth, loss of power. A method that fails has changed nothing, except that a
/// database server lost in the middle of a commit may have kept it: repeating is always safe.
/// **Order.** A read that starts after a change returned sees that change, whichever replica made
/// it. Changes happen one after the other: each sees all before it.
#[async_trait]
pub trait Storage: Send + Sync + fmt::Debug {
    /// Finds the issuer called `name`, or makes it. Durable.
    ///
    /// # Errors
    /// [`StorageError::IssuerChanged`] when that name belongs to another key, or that key to
    /// another name.
    async fn bind_issuer(
        &self,
        name: &str,
        spki_sha256: [u8; 32],
    ) -> Result<IssuerId, StorageError>;

    /// Registers certificates: all of them or none. Durable. Answers in the order handed in. One
    /// with a key that was revoked is revoked in the same moment.
    ///
    /// # Errors
    /// [`StorageError::CertificateConflict`] when another certificate has that issuer and serial.
    async fn register(
        &self,
        certificates: Vec<CertificateRecord>,
    ) -> Result<Vec<Registration>, StorageError>;

    /// Takes over what another system knew: certificates with their revocations, all or none.
    /// Durable. A revocation on record stays unless the one taken over is stricter; its own date of
    /// recording and actor are kept. Answers what was new, in the order handed in, and the revisions
    /// of the issuers that changed.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    async fn import(
        &self,
        entries: Vec<Listed>,
    ) -> Result<(Vec<Registration>, Vec<(IssuerId, i64)>), StorageError>;

    /// The certificate with that serial number.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn certificate(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Option<CertificateRecord>, StorageError>;

    /// The status of one serial number: the read that every OCSP answer makes. Reads two indices,
    /// no certificate.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn status(&self, issuer: IssuerId, serial: &[u8]) -> Result<Status, StorageError>;

    /// Revokes, or changes a revocation as [`crate::rules::decide`] allows. Durable. An order that
    /// changes nothing writes nothing.
    ///
    /// # Errors
    /// [`StorageError::NotRegistered`], [`StorageError::Refused`].
    async fn revoke(
        &self,
        issuer: IssuerId,
        serial: &[u8],
        order: &RevocationOrder,
    ) -> Result<Recorded, StorageError>;

    /// Revokes every certificate with that key (SHA-256 of the `SubjectPublicKeyInfo`) that one of
    /// `issuers` issued, by [`crate::rules::decide_for_key`], and remembers the key: whoever
    /// registers it later has it revoked. Durable.
    ///
    /// # Errors
    /// [`StorageError::Refused`].
    async fn revoke_key(
        &self,
        spki_sha256: [u8; 32],
        order: &RevocationOrder,
        issuers: &[IssuerId],
    ) -> Result<KeyRecorded, StorageError>;

    /// The certificates with that key, and how they stand.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn certificates_of_key(&self, spki_sha256: [u8; 32]) -> Result<Vec<OfKey>, StorageError>;

    /// The order against that key (SHA-256 of the `SubjectPublicKeyInfo`), if there ever was one.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revoked_key(&self, spki_sha256: [u8; 32]) -> Result<Option<Revocation>, StorageError>;

    /// Every key that was revoked.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revoked_keys(&self) -> Result<Vec<RevokedKey>, StorageError>;

    /// Takes over keys that another system revoked; certificates already here are not looked at.
    /// Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn import_keys(&self, keys: Vec<RevokedKey>) -> Result<(), StorageError>;

    /// A page of an issuer's certificates, in the order of their serial numbers' octets.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn list(&self, listing: &Listing) -> Result<Vec<Listed>, StorageError>;

    /// Keeps an order for a second person. Durable. One proposal a certificate waits at a time: the same
    /// order of the same person adds a comment that is new to it, anything else is refused.
    ///
    /// # Errors
    /// [`StorageError::NotRegistered`]; [`StorageError::Refused`] where two people may not either;
    /// [`StorageError::Pending`]: the revocation is not `was` any more, another proposal waits, or
    /// the comments together are too long.
    async fn propose(&self, proposal: &Proposal) -> Result<Pending, StorageError>;

    /// The proposals, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn proposals(&self, now: UnixSeconds, limit: u32) -> Result<Vec<Pending>, StorageError>;

    /// How many proposals wait.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn pending_count(&self, now: UnixSeconds) -> Result<u64, StorageError>;

    /// Approves a proposal and carries it out, or turns it down. Durable. `shown` is its
    /// [`Pending::sha256`]. Deciding again as before gives what was decided.
    ///
    /// # Errors
    /// [`StorageError::Pending`]: not there, not as shown, decided otherwise, expired, void, or
    /// proposed by the same person; [`StorageError::Refused`].
    async fn decide(
        &self,
        id: i64,
        decision: Decision,
        shown: [u8; 32],
        verdict: &Verdict,
    ) -> Result<(Pending, Option<Recorded>), StorageError>;

    /// Takes a proposal back. Durable. Doing so again gives what was done.
    ///
    /// # Errors
    /// [`StorageError::Pending`]: not there, decided, expired, void, or another person's.
    async fn withdraw(&self, id: i64, verdict: &Verdict) -> Result<Pending, StorageError>;

    /// Registers releases: all or none. Durable. A bundle that is known stays as it is.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn register_releases(
        &self,
        releases: Vec<ReleaseRecord>,
    ) -> Result<Vec<Registration>, StorageError>;

    /// Releases, in the order of their bundles' digests.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn releases(&self, of: &ReleasesOf) -> Result<Vec<ReleaseRecord>, StorageError>;

    /// The answer given under an idempotency key to that person, since `not_before`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn remembered(
        &self,
        actor: &str,
        key: &str,
        not_before: UnixSeconds,
    ) -> Result<Option<Remembered>, StorageError>;

    /// Keeps an answer under an idempotency key, and drops those given before `not_before`. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn remember(
        &self,
        actor: &str,
        key: &str,
        answer: &Remembered,
        not_before: UnixSeconds,
    ) -> Result<(), StorageError>;

    /// Everything that is revoked under one issuer, read at one moment.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revocations(&self, issuer: IssuerId) -> Result<RevocationList, StorageError>;

    /// What changed among an issuer's revocations since `revision`, read at one moment: for deltas.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn changes_since(
        &self,
        issuer: IssuerId,
        revision: i64,
    ) -> Result<RevocationChanges, StorageError>;

    /// The issuer's revision: that of the latest change to its revocations.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revision(&self, issuer: IssuerId) -> Result<i64, StorageError>;

    /// Takes the next `CRLNumber`: one more than the last, and not below `least`. Durable *before*
    /// it returns, so that no number is ever given twice, whatever becomes of the CRL.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn reserve_crl_number(&self, issuer: IssuerId, least: u64) -> Result<u64, StorageError>;

    /// Keeps a CRL in the place of the one before in that `list`. Durable.
    ///
    /// # Errors
    /// [`StorageError::CrlNumber`] when the number does not grow (the same CRL again is accepted).
    async fn store_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
        crl: &StoredCrl,
    ) -> Result<(), StorageError>;

    /// The CRL last stored in that `list`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn stored_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
    ) -> Result<Option<StoredCrl>, StorageError>;

    /// The number of each CRL stored for that issuer, by the list's name ([`CrlList`] as text). Reads
    /// no CRL: who follows many lists learns by it which to read.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn stored_crl_numbers(
        &self,
        issuer: IssuerId,
    ) -> Result<HashMap<String, u64>, StorageError>;

    /// The audit ledgers whose heads are kept here, those of other replicas and replaced ones included.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn ledgers(&self) -> Result<Vec<KnownLedger>, StorageError>;

    /// Keeps the head of `ledger` from now on: at once, and in the transaction of every change that is
    /// made through this value. An order is in the ledger before it is carried out, so the head that
    /// is committed with it is never before its record. Durable. The first ledger stays.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn hold_ledger(&self, ledger: HeldLedger) -> Result<(), StorageError>;

    /// Keeps the head of the ledger that is held, if it has grown since: for what is recorded and
    /// changes nothing. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn note_ledger_head(&self) -> Result<(), StorageError>;

    /// Puts `by` in the place of the ledger of the random number `replaced`, and holds it. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn replace_ledger(&self, replaced: &str, by: HeldLedger) -> Result<(), StorageError>;

    /// A number that tells whether anything that [`status`](Self::status) reads may have changed:
    /// in memory, without waiting, since every OCSP answer asks. It has grown *before* a change
    /// made through this value is acknowledged, and within a second of a change that another
    /// process made. Nothing while that cannot be known (the connection that tells of others'
    /// changes is lost): then nothing kept in memory may be served.
    fn generation(&self) -> Option<u64>;

    /// Writes a copy of the whole database into the new file `path`, complete and consistent, while
    /// everything goes on.
    ///
    /// # Errors
    /// [`StorageError::BackupElsewhere`] where the database has its own means;
    /// [`StorageError::Database`]: the file exists, or cannot be written.
    async fn back_up(&self, path: &Path) -> Result<(), StorageError>;

    /// Succeeds when the database can be written.
    ///
    /// # Errors
    /// [`StorageError::Database`], [`StorageError::Replaced`].
    async fn ping(&self) -> Result<(), StorageError>;

    /// Waits for what is being written and lets the database go.
    async fn close(&self);
}

/// Why storage did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A configured issuer is not the one the database knows.
    #[error(
        "issuer {name:?} is bound to another key in this database, or its key to another name; use the name and certificate this database was made with, or a new database"
    )]
    IssuerChanged {
        /// The configured name.
        name: String,
    },
    /// Two different certificates with one issuer and serial number.
    #[error("another certificate with serial number {serial} is registered for this issuer")]
    CertificateConflict {
        /// The serial number, hexadecimal.
        serial: String,
    },
    /// The serial number is not known.
    #[error("no certificate with serial number {serial} is registered for this issuer")]
    NotRegistered {
        /// The serial number, hexadecimal.
        serial: String,
    },
    /// A proposal cannot be decided on.
    #[error(transparent)]
    Pending(#[from] PendingFault),
    /// The rules forbid that change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A `CRLNumber` did not grow.
    #[error("CRLNumber {number} is not greater than {stored}, which was published before")]
    CrlNumber {
        /// The number refused.
        number: u64,
        /// The number on record.
        stored: u64,
    },
    /// What is stored cannot be read back: the database was changed by something else.
    #[error("the database holds something this service did not write: {what}")]
    Corrupt {
        /// Which value.
        what: &'static str,
    },
    /// Another process has the database, and would not see what this one writes.
    #[error("another process uses this database ({} is locked)", lock.display())]
    InUse {
        /// The file whose lock it holds.
        lock: PathBuf,
    },
    /// What is open is no longer the file of that name: it would be gone after a restart.
    #[error("the database file was deleted or replaced under the running service; restart it")]
    Replaced,
    /// PostgreSQL has its own means of backup.
    #[error("a PostgreSQL database is backed up by pg_dump, not by this service")]
    BackupElsewhere,
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a proposal cannot be decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PendingFault {
    /// There is none of that number.
    #[error("there is no proposal of that number")]
    Unknown,
    /// It was decided on, the other way.
    #[error("that proposal was decided on already")]
    Decided,
    /// Its time is over.
    #[error("nobody approved that proposal in time; propose it again")]
    Expired,
    /// It takes two people.
    #[error("whoever proposed it cannot approve it: it takes two people")]
    SamePerson,
    /// Only whoever proposed it takes it back.
    #[error("another person proposed that; an approver can reject it")]
    AnotherPersons,
    /// It is not what the deciding person was shown.
    #[error(
        "that is not the proposal as it stands: something was added to it; look at it again (GET /v1/pending)"
    )]
    NotAsShown,
    /// The revocation was changed since.
    #[error(
        "the revocation was changed after this was proposed; look at how it stands, and propose again"
    )]
    Outdated,
    /// Another proposal for that certificate waits.
    #[error(
        "proposal {id} for this certificate waits; it must be approved, rejected or withdrawn first"
    )]
    AnotherWaits {
        /// Its number.
        id: i64,
    },
    /// The comments are too long.
    #[error(
        "with the comments before, this one is too long; withdraw the proposal and propose again"
    )]
    CommentTooLong,
}
