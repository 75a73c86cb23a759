//! PostgreSQL: how it is reached, how replicas take turns, and how each learns what others changed.
//!
//! Writers take turns by an advisory lock, as `SQLite`'s do by its file lock. A change is announced by
//! NOTIFY and counted in a table; the table is read twice a second, so that a lost notification
//! costs half a second and a lost server is noticed within one.

use std::{
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    AnyPool, Executor, Row,
    any::AnyConnectOptions,
    postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions},
};
use tokio::{task::JoinHandle, time::timeout};

use super::{
    Engine, Storage, StorageError, Work, database, generation::Generation, migrations, pool,
};

/// Connections of a replica that write.
const WRITERS: u32 = 4;

/// Connections of a replica that read for administration.
const READERS: u32 = 4;

/// Connections of a replica that read for CRLs and the readiness check.
const UPKEEP: u32 = 2;

/// Connections of a replica that read for OCSP answers.
const RESPONDERS: u32 = 8;

/// The channel on which a change is announced.
const CHANNEL: &str = "countersign_changes";

/// How long nothing may be heard before the table is read.
const POLL: Duration = Duration::from_millis(400);

/// How old the last reading may be: after that others may have changed what this replica does not
/// know of.
const KNOWN_FOR: Duration = Duration::from_millis(900);

/// What every connection is set to. A commit returns when it is on disk; no statement holds a request
/// for ever, nor does another's lock.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = '10s'; \
     SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s'; \
     SET default_transaction_isolation = 'read committed'; SET client_min_messages = warning;";

/// The advisory lock of those who write: "cntrsign" in ASCII.
const WRITERS_LOCK: &str = "SELECT pg_advisory_xact_lock(7165636473268923246)";

/// What this replica knows of the server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) generation: Generation,
    started: Instant,
    /// When the table of changes was last read: milliseconds after `started`, plus one; 0 never.
    read_at: AtomicU64,
    watch: Mutex<Option<JoinHandle<()>>>,
}

impl Storage {
    /// Connects to the database at `url` and brings its tables up to date; replicas that start
    /// together wait for each other.
    ///
    /// # Errors
    /// [`StorageError::Database`]: not reachable, not allowed, or made by a later version.
    pub(super) async fn open_server(url: &str) -> Result<Self, StorageError> {
        sqlx::any::install_default_drivers();
        let writers = connect(url, WRITERS).await?;
        migrations::postgres().run(&writers).await.map_err(database)?;
        let server = Arc::new(Server {
            generation: Generation::default(),
            started: Instant::now(),
            read_at: AtomicU64::new(0),
            watch: Mutex::new(None),
        });
        let options = PgConnectOptions::from_str(url)?;
        let watch = tokio::spawn(watch(Arc::downgrade(&server), options));
        *server.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        let readers = connect(url, READERS).await?;
        let upkeep = connect(url, UPKEEP).await?;
        let responders = connect(url, RESPONDERS).await?;
        Ok(Self::new([writers, readers, upkeep, responders], Engine::Server(server)))
    }
}

async fn connect(url: &str, connections: u32) -> Result<AnyPool, StorageError> {
    let pool = pool(connections).after_connect(|connection, _| {
        Box::pin(async move { connection.execute(SESSION).await.map(|_| ()) })
    });
    Ok(pool.connect_with(AnyConnectOptions::from_str(url)?).await?)
}

impl Server {
    /// Starts to write, when it is this replica's turn.
    pub(super) async fn begin(&self, pool: &AnyPool) -> Result<Work, StorageError> {
        let mut work = pool.begin().await?;
        work.execute(WRITERS_LOCK).await?;
        Ok(work)
    }

    /// Tells of a change, when it is committed.
    pub(super) async fn announce(&self, work: &mut Work) -> Result<(), StorageError> {
        work.execute("UPDATE changes SET position = position + 1").await?;
        work.execute("NOTIFY countersign_changes").await?;
        Ok(())
    }

    pub(super) fn generation(&self) -> Option<u64> {
        let read_at = self.read_at.load(Ordering::Acquire).checked_sub(1)?;
        let age = self.started.elapsed().saturating_sub(Duration::from_millis(read_at));
        (age <= KNOWN_FOR).then(|| self.generation.now())
    }

    pub(super) fn stop(&self) {
        if let Some(watch) = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take() {
            watch.abort();
        }
    }

    /// The table was read; the reading began at `when`.
    fn has_read(&self, when: Instant) {
        let millis = when.duration_since(self.started).as_millis();
        self.read_at.store(u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1, Ordering::Release);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Follows the changes until nobody wants to know.
async fn watch(server: std::sync::Weak<Server>, options: PgConnectOptions) {
    let mut complained = false;
    while server.strong_count() > 0 {
        match follow(&server, &options).await {
            Ok(()) => return,
            Err(error) => {
                if !complained {
                    tracing::error!(%error, "the feed of the database's changes is lost; trying again");
                }
                complained = true;
            }
        }
        tokio::time::sleep(POLL / 2).await;
    }
}

/// Follows the changes; ends well when nobody wants to know.
async fn follow(
    server: &std::sync::Weak<Server>,
    options: &PgConnectOptions,
) -> Result<(), sqlx::Error> {
    // A pool of its own: a rush of requests must not keep the feed from its connections.
    let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(KNOWN_FOR);
    let pool = pool.connect_with(options.clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    tracing::debug!("following the database's changes");
    let mut known = None;
    loop {
        let when = Instant::now();
        let position =
            timeout(KNOWN_FOR, position(&pool)).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        let Some(server) = server.upgrade() else { return Ok(()) };
        if known != Some(position) {
            server.generation.count();
            known = Some(position);
        }
        server.has_read(when);
        drop(server);
        // A notification, silence, or (nothing) a connection that was lost and made again: in any
        // case the table says what there is to know.
        if let Ok(heard) = timeout(POLL, listener.try_recv()).await {
            heard?;
        }
    }
}

async fn position(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT position FROM changes").fetch_one(pool).await?.try_get("position")
}
