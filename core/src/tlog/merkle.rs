//! Merkle trees over SHA-256 (RFC 9162 §2.1, the same as RFC 6962's): hashes, and the verification of proofs.
//!
//! [`proof`](super::proof) makes the proofs that are verified here.

use crate::{
    crypto::CryptoProvider,
    digest::{Digest, HashAlgorithm},
};

/// RFC 9162 §2.1.1: leaves and nodes are hashed apart, so that neither can pass for the other.
const LEAF_PREFIX: &[u8] = &[0];
const NODE_PREFIX: &[u8] = &[1];

/// The hash of a leaf: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(crypto: &dyn CryptoProvider, entry: &[u8]) -> Digest {
    hash(crypto, &[LEAF_PREFIX, entry])
}

/// The hash of a node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(crypto: &dyn CryptoProvider, left: &[u8], right: &[u8]) -> Digest {
    hash(crypto, &[NODE_PREFIX, left, right])
}

/// The root that an inclusion proof leads to (RFC 9162 §2.1.3.2), or `None` if the proof is
/// too long or too short for a tree of that size, or the leaf lies outside it.
///
/// `path` holds the hashes beside the way up, the lowest first.
pub fn root_of<'p>(
    crypto: &dyn CryptoProvider,
    leaf: Digest,
    leaf_index: u64,
    tree_size: u64,
    path: impl IntoIterator<Item = &'p [u8]>,
) -> Option<Digest> {
    if leaf_index >= tree_size {
        return None;
    }
    // fn and sn of the RFC: the numbers of our node and of the last node, level by level.
    let (mut node, mut last) = (leaf_index, tree_size.checked_sub(1)?);
    let mut root = leaf;
    for beside in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            root = node_hash(crypto, beside, root.octets());
            // A last node without a neighbour moves up unchanged. It is not 0, or `last` were.
            let levels = node.trailing_zeros();
            node = node.checked_shr(levels)?;
            last = last.checked_shr(levels)?;
        } else {
            root = node_hash(crypto, root.octets(), beside);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// The root of the tree without leaves: SHA-256 of nothing (RFC 9162 §2.1.1).
pub fn empty_root(crypto: &dyn CryptoProvider) -> Digest {
    hash(crypto, &[])
}

/// A tree, by how many leaves it has and by its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves.
    pub size: u64,
    /// The root: 32 octets, SHA-256.
    pub root: Digest,
}

/// Whether `proof` shows that the first `old.size` leaves of the tree `new` are the tree `old`
/// (RFC 9162 §2.1.4.2). Of a tree without leaves, nothing has to be shown: its proof is empty.
pub fn is_consistent<'p>(
    crypto: &dyn CryptoProvider,
    old: &TreeHead,
    new: &TreeHead,
    proof: impl IntoIterator<Item = &'p [u8]>,
) -> bool {
    let mut proof = proof.into_iter();
    if old.size == 0 || old.size >= new.size {
        let is_same = old.size == 0 || old == new;
        return is_same && proof.next().is_none();
    }
    follow(crypto, old, new, &mut proof) == Some(true)
}

/// Steps 2 to 7 of RFC 9162 §2.1.4.2, for 0 < `old.size` < `new.size`; `None` if the proof is too long
/// or too short.
fn follow(
    crypto: &dyn CryptoProvider,
    old: &TreeHead,
    new: &TreeHead,
    proof: &mut dyn Iterator<Item = &[u8]>,
) -> Option<bool> {
    // fn and sn of the RFC: the numbers of both trees' last nodes, from the level at which the last
    // node of the old tree is no right child.
    let levels = old.size.checked_sub(1)?.trailing_ones();
    let mut node = old.size.checked_sub(1)?.checked_shr(levels)?;
    let mut last = new.size.checked_sub(1)?.checked_shr(levels)?;
    // Step 2: an old tree that is perfect is itself the first node.
    let first = if old.size.is_power_of_two() {
        old.root.clone()
    } else {
        Digest::new(HashAlgorithm::Sha256, proof.next()?)?
    };
    let (mut old_root, mut new_root) = (first.clone(), first);
    for beside in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            old_root = node_hash(crypto, beside, old_root.octets());
            new_root = node_hash(crypto, beside, new_root.octets());
            // A last node without a neighbour moves up unchanged. If it is 0, both are: `last` is then too.
            let levels = node.trailing_zeros();
            node = node.checked_shr(levels)?;
            last = last.checked_shr(levels)?;
        } else {
            new_root = node_hash(crypto, new_root.octets(), beside);
        }
        node >>= 1;
        last >>= 1;
    }
    Some(last == 0 && old_root == old.root && new_root == new.root)
}

fn hash(crypto: &dyn CryptoProvider, parts: &[&[u8]]) -> Digest {
    let mut hasher = crypto.hasher(HashAlgorithm::Sha256);
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

#[cfg(test)]
#[cfg(feature = "rustcrypto")]
mod tests {
    use super::*;
    use crate::crypto::rustcrypto::RustCrypto;

    #[test]
    fn refuses_leaves_outside_the_tree() {
        let leaf = leaf_hash(&RustCrypto, b"");
        for (index, size) in [(0, 0), (1, 1), (u64::MAX, u64::MAX)] {
            assert_eq!(root_of(&RustCrypto, leaf.clone(), index, size, []), None);
        }
        assert_eq!(root_of(&RustCrypto, leaf.clone(), 0, 1, []), Some(leaf));
    }
}
