//! A `SQLite` file: how it is opened, kept to one process, and copied while it is in use.
//!
//! WAL with `synchronous = FULL`: a commit returns after its log was synced. One connection
//! writes (transactions start with `BEGIN IMMEDIATE`, so none fails for having read first), a few
//! read for administration, a few for CRLs and a few more for OCSP answers; in WAL mode readers never wait for the writer and see every commit before their start.
//!
//! One process owns a file, and a second is refused: the service keeps what it served in memory and
//! would not see what another process wrote.

use std::{
    fs::{self, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{
    AnyConnection, AnyPool, Connection, Executor, Row,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use super::{Engine, Storage, StorageError, database, generation::Generation, migrations, pool};

/// Connections that read for administration.
const READERS: u32 = 4;

/// Connections that read for CRLs and the readiness check.
const UPKEEP: u32 = 3;

/// How long a change waits for its turn: longer than a transaction takes. All 68,610 keys of an import took 14 s in
/// one transaction, in a debug build on two cores; a batch of a thousand takes a fraction of a second.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that read for OCSP answers. A status read takes about 10 µs, so few keep many cores busy.
const RESPONDERS: u32 = 4;

/// What every connection is set to. Others' locks (a backup, an operator's shell) are waited for, in
/// milliseconds; the write-ahead log of a busy hour is cut back to 64 MiB.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;";

/// Characters of a path that an address may hold as they are.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The file and what keeps others from it.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    /// Device and inode of the file that is open.
    identity: (u64, u64),
    /// No other process writes this file.
    pub(super) generation: Generation,
    /// Locked while this is open; a file of its own, since `SQLite` loses its locks on the database
    /// when anybody in this process closes that.
    lock: fs::File,
    /// One copy is made at a time.
    pub(super) copying: tokio::sync::Mutex<()>,
}

impl Storage {
    /// Opens the database in `path`, makes it if there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StorageError::InUse`]; [`StorageError::Database`]: not writable, not a database, or made by
    /// a later version.
    pub async fn open_file(path: &Path) -> Result<Self, StorageError> {
        let lock = lock(path)?;
        make_private(path).map_err(database)?;
        let writers = connect(path, "rwc", pool(1).acquire_timeout(TURN_TIMEOUT)).await?;
        writers.set_connect_options(options(path, "rw")?);
        migrations::sqlite().run(&writers).await.map_err(database)?;
        // What reserved them ended: this process alone has the file.
        sqlx::query("DELETE FROM answers WHERE status = 0").execute(&writers).await?;
        let readers = connect(path, "rw", pool(READERS)).await?;
        let upkeep = connect(path, "rw", pool(UPKEEP)).await?;
        let responders = connect(path, "rw", pool(RESPONDERS)).await?;
        let identity = identity(path).map_err(database)?;
        let generation = Generation::default();
        let copying = tokio::sync::Mutex::default();
        let file = File { path: path.to_owned(), identity, generation, lock, copying };
        Ok(Self::new([writers, readers, upkeep, responders], Engine::File(file)))
    }

    /// The journal mode and the level of `synchronous` that commits are made with (2 is FULL).
    ///
    /// # Errors
    /// [`StorageError::Database`], also if it is no `SQLite` database.
    pub async fn durability(&self) -> Result<(String, i64), StorageError> {
        let mut connection = self.writers.acquire().await?;
        let journal = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
        let level = sqlx::query("PRAGMA synchronous").fetch_one(&mut *connection).await?;
        Ok((journal.try_get("journal_mode")?, level.try_get("synchronous")?))
    }
}

impl File {
    /// Writes go only into the file that the next start will read.
    pub(super) fn refuse_replaced(&self) -> Result<(), StorageError> {
        if identity(&self.path).ok() == Some(self.identity) {
            Ok(())
        } else {
            Err(StorageError::Replaced)
        }
    }

    pub(super) fn unlock(&self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the database stays locked until this process ends");
        }
    }
}

/// Copies the database in `path`, which a service may be using, into the new file `copy`.
///
/// # Errors
/// [`StorageError::BackupExists`]; [`StorageError::Database`]: there is no database in `path`, or
/// `copy_to` cannot be written.
pub async fn back_up(path: &Path, copy_to: &Path) -> Result<(), StorageError> {
    sqlx::any::install_default_drivers();
    // Read only, and none of its pragmas: nothing of the running service is touched.
    let mut connection = AnyConnection::connect_with(&options(path, "ro")?).await?;
    copy(&mut connection, copy_to).await?;
    Ok(connection.close().await?)
}

/// `VACUUM INTO` reads at one moment while others go on writing. The copy gets its name when it is
/// whole and on disk.
pub(super) async fn copy(connection: &mut AnyConnection, path: &Path) -> Result<(), StorageError> {
    if path.exists() {
        return Err(StorageError::BackupExists { path: path.to_owned() });
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(database(error)),
        _ => {}
    }
    // Only its owner: it names who administers.
    let file = private(&partial).map_err(database)?;
    let name = partial.to_str().ok_or_else(not_utf8)?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name).execute(connection).await;
    if let Err(error) = copied {
        let _ = fs::remove_file(&partial);
        return Err(error.into());
    }
    file.sync_all().and_then(|()| fs::rename(&partial, path)).map_err(database)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(database)
}

