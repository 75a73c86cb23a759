//! [`Storage`] in a `SQLite` file.
//!
//! WAL with `synchronous = FULL`: a commit returns after its log was synced. One connection
//! writes (transactions start with `BEGIN IMMEDIATE`, so none fails for having read first), a few
//! read; in WAL mode readers never wait for the writer and see every commit before their start.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use countersign_core::{crl::RevocationReason, time::UnixSeconds, x509::certificate::serial_text};
use sqlx::{
    Connection, Row, SqliteConnection, SqlitePool,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

use super::{
    CertificateRecord, IssuerId, Recorded, Registration, Revocation, RevocationList, Status,
    Storage, StorageError, StoredCrl,
};
use crate::{
    crl::CrlList,
    rules::{self, Change, RevocationOrder},
};

/// Connections that read. A status read takes about 10 µs, so few keep many cores busy.
const READERS: u32 = 4;

/// How long a statement waits for another process's lock (a backup, an operator's shell).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a request waits for a connection before it fails: longer waits are overload.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A `SQLite` database with this service's tables.
#[derive(Debug)]
pub struct SqliteStorage {
    writer: SqlitePool,
    readers: SqlitePool,
    path: PathBuf,
    /// Device and inode of the file that is open.
    identity: (u64, u64),
    /// See [`Storage::generation`]. No other process writes this file.
    generation: AtomicU64,
    /// Locked while this is open; a file of its own, since `SQLite` loses its locks on the database
    /// when anybody in this process closes that.
    lock: File,
}

impl SqliteStorage {
    /// Opens the database in `path`, makes it if there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StorageError::InUse`]; [`StorageError::Database`]: not writable, not a database, or made by
    /// a later version.
    pub async fn open(path: &Path) -> Result<Self, StorageError> {
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = pool(1).connect_with(options.clone()).await?;
        let options = options.create_if_missing(false);
        writer.set_connect_options(options.clone());
        sqlx::migrate!("./migrations/sqlite").run(&writer).await.map_err(database)?;
        let readers = pool(READERS).connect_with(options).await?;
        let identity = identity(path).map_err(database)?;
        Ok(Self {
            writer,
            readers,
            path: path.to_owned(),
            identity,
            generation: AtomicU64::new(0),
            lock,
        })
    }

    /// The journal mode and the level of `synchronous` that commits are made with (2 is FULL).
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn durability(&self) -> Result<(String, i64), StorageError> {
        let mut connection = self.writer.acquire().await?;
        let journal = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
        let level = sqlx::query("PRAGMA synchronous").fetch_one(&mut *connection).await?;
        Ok((journal.try_get(0)?, level.try_get(0)?))
    }

    /// Starts to write, and only into the file that the next start will read.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StorageError> {
        if identity(&self.path).ok() != Some(self.identity) {
            return Err(StorageError::Replaced);
        }
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Commits a change of what certificates' status is.
    async fn commit(
        &self,
        transaction: sqlx::Transaction<'static, sqlx::Sqlite>,
    ) -> Result<(), StorageError> {
        // Also where it fails or is abandoned: that may be after the change was made.
        let _counted = CountOnDrop(&self.generation);
        Ok(transaction.commit().await?)
    }
}

/// Adds one when it goes.
struct CountOnDrop<'a>(&'a AtomicU64);

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A pool that keeps its connections: they take no file descriptor when there may be none.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(connections)
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Where SQLite itself rolled back (disk full, I/O error), sqlx still counts a transaction,
        // and lets none begin on that connection ever after: take another connection.
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
}

/// Device and inode.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Locks `{path}.lock` for this process.
fn lock(path: &Path) -> Result<File, StorageError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file =
        File::options().create(true).write(true).truncate(false).open(&name).map_err(database)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::InUse { lock: name.into() }),
        Err(TryLockError::Error(error)) => Err(database(error)),
    }
}

