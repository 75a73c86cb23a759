//! Opening a ledger: the lock, its end, and what a killed writer left.

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::tlog::frontier::Frontier;
use countersign_core::tlog::merkle::leaf_hash;
use countersign_core::tlog::tile::push_entry;

use crate::append::{Appender, Options, Parts};
use crate::fault::{Fault, Place, What};
use crate::lines::{self, Chain};
use crate::load::Loaded;
use crate::medium::{Medium, flush_folder, make_folder, own_file, refuse_link};
use crate::reading::{FileEnd, Reading, Tail};
use crate::record::{BEGINNING_KIND, Beginning, Continued, FORMAT_VERSION, Head, Identity, encode};
use crate::segment::{FOLDER, Segment, encode_frame};

/// The file whose lock says that a process writes the ledger.
const LOCK_FILE: &str = "lock";

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
    /// A record is wrong; `countersign audit verify` says more.
    #[error("the audit ledger is damaged: {0}")]
    Damaged(#[from] Fault),
    /// The folder or a file cannot be made, read or written.
    #[error("the audit ledger cannot be opened: {0}")]
    Io(#[from] io::Error),
}

/// What was not written to its end, and was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The file.
    pub file: PathBuf,
    /// How many octets.
    pub octets: u64,
}

/// A ledger that was opened.
#[derive(Debug)]
pub struct Opened {
    /// Its end.
    pub appender: Appender,
    /// What was cut off: nobody was told that it is kept.
    pub torn: Option<Torn>,
    /// Whether it was begun just now.
    pub is_new: bool,
}

/// Opens the ledger in `folder`, making both if they are missing, and locks it against other
/// processes. A ledger of format 1 goes on in today's format.
///
/// # Errors
/// Another process holds the ledger; it is the ledger of another name; its end is damaged; the folder
/// cannot be written.
pub fn open(
    folder: &Path,
    options: Options,
    medium: Box<dyn Medium>,
    now: SystemTime,
) -> Result<Opened, OpenError> {
    make_folder(folder)?;
    let lock = lock(folder)?;
    make_folder(&folder.join(FOLDER))?;
    refuse_link(&folder.join(FOLDER))?;
    if let Some(loaded) = Loaded::read(folder, Tail::Abandoned, |_, _| {})? {
        return resume(folder, options, medium, lock, loaded);
    }
    let (continues, torn) = end_lines(folder, medium.as_ref())?;
    let (identity, continues) = match continues {
        Some((identity, head)) => (identity, Some(head)),
        None => (Identity { ledger: options.name.to_owned(), id: random_id()? }, None),
    };
    let identity = named(folder, options.name, identity)?;
    let is_new = continues.is_none();
    let begun = begin(folder, medium.as_ref(), &identity, continues, now)?;
    let (frontier, segment, octets) = begun;
    let file = medium.open_at_end(&segment.path)?;
    let parts = Parts {
        folder: folder.to_owned(),
        options,
        medium,
        identity,
        first_sequence: continues.map_or(0, |head| head.sequence + 1),
        frontier,
        segment,
        file,
        octets,
        sealed: Vec::new(),
        _lock: lock,
    };
    Ok(Opened { appender: Appender::new(parts), torn, is_new })
}

/// Its owner's alone: who can lock it can keep the service from starting.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let lock = own_file(File::options().create(true).mode(LOCK_MODE), &folder.join(LOCK_FILE))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn named(folder: &Path, expected: &'static str, identity: Identity) -> Result<Identity, OpenError> {
    if identity.ledger == expected {
        return Ok(identity);
    }
    let (folder, found) = (folder.to_owned(), identity.ledger);
    Err(OpenError::OtherLedger { folder, expected, found })
}

