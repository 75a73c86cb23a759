//! What can be wrong with a ledger, and where.

use std::path::{Path, PathBuf};

use crate::hash::Hash;
use crate::record::Malformed;

/// A record, by where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file; the folder if no file can be named.
    pub file: PathBuf,
    /// Which of the file's records, from 1 (in format 1: which line); 0 for the file as a whole.
    pub line: u64,
}

impl Place {
    /// The file as a whole.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self { file: path.into(), line: 0 }
    }

    /// The record of that number, from 1, in the same file.
    pub(crate) fn record(&self, line: u64) -> Self {
        Self { file: self.file.clone(), line }
    }

    /// This is wrong there.
    pub(crate) fn fault(&self, what: impl Into<What>) -> Fault {
        Fault { file: self.file.clone(), line: self.line, what: what.into() }
    }
}

/// The first thing that is wrong with a ledger.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", file.display(), if *line == 0 { String::new() } else { format!(", record {line}") })]
pub struct Fault {
    /// As [`Place`] has it.
    pub file: PathBuf,
    /// As [`Place`] has it; 0 for the file as a whole.
    pub line: u64,
    /// What is wrong there.
    #[source]
    pub what: What,
}

/// What is wrong with a record or a file.
#[derive(Debug, thiserror::Error)]
pub enum What {
    /// The file or folder cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The folder has no file of a ledger.
    #[error("holds no audit ledger")]
    NoLedger,
    /// The end is not whole: it is being written, or its writer was killed.
    #[error("the last record is incomplete ({octets} bytes)")]
    Incomplete {
        /// Octets after the last whole record.
        octets: u64,
    },
    /// A file ends within a record although another follows it.
    #[error("ends within a record ({octets} bytes) although more follows")]
    Cut {
        /// Octets after the last whole record.
        octets: u64,
    },
    /// It is not a record of a ledger.
    #[error("not a record of a ledger: {0}")]
    Malformed(#[from] Malformed),
    /// It is not a file of the form that it should have.
    #[error("not a file of a ledger: {0}")]
    MalformedFile(&'static str),
    /// Another number was to come: records were removed, added or reordered.
    #[error("record number {found} is in the place of number {expected}")]
    Sequence {
        /// The number that was to come.
        expected: u64,
        /// The number of this record.
        found: u64,
    },
    /// It does not have the hash that the ledger holds of it.
    #[error("was changed: the ledger holds the hash {expected}, this has {found}")]
    Altered {
        /// The hash that the ledger holds.
        expected: Hash,
        /// The hash here.
        found: Hash,
    },
    /// A file is not there.
    #[error("is missing")]
    FileMissing,
    /// The first record is not that of this file of this ledger.
    #[error("the first record is not that of file {number} of this ledger")]
    Foreign {
        /// The file's number.
        number: u64,
    },
    /// It is in another version of the format.
    #[error("written in format {found}, which this program does not read")]
    Format {
        /// The version in the file.
        found: u32,
    },
    /// The ledger never had the head that was expected: records at the end were removed or changed, or
    /// this is another ledger.
    #[error("it never had the head {expected}")]
    HeadMissing {
        /// The hash that was expected.
        expected: Hash,
    },
}

/// Why a file that must be there cannot be read.
pub(crate) fn unreadable_or_missing(path: &Path) -> impl Fn(std::io::Error) -> Fault {
    move |error| match error.kind() {
        std::io::ErrorKind::NotFound => Place::file(path).fault(What::FileMissing),
        _ => Place::file(path).fault(error),
    }
}

/// What cannot be read of the file at `path`.
pub(crate) fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> Fault {
    move |error| Place::file(path).fault(error)
}
