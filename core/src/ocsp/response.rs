//! `OCSPResponse` and `BasicOCSPResponse` (RFC 6960 §4.2.1).

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::Tag;

use super::{CertId, request::nonce_octets};
use crate::{
    asn1::{
        AlgorithmIdentifier, Asn1Error, Cursor, Result, Tlv, context_constructed, context_primitive,
    },
    crl::RevocationReason,
    limits, oid,
    time::UnixSeconds,
    x509::certificate::{Extension, extensions},
};

/// Whether the responder answered (§4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OcspResponseStatus {
    /// There is an answer.
    Successful = 0,
    /// The request was malformed.
    MalformedRequest = 1,
    /// The responder failed.
    InternalError = 2,
    /// The responder is busy.
    TryLater = 3,
    /// The request must be signed.
    SigRequired = 5,
    /// The responder does not speak for that issuer, or not to this client.
    Unauthorized = 6,
}

impl OcspResponseStatus {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Successful,
            1 => Self::MalformedRequest,
            2 => Self::InternalError,
            3 => Self::TryLater,
            5 => Self::SigRequired,
            6 => Self::Unauthorized,
            _ => return None,
        })
    }

    /// The ENUMERATED value.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in the specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// A decoded response.
#[derive(Clone, Debug)]
pub struct OcspResponse<'a> {
    /// Whether there is an answer.
    pub status: OcspResponseStatus,
    /// The answer; there exactly when the status is successful.
    pub basic: Option<BasicResponse<'a>>,
}

/// A signed answer.
#[derive(Clone, Debug)]
pub struct BasicResponse<'a> {
    /// The `tbsResponseData`, which is what was signed.
    pub tbs: &'a [u8],
    /// Who signed.
    pub responder: ResponderId<'a>,
    /// When it was signed.
    pub produced_at: UnixSeconds,
    /// The answers, in order.
    pub responses: Vec<SingleResponse<'a>>,
    /// The nonce's octets, if there is one. RFC 2560's form, without an OCTET STRING of its own, is
    /// read too. It matters only to one who sent a nonce.
    pub nonce: Option<&'a [u8]>,
    /// A critical extension that we do not know, here or in an answer.
    pub unknown_critical: Option<ObjectIdentifier>,
    /// How it was signed.
    pub signature_algorithm: AlgorithmIdentifier<'a>,
    /// The signature.
    pub signature: &'a [u8],
    /// The certificates sent along, each DER.
    pub certificates: Vec<&'a [u8]>,
}

/// How the signer is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponderId<'a> {
    /// By its `Name`, DER.
    ByName(&'a [u8]),
    /// By the SHA-1 hash of its key's BIT STRING content.
    ByKey(&'a [u8]),
}

/// The answer for one certificate.
#[derive(Clone, Copy, Debug)]
pub struct SingleResponse<'a> {
    /// Which certificate.
    pub certificate: CertId<'a>,
    /// Its status.
    pub status: CertificateStatus,
    /// Since when this is known.
    pub this_update: UnixSeconds,
    /// When newer will be there at the latest.
    pub next_update: Option<UnixSeconds>,
    /// The CRL entry extension invalidityDate (§4.4.5).
    pub invalidity_date: Option<UnixSeconds>,
    /// archiveCutoff (§4.4.4): the responder still knows certificates that expired then or later.
    pub archive_cutoff: Option<UnixSeconds>,
    /// A critical extension that we do not know.
    unknown_critical: Option<ObjectIdentifier>,
}

/// The status of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// When.
        revocation_time: UnixSeconds,
        /// Why; unspecified when absent.
        reason: RevocationReason,
    },
    /// The responder does not know it.
    Unknown,
}

impl CertificateStatus {
    /// Known never to have been issued, the *extended revoked* of RFC 6960 §2.2: on hold since 1970.
    /// A response that says so has id-pkix-ocsp-extended-revoke.
    pub const NEVER_ISSUED: Self = Self::Revoked {
        revocation_time: UnixSeconds::new(0),
        reason: RevocationReason::CertificateHold,
    };
}

