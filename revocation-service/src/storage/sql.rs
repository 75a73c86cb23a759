//! [`Storage`] in SQL: one set of statements for `SQLite` and PostgreSQL.
//!
//! What differs between the two (opening, taking turns, telling of changes, backup) is an [`Engine`];
//! the statements are in the files below, one for each kind of record. Placeholders are `$1`, which
//! both understand.

mod answers;
mod certificates;
mod crls;
mod imports;
mod keys;
mod ledgers;
mod proposals;
mod releases;
mod revocations;
mod rows;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use countersign_core::{time::UnixSeconds, x509::certificate::serial_text};
use countersign_daemon::crash_point;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction, any::AnyPoolOptions};

use super::{
    CertificateRecord, Decision, HeldLedger, ImportBatch, ImportTaken, IssuerId, KeyRecorded,
    KeyReserved, KeyUse, KnownLedger, Listed, Listing, OfKey, Pending, Proposal, Recorded,
    Registration, ReleaseRecord, ReleasesOf, Remembered, Revocation, RevocationChanges,
    RevocationList, RevokedKey, Status, Storage, StorageError, StoredCrl, Verdict,
    postgres::Server, sqlite::File,
};
use crate::{crl::CrlList, rules::RevocationOrder};

/// How long a request waits for a connection before it fails: longer waits are overload, or a
/// database that is gone.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// A transaction.
pub(super) type Work = Transaction<'static, Any>;

/// A database with this service's tables.
#[derive(Debug)]
pub struct SqlStorage {
    pub(super) writers: AnyPool,
    /// What administration reads.
    pub(super) readers: AnyPool,
    /// What CRLs and the readiness check read: however much administration reads, CRLs are renewed.
    pub(super) upkeep: AnyPool,
    /// For OCSP answers alone.
    pub(super) responders: AnyPool,
    pub(super) engine: Engine,
    /// The audit ledger whose head goes into every transaction.
    ledger: OnceLock<HeldLedger>,
    /// The number of the line that [`Storage::note_ledger_head`] noted last, plus one; 0 before.
    noted: AtomicU64,
}

/// What differs between databases.
#[derive(Debug)]
pub(super) enum Engine {
    /// A `SQLite` file.
    File(File),
    /// A PostgreSQL server.
    Server(Arc<Server>),
}

/// A pool that keeps its connections: they take no file descriptor when there may be none.
pub(super) fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Where the database itself rolled back (disk full, I/O error), sqlx still counts a
        // transaction, and lets none begin on that connection ever after: take another connection.
        .before_acquire(|connection, _| {
            let is_free = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_free) })
        })
}

pub(super) fn database(error: impl std::error::Error + Send + Sync + 'static) -> StorageError {
    StorageError::Database(Box::new(error))
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        database(error)
    }
}

impl SqlStorage {
    pub(super) fn new(
        [writers, readers, upkeep, responders]: [AnyPool; 4],
        engine: Engine,
    ) -> Self {
        let (ledger, noted) = (OnceLock::new(), AtomicU64::new(0));
        Self { writers, readers, upkeep, responders, engine, ledger, noted }
    }

    /// Starts to write. Who writes has the database alone until the commit: every change sees all
    /// before it, and revisions and CRL numbers are in the order of the commits. The head of the audit
    /// ledger goes into every transaction: whoever puts an older ledger back must put this back too.
    async fn begin(&self) -> Result<Work, StorageError> {
        let mut work = self.begin_without_head().await?;
        if let Some(ledger) = self.ledger.get() {
            // Not before it is our turn: a head read earlier may be older than the one on record.
            ledgers::note(&mut work, ledger).await?;
        }
        Ok(work)
    }

    async fn begin_without_head(&self) -> Result<Work, StorageError> {
        match &self.engine {
            Engine::File(file) => {
                file.refuse_replaced()?;
                Ok(self.writers.begin_with("BEGIN IMMEDIATE").await?)
            }
            Engine::Server(server) => server.begin(&self.writers).await,
        }
    }

    /// Starts to read at one moment: what is read belongs together.
    async fn read(&self, pool: &AnyPool) -> Result<Work, StorageError> {
        Ok(match self.engine {
            Engine::File(_) => pool.begin().await?,
            Engine::Server(_) => {
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?
            }
        })
    }