/// Goes on where a writer ended.
fn resume(
    folder: &Path,
    options: Options,
    medium: Box<dyn Medium>,
    lock: File,
    loaded: Loaded,
) -> Result<Opened, OpenError> {
    let identity = named(folder, options.name, loaded.beginning.identity())?;
    let mut sealed = loaded.segments;
    let FileEnd { whole_octets, torn_octets } = loaded.end;
    let (segment, file) = if let Some(segment) = sealed.pop() {
        let mut file = medium.open_at_end(&segment.path)?;
        if torn_octets > 0 {
            file.cut(whole_octets)?;
        }
        // What a killed writer had written and not flushed: the next receipt vouches for it too.
        file.flush_to_disk()?;
        (segment, file)
    } else {
        let segment = Segment::new(folder, loaded.frontier.size());
        let file = medium.create(&segment.path)?;
        flush_folder(&folder.join(FOLDER))?;
        (segment, file)
    };
    let torn = (torn_octets > 0).then(|| Torn { file: segment.path.clone(), octets: torn_octets });
    let parts = Parts {
        folder: folder.to_owned(),
        options,
        medium,
        identity,
        first_sequence: loaded.first_sequence,
        frontier: loaded.frontier,
        segment,
        file,
        octets: whole_octets,
        sealed,
        _lock: lock,
    };
    Ok(Opened { appender: Appender::new(parts), torn, is_new: false })
}

/// The head of a ledger of format 1, and the line that was cut off its end.
type LinesEnded = (Option<(Identity, Head)>, Option<Torn>);

/// Reads the last file of format 1, if there is one, and cuts off a line that was not written to its end.
fn end_lines(folder: &Path, medium: &dyn Medium) -> Result<LinesEnded, OpenError> {
    let Some((number, path)) = lines::files(folder)?.pop() else { return Ok((None, None)) };
    let mut nobody = ();
    let mut reading = Reading::new(&mut nobody, None);
    let (end, chain) = lines::walk_file(&path, number, Chain::anywhere(), &mut reading)?;
    let (Some(head), Some(identity)) = (chain.head(), reading.identity()) else {
        let what = What::Incomplete { octets: end.torn_octets };
        return Err(Place::file(path).record(1).fault(what).into());
    };
    let identity = identity.clone();
    let torn = (end.torn_octets > 0).then(|| Torn { file: path.clone(), octets: end.torn_octets });
    let mut file = medium.open_at_end(&path)?;
    if torn.is_some() {
        file.cut(end.whole_octets)?;
    }
    file.flush_to_disk()?;
    Ok((Some((identity, head)), torn))
}

/// Makes the first write-ahead file with the first record: under another name, flushed, then renamed,
/// so that a ledger is never without its first record.
fn begin(
    folder: &Path,
    medium: &dyn Medium,
    identity: &Identity,
    continues: Option<Head>,
    now: SystemTime,
) -> Result<(Frontier, Segment, u64), OpenError> {
    let beginning = Beginning {
        ledger: identity.ledger.clone(),
        id: identity.id.clone(),
        format: FORMAT_VERSION,
        continues: continues.map(|Head { sequence, hash }| Continued { sequence, hash }),
    };
    let says = serde_json::to_string(&beginning).map_err(io::Error::other)?;
    let sequence = continues.map_or(0, |head| head.sequence + 1);
    let mut record = Vec::new();
    encode(&mut record, sequence, now, BEGINNING_KIND, &says);
    let (mut entries, mut frame) = (Vec::new(), Vec::new());
    if !push_entry(&mut entries, &record) {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
    }
    let mut frontier = Frontier::default();
    frontier.push(&AwsLc, leaf_hash(&AwsLc, &record));
    encode_frame(&mut frame, &entries, &frontier.head(&AwsLc));
    let segment = Segment::new(folder, 0);
    let temporary = segment.path.with_extension("new");
    let mut file = medium.create(&temporary)?;
    file.append(&frame)?;
    file.flush_to_disk()?;
    medium.publish(&temporary, &segment.path)?;
    Ok((frontier, segment, frame.len() as u64))
}

/// 128 bits of the system's randomness, in hexadecimal.
fn random_id() -> io::Result<String> {
    let mut octets = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(format!("{:032x}", u128::from_be_bytes(octets)))
}
