//! Octets that JSON holds as base64.

use alloc::{string::String, vec::Vec};
use core::fmt;

use base64ct::{Base64, Base64Unpadded, Encoding};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Octets in base64, as readers of protobuf's JSON take it: the standard or the URL-safe alphabet
/// (RFC 4648 §4, §5), with or without padding, and with white space as tools that break lines leave
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base64Octets(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Base64Octets {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Base64Octets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Base64Octets, E> {
                octets(text).map(Base64Octets).ok_or_else(|| E::custom("not base64"))
            }
        }

        reader.deserialize_str(Text)
    }
}

/// The octets of base64 in any of its spellings.
fn octets(text: &str) -> Option<Vec<u8>> {
    if let Ok(octets) = Base64::decode_vec(text) {
        return Some(octets);
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\r' | '\n' | ' ' | '\t' => {}
            '-' => plain.push('+'),
            '_' => plain.push('/'),
            other => plain.push(other),
        }
    }
    // Padding is there as a whole or not at all; a `=` elsewhere is refused by the decoder.
    let padding = plain.len().saturating_sub(plain.trim_end_matches('=').len());
    let is_whole = padding == 0 || (padding < 3 && plain.len().is_multiple_of(4));
    plain.truncate(plain.len().saturating_sub(padding));
    Base64Unpadded::decode_vec(&plain).ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_every_spelling_of_protobuf() {
        let bytes = [0xFB, 0xFF, 0xFE, 0x01];
        for text in [
            "+//+AQ==",
            "-__-AQ==",
            "+/_-AQ==",
            "+//+AQ",
            "-__-AQ",
            "+//+\r\nAQ==\n",
            " +//+\tAQ= =",
        ] {
            assert_eq!(octets(text).as_deref(), Some(bytes.as_slice()), "{text}");
        }
        assert_eq!(octets(""), Some(Vec::new()));
        for text in [
            "+//+AQ=",
            "+//+AQ===",
            "+//+A",
            "+//+AR==",
            "=+//+AQ=",
            "+//=+AQ=",
            "+//+\u{B}AQ==",
            "+//+.AQ==",
            "====",
            "=",
            "+//+\u{A0}AQ==",
            "+//+AQ==AA==",
        ] {
            assert_eq!(octets(text), None, "{text}");
        }
    }
}