    /// Commits a change of what certificates' status is, and makes it known.
    async fn commit(&self, mut work: Work) -> Result<(), StorageError> {
        // Also where it fails or is abandoned: that may be after the change was made.
        let _counted = match &self.engine {
            Engine::File(file) => file.generation.count_on_drop(),
            Engine::Server(server) => {
                server.announce(&mut work).await?;
                server.generation.count_on_drop()
            }
        };
        crash_point::reach("storage.commit");
        work.commit().await?;
        crash_point::reach("storage.committed");
        Ok(())
    }
}

#[async_trait]
impl Storage for SqlStorage {
    async fn bind_issuer(
        &self,
        name: &str,
        spki_sha256: [u8; 32],
    ) -> Result<IssuerId, StorageError> {
        let mut work = self.begin().await?;
        let id = certificates::bind_issuer(&mut work, name, spki_sha256).await?;
        work.commit().await?;
        Ok(id)
    }

    async fn register(
        &self,
        certificates: Vec<CertificateRecord>,
    ) -> Result<Vec<Registration>, StorageError> {
        let mut work = self.begin().await?;
        let outcomes = certificates::register(&mut work, &certificates).await?;
        self.commit(work).await?;
        Ok(outcomes)
    }

    async fn import(
        &self,
        batch: ImportBatch,
        issuers: &[IssuerId],
        now: UnixSeconds,
    ) -> Result<ImportTaken, StorageError> {
        let mut work = self.begin().await?;
        let taken = imports::take(&mut work, batch, issuers, now).await?;
        self.commit(work).await?;
        Ok(taken)
    }

    async fn check_import(
        &self,
        certificates: &[Listed],
        releases: &[ReleaseRecord],
    ) -> Result<(), StorageError> {
        imports::check(&mut *self.readers.acquire().await?, certificates, releases).await
    }

