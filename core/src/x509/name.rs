//! Distinguished names: for people (RFC 4514), and compared ([`equal`]). They are never compared as
//! the text that people see.

mod comparison;

pub(crate) use comparison::ComparableName;
pub use comparison::equal;

use alloc::{string::String, vec::Vec};
use core::fmt::Write;

use const_oid::ObjectIdentifier;
use der::Tag;

use crate::{
    asn1::{Cursor, Result, Tlv},
    digest::encode_hex,
    oid,
};

/// The name as text, the most specific part first: `CN=Signing CA,O=Example`. What cannot be read
/// is shown in hexadecimal.
pub fn text(name: &[u8]) -> String {
    match parts(name) {
        Ok(parts) => {
            let parts: Vec<String> = parts.into_iter().rev().collect();
            parts.join(",")
        }
        Err(_) => encode_hex(name),
    }
}

/// The value of the first commonName, else organizationName, else the whole text: what a person
/// would call the subject.
pub fn friendly(name: &[u8]) -> String {
    let text = |wanted| attribute(name, wanted).ok().flatten();
    text(oid::AT_COMMON_NAME)
        .or_else(|| text(oid::AT_ORGANIZATION))
        .unwrap_or_else(|| self::text(name))
}

/// The value of the first attribute of that type, as text.
///
/// # Errors
/// When `name` is not a DER `Name`.
pub fn attribute(name: &[u8], wanted: ObjectIdentifier) -> Result<Option<String>> {
    let mut found = None;
    each_attribute(name, |id, value, _| {
        if found.is_none() && id == wanted {
            found = Some(value_text(value));
        }
    })?;
    Ok(found)
}

/// The values of every attribute of that type, as text.
///
/// # Errors
/// When `name` is not a DER `Name`.
pub(crate) fn attributes(name: &[u8], wanted: ObjectIdentifier) -> Result<Vec<String>> {
    let mut found = Vec::new();
    each_attribute(name, |id, value, _| {
        if id == wanted {
            found.push(value_text(value));
        }
    })?;
    Ok(found)
}

fn parts(name: &[u8]) -> Result<Vec<String>> {
    let mut parts: Vec<String> = Vec::new();
    each_attribute(name, |id, value, position| {
        let mut part = String::new();
        // Writing to a String does not fail.
        let _ = match short_name(id) {
            Some(short) => write!(part, "{short}={}", escaped(&value_text(value))),
            None => write!(part, "{id}=#{}", encode_hex(value.raw)),
        };
        match parts.last_mut() {
            Some(last) if position == Position::SameRdn => {
                last.push('+');
                last.push_str(&part);
            }
            _ => parts.push(part),
        }
    })?;
    Ok(parts)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    NewRdn,
    SameRdn,
}

fn each_attribute<'a>(
    name: &'a [u8],
    mut visit: impl FnMut(ObjectIdentifier, Tlv<'a>, Position),
) -> Result<()> {
    const FIELD: &str = "name";
    let mut rdns = Cursor::over_sequence(name, FIELD)?;
    while !rdns.is_empty() {
        let mut attributes = rdns.set(FIELD)?;
        let mut position = Position::NewRdn;
        while !attributes.is_empty() {
            let mut fields = attributes.sequence(FIELD)?;
            let id = fields.oid(FIELD)?;
            let value = fields.any(FIELD)?;
            fields.finish(FIELD)?;
            visit(id, value, position);
            position = Position::SameRdn;
        }
    }
    Ok(())
}

fn short_name(id: ObjectIdentifier) -> Option<&'static str> {
    Some(match id {
        oid::AT_COMMON_NAME => "CN",
        oid::AT_SERIAL_NUMBER => "serialNumber",
        oid::AT_COUNTRY => "C",
        oid::AT_LOCALITY => "L",
        oid::AT_STATE => "ST",
        oid::AT_ORGANIZATION => "O",
        oid::AT_ORGANIZATIONAL_UNIT => "OU",
        oid::AT_EMAIL_ADDRESS => "emailAddress",
        oid::AT_DOMAIN_COMPONENT => "DC",
        _ => return None,
    })
}

fn value_text(value: Tlv<'_>) -> String {
    match value.tag {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            String::from_utf8_lossy(value.value).into_owned()
        }
        // T.61 in practice holds Latin-1.
        Tag::TeletexString => value.value.iter().map(|octet| char::from(*octet)).collect(),
        Tag::BmpString => {
            let units = value.value.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
            char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{FFFD}')).collect()
        }
        _ => encode_hex(value.raw),
    }
}

/// RFC 4514 §2.4.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        let at_edge =
            (index == 0 && matches!(character, ' ' | '#')) || (index == last && character == ' ');
        if at_edge || matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;
    use crate::digest::decode_hex;

    #[test]
    fn shows_the_most_specific_part_first_and_escapes() {
        // O="a, b" ; CN=x
        let name =
            decode_hex("301b310d300b060355040a0c04612c2062310a300806035504030c0178").unwrap();
        assert_eq!(text(&name), "CN=x,O=a\\, b");
        assert_eq!(friendly(&name), "x");
        assert_eq!(text(&[0x30]), "30");
    }
}
