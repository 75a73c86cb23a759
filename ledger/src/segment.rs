//! The write-ahead files: records that were acknowledged and are not on tiles yet.
//!
//! A file is named for the number of its first leaf, `pending/00000000000000000512`, and consists of
//! frames, one for each batch of records that was written at once:
//!
//! | Octets | What |
//! |---|---|
//! | 4 | how many octets of entries follow, most significant first |
//! | as many | the entries, as in a bundle (C2SP tlog-tiles) |
//! | 8 | the size of the tree with them |
//! | 32 | its root |
//!
//! So a frame commits to everything before it, and one that was not written to its end is seen.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::tlog::frontier::Frontier;
use countersign_core::tlog::merkle::{TreeHead, leaf_hash};
use countersign_core::tlog::tile::{Entries, push_entry};

use crate::fault::{Fault, Place, What};
use crate::hash::Hash;
use crate::reading::{FileEnd, LOOK_PAUSE, PATIENCE_LOOKS, Tail};

/// The folder of these files.
pub(crate) const FOLDER: &str = "pending";

/// The most entries of a frame, in octets: bounds the memory of a reader.
pub(crate) const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;

/// So much of a file is read at a time: a reader's memory is bounded by this and a frame.
const STEP_BYTES: u64 = 1024 * 1024;

const LENGTH_BYTES: usize = 4;
const HEAD_BYTES: usize = 8 + 32;

/// A file of the write-ahead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// The number of its first leaf.
    pub(crate) first: u64,
    pub(crate) path: PathBuf,
}

impl Segment {
    pub(crate) fn new(folder: &Path, first: u64) -> Self {
        Self { first, path: folder.join(FOLDER).join(format!("{first:020}")) }
    }
}

/// The write-ahead files of the ledger in `folder`, in their order.
pub(crate) fn segments(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    let listed = match fs::read_dir(folder.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        listed => listed?,
    };
    for entry in listed {
        let name = entry?.file_name();
        let first = name.to_str().and_then(|name| name.parse().ok());
        let segment = first.map(|first| Segment::new(folder, first));
        found.extend(segment.filter(|segment| segment.path.file_name() == Some(&name)));
    }
    found.sort_unstable();
    Ok(found)
}

/// Appends a frame to `out`; the octets of `entries` must be [`MAX_FRAME_BYTES`] at most.
pub(crate) fn encode_frame(out: &mut Vec<u8>, entries: &[u8], head: &TreeHead) {
    out.extend_from_slice(&u32::try_from(entries.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(entries);
    out.extend_from_slice(&head.size.to_be_bytes());
    out.extend_from_slice(head.root.octets());
}

/// A write-ahead file with these records in one frame, as that of a ledger that begins with them: how
/// tests make ledgers that nobody wrote. Records that are too long are left out.
pub fn encode_segment(records: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let (mut entries, mut octets) = (Vec::new(), Vec::new());
    let mut frontier = Frontier::default();
    for record in records.iter().map(AsRef::as_ref) {
        if push_entry(&mut entries, record) {
            frontier.push(&AwsLc, leaf_hash(&AwsLc, record));
        }
    }
    encode_frame(&mut octets, &entries, &frontier.head(&AwsLc));
    octets
}

/// The records in the whole frames of a write-ahead file, up to what is torn or damaged; none of them,
/// nor their tree, is verified.
pub fn decode_segment(octets: &[u8]) -> Vec<&[u8]> {
    let mut frames = Frames::of(octets);
    let mut records = Vec::new();
    while let Next::Frame(frame) = frames.next() {
        records.extend(Entries::of(frame.entries).map_while(Result::ok));
    }
    records
}

/// Frames, one after the other.
pub(crate) struct Frames<'a> {
    octets: &'a [u8],
    /// Octets that were read.
    pub(crate) read: usize,
}

/// A frame, whose head is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) entries: &'a [u8],
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

/// What comes after the frames that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    Frame(Frame<'a>),
    /// The end.
    End,
    /// So many octets that are the beginning of a frame, or were never written.
    Torn(u64),
    /// What no writer leaves, however it is killed.
    Damaged,
}

impl<'a> Frames<'a> {
    pub(crate) fn of(octets: &'a [u8]) -> Self {
        Self { octets, read: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.octets.get(self.read..).unwrap_or_default()
    }

    /// Whether nothing but zeros follows.
    fn is_zeros(&self) -> bool {
        self.rest().iter().all(|octet| *octet == 0)
    }

    pub(crate) fn next(&mut self) -> Next<'a> {
        let rest = self.rest();
        if rest.is_empty() {
            return Next::End;
        }
        let torn = Next::Torn(rest.len() as u64);
        // A power failure can leave any number of zeros at a file's end.
        if self.is_zeros() {
            return torn;
        }
        let Some((length, body)) = rest.split_first_chunk::<LENGTH_BYTES>() else { return torn };
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > MAX_FRAME_BYTES {
            return Next::Damaged;
        }
        let Some((entries, body)) = body.split_at_checked(length) else { return torn };
        let Some(head) = body.get(..HEAD_BYTES) else { return torn };
        let Some((size, root)) = head.split_first_chunk::<8>() else { return torn };
        if head.iter().all(|octet| *octet == 0) && body.len() == HEAD_BYTES {
            return torn;
        }
        let Ok(root) = root.try_into() else { return torn };
        self.read += LENGTH_BYTES + length + HEAD_BYTES;
        let root = Hash::from_bytes(root);
        Next::Frame(Frame { entries, size: u64::from_be_bytes(*size), root })
    }
}

