//! SHA-256 of octets that are at hand: one reading of the digest for records, keys and names.
//!
//! Files are hashed as they stream, by `countersign_core::digest`.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
};

/// SHA-256 of `octets`.
pub fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut result = [0; 32];
    result.copy_from_slice(digest(&AwsLc, HashAlgorithm::Sha256, octets).octets());
    result
}
