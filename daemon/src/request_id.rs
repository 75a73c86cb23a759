//! The number each request carries through log, reply header and error body.
//!
//! It is unique, not secret: 64 bits as 16 hexadecimal digits, a counter mixed with a seed drawn when
//! the process starts. An identifier sent by the client is logged beside ours, never adopted.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The reply header that carries the identifier, and the request header an outer proxy may send.
pub const HEADER: &str = "x-request-id";

/// A request's identifier; an extension of every request (`warp::ext::get::<RequestId>()`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// A new identifier, different from every other of this process.
    pub fn next() -> Self {
        static SEED: LazyLock<u64> =
            LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self(mix(SEED.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The finisher of splitmix64: a bijection, so that distinct counts stay distinct.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn identifiers_differ_and_have_sixteen_digits() {
        let ids: HashSet<String> = (0..10_000).map(|_| RequestId::next().to_string()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 16));
    }
}
