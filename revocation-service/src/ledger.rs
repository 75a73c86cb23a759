//! The audit ledger and the database, held against each other.
//!
//! A ledger proves what comes before its last record, not that nothing came after it: somebody who owns
//! the machine can put an older copy back, cut records off, or write the whole of it anew. The database
//! keeps the ledger's head with every change that is made. At the start the ledger must hold that
//! head; else the service does not start, and touches nothing of what is evidence now.
//!
//! This does not help against somebody who changes both. A head that was signed and taken away does
//! (`countersign audit head`).

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use countersign_daemon::{
    clock::Clock,
    ledger::{At, AuditMode, AuditSettings, Hash, Identity, Ledger, Located, locate},
};
use serde_json::json;

use crate::{
    StartError,
    config::Config,
    register::storage::{DatabaseLocation, HeldLedger, KnownLedger, Storage, StorageError},
};

/// The ledger's name.
const NAME: &str = "revocation";

/// The kind of the record that says whose place a ledger takes.
const REPLACES_KIND: &str = "ledger.replaces";

/// Why the ledger in the folder is not the one that the database knows.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is none.
    #[error(
        "{}: there is no audit ledger; the database knows the ledger {id}, whose last record was {sequence}. {}",
        folder.display(), remedy(id)
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The ledger that is known.
        id: String,
        /// The record that it had.
        sequence: u64,
    },
    /// There is another.
    #[error(
        "{}: this is the audit ledger {found}; the database knows the ledger {id}, whose \
         last record was {sequence}. {}", folder.display(), remedy(id)
    )]
    Other {
        /// The folder.
        folder: PathBuf,
        /// The ledger that is there.
        found: String,
        /// The ledger that is known.
        id: String,
        /// The record that it had.
        sequence: u64,
    },
    /// It ends too early.
    #[error(
        "{}: the audit ledger {id} ends with record {head_sequence}; the database knows its record \
         {sequence}, with the head {hash}. Its end was cut off, or an older copy was put back. {}",
        folder.display(), remedy(id)
    )]
    Cut {
        /// The folder.
        folder: PathBuf,
        /// The ledger.
        id: String,
        /// Its last record.
        head_sequence: u64,
        /// The record that it had.
        sequence: u64,
        /// Its head there.
        hash: Hash,
    },
    /// It had another head there.
    #[error(
        "{}: with record {sequence}, the audit ledger {id} has the head {found}; the database knows \
         {hash}. The ledger was written anew. {}", folder.display(), remedy(id)
    )]
    Rewritten {
        /// The folder.
        folder: PathBuf,
        /// The ledger.
        id: String,
        /// The record.
        sequence: u64,
        /// The head that it has.
        found: Hash,
        /// The head that it had.
        hash: Hash,
    },
    /// The record is in a file that is gone.
    #[error(
        "{}: the database knows record {sequence} of the audit ledger {id}, with the head {hash}; the \
         file that has it is not here, so that nothing shows that this ledger follows from it. Put the \
         archived file back for this start. {}", folder.display(), remedy(id)
    )]
    NotCompared {
        /// The folder.
        folder: PathBuf,
        /// The ledger.
        id: String,
        /// The record.
        sequence: u64,
        /// Its head there.
        hash: Hash,
    },
    /// It was replaced by another.
    #[error(
        "{}: the audit ledger {id} was replaced by the ledger {by}. Put the folder of that one here",
        folder.display()
    )]
    Replaced {
        /// The folder.
        folder: PathBuf,
        /// The ledger that is there.
        id: String,
        /// The one that took its place.
        by: String,
    },
    /// The ledger to be replaced is not the one that is in use here.
    #[error(
        "the ledger {asked} cannot be replaced: the database {}",
        known.as_ref().map_or_else(
            || "knows no ledger in use of that number".to_owned(),
            |known| format!("knows the ledger {known} as the one of this service"),
        )
    )]
    NotInUse {
        /// The ledger that was named.
        asked: String,
        /// The one that is in use.
        known: Option<String>,
    },
    /// The folder still holds a ledger that the database knows.
    #[error(
        "{}: the audit ledger {id} is still here. Move the folder away, keep it, and try again",
        folder.display()
    )]
    StillThere {
        /// The folder.
        folder: PathBuf,
        /// The ledger that is there.
        id: String,
    },
}

