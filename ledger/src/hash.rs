//! SHA-256, written as 64 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::digest::{Digest, HashAlgorithm, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// SHA-256 (FIPS 180-4): of a line, of a leaf or of a node of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

/// Not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits, in lower case")]
pub struct InvalidHash;

impl Hash {
    /// What the first line of a new ledger names as the line before it.
    pub const NONE: Self = Self([0; 32]);

    /// The hash of a line, whose line feed must be part of `line`.
    pub fn of_line(line: &[u8]) -> Self {
        Self::from_digest(&digest(&AwsLc, HashAlgorithm::Sha256, line))
    }

    /// The hash that is this digest, which is one of SHA-256.
    pub(crate) fn from_digest(digest: &Digest) -> Self {
        Self(digest.sha256().unwrap_or_default())
    }

    /// The hash of these octets, which were kept of one.
    pub fn from_bytes(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 digits as ASCII.
    pub fn digits(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, octet) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(octet >> 4)];
            pair[1] = DIGITS[usize::from(octet & 15)];
        }
        digits
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidHash),
        };
        let mut octets = [0; 32];
        if text.len() != 64 {
            return Err(InvalidHash);
        }
        for (octet, pair) in octets.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *octet = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(octets))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_sha256sum_prints_for_the_line() {
        let hash = Hash::of_line(b"abc\n");
        // printf 'abc\n' | sha256sum
        let printed = "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb";
        assert_eq!(hash.to_string(), printed);
        assert_eq!(hash.digits(), printed.as_bytes());
        assert_eq!(printed.parse(), Ok(hash));
        for wrong in [&printed[1..], &printed.to_uppercase(), "é"] {
            assert_eq!(wrong.parse::<Hash>(), Err(InvalidHash));
        }
    }
}
