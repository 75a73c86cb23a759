//! A small DER writer (X.690 §10, §11).
//!
//! Every function returns one whole TLV. Constructed values take slices that are already encoded,
//! so what never changes (a certificate, an algorithm identifier, a signed attribute) is encoded
//! once and copied afterwards. Nothing here reads DER: that is the rest of [`asn1`](super).

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "places and lengths within what is written here, never numbers that somebody sent"
)]

mod backwards;

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;

use crate::time::UnixSeconds;

use backwards::MAX_HEADER_OCTETS;
pub use backwards::{Backwards, Mark};

/// BOOLEAN.
const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// OBJECT IDENTIFIER.
const OBJECT_IDENTIFIER: u8 = 0x06;
/// ENUMERATED.
const ENUMERATED: u8 = 0x0A;
/// `UTF8String`.
const UTF8_STRING: u8 = 0x0C;
/// `PrintableString`.
const PRINTABLE_STRING: u8 = 0x13;
/// `UTCTime`.
const UTC_TIME: u8 = 0x17;
/// `GeneralizedTime`.
const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE, constructed.
pub const SEQUENCE: u8 = 0x30;
/// SET, constructed.
pub const SET: u8 = 0x31;
/// Context-specific class.
const CONTEXT: u8 = 0x80;
/// The constructed bit.
const CONSTRUCTED: u8 = 0x20;
/// `[0]`, constructed.
pub const CONTEXT_0: u8 = CONTEXT | CONSTRUCTED;

/// NULL.
pub const NULL: &[u8] = &[0x05, 0x00];

/// Writes tag and length to the beginning of `into`; gives how many octets that took. A tag is one
/// octet here: no structure we write has a tag number above 30.
fn header(into: &mut [u8; MAX_HEADER_OCTETS], tag: u8, length: usize) -> usize {
    into[0] = tag;
    if let Ok(short @ ..0x80) = u8::try_from(length) {
        into[1] = short;
        return 2;
    }
    // X.690 §10.1: definite form in the fewest octets.
    let octets = length.to_be_bytes();
    let skipped = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = &octets[skipped..];
    into[1] = 0x80 | u8::try_from(significant.len()).unwrap_or(0);
    into[2..2 + significant.len()].copy_from_slice(significant);
    2 + significant.len()
}

/// A TLV with that tag octet, whose content is the parts.
pub fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut octets = [0; MAX_HEADER_OCTETS];
    let header = header(&mut octets, tag, length);
    let mut encoded = Vec::with_capacity(length + header);
    encoded.extend_from_slice(&octets[..header]);
    for part in parts {
        encoded.extend_from_slice(part);
    }
    encoded
}

/// SEQUENCE of parts that are encoded already.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    wrap(SEQUENCE, parts)
}

/// SEQUENCE OF values that are encoded already.
pub fn sequence_of<T: AsRef<[u8]>>(values: &[T]) -> Vec<u8> {
    let parts: Vec<&[u8]> = values.iter().map(AsRef::as_ref).collect();
    wrap(SEQUENCE, &parts)
}

/// SET OF values that are encoded already, in ascending order of their encodings (X.690 §11.6).
pub fn set_of<T: AsRef<[u8]>>(values: &[T]) -> Vec<u8> {
    wrap(SET, &sorted(values))
}

/// SET OF with the implicit tag `[number]`, sorted like [`set_of`].
pub fn implicit_set_of<T: AsRef<[u8]>>(number: u8, values: &[T]) -> Vec<u8> {
    wrap(CONTEXT | CONSTRUCTED | number, &sorted(values))
}

fn sorted<T: AsRef<[u8]>>(values: &[T]) -> Vec<&[u8]> {
    let mut parts: Vec<&[u8]> = values.iter().map(AsRef::as_ref).collect();
    // X.690 §11.6 pads the shorter one with zero octets. One TLV is never a prefix of another, so
    // comparing slices gives the same order.
    parts.sort_unstable();
    parts
}

/// `[number]` constructed: an explicit tag, or an implicit one over a SEQUENCE's or SET's content.
pub fn context(number: u8, parts: &[&[u8]]) -> Vec<u8> {
    wrap(CONTEXT | CONSTRUCTED | number, parts)
}

/// `[number]` primitive with `content`: an implicit tag over a string, a number or NULL.
pub fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    wrap(CONTEXT | number, &[content])
}

/// BOOLEAN TRUE. FALSE is a default everywhere we write one, and DER forbids encoding defaults
/// (X.690 §11.5), so there is no way to write it.
pub fn boolean_true() -> Vec<u8> {
    vec![BOOLEAN, 0x01, 0xFF]
}

/// OBJECT IDENTIFIER.
pub fn oid(identifier: &ObjectIdentifier) -> Vec<u8> {
    wrap(OBJECT_IDENTIFIER, &[identifier.as_bytes()])
}

/// Non-negative INTEGER from its magnitude, most significant octet first; leading zeros are
/// dropped, and one is put where the first bit is set. An empty magnitude is zero.
pub fn unsigned_integer(magnitude: &[u8]) -> Vec<u8> {
    let skipped = magnitude.iter().take_while(|octet| **octet == 0).count();
    match &magnitude[skipped..] {
        [] => vec![INTEGER, 1, 0],
        significant @ [first, ..] if *first >= 0x80 => wrap(INTEGER, &[&[0], significant]),
        significant => wrap(INTEGER, &[significant]),
    }
}

