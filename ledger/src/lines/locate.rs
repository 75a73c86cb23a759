//! Where a line noted earlier is in a ledger of format 1: there, another line in its place, or not.
//!
//! Only the files from the one with that line on are read: a service asks at each start, and a ledger
//! is as large as its disk. That nothing before was changed is for [`verify`](crate::verify()) to say.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::chain::Chain;
use super::folder::file_name;
use super::line::{Line, MAX_LINE_BYTES};
use super::walk::walk_file;
use crate::fault::{Fault, Place, What, unreadable};
use crate::hash::Hash;
use crate::medium::open_file;
use crate::reading::{Reading, Watcher};
use crate::record::{Head, Identity};

/// The part of a ledger that is in format 1.
pub(crate) struct LocatedLine {
    pub(crate) identity: Identity,
    pub(crate) head: Head,
    /// The hash of the line that was looked for, if it is there.
    pub(crate) found: Option<Hash>,
}

/// Looks for the line of number `sequence` in `files`, of which there is at least one. A last line
/// that was not written to its end is no line.
pub(crate) fn locate_line(
    folder: &Path,
    files: &[(u64, PathBuf)],
    sequence: u64,
) -> Result<LocatedLine, Fault> {
    let mut begin = 0;
    for (index, (_, path)) in files.iter().enumerate().rev() {
        begin = index;
        if first_sequence_of(path)? <= sequence {
            break;
        }
    }
    let mut asking = Asking(sequence);
    let mut reading = Reading::new(&mut asking, None);
    let mut chain = Chain::anywhere();
    let files = &files[begin..];
    let first = files.first().map_or(1, |(number, _)| *number);
    for (index, (next, (number, path))) in (first..).zip(files).enumerate() {
        if *number != next {
            return Err(Place::file(folder.join(file_name(next))).fault(What::FileMissing));
        }
        let (end, after) = walk_file(path, *number, chain, &mut reading)?;
        chain = after;
        if end.torn_octets > 0 && index + 1 < files.len() {
            return Err(Place::file(path).fault(What::Cut { octets: end.torn_octets }));
        }
        if reading.identity().is_none() {
            let what = What::Incomplete { octets: end.torn_octets };
            return Err(Place::file(path).record(1).fault(what));
        }
    }
    let (Some(head), Some(identity)) = (chain.head(), reading.identity().cloned()) else {
        return Err(Place::file(folder).fault(What::NoLedger));
    };
    let found = reading.summary(head, &Place::file(folder))?.head_at;
    Ok(LocatedLine { identity, head, found })
}

/// Asks for the head at a record.
struct Asking(u64);

impl Watcher for Asking {
    fn identity(&mut self, _: &Identity) -> Option<u64> {
        Some(self.0)
    }
}

/// The number of a file's first line.
fn first_sequence_of(path: &Path) -> Result<u64, Fault> {
    let file = open_file(path).map_err(unreadable(path))?;
    let place = Place::file(path).record(1);
    let mut line = Vec::new();
    let mut reader = BufReader::new(file).take(MAX_LINE_BYTES as u64);
    reader.read_until(b'\n', &mut line).map_err(unreadable(path))?;
    let Some(content) = line.strip_suffix(b"\n") else {
        return Err(place.fault(What::Incomplete { octets: line.len() as u64 }));
    };
    let line = Line::decode(content).map_err(|error| place.fault(error))?;
    Ok(line.entry.sequence)
}
