//! Verification of a ledger of today's format: every record, every tile, the checkpoint, and what is
//! not on tiles yet, in one pass and in the memory of a few files.

use std::path::Path;

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::digest::Digest;
use countersign_core::tlog::frontier::Frontier;
use countersign_core::tlog::merkle::leaf_hash;
use countersign_core::tlog::proof::Subtree;
use countersign_core::tlog::tile::{HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Tile, entries_path};

use crate::checkpoint;
use crate::fault::{Fault, Place, What};
use crate::hash::Hash;
use crate::lines::{LinesEnd, file_name};
use crate::load::{beginning, head_of, hold_against_frame, hold_following, hold_origin};
use crate::reading::{Bundles, Expectation, Reading, Start, Tail};
use crate::record::{BEGINNING_KIND, Beginning, Entry, Head};
use crate::rows::{Full, Rows, first_difference};
use crate::segment::{entries, read_frames};
use crate::snapshot::Snapshot;
use crate::tree::{Tree, read_bundle, read_tile};

/// Verifies the ledger of which `snapshot` was taken; `before` is where its part in format 1 ends.
pub(crate) fn walk(
    folder: &Path,
    snapshot: &Snapshot,
    before: Option<&LinesEnd>,
    expectation: Expectation,
    reading: &mut Reading<'_>,
) -> Result<(Head, Place), Fault> {
    let mut check = Check {
        folder,
        tree: snapshot.tree(folder),
        on_tiles: snapshot.on_tiles(),
        frontier: Frontier::default(),
        rows: Rows::default(),
        beginning: None,
        before,
        expectation,
        last: Place::file(folder),
        reading,
    };
    check.tiles(snapshot)?;
    check.pending(snapshot)?;
    let Some((_, first)) = check.beginning else {
        return Err(Place::file(folder).fault(What::NoLedger));
    };
    Ok((head_of(&check.frontier.head(&AwsLc), first), check.last))
}

struct Check<'a, 'w> {
    folder: &'a Path,
    /// The tree as its tiles have it.
    tree: Tree,
    on_tiles: u64,
    /// The tree as its records have it.
    frontier: Frontier,
    /// The edge of the tiles, as the records have it.
    rows: Rows,
    beginning: Option<(Beginning, u64)>,
    before: Option<&'a LinesEnd>,
    expectation: Expectation,
    last: Place,
    reading: &'a mut Reading<'w>,
}

impl Check<'_, '_> {
    fn tiles(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        let Some(checkpoint) = &snapshot.checkpoint else { return Ok(()) };
        for index in 0..self.on_tiles / TILE_WIDTH {
            self.full_bundle(index)?;
        }
        let width = self.on_tiles % TILE_WIDTH;
        if width > 0 {
            let path = self.folder.join(entries_path(self.on_tiles / TILE_WIDTH, width));
            self.bundle(&snapshot.edge_entries, width, Place::file(path))?;
        }
        if let Some((beginning, _)) = &self.beginning {
            hold_origin(checkpoint, beginning, self.folder)?;
        }
        let (expected, found) = (&checkpoint.head.root, self.frontier.head(&AwsLc).root);
        let is_held = *expected == found;
        for (tile, octets) in &snapshot.edge {
            if let Some((at, held, made)) = first_difference(octets, self.rows.row(tile.level)) {
                // The checkpoint tells which of the two was changed.
                let place = if is_held || tile.level > 0 {
                    Place::file(self.folder.join(tile.path()))
                } else {
                    let path = entries_path(tile.index, tile.width);
                    Place::file(self.folder.join(path)).record(at + 1)
                };
                return Err(place.fault(altered(held, made)));
            }
        }
        if !is_held {
            let (expected, found) = (Hash::from_digest(expected), Hash::from_digest(&found));
            let place = Place::file(self.folder.join(checkpoint::FILE));
            return Err(place.fault(What::Altered { expected, found }));
        }
        Ok(())
    }

    fn full_bundle(&mut self, index: u64) -> Result<(), Fault> {
        let place = Place::file(self.folder.join(entries_path(index, TILE_WIDTH)));
        match read_bundle(&place.file) {
            // The first one says which ledger it is, and stays.
            Err(Fault { what: What::FileMissing, .. })
                if self.expectation.bundles == Bundles::MayBeArchived && index > 0 =>
            {
                let tile = Tile { level: 0, index, width: TILE_WIDTH };
                for octets in read_tile(self.folder, tile)?.as_chunks::<HASH_BYTES>().0 {
                    self.reading.archived_records += 1;
                    self.leaf(Digest::of_sha256(*octets), &place)?;
                }
                Ok(())
            }
            read => self.bundle(&read?, TILE_WIDTH, place),
        }
    }

