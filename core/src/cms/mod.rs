//! CMS `SignedData` as timestamps use it (RFC 5652 §5), decoded in place.
//!
//! A subset: no encryption, no unsigned attributes, no countersignatures, no CRLs inside. What was
//! received is never encoded again: signed attributes are hashed as they came, with the one
//! octet exchanged that RFC 5652 §5.4 demands.

use alloc::vec::Vec;

use const_oid::ObjectIdentifier;
use der::Tag;

use crate::{
    asn1::{
        AlgorithmIdentifier, Asn1Error, Cursor, Result, Tlv, context_constructed, context_primitive,
    },
    limits, oid,
};

/// A decoded `SignedData`.
#[derive(Clone, Debug)]
pub struct SignedData<'a> {
    /// What kind of content was signed.
    pub content_type: ObjectIdentifier,
    /// The content's octets.
    pub content: &'a [u8],
    /// The certificates sent along, each DER, in their order; other forms are left out.
    pub certificates: Vec<&'a [u8]>,
    /// The signers.
    pub signer_infos: Vec<SignerInfo<'a>>,
}

/// How a `SignerInfo` names its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerIdentifier<'a> {
    /// By the issuer's `Name` (DER) and the serial number's content octets.
    IssuerAndSerial {
        /// The issuer's `Name`, DER.
        issuer: &'a [u8],
        /// INTEGER content octets.
        serial: &'a [u8],
    },
    /// By the subjectKeyIdentifier.
    SubjectKeyIdentifier(&'a [u8]),
}

/// One signer.
#[derive(Clone, Debug)]
pub struct SignerInfo<'a> {
    /// Which certificate signed.
    pub identifier: SignerIdentifier<'a>,
    /// The hash of content and attributes.
    pub digest_algorithm: AlgorithmIdentifier<'a>,
    /// The signed attributes as received: the `[0]` TLV.
    signed_attributes: Option<Tlv<'a>>,
    /// The signature algorithm.
    pub signature_algorithm: AlgorithmIdentifier<'a>,
    /// The signature.
    pub signature: &'a [u8],
}

/// Why a signed attribute cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeFault {
    /// It is not there.
    Absent,
    /// It is repeated, has no value or several, or is malformed.
    Malformed,
}

impl<'a> SignedData<'a> {
    /// Decodes a `ContentInfo` that holds a `SignedData` with its content inside.
    ///
    /// # Errors
    /// When `bytes` is not exactly that, in DER.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        const FIELD: &str = "contentInfo";
        let outer = Tlv::decode(bytes, FIELD)?;
        if outer.tag != Tag::Sequence {
            return Err(Asn1Error::UnexpectedType { field: FIELD });
        }
        let mut info = outer.content();
        let content_type = info.oid("contentType")?;
        if content_type != oid::ID_SIGNED_DATA {
            return Err(Asn1Error::UnexpectedType { field: "contentType" });
        }
        let wrapped = info.expect(context_constructed(0), "content")?;
        info.finish(FIELD)?;
        let signed_data = Cursor::over_sequence(wrapped.value, "signedData")?;
        Self::decode_fields(signed_data)
    }

    fn decode_fields(mut fields: Cursor<'a>) -> Result<Self> {
        // RFC 5652 §5.1: 3 for content that is not id-data, 4 where attribute certificates of
        // version 2 are sent along, 5 where certificates or revocation data of another form are.
        // Off-spec: nothing that is read here depends on it, so that 1, which authorities in the
        // wild write, will do, and nobody's 3 is held against what is sent along.
        if !matches!(fields.unsigned("signedData version")?, 1 | 3..=5) {
            return Err(Asn1Error::UnexpectedValue { field: "signedData version" });
        }
        let digest_algorithms = algorithms(fields.set("digestAlgorithms")?)?;
        let mut encapsulated = fields.sequence("encapContentInfo")?;
        let content_type = encapsulated.oid("eContentType")?;
        let wrapped = encapsulated.expect(context_constructed(0), "eContent")?;
        encapsulated.finish("encapContentInfo")?;
        let mut inner = wrapped.content();
        let content = inner.octet_string("eContent")?;
        inner.finish("eContent")?;
        let certificates = match fields.optional(context_constructed(0), "certificates")? {
            Some(set) => certificates(set.content())?,
            None => Vec::new(),
        };
        fields.optional(context_constructed(1), "crls")?;
        let mut set = fields.set("signerInfos")?;
        fields.finish("signedData")?;
        let mut signer_infos = Vec::new();
        while !set.is_empty() {
            if signer_infos.len() >= limits::CERTIFICATES {
                return Err(Asn1Error::TooMany { field: "signerInfos" });
            }
            let signer = SignerInfo::decode(set.sequence("signerInfo")?)?;
            // RFC 5652 §5.1: the collection lists the algorithms of all signers.
            if !digest_algorithms.contains(&signer.digest_algorithm.oid) {
                return Err(Asn1Error::UnexpectedValue { field: "digestAlgorithms" });
            }
            signer_infos.push(signer);
        }
        Ok(Self { content_type, content, certificates, signer_infos })
    }
}

