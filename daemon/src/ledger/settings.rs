//! How a ledger is kept, and the `[audit]` table that says so.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_ledger::Durability;
use rustix::fs::Access;
use serde::Deserialize;

use super::{Ledger, OpenError};
use crate::clock::{Clock, SystemClock};
use crate::config::ConfigError;

const MIB: u64 = 1024 * 1024;

/// How a ledger is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The ledger's name, in its files and metrics; opening it under another name is refused.
    pub name: &'static str,
    /// When a record counts as kept. [`Durability::Relaxed`] records are flushed within about a second.
    pub durability: Durability,
    /// Records go onto tiles when the write-ahead file has this many octets, or a minute after the
    /// first of them was kept.
    pub rotate_at_bytes: u64,
    /// Records that may wait for the disk; more are refused at once: bounds memory when it stalls.
    pub max_queued: usize,
    /// What tells the time of each record.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// Strict, write-ahead files of 8 MiB, 10 000 records waiting, the system's clock.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            durability: Durability::Strict,
            rotate_at_bytes: 8 * MIB,
            max_queued: 10_000,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Whether and how an audit ledger is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditMode {
    /// [`Durability::Strict`].
    #[default]
    Strict,
    /// [`Durability::Relaxed`].
    Relaxed,
    /// None is kept.
    Off,
}

/// The `[audit]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct AuditSettings {
    /// `"strict"`, `"relaxed"` or `"off"`. Default `"strict"`.
    pub mode: AuditMode,
    /// The ledger's folder; made when missing, with the mode 0750. Empty if none is kept.
    pub folder: PathBuf,
    /// Mebibytes of the write-ahead file after which its records go onto tiles. Default 8, 1–64.
    pub rotate_at_mib: u64,
    /// Records that may wait for the disk; more are refused. Default 10 000, 1–1 000 000.
    pub max_queued: usize,
}

/// The table as it is written: a ledger that is kept needs a folder, `mode = "off"` needs none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    mode: AuditMode,
    folder: Option<PathBuf>,
    #[serde(default = "default_rotate_at_mib")]
    rotate_at_mib: u64,
    #[serde(default = "default_max_queued")]
    max_queued: usize,
}

impl TryFrom<Table> for AuditSettings {
    type Error = &'static str;

    fn try_from(table: Table) -> Result<Self, Self::Error> {
        let Table { mode, folder, rotate_at_mib, max_queued } = table;
        let folder = match (folder, mode) {
            (Some(folder), _) => folder,
            (None, AuditMode::Off) => PathBuf::new(),
            (None, _) => return Err("missing field `folder`"),
        };
        Ok(Self { mode, folder, rotate_at_mib, max_queued })
    }
}

fn default_rotate_at_mib() -> u64 {
    8
}

fn default_max_queued() -> usize {
    10_000
}

impl AuditSettings {
    /// The settings of a ledger in `folder`, else as by default.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            mode: AuditMode::default(),
            folder: folder.to_owned(),
            rotate_at_mib: default_rotate_at_mib(),
            max_queued: default_max_queued(),
        }
    }

    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let max_queued = u64::try_from(self.max_queued).unwrap_or(u64::MAX);
        ConfigError::check_range("audit.rotate_at_mib", self.rotate_at_mib, 1..=64)?;
        ConfigError::check_range("audit.max_queued", max_queued, 1..=1_000_000)
    }

    /// Whether a ledger could be kept in the folder, as far as can be told without opening it: the
    /// service that runs may hold it.
    ///
    /// # Errors
    /// The folder, or what of it is there, is no folder or may not be written.
    pub fn check(&self) -> Result<(), OpenError> {
        if self.mode == AuditMode::Off {
            return Ok(());
        }
        let there = self.folder.ancestors().find(|path| path.exists());
        // The parent of a bare name is the empty path, which means the working folder.
        let there = there.unwrap_or(Path::new("."));
        let refused = |error: io::Error| {
            OpenError::Io(io::Error::new(error.kind(), format!("{}: {error}", there.display())))
        };
        if !there.is_dir() {
            return Err(refused(io::ErrorKind::NotADirectory.into()));
        }
        rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| refused(error.into()))
    }

    /// Opens the ledger called `name` as these settings want it; `None` if they want none.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open(
        &self,
        name: &'static str,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Ledger>, OpenError> {
        let durability = match self.mode {
            AuditMode::Strict => Durability::Strict,
            AuditMode::Relaxed => Durability::Relaxed,
            AuditMode::Off => return Ok(None),
        };
        let options = Options {
            name,
            durability,
            rotate_at_bytes: self.rotate_at_mib * MIB,
            max_queued: self.max_queued,
            clock,
        };
        Ledger::open(&self.folder, options).map(Some)
    }
}
