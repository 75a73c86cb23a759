//! What a timestamp says: `TSTInfo` (RFC 3161 §2.4.2).

use alloc::vec::Vec;
use core::{fmt, time::Duration};

use const_oid::ObjectIdentifier;
use der::Tag;

use crate::{
    asn1::{
        AlgorithmIdentifier, Asn1Error, Cursor, Flag, Result, Tlv, context_constructed,
        context_primitive, unsigned, write,
    },
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode},
    time::UnixSeconds,
    x509::{self, GeneralName, general_name},
};

/// The hash that was stamped (§2.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageImprint<'a> {
    /// The hash algorithm, if it is one we know.
    pub algorithm: Option<HashAlgorithm>,
    /// The algorithm's identifier as received.
    pub identifier: AlgorithmIdentifier<'a>,
    /// The digest, of whatever length was sent.
    pub digest: &'a [u8],
    /// The whole `MessageImprint`, DER.
    pub raw: &'a [u8],
}

impl<'a> MessageImprint<'a> {
    pub(super) fn decode(tlv: Tlv<'a>) -> Result<Self> {
        const FIELD: &str = "messageImprint";
        if tlv.tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: FIELD });
        }
        let mut fields = tlv.content();
        let identifier = fields.algorithm("hashAlgorithm")?;
        let digest = fields.octet_string("hashedMessage")?;
        fields.finish(FIELD)?;
        let algorithm = HashAlgorithm::of(&identifier);
        Ok(Self { algorithm, identifier, digest, raw: tlv.raw })
    }

    /// The imprint as a digest, if algorithm and length are right.
    pub fn to_digest(&self) -> Option<Digest> {
        Digest::new(self.algorithm?, self.digest)
    }
}

/// A `GeneralizedTime` with an optional fraction, as genTime is (§2.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GenTime {
    /// Whole seconds.
    pub seconds: UnixSeconds,
    /// The fraction in nanoseconds, cut off after nine digits.
    pub nanoseconds: u32,
}

impl GenTime {
    /// Reads `YYYYMMDDhhmmss[.f…]Z`: seconds present, no trailing zero in the fraction, and no
    /// point without a fraction.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (date, rest) = text.split_at_checked(14)?;
        let rest = rest.strip_suffix(b"Z")?;
        let nanoseconds = match rest.split_first() {
            None => 0,
            Some((b'.', digits)) => fraction(digits)?,
            Some(_) => return None,
        };
        let mut whole = [b'Z'; 15];
        whole.get_mut(..14)?.copy_from_slice(date);
        let time = der::asn1::GeneralizedTime::try_from(
            // `der` reads the form without a fraction, and checks the calendar.
            der::AnyRef::new(Tag::GeneralizedTime, &whole).ok()?,
        )
        .ok()?;
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
        Some(Self { seconds: UnixSeconds::new(seconds), nanoseconds })
    }
}

fn fraction(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.last() == Some(&b'0') || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().copied().chain(core::iter::repeat(b'0')).take(9);
    padded.into_iter().try_fold(0_u32, |value, digit| {
        value.checked_mul(10)?.checked_add(u32::from(digit.saturating_sub(b'0')))
    })
}

impl fmt::Display for GenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanoseconds == 0 {
            return self.seconds.fmt(f);
        }
        let whole = alloc::format!("{}", self.seconds);
        let fraction = alloc::format!("{:09}", self.nanoseconds);
        write!(f, "{}.{}Z", whole.trim_end_matches('Z'), fraction.trim_end_matches('0'))
    }
}

/// How exact genTime is (§2.4.2): the true time lies within so much on either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Seconds.
    pub seconds: u64,
    /// Milliseconds, 1 to 999, or 0 when absent.
    pub millis: u16,
    /// Microseconds, 1 to 999, or 0 when absent.
    pub micros: u16,
}

impl Accuracy {
    /// An accuracy of that many milliseconds; `None` for 0, which no clock has.
    pub fn from_millis(millis: u64) -> Option<Self> {
        Self::from_duration(Duration::from_millis(millis))
    }

    /// An accuracy of that duration, rounded up to a microsecond; `None` for zero.
    pub fn from_duration(duration: Duration) -> Option<Self> {
        let whole = duration.as_nanos().div_ceil(1000);
        let part = |micros: u128| u16::try_from(micros % 1000).ok();
        let accuracy = Self {
            seconds: u64::try_from(whole / 1_000_000).ok()?,
            millis: part(whole / 1000)?,
            micros: part(whole)?,
        };
        (accuracy != Self::default()).then_some(accuracy)
    }

