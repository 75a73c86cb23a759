//! The writer against the `der` crate's strict reader.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may")]

use alloc::string::String;

use der::{
    Decode, Encode,
    asn1::{AnyRef, BitStringRef, GeneralizedTime, Int, OctetStringRef, SetOfVec, UtcTime},
};

use super::*;
extern crate std;

fn round_trip<'a, T: Decode<'a> + Encode>(encoded: &'a [u8]) -> T
where
    <T as Decode<'a>>::Error: core::fmt::Debug,
{
    let value = T::from_der(encoded).expect("the writer's output is DER");
    assert_eq!(value.to_der().expect("encodes"), encoded, "one value has one encoding");
    value
}

#[test]
fn writes_lengths_in_the_fewest_octets() {
    for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000] {
        let content = vec![0xAB; length];
        let encoded = octet_string(&content);
        assert_eq!(round_trip::<&OctetStringRef>(&encoded).as_bytes(), content, "{length}");
    }
}

#[test]
fn writes_integers_minimally() {
    for value in [0, 1, 127, 128, 255, 256, 32_768, u64::from(u32::MAX), u64::MAX] {
        let encoded = integer(value);
        assert_eq!(u64::from_der(&encoded).expect("an INTEGER"), value);
        assert_eq!(&encoded[2..], integer_content(value));
    }
    assert_eq!(unsigned_integer(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
    assert_eq!(unsigned_integer(&[]), [2, 1, 0]);
    let negative = integer_verbatim(&[0xFF, 0x01]);
    assert_eq!(round_trip::<Int>(&negative).as_bytes(), [0xFF, 0x01]);
}

#[test]
fn sorts_sets() {
    let values = [octet_string(&[9, 9]), integer(3), octet_string(&[1]), integer(2)];
    let encoded = set_of(&values);
    let read: SetOfVec<AnyRef<'_>> = round_trip(&encoded);
    assert_eq!(read.len(), 4);
    assert_eq!(
        set_of(&[integer(1), octet_string(&[7])]),
        set_of(&[octet_string(&[7]), integer(1)])
    );
    let tagged = implicit_set_of(0, &values);
    assert_eq!(tagged[0], 0xA0);
    assert_eq!(tagged[1..], encoded[1..]);
}

#[test]
fn writes_named_bits_without_trailing_zeros() {
    for (positions, expected) in [
        (&[0_u8][..], &[3_u8, 2, 7, 0x80][..]),
        (&[5, 6], &[3, 2, 1, 0x06]),
        (&[0, 14], &[3, 3, 1, 0x80, 0x02]),
        (&[25], &[3, 5, 6, 0, 0, 0, 0x40]),
        (&[], &[3, 1, 0]),
    ] {
        let encoded = named_bits(positions);
        assert_eq!(encoded, expected);
        round_trip::<BitStringRef<'_>>(&encoded);
    }
}

#[test]
fn writes_times() {
    let time_2026 = UnixSeconds::parse_rfc3339("2026-05-03T10:00:07Z").expect("a time");
    assert_eq!(&generalized_time(time_2026)[2..], b"20260503100007Z");
    round_trip::<GeneralizedTime>(&generalized_time(time_2026));
    assert_eq!(&time(time_2026)[2..], b"260503100007Z");
    round_trip::<UtcTime>(&time(time_2026));
    let last_utc = UnixSeconds::parse_rfc3339("2049-12-31T23:59:59Z").expect("a time");
    round_trip::<UtcTime>(&time(last_utc));
    round_trip::<GeneralizedTime>(&time(last_utc.plus_seconds(1)));
    for (milliseconds, text) in [(0, "07Z"), (5, "07.005Z"), (120, "07.12Z"), (900, "07.9Z")] {
        let encoded = generalized_time_with_milliseconds(time_2026, milliseconds);
        assert!(encoded.ends_with(text.as_bytes()), "{milliseconds}");
    }
    round_trip::<GeneralizedTime>(&generalized_time(UnixSeconds::new(i64::MAX)));
    round_trip::<UtcTime>(&time(UnixSeconds::new(-5)));
}

#[test]
fn wraps_prepared_slices() {
    let prepared = sequence(&[&oid(&ObjectIdentifier::new_unwrap("1.2.840.113549")), NULL]);
    let outer = sequence(&[&prepared, &context(0, &[&integer(5)]), &implicit(1, b"x")]);
    let any = AnyRef::from_der(&outer).expect("DER");
    assert_eq!(any.value()[..prepared.len()], prepared);
    assert_eq!(sequence_of(std::slice::from_ref(&prepared)), sequence(&[&prepared]));
}

#[test]
fn writes_strings_and_small_types() {
    assert!(round_trip::<bool>(&boolean_true()));
    assert_eq!(AnyRef::from_der(&enumerated(6)).expect("DER").value(), [6]);
    assert_eq!(round_trip::<String>(&utf8_string("Grüße")), "Grüße");
    round_trip::<der::asn1::PrintableStringRef<'_>>(&printable_string("CH"));
    assert_eq!(AnyRef::from_der(&bit_string(&[1, 2])).expect("DER").value(), [0, 1, 2]);
    let critical = extension(
        &ObjectIdentifier::new_unwrap("2.5.29.15"),
        Criticality::Critical,
        &named_bits(&[0]),
    );
    assert_eq!(critical.len(), 16);
    assert_eq!(AnyRef::from_der(&critical).expect("DER").value()[0], OBJECT_IDENTIFIER);
}
