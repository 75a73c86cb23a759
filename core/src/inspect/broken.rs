//! An object that breaks a rule: what it is, which field breaks it, and what comes before that.

use alloc::{format, string::String, vec, vec::Vec};

use der::Tag;

use super::{View, kind::Kind};
use crate::{
    asn1::{Asn1Error, Cursor, Result, context_constructed},
    cms::SignedData,
    crl::CertificateList,
    finding::{Finding, FindingCode},
    ocsp::{OcspRequest, OcspResponse},
    tsp::{TimestampRequest, TimestampResponse},
    x509::{Certificate, PublicKey, certificate::serial_text, name},
};

/// Why an object could not be shown whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What it is and which rule it breaks.
    pub finding: Finding,
    /// What could be read, if its kind could be told.
    pub shown: Option<View>,
}

impl From<Finding> for Broken {
    fn from(finding: Finding) -> Self {
        Self { finding, shown: None }
    }
}

/// An object of a known kind that its decoder refused, or that has none; nothing of what is not
/// known at all.
pub(super) fn recognised(bytes: &[u8]) -> Option<core::result::Result<View, Broken>> {
    let kind = Kind::of(bytes)?;
    let mut fields = vec![("kind", View::text(kind.name()))];
    // The fields are read in order, as far as they can be.
    let _ = match kind {
        Kind::Certificate => certificate(bytes, &mut fields),
        Kind::Crl => crl(bytes, &mut fields),
        Kind::CertificationRequest => certification_request(bytes, &mut fields),
        Kind::OcspResponse => ocsp_response(bytes, &mut fields),
        Kind::Other("encrypted-private-key") => encrypted_key(bytes, &mut fields),
        _ => Ok(()),
    };
    let Some(reason) = reason(kind, bytes) else { return Some(Ok(View::Fields(fields))) };
    fields.push(("broken", View::text(reason.clone())));
    let finding = Finding::new(FindingCode::INPUT_MALFORMED)
        .expected(format!("{} as in {}", kind.name(), kind.clause()))
        .found(reason);
    Some(Err(Broken { finding, shown: Some(View::Fields(fields)) }))
}

/// What its decoder says is wrong; `None` if it has no decoder.
fn reason(kind: Kind, bytes: &[u8]) -> Option<String> {
    let told = |error: Asn1Error| format!("{error}");
    match kind {
        Kind::Certificate => Certificate::decode(bytes).err().map(told),
        Kind::Crl => CertificateList::decode(bytes).err().map(told),
        Kind::SignedData => SignedData::decode(bytes).err().map(told),
        Kind::OcspResponse => OcspResponse::decode(bytes).err().map(told),
        Kind::PublicKey => PublicKey::decode(bytes).err().map(told),
        Kind::TimestampResponse => TimestampResponse::decode(bytes).err().map(|finding| {
            let found = finding.found.as_deref().unwrap_or_default();
            String::from(format!("{} {found}", finding.code.title()).trim_end())
        }),
        Kind::TimestampRequest => {
            TimestampRequest::decode(bytes).err().map(|fault| format!("{fault}"))
        }
        Kind::OcspRequest => {
            OcspRequest::decode(bytes, usize::MAX).err().map(|fault| format!("{fault}"))
        }
        Kind::CertificationRequest | Kind::Other(_) => None,
    }
}

type Fields = Vec<(&'static str, View)>;

fn certificate(bytes: &[u8], fields: &mut Fields) -> Result<()> {
    let mut inner = tbs(bytes)?;
    inner.optional(context_constructed(0), "version")?;
    fields.push(("serialNumber", View::text(serial_text(inner.any("serialNumber")?.value))));
    inner.any("signature")?;
    fields.push(("issuer", View::text(name::text(inner.any("issuer")?.raw))));
    let mut validity = inner.sequence("validity")?;
    for field in ["notBefore", "notAfter"] {
        fields.push((field, View::text(format!("{}", validity.time(field)?))));
    }
    fields.push(("subject", View::text(name::text(inner.any("subject")?.raw))));
    let key = PublicKey::decode(inner.any("subjectPublicKeyInfo")?.raw)?;
    fields.push(("publicKey", View::text(super::key_text(key.algorithm))));
    Ok(())
}

fn crl(bytes: &[u8], fields: &mut Fields) -> Result<()> {
    let mut inner = tbs(bytes)?;
    inner.optional(Tag::Integer, "version")?;
    inner.any("signature")?;
    fields.push(("issuer", View::text(name::text(inner.any("issuer")?.raw))));
    for field in ["thisUpdate", "nextUpdate"] {
        fields.push((field, View::text(format!("{}", inner.time(field)?))));
    }
    Ok(())
}

fn certification_request(bytes: &[u8], fields: &mut Fields) -> Result<()> {
    let mut inner = tbs(bytes)?;
    inner.any("version")?;
    fields.push(("subject", View::text(name::text(inner.any("subject")?.raw))));
    let key = PublicKey::decode(inner.any("subjectPKInfo")?.raw)?;
    fields.push(("publicKey", View::text(super::key_text(key.algorithm))));
    Ok(())
}

/// The content of the first part of SIGNED { … }.
fn tbs(bytes: &[u8]) -> Result<Cursor<'_>> {
    Cursor::new(bytes).sequence("outer")?.sequence("tbs")
}

fn ocsp_response(bytes: &[u8], fields: &mut Fields) -> Result<()> {
    let mut outer = Cursor::new(bytes).sequence("ocspResponse")?;
    let status = outer.enumerated("responseStatus")?;
    fields.push(("responseStatus", View::Number(status.into())));
    let mut response = outer.expect(context_constructed(0), "responseBytes")?.content();
    let mut response = response.sequence("responseBytes")?;
    response.oid("responseType")?;
    let mut inner = tbs(response.octet_string("response")?)?;
    inner.optional(context_constructed(0), "version")?;
    inner.any("responderID")?;
    fields.push(("producedAt", View::text(format!("{}", inner.time("producedAt")?))));
    Ok(())
}

fn encrypted_key(bytes: &[u8], fields: &mut Fields) -> Result<()> {
    let mut outer = Cursor::new(bytes).sequence("encryptedPrivateKeyInfo")?;
    let algorithm = outer.algorithm("encryptionAlgorithm")?;
    fields.push(("encryptionAlgorithm", View::text(format!("{}", algorithm.oid))));
    Ok(())
}
