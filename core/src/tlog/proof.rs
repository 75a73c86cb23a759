//! Making proofs (RFC 9162 §2.1.3.1, §2.1.4.1) from the hashes of perfect subtrees, which a log keeps.
//!
//! Nothing here reads a log: the caller's `read` gives the hash of each [`Subtree`] that is asked for,
//! and its errors end the work. [`merkle`](super::merkle) verifies what is made here.

use alloc::vec::Vec;

use super::merkle::{TreeHead, empty_root, node_hash};
use crate::{crypto::CryptoProvider, digest::Digest};

/// A perfect subtree: the leaves from `index << level` on, `1 << level` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// How many levels it has above its leaves: 0 to 63.
    pub level: u32,
    /// Its number among the subtrees of its level.
    pub index: u64,
}

/// The head of the tree of the first `size` leaves.
///
/// # Errors
/// Those of `read`.
pub fn head<E>(
    crypto: &dyn CryptoProvider,
    size: u64,
    mut read: impl FnMut(Subtree) -> Result<Digest, E>,
) -> Result<TreeHead, E> {
    let root =
        if size == 0 { empty_root(crypto) } else { root(crypto, Span::whole(size), &mut read)? };
    Ok(TreeHead { size, root })
}

/// The roots of the perfect subtrees of which the tree of the first `size` leaves consists, the
/// largest first, as [`Frontier`](super::frontier::Frontier) takes them.
///
/// # Errors
/// Those of `read`.
pub fn peaks<E>(
    size: u64,
    mut read: impl FnMut(Subtree) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    let levels = (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1);
    levels.map(|level| read(Subtree { level, index: (size >> level) ^ 1 })).collect()
}

/// The proof that the leaf `index` is in the tree of the first `size` leaves, the lowest hash first
/// (RFC 9162 §2.1.3.1); `None` if it is not among them.
///
/// # Errors
/// Those of `read`.
pub fn inclusion<E>(
    crypto: &dyn CryptoProvider,
    index: u64,
    size: u64,
    mut read: impl FnMut(Subtree) -> Result<Digest, E>,
) -> Result<Option<Vec<Digest>>, E> {
    if index >= size {
        return Ok(None);
    }
    let mut path = Vec::new();
    let mut span = Span::whole(size);
    while let Some((left, right)) = span.split() {
        let (way, beside) = if index < right.begin { (left, right) } else { (right, left) };
        path.push(root(crypto, beside, &mut read)?);
        span = way;
    }
    path.reverse();
    Ok(Some(path))
}

