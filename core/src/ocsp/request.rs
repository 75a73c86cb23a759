//! `OCSPRequest` (RFC 6960 §4.1).

use alloc::vec::Vec;
use core::fmt;

use const_oid::ObjectIdentifier;
use der::Tag;

use crate::{
    asn1::{AlgorithmIdentifier, Asn1Error, Cursor, Result, Tlv, context_constructed, write},
    crypto::CryptoProvider,
    digest::{HashAlgorithm, digest},
    oid,
    x509::{Certificate, certificate::extensions},
};

/// Which certificate is asked about or answered for (§4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertId<'a> {
    /// The hash of the two that follow, if we know it; parameters absent or NULL.
    pub hash: Option<HashAlgorithm>,
    /// The hash of the issuer's `Name`, DER.
    pub issuer_name_hash: &'a [u8],
    /// The hash of the issuer's key: the content of its BIT STRING.
    pub issuer_key_hash: &'a [u8],
    /// The serial number, INTEGER content octets.
    pub serial: &'a [u8],
    /// The whole `CertID`, DER.
    pub raw: &'a [u8],
}

/// The longest serial number that is asked about, in content octets: RFC 5280 §4.1.2.2 allows 20,
/// and a sign octet before them. Who keeps answers keeps their questions too; without a bound, a
/// client makes each as long as a request may be.
const SERIAL_OCTETS: usize = 21;

/// The longest `CertID` that is asked about, in octets: by SHA-512 with the longest serial number
/// it has fewer than 200. Bounds what a hash algorithm that we do not know brings along.
const CERT_ID_OCTETS: usize = 256;

impl<'a> CertId<'a> {
    pub(super) fn decode(tlv: Tlv<'a>) -> Result<Self> {
        const FIELD: &str = "certID";
        if tlv.tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: FIELD });
        }
        let mut fields = tlv.content();
        let algorithm: AlgorithmIdentifier<'a> = fields.algorithm("hashAlgorithm")?;
        let issuer_name_hash = fields.octet_string("issuerNameHash")?;
        let issuer_key_hash = fields.octet_string("issuerKeyHash")?;
        let serial = fields.integer("serialNumber")?;
        fields.finish(FIELD)?;
        let hash = HashAlgorithm::of(&algorithm);
        Ok(Self { hash, issuer_name_hash, issuer_key_hash, serial, raw: tlv.raw })
    }

    /// Decodes one whole DER `CertID`.
    ///
    /// # Errors
    /// When `bytes` is not exactly one.
    pub fn decode_der(bytes: &'a [u8]) -> Result<Self> {
        Self::decode(Tlv::decode(bytes, "certID")?)
    }

    /// Whether each part is as long as it may be in a question: hashes as long as their algorithm
    /// makes them, and a serial number as RFC 5280 §4.1.2.2 allows it.
    fn is_askable(&self) -> bool {
        let hashes = [self.issuer_name_hash, self.issuer_key_hash];
        let fits =
            |hash: HashAlgorithm| hashes.iter().all(|octets| octets.len() == hash.output_length());
        self.serial.len() <= SERIAL_OCTETS
            && self.raw.len() <= CERT_ID_OCTETS
            && self.hash.is_none_or(fits)
    }

    /// Whether it names a certificate that `issuer` issued: compared by value, never by encoding.
    pub fn is_issued_by(&self, issuer: &Certificate<'_>, crypto: &dyn CryptoProvider) -> bool {
        self.hash.is_some_and(|hash| {
            digest(crypto, hash, issuer.subject).octets() == self.issuer_name_hash
                && digest(crypto, hash, issuer.public_key.bits).octets() == self.issuer_key_hash
        })
    }
}

/// What is to be done about a nonce of that length (RFC 9654 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceKind {
    /// 16 to 32 octets: MUST be echoed.
    Echo,
    /// 1 to 15 or 33 to 128 octets: may be left out of the answer.
    Ignore,
}

/// A decoded request.
#[derive(Clone, Debug)]
pub struct OcspRequest<'a> {
    /// The certificates asked about, in order; at least one.
    pub certificates: Vec<CertId<'a>>,
    /// The nonce: 1 to 128 octets.
    pub nonce: Option<Nonce<'a>>,
}

