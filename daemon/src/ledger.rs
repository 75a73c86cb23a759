//! The audit ledger: one append-only record of everything a service did.
//!
//! `countersign-ledger` writes and reads the folder. Here many callers share it: one thread takes what
//! all of them have queued, writes it at once and flushes it at once ("group commit"), so that many
//! callers share one wait for the disk; another puts what is written onto tiles.
//!
//! What is promised, in [`Durability::Strict`]: when [`Ledger::append`] has given a receipt, the
//! record is on the disk, and so is everything before it. A record without a receipt may or may
//! not be there after a crash, whole or not at all. An error of the disk fails the callers whose
//! records it concerned, and nothing that was acknowledged; when there is room again, appending
//! goes on by itself. If a failed flush cannot be mended, the ledger stops until the service is
//! started again.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_daemon::ledger::{Ledger, Options};
//! let ledger = Ledger::open("/var/lib/countersign/audit".as_ref(), Options::new("timestamp"))?;
//! let receipt = ledger.append("token", &serde_json::json!({ "serial": "0a" })).await?;
//! println!("{} {}", receipt.sequence, receipt.head.hash);
//! # Ok(()) }
//! ```
//!
//! This module does not know what the records mean, does not encrypt them and sends them nowhere. It does not
//! remove old files: the operator archives them (`docs/audit.md`).

mod appending;
mod disk;
mod figures;
mod queue;
mod settings;
mod tiler;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use countersign_ledger::{
    At, Durability, Expectation, Fault, Hash, Head, Identity, Located, OpenError, Start, Summary,
    What, locate, verify,
};
use countersign_ledger::{Medium, Opened};
use serde::Serialize;

pub use self::appending::{AppendError, Appending, Receipt};
pub use self::queue::Status;
pub use self::settings::{AuditMode, AuditSettings, Options};

use self::disk::CrashingDisk;
use self::queue::Queue;
use self::tiler::Tiler;

/// An open ledger; clones share it. When the last one is dropped, what is queued is written first.
#[derive(Debug, Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Arc<Queue>,
    identity: Identity,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Opens the ledger in `folder`, making both when they are missing, and locks it against other
    /// processes. Blocks: it reads the ledger's end, and flushes. A ledger of format 1 goes on in
    /// today's format.
    ///
    /// A last record that was not written to its end is cut off: its caller never got a receipt. The
    /// log says so, and so does a record of the kind `ledger.recovered`.
    ///
    /// # Errors
    /// Another process holds the ledger; it is the ledger of another name; its end is damaged; the
    /// folder cannot be written.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_on(folder, options, CrashingDisk)
    }

    fn open_on(folder: &Path, options: Options, medium: impl Medium) -> Result<Self, OpenError> {
        let Options { name, durability, rotate_at_bytes: segment_bytes, max_queued, clock } =
            options;
        let kept = countersign_ledger::Options { name, durability, segment_bytes };
        let opened = countersign_ledger::open(folder, kept, Box::new(medium), clock.now())?;
        let Opened { mut appender, torn, is_new } = opened;
        let identity = appender.identity().clone();
        if is_new {
            tracing::info!(folder = %folder.display(), id = identity.id, "a new audit ledger begins");
        }
        let queue = Arc::new(Queue::new(max_queued, appender.head(), name));
        let serving = Arc::clone(&queue);
        let tiler = Tiler::start(folder, &identity)?;
        tiler.take(appender.take_sealed());
        let writer = std::thread::Builder::new()
            .name("audit-ledger".to_owned())
            .spawn(move || writer::run(appender, tiler, clock, &serving))?;
        queue::report_lag(&queue);
        let shared = Arc::new(Shared { queue, identity, writer: Mutex::new(Some(writer)) });
        let ledger = Self { shared };
        if let Some(torn) = torn {
            let (file, torn_octets) = (torn.file.display(), torn.octets);
            tracing::warn!(
                %file,
                torn_octets,
                "the last record of the audit ledger was not written to its end; it is cut off"
            );
            let file = torn.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Its receipt is not waited for: when it cannot be written, nothing else can.
            drop(ledger.append("ledger.recovered", &Recovered { file, torn_octets }));
        }
        Ok(ledger)
    }

    /// Queues `record` (which must become a JSON object) at once and in order; the future gives the
    /// receipt when the record is where [`Durability`] wants it. Dropping the future does not take
    /// the record back. `kind` is 1–64 of `a-z`, `0-9`, `.`, `_`, `-`.
    ///
    /// The error comes from the future too: [`AppendError::Full`] at once when too many records wait.
    pub fn append(&self, kind: &str, record: &(impl Serialize + ?Sized)) -> Appending {
        self.shared.queue.push(kind, record)
    }

    /// Its name and its random number.
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// What tells its head to those who note it elsewhere; it does not keep the ledger open.
    pub fn heads(&self) -> Heads {
        Heads { queue: Arc::clone(&self.shared.queue) }
    }

    /// How the ledger is; for readiness checks.
    pub fn status(&self) -> Status {
        self.shared.queue.status()
    }

    /// Whether records can be appended, in words for `/readyz`.
    ///
    /// # Errors
    /// Why not: the ledger stopped, the last commit failed, or a record has waited for over a second.
    pub fn ready(&self) -> Result<(), String> {
        self.status().ready()
    }
}

/// The record of what was cut off.
#[derive(Debug, Serialize)]
struct Recovered {
    file: String,
    torn_octets: u64,
}

/// Tells a ledger's head, also after the ledger was closed.
#[derive(Debug, Clone)]
pub struct Heads {
    queue: Arc<Queue>,
}

impl Heads {
    /// The last record that is on the disk: it outlives a power failure, so whoever notes it elsewhere
    /// can expect it for ever. In [`Durability::Strict`] it is never before a record whose receipt was given.
    pub fn on_disk(&self) -> Head {
        self.queue.on_disk()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue.close();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // A writer that panicked has told its callers already.
        let _ = writer.map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests;