    async fn certificate(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Option<CertificateRecord>, StorageError> {
        certificates::certificate(&mut *self.readers.acquire().await?, issuer, serial).await
    }

    async fn status(&self, issuer: IssuerId, serial: &[u8]) -> Result<Status, StorageError> {
        certificates::status(&mut *self.readers.acquire().await?, issuer, serial).await
    }

    async fn status_to_answer(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Status, StorageError> {
        certificates::status(&mut *self.responders.acquire().await?, issuer, serial).await
    }

    async fn revoke(
        &self,
        issuer: IssuerId,
        serial: &[u8],
        order: &RevocationOrder,
    ) -> Result<Recorded, StorageError> {
        let mut work = self.begin().await?;
        let (recorded, written) = revocations::revoke(&mut work, issuer, serial, order).await?;
        if written {
            self.commit(work).await?;
        }
        Ok(recorded)
    }

    async fn revoke_key(
        &self,
        spki_sha256: [u8; 32],
        order: &RevocationOrder,
        issuers: &[IssuerId],
        named: Option<(IssuerId, &[u8])>,
    ) -> Result<KeyRecorded, StorageError> {
        let mut work = self.begin().await?;
        let recorded = keys::revoke(&mut work, spki_sha256, order, issuers).await?;
        // Before anything is committed.
        refuse_changed_key(named, &recorded.certificates)?;
        self.commit(work).await?;
        Ok(recorded)
    }

    async fn certificates_of_key(&self, spki_sha256: [u8; 32]) -> Result<Vec<OfKey>, StorageError> {
        keys::certificates(&mut *self.readers.acquire().await?, spki_sha256).await
    }

    async fn revoked_key(&self, spki_sha256: [u8; 32]) -> Result<Option<Revocation>, StorageError> {
        keys::of(&mut *self.readers.acquire().await?, spki_sha256).await
    }

    async fn revoked_keys(
        &self,
        after: Option<[u8; 32]>,
        limit: u32,
    ) -> Result<Vec<RevokedKey>, StorageError> {
        keys::revoked(&mut *self.readers.acquire().await?, after, limit).await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<Listed>, StorageError> {
        certificates::list(&mut *self.readers.acquire().await?, listing).await
    }

    async fn propose(&self, proposal: &Proposal) -> Result<Pending, StorageError> {
        let mut work = self.begin().await?;
        let pending = proposals::propose(&mut work, proposal).await?;
        work.commit().await?;
        Ok(pending)
    }

    async fn proposals(&self, now: UnixSeconds, limit: u32) -> Result<Vec<Pending>, StorageError> {
        proposals::list(&mut *self.read(&self.readers).await?, now, limit).await
    }

    async fn pending_count(&self, now: UnixSeconds) -> Result<u64, StorageError> {
        proposals::count(&mut *self.readers.acquire().await?, now).await
    }

    async fn decide(
        &self,
        id: i64,
        decision: Decision,
        shown: [u8; 32],
        verdict: &Verdict,
    ) -> Result<(Pending, Option<Recorded>), StorageError> {
        let mut work = self.begin().await?;
        let decided = proposals::decide(&mut work, (id, shown), decision, verdict).await?;
        self.commit(work).await?;
        Ok(decided)
    }

    async fn withdraw(&self, id: i64, verdict: &Verdict) -> Result<Pending, StorageError> {
        let mut work = self.begin().await?;
        let withdrawn = proposals::withdraw(&mut work, id, verdict).await?;
        work.commit().await?;
        Ok(withdrawn)
    }

    async fn register_releases(
        &self,
        releases: Vec<ReleaseRecord>,
    ) -> Result<Vec<(Registration, ReleaseRecord)>, StorageError> {
        let mut work = self.begin().await?;
        let outcomes = releases::register(&mut work, &releases).await?;
        work.commit().await?;
        Ok(outcomes)
    }

    async fn releases(&self, of: &ReleasesOf) -> Result<Vec<ReleaseRecord>, StorageError> {
        releases::list(&mut *self.readers.acquire().await?, of).await
    }

    async fn remembered(
        &self,
        actor: &str,
        key: &str,
        not_before: UnixSeconds,
    ) -> Result<Option<Remembered>, StorageError> {
        answers::remembered(&mut *self.readers.acquire().await?, actor, key, not_before).await
    }

    async fn reserve_key(
        &self,
        actor: &str,
        key: &str,
        wanted: &KeyUse,
    ) -> Result<KeyReserved, StorageError> {
        let owner = self.ledger.get().map_or("", |ledger| ledger.id.as_str());
        let mut work = self.begin().await?;
        let reserved = answers::reserve(&mut work, owner, (actor, key), wanted).await?;
        crash_point::reach("key.commit");
        work.commit().await?;
        crash_point::reach("key.committed");
        Ok(reserved)
    }

    async fn remember_answer(
        &self,
        actor: &str,
        key: &str,
        answer: &Remembered,
    ) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        answers::remember(&mut work, actor, key, answer).await?;
        crash_point::reach("answer.commit");
        work.commit().await?;
        crash_point::reach("answer.committed");
        Ok(())
    }

    async fn release_key(&self, actor: &str, key: &str) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        answers::release(&mut work, actor, key).await?;
        Ok(work.commit().await?)
    }

    async fn settle_dates(&self, issuer: IssuerId, now: UnixSeconds) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        if revocations::settle(&mut work, issuer, now).await? {
            self.commit(work).await?;
        }
        Ok(())
    }

    async fn revocations(&self, issuer: IssuerId) -> Result<RevocationList, StorageError> {
        revocations::all(&mut *self.read(&self.upkeep).await?, issuer).await
    }

    async fn changes_since(
        &self,
        issuer: IssuerId,
        revision: i64,
    ) -> Result<RevocationChanges, StorageError> {
        revocations::since(&mut *self.read(&self.upkeep).await?, issuer, revision).await
    }

    async fn revision(&self, issuer: IssuerId) -> Result<i64, StorageError> {
        revocations::revision(&mut *self.upkeep.acquire().await?, issuer).await
    }

    async fn revision_to_show(&self, issuer: IssuerId) -> Result<i64, StorageError> {
        revocations::revision(&mut *self.readers.acquire().await?, issuer).await
    }

