//! Verification of a whole ledger: file by file, line by line, in constant memory.
//!
//! The chain proves that what is here is whole and in order up to its last line. It cannot prove
//! that nothing was cut off at the end, nor that the last line is as it was written: for that, pin
//! the hash of a head seen earlier ([`Expectation::head`]).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::chain::{Blame, Chain, Identity, What};
use crate::entry::{Entry, FILE_KIND, FORMAT_VERSION, MAX_LINE_BYTES, Malformed};
use crate::folder::{file_name, files};
use crate::hash::Hash;

/// How long a line that is being written may take to be whole, and how often to look.
const PATIENCE_LOOKS: u32 = 25;
const LOOK_PAUSE: Duration = Duration::from_millis(20);

const BUFFER_BYTES: usize = 256 * 1024;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or the folder when no file can be named.
    pub file: PathBuf,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
}

/// The first thing that is wrong with a ledger.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", file.display(), if *line == 0 { String::new() } else { format!(", line {line}") })]
pub struct Fault {
    /// The file, or the folder when no file can be named.
    pub file: PathBuf,
    /// The line, from 1; 0 when it is the file as a whole.
    pub line: u64,
    /// What is wrong there.
    #[source]
    pub what: What,
}

/// Where the ledger must begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// With its first line.
    #[default]
    Whole,
    /// With the line after the one of this hash: older files were archived elsewhere.
    After(Hash),
}

/// What the ledger is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expectation {
    /// Where it must begin.
    pub start: Start,
    /// The hash of a line that must be in it: a head that was noted earlier.
    pub head: Option<Hash>,
}

/// What a ledger that is whole has in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The ledger's name.
    pub ledger: String,
    /// Its random number.
    pub id: String,
    /// How many files.
    pub files: u64,
    /// How many lines, those that begin a file included.
    pub lines: u64,
    /// The number of the first line: 0 unless older files were archived.
    pub first_sequence: u64,
    /// The number of the last line.
    pub head_sequence: u64,
    /// The hash of the last line: note it somewhere else, and expect it next time.
    pub head: Hash,
    /// When the last line was written.
    pub head_time: String,
    /// How many lines came after the head that was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines_after_expected_head: Option<u64>,
    /// How many lines have an earlier time than the line before them: steps of the clock.
    pub backward_times: u64,
}

/// What a file that does not end with a whole line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Another file follows: damage.
    Followed,
    /// It is being written, perhaps: look again for half a second.
    Growing,
    /// Its writer is gone.
    Abandoned,
}

/// How far a file can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEnd {
    /// Octets of whole lines.
    pub whole_octets: u64,
    /// Octets after them, without a line feed: a line that was not written to its end.
    pub torn_octets: u64,
}

/// Verifies the ledger in `folder`.
///
/// # Errors
/// The first fault, with its file and line.
pub fn verify(folder: &Path, expectation: &Expectation) -> Result<Summary, Fault> {
    verify_each(folder, expectation, |_, _| {})
}