/// What an operator does about it.
fn remedy(id: &str) -> String {
    format!(
        "Move the folder away and keep it as it is: it is evidence. Put back the whole ledger if you \
         have it; else go on with a new one by --replace-ledger {id} (docs/audit.md)"
    )
}

/// How the ledger is kept, if there is administration to be recorded.
pub(crate) fn settings(config: &Config) -> Option<AuditSettings> {
    config.audit_settings().filter(|_| config.admin_listen.is_some())
}

/// Opens the audit ledger, if one is kept, once it is seen to hold what the database knows of it.
pub(crate) async fn open(
    config: &Config,
    storage: &Arc<Storage>,
    clock: Arc<dyn Clock>,
) -> Result<Option<Ledger>, StartError> {
    let settings = settings(config).filter(|settings| settings.mode != AuditMode::Off);
    let Some(settings) = settings else { return Ok(None) };
    let of_storage = |source| of_storage(config, source);
    let known = storage.ledgers().await.map_err(of_storage)?;
    let replica = replica(&config.database, &settings.folder)?;
    let opening = {
        let replica = replica.clone();
        move || -> Result<Option<Ledger>, StartError> {
            // Before it is opened: opening begins a ledger that is missing, and adds lines to one.
            compare(&settings.folder, &known, &replica)?;
            Ok(settings.open(NAME, clock)?)
        }
    };
    let ledger = tokio::task::spawn_blocking(opening).await.map_err(io::Error::other)??;
    if let Some(ledger) = &ledger {
        storage.hold_ledger(held(ledger, replica)).await.map_err(of_storage)?;
    }
    Ok(ledger)
}

/// Puts the ledger in the configured folder, or a new one, in the place of the one with the random
/// number `replaced`, on record in the new one and in the database; gives the new one's number.
///
/// # Errors
/// [`LedgerError`]: another ledger is in use, or the folder still holds one that is known; the
/// database cannot be used, a service uses it, or the ledger cannot be written.
pub async fn replace_ledger(
    config: &Config,
    replaced: &str,
    clock: Arc<dyn Clock>,
) -> Result<String, StartError> {
    config.validate()?;
    let not_in_use = |known| LedgerError::NotInUse { asked: replaced.to_owned(), known };
    let settings = settings(config).filter(|settings| settings.mode != AuditMode::Off);
    let settings = settings.ok_or_else(|| not_in_use(None))?;
    let of_storage = |source| of_storage(config, source);
    let storage = Storage::open(&config.database).await.map_err(of_storage)?;
    let known = storage.ledgers().await.map_err(of_storage)?;
    let replica = replica(&config.database, &settings.folder)?;
    let own = in_use(&known, &replica).map(|ledger| ledger.id.clone());
    let old = known.iter().find(|ledger| ledger.id == replaced && ledger.replaced_by.is_none());
    // The ledger of a replica that is gone may be named, too; never another one's than asked for.
    let (Some(old), None) = (old, own.as_deref().filter(|own| *own != replaced)) else {
        return Err(not_in_use(own).into());
    };
    let folder = settings.folder.clone();
    let there = locate(&folder, u64::MAX).map_err(countersign_daemon::ledger::OpenError::from)?;
    let there = there.map(|there| there.identity.id);
    if let Some(id) = there.filter(|id| known.iter().any(|ledger| ledger.id == *id)) {
        return Err(LedgerError::StillThere { folder, id }.into());
    }
    let ledger = settings.open(NAME, clock)?.ok_or_else(|| not_in_use(None))?;
    let record = json!({ "ledger": old.id, "sequence": old.sequence, "hash": old.hash });
    ledger.append(REPLACES_KIND, &record).await.map_err(io::Error::other)?;
    let id = ledger.identity().id.clone();
    storage.replace_ledger(replaced, held(&ledger, replica)).await.map_err(of_storage)?;
    storage.close().await;
    Ok(id)
}

