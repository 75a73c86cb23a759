//! BER in timestamps: where it begins, and the same timestamp in DER.
//!
//! Authorities (Belgium's, Estonia's, others) sent tokens with indefinite lengths and strings in
//! pieces until 2019. [`first`] says where such a form is, for every program. `normalised`, behind
//! the feature `ber`, writes the same values in DER: lengths become definite and minimal, OCTET
//! STRINGs become whole, and nothing else changes, so that what was DER stays as it was, octet for
//! octet, and what an OCTET STRING holds (the signed `TSTInfo`) is what was received.
//!
//! For timestamps alone, and for nothing that is fetched today: certificates, CRLs, OCSP responses
//! and requests are DER or refused. Primitive values are not looked at; the decoders judge them.

#[cfg(feature = "ber")]
use alloc::vec::Vec;

use crate::limits;

const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;
const CONSTRUCTED_OCTET_STRING: u8 = OCTET_STRING | CONSTRUCTED;
const INDEFINITE: u8 = 0x80;
/// X.690 §8.1.2.4: the tag's number follows in further octets. No structure that is read has one.
const HIGH_TAG_NUMBER: u8 = 0x1F;
/// X.690 §8.1.5: what ends an indefinite length.
#[cfg(feature = "ber")]
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// A form that BER has and DER has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BerForm {
    /// A length that is not said, but ended by two zero octets (X.690 §8.1.3.6).
    IndefiniteLength,
    /// A length in more octets than it needs (X.690 §10.1).
    LongLength,
    /// An OCTET STRING in pieces (X.690 §10.2).
    StringInPieces,
}

/// The identifier octet, and what the length octets say.
#[derive(Clone, Copy)]
struct Header {
    identifier: u8,
    /// Of the content; `None` is the indefinite form.
    length: Option<usize>,
    /// Identifier and length octets.
    octets: usize,
    minimal: bool,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (identifier, rest) = bytes.split_first()?;
        if identifier & HIGH_TAG_NUMBER == HIGH_TAG_NUMBER {
            return None;
        }
        let (first, rest) = rest.split_first()?;
        let further = match *first {
            INDEFINITE if identifier & CONSTRUCTED != 0 => {
                return Some(Self {
                    identifier: *identifier,
                    length: None,
                    octets: 2,
                    minimal: true,
                });
            }
            length @ 0..0x80 => {
                let length = Some(usize::from(length));
                return Some(Self { identifier: *identifier, length, octets: 2, minimal: true });
            }
            // More than 2^32 octets are none that anybody sent.
            0x81..=0x84 => usize::from(*first & 0x7F),
            _ => return None,
        };
        let (said, _) = rest.split_at_checked(further)?;
        let length = said.iter().try_fold(0_usize, |value, octet| {
            value.checked_mul(256)?.checked_add((*octet).into())
        })?;
        let minimal = length >= 0x80 && said.first() != Some(&0);
        let octets = further.checked_add(2)?;
        Some(Self { identifier: *identifier, length: Some(length), octets, minimal })
    }

    fn is_constructed(&self) -> bool {
        self.identifier & CONSTRUCTED != 0
    }

    fn form(&self) -> Option<BerForm> {
        match self.length {
            None => Some(BerForm::IndefiniteLength),
            Some(_) if !self.minimal => Some(BerForm::LongLength),
            _ if self.identifier == CONSTRUCTED_OCTET_STRING => Some(BerForm::StringInPieces),
            _ => None,
        }
    }
}

/// The first form of BER in `bytes`, which begin with a whole value, and the octet that it begins at,
/// counted from 0; `None` if there is none before the end or before what is no BER either. Nesting is
/// followed to [`limits::BER_DEPTH`].
pub fn first(bytes: &[u8]) -> Option<(usize, BerForm)> {
    first_from(bytes, 0, limits::BER_DEPTH)
}

fn first_from(mut bytes: &[u8], mut position: usize, depth: usize) -> Option<(usize, BerForm)> {
    let depth = depth.checked_sub(1)?;
    while !bytes.is_empty() {
        let header = Header::read(bytes)?;
        if let Some(form) = header.form() {
            return Some((position, form));
        }
        let (content, rest) = bytes.get(header.octets..)?.split_at_checked(header.length?)?;
        let start = position.checked_add(header.octets)?;
        if header.is_constructed()
            && let Some(found) = first_from(content, start, depth)
        {
            return Some(found);
        }
        position = start.checked_add(content.len())?;
        bytes = rest;
    }
    None
}

/// The one value that fills `bytes`, in DER but for its primitive values; `None` when it is not BER
/// either, is nested more deeply than [`limits::BER_DEPTH`], or has more than
/// [`limits::TIMESTAMP_BYTES`] before or after.
#[cfg(feature = "ber")]
pub fn normalised(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > limits::TIMESTAMP_BYTES {
        return None;
    }
    let mut der = Vec::with_capacity(bytes.len());
    let rest = write_value(bytes, limits::BER_DEPTH, &mut der)?;
    (rest.is_empty() && der.len() <= limits::TIMESTAMP_BYTES).then_some(der)
}

