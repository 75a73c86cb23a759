//! Distinguished names as people see them (RFC 4514): every attribute, every kind of string, and what
//! is escaped.

use countersign_core::{oid, x509::name as names};
use countersign_signing::der;

/// A `Name`; each part is a set of attributes, each with its value's DER.
fn name_of(parts: &[&[(&str, &[u8])]]) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = parts
        .iter()
        .map(|attributes| {
            let each = attributes.iter().map(|(id, value)| {
                der::sequence(&[&der::oid(&id.parse().expect("an identifier")), value])
            });
            der::set_of(&each.collect::<Vec<_>>())
        })
        .collect();
    der::sequence_of(&sets)
}

#[test]
fn shows_every_attribute_that_has_a_short_name() {
    let value = der::utf8_string("x");
    for (id, short) in [
        ("2.5.4.3", "CN=x"),
        ("2.5.4.5", "serialNumber=x"),
        ("2.5.4.6", "C=x"),
        ("2.5.4.7", "L=x"),
        ("2.5.4.8", "ST=x"),
        ("2.5.4.10", "O=x"),
        ("2.5.4.11", "OU=x"),
        ("1.2.840.113549.1.9.1", "emailAddress=x"),
        ("0.9.2342.19200300.100.1.25", "DC=x"),
        ("2.5.4.12", "2.5.4.12=#0c0178"),
    ] {
        assert_eq!(names::text(&name_of(&[&[(id, &value)]])), short);
    }
    let several: [(&str, &[u8]); 2] = [("2.5.4.3", &value), ("2.5.4.11", &value)];
    let organisation: [(&str, &[u8]); 1] = [("2.5.4.10", &value)];
    assert_eq!(names::text(&name_of(&[&organisation, &several])), "CN=x+OU=x,O=x");
}

#[test]
fn reads_strings_of_every_kind() {
    let text = |tag: u8, octets: &[u8]| {
        let length = u8::try_from(octets.len()).expect("a short string");
        names::text(&name_of(&[&[("2.5.4.3", &[&[tag, length][..], octets].concat())]]))
    };
    assert_eq!(text(0x0C, "né".as_bytes()), "CN=né");
    assert_eq!(text(0x13, b"printable"), "CN=printable");
    assert_eq!(text(0x16, b"ia5"), "CN=ia5");
    assert_eq!(text(0x12, b"12"), "CN=12");
    assert_eq!(text(0x14, &[b'n', 0xE9]), "CN=né");
    assert_eq!(text(0x1E, &[0, b'n', 0, 0xE9, 0xD8, 0x3D, 0xDE, 0x00]), "CN=né😀");
    assert_eq!(text(0x04, b"x"), "CN=040178");
}

#[test]
fn escapes_what_rfc_4514_escapes() {
    let text = |value: &str| names::text(&name_of(&[&[("2.5.4.3", &der::utf8_string(value))]]));
    for (value, shown) in [
        (" a b ", r"CN=\ a b\ "),
        ("#a#", r"CN=\#a#"),
        ("a#b", "CN=a#b"),
        (" ", r"CN=\ "),
        ("a+b,c;d<e>f\\g\"h", r#"CN=a\+b\,c\;d\<e\>f\\g\"h"#),
    ] {
        assert_eq!(text(value), shown);
    }
}

#[test]
fn finds_the_first_attribute_of_a_kind() {
    let [first, second] = ["first", "second"].map(der::utf8_string);
    let of = |parts: &[&[(&str, &[u8])]], wanted| {
        names::attribute(&name_of(parts), wanted).expect("a name")
    };
    let both: [&[(&str, &[u8])]; 2] = [&[("2.5.4.3", &first)], &[("2.5.4.3", &second)]];
    assert_eq!(of(&both, oid::AT_COMMON_NAME).as_deref(), Some("first"));
    assert_eq!(of(&both, oid::AT_ORGANIZATION), None);
    assert_eq!(names::friendly(&name_of(&both)), "first");
    let organisation = name_of(&[&[("2.5.4.10", &first)]]);
    assert_eq!(names::friendly(&organisation), "first");
    assert_eq!(names::friendly(&name_of(&[&[("2.5.4.6", &first)]])), "C=first");
    assert!(names::attribute(&[0x30], oid::AT_COMMON_NAME).is_err());
}