impl<'a> OcspResponse<'a> {
    /// Decodes one DER response of at most [`limits::OCSP_BYTES`].
    ///
    /// # Errors
    /// When `bytes` is not exactly one response of type id-pkix-ocsp-basic, or a status without
    /// its answer.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        const FIELD: &str = "ocspResponse";
        if bytes.len() > limits::OCSP_BYTES {
            return Err(Asn1Error::Malformed { field: "ocspResponse (over 256 KiB)" });
        }
        let mut fields = Cursor::over_sequence(bytes, FIELD)?;
        let status = OcspResponseStatus::of(fields.enumerated("responseStatus")?)
            .ok_or(Asn1Error::Malformed { field: "responseStatus" })?;
        let tagged = fields.optional(context_constructed(0), "responseBytes")?;
        fields.finish(FIELD)?;
        match (status, tagged) {
            (OcspResponseStatus::Successful, Some(tagged)) => {
                Ok(Self { status, basic: Some(response_bytes(tagged)?) })
            }
            (OcspResponseStatus::Successful, None) | (_, Some(_)) => {
                Err(Asn1Error::Malformed { field: "responseBytes" })
            }
            (_, None) => Ok(Self { status, basic: None }),
        }
    }
}

fn response_bytes(tagged: Tlv<'_>) -> Result<BasicResponse<'_>> {
    const FIELD: &str = "responseBytes";
    let mut fields = Cursor::over_sequence(tagged.value, FIELD)?;
    if fields.oid("responseType")? != oid::OCSP_BASIC {
        return Err(Asn1Error::UnexpectedType { field: "responseType" });
    }
    let octets = fields.octet_string("response")?;
    fields.finish(FIELD)?;
    BasicResponse::decode(octets)
}

impl<'a> BasicResponse<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self> {
        const FIELD: &str = "basicOCSPResponse";
        let mut fields = Cursor::over_sequence(bytes, FIELD)?;
        let tbs = fields.expect(Tag::Sequence, "tbsResponseData")?;
        let signature_algorithm = fields.algorithm("signatureAlgorithm")?;
        let signature = fields.bit_string("signature")?;
        let certificates = match fields.optional(context_constructed(0), "certs")? {
            Some(tagged) => certificates(tagged)?,
            None => Vec::new(),
        };
        fields.finish(FIELD)?;
        let data = ResponseData::decode(tbs)?;
        Ok(Self {
            tbs: tbs.raw,
            responder: data.responder,
            produced_at: data.produced_at,
            responses: data.responses,
            nonce: data.nonce,
            unknown_critical: data.unknown_critical,
            signature_algorithm,
            signature,
            certificates,
        })
    }
}

/// `ResponseData`: what is signed.
struct ResponseData<'a> {
    responder: ResponderId<'a>,
    produced_at: UnixSeconds,
    responses: Vec<SingleResponse<'a>>,
    nonce: Option<&'a [u8]>,
    unknown_critical: Option<ObjectIdentifier>,
}

impl<'a> ResponseData<'a> {
    fn decode(tbs: Tlv<'a>) -> Result<Self> {
        let mut data = tbs.content();
        if let Some(version) = data.optional(context_constructed(0), "version")?
            && version.content().unsigned("version")? != 0
        {
            return Err(Asn1Error::Malformed { field: "version" });
        }
        let responder = responder(data.any("responderID")?)?;
        let produced_at = data.generalized_time_with_fraction("producedAt")?;
        let mut list = data.sequence("responses")?;
        let mut responses = Vec::new();
        while !list.is_empty() {
            if responses.len() >= limits::OCSP_ANSWERS {
                return Err(Asn1Error::Malformed { field: "responses (too many)" });
            }
            responses.push(SingleResponse::decode(list.sequence("singleResponse")?)?);
        }
        let mut unknown_critical = responses.iter().find_map(|each| each.unknown_critical);
        let mut nonce = None;
        if let Some(tagged) = data.optional(context_constructed(1), "responseExtensions")? {
            for (id, critical, value) in extensions_or_none(tagged, "responseExtensions")? {
                match id {
                    oid::OCSP_NONCE => nonce = Some(nonce_octets(value)),
                    // §4.4.4 has it for each answer; where it is said once, it holds for all.
                    oid::OCSP_ARCHIVE_CUTOFF => {
                        let cutoff = archive_cutoff(value).ok();
                        for single in &mut responses {
                            single.archive_cutoff = single.archive_cutoff.or(cutoff);
                        }
                    }
                    id if critical.is_set() => unknown_critical = Some(id),
                    _ => {}
                }
            }
        }
        data.finish("tbsResponseData")?;
        Ok(Self { responder, produced_at, responses, nonce, unknown_critical })
    }
}

