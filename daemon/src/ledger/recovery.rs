//! Opening a ledger: the lock, the last file, and what a killed writer left.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use countersign_ledger::{Chain, Fault, Hash, Identity, What, file_name, files, walk_file};
use serde::Serialize;

use super::appending::Receipt;
use super::medium::Medium;
use super::settings::Options;
use super::store::{NewFile, Parts, Store, begin_file};

/// The file whose lock says that a process writes the ledger.
const LOCK_FILE: &str = "lock";

/// The owner writes, its group (auditors) may read.
const FOLDER_MODE: u32 = 0o750;

/// Nobody else has a use for the lock.
const LOCK_MODE: u32 = 0o600;

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes it.
    #[error("{}: another process writes this audit ledger", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// It is the ledger of another service.
    #[error("{}: the audit ledger of {found:?}, not of {expected:?}", folder.display())]
    OtherLedger {
        /// The folder.
        folder: PathBuf,
        /// The name asked for.
        expected: &'static str,
        /// The name in the ledger.
        found: String,
    },
    /// A line is wrong; `countersign audit verify` says more.
    #[error("the audit ledger is damaged: {0}")]
    Damaged(#[from] Fault),
    /// The folder or a file cannot be made, read or written.
    #[error("the audit ledger cannot be opened: {0}")]
    Io(#[from] io::Error),
}

/// The record of a line that was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Torn {
    /// The file's name.
    file: String,
    /// Octets of the line that was not written to its end.
    torn_octets: u64,
}

/// An open store, and what was cut off.
pub(super) struct Recovered {
    pub(super) store: Store,
    pub(super) torn: Option<Torn>,
}

pub(super) fn open(
    folder: &Path,
    options: Options,
    medium: Box<dyn Medium>,
) -> Result<Recovered, OpenError> {
    make_folder(folder)?;
    // Its owner's alone, whatever the umask: who can lock it can keep the service from starting.
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(LOCK_MODE)
        .open(folder.join(LOCK_FILE))?;
    lock.set_permissions(Permissions::from_mode(LOCK_MODE))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::Locked { folder: folder.to_owned() },
        TryLockError::Error(error) => OpenError::Io(error),
    })?;
    match files(folder)?.pop() {
        None => begin(folder, options, medium, lock),
        Some((number, path)) => resume(folder, options, medium, lock, (number, &path)),
    }
}

/// Makes the folder durably, with the folders above it that are missing: a receipt is worth nothing
/// when a power failure takes the folder away.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.is_dir()).collect();
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    for made in missing {
        // The parent of a bare name is the empty path, which means the working folder.
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn begin(
    folder: &Path,
    options: Options,
    medium: Box<dyn Medium>,
    lock: File,
) -> Result<Recovered, OpenError> {
    let identity = Identity { ledger: options.name.to_owned(), id: random_id()? };
    let (file, octets, head) = begin_file(&NewFile {
        folder,
        medium: medium.as_ref(),
        identity: &identity,
        number: 1,
        sequence: 0,
        previous: Hash::NONE,
        now: options.clock.now(),
    })?;
    tracing::info!(folder = %folder.display(), id = identity.id, "a new audit ledger begins");
    let folder = folder.to_owned();
    let parts =
        Parts { folder, options, medium, identity, file, number: 1, octets, head, _lock: lock };
    Ok(Recovered { store: Store::new(parts), torn: None })
}

fn resume(
    folder: &Path,
    options: Options,
    medium: Box<dyn Medium>,
    lock: File,
    (number, path): (u64, &Path),
) -> Result<Recovered, OpenError> {
    let (end, chain, identity) = walk_file(path, number, Chain::anywhere(), |_, _| {})?;
    let (Some((sequence, hash)), Some(identity)) = (chain.head(), identity) else {
        let what = What::Incomplete { octets: end.torn_octets };
        return Err(Fault { file: path.to_owned(), line: 1, what }.into());
    };
    if identity.ledger != options.name {
        return Err(OpenError::OtherLedger {
            folder: folder.to_owned(),
            expected: options.name,
            found: identity.ledger,
        });
    }
    let mut file = medium.open_at_end(path)?;
    let torn = (end.torn_octets > 0).then(|| {
        let torn_octets = end.torn_octets;
        tracing::warn!(
            file = %path.display(),
            torn_octets,
            "the last line of the audit ledger was not written to its end; it is cut off"
        );
        Torn { file: file_name(number), torn_octets }
    });
    if torn.is_some() {
        file.cut(end.whole_octets)?;
    }
    // What a killed writer had written and not flushed: the next receipt vouches for it too.
    file.flush_to_disk()?;
    let (folder, head) = (folder.to_owned(), Receipt { sequence, hash });
    let octets = end.whole_octets;
    let parts =
        Parts { folder, options, medium, identity, file, number, octets, head, _lock: lock };
    Ok(Recovered { store: Store::new(parts), torn })
}

/// 128 bits of the system's randomness, in hexadecimal.
fn random_id() -> io::Result<String> {
    let mut octets = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(format!("{:032x}", u128::from_be_bytes(octets)))
}
