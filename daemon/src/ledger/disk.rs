//! The file system, with the places where a test has the process die.

use std::io;
use std::path::Path;

use countersign_ledger::{Disk, Medium, MediumFile};

use crate::crash_point;

/// The file system.
#[derive(Debug)]
pub(super) struct CrashingDisk;

#[derive(Debug)]
struct CrashingFile(Box<dyn MediumFile>);

impl Medium for CrashingDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn MediumFile>> {
        Ok(Box::new(CrashingFile(Disk.create(path)?)))
    }

    fn open_at_end(&self, path: &Path) -> io::Result<Box<dyn MediumFile>> {
        Ok(Box::new(CrashingFile(Disk.open_at_end(path)?)))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.publish(from, to)
    }
}

impl MediumFile for CrashingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        crash_point::reach("ledger.write");
        self.0.append(bytes)?;
        crash_point::reach("ledger.written");
        Ok(())
    }

    fn flush_to_disk(&mut self) -> io::Result<()> {
        self.0.flush_to_disk()?;
        crash_point::reach("ledger.flushed");
        Ok(())
    }

    fn cut(&mut self, octets: u64) -> io::Result<()> {
        self.0.cut(octets)
    }
}
