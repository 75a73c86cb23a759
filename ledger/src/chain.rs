//! The chain: whether a line may follow the one before it.
//!
//! A broken link joins two lines of which one was changed; the line after them tells which. So a
//! break is held back for one line.

use crate::entry::{Entry, FORMAT_VERSION, Malformed};
use crate::hash::Hash;

/// Which ledger this is: no line of another may stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The ledger's name.
    pub ledger: String,
    /// Its random number in hexadecimal.
    pub id: String,
}

/// What is wrong with a line or a file.
#[derive(Debug, thiserror::Error)]
pub enum What {
    /// The file or folder cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The folder has no file of a ledger.
    #[error("holds no audit ledger")]
    NoLedger,
    /// The last line of the last file has no end: it is being written, or its writer was killed.
    #[error("the last line is incomplete ({octets} bytes)")]
    Incomplete {
        /// Octets after the last line feed.
        octets: u64,
    },
    /// A file ends within a line although another follows it.
    #[error("ends within a line ({octets} bytes) although another file follows")]
    Cut {
        /// Octets after the last line feed.
        octets: u64,
    },
    /// It is not a line of a ledger.
    #[error("not a line of a ledger: {0}")]
    Malformed(#[from] Malformed),
    /// Another number was to come: lines were removed, added or reordered.
    #[error("line number {found} stands where {expected} belongs")]
    Sequence {
        /// The number that was to come.
        expected: u64,
        /// The number of this line.
        found: u64,
    },
    /// It does not have the hash that the line after it names, or does not name that of the line before.
    #[error("was changed: the chain holds {expected}, this is {found}")]
    Altered {
        /// The hash in the line that is intact.
        expected: Hash,
        /// The hash here.
        found: Hash,
    },
    /// A file of the rotation is not there.
    #[error("is missing")]
    FileMissing,
    /// The first line is not that of this file of this ledger.
    #[error("the first line is not that of file {number} of this ledger")]
    Foreign {
        /// The file's number by its name.
        number: u64,
    },
    /// The file is in another version of the format.
    #[error("written in format {found}; this program reads {FORMAT_VERSION}")]
    Format {
        /// The version in the file.
        found: u32,
    },
    /// No line has the hash that was expected: lines at the end were removed or changed, or this is
    /// another ledger.
    #[error("no line has the hash {expected}")]
    HeadMissing {
        /// The hash that was pinned.
        expected: Hash,
    },
}

/// A break whose blame is not yet clear.
#[derive(Debug)]
struct Suspect {
    /// What the later of the two lines names.
    named: Hash,
    /// The hash of the earlier line.
    actual: Hash,
    /// The hash of the later line.
    later: Hash,
}

/// Which of the lines looked at last a break is laid upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The line before the one that was given last before this.
    BeforeLast,
    /// The one that was given last before this.
    Last,
    /// The line just given.
    This,
}

/// Follows the lines of a ledger one by one.
#[derive(Debug, Default)]
pub struct Chain {
    /// Number and hash of the line that was last; none before the first.
    last: Option<(u64, Hash)>,
    /// What the first line must name as the line before it, when that is known.
    start: Option<Hash>,
    suspect: Option<Suspect>,
}

impl Chain {
    /// A chain whose first line may be any.
    pub fn anywhere() -> Self {
        Self::default()
    }

    /// A chain whose first line follows a line of the hash `previous`: [`Hash::NONE`] for a whole ledger.
    pub fn after(previous: Hash) -> Self {
        Self { start: Some(previous), ..Self::default() }
    }

    /// A chain that goes on after the line of number `sequence` and hash `hash`.
    pub fn resumed(sequence: u64, hash: Hash) -> Self {
        Self { last: Some((sequence, hash)), ..Self::default() }
    }

    /// Number and hash of the last line.
    pub fn head(&self) -> Option<(u64, Hash)> {
        self.last
    }

    /// Takes the next line (its line feed included) and what it was read as.
    pub(crate) fn follow(&mut self, entry: &Entry<'_>, line: &[u8]) -> Result<(), (Blame, What)> {
        let hash = Hash::of_line(line);
        if let Some(Suspect { named, actual, later }) = self.suspect.take() {
            // The later line is vouched for by this one: then the earlier was changed.
            return Err(if entry.previous == later {
                (Blame::BeforeLast, What::Altered { expected: named, found: actual })
            } else {
                (Blame::Last, What::Altered { expected: entry.previous, found: later })
            });
        }
        let (expected, before) = match self.last {
            None => (None, self.start),
            Some((sequence, hash)) => (Some(sequence + 1), Some(hash)),
        };
        let expected = expected.or((before == Some(Hash::NONE)).then_some(0));
        if let Some(expected) = expected.filter(|expected| *expected != entry.sequence) {
            return Err((Blame::This, What::Sequence { expected, found: entry.sequence }));
        }
        if let Some(actual) = before.filter(|before| *before != entry.previous) {
            if self.last.is_none() {
                let what = What::Altered { expected: actual, found: entry.previous };
                return Err((Blame::This, what));
            }
            self.suspect = Some(Suspect { named: entry.previous, actual, later: hash });
        }
        self.last = Some((entry.sequence, hash));
        Ok(())
    }

    /// Says that no line comes any more.
    pub(crate) fn end(&mut self) -> Result<(), (Blame, What)> {
        match self.suspect.take() {
            None => Ok(()),
            // Nothing vouches for the last line, so one of the two; the earlier was vouched against.
            Some(Suspect { named, actual, .. }) => {
                Err((Blame::BeforeLast, What::Altered { expected: named, found: actual }))
            }
        }
    }
}