/// An empty file, which `VACUUM INTO` takes, that its owner alone may read.
fn private(path: &Path) -> io::Result<fs::File> {
    fs::File::options().create_new(true).write(true).mode(0o600).open(path)
}

pub(super) fn options(path: &Path, mode: &str) -> Result<AnyConnectOptions, StorageError> {
    let path = std::path::absolute(path).map_err(database)?;
    let path = utf8_percent_encode(path.to_str().ok_or_else(not_utf8)?, IN_PATH).to_string();
    Ok(AnyConnectOptions::from_str(&format!("sqlite://{path}?mode={mode}"))?)
}

async fn connect(path: &Path, mode: &str, pool: AnyPoolOptions) -> Result<AnyPool, StorageError> {
    sqlx::any::install_default_drivers();
    let connections = pool.get_max_connections();
    let pool = pool.min_connections(connections).after_connect(|connection, _| {
        Box::pin(async move { connection.execute(PRAGMAS).await.map(|_| ()) })
    });
    Ok(pool.connect_with(options(path, mode)?).await?)
}

/// Device and inode.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// A file that its owner alone may read and write, made if it is missing: the database names who
/// administers, and whoever can lock its lock can keep the service from starting. `SQLite` gives
/// its write-ahead log the database's mode.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = fs::File::options();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

/// Locks `{path}.lock` for this process.
fn lock(path: &Path) -> Result<fs::File, StorageError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    make_private(&name).map_err(database)?;
    let file = fs::File::options().write(true).open(&name).map_err(database)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::InUse { lock: name }),
        Err(TryLockError::Error(error)) => Err(database(error)),
    }
}

fn not_utf8() -> StorageError {
    database(io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::storage::{
        CompromiseSource, Status, Which, certificates, compromises::on_record,
    };

    /// The steps by which a statement is carried out.
    async fn plan(storage: &Storage, statement: String) -> Vec<String> {
        let statement = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let rows = sqlx::query(statement)
            .bind(1_i64)
            .bind(Vec::<u8>::new())
            .bind(1_000_i64)
            .fetch_all(&storage.readers)
            .await
            .expect("explained");
        rows.iter().map(|row| row.try_get("detail").expect("text")).collect()
    }

    /// A page of revoked certificates read every certificate of the issuer until it was full.
    #[tokio::test]
    async fn a_page_begins_where_the_last_one_ended_and_reads_what_it_shows() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage =
            Storage::open_file(&folder.path().join("revocation.db")).await.expect("opened");
        for (statement, first) in [
            (certificates::page(Which::All), "c USING PRIMARY KEY (issuer=? AND serial>?)"),
            (certificates::page(Which::Revoked), "r USING PRIMARY KEY (issuer=? AND serial>?)"),
            (
                on_record::page(CompromiseSource::Here),
                "r USING COVERING INDEX revocations_compromised ((issuer,serial)>(?,?))",
            ),
            (
                on_record::page(CompromiseSource::Elsewhere),
                "r USING PRIMARY KEY ((issuer,serial)>(?,?))",
            ),
        ] {
            let plan = plan(&storage, statement).await;
            assert_eq!(plan[0], format!("SEARCH {first}"));
            let is_slow = |step: &&String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
            assert_eq!(plan.iter().find(is_slow), None, "{plan:?}");
        }
    }

    /// A7: questions with distinct nonces took every connection that reads.
    #[tokio::test]
    async fn ocsp_and_administration_have_connections_of_their_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage =
            Storage::open_file(&folder.path().join("revocation.db")).await.expect("opened");
        let issuer = storage.bind_issuer("signing", [1; 32]).await.expect("bound");
        let mut taken = Vec::new();
        for _ in 0..RESPONDERS {
            taken.push(storage.responders.acquire().await.expect("free"));
        }
        let waits = Duration::from_millis(50);
        let answer = storage.status_to_answer(issuer, &[1]);
        assert!(tokio::time::timeout(waits, answer).await.is_err(), "none is left for it");
        assert_eq!(storage.status(issuer, &[1]).await.expect("read"), Status::NeverIssued);
        assert_eq!(storage.revocations(issuer).await.expect("read").entries, []);
        storage.ping().await.expect("ready");
        drop(taken);

        let mut taken = Vec::new();
        for _ in 0..READERS {
            taken.push(storage.readers.acquire().await.expect("free"));
        }
        let answer = storage.status_to_answer(issuer, &[1]).await;
        assert_eq!(answer.expect("read"), Status::NeverIssued);
        // B5: what administration read kept CRLs from being renewed, and the service from being ready.
        assert_eq!(storage.revision(issuer).await.expect("read"), 0);
        assert_eq!(storage.revocations(issuer).await.expect("read").entries, []);
        assert_eq!(storage.changes_since(issuer, 0).await.expect("read").entries, []);
        assert_eq!(storage.stored_crl_numbers(issuer).await.expect("read").len(), 0);
        storage.ping().await.expect("ready");
    }
}
