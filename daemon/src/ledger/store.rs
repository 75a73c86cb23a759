//! The file being written: batches, rotation, and what an error of the disk leaves to mend.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use countersign_ledger::{
    FILE_KIND, FORMAT_VERSION, FileRecord, Hash, Identity, encode, file_name,
};

use super::appending::{AppendError, Receipt};
use super::medium::{Medium, MediumFile};
use super::queue::Waiting;
use super::settings::{Durability, Options};
use crate::crash_point;

/// What must be done before the next batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Nothing.
    Sound,
    /// A write failed: part of a batch may stand after what was acknowledged. Cut it off.
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
pub(super) struct Parts {
    pub(super) folder: PathBuf,
    pub(super) options: Options,
    pub(super) medium: Box<dyn Medium>,
    pub(super) identity: Identity,
    /// The file that is written, its number, and the octets of it that are acknowledged.
    pub(super) file: Box<dyn MediumFile>,
    pub(super) number: u64,
    pub(super) octets: u64,
    /// The last line that is acknowledged.
    pub(super) head: Receipt,
    /// Locked as long as it is open.
    pub(super) _lock: File,
}

/// The ledger's end on the disk.
#[derive(Debug)]
pub(super) struct Store {
    parts: Parts,
    condition: Condition,
    /// Whether records were acknowledged that are not flushed (relaxed only).
    unflushed: bool,
    buffer: Vec<u8>,
}

impl Store {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts, condition: Condition::Sound, unflushed: false, buffer: Vec::new() }
    }

    pub(super) fn head(&self) -> Receipt {
        self.parts.head
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.parts.identity
    }

    pub(super) fn max_queued(&self) -> usize {
        self.parts.options.max_queued
    }

    pub(super) fn name(&self) -> &'static str {
        self.parts.options.name
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.condition == Condition::Stopped
    }

    pub(super) fn has_unflushed(&self) -> bool {
        self.unflushed
    }

    /// Writes a batch and, when strict, flushes it. Gives a receipt for each record, in order.
    ///
    /// # Errors
    /// No record of the batch is in the ledger then.
    pub(super) fn commit(&mut self, batch: &[Waiting]) -> Result<Vec<Receipt>, AppendError> {
        self.make_sound()?;
        if self.parts.octets >= self.parts.options.rotate_at_bytes {
            self.rotate().map_err(io_error)?;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let receipts = self.encode(batch, &mut buffer);
        let kept = self.keep(&buffer);
        let octets = buffer.len() as u64;
        self.buffer = buffer;
        kept?;
        self.parts.octets += octets;
        self.parts.head = receipts.last().copied().unwrap_or(self.parts.head);
        Ok(receipts)
    }

    fn encode(&self, batch: &[Waiting], buffer: &mut Vec<u8>) -> Vec<Receipt> {
        let now = self.parts.options.clock.now();
        let mut last = self.parts.head;
        let encode_one = |waiting: &Waiting| {
            let sequence = last.sequence + 1;
            let hash = encode(buffer, sequence, now, &waiting.kind, &waiting.record, &last.hash);
            last = Receipt { sequence, hash };
            last
        };
        batch.iter().map(encode_one).collect()
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), AppendError> {
        crash_point::reach("ledger.write");
        if let Err(error) = self.parts.file.append(bytes) {
            self.condition = Condition::Untidy;
            // At once, so that nobody reads half a line; tried again before the next batch.
            let _ = self.make_sound();
            return Err(io_error(error));
        }
        crash_point::reach("ledger.written");
        match self.parts.options.durability {
            Durability::Relaxed => self.unflushed = true,
            Durability::Strict => {
                if let Err(error) = self.parts.file.flush_to_disk() {
                    self.condition = Condition::Doubtful;
                    let _ = self.make_sound();
                    return Err(io_error(error));
                }
            }
        }
        crash_point::reach("ledger.flushed");
        Ok(())
    }

    /// Mends what the last error left.
    fn make_sound(&mut self) -> Result<(), AppendError> {
        match self.condition {
            Condition::Sound => return Ok(()),
            Condition::Stopped => return Err(AppendError::Stopped),
            Condition::Untidy => self.parts.file.cut(self.parts.octets).map_err(io_error)?,
            Condition::Doubtful => {
                let cut = self.parts.file.cut(self.parts.octets);
                if let Err(error) = cut.and_then(|()| self.parts.file.flush_to_disk()) {
                    // What is on the disk after the acknowledged lines is unknown: nothing may follow.
                    tracing::error!(%error, file = file_name(self.parts.number), "the audit ledger stops");
                    self.condition = Condition::Stopped;
                    return Err(AppendError::Stopped);
                }
                // Sound up to here, whether or not the next step succeeds.
                self.condition = Condition::Unflushed;
                self.rotate().map_err(io_error)?;
            }
            Condition::Unflushed => self.rotate().map_err(io_error)?,
        }
        self.condition = Condition::Sound;
        Ok(())
    }

    /// Flushes acknowledged records (relaxed only).
    ///
    /// # Errors
    /// They may be lost in a power failure; what comes next goes into a new file.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.unflushed) {
            return Ok(());
        }
        let flushed = self.parts.file.flush_to_disk();
        if flushed.is_err() && self.condition == Condition::Sound {
            self.condition = Condition::Unflushed;
        }
        flushed
    }

    /// Begins the next file; until it is whole and durable, the present one stays.
    fn rotate(&mut self) -> io::Result<()> {
        if let Err(error) = self.flush() {
            tracing::error!(%error, file = file_name(self.parts.number), "audit records may be lost in a power failure");
        }
        let number = self.parts.number + 1;
        let (file, octets, head) = begin_file(&NewFile {
            folder: &self.parts.folder,
            medium: self.parts.medium.as_ref(),
            identity: &self.parts.identity,
            number,
            sequence: self.parts.head.sequence + 1,
            previous: self.parts.head.hash,
            now: self.parts.options.clock.now(),
        })?;
        let parts = &mut self.parts;
        (parts.file, parts.number, parts.octets, parts.head) = (file, number, octets, head);
        self.condition = Condition::Sound;
        tracing::info!(file = file_name(number), "the audit ledger goes on in a new file");
        Ok(())
    }
}

/// A file to begin.
pub(super) struct NewFile<'a> {
    pub(super) folder: &'a Path,
    pub(super) medium: &'a dyn Medium,
    pub(super) identity: &'a Identity,
    pub(super) number: u64,
    pub(super) sequence: u64,
    pub(super) previous: Hash,
    pub(super) now: SystemTime,
}

/// Makes a file with its first line: under another name, flushed, then renamed, so that a file of a
/// ledger is never without its first line.
pub(super) fn begin_file(new: &NewFile<'_>) -> io::Result<(Box<dyn MediumFile>, u64, Receipt)> {
    let record = FileRecord {
        ledger: new.identity.ledger.clone(),
        id: new.identity.id.clone(),
        format: FORMAT_VERSION,
        file: new.number,
    };
    let record = serde_json::to_string(&record)?;
    let mut line = Vec::new();
    let hash = encode(&mut line, new.sequence, new.now, FILE_KIND, &record, &new.previous);
    let path = new.folder.join(file_name(new.number));
    let temporary = path.with_extension("jsonl.new");
    let mut file = new.medium.create(&temporary)?;
    file.append(&line)?;
    file.flush_to_disk()?;
    new.medium.publish(&temporary, &path)?;
    Ok((file, line.len() as u64, Receipt { sequence: new.sequence, hash }))
}

fn io_error(error: io::Error) -> AppendError {
    AppendError::Io(Arc::new(error))
}
