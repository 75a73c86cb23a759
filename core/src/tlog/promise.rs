//! Inclusion promises: a log's signature over entry, time and place (Rekor v1's signed entry
//! timestamp, SET).
//!
//! What is signed is the RFC 8785 form of `{body, integratedTime, logID, logIndex}`: keys in this
//! order, no spaces, the body in base64, the id in lower-case hexadecimal.

use alloc::{format, string::String};

use base64ct::{Base64, Encoding};

use super::{Log, LogEntry};
use crate::{crypto::CryptoProvider, digest::encode_hex, time::UnixSeconds};

/// The octets that the promise signs. None of the values holds a character that JSON escapes.
pub fn signed_octets(entry: &LogEntry, integrated_time: UnixSeconds) -> String {
    format!(
        r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
        Base64::encode_string(&entry.body),
        integrated_time.seconds(),
        encode_hex(&entry.log_id),
        entry.log_index,
    )
}

/// The time that `log` vouches for by the entry's promise, or `None` if it does not.
pub fn verify(entry: &LogEntry, log: &Log, crypto: &dyn CryptoProvider) -> Option<UnixSeconds> {
    let promise = entry.promise.as_ref()?;
    let time = entry.integrated_time?;
    let message = signed_octets(entry, time);
    log.verifies(crypto, message.as_bytes(), promise).then_some(time)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn writes_the_canonical_form() {
        let entry = LogEntry {
            log_index: 7,
            log_id: vec![0xC0, 0x0A],
            kind: String::new(),
            version: String::new(),
            integrated_time: None,
            promise: None,
            proof: None,
            body: b"{}".to_vec(),
        };
        assert_eq!(
            signed_octets(&entry, UnixSeconds::new(1_700_000_000)),
            r#"{"body":"e30=","integratedTime":1700000000,"logID":"c00a","logIndex":7}"#
        );
    }
}