/// A nonce as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce<'a> {
    /// Its octets.
    pub octets: &'a [u8],
    /// The extension's value, which an answer repeats: an OCTET STRING with the octets (RFC 9654
    /// §2.1), or the octets themselves, as clients of RFC 2560 send them.
    pub value: &'a [u8],
}

/// The octets of a nonce in an extension's value. RFC 2560 did not say that they are an OCTET
/// STRING, so a value that is none is the nonce itself.
pub(super) fn nonce_octets(value: &[u8]) -> &[u8] {
    match Tlv::decode(value, "nonce") {
        Ok(tlv) if tlv.tag == Tag::OctetString => tlv.value,
        _ => value,
    }
}

/// Why bytes are not a request that can be answered; every one is `malformedRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcspRequestError {
    /// Not a DER `OCSPRequest`.
    Malformed(Asn1Error),
    /// It asks about nothing.
    NoCertificate,
    /// It asks about more than is answered at once.
    TooManyCertificates {
        /// The most that is answered.
        limit: usize,
    },
    /// The nonce has no or more than 128 octets (RFC 9654 §2.1).
    NonceLength,
    /// A `CertID` with hashes of another length than their algorithm's, or longer than it may be.
    CertId,
    /// A critical extension that we do not know.
    Extension(ObjectIdentifier),
}

impl fmt::Display for OcspRequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a DER OCSPRequest: {error}"),
            Self::NoCertificate => f.write_str("the request names no certificate"),
            Self::TooManyCertificates { limit } => write!(f, "more than {limit} certificates"),
            Self::NonceLength => f.write_str("the nonce must have 1 to 128 octets"),
            Self::CertId => f.write_str(
                "a CertID's hashes must be as long as their algorithm makes them, and its serial \
                number at most 20 octets",
            ),
            Self::Extension(id) => write!(f, "the critical extension {id} is not known"),
        }
    }
}

impl core::error::Error for OcspRequestError {}

impl From<Asn1Error> for OcspRequestError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error)
    }
}

impl<'a> OcspRequest<'a> {
    /// Decodes a request for at most `most_certificates`. A signature on it is stepped over:
    /// RFC 6960 §4.1.2 leaves it optional, and no answer depends on who asks.
    ///
    /// # Errors
    /// [`OcspRequestError`].
    pub fn decode(
        bytes: &'a [u8],
        most_certificates: usize,
    ) -> core::result::Result<Self, OcspRequestError> {
        const FIELD: &str = "ocspRequest";
        let mut request = Cursor::over_sequence(bytes, FIELD)?;
        let mut tbs = request.sequence("tbsRequest")?;
        request.optional(context_constructed(0), "optionalSignature")?;
        request.finish(FIELD)?;
        if let Some(version) = tbs.optional(context_constructed(0), "version")? {
            // v1(0) is the default and the only one; DER would not encode it, clients do.
            if version.content().unsigned("version")? != 0 {
                return Err(Asn1Error::Malformed { field: "version" }.into());
            }
        }
        tbs.optional(context_constructed(1), "requestorName")?;
        let certificates = certificates(tbs.sequence("requestList")?, most_certificates)?;
        let nonce = match tbs.optional(context_constructed(2), "requestExtensions")? {
            Some(tagged) => nonce(tagged)?,
            None => None,
        };
        tbs.finish("tbsRequest")?;
        Ok(Self { certificates, nonce })
    }

    /// What is to be done about the nonce.
    pub fn nonce_kind(&self) -> Option<NonceKind> {
        self.nonce.map(|nonce| match nonce.octets.len() {
            16..=32 => NonceKind::Echo,
            _ => NonceKind::Ignore,
        })
    }
}

