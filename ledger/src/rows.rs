//! The tiles on the right edge of a growing tree, which are not full yet.

use countersign_core::digest::Digest;
use countersign_core::tlog::tile::{HASH_BYTES, TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, Tile};

use crate::tree::root_of_hashes;

/// Of each level of tiles, the hashes since the last full one.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    leaves: u64,
    rows: Vec<Vec<u8>>,
}

/// A tile that has just become full.
#[derive(Debug)]
pub(crate) struct Full {
    pub(crate) tile: Tile,
    pub(crate) octets: Vec<u8>,
    /// The hash over all of it, which is the next one of the level above.
    pub(crate) above: Digest,
}

impl Rows {
    /// Those of the tree of `leaves` leaves, whose tiles that are not full are `edge`.
    pub(crate) fn of(leaves: u64, edge: &[(Tile, Vec<u8>)]) -> Self {
        let mut rows: Vec<Vec<u8>> = Vec::new();
        for (tile, octets) in edge {
            let level = tile.level as usize;
            rows.resize(rows.len().max(level + 1), Vec::new());
            rows[level].clone_from(octets);
        }
        Self { leaves, rows }
    }

    /// The hashes of the tile of that level that is not full.
    pub(crate) fn row(&self, level: u32) -> &[u8] {
        self.rows.get(level as usize).map_or(&[], Vec::as_slice)
    }

    /// The next leaf; gives each tile that is full with it to `full`, the lowest first.
    pub(crate) fn push<E>(
        &mut self,
        leaf: &Digest,
        mut full: impl FnMut(&Full) -> Result<(), E>,
    ) -> Result<(), E> {
        self.leaves += 1;
        let mut hash = leaf.clone();
        for level in 0.. {
            if self.rows.len() == level {
                self.rows.push(Vec::with_capacity(TILE_BYTES));
            }
            let row = &mut self.rows[level];
            row.extend_from_slice(hash.octets());
            let complete = if row.len() == TILE_BYTES { root_of_hashes(row) } else { None };
            let Some(above) = complete else { break };
            let octets = std::mem::take(row);
            let Ok(level) = u32::try_from(level) else { break };
            let index = (self.leaves >> (TILE_HEIGHT * level)) / TILE_WIDTH - 1;
            let tile = Tile { level, index, width: TILE_WIDTH };
            let filled = Full { tile, octets, above };
            full(&filled)?;
            hash = filled.above;
        }
        Ok(())
    }
}

/// The number of the first hash in which two tiles differ, and both.
pub(crate) fn first_difference<'a>(
    one: &'a [u8],
    other: &'a [u8],
) -> Option<(u64, &'a [u8], &'a [u8])> {
    let mut pairs = (0..).zip(one.chunks(HASH_BYTES).zip(other.chunks(HASH_BYTES)));
    pairs.find(|(_, (one, other))| one != other).map(|(at, (one, other))| (at, one, other))
}