/// The entries of a bundle or a frame, in order.
pub(crate) fn entries(octets: &[u8]) -> impl Iterator<Item = Result<&[u8], What>> {
    Entries::of(octets).map(|entry| entry.map_err(|_| What::MalformedFile(CUT)))
}

/// What is wrong with entries of which the last one is not whole.
pub(crate) const CUT: &str = "it ends within a record";

/// Gives each whole frame of `file`, which is at `place`, to `visit`.
///
/// # Errors
/// What `visit` says; the file is damaged, or does not end as `tail` lets it.
pub(crate) fn read_frames(
    place: &Place,
    mut file: &File,
    tail: Tail,
    mut visit: impl FnMut(&Frame<'_>) -> Result<(), Fault>,
) -> Result<FileEnd, Fault> {
    // What follows the frames that were read; of zeros only how many there are.
    let mut octets = Vec::new();
    let mut zeros = 0;
    let mut whole_octets = 0;
    let mut looks = 0;
    loop {
        let step = file.by_ref().take(STEP_BYTES).read_to_end(&mut octets);
        let is_end = step.map_err(|error| place.fault(error))? == 0;
        let mut frames = Frames::of(&octets);
        let torn_octets = loop {
            match frames.next() {
                Next::Frame(frame) if zeros == 0 => visit(&frame)?,
                Next::End => break zeros,
                Next::Torn(octets) if zeros == 0 || frames.is_zeros() => break zeros + octets,
                Next::Frame(_) | Next::Torn(_) | Next::Damaged => {
                    let why = "what comes after its last whole records is no record";
                    return Err(place.fault(What::MalformedFile(why)));
                }
            }
        };
        whole_octets += frames.read as u64;
        if frames.is_zeros() && frames.rest().len() >= LENGTH_BYTES {
            zeros = torn_octets;
            octets.clear();
        } else {
            octets.drain(..frames.read);
        }
        if !is_end {
            continue;
        }
        let end = FileEnd { whole_octets, torn_octets };
        match tail {
            _ if torn_octets == 0 => return Ok(end),
            Tail::Abandoned => return Ok(end),
            Tail::Followed => return Err(place.fault(What::Cut { octets: torn_octets })),
            Tail::Growing if looks == PATIENCE_LOOKS => {
                return Err(place.fault(What::Incomplete { octets: torn_octets }));
            }
            Tail::Growing => {
                looks += 1;
                thread::sleep(LOOK_PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_frames() -> (Vec<u8>, usize) {
        let mut octets = Vec::new();
        let root = leaf_hash(&AwsLc, b"");
        encode_frame(&mut octets, b"\0\x01a", &TreeHead { size: 1, root: root.clone() });
        let first = octets.len();
        encode_frame(&mut octets, b"\0\x01b", &TreeHead { size: 2, root });
        (octets, first)
    }

    #[test]
    fn frames_are_read_as_they_were_written_and_one_cut_anywhere_is_torn() {
        let (octets, first) = two_frames();
        for end in first..=octets.len() {
            let mut frames = Frames::of(&octets[..end]);
            assert!(matches!(
                frames.next(),
                Next::Frame(Frame { entries: b"\0\x01a", size: 1, .. })
            ));
            let expected = match end - first {
                0 => Next::End,
                torn if end < octets.len() => Next::Torn(torn as u64),
                _ => {
                    let Next::Frame(frame) = frames.next() else { panic!("a frame") };
                    assert_eq!((frame.entries, frame.size), (&b"\0\x01b"[..], 2));
                    Next::End
                }
            };
            assert_eq!(frames.next(), expected, "{end}");
        }
    }

    #[test]
    fn zeros_at_the_end_are_torn_and_other_nonsense_is_damage() {
        let (mut octets, first) = two_frames();
        let whole = octets.len();
        octets.resize(whole + 5000, 0);
        let mut frames = Frames::of(&octets);
        frames.next();
        frames.next();
        assert_eq!(frames.next(), Next::Torn(5000));
        octets.push(1);
        let mut frames = Frames::of(&octets);
        frames.next();
        frames.next();
        assert_eq!(frames.next(), Next::Damaged);
        octets.truncate(whole);
        octets[whole - HEAD_BYTES..].fill(0);
        let mut frames = Frames::of(&octets);
        frames.next();
        assert_eq!(
            frames.next(),
            Next::Torn((whole - first) as u64),
            "a head that was never written"
        );
    }
}
