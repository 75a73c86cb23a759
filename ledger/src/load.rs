//! The end of a ledger that nobody writes: what must be known to go on, to prove, or to look up a head.
//!
//! Only the right edge of the tiles and the write-ahead files are read, and held against each other.
//! That no record before was changed is for [`verify`](crate::verify()) to say.

use std::path::Path;

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::tlog::frontier::Frontier;
use countersign_core::tlog::merkle::{TreeHead, leaf_hash};
use countersign_core::tlog::tile::{Entries, TILE_WIDTH, entries_path};

use crate::checkpoint::{self, Checkpoint};
use crate::fault::{Fault, Place, What};
use crate::hash::Hash;
use crate::reading::{FileEnd, Tail};
use crate::record::{Beginning, Entry, FORMAT_VERSION, Head, Malformed};
use crate::segment::{CUT, Segment, entries, read_frames};
use crate::snapshot::Snapshot;
use crate::tree::{Tree, read_bundle};

/// A ledger's end.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The whole tree.
    pub(crate) tree: Tree,
    pub(crate) frontier: Frontier,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) beginning: Beginning,
    /// The number of the first record.
    pub(crate) first_sequence: u64,
    /// The write-ahead files.
    pub(crate) segments: Vec<Segment>,
    /// How far the last one can be read.
    pub(crate) end: FileEnd,
}

impl Loaded {
    /// Reads the end of the ledger in `folder`; `None` if there is none of today's format. Each
    /// record that is not on tiles is given to `visit` with the number of its leaf.
    pub(crate) fn read(
        folder: &Path,
        tail: Tail,
        mut visit: impl FnMut(u64, &[u8]),
    ) -> Result<Option<Self>, Fault> {
        let Some(snapshot) = Snapshot::take(folder)? else { return Ok(None) };
        let mut tree = snapshot.tree(folder);
        let on_tiles = snapshot.on_tiles();
        let mut frontier = tree.frontier(on_tiles)?;
        if let Some(checkpoint) = &snapshot.checkpoint {
            let found = frontier.head(&AwsLc);
            if found != checkpoint.head {
                let expected = Hash::from_digest(&checkpoint.head.root);
                let found = Hash::from_digest(&found.root);
                let place = Place::file(folder.join(checkpoint::FILE));
                return Err(place.fault(What::Altered { expected, found }));
            }
        }
        let mut first = first_of_bundle(folder, &snapshot)?;
        let mut end = FileEnd { whole_octets: 0, torn_octets: 0 };
        let count = snapshot.segments.len();
        for (number, (segment, file)) in snapshot.segments.iter().enumerate() {
            let mut place = Place::file(&segment.path);
            let tail = if number + 1 < count { Tail::Followed } else { tail };
            hold_following(segment, &frontier)?;
            end = read_frames(&place.clone(), file, tail, |frame| {
                if frame.size <= on_tiles {
                    return Ok(());
                }
                let begins_at = place.record(place.line + 1);
                for octets in entries(frame.entries) {
                    place.line += 1;
                    let octets = octets.map_err(|what| place.fault(what))?;
                    if frontier.size() == 0 {
                        first = Some(beginning(octets, &place)?);
                    }
                    let leaf = leaf_hash(&AwsLc, octets);
                    visit(frontier.size(), octets);
                    frontier.push(&AwsLc, leaf.clone());
                    tree.push(leaf);
                }
                hold_against_frame(&frontier, frame.size, frame.root, &begins_at)
            })?;
        }
        // A new ledger's first write-ahead file appears with its first record.
        let Some((beginning, first_sequence)) = first else {
            let what = What::Incomplete { octets: end.torn_octets };
            let place = snapshot.segments.first().map_or(folder, |(segment, _)| &segment.path);
            return Err(Place::file(place).fault(what));
        };
        if let Some(checkpoint) = &snapshot.checkpoint {
            hold_origin(checkpoint, &beginning, folder)?;
        }
        let segments = snapshot.segments.into_iter().map(|(segment, _)| segment).collect();
        let checkpoint = snapshot.checkpoint;
        Ok(Some(Self { tree, frontier, checkpoint, beginning, first_sequence, segments, end }))
    }

    /// The last record, and the root of the tree.
    pub(crate) fn head(&self) -> Head {
        head_of(&self.frontier.head(&AwsLc), self.first_sequence)
    }
}

/// The head of the ledger whose first record has that number and that has this tree, which is not empty.
pub(crate) fn head_of(tree: &TreeHead, first_sequence: u64) -> Head {
    Head {
        sequence: first_sequence + tree.size.saturating_sub(1),
        hash: Hash::from_digest(&tree.root),
    }
}

/// The checkpoint must be this ledger's.
pub(crate) fn hold_origin(
    checkpoint: &Checkpoint,
    beginning: &Beginning,
    folder: &Path,
) -> Result<(), Fault> {
    if checkpoint.origin == checkpoint::origin(&beginning.identity()) {
        return Ok(());
    }
    let why = "it is the checkpoint of another ledger";
    Err(Place::file(folder.join(checkpoint::FILE)).fault(What::MalformedFile(why)))
}

/// A write-ahead file must not begin after the end of the tree: a file before it would be missing, even
/// if it has no frame yet that says so.
pub(crate) fn hold_following(segment: &Segment, frontier: &Frontier) -> Result<(), Fault> {
    let (expected, found) = (frontier.size(), segment.first);
    if found > expected {
        return Err(Place::file(&segment.path).fault(What::Sequence { expected, found }));
    }
    Ok(())
}

/// The tree after a frame must be the one that the frame names.
pub(crate) fn hold_against_frame(
    frontier: &Frontier,
    size: u64,
    root: Hash,
    place: &Place,
) -> Result<(), Fault> {
    if frontier.size() != size {
        return Err(place.fault(What::Sequence { expected: size, found: frontier.size() }));
    }
    let found = Hash::from_digest(&frontier.head(&AwsLc).root);
    if found != root {
        return Err(place.fault(What::Altered { expected: root, found }));
    }
    Ok(())
}

/// What the first record says, and its number.
pub(crate) fn beginning(octets: &[u8], place: &Place) -> Result<(Beginning, u64), Fault> {
    let entry = Entry::decode(octets).map_err(|malformed| place.fault(malformed))?;
    let beginning = entry.beginning().ok_or_else(|| place.fault(What::Foreign { number: 1 }))?;
    if beginning.format != FORMAT_VERSION {
        return Err(place.fault(What::Format { found: beginning.format }));
    }
    let before = beginning.continues.as_ref().map(|continues| continues.sequence);
    let expected = before.map_or(Some(0), |before| before.checked_add(1));
    let expected = expected.ok_or_else(|| place.fault(Malformed::Envelope))?;
    if entry.sequence != expected {
        return Err(place.fault(What::Sequence { expected, found: entry.sequence }));
    }
    Ok((beginning, entry.sequence))
}

/// The first record, if it is on tiles.
fn first_of_bundle(folder: &Path, snapshot: &Snapshot) -> Result<Option<(Beginning, u64)>, Fault> {
    let size = snapshot.on_tiles();
    let width = size.min(TILE_WIDTH);
    let place = Place::file(folder.join(entries_path(0, width)));
    let read;
    let bundle = match size {
        0 => return Ok(None),
        _ if size < TILE_WIDTH => &snapshot.edge_entries,
        _ => {
            read = read_bundle(&place.file)?;
            &read
        }
    };
    let first = Entries::of(bundle).next().and_then(Result::ok);
    let first = first.ok_or_else(|| place.fault(What::MalformedFile(CUT)))?;
    beginning(first, &place.record(1)).map(Some)
}
