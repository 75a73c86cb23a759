//! Verification of format 1: file by file, line by line, in constant memory.
//!
//! The chain proves that what is here is whole and in order up to its last line. It cannot prove
//! that nothing was cut off at the end, nor that the last line is as it was written: for that, expect
//! a head seen earlier ([`Expectation::head`](crate::Expectation::head)).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::thread;

use super::chain::{Blame, Chain};
use super::folder::file_name;
use super::line::{FILE_KIND, LINES_FORMAT, Line, MAX_LINE_BYTES};
use crate::fault::{Fault, Place, What};
use crate::medium::open_file;
use crate::reading::{FileEnd, LOOK_PAUSE, PATIENCE_LOOKS, Reading, Start, Tail};
use crate::record::{Head, Identity, Malformed};

const BUFFER_BYTES: usize = 256 * 1024;

/// Where format 1 ends in a folder.
pub(crate) struct LinesEnd {
    /// The last line.
    pub(crate) head: Head,
    /// Where it is.
    pub(crate) place: Place,
}

/// Reads the files of format 1, of which there is at least one; `last_tail` says what a torn end of
/// the last one means.
pub(crate) fn walk_files(
    folder: &Path,
    files: Vec<(u64, PathBuf)>,
    start: Start,
    last_tail: Tail,
    reading: &mut Reading<'_>,
) -> Result<LinesEnd, Fault> {
    let (Some(first), Some(last)) = (files.first(), files.last()) else {
        return Err(Place::file(folder).fault(What::NoLedger));
    };
    let (chain, first) = match start {
        Start::Whole => (Chain::whole(), 1),
        Start::After(head) => (Chain::after(head), first.0),
    };
    let last = last.0;
    let mut walk = Walk { chain, reading, places: [None, None] };
    let mut present = files.into_iter().peekable();
    for number in first..=last {
        let tail = if number == last { last_tail } else { Tail::Followed };
        match present.next_if(|(found, _)| *found == number) {
            Some((_, path)) => walk.file(&path, number, tail)?,
            None => {
                return Err(Place::file(folder.join(file_name(number))).fault(What::FileMissing));
            }
        };
    }
    walk.end()?;
    let [Some(place), _] = walk.places else {
        return Err(Place::file(folder).fault(What::NoLedger));
    };
    let head = walk.chain.head().ok_or_else(|| place.fault(What::NoLedger))?;
    Ok(LinesEnd { head, place })
}

/// Reads one file of a ledger whose writer is gone: `chain` goes on in it. Gives how far it can be
/// read; a torn last line is no fault here.
pub(crate) fn walk_file(
    path: &Path,
    number: u64,
    chain: Chain,
    reading: &mut Reading<'_>,
) -> Result<(FileEnd, Chain), Fault> {
    let mut walk = Walk { chain, reading, places: [None, None] };
    let end = walk.file(path, number, Tail::Abandoned)?;
    walk.end()?;
    Ok((end, walk.chain))
}

struct Walk<'a, 'w> {
    chain: Chain,
    reading: &'a mut Reading<'w>,
    /// The places of the last two lines, the later first.
    places: [Option<Place>; 2],
}

impl Walk<'_, '_> {
    fn file(&mut self, path: &Path, number: u64, tail: Tail) -> Result<FileEnd, Fault> {
        let mut place = Place::file(path);
        let file = open_file(path).map_err(|error| place.fault(error))?;
        self.reading.files += 1;
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut line = Vec::new();
        let mut whole_octets = 0;
        loop {
            place.line += 1;
            let torn_octets = match next_line(&mut reader, &mut line, tail) {
                Ok(Next::Line) => {
                    self.line(&line, number, &place)?;
                    whole_octets += line.len() as u64;
                    continue;
                }
                Ok(Next::TooLong) => {
                    self.end()?;
                    return Err(place.fault(Malformed::TooLong));
                }
                Ok(Next::Torn(octets)) => octets,
                Err(error) => return Err(place.fault(error)),
            };
            let what = match tail {
                Tail::Growing if torn_octets > 0 || place.line == 1 => {
                    What::Incomplete { octets: torn_octets }
                }
                Tail::Followed if torn_octets > 0 || place.line == 1 => {
                    What::Cut { octets: torn_octets }
                }
                _ => return Ok(FileEnd { whole_octets, torn_octets }),
            };
            self.end()?;
            return Err(place.fault(what));
        }
    }

