//! Appending: batches of records into the write-ahead, and what an error of the disk leaves to mend.
//!
//! What is promised, in [`Durability::Strict`]: when [`Appender::append`] has returned, the records are
//! on the disk, and so is everything before them. Records of a call that failed are not in the ledger;
//! records of a call that never returned may or may not be, whole or not at all.
//!
//! After a failed flush the file is not trusted any more (the kernel may have dropped what it could
//! not write, and say so only once): it is cut back to what was acknowledged and a new one goes on. If
//! even that fails, the ledger stops until it is opened again.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::tlog::frontier::Frontier;
use countersign_core::tlog::merkle::{TreeHead, leaf_hash};
use countersign_core::tlog::tile::push_entry;

use crate::load::head_of;
use crate::medium::{Medium, MediumFile, flush_folder};
use crate::record::{Head, Identity, encode};
use crate::segment::{FOLDER, MAX_FRAME_BYTES, Segment, encode_frame};

/// When a record counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On the disk (`fdatasync`): outlives a power failure.
    Strict,
    /// With the operating system, until [`Appender::flush`]: outlives the process only.
    Relaxed,
}

/// How a ledger is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The ledger's name; opening it under another name is refused.
    pub name: &'static str,
    /// When a record counts as kept.
    pub durability: Durability,
    /// A new write-ahead file is begun when one has this many octets.
    pub segment_bytes: u64,
}

/// A record to be appended.
#[derive(Debug, Clone, Copy)]
pub struct NewRecord<'a> {
    /// Its kind ([`is_kind`](crate::is_kind)).
    pub kind: &'a str,
    /// What it says: a JSON object without line feeds. Both together may have
    /// [`MAX_RECORD_BYTES`](crate::MAX_RECORD_BYTES) − [`ENVELOPE_BYTES`](crate::ENVELOPE_BYTES).
    pub record: &'a str,
}

/// Why records are not in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk refused them; the next may go through.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What is on the disk is unknown: nothing can be appended until the ledger is opened again.
    #[error("the ledger has stopped: {0}")]
    Stopped(io::Error),
}

/// What must be done before the next batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Nothing.
    Sound,
    /// A write failed: part of a batch may follow what was acknowledged. Cut it off.
    Untidy,
    /// A flush failed: cut back to what was acknowledged, and go on in a new file.
    Doubtful,
    /// A flush of acknowledged records failed (relaxed only): go on in a new file.
    Unflushed,
    /// Nothing can be.
    Stopped,
}

/// What a ledger is on the disk.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) folder: PathBuf,
    pub(crate) options: Options,
    pub(crate) medium: Box<dyn Medium>,
    pub(crate) identity: Identity,
    /// The number of the first record.
    pub(crate) first_sequence: u64,
    /// The tree of what is acknowledged; not empty.
    pub(crate) frontier: Frontier,
    /// The file that is written, and how many octets of it are acknowledged.
    pub(crate) segment: Segment,
    pub(crate) file: Box<dyn MediumFile>,
    pub(crate) octets: u64,
    /// Files before it, whose records are not on tiles yet.
    pub(crate) sealed: Vec<Segment>,
    /// Locked as long as it is open.
    pub(crate) _lock: File,
}

/// The end of a ledger, open for appending. Dropping it lets another process open the ledger.
#[derive(Debug)]
pub struct Appender {
    parts: Parts,
    head: Head,
    condition: Condition,
    /// Whether records were acknowledged that are not flushed (relaxed only).
    unflushed: bool,
    entries: Vec<u8>,
    frame: Vec<u8>,
}

impl Appender {
    pub(crate) fn new(parts: Parts) -> Self {
        let head = head_of(&parts.frontier.head(&AwsLc), parts.first_sequence);
        let (entries, frame) = (Vec::new(), Vec::new());
        Self { parts, head, condition: Condition::Sound, unflushed: false, entries, frame }
    }

    /// The last record that is acknowledged.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Which ledger it is.
    pub fn identity(&self) -> &Identity {
        &self.parts.identity
    }

    /// Whether nothing can be appended until the ledger is opened again.
    pub fn is_stopped(&self) -> bool {
        self.condition == Condition::Stopped
    }

    /// Whether records were acknowledged that are not flushed (relaxed only).
    pub fn has_unflushed(&self) -> bool {
        self.unflushed
    }

