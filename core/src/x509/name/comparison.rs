//! Whether two names are the same (RFC 5280 §7.1): string types, case and blanks aside.
//!
//! Text of `PrintableString`, `UTF8String`, `IA5String`, `NumericString` and `BMPString` is compared
//! in one folded form; every other value octet for octet.
//!
//! Off-spec: RFC 4518's preparation would also bring text into NFKC, which takes tables of 50 KB.
//! Names that differ in that alone are different here, which refuses and never accepts.

use alloc::{string::String, vec::Vec};

use const_oid::ObjectIdentifier;
use der::Tag;

use super::{Position, each_attribute};
use crate::{asn1::Tlv, limits, order::sort_few};

/// Whether both names (DER) are the same.
pub fn equal(first: &[u8], second: &[u8]) -> bool {
    first == second || ComparableName::new(first).is(&ComparableName::new(second))
}

/// A name with its folded form, made once for many comparisons.
#[derive(Clone, Debug)]
pub(crate) struct ComparableName<'a> {
    raw: &'a [u8],
    /// The RDNs, each its attributes in a fixed order; `None` if the name cannot be read, which is
    /// then compared octet for octet.
    rdns: Option<Vec<Vec<Attribute>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attribute {
    id: ObjectIdentifier,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Text(String),
    Octets(Vec<u8>),
}

impl<'a> ComparableName<'a> {
    /// The name (DER).
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        Self { raw, rdns: folded(raw) }
    }

    /// Whether it is a name, and none with parts of too many attributes.
    pub(crate) fn is_readable(&self) -> bool {
        self.rdns.is_some()
    }

    /// Whether it is the same name.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.raw == other.raw || (self.rdns.is_some() && self.rdns == other.rdns)
    }

    /// Whether it is `base` or below it (RFC 5280 §4.2.1.10): begins with its RDNs.
    pub(crate) fn is_within(&self, base: &Self) -> bool {
        match (&self.rdns, &base.rdns) {
            (Some(own), Some(base)) => own.starts_with(base),
            _ => false,
        }
    }
}

fn folded(raw: &[u8]) -> Option<Vec<Vec<Attribute>>> {
    let mut rdns: Vec<Vec<Attribute>> = Vec::new();
    each_attribute(raw, |id, tlv, position| {
        let attribute = Attribute { id, value: value(tlv) };
        match rdns.last_mut() {
            Some(last) if position == Position::SameRdn => last.push(attribute),
            _ => rdns.push(alloc::vec![attribute]),
        }
    })
    .ok()?;
    for rdn in &mut rdns {
        if rdn.len() > limits::RDN_ATTRIBUTES {
            return None;
        }
        sort_few(rdn, Attribute::clone);
    }
    Some(rdns)
}

fn value(tlv: Tlv<'_>) -> Value {
    let text = match tlv.tag {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            core::str::from_utf8(tlv.value).ok().map(|text| folded_text(text.chars()))
        }
        Tag::BmpString => {
            let (pairs, rest) = tlv.value.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            let text: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
            text.filter(|_| rest.is_empty()).map(|text| folded_text(text.chars()))
        }
        _ => None,
    };
    text.map_or_else(|| Value::Octets(tlv.raw.to_vec()), Value::Text)
}

/// Lower case, no blanks at the ends, one blank for several inside (RFC 4518 §2.2, §2.6.1).
fn folded_text(characters: impl Iterator<Item = char>) -> String {
    let mut folded = String::new();
    let mut blank_waits = false;
    for character in characters {
        if character.is_whitespace() {
            blank_waits = !folded.is_empty();
            continue;
        }
        if core::mem::take(&mut blank_waits) {
            folded.push(' ');
        }
        folded.extend(character.to_lowercase());
    }
    folded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
    use super::*;

    const PRINTABLE: u8 = 19;
    const UTF8: u8 = 12;
    const BMP: u8 = 30;
    const TELETEX: u8 = 20;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut encoded = alloc::vec![tag, u8::try_from(content.len()).unwrap()];
        encoded.extend_from_slice(content);
        encoded
    }

    /// An attribute id-at-N of that string.
    fn attribute(number: u8, tag: u8, text: &[u8]) -> Vec<u8> {
        tlv(0x30, &[tlv(6, &[0x55, 4, number]), tlv(tag, text)].concat())
    }

    fn name(attributes: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let rdns: Vec<Vec<u8>> = attributes
            .iter()
            .map(|(number, tag, text)| tlv(0x31, &attribute(*number, *tag, text)))
            .collect();
        tlv(0x30, &rdns.concat())
    }

    fn common_name(tag: u8, text: &[u8]) -> Vec<u8> {
        name(&[(10, PRINTABLE, b"Example"), (3, tag, text)])
    }

    #[test]
    fn string_type_case_and_blanks_do_not_matter() {
        let plain = common_name(PRINTABLE, b"Signing CA");
        for same in [
            common_name(UTF8, b"Signing CA"),
            common_name(PRINTABLE, b"SIGNING ca"),
            common_name(UTF8, b"  Signing \t  CA "),
            common_name(BMP, b"\0S\0i\0g\0n\0i\0n\0g\0 \0C\0A"),
        ] {
            assert!(equal(&plain, &same));
        }
        assert!(equal(&common_name(UTF8, "É".as_bytes()), &common_name(UTF8, "é".as_bytes())));
    }

    #[test]
    fn other_words_other_attributes_and_other_places_do() {
        let plain = common_name(PRINTABLE, b"Signing CA");
        for other in [
            common_name(PRINTABLE, b"SigningCA"),
            common_name(PRINTABLE, b"Signing CA 2"),
            common_name(TELETEX, b"Signing CA"),
            name(&[(10, PRINTABLE, b"Example")]),
            name(&[(3, PRINTABLE, b"Signing CA"), (10, PRINTABLE, b"Example")]),
            name(&[(10, PRINTABLE, b"Example"), (11, PRINTABLE, b"Signing CA")]),
        ] {
            assert!(!equal(&plain, &other));
        }
        // What cannot be read is equal to itself alone.
        assert!(equal(&[0x30, 5], &[0x30, 5]));
        assert!(!equal(&[0x30, 5], &[0x30, 6]));
    }

    #[test]
    fn an_rdn_of_several_attributes_has_no_order_and_is_not_two() {
        let first = attribute(3, UTF8, b"CA");
        let second = attribute(11, UTF8, b"Unit");
        let whole = |rdns: &[Vec<u8>]| tlv(0x30, &rdns.concat());
        let one = whole(&[tlv(0x31, &[first.clone(), second.clone()].concat())]);
        let turned = whole(&[tlv(0x31, &[second.clone(), first.clone()].concat())]);
        let two = whole(&[tlv(0x31, &first), tlv(0x31, &second)]);
        assert!(equal(&one, &turned));
        assert!(!equal(&one, &two));
    }

    #[test]
    fn a_name_is_within_its_own_beginnings() {
        let whole = common_name(UTF8, b"Signing CA");
        let whole = ComparableName::new(&whole);
        let organisation = name(&[(10, UTF8, b"EXAMPLE")]);
        let empty = name(&[]);
        let longer = name(&[(10, UTF8, b"Example"), (3, UTF8, b"Signing CA"), (3, UTF8, b"x")]);
        assert!(whole.is_within(&whole));
        assert!(whole.is_within(&ComparableName::new(&organisation)));
        assert!(whole.is_within(&ComparableName::new(&empty)));
        assert!(!whole.is_within(&ComparableName::new(&longer)));
        assert!(!whole.is_within(&ComparableName::new(&name(&[(10, UTF8, b"Exam")]))));
    }
}
