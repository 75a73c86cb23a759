//! Where a line noted earlier stands in a ledger: there, another line in its place, cut off, or archived.
//!
//! Only the files from the one with that line on are read: a service asks at each start, and a ledger
//! is as large as its disk. That nothing before was changed is for [`verify`](crate::verify()) to say.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::chain::{Chain, Identity, What};
use crate::entry::{Entry, MAX_LINE_BYTES};
use crate::folder::{file_name, files};
use crate::hash::Hash;
use crate::verify::{Fault, walk_file};

/// A ledger whose writer is gone, and what it has under a line's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Which ledger it is.
    pub identity: Identity,
    /// The number of its last line.
    pub head_sequence: u64,
    /// The hash of its last line.
    pub head: Hash,
    /// What it has under the number.
    pub at: At,
}

/// What a ledger has under a line's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A line of this hash, from which an unbroken chain leads to the last line.
    Line(Hash),
    /// It begins after that number: older files were archived. From its first line on it is whole.
    Archived {
        /// The number of its first line.
        first_sequence: u64,
    },
    /// It ends before that number.
    BehindTheEnd,
}

/// Looks for the line of number `sequence` in the ledger in `folder`; `None` when there is no
/// ledger. A last line that was not written to its end is no line.
///
/// # Errors
/// What of the ledger must be read for this is damaged, with file and line.
pub fn locate(folder: &Path, sequence: u64) -> Result<Option<Located>, Fault> {
    let files = match files(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        files => files.map_err(|error| at_file(folder, 0, error.into()))?,
    };
    if files.is_empty() {
        return Ok(None);
    }
    let (mut begin, mut first_sequence) = (files.len() - 1, 0);
    for (index, (_, path)) in files.iter().enumerate().rev() {
        begin = index;
        first_sequence = first_sequence_of(path)?;
        if first_sequence <= sequence {
            break;
        }
    }
    let (identity, chain, found) = walk(folder, &files[begin..], sequence)?;
    let Some((head_sequence, head)) = chain.head() else {
        return Err(at_file(folder, 0, What::NoLedger));
    };
    // The first line names the one before it, be that archived or not.
    let at = match found {
        Some(hash) => At::Line(hash),
        None if sequence == head_sequence => At::Line(head),
        None if sequence < first_sequence => At::Archived { first_sequence },
        None => At::BehindTheEnd,
    };
    Ok(Some(Located { identity, head_sequence, head, at }))
}

/// Reads those files; gives the hash of the line of that number too, if a line follows it.
fn walk(
    folder: &Path,
    files: &[(u64, PathBuf)],
    sequence: u64,
) -> Result<(Identity, Chain, Option<Hash>), Fault> {
    let (mut chain, mut known, mut found) = (Chain::anywhere(), None, None);
    let first = files.first().map_or(1, |(number, _)| *number);
    for (index, (next, (number, path))) in (first..).zip(files).enumerate() {
        if *number != next {
            return Err(at_file(&folder.join(file_name(next)), 0, What::FileMissing));
        }
        let (end, after, identity) = walk_file(path, *number, chain, |entry, _| {
            // A line's hash is what the line after it names.
            if Some(entry.sequence) == sequence.checked_add(1) {
                found = Some(entry.previous);
            }
        })?;
        chain = after;
        let is_last = index + 1 == files.len();
        if end.torn_octets > 0 && !is_last {
            return Err(at_file(path, 0, What::Cut { octets: end.torn_octets }));
        }
        let identity = identity
            .ok_or_else(|| at_file(path, 1, What::Incomplete { octets: end.torn_octets }))?;
        if *known.get_or_insert_with(|| identity.clone()) != identity {
            return Err(at_file(path, 1, What::Foreign { number: *number }));
        }
    }
    let identity = known.ok_or_else(|| at_file(folder, 0, What::NoLedger))?;
    Ok((identity, chain, found))
}

/// The number of a file's first line.
fn first_sequence_of(path: &Path) -> Result<u64, Fault> {
    let unreadable = |error: io::Error| at_file(path, 1, error.into());
    let file = File::open(path).map_err(unreadable)?;
    let mut line = Vec::new();
    let mut reader = BufReader::new(file).take(MAX_LINE_BYTES as u64);
    reader.read_until(b'\n', &mut line).map_err(unreadable)?;
    let Some(content) = line.strip_suffix(b"\n") else {
        return Err(at_file(path, 1, What::Incomplete { octets: line.len() as u64 }));
    };
    let entry = Entry::decode(content).map_err(|error| at_file(path, 1, error.into()))?;
    Ok(entry.sequence)
}

fn at_file(file: &Path, line: u64, what: What) -> Fault {
    Fault { file: file.to_owned(), line, what }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::verify::tests::{cut_last_line, ledger};

    fn at(folder: &Path, sequence: u64) -> At {
        locate(folder, sequence).expect("no fault").expect("a ledger").at
    }

    #[test]
    fn finds_every_line_over_the_files_of_the_rotation() {
        let (folder, hashes) = ledger();
        for (sequence, hash) in (0..).zip(&hashes) {
            assert_eq!(at(folder.path(), sequence), At::Line(*hash), "{sequence}");
        }
        let last = hashes.len() as u64 - 1;
        let located = locate(folder.path(), 3).expect("no fault").expect("a ledger");
        assert_eq!((located.head_sequence, located.head), (last, hashes[14]));
        assert_eq!(at(folder.path(), last + 1), At::BehindTheEnd);
        assert_eq!(at(folder.path(), u64::MAX), At::BehindTheEnd);
    }

    #[test]
    fn archived_files_are_told_from_lines_that_were_cut_off() {
        let (folder, hashes) = ledger();
        fs::remove_file(folder.path().join(file_name(1))).expect("removed");
        assert_eq!(at(folder.path(), 3), At::Archived { first_sequence: 5 });
        // The first line that is left still names the last one that is gone.
        assert_eq!(at(folder.path(), 4), At::Line(hashes[4]));
        cut_last_line(&folder, 3);
        assert_eq!(at(folder.path(), 14), At::BehindTheEnd);
        assert_eq!(at(folder.path(), 13), At::Line(hashes[13]));
        fs::remove_file(folder.path().join(file_name(3))).expect("removed");
        assert_eq!(at(folder.path(), 13), At::BehindTheEnd);
    }

    #[test]
    fn a_gap_among_the_files_that_must_be_read_is_a_fault() {
        let (folder, _) = ledger();
        fs::remove_file(folder.path().join(file_name(2))).expect("removed");
        let fault = locate(folder.path(), 3).expect_err("a gap");
        assert!(matches!(fault.what, What::FileMissing), "{fault}");
        assert!(matches!(at(folder.path(), 12), At::Line(_)));
    }

    #[test]
    fn a_file_that_does_not_follow_the_one_before_is_a_fault() {
        let (folder, _) = ledger();
        let (other, _) = ledger();
        cut_last_line(&other, 2);
        fs::copy(other.path().join(file_name(2)), folder.path().join(file_name(2)))
            .expect("copied");
        let fault = locate(folder.path(), 6).expect_err("it does not follow");
        assert!(matches!(fault.what, What::Sequence { .. }), "{fault}");
    }

    #[test]
    fn no_folder_and_no_file_is_no_ledger() {
        let folder = tempfile::tempdir().expect("folder");
        assert_eq!(locate(folder.path(), 0).expect("no fault"), None);
        assert_eq!(locate(&folder.path().join("none"), 0).expect("no fault"), None);
    }
}