    /// Appends records, written at `now`, at once; gives the new head. The first of them has the
    /// number after the old head's.
    ///
    /// # Errors
    /// None of them is in the ledger then: the disk refused them, or together they have over 64 MiB.
    pub fn append<'a>(
        &mut self,
        records: impl IntoIterator<Item = NewRecord<'a>>,
        now: SystemTime,
    ) -> Result<Head, WriteError> {
        self.make_sound()?;
        if self.parts.octets >= self.parts.options.segment_bytes {
            self.begin_segment()?;
        }
        let (frontier, tree) = self.encode(records, now)?;
        let frame = std::mem::take(&mut self.frame);
        let kept = self.keep(&frame);
        let octets = frame.len() as u64;
        self.frame = frame;
        kept?;
        self.parts.octets += octets;
        self.parts.frontier = frontier;
        self.head = head_of(&tree, self.parts.first_sequence);
        Ok(self.head)
    }

    /// Makes a frame of the records; gives the tree with them, and its head.
    fn encode<'a>(
        &mut self,
        records: impl IntoIterator<Item = NewRecord<'a>>,
        now: SystemTime,
    ) -> Result<(Frontier, TreeHead), WriteError> {
        let mut frontier = self.parts.frontier.clone();
        let mut octets = Vec::new();
        self.entries.clear();
        for NewRecord { kind, record } in records {
            octets.clear();
            encode(&mut octets, self.parts.first_sequence + frontier.size(), now, kind, record);
            // Nobody could read a longer frame.
            let is_whole = push_entry(&mut self.entries, &octets);
            if !is_whole || self.entries.len() > MAX_FRAME_BYTES {
                return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
            }
            frontier.push(&AwsLc, leaf_hash(&AwsLc, &octets));
        }
        self.frame.clear();
        let tree = frontier.head(&AwsLc);
        encode_frame(&mut self.frame, &self.entries, &tree);
        Ok((frontier, tree))
    }

    fn keep(&mut self, frame: &[u8]) -> Result<(), WriteError> {
        if let Err(error) = self.parts.file.append(frame) {
            self.condition = Condition::Untidy;
            // At once, so that nobody reads half a record; tried again before the next batch.
            let _ = self.make_sound();
            return Err(error.into());
        }
        match self.parts.options.durability {
            Durability::Relaxed => self.unflushed = true,
            Durability::Strict => {
                if let Err(error) = self.parts.file.flush_to_disk() {
                    self.condition = Condition::Doubtful;
                    let _ = self.make_sound();
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Mends what the last error left.
    fn make_sound(&mut self) -> Result<(), WriteError> {
        match self.condition {
            Condition::Sound => return Ok(()),
            Condition::Stopped => {
                return Err(WriteError::Stopped(io::Error::other("a flush failed earlier")));
            }
            Condition::Untidy => self.parts.file.cut(self.parts.octets)?,
            Condition::Doubtful => {
                let cut = self.parts.file.cut(self.parts.octets);
                if let Err(error) = cut.and_then(|()| self.parts.file.flush_to_disk()) {
                    // What is on the disk after the acknowledged records is unknown: nothing may follow.
                    self.condition = Condition::Stopped;
                    return Err(WriteError::Stopped(error));
                }
                // Sound up to here, whether or not the next step succeeds.
                self.condition = Condition::Unflushed;
                self.begin_segment()?;
            }
            Condition::Unflushed => self.begin_segment()?,
        }
        self.condition = Condition::Sound;
        Ok(())
    }

    /// Flushes acknowledged records (relaxed only).
    ///
    /// # Errors
    /// They may be lost in a power failure; what comes next goes into a new file.
    pub fn flush(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.unflushed) {
            return Ok(());
        }
        let flushed = self.parts.file.flush_to_disk();
        if flushed.is_err() && self.condition == Condition::Sound {
            self.condition = Condition::Unflushed;
        }
        flushed
    }

    /// Ends the present write-ahead file, if it has records, so that they can go onto tiles.
    ///
    /// # Errors
    /// The next file cannot be begun; the present one stays.
    pub fn seal(&mut self) -> Result<(), WriteError> {
        self.make_sound()?;
        if self.parts.octets > 0 { Ok(self.begin_segment()?) } else { Ok(()) }
    }

    /// The write-ahead files that are written to their end, and were not taken before; for
    /// [`integrate`](crate::integrate).
    pub fn take_sealed(&mut self) -> Vec<Segment> {
        std::mem::take(&mut self.parts.sealed)
    }

    /// Begins the next file; until it is there durably, the present one stays.
    fn begin_segment(&mut self) -> io::Result<()> {
        // In strict mode all of it is on the disk. In relaxed mode, what cannot be flushed now may be
        // lost in a power failure, which is what relaxed means.
        let flushed = self.flush();
        let parts = &mut self.parts;
        let next = Segment::new(&parts.folder, parts.frontier.size());
        if next == parts.segment {
            // The present one is empty.
            return flushed;
        }
        let file = parts.medium.create(&next.path)?;
        flush_folder(&parts.folder.join(FOLDER))?;
        parts.file = file;
        parts.sealed.push(std::mem::replace(&mut parts.segment, next));
        parts.octets = 0;
        Ok(())
    }
}