    /// DER: seconds, `[0]` millis, `[1]` micros; zeros are left out (RFC 3161 §2.4.2).
    pub fn encode(self) -> Vec<u8> {
        let unless_zero = |value: u64, encode: &dyn Fn(u64) -> Vec<u8>| match value {
            0 => Vec::new(),
            value => encode(value),
        };
        let thousandths =
            |number| move |value| write::implicit(number, &write::integer_content(value));
        write::sequence(&[
            &unless_zero(self.seconds, &write::integer),
            &unless_zero(self.millis.into(), &thousandths(0)),
            &unless_zero(self.micros.into(), &thousandths(1)),
        ])
    }

    fn decode(mut fields: Cursor<'_>) -> Result<Self> {
        const FIELD: &str = "accuracy";
        let seconds = match fields.optional(Tag::Integer, FIELD)? {
            Some(tlv) => unsigned(tlv.value, FIELD)?,
            None => 0,
        };
        let millis = thousandths(fields.optional(context_primitive(0), FIELD)?)?;
        let micros = thousandths(fields.optional(context_primitive(1), FIELD)?)?;
        fields.finish(FIELD)?;
        Ok(Self { seconds, millis, micros })
    }

    fn nanoseconds(self) -> u64 {
        let millis = u64::from(self.millis).saturating_mul(1_000_000);
        millis.saturating_add(u64::from(self.micros).saturating_mul(1_000))
    }
}

/// §2.4.2: `INTEGER (1..999)`.
fn thousandths(tlv: Option<Tlv<'_>>) -> Result<u16> {
    const FIELD: &str = "accuracy";
    let Some(tlv) = tlv else { return Ok(0) };
    match unsigned(tlv.value, FIELD)? {
        value @ 1..=999 => u16::try_from(value).map_err(|_| Asn1Error::Malformed { field: FIELD }),
        _ => Err(Asn1Error::Malformed { field: FIELD }),
    }
}

/// A decoded `TSTInfo`.
#[derive(Clone, Debug)]
pub struct TstInfo<'a> {
    /// The policy under which the authority works.
    pub policy: ObjectIdentifier,
    /// What was stamped.
    pub message_imprint: MessageImprint<'a>,
    /// The token's serial number, INTEGER content octets.
    pub serial: &'a [u8],
    /// When.
    pub gen_time: GenTime,
    /// How exactly.
    pub accuracy: Accuracy,
    /// Whether tokens of this authority are ordered by genTime alone.
    pub ordering: Flag,
    /// The request's nonce, INTEGER content octets.
    pub nonce: Option<&'a [u8]>,
    /// The authority's name.
    pub tsa: Option<GeneralName<'a>>,
}

impl<'a> TstInfo<'a> {
    /// Decodes a `TSTInfo`.
    ///
    /// # Errors
    /// A finding: malformed, bytes after the end, a default encoded, or a critical extension.
    pub fn decode(bytes: &'a [u8]) -> core::result::Result<Self, Finding> {
        let outer = match Tlv::decode(bytes, "TSTInfo") {
            Err(Asn1Error::TrailingBytes { .. }) => {
                return Err(FindingCode::TIMESTAMP_TRAILING.into());
            }
            other => other.map_err(|error| malformed(&error))?,
        };
        let mut fields = outer.content();
        let info = Self::decode_head(outer.tag, &mut fields).map_err(|error| malformed(&error))?;
        let ordering = ordering(&mut fields)?;
        let (nonce, tsa) = tail(&mut fields).map_err(|error| malformed(&error))?;
        extensions(&mut fields)?;
        if !fields.is_empty() {
            return Err(FindingCode::TIMESTAMP_TRAILING.into());
        }
        Ok(Self { ordering, nonce, tsa, ..info })
    }

