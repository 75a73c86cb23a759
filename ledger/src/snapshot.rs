//! The files of a ledger that change, as they were at one moment, also while it is being written.
//!
//! The write-ahead files are opened before the checkpoint is read: what is taken off them meanwhile is
//! on tiles by then, and an open file can be read although its name is gone. Full tiles and bundles
//! never change.

use std::fs::File;
use std::path::Path;
use std::thread;

use countersign_core::tlog::tile::{TILE_WIDTH, Tile, entries_path, partial_tiles};

use crate::checkpoint::Checkpoint;
use crate::fault::{Fault, What, unreadable, unreadable_or_missing};
use crate::medium::open_file;
use crate::reading::{LOOK_PAUSE, PATIENCE_LOOKS};
use crate::segment::{Segment, segments};
use crate::tree::{Tree, read_bundle, read_tile};

/// The files that change.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The tree on the tiles; `None` if there are none yet.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The tiles on its right edge that are not full.
    pub(crate) edge: Vec<(Tile, Vec<u8>)>,
    /// The entries of the last bundle, if it is not full.
    pub(crate) edge_entries: Vec<u8>,
    /// The write-ahead files, in their order.
    pub(crate) segments: Vec<(Segment, File)>,
}

impl Snapshot {
    /// `None` if the folder has no ledger of today's format.
    pub(crate) fn take(folder: &Path) -> Result<Option<Self>, Fault> {
        let mut looks = 0;
        loop {
            match Self::look(folder) {
                // A file went away between two looks: it is replaced by a later one.
                Err(Fault { what: What::FileMissing, .. }) if looks < PATIENCE_LOOKS => {
                    looks += 1;
                    thread::sleep(LOOK_PAUSE);
                }
                looked => return looked,
            }
        }
    }

    fn look(folder: &Path) -> Result<Option<Self>, Fault> {
        let mut opened = Vec::new();
        for segment in segments(folder).map_err(unreadable(folder))? {
            let file = open_file(&segment.path).map_err(unreadable_or_missing(&segment.path))?;
            opened.push((segment, file));
        }
        let checkpoint = Checkpoint::read(folder)?;
        if checkpoint.is_none() && opened.is_empty() {
            return Ok(None);
        }
        let size = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.head.size);
        let edge = partial_tiles(size).into_iter();
        let edge =
            edge.map(|tile| Ok((tile, read_tile(folder, tile)?))).collect::<Result<_, _>>()?;
        let edge_entries = match size % TILE_WIDTH {
            0 => Vec::new(),
            width => read_bundle(&folder.join(entries_path(size / TILE_WIDTH, width)))?,
        };
        Ok(Some(Self { checkpoint, edge, edge_entries, segments: opened }))
    }

    /// How many leaves the tree on the tiles has.
    pub(crate) fn on_tiles(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.head.size)
    }

    /// The tree on the tiles.
    pub(crate) fn tree(&self, folder: &Path) -> Tree {
        let tree = Tree::new(folder, self.on_tiles(), Vec::new());
        for (tile, octets) in &self.edge {
            tree.insert(*tile, octets.clone());
        }
        tree
    }
}