fn database(error: impl std::error::Error + Send + Sync + 'static) -> StorageError {
    StorageError::Database(Box::new(error))
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        database(error)
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn bind_issuer(
        &self,
        name: &str,
        spki_sha256: [u8; 32],
    ) -> Result<IssuerId, StorageError> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(
            "SELECT id, name, spki_sha256 FROM issuers WHERE name = ?1 OR spki_sha256 = ?2",
        )
        .bind(name)
        .bind(&spki_sha256[..])
        .fetch_all(&mut *transaction)
        .await?;
        for row in &rows {
            let (known_name, known_key): (&str, &[u8]) = (row.try_get(1)?, row.try_get(2)?);
            if known_name != name || known_key != spki_sha256 {
                return Err(StorageError::IssuerChanged { name: name.to_owned() });
            }
        }
        if let Some(row) = rows.first() {
            return Ok(IssuerId(row.try_get(0)?));
        }
        let row =
            sqlx::query("INSERT INTO issuers (name, spki_sha256) VALUES (?1, ?2) RETURNING id")
                .bind(name)
                .bind(&spki_sha256[..])
                .fetch_one(&mut *transaction)
                .await?;
        let id = row.try_get(0)?;
        transaction.commit().await?;
        Ok(IssuerId(id))
    }

    async fn register(
        &self,
        certificates: Vec<CertificateRecord>,
    ) -> Result<Vec<Registration>, StorageError> {
        let mut transaction = self.begin().await?;
        let mut outcomes = Vec::with_capacity(certificates.len());
        for certificate in &certificates {
            outcomes.push(register_one(&mut transaction, certificate).await?);
        }
        self.commit(transaction).await?;
        Ok(outcomes)
    }

    async fn certificate(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Option<CertificateRecord>, StorageError> {
        let row = sqlx::query(
            "SELECT sha256, subject, spki_sha256, not_before, not_after, registered_at, actor, der \
             FROM certificates WHERE issuer = ?1 AND serial = ?2",
        )
        .bind(issuer.0)
        .bind(serial)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| {
            Ok(CertificateRecord {
                issuer,
                serial: serial.to_owned(),
                sha256: digest(row.try_get(0)?)?,
                subject: row.try_get(1)?,
                spki_sha256: digest(row.try_get(2)?)?,
                not_before: UnixSeconds::new(row.try_get(3)?),
                not_after: UnixSeconds::new(row.try_get(4)?),
                registered_at: UnixSeconds::new(row.try_get(5)?),
                actor: row.try_get(6)?,
                der: row.try_get(7)?,
            })
        })
        .transpose()
    }

    async fn status(&self, issuer: IssuerId, serial: &[u8]) -> Result<Status, StorageError> {
        let row = sqlx::query(
            "SELECT r.reason, r.revocation_date, r.recorded_at, r.actor \
             FROM certificates c LEFT JOIN revocations r ON r.issuer = c.issuer AND r.serial = c.serial \
             WHERE c.issuer = ?1 AND c.serial = ?2",
        )
        .bind(issuer.0)
        .bind(serial)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(Status::NeverIssued) };
        Ok(revocation(&row)?.map_or(Status::Good, Status::Revoked))
    }

    async fn revoke(
        &self,
        issuer: IssuerId,
        serial: &[u8],
        order: &RevocationOrder,
    ) -> Result<Recorded, StorageError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "SELECT r.reason, r.revocation_date, r.recorded_at, r.actor, c.not_before, i.revision \
             FROM certificates c JOIN issuers i ON i.id = c.issuer \
             LEFT JOIN revocations r ON r.issuer = c.issuer AND r.serial = c.serial \
             WHERE c.issuer = ?1 AND c.serial = ?2",
        )
        .bind(issuer.0)
        .bind(serial)
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(|| StorageError::NotRegistered { serial: serial_text(serial) })?;
        let not_before = UnixSeconds::new(row.try_get(4)?);
        match rules::decide(not_before, revocation(&row)?.as_ref(), order)? {
            Change::None(revocation) => Ok(Recorded { revocation, revision: row.try_get(5)? }),
            Change::Write(revocation) => {
                let revision =
                    write_revocation(&mut transaction, issuer, serial, &revocation).await?;
                self.commit(transaction).await?;
                Ok(Recorded { revocation, revision })
            }
        }
    }

    async fn revocations(&self, issuer: IssuerId) -> Result<RevocationList, StorageError> {
        // One read transaction: the revision belongs to exactly these entries.
        let mut transaction = self.readers.begin().await?;
        let revision = sqlx::query("SELECT revision FROM issuers WHERE id = ?1")
            .bind(issuer.0)
            .fetch_one(&mut *transaction)
            .await?
            .try_get(0)?;
        let rows = sqlx::query(
            "SELECT reason, revocation_date, recorded_at, actor, serial FROM revocations \
             WHERE issuer = ?1 ORDER BY serial",
        )
        .bind(issuer.0)
        .fetch_all(&mut *transaction)
        .await?;
        let entries = rows
            .iter()
            .map(|row| {
                let revocation =
                    revocation(row)?.ok_or(StorageError::Corrupt { what: "reason" })?;
                Ok((row.try_get(4)?, revocation))
            })
            .collect::<Result<_, StorageError>>()?;
        Ok(RevocationList { revision, entries })
    }

    async fn revision(&self, issuer: IssuerId) -> Result<i64, StorageError> {
        let row = sqlx::query("SELECT revision FROM issuers WHERE id = ?1")
            .bind(issuer.0)
            .fetch_one(&self.readers)
            .await?;
        Ok(row.try_get(0)?)
    }

    async fn reserve_crl_number(&self, issuer: IssuerId, least: u64) -> Result<u64, StorageError> {
        let least = i64::try_from(least).map_err(database)?;
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "INSERT INTO crl_numbers (issuer, number) VALUES (?1, max(1, ?2)) \
             ON CONFLICT (issuer) DO UPDATE SET number = max(number + 1, ?2) RETURNING number",
        )
        .bind(issuer.0)
        .bind(least)
        .fetch_one(&mut *transaction)
        .await?;
        let number = unsigned(row.try_get(0)?)?;
        transaction.commit().await?;
        Ok(number)
    }

    async fn store_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
        crl: &StoredCrl,
    ) -> Result<(), StorageError> {
        let number = i64::try_from(crl.number).map_err(database)?;
        let mut transaction = self.begin().await?;
        if let Some(stored) = stored_crl(&mut transaction, issuer, list).await? {
            if stored == *crl {
                return Ok(());
            }
            if crl.number <= stored.number {
                return Err(StorageError::CrlNumber { number: crl.number, stored: stored.number });
            }
        }
        sqlx::query(
            "INSERT OR REPLACE INTO crls (issuer, list, number, revision, der) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(issuer.0)
        .bind(list.to_string())
        .bind(number)
        .bind(crl.revision)
        .bind(&crl.der)
        .execute(&mut *transaction)
        .await?;
        // A CRL made elsewhere takes its number from the same sequence: should the issuer's key
        // come to this service later, numbering goes on above it.
        sqlx::query(
            "INSERT INTO crl_numbers (issuer, number) VALUES (?1, ?2) \
             ON CONFLICT (issuer) DO UPDATE SET number = max(number, excluded.number)",
        )
        .bind(issuer.0)
        .bind(number)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn stored_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
    ) -> Result<Option<StoredCrl>, StorageError> {
        let mut connection = self.readers.acquire().await?;
        stored_crl(&mut connection, issuer, list).await
    }

    fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Acquire))
    }

    async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT count(*) FROM issuers").fetch_one(&self.readers).await?;
        // The lock that every write takes; SQLite refuses it where it may not write.
        self.begin().await?.rollback().await?;
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the database stays locked until this process ends");
        }
    }
}