    async fn reserve_crl_number(&self, issuer: IssuerId, least: u64) -> Result<u64, StorageError> {
        let mut work = self.begin().await?;
        let number = crls::reserve_number(&mut work, issuer, least).await?;
        crash_point::reach("crl_number.commit");
        work.commit().await?;
        crash_point::reach("crl_number.committed");
        Ok(number)
    }

    async fn store_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
        crl: &StoredCrl,
    ) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        crls::store(&mut work, issuer, list, crl).await?;
        crash_point::reach("crl.commit");
        work.commit().await?;
        crash_point::reach("crl.committed");
        Ok(())
    }

    async fn stored_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
    ) -> Result<Option<StoredCrl>, StorageError> {
        crls::stored(&mut *self.upkeep.acquire().await?, issuer, list).await
    }

    async fn stored_crl_numbers(
        &self,
        issuer: IssuerId,
    ) -> Result<HashMap<String, u64>, StorageError> {
        crls::stored_numbers(&mut *self.upkeep.acquire().await?, issuer).await
    }

    async fn ledgers(&self) -> Result<Vec<KnownLedger>, StorageError> {
        ledgers::all(&mut *self.readers.acquire().await?).await
    }

    async fn hold_ledger(&self, ledger: HeldLedger) -> Result<(), StorageError> {
        let held = self.ledger.get_or_init(|| ledger);
        let mut work = self.begin_without_head().await?;
        answers::release_all(&mut work, &held.id).await?;
        work.commit().await?;
        self.note_ledger_head().await
    }

    async fn note_ledger_head(&self) -> Result<(), StorageError> {
        let Some(ledger) = self.ledger.get() else { return Ok(()) };
        if ledger.heads.on_disk().sequence < self.noted.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut work = self.begin_without_head().await?;
        let head = ledgers::note(&mut work, ledger).await?;
        work.commit().await?;
        self.noted.store(head.sequence + 1, Ordering::Release);
        Ok(())
    }

    async fn replace_ledger(&self, replaced: &str, by: HeldLedger) -> Result<(), StorageError> {
        let mut work = self.begin_without_head().await?;
        ledgers::replace(&mut work, replaced, &by.id).await?;
        answers::release_all(&mut work, replaced).await?;
        ledgers::note(&mut work, &by).await?;
        work.commit().await?;
        self.ledger.get_or_init(|| by);
        Ok(())
    }

    fn generation(&self) -> Option<u64> {
        match &self.engine {
            Engine::File(file) => Some(file.generation.now()),
            Engine::Server(server) => server.generation(),
        }
    }

    async fn back_up(&self, path: &Path) -> Result<(), StorageError> {
        match &self.engine {
            Engine::File(file) => {
                // Of two at once, the second finds the first one's file.
                let _copying = file.copying.lock().await;
                super::sqlite::copy(&mut *self.readers.acquire().await?, path).await
            }
            Engine::Server(_) => Err(StorageError::BackupElsewhere),
        }
    }

    async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT count(*) FROM issuers").fetch_one(&self.upkeep).await?;
        // The lock that every write takes, and a write that changes nothing: a database that may
        // only be read refuses one of them.
        let mut work = self.begin_without_head().await?;
        touch(&mut work).await?;
        Ok(work.rollback().await?)
    }

    async fn close(&self) {
        self.responders.close().await;
        self.readers.close().await;
        self.upkeep.close().await;
        self.writers.close().await;
        match &self.engine {
            Engine::File(file) => file.unlock(),
            Engine::Server(server) => server.stop(),
        }
    }
}

/// Refuses an order whose certificate is not among those with the key.
fn refuse_changed_key(
    named: Option<(IssuerId, &[u8])>,
    certificates: &[OfKey],
) -> Result<(), StorageError> {
    match named {
        Some((issuer, serial))
            if !certificates.iter().any(|each| each.issuer == issuer && each.serial == serial) =>
        {
            Err(StorageError::KeyChanged { serial: serial_text(serial) })
        }
        _ => Ok(()),
    }
}

async fn touch(connection: &mut AnyConnection) -> Result<(), StorageError> {
    sqlx::query("UPDATE crl_numbers SET number = number WHERE issuer < 0")
        .execute(connection)
        .await?;
    Ok(())
}