/// As [`verify`], showing every line that is reached; a line is shown before those after it vouch for it.
///
/// # Errors
/// As [`verify`].
pub fn verify_each(
    folder: &Path,
    expectation: &Expectation,
    visit: impl FnMut(&Entry<'_>, &Place),
) -> Result<Summary, Fault> {
    let at_folder = |what| Fault { file: folder.to_owned(), line: 0, what };
    let files = files(folder).map_err(|error| at_folder(error.into()))?;
    let (Some(first), Some(last)) = (files.first(), files.last()) else {
        return Err(at_folder(What::NoLedger));
    };
    let start = match expectation.start {
        Start::Whole => Hash::NONE,
        Start::After(hash) => hash,
    };
    let (first, last) = (if start == Hash::NONE { 1 } else { first.0 }, last.0);
    let mut walk = Walk::new(Chain::after(start), visit, expectation.head);
    let mut present = files.into_iter().peekable();
    for number in first..=last {
        let tail = if number == last { Tail::Growing } else { Tail::Followed };
        match present.next_if(|(found, _)| *found == number) {
            Some((_, path)) => walk.file(&path, number, tail)?,
            None => return Err(missing(folder, number)),
        };
    }
    walk.summary(last - first + 1, expectation.head)
}

/// Reads one file of a ledger whose writer is gone: `chain` goes on in it. Gives how far it can be
/// read; a torn last line is no fault here.
///
/// # Errors
/// The first fault, with its line.
pub fn walk_file(
    path: &Path,
    number: u64,
    chain: Chain,
    visit: impl FnMut(&Entry<'_>, &Place),
) -> Result<(FileEnd, Chain, Option<Identity>), Fault> {
    let mut walk = Walk::new(chain, visit, None);
    let end = walk.file(path, number, Tail::Abandoned)?;
    walk.end()?;
    Ok((end, walk.chain, walk.identity))
}

fn missing(folder: &Path, number: u64) -> Fault {
    Fault { file: folder.join(file_name(number)), line: 0, what: What::FileMissing }
}

struct Walk<V> {
    chain: Chain,
    visit: V,
    identity: Option<Identity>,
    /// The head to look for, and the number of the line that has it.
    expected_head: Option<Hash>,
    seen_head: Option<u64>,
    lines: u64,
    first_sequence: u64,
    last_time: String,
    backward_times: u64,
    /// The places of the last two lines, the later first.
    places: [Option<Place>; 2],
}

impl<V: FnMut(&Entry<'_>, &Place)> Walk<V> {
    fn new(chain: Chain, visit: V, expected_head: Option<Hash>) -> Self {
        Self {
            chain,
            visit,
            identity: None,
            expected_head,
            seen_head: None,
            lines: 0,
            first_sequence: 0,
            last_time: String::new(),
            backward_times: 0,
            places: [None, None],
        }
    }

    fn file(&mut self, path: &Path, number: u64, tail: Tail) -> Result<FileEnd, Fault> {
        let mut place = Place { file: path.to_owned(), line: 0 };
        let at = |place: &Place, what| Fault { file: place.file.clone(), line: place.line, what };
        let file = File::open(path).map_err(|error| at(&place, error.into()))?;
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
                    return Err(at(&place, Malformed::TooLong.into()));
                }
                Ok(Next::Torn(octets)) => octets,
                Err(error) => return Err(at(&place, error.into())),
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
            return Err(at(&place, what));
        }
    }

    fn line(&mut self, line: &[u8], number: u64, place: &Place) -> Result<(), Fault> {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let entry = match Entry::decode(content) {
            Ok(entry) => entry,
            Err(malformed) => {
                self.end()?;
                return Err(fault(place, malformed.into()));
            }
        };
        self.chain.follow(&entry, line).map_err(|broken| self.blame(broken, place))?;
        if (place.line == 1) != (entry.kind == FILE_KIND) {
            return Err(fault(place, What::Foreign { number }));
        }
        if place.line == 1 {
            self.begin(&entry, number).map_err(|what| fault(place, what))?;
        }
        if self.lines == 0 {
            self.first_sequence = entry.sequence;
        }
        self.lines += 1;
        // Times have one length: their order is that of their text.
        self.backward_times += u64::from(entry.time < self.last_time.as_str());
        self.last_time.clear();
        self.last_time.push_str(entry.time);
        if self.expected_head.is_some()
            && self.chain.head().map(|(_, hash)| hash) == self.expected_head
        {
            self.seen_head = Some(entry.sequence);
        }
        (self.visit)(&entry, place);
        self.places.swap(0, 1);
        self.places[0] = Some(place.clone());
        Ok(())
    }

    /// Holds a file's first line against the ledger.
    fn begin(&mut self, entry: &Entry<'_>, number: u64) -> Result<(), What> {
        let record = entry.file_record().ok_or(What::Foreign { number })?;
        if record.format != FORMAT_VERSION {
            return Err(What::Format { found: record.format });
        }
        let identity = Identity { ledger: record.ledger, id: record.id };
        let known = self.identity.get_or_insert_with(|| identity.clone());
        if record.file != number || *known != identity {
            return Err(What::Foreign { number });
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let nowhere = Place { file: PathBuf::new(), line: 0 };
        self.chain.end().map_err(|(_, what)| {
            // No line came after the break: it is laid upon the line before the last.
            let place = self.places[1].as_ref().or(self.places[0].as_ref());
            fault(place.unwrap_or(&nowhere), what)
        })
    }

    fn blame(&self, (blame, what): (Blame, What), this: &Place) -> Fault {
        let place = match blame {
            Blame::This => Some(this),
            Blame::Last => self.places[0].as_ref(),
            Blame::BeforeLast => self.places[1].as_ref(),
        };
        fault(place.unwrap_or(this), what)
    }

    fn summary(mut self, files: u64, expected: Option<Hash>) -> Result<Summary, Fault> {
        self.end()?;
        let [Some(last), _] = &self.places else {
            return Err(Fault { file: PathBuf::new(), line: 0, what: What::NoLedger });
        };
        let (Some((head_sequence, head)), Some(identity)) = (self.chain.head(), self.identity)
        else {
            return Err(fault(last, What::NoLedger));
        };
        if let (Some(expected), None) = (expected, self.seen_head) {
            return Err(fault(last, What::HeadMissing { expected }));
        }
        Ok(Summary {
            ledger: identity.ledger,
            id: identity.id,
            files,
            lines: self.lines,
            first_sequence: self.first_sequence,
            head_sequence,
            head,
            head_time: self.last_time,
            lines_after_expected_head: self.seen_head.map(|seen| head_sequence - seen),
            backward_times: self.backward_times,
        })
    }
}

fn fault(place: &Place, what: What) -> Fault {
    Fault { file: place.file.clone(), line: place.line, what }
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

#[cfg(test)]
pub(crate) mod tests;
