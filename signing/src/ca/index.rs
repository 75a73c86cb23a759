//! `index.jsonl`: one line for every certificate that was ever issued, appended and synced.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use countersign_core::{time::UnixSeconds, x509::Certificate};
use serde::{Deserialize, Serialize};

use super::{CaError, folder, held::is_serial};
use crate::{
    files::{self, FileError},
    key::sha256,
    name::SubjectName,
    profile::{Authority, Profile},
};

/// A million certificates.
const MAXIMUM_OCTETS: u64 = 512 << 20;

/// One line of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// The serial number in lower-case hexadecimal, as in the file's name.
    pub serial: String,
    /// Who issued it.
    pub ca: Authority,
    /// Which profile it follows.
    pub profile: Profile,
    /// The subject for people (RFC 4514), and its alternative names if it has some.
    pub subject: String,
    /// The end of its validity, RFC 3339.
    pub not_after: String,
    /// SHA-256 of its DER, in hexadecimal.
    pub sha256: String,
    /// When it was issued, RFC 3339.
    pub issued_at: String,
}

impl IndexEntry {
    pub(super) fn of(
        certificate: &Certificate<'_>,
        ca: Authority,
        profile: Profile,
        now: UnixSeconds,
    ) -> Self {
        let name = certificate.subject_text();
        let names = &certificate.extensions.subject_alt_names;
        let names: Vec<String> =
            names.iter().filter_map(SubjectName::of).map(|each| each.to_string()).collect();
        let subject = match names.join(", ") {
            names if names.is_empty() => name,
            names if name.is_empty() => names,
            names => format!("{name} ({names})"),
        };
        Self {
            serial: certificate.serial_text(),
            ca,
            profile,
            subject,
            not_after: certificate.not_after.to_string(),
            sha256: countersign_core::digest::encode_hex(sha256(certificate.raw).as_ref()),
            issued_at: now.to_string(),
        }
    }
}

/// Appends one entry; it is on disk when this returns.
pub(super) fn append(path: &Path, entry: &IndexEntry) -> Result<(), CaError> {
    let line = serde_json::to_string(entry).map_err(|error| CaError::Index {
        path: path.to_owned(),
        line: 0,
        detail: error.to_string(),
    })?;
    let is_new = !path.exists();
    let mut file = folder::open_to_append(path)?;
    append_locked(&mut file, &line).map_err(FileError::io("append to", path))?;
    if is_new {
        files::sync_folder(files::folder_of(path))?;
    }
    Ok(())
}

/// Two programs may issue at the same time; the lock goes when the file is closed.
fn append_locked(file: &mut File, line: &str) -> io::Result<()> {
    file.lock()?;
    cut_torn_line(file)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()
}

/// A crash may leave the last line without its end. Its certificate was never handed out, since
/// the line is synced before, so the line goes.
fn cut_torn_line(file: &mut File) -> io::Result<()> {
    // No line of ours is longer.
    const TAIL_OCTETS: u64 = 64 << 10;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL_OCTETS);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(TAIL_OCTETS).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
    if whole < tail.len() {
        file.set_len(start + whole as u64)?;
    }
    Ok(())
}

/// Every entry, in order; a torn last line is not one.
pub(super) fn read(path: &Path) -> Result<Vec<IndexEntry>, CaError> {
    let content = folder::read(path, MAXIMUM_OCTETS)?;
    let whole = content.iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
    content[..whole]
        .split(|octet| *octet == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(position, line)| {
            let damaged =
                |detail| CaError::Index { path: path.to_owned(), line: position + 1, detail };
            let entry: IndexEntry =
                serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
            // It becomes the name of a file.
            if !is_serial(&entry.serial) {
                return Err(damaged("the serial number is not lower-case hexadecimal".to_owned()));
            }
            Ok(entry)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn entry(serial: &str) -> IndexEntry {
        IndexEntry {
            serial: serial.to_owned(),
            ca: Authority::Signing,
            profile: Profile::CodeSigner,
            subject: "CN=x".to_owned(),
            not_after: "2027-01-01T00:00:00Z".to_owned(),
            sha256: "00".to_owned(),
            issued_at: "2026-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn survives_a_torn_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.jsonl");
        append(&path, &entry("01")).expect("appended");
        let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
        file.write_all(b"{\"serial\":\"0").expect("written");
        assert_eq!(read(&path).expect("read"), [entry("01")]);
        append(&path, &entry("02")).expect("appended");
        assert_eq!(read(&path).expect("read"), [entry("01"), entry("02")]);
    }

    #[test]
    fn no_serial_number_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.jsonl");
        for serial in ["../../elsewhere", "01/../02", "", ".", "0A", "é"] {
            std::fs::write(&path, serde_json::to_string(&entry(serial)).expect("JSON") + "\n")
                .expect("written");
            assert!(matches!(read(&path), Err(CaError::Index { line: 1, .. })), "{serial}");
        }
    }

    #[test]
    fn names_a_damaged_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.jsonl");
        append(&path, &entry("01")).expect("appended");
        let text = std::fs::read_to_string(&path).expect("read") + "{}\n";
        std::fs::write(&path, text).expect("written");
        assert!(matches!(read(&path), Err(CaError::Index { line: 2, .. })));
    }
}
