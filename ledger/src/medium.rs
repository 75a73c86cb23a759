//! What the ledger asks of a disk, so that tests can have one that fails.

use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// The owner writes, its group (auditors) may read.
pub(crate) const FILE_MODE: u32 = 0o640;

/// The same for folders.
pub(crate) const FOLDER_MODE: u32 = 0o750;

/// A disk.
pub trait Medium: Debug + Send + 'static {
    /// A new file in place of what may be at `path`.
    ///
    /// # Errors
    /// It cannot be made.
    fn create(&self, path: &Path) -> io::Result<Box<dyn MediumFile>>;

    /// A file that is there, to be written at its end.
    ///
    /// # Errors
    /// It cannot be opened.
    fn open_at_end(&self, path: &Path) -> io::Result<Box<dyn MediumFile>>;

    /// Renames over what may be at `to`, durably.
    ///
    /// # Errors
    /// It cannot be renamed, or the folder cannot be flushed.
    fn publish(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// A file that is written at its end only.
pub trait MediumFile: Debug + Send {
    /// Writes all of `bytes` at the end.
    ///
    /// # Errors
    /// Not all of them could be written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// `fdatasync`.
    ///
    /// # Errors
    /// What was written may not be on the disk, now or later.
    fn flush_to_disk(&mut self) -> io::Result<()>;

    /// Cuts the file to `octets`.
    ///
    /// # Errors
    /// It cannot be cut.
    fn cut(&mut self, octets: u64) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy)]
pub struct Disk;

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
        Ok(Box::new(own_file(&mut OpenOptions::new(), path)?))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        flush_folder(to.parent().unwrap_or(Path::new("")))
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

/// Opens a file to be written at its end that is one by itself: never through a link, by which somebody
/// who can write the folder alone could have another file of the service's written or locked.
pub(crate) fn own_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let no_link = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed();
    let opened = options.append(true).custom_flags(no_link).open(path);
    let is_link = |error: &io::Error| error.raw_os_error() == Some(Errno::LOOP.raw_os_error());
    match opened {
        Err(error) if !is_link(&error) => return Err(error),
        Ok(file) if file.metadata().is_ok_and(|it| it.is_file() && it.nlink() == 1) => {
            return Ok(file);
        }
        _ => {}
    }
    let path = path.display();
    Err(io::Error::other(format!("{path} is a link to another file, or not a file")))
}

/// Opens a file to be read: never a pipe, which could wait for ever, nor a device, which need not end.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let no_wait = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(no_wait).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

/// All of a file that has `most` octets at most; `None` if it has more.
pub(crate) fn read_whole(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut octets = Vec::new();
    open_file(path)?.take(most as u64 + 1).read_to_end(&mut octets)?;
    Ok(Some(octets).filter(|octets| octets.len() <= most))
}

/// Flushes a folder: names that were added to it or taken from it outlive a power failure.
pub(crate) fn flush_folder(folder: &Path) -> io::Result<()> {
    // The parent of a bare name is the empty path, which means the working folder.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Refuses a link in the place of `folder`, which is in the ledger's: what is written there would be
/// written elsewhere.
pub(crate) fn refuse_link(folder: &Path) -> io::Result<()> {
    if folder.symlink_metadata()?.is_dir() {
        return Ok(());
    }
    Err(io::Error::other(format!("{} is a link, or not a folder", folder.display())))
}

/// Makes the folder durably, with the folders above it that are missing.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.is_dir()).collect();
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    for made in missing {
        flush_folder(made.parent().unwrap_or(Path::new("")))?;
    }
    Ok(())
}
