//! The hashes of the tree: those on tiles, and those of records that are not on tiles yet.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::digest::{Digest, HashAlgorithm};
use countersign_core::tlog::frontier::Frontier;
use countersign_core::tlog::merkle::{TreeHead, node_hash};
use countersign_core::tlog::proof::{self, Subtree};
use countersign_core::tlog::tile::{BUNDLE_BYTES, HASH_BYTES, TILE_BYTES, Tile};

use crate::fault::{Fault, Place, What, unreadable_or_missing};
use crate::medium::read_whole;

/// A ledger's tree.
#[derive(Debug)]
pub(crate) struct Tree {
    folder: PathBuf,
    /// How many leaves the tree on the tiles has.
    on_tiles: u64,
    /// The leaves after them.
    pending: Vec<Digest>,
    tiles: RefCell<HashMap<(u32, u64), Vec<u8>>>,
}

impl Tree {
    pub(crate) fn new(folder: &Path, on_tiles: u64, pending: Vec<Digest>) -> Self {
        Self { folder: folder.to_owned(), on_tiles, pending, tiles: RefCell::default() }
    }

    /// Gives a tile's octets, so that its file is not read.
    pub(crate) fn insert(&self, tile: Tile, octets: Vec<u8>) {
        self.tiles.borrow_mut().insert((tile.level, tile.index), octets);
    }

    pub(crate) fn push(&mut self, leaf: Digest) {
        self.pending.push(leaf);
    }

    /// The head when the tree had `size` leaves, which is not more than it has.
    pub(crate) fn head(&self, size: u64) -> Result<TreeHead, Fault> {
        proof::head(&AwsLc, size, |subtree| self.subtree(subtree))
    }

    pub(crate) fn frontier(&self, size: u64) -> Result<Frontier, Fault> {
        let peaks = proof::peaks(size, |subtree| self.subtree(subtree))?;
        Frontier::new(size, peaks).ok_or_else(|| self.absent())
    }

    /// The proof that the leaf is in the tree of `size` leaves.
    pub(crate) fn inclusion(&self, leaf: u64, size: u64) -> Result<Vec<Digest>, Fault> {
        let path = proof::inclusion(&AwsLc, leaf, size, |subtree| self.subtree(subtree))?;
        path.ok_or_else(|| self.absent())
    }

    /// The proof that the tree of `old` leaves is the beginning of that of `new`.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, Fault> {
        let path = proof::consistency(&AwsLc, old, new, |subtree| self.subtree(subtree))?;
        path.ok_or_else(|| self.absent())
    }

    pub(crate) fn subtree(&self, subtree: Subtree) -> Result<Digest, Fault> {
        if let Some((tile, at, count)) = Tile::holding(subtree, self.on_tiles) {
            return self.hash_in(tile, at, count);
        }
        let Subtree { level, index } = subtree;
        let Some(below) = level.checked_sub(1) else {
            let pending = index.checked_sub(self.on_tiles).and_then(|at| usize::try_from(at).ok());
            let leaf = pending.and_then(|at| self.pending.get(at));
            return leaf.cloned().ok_or_else(|| self.absent());
        };
        let left = self.subtree(Subtree { level: below, index: index * 2 })?;
        let right = self.subtree(Subtree { level: below, index: index * 2 + 1 })?;
        Ok(node_hash(&AwsLc, left.octets(), right.octets()))
    }

    /// The hash over `count` hashes of a tile from `at` on; `count` is a power of two.
    fn hash_in(&self, tile: Tile, at: u64, count: u64) -> Result<Digest, Fault> {
        let mut tiles = self.tiles.borrow_mut();
        let octets = match tiles.entry((tile.level, tile.index)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(read_tile(&self.folder, tile)?)
            }
        };
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).saturating_mul(HASH_BYTES);
        let hashes = octets.get(place(at)..place(at + count)).unwrap_or_default();
        root_of_hashes(hashes).ok_or_else(|| self.absent())
    }

    /// No file has what was asked for, which is not in this tree.
    fn absent(&self) -> Fault {
        Place::file(&self.folder).fault(What::FileMissing)
    }
}

/// The hash over hashes, one after the other, as many as a power of two; `None` if they are not.
pub(crate) fn root_of_hashes(hashes: &[u8]) -> Option<Digest> {
    let mut row: Vec<Digest> = hashes
        .chunks(HASH_BYTES)
        .map(|octets| Digest::new(HashAlgorithm::Sha256, octets))
        .collect::<Option<_>>()?;
    if !row.len().is_power_of_two() {
        return None;
    }
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| node_hash(&AwsLc, pair[0].octets(), pair[1].octets()))
            .collect();
    }
    row.pop()
}

/// The octets of a tile, as many as it must have.
pub(crate) fn read_tile(folder: &Path, tile: Tile) -> Result<Vec<u8>, Fault> {
    let path = folder.join(tile.path());
    let octets = read_file(&path, TILE_BYTES)?;
    if octets.len() as u64 != tile.width * HASH_BYTES as u64 {
        let why = "it does not have as many hashes as its name says";
        return Err(Place::file(path).fault(What::MalformedFile(why)));
    }
    Ok(octets)
}

/// The octets of an entry bundle.
pub(crate) fn read_bundle(path: &Path) -> Result<Vec<u8>, Fault> {
    read_file(path, BUNDLE_BYTES)
}

/// A file that must be there, of `most` octets at most.
fn read_file(path: &Path, most: usize) -> Result<Vec<u8>, Fault> {
    let place = Place::file(path);
    match read_whole(path, most) {
        Ok(Some(octets)) => Ok(octets),
        Ok(None) => Err(place.fault(What::MalformedFile("it is longer than any file of its kind"))),
        Err(error) => Err(unreadable_or_missing(path)(error)),
    }
}