    fn line(&mut self, octets: &[u8], number: u64, place: &Place) -> Result<(), Fault> {
        let content = octets.strip_suffix(b"\n").unwrap_or(octets);
        let line = match Line::decode(content) {
            Ok(line) => line,
            Err(malformed) => {
                self.end()?;
                return Err(place.fault(malformed));
            }
        };
        let is_first = self.chain.head().is_none();
        self.chain.follow(&line, octets).map_err(|broken| self.blame(broken, place))?;
        if (place.line == 1) != (line.entry.kind == FILE_KIND) {
            return Err(place.fault(What::Foreign { number }));
        }
        if place.line == 1 {
            self.begin(&line, number).map_err(|what| place.fault(what))?;
        }
        if let Some(before) = line.entry.sequence.checked_sub(1).filter(|_| is_first) {
            // The line before may have been archived; this one names it.
            self.reading.head(Head { sequence: before, hash: line.previous });
        }
        self.reading.record(&line.entry, place);
        if let Some(head) = self.chain.head() {
            self.reading.head(head);
        }
        self.places.swap(0, 1);
        self.places[0] = Some(place.clone());
        Ok(())
    }

    /// Holds a file's first line against the ledger.
    fn begin(&mut self, line: &Line<'_>, number: u64) -> Result<(), What> {
        let record = line.file_record().ok_or(What::Foreign { number })?;
        if record.format != LINES_FORMAT {
            return Err(What::Format { found: record.format });
        }
        let identity = Identity { ledger: record.ledger, id: record.id };
        if record.file != number || !self.reading.is_of(&identity) {
            return Err(What::Foreign { number });
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let nowhere = Place::file(PathBuf::new());
        self.chain.end().map_err(|(_, what)| {
            // No line came after the break: it is laid upon the line before the last.
            let place = self.places[1].as_ref().or(self.places[0].as_ref());
            place.unwrap_or(&nowhere).fault(what)
        })
    }

    fn blame(&self, (blame, what): (Blame, What), this: &Place) -> Fault {
        let place = match blame {
            Blame::This => Some(this),
            Blame::Last => self.places[0].as_ref(),
            Blame::BeforeLast => self.places[1].as_ref(),
        };
        place.unwrap_or(this).fault(what)
    }
}

enum Next {
    /// A line, with its line feed.
    Line,
    /// A line feed comes, but too late.
    TooLong,
    /// This many octets without a line feed, then the end.
    Torn(u64),
}

fn next_line(reader: &mut BufReader<File>, line: &mut Vec<u8>, tail: Tail) -> io::Result<Next> {
    line.clear();
    let mut looks = 0;
    loop {
        let room = MAX_LINE_BYTES - line.len();
        let read = reader.by_ref().take(room as u64).read_until(b'\n', line)?;
        if line.last() == Some(&b'\n') {
            return Ok(Next::Line);
        }
        if line.len() == MAX_LINE_BYTES {
            return rest_without_line_feed(reader, MAX_LINE_BYTES as u64);
        }
        if read == 0 {
            if tail != Tail::Growing || line.is_empty() || looks == PATIENCE_LOOKS {
                return Ok(Next::Torn(line.len() as u64));
            }
            looks += 1;
            thread::sleep(LOOK_PAUSE);
        }
    }
}

/// A power failure can leave any number of zeros at a file's end: they are one torn line.
fn rest_without_line_feed(reader: &mut BufReader<File>, mut octets: u64) -> io::Result<Next> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Next::Torn(octets));
        }
        if buffer.contains(&b'\n') {
            return Ok(Next::TooLong);
        }
        let length = buffer.len();
        octets += length as u64;
        reader.consume(length);
    }
}