/// The proof that the tree of the first `old` leaves is the beginning of that of the first `new`
/// (RFC 9162 §2.1.4.1); empty if `old` is 0 or `new`, `None` if it is larger than `new`.
///
/// # Errors
/// Those of `read`.
pub fn consistency<E>(
    crypto: &dyn CryptoProvider,
    old: u64,
    new: u64,
    mut read: impl FnMut(Subtree) -> Result<Digest, E>,
) -> Result<Option<Vec<Digest>>, E> {
    if old == 0 || old >= new {
        return Ok((old <= new).then(Vec::new));
    }
    let mut path = Vec::new();
    let mut span = Span::whole(new);
    // SUBPROOF of the RFC: down to the subtree that ends where the old tree ends.
    while let Some((left, right)) = span.split().filter(|_| span.end != old) {
        let (way, beside) = if old <= right.begin { (left, right) } else { (right, left) };
        path.push(root(crypto, beside, &mut read)?);
        span = way;
    }
    // Its hash is the old root itself if the old tree is that subtree.
    if span.begin != 0 {
        path.push(root(crypto, span, &mut read)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// The root of the leaves of `span`.
fn root<E>(
    crypto: &dyn CryptoProvider,
    span: Span,
    read: &mut impl FnMut(Subtree) -> Result<Digest, E>,
) -> Result<Digest, E> {
    // Down the right edge: the left halves are perfect and are read.
    let mut lefts = Vec::new();
    let mut rest = span;
    let mut hash = loop {
        if let Some(subtree) = rest.perfect() {
            break read(subtree)?;
        }
        let Some((left, right)) = rest.split() else {
            break empty_root(crypto);
        };
        // Perfect, by the way spans are split.
        if let Some(subtree) = left.perfect() {
            lefts.push(read(subtree)?);
        }
        rest = right;
    };
    for left in lefts.iter().rev() {
        hash = node_hash(crypto, left.octets(), hash.octets());
    }
    Ok(hash)
}

/// Leaves of which a subtree consists: at least one, from `begin` on, before `end`.
#[derive(Clone, Copy)]
struct Span {
    begin: u64,
    end: u64,
}

impl Span {
    /// All leaves of a tree of `size`, which is not 0.
    fn whole(size: u64) -> Self {
        Self { begin: 0, end: size }
    }

    fn width(self) -> u64 {
        self.end.saturating_sub(self.begin)
    }

    /// The subtrees below, the left one of the largest power of two of leaves that leaves some for
    /// the right one (RFC 9162 §2.1.1); `None` for a leaf.
    fn split(self) -> Option<(Self, Self)> {
        let largest = self.width().checked_sub(1)?.checked_ilog2()?;
        let middle = self.begin.checked_add(1_u64.checked_shl(largest)?)?;
        Some((Self { begin: self.begin, end: middle }, Self { begin: middle, end: self.end }))
    }

    fn perfect(self) -> Option<Subtree> {
        let width = self.width();
        let level = width.trailing_zeros();
        (width.is_power_of_two() && self.begin.trailing_zeros() >= level)
            .then(|| Subtree { level, index: self.begin >> level })
    }
}

#[cfg(test)]
#[cfg(feature = "rustcrypto")]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "tests may"
    )]
    use core::convert::Infallible;

    use super::*;
    use crate::{
        crypto::rustcrypto::RustCrypto,
        tlog::{
            frontier::Frontier,
            merkle::{is_consistent, leaf_hash, root_of},
        },
    };

    const MOST: usize = 40;

    /// RFC 9162 §2.1.1, straight from the definition: the largest power of two below n splits.
    fn tree_hash(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(&RustCrypto),
            [one] => one.clone(),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&RustCrypto, tree_hash(left).octets(), tree_hash(right).octets())
            }
        }
    }

    fn leaves() -> Vec<Digest> {
        (0..MOST).map(|number| leaf_hash(&RustCrypto, &[number.try_into().unwrap()])).collect()
    }

    fn read(leaves: &[Digest]) -> impl FnMut(Subtree) -> Result<Digest, Infallible> {
        |Subtree { level, index }| {
            let begin = usize::try_from(index << level).unwrap();
            Ok(tree_hash(&leaves[begin..begin + (1 << level)]))
        }
    }

    fn head_of(leaves: &[Digest], size: usize) -> TreeHead {
        TreeHead { size: size as u64, root: tree_hash(&leaves[..size]) }
    }

    #[test]
    fn heads_of_every_small_tree_follow_from_its_subtrees_and_from_its_frontier() {
        let leaves = leaves();
        let mut frontier = Frontier::default();
        for size in 0..=MOST {
            let expected = head_of(&leaves, size);
            assert_eq!(head(&RustCrypto, size as u64, read(&leaves)).unwrap(), expected);
            assert_eq!(frontier.head(&RustCrypto), expected);
            let peaks = peaks(size as u64, read(&leaves)).unwrap();
            assert_eq!(Frontier::new(size as u64, peaks.clone()), Some(frontier.clone()));
            let is_as_many = size.count_ones() == (size + 1).count_ones();
            assert_eq!(Frontier::new(size as u64 + 1, peaks).is_some(), is_as_many);
            if let Some(leaf) = leaves.get(size) {
                frontier.push(&RustCrypto, leaf.clone());
            }
        }
    }

    #[test]
    fn an_inclusion_proof_of_every_leaf_of_every_small_tree_verifies_and_no_other_does() {
        let leaves = leaves();
        for size in 0..=MOST {
            let root = tree_hash(&leaves[..size]);
            for (index, leaf) in leaves.iter().enumerate() {
                let (index, size) = (index as u64, size as u64);
                let proof = inclusion(&RustCrypto, index, size, read(&leaves)).unwrap();
                assert_eq!(proof.is_some(), index < size);
                let Some(proof) = proof else { continue };
                let lead = |index: u64, path: &[Digest]| {
                    let path = path.iter().map(Digest::octets);
                    root_of(&RustCrypto, leaf.clone(), index, size, path)
                };
                assert_eq!(lead(index, &proof), Some(root.clone()));
                // In no other place, and by no longer or shorter way.
                assert_ne!(lead(index + 1, &proof), Some(root.clone()));
                assert_eq!(lead(index, &[&proof[..], core::slice::from_ref(leaf)].concat()), None);
                if let [_, shorter @ ..] = &proof[..] {
                    assert_eq!(lead(index, shorter), None);
                }
            }
        }
    }

    #[test]
    fn a_consistency_proof_of_every_two_small_trees_verifies_and_no_other_does() {
        let leaves = leaves();
        for new in 0..=MOST {
            for old in 0..=MOST {
                let proof =
                    consistency(&RustCrypto, old as u64, new as u64, read(&leaves)).unwrap();
                assert_eq!(proof.is_some(), old <= new);
                let Some(proof) = proof else { continue };
                let (old, new) = (head_of(&leaves, old), head_of(&leaves, new));
                let verifies = |old: &TreeHead, new: &TreeHead, proof: &[Digest]| {
                    is_consistent(&RustCrypto, old, new, proof.iter().map(Digest::octets))
                };
                assert!(verifies(&old, &new, &proof), "{} {}", old.size, new.size);
                let longer = [&proof[..], core::slice::from_ref(&new.root)].concat();
                assert!(!verifies(&old, &new, &longer));
                if let [_, shorter @ ..] = &proof[..] {
                    assert!(!verifies(&old, &new, shorter));
                }
                let other = leaf_hash(&RustCrypto, b"another");
                if old.size > 0 {
                    let forged = TreeHead { root: other.clone(), ..old.clone() };
                    assert!(!verifies(&forged, &new, &proof));
                }
                if old.size > 0 && old.size < new.size {
                    let forged = TreeHead { root: other, ..new.clone() };
                    assert!(!verifies(&old, &forged, &proof));
                }
            }
        }
    }

    #[test]
    fn a_consistency_proof_of_sizes_that_are_not_its_own_is_refused() {
        let leaves = leaves();
        let proof = consistency(&RustCrypto, 7, 20, read(&leaves)).unwrap().unwrap();
        for (old, new) in [(6, 20), (8, 20), (7, 19), (7, 21), (20, 7), (7, 7), (0, 20)] {
            let (old, new) = (head_of(&leaves, old), head_of(&leaves, new));
            let path = proof.iter().map(Digest::octets);
            assert!(!is_consistent(&RustCrypto, &old, &new, path), "{} {}", old.size, new.size);
        }
        let (old, new) = (head_of(&leaves, 20), head_of(&leaves, 7));
        assert!(!is_consistent(&RustCrypto, &old, &new, []), "a tree that shrank");
    }
}