/// Non-negative INTEGER from a number.
pub fn integer(value: u64) -> Vec<u8> {
    unsigned_integer(&value.to_be_bytes())
}

/// The content octets of [`integer`], for implicit tags.
pub fn integer_content(value: u64) -> Vec<u8> {
    // The length octet of a number of at most nine octets is one octet.
    integer(value).split_off(2)
}

/// INTEGER from content octets as they were received: two's complement, any length, any sign.
pub fn integer_verbatim(content: &[u8]) -> Vec<u8> {
    wrap(INTEGER, &[content])
}

/// ENUMERATED with a value below 128.
pub fn enumerated(value: u8) -> Vec<u8> {
    debug_assert!(value < 0x80, "an ENUMERATED of ours fits seven bits");
    vec![ENUMERATED, 0x01, value]
}

/// OCTET STRING.
pub fn octet_string(content: &[u8]) -> Vec<u8> {
    wrap(OCTET_STRING, &[content])
}

/// BIT STRING of whole octets.
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    wrap(BIT_STRING, &[&[0], octets])
}

/// BIT STRING of named bits, in which exactly the bits in `positions` are set; no zero bit trails
/// (X.690 §11.2.2). Bit 0 is the most significant of the first octet.
pub fn named_bits(positions: &[u8]) -> Vec<u8> {
    let Some(last) = positions.iter().max() else { return vec![BIT_STRING, 1, 0] };
    let mut octets = vec![0_u8; usize::from(last / 8) + 1];
    for position in positions {
        octets[usize::from(position / 8)] |= 0x80 >> (position % 8);
    }
    wrap(BIT_STRING, &[&[7 - last % 8], &octets])
}

/// `UTF8String`.
pub fn utf8_string(text: &str) -> Vec<u8> {
    wrap(UTF8_STRING, &[text.as_bytes()])
}

/// `PrintableString`; the caller answers for the characters.
pub fn printable_string(text: &str) -> Vec<u8> {
    wrap(PRINTABLE_STRING, &[text.as_bytes()])
}

/// `GeneralizedTime` with seconds, without a fraction: `20260503100000Z`.
///
/// Years 1970 to 9999; a time outside them is held at the nearer end.
pub fn generalized_time(time: UnixSeconds) -> Vec<u8> {
    wrap(GENERALIZED_TIME, &[&calendar_digits(time), b"Z"])
}

/// `GeneralizedTime` with milliseconds, without trailing zeros (X.690 §11.7.3), hence without a
/// fraction when `milliseconds` is 0. Values above 999 are held at 999.
pub fn generalized_time_with_milliseconds(time: UnixSeconds, milliseconds: u16) -> Vec<u8> {
    if milliseconds == 0 {
        return generalized_time(time);
    }
    let [_, hundreds, tens, ones] = four_digits(milliseconds.min(999));
    let fraction = [b'.', hundreds, tens, ones];
    let zeros = fraction.iter().rev().take_while(|digit| **digit == b'0').count();
    wrap(GENERALIZED_TIME, &[&calendar_digits(time), &fraction[..fraction.len() - zeros], b"Z"])
}

/// `Time` of RFC 5280 §4.1.2.5: `UTCTime` through 2049, `GeneralizedTime` from 2050.
pub fn time(time: UnixSeconds) -> Vec<u8> {
    // 2050-01-01T00:00:00Z.
    const FIRST_GENERALIZED: i64 = 2_524_608_000;
    if time.seconds() >= FIRST_GENERALIZED {
        return generalized_time(time);
    }
    let digits = calendar_digits(time);
    wrap(UTC_TIME, &[&digits[2..], b"Z"])
}

/// `YYYYMMDDhhmmss`.
fn calendar_digits(time: UnixSeconds) -> [u8; 14] {
    // 9999-12-31T23:59:59Z.
    const LAST: i64 = 253_402_300_799;
    let held = UnixSeconds::new(time.seconds().clamp(0, LAST));
    let Some(date) = held.civil() else { return *b"19700101000000" };
    let mut digits = [0; 14];
    digits[..4].copy_from_slice(&four_digits(date.year()));
    let rest = [date.month(), date.day(), date.hour(), date.minutes(), date.seconds()];
    for (place, value) in digits[4..].chunks_exact_mut(2).zip(rest) {
        place.copy_from_slice(&four_digits(value.into())[2..]);
    }
    digits
}

/// The last four decimal digits. Written by hand, since a token has a time, and the formatter
/// takes longer than everything else of a token but the signature.
fn four_digits(value: u16) -> [u8; 4] {
    [1000, 100, 10, 1].map(|unit| b'0' + u8::try_from(value / unit % 10).unwrap_or(0))
}

/// Extension of RFC 5280 §4.1 with an encoded value.
pub fn extension(identifier: &ObjectIdentifier, criticality: Criticality, value: &[u8]) -> Vec<u8> {
    let critical = match criticality {
        Criticality::Critical => boolean_true(),
        Criticality::NonCritical => Vec::new(),
    };
    sequence(&[&oid(identifier), &critical, &octet_string(value)])
}

/// Whether a reader that does not know an extension must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criticality {
    /// It must.
    Critical,
    /// It may ignore the extension.
    NonCritical,
}

#[cfg(test)]
mod tests;