    fn bundle(&mut self, octets: &[u8], width: u64, place: Place) -> Result<(), Fault> {
        self.reading.files += 1;
        let mut place = place;
        for entry in entries(octets) {
            place.line += 1;
            self.record(entry.map_err(|what| place.fault(what))?, &place)?;
        }
        if place.line != width {
            let why = "it does not have as many records as its name says";
            return Err(place.record(0).fault(What::MalformedFile(why)));
        }
        Ok(())
    }

    fn record(&mut self, octets: &[u8], place: &Place) -> Result<(), Fault> {
        let entry = match Entry::decode(octets) {
            Ok(entry) => entry,
            Err(malformed) => return Err(place.fault(malformed)),
        };
        let leaf = self.frontier.size();
        if leaf == 0 {
            self.begin(octets, place)?;
        } else if entry.kind == BEGINNING_KIND {
            return Err(place.fault(What::Foreign { number: 1 }));
        }
        let expected = self.beginning.as_ref().map_or(0, |(_, first)| first + leaf);
        if entry.sequence != expected {
            return Err(place.fault(What::Sequence { expected, found: entry.sequence }));
        }
        self.reading.record(&entry, place);
        self.last = place.clone();
        self.leaf(leaf_hash(&AwsLc, octets), place)
    }

    /// Holds the first record against the part in format 1, or against what is said to be archived.
    fn begin(&mut self, octets: &[u8], place: &Place) -> Result<(), Fault> {
        let (beginning, first) = beginning(octets, place)?;
        let continues = beginning.continues.as_ref().map(|it| (it.sequence, it.hash));
        let before = self.before.map(|end| (end.head.sequence, end.head.hash));
        let none = (0, Hash::NONE);
        match (before, self.expectation.start) {
            (Some(before), _) if continues != Some(before) => {
                let (expected, found) = (continues.unwrap_or(none).1, before.1);
                return Err(place.fault(What::Altered { expected, found }));
            }
            (None, Start::Whole) if continues.is_some() => {
                return Err(Place::file(self.folder.join(file_name(1))).fault(What::FileMissing));
            }
            (None, Start::After(head)) if continues != Some((head.sequence, head.hash)) => {
                let (expected, found) = (head.hash, continues.unwrap_or(none).1);
                return Err(place.fault(What::Altered { expected, found }));
            }
            _ => {}
        }
        if !self.reading.is_of(&beginning.identity()) {
            return Err(place.fault(What::Foreign { number: 1 }));
        }
        self.beginning = Some((beginning, first));
        Ok(())
    }

    fn leaf(&mut self, leaf: Digest, place: &Place) -> Result<(), Fault> {
        if self.frontier.size() < self.on_tiles {
            let (folder, tree) = (self.folder, &self.tree);
            self.rows.push(&leaf, |full| hold_tile(folder, tree, full, place))?;
        }
        self.frontier.push(&AwsLc, leaf);
        let first = self.beginning.as_ref().map_or(0, |(_, first)| *first);
        let sequence = first + self.frontier.size() - 1;
        if self.reading.wants_head(sequence) {
            self.reading.head(head_of(&self.frontier.head(&AwsLc), first));
        }
        Ok(())
    }

    fn pending(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        let count = snapshot.segments.len();
        for (number, (segment, file)) in snapshot.segments.iter().enumerate() {
            let mut place = Place::file(&segment.path);
            let tail = if number + 1 < count { Tail::Followed } else { Tail::Growing };
            hold_following(segment, &self.frontier)?;
            read_frames(&place.clone(), file, tail, |frame| {
                if frame.size <= self.on_tiles {
                    return Ok(());
                }
                let begins_at = place.record(place.line + 1);
                for entry in entries(frame.entries) {
                    place.line += 1;
                    self.record(entry.map_err(|what| place.fault(what))?, &place)?;
                }
                hold_against_frame(&self.frontier, frame.size, frame.root, &begins_at)
            })?;
            self.reading.files += u64::from(place.line > 0);
        }
        Ok(())
    }
}

/// Holds a tile that records have just filled against its file; the last of them is at `place`.
fn hold_tile(folder: &Path, tree: &Tree, full: &Full, place: &Place) -> Result<(), Fault> {
    let Full { tile, octets, above } = full;
    let held = read_tile(folder, *tile)?;
    let Some((at, held, made)) = first_difference(&held, octets) else { return Ok(()) };
    // The tile above tells which of the two was changed.
    let parent = Subtree { level: TILE_HEIGHT * (tile.level + 1), index: tile.index };
    let is_tile = tile.level > 0 || tree.subtree(parent)? == *above;
    let place = if is_tile { Place::file(folder.join(tile.path())) } else { place.record(at + 1) };
    Err(place.fault(altered(held, made)))
}

fn altered(held: &[u8], made: &[u8]) -> What {
    let hash = |octets: &[u8]| Hash::from_bytes(octets.try_into().unwrap_or_default());
    What::Altered { expected: hash(held), found: hash(made) }
}
