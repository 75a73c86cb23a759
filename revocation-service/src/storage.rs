//! What the service must not forget: issuers, certificates, revocations, CRL numbers, ledgers' heads.
//!
//! [`Storage`] is the whole contract; nothing of one database shows through it. The rules of what
//! may be changed are [`crate::rules`], which every implementation calls inside its transaction.
//!
//! There is one set of statements ([`SqlStorage`]) for both databases: a `SQLite` file, owned by one process
//! ([`sqlite`]), and PostgreSQL, shared by replicas ([`postgres`]).

mod errors;
mod generation;
mod location;
pub mod postgres;
mod records;
mod sql;
pub mod sqlite;

use std::{collections::HashMap, fmt, path::Path, sync::Arc};

use async_trait::async_trait;
use countersign_core::time::UnixSeconds;

pub use self::{
    errors::{PendingFault, StorageError},
    location::DatabaseLocation,
    records::{
        CertificateRecord, Decision, Digests, Evidence, HeldLedger, ImportBatch, ImportTaken,
        IssuerId, KeyRecorded, KeyReserved, KeyUse, KnownLedger, Listed, Listing, OfKey, Pending,
        PendingState, Proposal, Recorded, Registration, ReleaseRecord, ReleasesOf, Remembered,
        Revocation, RevocationChanges, RevocationList, RevokedKey, Status, StoredCrl, Verdict,
        Which,
    },
    sql::SqlStorage,
};
use crate::{crl::CrlList, rules::RevocationOrder};

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
    /// with a key that was revoked is revoked in the same moment, also where it was there before and
    /// is good. What a certificate itself says
    /// replaces what an import said of it; the revocation stays.
    ///
    /// # Errors
    /// [`StorageError::CertificateConflict`] when another certificate has that issuer and serial, and
    /// is proven, or both are only an import's word.
    async fn register(
        &self,
        certificates: Vec<CertificateRecord>,
    ) -> Result<Vec<Registration>, StorageError>;

    /// Takes over what another system knew: all of the batch or none. Durable. A revocation on record
    /// stays unless the one taken over is stricter; its own date of recording and actor are kept. A
    /// key takes its certificates of `issuers` with it as an order against it does, `now`.
    ///
    /// # Errors
    /// As [`register`](Self::register) and [`register_releases`](Self::register_releases);
    /// [`StorageError::Refused`]: a key is on hold.
    async fn import(
        &self,
        batch: ImportBatch,
        issuers: &[IssuerId],
        now: UnixSeconds,
    ) -> Result<ImportTaken, StorageError>;

    /// Whether [`import`](Self::import) would refuse one of those, for what is on record or for another
    /// of them. Writes nothing and keeps nobody from writing: another order may come between.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    async fn check_import(
        &self,
        certificates: &[Listed],
        releases: &[ReleaseRecord],
    ) -> Result<(), StorageError>;

    /// The certificate with that serial number.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn certificate(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Option<CertificateRecord>, StorageError>;

    /// The status of one serial number. Reads two indices, no certificate.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn status(&self, issuer: IssuerId, serial: &[u8]) -> Result<Status, StorageError>;

    /// The same for an OCSP answer. It has connections of its own, so that no flood of questions
    /// keeps an administrator or a CRL from the database.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn status_to_answer(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Status, StorageError>;

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
    /// registers it later has it revoked. Durable. `named` is the certificate (issuer, serial number)
    /// that the order named, whose key this was when it was looked up.
    ///
    /// # Errors
    /// [`StorageError::Refused`]; [`StorageError::KeyChanged`]: `named` has another key by now.
    async fn revoke_key(
        &self,
        spki_sha256: [u8; 32],
        order: &RevocationOrder,
        issuers: &[IssuerId],
        named: Option<(IssuerId, &[u8])>,
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

    /// The keys that were revoked, in the order of their digests: those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revoked_keys(
        &self,
        after: Option<[u8; 32]>,
        limit: u32,
    ) -> Result<Vec<RevokedKey>, StorageError>;

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
    /// [`StorageError::Pending`]: the revocation is not `was` any more, another proposal waits, too
    /// many of the same person do, or the comments together are too long.
    async fn propose(&self, proposal: &Proposal) -> Result<Pending, StorageError>;

    /// The proposals: all that wait, then at most `limit` others; the newest first in both.
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
    /// [`Pending::sha256`]. Who decides again as before is given what they decided.
    ///
    /// # Errors
    /// [`StorageError::Pending`]: not there, not as shown, expired, void, or proposed by the same
    /// person; [`StorageError::Decided`]: otherwise, or by somebody else; [`StorageError::Refused`].
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
    /// [`StorageError::Pending`]: not there, expired, void, or another person's;
    /// [`StorageError::Decided`].
    async fn withdraw(&self, id: i64, verdict: &Verdict) -> Result<Pending, StorageError>;

    /// Registers releases: all or none. Durable. Of several times for one bundle the latest stays, and
    /// none at all is later than any: whoever says that it was signed early cannot take it out of the
    /// list of what a compromise concerns. Answers what is on record now, in the order handed in.
    ///
    /// # Errors
    /// [`StorageError::ReleaseConflict`] when a bundle is known by another name or signer.
    async fn register_releases(
        &self,
        releases: Vec<ReleaseRecord>,
    ) -> Result<Vec<(Registration, ReleaseRecord)>, StorageError>;

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

    /// Reserves an idempotency key of that person, and drops what is too old. Durable. A reservation
    /// ends with [`remember_answer`](Self::remember_answer) or [`release_key`](Self::release_key); one
    /// whose process ended is void when it starts again, else after ten minutes.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn reserve_key(
        &self,
        actor: &str,
        key: &str,
        wanted: &KeyUse,
    ) -> Result<KeyReserved, StorageError>;

    /// Keeps an answer under the key that was reserved for it, and drops all but the latest thousand of
    /// that person. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn remember_answer(
        &self,
        actor: &str,
        key: &str,
        answer: &Remembered,
    ) -> Result<(), StorageError>;

    /// Gives back a key whose order was refused. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn release_key(&self, actor: &str, key: &str) -> Result<(), StorageError>;

    /// Moves every revocation date of an issuer that is after `now`, recorded while the clock was ahead,
    /// to `now`: a date that is published is not to move with every list. Durable. Writes nothing where
    /// there is none.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn settle_dates(&self, issuer: IssuerId, now: UnixSeconds) -> Result<(), StorageError>;

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

    /// The same for somebody who looks: they take no connection that CRLs are made with.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    async fn revision_to_show(&self, issuer: IssuerId) -> Result<i64, StorageError>;

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
    /// [`StorageError::BackupExists`]; [`StorageError::BackupElsewhere`] where the database has its own
    /// means; [`StorageError::Database`]: it cannot be written.
    async fn back_up(&self, path: &Path) -> Result<(), StorageError>;

    /// Succeeds when the database can be written.
    ///
    /// # Errors
    /// [`StorageError::Database`], [`StorageError::Replaced`].
    async fn ping(&self) -> Result<(), StorageError>;

    /// Waits for what is being written and lets the database go.
    async fn close(&self);
}
