//! `TimeStampReq` (RFC 3161 §2.4.1), as a server reads it.

use core::fmt;

use const_oid::ObjectIdentifier;
use der::Tag;

use super::{FailureInfo, MessageImprint};
use crate::{
    asn1::{Asn1Error, Cursor, Result, Tlv, context_constructed},
    x509::certificate,
};

/// Whether the requester wants the authority's certificate in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRequest {
    /// certReq TRUE: it MUST be there.
    Include,
    /// certReq FALSE or absent: it MUST NOT be there.
    Omit,
}

/// A decoded request.
#[derive(Clone, Copy, Debug)]
pub struct TimestampRequest<'a> {
    /// What is to be stamped.
    pub message_imprint: MessageImprint<'a>,
    /// The policy asked for.
    pub policy: Option<ObjectIdentifier>,
    /// The nonce: INTEGER content octets, of any length and sign.
    pub nonce: Option<&'a [u8]>,
    /// Whether the certificate is wanted.
    pub certificates_requested: CertificateRequest,
    /// The first extension's identifier; we recognise none.
    pub extension: Option<ObjectIdentifier>,
}

/// Why bytes are not a request that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// Not a DER `TimeStampReq`.
    Malformed(Asn1Error),
    /// Another version than 1.
    Version,
    /// The digest's length is not its algorithm's.
    DigestLength {
        /// Octets the algorithm makes.
        expected: usize,
        /// Octets sent.
        found: usize,
    },
}

impl RequestError {
    /// What the response's failInfo says.
    pub fn failure(&self) -> FailureInfo {
        match self {
            Self::Malformed(_) | Self::DigestLength { .. } => FailureInfo::BadDataFormat,
            Self::Version => FailureInfo::BadRequest,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "the request is not a DER TimeStampReq: {error}"),
            Self::Version => f.write_str("the request's version must be 1"),
            Self::DigestLength { expected, found } => {
                write!(f, "the digest must have {expected} octets, not {found}")
            }
        }
    }
}

impl core::error::Error for RequestError {}

impl From<Asn1Error> for RequestError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error)
    }
}

impl<'a> TimestampRequest<'a> {
    /// Decodes a request. Unknown hash algorithms, policies and extensions are decoded, not
    /// refused: whether they are offered is the server's to say.
    ///
    /// # Errors
    /// [`RequestError`], with the failInfo to answer.
    pub fn decode(bytes: &'a [u8]) -> core::result::Result<Self, RequestError> {
        const FIELD: &str = "timeStampReq";
        let mut fields = Cursor::over_sequence(bytes, FIELD)?;
        if fields.integer("version")? != [1] {
            return Err(RequestError::Version);
        }
        let message_imprint = MessageImprint::decode(fields.any("messageImprint")?)?;
        let policy = policy(&mut fields)?;
        let nonce = match fields.optional(Tag::Integer, "nonce")? {
            Some(tlv) => Some(Cursor::new(tlv.raw).integer("nonce")?),
            None => None,
        };
        let certificates_requested = certificates_requested(&mut fields)?;
        let extension = extensions(&mut fields)?;
        fields.finish(FIELD)?;
        if let Some(algorithm) = message_imprint.algorithm {
            let (expected, found) = (algorithm.output_length(), message_imprint.digest.len());
            if expected != found {
                return Err(RequestError::DigestLength { expected, found });
            }
        }
        Ok(Self { message_imprint, policy, nonce, certificates_requested, extension })
    }
}

fn policy(fields: &mut Cursor<'_>) -> Result<Option<ObjectIdentifier>> {
    let Some(tlv) = fields.optional(Tag::ObjectIdentifier, "reqPolicy")? else { return Ok(None) };
    Cursor::new(tlv.raw).oid("reqPolicy").map(Some)
}

fn certificates_requested(fields: &mut Cursor<'_>) -> Result<CertificateRequest> {
    match fields.optional(Tag::Boolean, "certReq")? {
        Some(Tlv { value: [0xFF], .. }) => Ok(CertificateRequest::Include),
        // Off-spec: an encoded FALSE is read as what it means; clients send it.
        Some(Tlv { value: [0], .. }) | None => Ok(CertificateRequest::Omit),
        Some(_) => Err(Asn1Error::Malformed { field: "certReq" }),
    }
}

fn extensions(fields: &mut Cursor<'_>) -> Result<Option<ObjectIdentifier>> {
    const FIELD: &str = "extensions";
    let Some(wrapper) = fields.optional(context_constructed(0), FIELD)? else { return Ok(None) };
    let list = certificate::extensions(wrapper.content(), FIELD)?;
    Ok(list.first().map(|(id, _, _)| *id))
}
