//! The files of a CA's folder are in it: a symbolic link in the place of one is not followed.
//!
//! Somebody who can write to the folder could otherwise have the CA append its index to another
//! file, or write into another folder, with the rights of who runs the program. The folder itself
//! may be named by a link, since who runs the program names it. So may a CA's key file: it is only
//! read, and used only if it is the certificate's key.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::{fs::OFlags, io::Errno};

use super::CaError;
use crate::{
    files::{self, FileError},
    pem::{self, PemError},
};

/// Fails if a link is in the place of a file or subfolder; what is not there is none.
///
/// # Errors
/// [`CaError::Linked`].
pub(super) fn refuse_link(path: &Path) -> Result<(), CaError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(CaError::Linked { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Opens a file of the folder for appending, and makes it if it is not there.
///
/// # Errors
/// [`CaError::Linked`], or what the operating system says.
pub(super) fn open_to_append(path: &Path) -> Result<File, CaError> {
    open(path, OpenOptions::new().read(true).append(true).create(true).mode(0o600))
}

/// Reads a file of the folder.
///
/// # Errors
/// [`CaError::Linked`], or as [`files::read_bounded`].
pub(super) fn read(path: &Path, maximum_octets: u64) -> Result<Vec<u8>, CaError> {
    let file = open(path, OpenOptions::new().read(true))?;
    Ok(files::read_open_file(&file, path, maximum_octets)?)
}

/// As [`read`]; `None` if the file is not there.
///
/// # Errors
/// As [`read`].
pub(super) fn read_if_there(path: &Path, maximum_octets: u64) -> Result<Option<Vec<u8>>, CaError> {
    match read(path, maximum_octets) {
        Err(CaError::File(FileError::Io { source, .. }))
            if source.kind() == io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        read => read.map(Some),
    }
}

/// The first certificate of a PEM file of the folder.
///
/// # Errors
/// As [`read`], and when the file holds none.
pub(super) fn read_certificate(path: &Path) -> Result<Vec<u8>, CaError> {
    let content = read(path, pem::MAXIMUM_FILE_OCTETS)?;
    let malformed = |source: PemError| CaError::Pem { path: path.to_owned(), source };
    let mut certificates = pem::decode_certificates(content).map_err(malformed)?;
    Ok(certificates.swap_remove(0))
}

/// Makes a subfolder that only the owner may enter, unless it is there.
///
/// # Errors
/// [`CaError::Linked`], or what the operating system says.
pub(super) fn make_subfolder(path: &Path) -> Result<(), CaError> {
    refuse_link(path)?;
    Ok(files::create_private_folder(path)?)
}

/// The last part of the path is opened itself; a pipe in its place is not waited for.
fn open(path: &Path, options: &mut OpenOptions) -> Result<File, CaError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
    opened.map_err(|error| {
        if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
            return CaError::Linked { path: path.to_owned() };
        }
        FileError::io("open", path)(error).into()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_neither_read_nor_written_nor_made_a_folder_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "text").expect("written");
        fs::create_dir(at("subfolder")).expect("made");
        for (target, link) in
            [("file", "to-file"), ("subfolder", "to-folder"), ("none", "dangling")]
        {
            symlink(at(target), at(link)).expect("linked");
            for refused in [
                read(&at(link), 9).err(),
                read_if_there(&at(link), 9).err(),
                open_to_append(&at(link)).err(),
                make_subfolder(&at(link)).err(),
            ] {
                assert!(matches!(refused, Some(CaError::Linked { .. })), "{link}: {refused:?}");
            }
        }
        assert_eq!(read(&at("file"), 9).expect("read"), b"text");
        assert_eq!(read_if_there(&at("none"), 9).expect("nothing"), None);
        assert!(!at("none").exists());
        make_subfolder(&at("subfolder")).expect("there already");
        make_subfolder(&at("new")).expect("made");
    }
}
