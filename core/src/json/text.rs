//! The text of a JSON file as people's tools write it: with a byte order mark, or in UTF-16.
//!
//! RFC 8259 §8.1 lets a reader ignore a byte order mark. PowerShell 5 writes one with `Out-File`
//! and writes UTF-16 with `>`, so both are what publishers' files look like. UTF-16 is taken only
//! with its mark; nothing is guessed.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::JsonFault;

/// The text in UTF-8 without a byte order mark. What is not UTF-8 stays as it is, for the guard to
/// complain about. At most half as long again as `bytes`.
///
/// # Errors
/// [`JsonFault::Malformed`] if it begins as UTF-16 does and is not.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, JsonFault> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Ok(Cow::Borrowed(rest)),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, [u8]>, JsonFault> {
    let (pairs, rest) = octets.as_chunks();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(Cow::Owned(Vec::from(text))),
        // A download may end within a character.
        Ok(_) => Err(JsonFault::Truncated),
        Err(_) => Err(JsonFault::Malformed {
            place: String::new(),
            what: String::from("not valid UTF-16"),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    fn marked(text: &str, mark: [u8; 2], octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mut bytes = mark.to_vec();
        bytes.extend(text.encode_utf16().flat_map(octets));
        bytes
    }

    #[test]
    fn marks_are_skipped_and_utf_16_becomes_utf_8() {
        let plain = "{\"é\":\"😀\"}";
        let mut with_mark = b"\xEF\xBB\xBF".to_vec();
        with_mark.extend_from_slice(plain.as_bytes());
        for bytes in [
            plain.as_bytes().to_vec(),
            with_mark,
            marked(plain, [0xFF, 0xFE], u16::to_le_bytes),
            marked(plain, [0xFE, 0xFF], u16::to_be_bytes),
        ] {
            assert_eq!(text(&bytes).unwrap(), plain.as_bytes());
        }
        assert_eq!(text(b"\xEF\xBB\xBF").unwrap(), b"".as_slice());
        assert_eq!(text(b"\xFF").unwrap(), b"\xFF".as_slice());
    }

    #[test]
    fn a_mark_is_skipped_once() {
        let twice = b"\xEF\xBB\xBF\xEF\xBB\xBF{}";
        assert_eq!(text(twice).unwrap(), b"\xEF\xBB\xBF{}".as_slice());
    }

    #[test]
    fn broken_utf_16_is_refused() {
        assert_eq!(text(b"\xFF\xFE{\0}"), Err(JsonFault::Truncated));
        assert!(matches!(text(b"\xFF\xFE\x00\xD8{\0"), Err(JsonFault::Malformed { .. })));
    }
}