/// Keeps the head in the database, if it has grown.
pub(crate) async fn note_head(storage: &Arc<Storage>) {
    if let Err(error) = storage.note_ledger_head().await {
        tracing::warn!(%error, "the audit ledger's head was not kept in the database");
    }
}

fn held(ledger: &Ledger, replica: String) -> HeldLedger {
    HeldLedger { id: ledger.identity().id.clone(), replica, heads: ledger.heads() }
}

fn of_storage(config: &Config, source: StorageError) -> StartError {
    StartError::Storage { location: config.database.clone(), source }
}

/// Which of those that write to the database this is. A file has one process, wherever its ledger
/// is; replicas are told apart by their host and by the folder of their ledger.
fn replica(database: &DatabaseLocation, folder: &Path) -> io::Result<String> {
    match database {
        DatabaseLocation::File(_) => Ok(String::new()),
        DatabaseLocation::Postgres(_) => {
            let host = rustix::system::uname();
            let folder = std::path::absolute(folder)?;
            Ok(format!("{}:{}", host.nodename().to_string_lossy(), folder.display()))
        }
    }
}

fn in_use<'a>(known: &'a [KnownLedger], replica: &str) -> Option<&'a KnownLedger> {
    known.iter().find(|ledger| ledger.replica == replica && ledger.replaced_by.is_none())
}

/// Holds the ledger in `folder`, which nobody writes now, against what the database knows.
fn compare(folder: &Path, known: &[KnownLedger], replica: &str) -> Result<(), StartError> {
    let locate =
        |sequence| locate(folder, sequence).map_err(countersign_daemon::ledger::OpenError::from);
    if let Some(own) = in_use(known, replica) {
        let (id, sequence, folder) = (own.id.clone(), own.sequence, folder.to_owned());
        return match locate(own.sequence)? {
            None => Err(LedgerError::Missing { folder, id, sequence }.into()),
            Some(Located { identity: Identity { id: found, .. }, .. }) if found != id => {
                Err(LedgerError::Other { folder, found, id, sequence }.into())
            }
            Some(located) => Ok(hold_against(&folder, own, &located)?),
        };
    }
    let Some(there) = locate(u64::MAX)? else { return Ok(()) };
    let Some(other) = known.iter().find(|ledger| ledger.id == there.identity.id) else {
        return Ok(());
    };
    if let Some(by) = &other.replaced_by {
        let (id, by) = (other.id.clone(), by.clone());
        return Err(LedgerError::Replaced { folder: folder.to_owned(), id, by }.into());
    }
    // A replica that got another name, with its ledger.
    let Some(located) = locate(other.sequence)? else { return Ok(()) };
    Ok(hold_against(folder, other, &located)?)
}

fn hold_against(folder: &Path, known: &KnownLedger, located: &Located) -> Result<(), LedgerError> {
    let KnownLedger { id, sequence, hash, .. } = known.clone();
    let folder = folder.to_owned();
    match located.at {
        At::Head(found) if found == hash => Ok(()),
        At::Head(found) => Err(LedgerError::Rewritten { folder, id, sequence, found, hash }),
        At::BehindTheEnd => {
            let head_sequence = located.head.sequence;
            Err(LedgerError::Cut { folder, id, head_sequence, sequence, hash })
        }
        // Whoever can write the folder could say so of anything.
        At::Archived => Err(LedgerError::NotCompared { folder, id, sequence, hash }),
    }
}

#[cfg(test)]
mod tests;
