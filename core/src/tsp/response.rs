//! `TimeStampResp` (RFC 3161 §2.4.2): status, and the token if there is one.

use alloc::{string::String, vec::Vec};

use der::Tag;

use super::info::malformed;
use crate::{
    asn1::{Asn1Error, Cursor, Result, Tlv},
    finding::{Finding, FindingCode},
    limits,
};

/// `PKIStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkiStatus {
    /// granted(0): a token is there.
    Granted,
    /// grantedWithMods(1): a token is there, not exactly as asked.
    GrantedWithMods,
    /// rejection(2).
    Rejection,
    /// waiting(3).
    Waiting,
    /// revocationWarning(4).
    RevocationWarning,
    /// revocationNotification(5).
    RevocationNotification,
}

impl PkiStatus {
    fn of(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Granted,
            1 => Self::GrantedWithMods,
            2 => Self::Rejection,
            3 => Self::Waiting,
            4 => Self::RevocationWarning,
            5 => Self::RevocationNotification,
            _ => return None,
        })
    }

    /// Whether a token must be there; otherwise none may be.
    pub fn promises_token(self) -> bool {
        matches!(self, Self::Granted | Self::GrantedWithMods)
    }
}

/// `PKIFailureInfo`: the reason of a refusal, by bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FailureInfo {
    /// The hash algorithm is unknown or not accepted.
    BadAlg = 0,
    /// The transaction is not permitted or supported.
    BadRequest = 2,
    /// The data has the wrong format.
    BadDataFormat = 5,
    /// The authority's clock cannot be trusted now.
    TimeNotAvailable = 14,
    /// The policy is not offered.
    UnacceptedPolicy = 15,
    /// An extension is not recognised.
    UnacceptedExtension = 16,
    /// Additional information was asked for and is not there.
    AddInfoNotAvailable = 17,
    /// The authority failed.
    SystemFailure = 25,
}

impl FailureInfo {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::BadAlg,
        Self::BadRequest,
        Self::BadDataFormat,
        Self::TimeNotAvailable,
        Self::UnacceptedPolicy,
        Self::UnacceptedExtension,
        Self::AddInfoNotAvailable,
        Self::SystemFailure,
    ];

    /// The number of its bit in the named-bit list.
    pub const fn bit(self) -> u8 {
        self as u8
    }

    /// Its name in the specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadAlg => "badAlg",
            Self::BadRequest => "badRequest",
            Self::BadDataFormat => "badDataFormat",
            Self::TimeNotAvailable => "timeNotAvailable",
            Self::UnacceptedPolicy => "unacceptedPolicy",
            Self::UnacceptedExtension => "unacceptedExtension",
            Self::AddInfoNotAvailable => "addInfoNotAvailable",
            Self::SystemFailure => "systemFailure",
        }
    }
}

/// A decoded response.
#[derive(Clone, Debug)]
pub struct TimestampResponse<'a> {
    /// Whether it was granted.
    pub status: PkiStatus,
    /// The authority's words.
    pub status_text: Vec<&'a str>,
    /// The reason of a refusal, if it is one of RFC 3161's.
    pub failure: Option<FailureInfo>,
    /// The token: a CMS `ContentInfo`, DER, not decoded yet.
    pub token: Option<&'a [u8]>,
}

impl<'a> TimestampResponse<'a> {
    /// Decodes a whole response of at most [`limits::TIMESTAMP_BYTES`].
    ///
    /// # Errors
    /// A finding: malformed, BER, or a status that contradicts the presence of a token.
    pub fn decode(bytes: &'a [u8]) -> core::result::Result<Self, Finding> {
        inspect_size(bytes)?;
        let response = Self::decode_fields(bytes).map_err(|error| match error {
            Asn1Error::TrailingBytes { .. } => Finding::new(FindingCode::TIMESTAMP_TRAILING),
            other => malformed(&other),
        })?;
        if response.status.promises_token() == response.token.is_some() {
            return Ok(response);
        }
        Err(Finding::new(FindingCode::TIMESTAMP_STATUS_WITHOUT_TOKEN)
            .expected("a token with status granted, and none without")
            .found(alloc::format!(
                "status {:?}, {}",
                response.status,
                if response.token.is_some() { "a token" } else { "no token" }
            )))
    }