fn responder(tlv: Tlv<'_>) -> Result<ResponderId<'_>> {
    const FIELD: &str = "responderID";
    let mut content = tlv.content();
    let id = if tlv.tag == context_constructed(1) {
        ResponderId::ByName(content.expect(Tag::Sequence, FIELD)?.raw)
    } else if tlv.tag == context_constructed(2) {
        ResponderId::ByKey(content.octet_string(FIELD)?)
    } else {
        return Err(Asn1Error::UnexpectedType { field: FIELD });
    };
    content.finish(FIELD)?;
    Ok(id)
}

fn certificates(tagged: Tlv<'_>) -> Result<Vec<&[u8]>> {
    const FIELD: &str = "certs";
    let mut list = Cursor::over_sequence(tagged.value, FIELD)?;
    let mut certificates = Vec::new();
    while !list.is_empty() {
        if certificates.len() >= limits::CERTIFICATES {
            return Err(Asn1Error::Malformed { field: "certs (too many)" });
        }
        certificates.push(list.expect(Tag::Sequence, FIELD)?.raw);
    }
    Ok(certificates)
}

impl<'a> SingleResponse<'a> {
    fn decode(mut fields: Cursor<'a>) -> Result<Self> {
        let certificate = CertId::decode(fields.any("certID")?)?;
        let status = status(fields.any("certStatus")?)?;
        let this_update = fields.generalized_time_with_fraction("thisUpdate")?;
        let next_update = match fields.optional(context_constructed(0), "nextUpdate")? {
            Some(tagged) => {
                let mut content = tagged.content();
                let time = content.generalized_time_with_fraction("nextUpdate")?;
                content.finish("nextUpdate")?;
                Some(time)
            }
            None => None,
        };
        let mut invalidity_date = None;
        let mut archive_cutoff = None;
        let mut unknown_critical = None;
        if let Some(tagged) = fields.optional(context_constructed(1), "singleExtensions")? {
            for (id, critical, value) in extensions_or_none(tagged, "singleExtensions")? {
                match id {
                    oid::CE_INVALIDITY_DATE => {
                        let mut value = Cursor::new(value);
                        invalidity_date =
                            Some(value.generalized_time_with_fraction("invalidityDate")?);
                    }
                    oid::OCSP_ARCHIVE_CUTOFF => {
                        archive_cutoff = self::archive_cutoff(value).ok();
                    }
                    id if critical.is_set() => unknown_critical = Some(id),
                    _ => {}
                }
            }
        }
        fields.finish("singleResponse")?;
        Ok(Self {
            certificate,
            status,
            this_update,
            next_update,
            invalidity_date,
            archive_cutoff,
            unknown_critical,
        })
    }
}

/// The `Extensions` in that `[1]`. Off-spec: an empty SEQUENCE is taken for what it means; SK ID
/// Solutions (Estonia) among others sends it.
fn extensions_or_none<'a>(tagged: Tlv<'a>, field: &'static str) -> Result<Vec<Extension<'a>>> {
    let list = Cursor::over_sequence(tagged.value, field)?;
    if list.is_empty() { Ok(Vec::new()) } else { extensions(list, field) }
}

/// One that cannot be read says nothing, like one that is not there.
fn archive_cutoff(value: &[u8]) -> Result<UnixSeconds> {
    let mut value = Cursor::new(value);
    let cutoff = value.generalized_time_with_fraction("archiveCutoff")?;
    value.finish("archiveCutoff")?;
    Ok(cutoff)
}

fn status(tlv: Tlv<'_>) -> Result<CertificateStatus> {
    const FIELD: &str = "certStatus";
    if tlv.tag == context_primitive(0) && tlv.value.is_empty() {
        return Ok(CertificateStatus::Good);
    }
    if tlv.tag == context_primitive(2) && tlv.value.is_empty() {
        return Ok(CertificateStatus::Unknown);
    }
    if tlv.tag != context_constructed(1) {
        return Err(Asn1Error::UnexpectedType { field: FIELD });
    }
    let mut fields = tlv.content();
    let revocation_time = fields.generalized_time_with_fraction("revocationTime")?;
    let reason = match fields.optional(context_constructed(0), "revocationReason")? {
        Some(tagged) => {
            let mut content = tagged.content();
            let code = content.enumerated("revocationReason")?;
            content.finish("revocationReason")?;
            // Off-spec: as in CRLs, a number that is not defined revokes all the same.
            RevocationReason::of(code).unwrap_or_default()
        }
        None => RevocationReason::Unspecified,
    };
    fields.finish(FIELD)?;
    Ok(CertificateStatus::Revoked { revocation_time, reason })
}