fn certificates(
    mut list: Cursor<'_>,
    limit: usize,
) -> core::result::Result<Vec<CertId<'_>>, OcspRequestError> {
    let mut certificates = Vec::new();
    while !list.is_empty() {
        if certificates.len() >= limit {
            return Err(OcspRequestError::TooManyCertificates { limit });
        }
        let mut request = list.sequence("request")?;
        let id = CertId::decode(request.any("certID")?)?;
        if !id.is_askable() {
            return Err(OcspRequestError::CertId);
        }
        certificates.push(id);
        if let Some(tagged) = request.optional(context_constructed(0), "singleRequestExtensions")? {
            refuse_critical(tagged)?;
        }
        request.finish("request")?;
    }
    if certificates.is_empty() {
        return Err(OcspRequestError::NoCertificate);
    }
    Ok(certificates)
}

fn refuse_critical(tagged: Tlv<'_>) -> core::result::Result<(), OcspRequestError> {
    let list = Cursor::over_sequence(tagged.value, "singleRequestExtensions")?;
    for (id, critical, _) in extensions(list, "singleRequestExtensions")? {
        if critical.is_set() {
            return Err(OcspRequestError::Extension(id));
        }
    }
    Ok(())
}

fn nonce(tagged: Tlv<'_>) -> core::result::Result<Option<Nonce<'_>>, OcspRequestError> {
    let list = Cursor::over_sequence(tagged.value, "requestExtensions")?;
    let mut nonce = None;
    if list.is_empty() {
        return Ok(nonce);
    }
    for (id, critical, value) in extensions(list, "requestExtensions")? {
        if id == oid::OCSP_NONCE {
            let octets = nonce_octets(value);
            if octets.is_empty() || octets.len() > 128 {
                return Err(OcspRequestError::NonceLength);
            }
            nonce = Some(Nonce { octets, value });
        } else if critical.is_set() {
            return Err(OcspRequestError::Extension(id));
        }
    }
    Ok(nonce)
}

/// DER of an `OCSPRequest` about `certificate`, which `issuer` issued: one certificate and no nonce, so
/// that it can be asked by GET and kept (RFC 6960 appendix A.1).
///
/// The hash is SHA-1, by which every responder indexes; it only names the issuer.
pub fn request(
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    crypto: &dyn CryptoProvider,
) -> Vec<u8> {
    let hash = |octets: &[u8]| digest(crypto, HashAlgorithm::Sha1, octets);
    let (name, key) = (hash(issuer.subject), hash(issuer.public_key.bits));
    let id = cert_id(HashAlgorithm::Sha1, name.octets(), key.octets(), certificate.serial);
    request_of(&[id], None)
}

/// DER of a `CertID` (§4.1.1) from the hashes of the issuer's name and key and the serial number, INTEGER
/// content octets.
pub fn cert_id(hash: HashAlgorithm, name_hash: &[u8], key_hash: &[u8], serial: &[u8]) -> Vec<u8> {
    write::sequence(&[
        // NULL parameters: some responders compare octets, and this is what they index.
        &write::sequence(&[&write::oid(&hash.oid()), write::NULL]),
        &write::octet_string(name_hash),
        &write::octet_string(key_hash),
        &write::integer_verbatim(serial),
    ])
}

/// DER of an `OCSPRequest` for certificates named by [`cert_id`]s, with a nonce of 1 to 128 octets
/// if one is given (RFC 9654 asks for 32).
pub fn request_of<T: AsRef<[u8]>>(cert_ids: &[T], nonce: Option<&[u8]>) -> Vec<u8> {
    let requests: Vec<Vec<u8>> =
        cert_ids.iter().map(|cert_id| write::sequence(&[cert_id.as_ref()])).collect();
    let extensions = match nonce {
        Some(nonce) => write::context(2, &[&write::sequence(&[&nonce_extension(nonce)])]),
        None => Vec::new(),
    };
    let tbs = write::sequence(&[&write::sequence_of(&requests), &extensions]);
    write::sequence(&[&tbs])
}

/// DER of the nonce's `Extension`, not critical. RFC 9654 §2.1: its value is itself an OCTET STRING.
fn nonce_extension(nonce: &[u8]) -> Vec<u8> {
    write::extension(&oid::OCSP_NONCE, write::Criticality::NonCritical, &write::octet_string(nonce))
}
