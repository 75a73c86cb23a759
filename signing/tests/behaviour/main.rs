//! What this crate makes, held against `openssl`, against `countersign_core`, and byte by byte
//! against the rows of the specifications.

mod authority;
mod bundles;
mod certificates;
mod certificates_by_bytes;
mod crls;
mod keys;
mod ocsp;
mod openssl;
mod renewals;
mod softhsm;
mod timestamps;
mod timestamps_by_bytes;
mod tokens;
mod trust;
