//! Strict DER, read in place.
//!
//! A [`Cursor`] walks over one level of TLVs and hands out borrowed spans; nothing is copied and
//! nothing is ever encoded again, so what is hashed is what was received. Headers and primitive
//! types are decoded by the `der` crate, which refuses everything X.690 §10 and §11 refuse.
//! Recursion happens only where a caller opens a nested cursor, so depth is bounded by the code.
//!
//! [`write`](mod@write) is the other direction. Neither knows any ASN.1 module.

mod error;
pub mod write;

pub use error::{Asn1Error, Result};

use const_oid::ObjectIdentifier;
use der::{Decode, Header, Reader, SliceReader, Tag, asn1::GeneralizedTime, asn1::UtcTime};

use crate::time::UnixSeconds;

/// One tag, length and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag, with class and constructed bit.
    pub tag: Tag,
    /// The content octets.
    pub value: &'a [u8],
    /// All octets: identifier, length and content.
    pub raw: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// Reads exactly one TLV that fills `bytes`.
    ///
    /// # Errors
    /// When `bytes` is not one DER TLV, or more follows.
    pub fn decode(bytes: &'a [u8], field: &'static str) -> Result<Self> {
        let mut cursor = Cursor::new(bytes);
        let tlv = cursor.any(field)?;
        cursor.finish(field)?;
        Ok(tlv)
    }

    /// A cursor over the content of a constructed value.
    pub fn content(&self) -> Cursor<'a> {
        Cursor::new(self.value)
    }

    /// This value as a point in time, from `UTCTime` or `GeneralizedTime` in the profile of
    /// RFC 5280 §4.1.2.5 (`Z`, seconds, no fraction).
    ///
    /// # Errors
    /// When it is neither.
    pub fn time(&self, field: &'static str) -> Result<UnixSeconds> {
        let malformed = |_| Asn1Error::Malformed { field };
        let duration = match self.tag {
            Tag::UtcTime => UtcTime::from_der(self.raw).map_err(malformed)?.to_unix_duration(),
            Tag::GeneralizedTime => {
                GeneralizedTime::from_der(self.raw).map_err(malformed)?.to_unix_duration()
            }
            _ => return Err(Asn1Error::UnexpectedType { field }),
        };
        i64::try_from(duration.as_secs())
            .map(UnixSeconds::new)
            .map_err(|_| Asn1Error::Malformed { field })
    }
}

/// The context-specific tag `[number]`, constructed (explicit, or an implicit structure).
pub const fn context_constructed(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: der::TagNumber(number) }
}

/// The context-specific tag `[number]`, primitive (an implicit string or number).
pub const fn context_primitive(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: false, number: der::TagNumber(number) }
}

