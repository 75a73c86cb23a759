//! The audit ledger: one append-only, hash-chained record of everything a service did.
//!
//! A ledger is a folder of JSON Lines (`countersign-ledger` has the format and the verification).
//! Here is the writing of it: one thread takes what all callers have queued, writes it at once and
//! flushes it at once ("group commit"), so that many callers share one wait for the disk.
//!
//! What is promised, in [`Durability::Strict`]: when [`Ledger::append`] has given a receipt, the
//! record is on the disk, and so is everything before it. A record without a receipt may or may
//! not be there after a crash, whole or not at all. An error of the disk fails the callers whose
//! records it concerned, and nothing that was acknowledged; when there is room again, appending
//! goes on by itself. After a failed flush the file is not trusted any more (the kernel may have
//! dropped what it could not write, and say so only once): it is cut back to what was acknowledged
//! and a new file goes on. When even that fails, the ledger stops until the service is started again.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_daemon::ledger::{Ledger, Options};
//! let ledger = Ledger::open("/var/lib/countersign/audit".as_ref(), Options::new("timestamp"))?;
//! let receipt = ledger.append("token", &serde_json::json!({ "serial": "0a" })).await?;
//! println!("{} {}", receipt.sequence, receipt.hash);
//! # Ok(()) }
//! ```
//!
//! This module does not know what the records mean, does not encrypt them and sends them nowhere. It does not
//! remove old files: the operator archives them (`docs/audit.md`).

mod appending;
mod figures;
mod medium;
mod queue;
mod recovery;
mod settings;
mod store;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use countersign_ledger::{
    At, Expectation, Fault, Hash, Identity, Located, Start, Summary, What, locate, verify,
};
use serde::Serialize;

pub use self::appending::{AppendError, Appending, Receipt};
pub use self::queue::Status;
pub use self::recovery::OpenError;
pub use self::settings::{AuditMode, AuditSettings, Durability, Options};

use self::medium::{Disk, Medium};
use self::queue::Queue;

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
    /// processes. Blocks: it reads the last file, and flushes.
    ///
    /// A last line that was not written to its end is cut off: its caller never got a receipt. The
    /// log tells, and so does a line of the kind `ledger.recovered`.
    ///
    /// # Errors
    /// Another process holds the ledger; it is the ledger of another name; a line in its last file
    /// is wrong; the folder cannot be written.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_on(folder, options, Disk)
    }

    fn open_on(folder: &Path, options: Options, medium: impl Medium) -> Result<Self, OpenError> {
        let recovered = recovery::open(folder, options, Box::new(medium))?;
        let identity = recovered.store.identity().clone();
        let queue = Arc::new(Queue::new(
            recovered.store.max_queued(),
            recovered.store.head(),
            recovered.store.name(),
        ));
        let serving = Arc::clone(&queue);
        let writer = std::thread::Builder::new()
            .name("audit-ledger".to_owned())
            .spawn(move || writer::run(recovered.store, &serving))
            .map_err(OpenError::Io)?;
        queue::report_lag(&queue);
        let shared = Arc::new(Shared { queue, identity, writer: Mutex::new(Some(writer)) });
        let ledger = Self { shared };
        if let Some(torn) = recovered.torn {
            // Its receipt is not waited for: when it cannot be written, nothing else can.
            drop(ledger.append("ledger.recovered", &torn));
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

/// Tells a ledger's head, also after the ledger was closed.
#[derive(Debug, Clone)]
pub struct Heads {
    queue: Arc<Queue>,
}

impl Heads {
    /// The last line that is on the disk: it outlives a power failure, so whoever notes it elsewhere
    /// can expect it for ever. In [`Durability::Strict`] it is never before a line whose receipt was given.
    pub fn on_disk(&self) -> Receipt {
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
