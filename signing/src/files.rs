//! Files that are whole or not there at all.
//!
//! A file is written beside its destination, synced, and only then given its name; the folder is
//! synced last, so that the name survives a power cut too. A crash leaves at most a hidden
//! temporary file. What a file contains is none of this module's business.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file of that name exists, and this operation never overwrites.
    #[error("{} exists already; it is not overwritten", path.display())]
    AlreadyExists {
        /// The file.
        path: PathBuf,
    },
    /// The file is larger than anything of its kind.
    #[error("{} is larger than {maximum_octets} octets", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        maximum_octets: u64,
    },
    /// It is a folder, a device or a pipe.
    #[error("{} is not a regular file", path.display())]
    NotARegularFile {
        /// What was named.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// What was being done: `read`, `write`, …
        operation: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl FileError {
    /// The error of an operation (`open`, `create`) on a path, for `map_err`.
    pub fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { operation, path, source }
    }
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileMode {
    /// The owner alone: 0600.
    Private,
    /// Everyone, as far as the umask allows: 0644.
    Public,
}

impl FileMode {
    const fn bits(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Public => 0o644,
        }
    }
}

/// Writes a file that must not exist yet.
///
/// # Errors
/// [`FileError::AlreadyExists`] when it does, even if it appeared only a moment ago;
/// [`FileError::Io`] when the operating system refuses. Nothing is left behind.
pub fn write_new(path: &Path, content: &[u8], mode: FileMode) -> Result<(), FileError> {
    let temporary = write_beside(path, content, mode)?;
    temporary.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => FileError::AlreadyExists { path: path.to_owned() },
        _ => FileError::io("create", path)(error.error),
    })?;
    sync_folder(folder_of(path))
}

/// Writes a file, in one step taking the place of one that has the name.
///
/// # Errors
/// [`FileError::Io`] when the operating system refuses; the old file is then untouched.
pub fn replace(path: &Path, content: &[u8], mode: FileMode) -> Result<(), FileError> {
    let temporary = write_beside(path, content, mode)?;
    temporary.persist(path).map_err(|error| FileError::io("replace", path)(error.error))?;
    sync_folder(folder_of(path))
}

/// Makes a folder that only the owner may enter (0700); its parent must exist. A folder that
/// exists already is left as it is.
///
/// # Errors
/// [`FileError::Io`] when the operating system refuses.
pub fn create_private_folder(path: &Path) -> Result<(), FileError> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => sync_folder(folder_of(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(FileError::io("create", path)(error)),
    }
}

/// Reads a regular file of at most `maximum_octets`.
///
/// # Errors
/// [`FileError::NotARegularFile`], [`FileError::TooLarge`], or [`FileError::Io`].
pub fn read_bounded(path: &Path, maximum_octets: u64) -> Result<Vec<u8>, FileError> {
    // Before it is opened: opening a pipe waits for whoever writes to it.
    let metadata = fs::metadata(path).map_err(FileError::io("open", path))?;
    if !metadata.is_file() {
        return Err(FileError::NotARegularFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(FileError::io("open", path))?;
    read_open_file(&file, path, maximum_octets)
}

/// Reads a file that is open already; `path` is for messages.
pub(crate) fn read_open_file(
    file: &File,
    path: &Path,
    maximum_octets: u64,
) -> Result<Vec<u8>, FileError> {
    let metadata = file.metadata().map_err(FileError::io("read", path))?;
    if !metadata.is_file() {
        return Err(FileError::NotARegularFile { path: path.to_owned() });
    }
    // Enough at once, so that a passphrase or key leaves no copies behind in buffers outgrown.
    let length = metadata.len().min(maximum_octets).saturating_add(1);
    let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    let limit = maximum_octets.saturating_add(1);
    file.take(limit).read_to_end(&mut content).map_err(FileError::io("read", path))?;
    if content.len() as u64 > maximum_octets {
        return Err(FileError::TooLarge { path: path.to_owned(), maximum_octets });
    }
    Ok(content)
}

fn write_beside(path: &Path, content: &[u8], mode: FileMode) -> Result<NamedTempFile, FileError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // O_EXCL and the mode at creation: at no moment does a private file have another mode.
    let mut temporary = Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        .permissions(Permissions::from_mode(mode.bits()))
        .tempfile_in(folder_of(path))
        .map_err(FileError::io("create a temporary file beside", path))?;
    temporary.write_all(content).map_err(FileError::io("write", path))?;
    temporary.as_file().sync_all().map_err(FileError::io("sync", path))?;
    Ok(temporary)
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(crate) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let open = File::open(folder).map_err(FileError::io("open", folder))?;
    open.sync_all().map_err(FileError::io("sync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).expect("readable").count()
    }

    #[test]
    fn never_overwrites_what_must_be_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        write_new(&path, b"first", FileMode::Private).expect("written");
        let error = write_new(&path, b"second", FileMode::Private).expect_err("refused");
        assert!(matches!(error, FileError::AlreadyExists { .. }));
        assert_eq!(fs::read(&path).expect("readable"), b"first");
        assert_eq!(entries(folder.path()), 1, "no temporary file is left");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn replaces_in_one_step() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        replace(&path, b"first", FileMode::Public).expect("written");
        replace(&path, b"second", FileMode::Public).expect("replaced");
        assert_eq!(read_bounded(&path, 6).expect("readable"), b"second");
        assert!(matches!(read_bounded(&path, 5), Err(FileError::TooLarge { .. })));
        assert!(matches!(read_bounded(folder.path(), 5), Err(FileError::NotARegularFile { .. })));
        assert_eq!(entries(folder.path()), 1);
    }

    #[test]
    fn leaves_nothing_where_it_cannot_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).expect("made");
        replace(&taken, b"x", FileMode::Public).expect_err("a folder is not replaced");
        let inside = folder.path().join("missing").join("a");
        replace(&inside, b"x", FileMode::Public).expect_err("no such folder");
        assert_eq!(entries(folder.path()), 1);
    }
}