/// A position in a run of TLVs.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The content of the one SEQUENCE that fills `bytes`.
    ///
    /// # Errors
    /// If there is something else, or bytes follow.
    pub fn over_sequence(bytes: &'a [u8], field: &'static str) -> Result<Self> {
        let mut cursor = Self::new(bytes);
        let inner = cursor.sequence(field)?;
        cursor.finish(field)?;
        Ok(inner)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value, whatever its type.
    ///
    /// # Errors
    /// When no whole DER TLV follows.
    pub fn any(&mut self, field: &'static str) -> Result<Tlv<'a>> {
        // X.690 §8.1.3.6: an initial length octet of 0x80 announces the indefinite form. Low tags
        // only: a high tag number is not used by any structure we read.
        if self.rest.get(1) == Some(&0x80) {
            return Err(Asn1Error::IndefiniteLength { field });
        }
        // X.690 §8.7.3: a constructed OCTET STRING.
        if self.rest.first() == Some(&0x24) {
            return Err(Asn1Error::StringInPieces { field });
        }
        let malformed = |_| Asn1Error::Malformed { field };
        let mut reader = SliceReader::new(self.rest).map_err(malformed)?;
        let header = Header::decode(&mut reader).map_err(malformed)?;
        let value = reader.read_slice(header.length()).map_err(malformed)?;
        let end = usize::try_from(reader.position()).map_err(malformed)?;
        let (raw, rest) = self.rest.split_at_checked(end).ok_or(Asn1Error::Malformed { field })?;
        self.rest = rest;
        Ok(Tlv { tag: header.tag(), value, raw })
    }

    /// The next value, which must have `tag`.
    ///
    /// # Errors
    /// When it has another, or is not DER.
    pub fn expect(&mut self, tag: Tag, field: &'static str) -> Result<Tlv<'a>> {
        let tlv = self.any(field)?;
        if tlv.tag == tag { Ok(tlv) } else { Err(Asn1Error::UnexpectedType { field }) }
    }

    /// The next value if it has `tag`; an OPTIONAL field.
    ///
    /// # Errors
    /// When what follows is not DER.
    pub fn optional(&mut self, tag: Tag, field: &'static str) -> Result<Option<Tlv<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut ahead = *self;
        let tlv = ahead.any(field)?;
        if tlv.tag != tag {
            return Ok(None);
        }
        *self = ahead;
        Ok(Some(tlv))
    }

    /// A SEQUENCE; a cursor over its content.
    ///
    /// # Errors
    /// When no SEQUENCE follows.
    pub fn sequence(&mut self, field: &'static str) -> Result<Cursor<'a>> {
        Ok(self.expect(Tag::Sequence, field)?.content())
    }

    /// A SET or SET OF; a cursor over its content. Order is not demanded: tokens in the wild are
    /// unsorted.
    ///
    /// # Errors
    /// When no SET follows.
    pub fn set(&mut self, field: &'static str) -> Result<Cursor<'a>> {
        Ok(self.expect(Tag::Set, field)?.content())
    }

    /// An OBJECT IDENTIFIER.
    ///
    /// # Errors
    /// When none follows, or it is longer than `const_oid` holds (39 octets).
    pub fn oid(&mut self, field: &'static str) -> Result<ObjectIdentifier> {
        let tlv = self.expect(Tag::ObjectIdentifier, field)?;
        ObjectIdentifier::from_bytes(tlv.value).map_err(|_| Asn1Error::Malformed { field })
    }

    /// An INTEGER: its content octets, two's complement, minimal (X.690 §8.3.2).
    ///
    /// # Errors
    /// When none follows, or it is not minimal.
    pub fn integer(&mut self, field: &'static str) -> Result<&'a [u8]> {
        let tlv = self.expect(Tag::Integer, field)?;
        integer_content(tlv.value, field)
    }

    /// A non-negative INTEGER that fits 64 bits.
    ///
    /// # Errors
    /// When none follows, or it is negative or larger.
    pub fn unsigned(&mut self, field: &'static str) -> Result<u64> {
        unsigned(self.integer(field)?, field)
    }

    /// An ENUMERATED that fits eight bits.
    ///
    /// # Errors
    /// When none follows, or it does not fit.
    pub fn enumerated(&mut self, field: &'static str) -> Result<u8> {
        let tlv = self.expect(Tag::Enumerated, field)?;
        let value = unsigned(integer_content(tlv.value, field)?, field)?;
        u8::try_from(value).map_err(|_| Asn1Error::Malformed { field })
    }

    /// A BOOLEAN DEFAULT FALSE: DER forbids encoding the default (X.690 §11.5).
    ///
    /// # Errors
    /// When FALSE is encoded, or the octet is neither 0x00 nor 0xFF.
    pub fn default_false(&mut self, field: &'static str) -> Result<Flag> {
        match self.optional(Tag::Boolean, field)? {
            None => Ok(Flag::No),
            Some(Tlv { value: [0xFF], .. }) => Ok(Flag::Yes),
            Some(_) => Err(Asn1Error::Malformed { field }),
        }
    }

    /// An OCTET STRING's content.
    ///
    /// # Errors
    /// When none follows.
    pub fn octet_string(&mut self, field: &'static str) -> Result<&'a [u8]> {
        Ok(self.expect(Tag::OctetString, field)?.value)
    }

    /// A BIT STRING of whole octets.
    ///
    /// # Errors
    /// When none follows, or it has unused bits.
    pub fn bit_string(&mut self, field: &'static str) -> Result<&'a [u8]> {
        match self.expect(Tag::BitString, field)?.value.split_first() {
            Some((0, octets)) => Ok(octets),
            _ => Err(Asn1Error::Malformed { field }),
        }
    }

    /// A `Time`: `UTCTime` or `GeneralizedTime`.
    ///
    /// # Errors
    /// As [`Tlv::time`].
    pub fn time(&mut self, field: &'static str) -> Result<UnixSeconds> {
        self.any(field)?.time(field)
    }

    /// A `GeneralizedTime` without a fraction.
    ///
    /// # Errors
    /// When another type follows, or the text has another form.
    pub fn generalized_time(&mut self, field: &'static str) -> Result<UnixSeconds> {
        self.expect(Tag::GeneralizedTime, field)?.time(field)
    }

    /// A `GeneralizedTime`; a fraction of a second in its text is cut off.
    ///
    /// # Errors
    /// When another type follows, or the text has another form.
    pub fn generalized_time_with_fraction(&mut self, field: &'static str) -> Result<UnixSeconds> {
        let tlv = self.expect(Tag::GeneralizedTime, field)?;
        let malformed = Asn1Error::Malformed { field };
        let (whole, rest) = tlv.value.split_at_checked(14).ok_or(malformed)?;
        let is_fraction = match rest {
            [b'.', digits @ .., b'Z'] => {
                !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
            }
            _ => rest == b"Z",
        };
        if !is_fraction {
            return Err(malformed);
        }
        let mut text = [b'Z'; 15];
        for (place, octet) in text.iter_mut().zip(whole) {
            *place = *octet;
        }
        let time = der::AnyRef::new(Tag::GeneralizedTime, &text)
            .and_then(GeneralizedTime::try_from)
            .map_err(|_| malformed)?;
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| malformed)?;
        Ok(UnixSeconds::new(seconds))
    }

    /// An `AlgorithmIdentifier`.
    ///
    /// # Errors
    /// When none follows.
    pub fn algorithm(&mut self, field: &'static str) -> Result<AlgorithmIdentifier<'a>> {
        let tlv = self.expect(Tag::Sequence, field)?;
        AlgorithmIdentifier::of(tlv, field)
    }

    /// Ends the structure.
    ///
    /// # Errors
    /// When bytes are left.
    pub fn finish(self, field: &'static str) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Asn1Error::TrailingBytes { field }) }
    }
}

/// A decoded BOOLEAN, named so that a field cannot be read the wrong way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// FALSE.
    No,
    /// TRUE.
    Yes,
}

impl Flag {
    /// Whether the flag is set.
    pub fn is_set(self) -> bool {
        self == Self::Yes
    }
}

/// An `AlgorithmIdentifier` as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlgorithmIdentifier<'a> {
    /// The algorithm.
    pub oid: ObjectIdentifier,
    /// Its parameters, as received.
    pub parameters: Option<Tlv<'a>>,
    /// The whole SEQUENCE.
    pub raw: &'a [u8],
    /// The content of the SEQUENCE.
    pub value: &'a [u8],
}

impl<'a> AlgorithmIdentifier<'a> {
    fn of(tlv: Tlv<'a>, field: &'static str) -> Result<Self> {
        let mut inner = tlv.content();
        let oid = inner.oid(field)?;
        let parameters = if inner.is_empty() { None } else { Some(inner.any(field)?) };
        inner.finish(field)?;
        Ok(Self { oid, parameters, raw: tlv.raw, value: tlv.value })
    }

    /// Reads the content of an implicitly tagged `AlgorithmIdentifier`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_implicit(tlv: Tlv<'a>, field: &'static str) -> Result<Self> {
        Self::of(tlv, field)
    }

    /// Whether the parameters are absent or NULL; both occur for hash algorithms (RFC 5754 §2).
    pub fn has_no_parameters(&self) -> bool {
        match self.parameters {
            None => true,
            Some(tlv) => tlv.tag == Tag::Null && tlv.value.is_empty(),
        }
    }
}

fn integer_content<'a>(value: &'a [u8], field: &'static str) -> Result<&'a [u8]> {
    match value {
        [] => Err(Asn1Error::Malformed { field }),
        [0x00, next, ..] if *next < 0x80 => Err(Asn1Error::Malformed { field }),
        [0xFF, next, ..] if *next >= 0x80 => Err(Asn1Error::Malformed { field }),
        _ => Ok(value),
    }
}

/// The value of INTEGER content octets that are not negative and fit 64 bits.
///
/// # Errors
/// When they are negative or larger.
pub fn unsigned(octets: &[u8], field: &'static str) -> Result<u64> {
    let malformed = Asn1Error::Malformed { field };
    let magnitude = match octets {
        [first, ..] if *first >= 0x80 => return Err(malformed),
        [0, rest @ ..] => rest,
        other => other,
    };
    if magnitude.len() > 8 {
        return Err(malformed);
    }
    Ok(magnitude.iter().fold(0_u64, |value, octet| (value << 8) | u64::from(*octet)))
}

/// The positions of the set bits of a named-bit BIT STRING (its content octets), bit 0 being the
/// most significant of the first octet; at most 16 bits are read. DER demands that the unused
/// bits are zero and, for named bits, that no zero bit trails (X.690 §11.2).
///
/// # Errors
/// When the string is empty, longer, or not in that form.
pub fn named_bits(content: &[u8], field: &'static str) -> Result<u16> {
    let malformed = Asn1Error::Malformed { field };
    let (unused, octets) = content.split_first().ok_or(malformed)?;
    let bits = match octets {
        [] if *unused == 0 => return Ok(0),
        [one] => u16::from(*one) << 8,
        [one, two] => (u16::from(*one) << 8) | u16::from(*two),
        _ => return Err(malformed),
    };
    let last = octets.last().copied().unwrap_or(0);
    // Off-spec: a trailing zero bit (not minimal) is accepted; CAs in the wild emit it.
    if *unused > 7 || last.trailing_zeros() < u32::from(*unused) {
        return Err(malformed);
    }
    Ok(bits.reverse_bits())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn walks_a_sequence() {
        let bytes = [0x30, 0x06, 0x02, 0x01, 0x05, 0x04, 0x01, 0xAA];
        let mut cursor = Cursor::new(&bytes);
        let mut inner = cursor.sequence("outer").unwrap();
        assert_eq!(inner.unsigned("number").unwrap(), 5);
        assert_eq!(inner.octet_string("bytes").unwrap(), [0xAA]);
        inner.finish("outer").unwrap();
        cursor.finish("outer").unwrap();
    }

    #[test]
    fn names_the_indefinite_length() {
        let bytes = [0x30, 0x80, 0x02, 0x01, 0x05, 0x00, 0x00];
        assert_eq!(
            Cursor::new(&bytes).sequence("outer").unwrap_err(),
            Asn1Error::IndefiniteLength { field: "outer" }
        );
    }

    #[test]
    fn refuses_what_der_refuses() {
        for bytes in [
            &[0x02, 0x02, 0x00, 0x05][..],            // integer not minimal
            &[0x02, 0x81, 0x01, 0x05],                // length not minimal
            &[0x02, 0x05, 0x01],                      // too few bytes
            &[0x02, 0x00],                            // no content
            &[],                                      // nothing
            &[0x02, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1], // declares 4 GiB
        ] {
            assert!(Cursor::new(bytes).integer("n").is_err(), "{bytes:?}");
        }
        assert!(Cursor::new(&[0x01, 0x01, 0x00]).default_false("flag").is_err());
        assert!(Cursor::new(&[0x01, 0x01, 0x01]).default_false("flag").is_err());
    }

    #[test]
    fn reads_named_bits_by_number() {
        // keyUsage: digitalSignature(0) and keyCertSign(5), cRLSign(6).
        assert_eq!(named_bits(&[1, 0b1000_0110], "ku").unwrap(), 0b0110_0001);
        assert_eq!(named_bits(&[7, 0, 0b1000_0000], "ku").unwrap(), 1 << 8);
        assert!(named_bits(&[1, 0b1000_0111], "ku").is_err());
        assert!(named_bits(&[], "ku").is_err());
    }

    #[test]
    fn unsigned_refuses_negative_and_large() {
        assert!(unsigned(&[0xFF], "n").is_err());
        assert_eq!(
            unsigned(&[0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "n"),
            Ok(u64::MAX)
        );
        assert!(unsigned(&[1, 0, 0, 0, 0, 0, 0, 0, 0], "n").is_err());
    }
}