    fn decode_head(tag: Tag, fields: &mut Cursor<'a>) -> Result<Self> {
        if tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: "TSTInfo" });
        }
        // §2.4.2: "version ... currently v1".
        if fields.unsigned("version")? != 1 {
            return Err(Asn1Error::UnexpectedValue { field: "TSTInfo version" });
        }
        let policy = fields.oid("policy")?;
        let message_imprint = MessageImprint::decode(fields.any("messageImprint")?)?;
        let serial = fields.integer("serialNumber")?;
        let time = fields.expect(Tag::GeneralizedTime, "genTime")?;
        let gen_time =
            GenTime::parse(time.value).ok_or(Asn1Error::Malformed { field: "genTime" })?;
        let accuracy = match fields.optional(Tag::Sequence, "accuracy")? {
            Some(tlv) => Accuracy::decode(tlv.content())?,
            None => Accuracy::default(),
        };
        Ok(Self {
            policy,
            message_imprint,
            serial,
            gen_time,
            accuracy,
            ordering: Flag::No,
            nonce: None,
            tsa: None,
        })
    }

    /// The first whole second by which the stamped data certainly existed: genTime and accuracy
    /// added, rounded up.
    pub fn latest(&self) -> UnixSeconds {
        let nanoseconds =
            u64::from(self.gen_time.nanoseconds).saturating_add(self.accuracy.nanoseconds());
        let seconds = self.accuracy.seconds.saturating_add(nanoseconds.div_ceil(1_000_000_000));
        self.gen_time.seconds.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

pub(super) fn malformed(error: &Asn1Error) -> Finding {
    let code = match error {
        Asn1Error::IndefiniteLength { .. } | Asn1Error::StringInPieces { .. } => {
            FindingCode::TIMESTAMP_BER
        }
        _ => FindingCode::TIMESTAMP_MALFORMED,
    };
    Finding::new(code).found(alloc::format!("{error}"))
}

fn ordering(fields: &mut Cursor<'_>) -> core::result::Result<Flag, Finding> {
    match fields.optional(Tag::Boolean, "ordering").map_err(|error| malformed(&error))? {
        None => Ok(Flag::No),
        Some(Tlv { value: [0xFF], .. }) => Ok(Flag::Yes),
        // X.690 §11.5: a default value is not encoded.
        Some(Tlv { value: [0], .. }) => {
            Err(Finding::new(FindingCode::TIMESTAMP_DEFAULT_ENCODED).found("ordering FALSE"))
        }
        Some(_) => Err(Finding::new(FindingCode::TIMESTAMP_MALFORMED).found("ordering")),
    }
}

type Tail<'a> = (Option<&'a [u8]>, Option<GeneralName<'a>>);

fn tail<'a>(fields: &mut Cursor<'a>) -> Result<Tail<'a>> {
    let nonce = match fields.optional(Tag::Integer, "nonce")? {
        Some(tlv) => Some(Cursor::new(tlv.raw).integer("nonce")?),
        None => None,
    };
    let tsa = match fields.optional(context_constructed(0), "tsa")? {
        Some(tlv) => {
            let mut content = tlv.content();
            let name = general_name(content.any("tsa")?)?;
            content.finish("tsa")?;
            Some(name)
        }
        None => None,
    };
    Ok((nonce, tsa))
}

fn extensions(fields: &mut Cursor<'_>) -> core::result::Result<(), Finding> {
    let wrapper =
        fields.optional(context_constructed(1), "extensions").map_err(|error| malformed(&error))?;
    let Some(wrapper) = wrapper else { return Ok(()) };
    let list = x509::certificate::extensions(wrapper.content(), "extensions");
    for (id, critical, _) in list.map_err(|error| malformed(&error))? {
        // We know none that may be critical in a token.
        if critical.is_set() {
            let found = alloc::format!("{id}");
            return Err(Finding::new(FindingCode::TIMESTAMP_EXTENSION).found(found));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    #[test]
    fn reads_gen_time_with_and_without_a_fraction() {
        let time = GenTime::parse(b"20260503100000Z").unwrap();
        assert_eq!(alloc::format!("{time}"), "2026-05-03T10:00:00Z");
        let time = GenTime::parse(b"20260503100000.25Z").unwrap();
        assert_eq!((time.seconds.seconds(), time.nanoseconds), (1_777_802_400, 250_000_000));
        assert_eq!(alloc::format!("{time}"), "2026-05-03T10:00:00.25Z");
        assert!(GenTime::parse(b"20260503100000.1234567891Z").is_some());
    }

    #[test]
    fn refuses_other_forms_of_gen_time() {
        for text in [
            "202605031000Z",
            "20260503100000",
            "20260503100000.Z",
            "20260503100000.50Z",
            "20260503100000.5",
            "20260503100000+0100",
            "20261303100000Z",
            "20260503100000,5Z",
            "",
        ] {
            assert_eq!(GenTime::parse(text.as_bytes()), None, "{text}");
        }
    }
}
