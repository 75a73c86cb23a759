//! DSSE envelopes (v1.0): a payload, its type, and a signature over both.

use alloc::{format, string::String, vec::Vec};

/// The payload type of in-toto statements.
pub const IN_TOTO_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A decoded envelope with its one signature.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// What kind of payload it is.
    pub payload_type: String,
    /// The payload's octets.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Envelope {
    /// The octets that the signature covers.
    pub fn signed_octets(&self) -> Vec<u8> {
        pre_authentication_encoding(&self.payload_type, &self.payload)
    }
}

/// What every envelope's signed octets begin with (DSSE §3). A file that begins like this has the
/// same signature as an envelope would have, so it is neither signed nor verified as a file.
pub const ENVELOPE_BEGINNING: &[u8] = b"DSSEv1 ";

/// How many of a file's first octets tell it from an envelope's.
pub const BEGINNING_OCTETS: usize = ENVELOPE_BEGINNING.len();

/// DSSE §3, PAE: `DSSEv1 SP length SP type SP length SP payload`, lengths in decimal.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let mut octets = Vec::with_capacity(head.len().saturating_add(payload.len()));
    octets.extend_from_slice(head.as_bytes());
    octets.extend_from_slice(payload);
    octets
}

#[cfg(test)]
mod tests {
    #[test]
    fn encodes_as_the_specification_shows() {
        assert_eq!(
            super::pre_authentication_encoding("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
