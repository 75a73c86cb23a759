//! What the service must not forget: issuers, certificates, revocations, CRL numbers, ledgers' heads.
//!
//! [`Storage`] is the whole contract; nothing of one database shows through it. Its methods are in
//! the files below, one for each kind of record, beside the statements that they make. There is one
//! set of statements for both databases: a `SQLite` file, owned by one process ([`sqlite`]), and
//! PostgreSQL, shared by replicas (`postgres`). Placeholders are `$1`, which both understand, and
//! columns are read by their names. What differs between the two (opening, taking turns, telling of
//! changes, backup) is an `Engine`.
//!
//! The rules of what may be changed are not here but in [`super::rules`], which is asked inside the
//! transaction. Two other wings have statements of their own, in transactions begun here: the
//! releases, and what administration imports.

mod answers;
pub(crate) mod certificates;
mod client_crls;
pub(crate) mod compromises;
mod crls;
mod errors;
mod generation;
pub(crate) mod keys;
mod ledgers;
mod location;
mod look;
pub mod migrations;
mod postgres;
mod proposals;
mod records;
pub(crate) mod revocations;
pub(crate) mod rows;
pub mod sqlite;

use std::{
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::Duration,
};

use countersign_daemon::crash_point;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction, any::AnyPoolOptions};

pub(crate) use self::{client_crls::AuthorityKey, look::look};
pub use self::{
    compromises::{
        CompromiseReach,
        on_record::{Compromise, CompromiseSource, KeysTaken},
    },
    errors::StorageError,
    location::DatabaseLocation,
    records::{
        CertificateRecord, Digests, Evidence, HeldLedger, IssuerId, KeyRecorded, KnownLedger,
        Listed, Listing, OfKey, Pending, Proposal, Recorded, Registration, RevocationChanges,
        RevocationList, RevokedKey, Status, StoredCrl, Which,
    },
};
use self::{postgres::Server, sqlite::File};
pub use super::rules::Revocation;

/// How long a request waits for a connection before it fails: longer waits are overload, or a
/// database that is gone.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// A transaction.
pub(crate) type Work = Transaction<'static, Any>;

/// Where the service keeps what it knows: a database with this service's tables.
///
/// **Durability.** Every method that changes something returns `Ok` only once the change is
/// committed *and synced to stable storage*: it survives `kill -9` of the process and, as far as
/// the disk tells the truth, loss of power. A method that fails has changed nothing, except that a
/// database server lost in the middle of a commit may have kept it: repeating is always safe.
/// **Order.** A read that starts after a change returned sees that change, whichever replica made
/// it. Changes happen one after the other: each sees all before it.
#[derive(Debug)]
pub struct Storage {
    writers: AnyPool,
    /// What administration reads.
    pub(crate) readers: AnyPool,
    /// What CRLs and the readiness check read: however much administration reads, CRLs are renewed.
    upkeep: AnyPool,
    /// For OCSP answers alone.
    responders: AnyPool,
    engine: Engine,
    /// The audit ledger whose head goes into every transaction.
    ledger: OnceLock<HeldLedger>,
    /// The number of the line that [`Storage::note_ledger_head`] noted last, plus one; 0 before.
    noted: AtomicU64,
    /// What a compromise takes with it.
    compromises: OnceLock<CompromiseReach>,
}

/// What differs between databases.
#[derive(Debug)]
enum Engine {
    /// A `SQLite` file.
    File(File),
    /// A PostgreSQL server.
    Server(Arc<Server>),
}

impl Storage {
    /// Opens the database at `location` and brings its tables up to date.
    ///
    /// # Errors
    /// [`StorageError::InUse`]; [`StorageError::Database`]: not reachable, not writable, not a
    /// database, or made by a later version.
    pub async fn open(location: &DatabaseLocation) -> Result<Self, StorageError> {
        match location {
            DatabaseLocation::File(path) => Self::open_file(path).await,
            DatabaseLocation::Postgres(url) => Self::open_server(url).await,
        }
    }

    fn new([writers, readers, upkeep, responders]: [AnyPool; 4], engine: Engine) -> Self {
        let (ledger, noted) = (OnceLock::new(), AtomicU64::new(0));
        let compromises = OnceLock::new();
        Self { writers, readers, upkeep, responders, engine, ledger, noted, compromises }
    }

    /// A number that tells whether anything that [`status`](Self::status) reads may have changed:
    /// in memory, without waiting, since every OCSP answer asks. It has grown *before* a change
    /// made through this value is acknowledged, and within a second of a change that another
    /// process made. Nothing while that cannot be known (the connection that tells of others'
    /// changes is lost): then nothing kept in memory may be served.
    pub fn generation(&self) -> Option<u64> {
        match &self.engine {
            Engine::File(file) => Some(file.generation.now()),
            Engine::Server(server) => server.generation(),
        }
    }

    /// Writes a copy of the whole database into the new file `path`, complete and consistent, while
    /// everything goes on.
    ///
    /// # Errors
    /// [`StorageError::BackupExists`]; [`StorageError::BackupElsewhere`] if the database has its own
    /// means; [`StorageError::Database`]: it cannot be written.
    pub async fn back_up(&self, path: &Path) -> Result<(), StorageError> {
        match &self.engine {
            Engine::File(file) => {
                // Of two at once, the second finds the first one's file.
                let _copying = file.copying.lock().await;
                sqlite::copy(&mut *self.readers.acquire().await?, path).await
            }
            Engine::Server(_) => Err(StorageError::BackupElsewhere),
        }
    }

    /// Succeeds when the database can be written.
    ///
    /// # Errors
    /// [`StorageError::Database`], [`StorageError::Replaced`].
    pub async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT count(*) FROM issuers").fetch_one(&self.upkeep).await?;
        // The lock that every write takes, and a write that changes nothing: a database that may
        // only be read refuses one of them.
        let mut work = self.begin_without_head().await?;
        touch(&mut work).await?;
        Ok(work.rollback().await?)
    }

    /// Waits for what is being written and lets the database go.
    pub async fn close(&self) {
        self.responders.close().await;
        self.readers.close().await;
        self.upkeep.close().await;
        self.writers.close().await;
        match &self.engine {
            Engine::File(file) => file.unlock(),
            Engine::Server(server) => server.stop(),
        }
    }

    /// Starts to write. Who writes has the database alone until the commit: every change sees all
    /// before it, and revisions and CRL numbers are in the order of the commits. The head of the audit
    /// ledger goes into every transaction: whoever puts an older ledger back must put this back too.
    pub(crate) async fn begin(&self) -> Result<Work, StorageError> {
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
    pub(crate) async fn commit(&self, mut work: Work) -> Result<(), StorageError> {
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

/// A pool that keeps its connections: they take no file descriptor when there may be none.
fn pool(connections: u32) -> AnyPoolOptions {
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

fn database(error: impl std::error::Error + Send + Sync + 'static) -> StorageError {
    StorageError::Database(Box::new(error))
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        database(error)
    }
}

async fn touch(connection: &mut AnyConnection) -> Result<(), StorageError> {
    sqlx::query("UPDATE crl_numbers SET number = number WHERE issuer < 0")
        .execute(connection)
        .await?;
    Ok(())
}
