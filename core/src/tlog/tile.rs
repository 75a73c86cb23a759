//! Tiles: how a log's tree lies in files (C2SP tlog-tiles).
//!
//! A tile holds 256 hashes of one level, a bundle the 256 entries below a tile of level 0; those at the
//! tree's right edge hold fewer ("partial") and have a name of their own, so that a file never changes.
//! Nothing here reads a file.

use alloc::{format, string::String, vec::Vec};

use super::proof::Subtree;

/// How many hashes a full tile holds, and how many entries a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// How many levels of the tree a level of tiles spans.
pub const TILE_HEIGHT: u32 = 8;

/// The octets of a hash.
pub const HASH_BYTES: usize = 32;

/// The octets of a full tile.
pub const TILE_BYTES: usize = 256 * HASH_BYTES;

/// The longest entry that a bundle can hold, in octets: its length is written in 16 bits.
pub const MAX_ENTRY_BYTES: usize = 0xffff;

/// The octets of the longest bundle: 256 entries with their lengths.
pub const BUNDLE_BYTES: usize = 256 * (2 + MAX_ENTRY_BYTES);

/// A tile of hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its level: that of its hashes in the tree, divided by [`TILE_HEIGHT`].
    pub level: u32,
    /// Its number within the level.
    pub index: u64,
    /// How many hashes it holds, 1 to [`TILE_WIDTH`].
    pub width: u64,
}

impl Tile {
    /// The tile of the tree of `size` leaves with the number `index` in `level`; `None` if the tree
    /// has none there.
    pub fn at(level: u32, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(level.checked_mul(TILE_HEIGHT)?).unwrap_or(0);
        let width = hashes.checked_sub(index.checked_mul(TILE_WIDTH)?)?.min(TILE_WIDTH);
        (width > 0).then_some(Self { level, index, width })
    }

    /// Where the hash of `subtree` is in the tree of `size` leaves: in which tile, at which of its
    /// hashes, and over how many of them it must be computed. `None` if it is not in the tree.
    pub fn holding(subtree: Subtree, size: u64) -> Option<(Self, u64, u64)> {
        let (level, above) =
            (subtree.level.checked_div(TILE_HEIGHT)?, subtree.level.checked_rem(TILE_HEIGHT)?);
        let first = subtree.index.checked_shl(above)?;
        let tile = Self::at(level, first.checked_div(TILE_WIDTH)?, size)?;
        let (at, count) = (first.checked_rem(TILE_WIDTH)?, 1_u64.checked_shl(above)?);
        (at.checked_add(count)? <= tile.width).then_some((tile, at, count))
    }

    /// The file's path: `tile/0/x001/x234/067.p/12`.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, numbered(self.index, self.width))
    }
}

/// The path of the bundle of entries with that number, of `width` entries: `tile/entries/x001/x234/067`.
pub fn entries_path(index: u64, width: u64) -> String {
    format!("tile/entries/{}", numbered(index, width))
}

/// The tiles on the right edge of the tree of `size` leaves that are not full.
pub fn partial_tiles(size: u64) -> Vec<Tile> {
    let levels = u64::BITS.div_ceil(TILE_HEIGHT);
    let edge = |level: u32| {
        let hashes = size.checked_shr(level.checked_mul(TILE_HEIGHT)?).unwrap_or(0);
        Tile::at(level, hashes.checked_div(TILE_WIDTH)?, size)
    };
    (0..levels).filter_map(edge).collect()
}

/// C2SP tlog-tiles: three digits at a time, all but the last with an `x`; `.p/W` for a partial one.
fn numbered(index: u64, width: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH { format!("{path}.p/{width}") } else { path }
}

/// Why a bundle of entries cannot be read: it ends within an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutEntry;

/// The entries of a bundle, each with its length before it in 16 bits, most significant octet first.
#[derive(Clone, Debug)]
pub struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    /// The entries in the octets of a bundle.
    pub fn of(bundle: &'a [u8]) -> Self {
        Self(bundle)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<&'a [u8], CutEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let entry = self.0.split_first_chunk().and_then(|(length, rest)| {
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        });
        let Some((entry, rest)) = entry else {
            self.0 = &[];
            return Some(Err(CutEntry));
        };
        self.0 = rest;
        Some(Ok(entry))
    }
}

/// Appends an entry to the octets of a bundle; `false`, and nothing appended, if it is longer than
/// [`MAX_ENTRY_BYTES`].
#[must_use]
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else { return false };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn names_of_files_are_those_of_the_specification() {
        let tile = |level, index, width| Tile { level, index, width }.path();
        assert_eq!(tile(0, 0, 256), "tile/0/000");
        assert_eq!(tile(0, 273, 112), "tile/0/273.p/112");
        assert_eq!(tile(2, 1_234_067, 256), "tile/2/x001/x234/067");
        assert_eq!(entries_path(1_000, 1), "tile/entries/x001/000.p/1");
    }

    #[test]
    fn a_tree_has_the_tiles_of_the_specification() {
        // tlog-tiles: 256 leaves make one full tile of level 0 and a partial one of level 1.
        assert_eq!(Tile::at(0, 0, 256).unwrap().width, 256);
        assert_eq!(partial_tiles(256), [Tile { level: 1, index: 0, width: 1 }]);
        // 70,000: 273 full ones and one of 112; one full one and one of 17; one of 1.
        assert_eq!(Tile::at(0, 272, 70_000).unwrap().width, 256);
        let widths = partial_tiles(70_000)
            .iter()
            .map(|tile| (tile.level, tile.index, tile.width))
            .collect::<Vec<_>>();
        assert_eq!(widths, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
        assert_eq!(Tile::at(0, 274, 70_000), None);
        assert_eq!((Tile::at(3, 0, 70_000), partial_tiles(0)), (None, Vec::new()));
    }

    #[test]
    fn a_subtree_is_found_in_the_tile_of_its_level() {
        let at = |level, index| Tile::holding(Subtree { level, index }, 70_000);
        assert_eq!(at(0, 257), Some((Tile { level: 0, index: 1, width: 256 }, 1, 1)));
        assert_eq!(at(3, 33), Some((Tile { level: 0, index: 1, width: 256 }, 8, 8)));
        assert_eq!(at(8, 256), Some((Tile { level: 1, index: 1, width: 17 }, 0, 1)));
        assert_eq!(at(12, 16), Some((Tile { level: 1, index: 1, width: 17 }, 0, 16)));
        assert_eq!(at(12, 17), None);
        assert_eq!(at(63, 0), None);
    }

    #[test]
    fn entries_are_read_as_they_were_written_and_a_cut_one_is_told() {
        let mut bundle = Vec::new();
        let longer = vec![7; MAX_ENTRY_BYTES.saturating_add(1)];
        let (_, longest) = longer.split_last().unwrap();
        for entry in [&b"one"[..], b"", longest] {
            assert!(push_entry(&mut bundle, entry));
        }
        assert!(!push_entry(&mut bundle, &longer));
        let read: Vec<_> = Entries::of(&bundle).map(|entry| entry.unwrap().len()).collect();
        assert_eq!(read, [3, 0, MAX_ENTRY_BYTES]);
        let cut = bundle.split_last().unwrap().1;
        assert_eq!(Entries::of(cut).last(), Some(Err(CutEntry)));
        assert_eq!(Entries::of(&[0]).next(), Some(Err(CutEntry)));
    }
}
