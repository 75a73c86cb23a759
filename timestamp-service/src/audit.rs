//! The record of each token, in the ledger before the token is handed out.
//!
//! A record says which token was issued: serial number, what was stamped, policy, time and key. Of
//! who asked it keeps a coarse network, [`Requester`], and never an address: a digest tells who
//! looks after which file, and a ledger is kept for years. The ledger itself is
//! `countersign_daemon`'s; a refusal is no token, and is in the log alone.

use std::net::IpAddr;
use std::time::SystemTime;

use const_oid::ObjectIdentifier;
use countersign_core::digest::{HashAlgorithm, encode_hex};
use countersign_core::time::UnixSeconds;
use countersign_daemon::ledger::{Appending, Ledger};
use countersign_daemon::peer::ClientAddress;
use countersign_signing::der;
use serde::{Serialize, Serializer};

/// What the records of tokens are called.
pub const KIND: &str = "token";

/// The ledger's name.
pub const LEDGER: &str = "timestamp";

/// Leading bits of an address that a record keeps: about a network operator's share, in which
/// thousands of subscribers are alike. A hash of an address would tell more: it can be tried out.
const IPV4_PREFIX_BITS: u32 = 16;
const IPV6_PREFIX_BITS: u32 = 32;

/// One token.
#[derive(Debug, Serialize)]
pub struct TokenRecord<'a> {
    /// The serial number, most significant octet first; written in hexadecimal as the token has it,
    /// so that the one can be found by the other.
    #[serde(serialize_with = "integer")]
    pub serial: &'a [u8],
    /// The algorithm of the digest that was stamped.
    #[serde(serialize_with = "name")]
    pub hash_algorithm: HashAlgorithm,
    /// The digest that was stamped, in hexadecimal.
    #[serde(serialize_with = "hexadecimal")]
    pub imprint: &'a [u8],
    /// The token's policy.
    #[serde(serialize_with = "dotted")]
    pub policy: ObjectIdentifier,
    /// The token's time to the millisecond, of which the token has what its accuracy lets it.
    #[serde(serialize_with = "rfc3339")]
    pub gen_time: SystemTime,
    /// The SHA-256 of the key's `SubjectPublicKeyInfo`, in hexadecimal.
    pub key_id: &'a str,
    /// Roughly who asked.
    pub requester: Requester,
}

impl TokenRecord<'_> {
    /// Queues the record; the wait ends when it is as durable as the ledger wants it.
    pub fn append(&self, ledger: &Ledger) -> Appending {
        ledger.append(KIND, self)
    }
}

/// Roughly who asked for a token: `loopback`, `private`, or a network such as `192.0.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requester(IpAddr);

impl From<ClientAddress> for Requester {
    fn from(client: ClientAddress) -> Self {
        Self(client.0)
    }
}

impl std::fmt::Display for Requester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            address if address.is_loopback() => f.write_str("loopback"),
            IpAddr::V4(address) if address.is_private() || address.is_link_local() => {
                f.write_str("private")
            }
            IpAddr::V6(address) if address.is_unique_local() || address.is_unicast_link_local() => {
                f.write_str("private")
            }
            IpAddr::V4(address) => {
                let mask = !(u32::MAX >> IPV4_PREFIX_BITS);
                let network = std::net::Ipv4Addr::from_bits(address.to_bits() & mask);
                write!(f, "{network}/{IPV4_PREFIX_BITS}")
            }
            IpAddr::V6(address) => {
                let mask = !(u128::MAX >> IPV6_PREFIX_BITS);
                let network = std::net::Ipv6Addr::from_bits(address.to_bits() & mask);
                write!(f, "{network}/{IPV6_PREFIX_BITS}")
            }
        }
    }
}

impl Serialize for Requester {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The content octets of the INTEGER: no leading zeros but one where the first bit is set.
fn integer<S: Serializer>(magnitude: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let encoded = der::unsigned_integer(magnitude);
    // A serial number has at most 20 octets, so its length is one.
    hexadecimal(encoded.get(2..).unwrap_or_default(), serializer)
}

fn hexadecimal<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode_hex(octets))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn name<S: Serializer>(algorithm: &HashAlgorithm, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(algorithm.name())
}

fn dotted<S: Serializer>(oid: &ObjectIdentifier, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(oid)
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = UnixSeconds::new(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX));
    let whole = seconds.to_string();
    let whole = whole.trim_end_matches('Z');
    serializer.collect_str(&format_args!("{whole}.{:03}Z", since_epoch.subsec_millis()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn requester(address: &str) -> String {
        Requester(address.parse().expect("an address")).to_string()
    }

    #[test]
    fn a_requester_is_a_network_in_which_thousands_are_alike() {
        for (address, said) in [
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("10.1.2.3", "private"),
            ("169.254.1.1", "private"),
            ("fd00::1", "private"),
            ("fe80::1", "private"),
            ("192.0.2.77", "192.0.0.0/16"),
            ("2001:db8:1:2::3", "2001:db8::/32"),
        ] {
            assert_eq!(requester(address), said);
        }
    }

    #[test]
    fn a_record_says_which_token_it_was() {
        let record = TokenRecord {
            serial: &[0x00, 0x00, 0x0A, 0xFF],
            hash_algorithm: HashAlgorithm::Sha256,
            imprint: &[1, 2],
            policy: ObjectIdentifier::new_unwrap("1.2.3"),
            gen_time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_777_802_400_007),
            key_id: "ab",
            requester: Requester("192.0.2.1".parse().expect("an address")),
        };
        let record = serde_json::to_value(&record).expect("JSON");
        let expected = serde_json::json!({
            "serial": "0aff",
            "hash_algorithm": "sha256",
            "imprint": "0102",
            "policy": "1.2.3",
            "gen_time": "2026-05-03T10:00:00.007Z",
            "key_id": "ab",
            "requester": "192.0.0.0/16",
        });
        assert_eq!(record, expected);
    }
}