/// Writes the first value of `bytes`; what follows after it.
#[cfg(feature = "ber")]
fn write_value<'a>(bytes: &'a [u8], depth: usize, der: &mut Vec<u8>) -> Option<&'a [u8]> {
    let depth = depth.checked_sub(1)?;
    let header = Header::read(bytes)?;
    let after = bytes.get(header.octets..)?;
    let in_pieces = header.identifier == CONSTRUCTED_OCTET_STRING;
    let mut content = Vec::new();
    let rest = match header.length {
        None => {
            let mut inner = after;
            loop {
                if let Some(rest) = inner.strip_prefix(&END_OF_CONTENTS) {
                    break rest;
                }
                inner = write_part(inner, in_pieces, depth, &mut content)?;
            }
        }
        Some(length) => {
            let (mut inner, rest) = after.split_at_checked(length)?;
            if header.is_constructed() {
                while !inner.is_empty() {
                    inner = write_part(inner, in_pieces, depth, &mut content)?;
                }
            } else {
                content.extend_from_slice(inner);
            }
            rest
        }
    };
    let identifier = if in_pieces { OCTET_STRING } else { header.identifier };
    write_tlv(identifier, &content, der);
    Some(rest)
}

/// A value, or of an OCTET STRING in pieces (X.690 §8.7.3) a piece's octets alone.
#[cfg(feature = "ber")]
fn write_part<'a>(
    bytes: &'a [u8],
    in_pieces: bool,
    depth: usize,
    content: &mut Vec<u8>,
) -> Option<&'a [u8]> {
    if !in_pieces {
        return write_value(bytes, depth, content);
    }
    let mut piece = Vec::new();
    let rest = write_value(bytes, depth, &mut piece)?;
    let header = Header::read(&piece).filter(|header| header.identifier == OCTET_STRING)?;
    content.extend_from_slice(piece.get(header.octets..)?);
    Some(rest)
}

/// X.690 §10.1: the definite form, in the fewest octets.
#[cfg(feature = "ber")]
pub(super) fn write_tlv(identifier: u8, content: &[u8], der: &mut Vec<u8>) {
    der.push(identifier);
    let length = content.len();
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        der.push(short);
    } else {
        let octets = length.to_be_bytes();
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let significant = octets.get(zeros..).unwrap_or_default();
        // At most eight octets of a `usize`.
        der.push(INDEFINITE | u8::try_from(significant.len()).unwrap_or_default());
        der.extend_from_slice(significant);
    }
    der.extend_from_slice(content);
}

#[cfg(all(test, feature = "ber"))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use super::*;

    #[test]
    fn der_stays_as_it_is() {
        let long = [&[0x30, 0x81, 0x84, 0x04, 0x81, 0x81][..], &[7; 0x81]].concat();
        for der in [&[0x30, 0x03, 0x02, 0x01, 0x05][..], &[0x05, 0x00], &[0xA0, 0x00], &long] {
            assert_eq!(normalised(der).as_deref(), Some(der));
            assert_eq!(first(der), None);
        }
    }

    #[test]
    fn lengths_become_definite_and_minimal_and_strings_whole() {
        let indefinite = [0x30, 0x80, 0xA0, 0x80, 0x02, 0x01, 0x05, 0, 0, 0, 0];
        let der = [0x30, 0x05, 0xA0, 0x03, 0x02, 0x01, 0x05];
        assert_eq!(normalised(&indefinite).unwrap(), der);
        assert_eq!(first(&indefinite), Some((0, BerForm::IndefiniteLength)));
        let long = [0x30, 0x82, 0x00, 0x03, 0x02, 0x01, 0x05];
        assert_eq!(normalised(&long).unwrap(), [0x30, 0x03, 0x02, 0x01, 0x05]);
        assert_eq!(first(&long), Some((0, BerForm::LongLength)));
        // Pieces of pieces, one of them empty, one with an indefinite length.
        let pieces =
            [0x30, 0x0F, 0x24, 0x0D, 0x04, 0x01, 1, 0x24, 0x80, 0x04, 0x02, 2, 0, 0, 0, 0x04, 0];
        assert_eq!(normalised(&pieces).unwrap(), [0x30, 0x05, 0x04, 0x03, 1, 2, 0]);
        assert_eq!(first(&pieces), Some((2, BerForm::StringInPieces)));
    }

    #[test]
    fn what_an_octet_string_holds_is_not_touched() {
        let held = [0x24, 0x80, 0x04, 0x04, 0x30, 0x80, 0, 0, 0, 0];
        assert_eq!(normalised(&held).unwrap(), [0x04, 0x04, 0x30, 0x80, 0, 0]);
    }

    #[test]
    fn refuses_what_is_no_ber() {
        for bytes in [
            &[0x30, 0x80][..],               // never ends
            &[0x30, 0x80, 0x02, 0x01, 0x05], // neither
            &[0x30, 0x05, 0x02, 0x01, 0x05], // too short
            &[0x04, 0x80, 0, 0],             // primitive with an indefinite length
            &[0x1F, 0x81, 0x01, 0x00],       // a high tag number
            &[0x24, 0x03, 0x02, 0x01, 0x05], // a piece of another type
            &[0x30, 0x85, 0, 0, 0, 0, 0],    // a length of five octets
            &[0x05, 0x00, 0x00],             // more follows
            &[],
        ] {
            assert_eq!(normalised(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |depth: usize| {
            let open = [0x30, 0x80].repeat(depth);
            [open, [0, 0].repeat(depth)].concat()
        };
        assert!(normalised(&nested(limits::BER_DEPTH)).is_some());
        assert_eq!(normalised(&nested(limits::BER_DEPTH + 1)), None);
        let deep = vec![0x30; 100_000];
        assert_eq!((normalised(&deep), first(&deep)), (None, None));
        assert_eq!(normalised(&vec![0; limits::TIMESTAMP_BYTES + 1]), None);
    }
}