fn algorithms(mut set: Cursor<'_>) -> Result<Vec<ObjectIdentifier>> {
    let mut algorithms = Vec::new();
    while !set.is_empty() {
        algorithms.push(set.algorithm("digestAlgorithms")?.oid);
    }
    Ok(algorithms)
}

fn certificates(mut set: Cursor<'_>) -> Result<Vec<&[u8]>> {
    let mut certificates = Vec::new();
    while !set.is_empty() {
        let choice = set.any("certificates")?;
        if choice.tag == Tag::Sequence {
            if certificates.len() >= limits::CERTIFICATES {
                return Err(Asn1Error::TooMany { field: "certificates" });
            }
            certificates.push(choice.raw);
        }
    }
    Ok(certificates)
}

impl<'a> SignerInfo<'a> {
    fn decode(mut fields: Cursor<'a>) -> Result<Self> {
        let version = fields.unsigned("signerInfo version")?;
        let identifier = signer_identifier(fields.any("sid")?)?;
        // RFC 5652 §5.3: version 1 goes with issuerAndSerialNumber, 3 with subjectKeyIdentifier.
        let expected = match identifier {
            SignerIdentifier::IssuerAndSerial { .. } => 1,
            SignerIdentifier::SubjectKeyIdentifier(_) => 3,
        };
        if version != expected {
            return Err(Asn1Error::UnexpectedValue { field: "signerInfo version" });
        }
        let digest_algorithm = fields.algorithm("digestAlgorithm")?;
        let signed_attributes = fields.optional(context_constructed(0), "signedAttrs")?;
        let signature_algorithm = fields.algorithm("signatureAlgorithm")?;
        let signature = fields.octet_string("signature")?;
        fields.optional(context_constructed(1), "unsignedAttrs")?;
        fields.finish("signerInfo")?;
        Ok(Self { identifier, digest_algorithm, signed_attributes, signature_algorithm, signature })
    }

    /// The octets that the signature covers: the signed attributes as received, with the outer
    /// `[0]` read as SET (RFC 5652 §5.4). Nothing when there are none.
    pub fn signed_octets(&self) -> Option<Vec<u8>> {
        let (_, rest) = self.signed_attributes?.raw.split_first()?;
        let mut octets = Vec::with_capacity(rest.len().saturating_add(1));
        octets.push(0x31);
        octets.extend_from_slice(rest);
        Some(octets)
    }

    /// The same with the attributes in the order of DER's SET OF (X.690 §11.6), if they came in
    /// another.
    pub(crate) fn sorted_octets(&self) -> Option<Vec<u8>> {
        let received = self.signed_attributes?;
        let mut attributes = Vec::new();
        let mut cursor = received.content();
        while !cursor.is_empty() {
            attributes.push(cursor.any("attribute").ok()?.raw);
        }
        attributes.sort_unstable();
        let content = attributes.concat();
        let header = received.raw.len().checked_sub(content.len())?;
        let length_octets = received.raw.get(1..header)?;
        Some([&[0x31], length_octets, &content].concat())
    }

    /// The single value of a signed attribute.
    ///
    /// # Errors
    /// [`AttributeFault`] when it is absent, or not there exactly once with exactly one value
    /// (RFC 5652 §11: "MUST NOT include multiple instances").
    pub fn attribute(
        &self,
        wanted: ObjectIdentifier,
    ) -> core::result::Result<Tlv<'a>, AttributeFault> {
        let attributes = self.signed_attributes.ok_or(AttributeFault::Absent)?;
        let malformed = |_| AttributeFault::Malformed;
        let mut cursor = attributes.content();
        let mut found = None;
        while !cursor.is_empty() {
            let mut attribute = cursor.sequence("attribute").map_err(malformed)?;
            let id = attribute.oid("attrType").map_err(malformed)?;
            let mut values = attribute.set("attrValues").map_err(malformed)?;
            attribute.finish("attribute").map_err(malformed)?;
            if id != wanted {
                continue;
            }
            let value = values.any("attrValue").map_err(malformed)?;
            if found.is_some() || !values.is_empty() {
                return Err(AttributeFault::Malformed);
            }
            found = Some(value);
        }
        found.ok_or(AttributeFault::Absent)
    }
}

fn signer_identifier(tlv: Tlv<'_>) -> Result<SignerIdentifier<'_>> {
    if tlv.tag == context_primitive(0) {
        return Ok(SignerIdentifier::SubjectKeyIdentifier(tlv.value));
    }
    if tlv.tag != Tag::Sequence {
        return Err(Asn1Error::UnexpectedType { field: "sid" });
    }
    let mut fields = tlv.content();
    let issuer = fields.expect(Tag::Sequence, "sid issuer")?.raw;
    let serial = fields.integer("sid serialNumber")?;
    fields.finish("sid")?;
    Ok(SignerIdentifier::IssuerAndSerial { issuer, serial })
}