async fn register_one(
    connection: &mut SqliteConnection,
    certificate: &CertificateRecord,
) -> Result<Registration, StorageError> {
    let inserted = sqlx::query(
        "INSERT INTO certificates \
         (issuer, serial, sha256, subject, spki_sha256, not_before, not_after, registered_at, actor, der) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (issuer, serial) DO NOTHING",
    )
    .bind(certificate.issuer.0)
    .bind(&certificate.serial)
    .bind(&certificate.sha256[..])
    .bind(&certificate.subject)
    .bind(&certificate.spki_sha256[..])
    .bind(certificate.not_before.seconds())
    .bind(certificate.not_after.seconds())
    .bind(certificate.registered_at.seconds())
    .bind(&certificate.actor)
    .bind(&certificate.der)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Registration::Registered);
    }
    let row = sqlx::query("SELECT sha256 FROM certificates WHERE issuer = ?1 AND serial = ?2")
        .bind(certificate.issuer.0)
        .bind(&certificate.serial)
        .fetch_one(&mut *connection)
        .await?;
    let known: &[u8] = row.try_get(0)?;
    if known == certificate.sha256 {
        Ok(Registration::Known)
    } else {
        Err(StorageError::CertificateConflict { serial: serial_text(&certificate.serial) })
    }
}

/// Writes the row and gives the issuer's new revision; the caller commits.
async fn write_revocation(
    connection: &mut SqliteConnection,
    issuer: IssuerId,
    serial: &[u8],
    revocation: &Revocation,
) -> Result<i64, StorageError> {
    sqlx::query(
        "INSERT OR REPLACE INTO revocations (issuer, serial, reason, revocation_date, recorded_at, actor) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(issuer.0)
    .bind(serial)
    .bind(i64::from(revocation.reason.code()))
    .bind(revocation.revocation_date.seconds())
    .bind(revocation.recorded_at.seconds())
    .bind(&revocation.actor)
    .execute(&mut *connection)
    .await?;
    let row =
        sqlx::query("UPDATE issuers SET revision = revision + 1 WHERE id = ?1 RETURNING revision")
            .bind(issuer.0)
            .fetch_one(&mut *connection)
            .await?;
    Ok(row.try_get(0)?)
}

async fn stored_crl(
    connection: &mut SqliteConnection,
    issuer: IssuerId,
    list: CrlList,
) -> Result<Option<StoredCrl>, StorageError> {
    let row = sqlx::query("SELECT number, revision, der FROM crls WHERE issuer = ?1 AND list = ?2")
        .bind(issuer.0)
        .bind(list.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(StoredCrl {
            number: unsigned(row.try_get(0)?)?,
            revision: row.try_get(1)?,
            der: row.try_get(2)?,
        })
    })
    .transpose()
}

/// The revocation in a row's first four columns; nothing where a LEFT JOIN found none.
fn revocation(row: &SqliteRow) -> Result<Option<Revocation>, StorageError> {
    let Some(code) = row.try_get::<Option<u8>, _>(0)? else { return Ok(None) };
    let reason = RevocationReason::of(code).ok_or(StorageError::Corrupt { what: "reason" })?;
    Ok(Some(Revocation {
        reason,
        revocation_date: UnixSeconds::new(row.try_get(1)?),
        recorded_at: UnixSeconds::new(row.try_get(2)?),
        actor: row.try_get(3)?,
    }))
}

fn digest(octets: &[u8]) -> Result<[u8; 32], StorageError> {
    octets.try_into().map_err(|_| StorageError::Corrupt { what: "digest" })
}

fn unsigned(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|_| StorageError::Corrupt { what: "CRL number" })
}
