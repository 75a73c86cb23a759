//! What the ledger asks of a disk, so that tests can have one that fails.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The owner writes, its group (auditors) may read.
const FILE_MODE: u32 = 0o640;

/// A disk.
pub(super) trait Medium: Debug + Send + 'static {
    /// A new file in place of what may be at `path`.
    fn create(&self, path: &Path) -> io::Result<Box<dyn MediumFile>>;
    /// A file that is there, to be written at its end.
    fn open_at_end(&self, path: &Path) -> io::Result<Box<dyn MediumFile>>;
    /// Renames over what may be at `to`, durably.
    fn publish(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// A file that is written at its end only.
pub(super) trait MediumFile: Debug + Send {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// `fdatasync`.
    fn flush_to_disk(&mut self) -> io::Result<()>;
    /// Cuts the file to `octets`.
    fn cut(&mut self, octets: u64) -> io::Result<()>;
}

/// The file system.
#[derive(Debug)]
pub(super) struct Disk;

impl Medium for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn MediumFile>> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(path)?;
        Ok(Box::new(file))
    }

    fn open_at_end(&self, path: &Path) -> io::Result<Box<dyn MediumFile>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        File::open(to.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl MediumFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn flush_to_disk(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, octets: u64) -> io::Result<()> {
        self.set_len(octets)
    }
}