    fn decode_fields(bytes: &'a [u8]) -> Result<Self> {
        const FIELD: &str = "timeStampResp";
        let outer = Tlv::decode(bytes, FIELD)?;
        if outer.tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: FIELD });
        }
        let mut fields = outer.content();
        let mut status_info = fields.sequence("status")?;
        let number = status_info.unsigned("status")?;
        let status = PkiStatus::of(number).ok_or(Asn1Error::Malformed { field: "status" })?;
        let status_text = match status_info.optional(Tag::Sequence, "statusString")? {
            Some(list) => texts(list.content())?,
            None => Vec::new(),
        };
        let failure = match status_info.optional(Tag::BitString, "failInfo")? {
            Some(bits) => failure(bits.value),
            None => None,
        };
        status_info.finish("status")?;
        let token = fields.optional(Tag::Sequence, "timeStampToken")?.map(|tlv| tlv.raw);
        fields.finish(FIELD)?;
        Ok(Self { status, status_text, failure, token })
    }

    /// The authority's words and reason, for people.
    pub fn refusal_text(&self) -> String {
        let reason = self.failure.map_or("no failInfo", FailureInfo::name);
        alloc::format!("{reason}: {}", self.status_text.join(" "))
    }
}

/// The token of a whole response, or all of `timestamp` if it is a bare token: a CMS
/// `ContentInfo`, as `openssl ts -token_out` writes it and PDF files hold it. It is not decoded.
///
/// # Errors
/// A finding: too large, malformed, BER, a refusal, or a status that contradicts the presence of a
/// token.
pub fn token(timestamp: &[u8]) -> core::result::Result<&[u8], Finding> {
    if is_content_info(timestamp) {
        inspect_size(timestamp)?;
        return Ok(timestamp);
    }
    let response = TimestampResponse::decode(timestamp)?;
    response
        .token
        .ok_or_else(|| Finding::new(FindingCode::TIMESTAMP_REFUSED).found(response.refusal_text()))
}

/// Whether it begins as a `ContentInfo` does, with an object identifier; a response begins with a
/// SEQUENCE. Says so of BER and of damaged ones too, so that they are judged as what they are.
fn is_content_info(bytes: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    let [SEQUENCE, length, rest @ ..] = bytes else { return false };
    // X.690 §8.1.3: the long form says how many octets of length follow; the short and the
    // indefinite form need none.
    let further = if *length > 0x80 { usize::from(length & 0x7F) } else { 0 };
    rest.get(further) == Some(&OBJECT_IDENTIFIER)
}

fn inspect_size(bytes: &[u8]) -> core::result::Result<(), Finding> {
    if bytes.len() <= limits::TIMESTAMP_BYTES {
        return Ok(());
    }
    Err(Finding::new(FindingCode::TIMESTAMP_MALFORMED).found("over 256 KiB"))
}

fn texts(mut list: Cursor<'_>) -> Result<Vec<&str>> {
    const FIELD: &str = "statusString";
    let mut texts = Vec::new();
    while !list.is_empty() {
        let text = list.expect(Tag::Utf8String, FIELD)?.value;
        texts.push(core::str::from_utf8(text).map_err(|_| Asn1Error::Malformed { field: FIELD })?);
    }
    Ok(texts)
}

fn failure(content: &[u8]) -> Option<FailureInfo> {
    let octets = content.get(1..)?;
    FailureInfo::ALL.into_iter().find(|failure| {
        let (byte, bit) = (usize::from(failure.bit() / 8), failure.bit() % 8);
        octets.get(byte).is_some_and(|octet| octet & (0x80_u8 >> bit) != 0)
    })
}
