//! A growing tree, of which only the right edge is kept: enough to append leaves and to know the root.

use alloc::vec::Vec;

use super::merkle::{TreeHead, empty_root, node_hash};
use crate::{crypto::CryptoProvider, digest::Digest};

/// The roots of the perfect subtrees of which a tree consists, the largest first: one for each bit of
/// its size, at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves whose perfect subtrees have the roots `peaks`, the
    /// largest first; `None` if they are not as many as the size has bits.
    pub fn new(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (peaks.len() == expected).then_some(Self { size, peaks })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf, given by its [`leaf_hash`](super::merkle::leaf_hash). A tree of 2⁶⁴ − 1 leaves
    /// takes no more, and stays as it is.
    pub fn push(&mut self, crypto: &dyn CryptoProvider, leaf: Digest) {
        let Some(size) = self.size.checked_add(1) else { return };
        // As in counting: each trailing one is a subtree that the new one completes.
        let mut subtree = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                subtree = node_hash(crypto, left.octets(), subtree.octets());
            }
        }
        self.peaks.push(subtree);
        self.size = size;
    }

    /// The tree's size and root.
    pub fn head(&self, crypto: &dyn CryptoProvider) -> TreeHead {
        let right_to_left = self.peaks.iter().rev();
        let root = right_to_left
            .cloned()
            .reduce(|right, left| node_hash(crypto, left.octets(), right.octets()));
        TreeHead { size: self.size, root: root.unwrap_or_else(|| empty_root(crypto)) }
    }
}
