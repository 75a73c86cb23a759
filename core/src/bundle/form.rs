//! The JSON form of a bundle, field for field as Sigstore's protobuf defines it.

use alloc::{format, string::String, vec::Vec};

use serde::Deserialize;

use super::{
    Bundle, Content, DigestFault, Envelope, Verifier, Version, json_finding,
    log_entry::LogEntryForm,
};
use crate::{
    digest::{Digest, HashAlgorithm},
    finding::{Finding, FindingCode},
    json::{Base64Octets, CertificateChainForm, CertificateForm, JsonFault, Value, strict},
    limits,
};

/// What the media types of the versions we know begin with.
const MEDIA_TYPE_FAMILY: &str = "application/vnd.dev.sigstore.bundle";

const MEDIA_TYPES: [(&str, Version); 4] = [
    ("application/vnd.dev.sigstore.bundle.v0.3+json", Version::V0_2),
    ("application/vnd.dev.sigstore.bundle+json;version=0.3", Version::V0_2),
    ("application/vnd.dev.sigstore.bundle+json;version=0.2", Version::V0_2),
    ("application/vnd.dev.sigstore.bundle+json;version=0.1", Version::V0_1),
];

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct BundleForm {
    #[serde(rename = "mediaType", alias = "media_type")]
    _media_type: String,
    #[serde(alias = "verification_material")]
    verification_material: MaterialForm,
    #[serde(alias = "message_signature")]
    message_signature: Option<MessageSignatureForm>,
    #[serde(alias = "dsse_envelope")]
    dsse_envelope: Option<EnvelopeForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct MaterialForm {
    certificate: Option<CertificateForm>,
    #[serde(alias = "x509_certificate_chain")]
    x509_certificate_chain: Option<CertificateChainForm>,
    #[serde(alias = "public_key")]
    public_key: Option<PublicKeyForm>,
    #[serde(alias = "tlog_entries", default)]
    tlog_entries: Vec<LogEntryForm>,
    #[serde(alias = "timestamp_verification_data")]
    timestamp_verification_data: Option<TimestampsForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct PublicKeyForm {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct TimestampsForm {
    #[serde(alias = "rfc3161_timestamps", default)]
    rfc3161_timestamps: Vec<TimestampForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct TimestampForm {
    #[serde(alias = "signed_timestamp")]
    signed_timestamp: Base64Octets,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct MessageSignatureForm {
    #[serde(alias = "message_digest")]
    message_digest: Option<DigestForm>,
    signature: Base64Octets,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct DigestForm {
    algorithm: String,
    digest: Base64Octets,
}

// DSSE's definition calls its fields as its JSON does: they have one name.
#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct EnvelopeForm {
    payload: Base64Octets,
    payload_type: String,
    signatures: Vec<EnvelopeSignatureForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
struct EnvelopeSignatureForm {
    sig: Base64Octets,
    #[serde(rename = "keyid")]
    _keyid: Option<String>,
}

strict! {
    object BundleForm;
    object MaterialForm;
    object PublicKeyForm;
    object TimestampsForm;
    object TimestampForm;
    object MessageSignatureForm;
    object DigestForm;
    object EnvelopeForm;
    object EnvelopeSignatureForm;
}

pub(super) fn decode(root: Value<'_>) -> Result<Bundle, Finding> {
    let fault = |fault: JsonFault| json_finding(&fault);
    // First only the media type, so that a bundle of a later version is called that and not
    // malformed.
    let media_type = root.member("mediaType").or_else(|| root.member("media_type"));
    let media_type: String = match media_type {
        Some(media_type) => media_type.read().map_err(fault)?,
        None => return Err(malformed("missing field `mediaType`")),
    };
    let Some((_, version)) = MEDIA_TYPES.iter().find(|(name, _)| *name == media_type) else {
        let code = if media_type.starts_with(MEDIA_TYPE_FAMILY) {
            FindingCode::BUNDLE_TOO_NEW
        } else {
            FindingCode::BUNDLE_MALFORMED
        };
        return Err(Finding::new(code)
            .about("mediaType")
            .expected("a Sigstore bundle, v0.1 to v0.3")
            .found(media_type));
    };
    let form: BundleForm = root.read().map_err(fault)?;
    form.decode(*version)
}

impl BundleForm {
    fn decode(self, version: Version) -> Result<Bundle, Finding> {
        let material = self.verification_material;
        let verifier =
            verifier(material.certificate, material.x509_certificate_chain, material.public_key)?;
        let timestamps = material.timestamp_verification_data.map(|data| data.rfc3161_timestamps);
        let timestamps = timestamps.unwrap_or_default();
        if timestamps.len() > limits::TIMESTAMPS {
            return Err(Finding::new(FindingCode::TIMESTAMP_TOO_MANY)
                .expected(format!("at most {}", limits::TIMESTAMPS))
                .found(format!("{}", timestamps.len())));
        }
        bounded(material.tlog_entries.len(), limits::LOG_ENTRIES, "log entries")?;
        let log_entries = material.tlog_entries.into_iter().map(LogEntryForm::decode);
        let log_entries = log_entries.collect::<Result<_, _>>()?;
        let content = match (self.message_signature, self.dsse_envelope) {
            (Some(message), None) => message.decode()?,
            (None, Some(envelope)) => envelope.decode()?,
            (None, None) => return Err(FindingCode::SIGNATURE_ABSENT.into()),
            (Some(_), Some(_)) => return Err(malformed("both messageSignature and dsseEnvelope")),
        };
        if content.signature().is_empty() {
            return Err(FindingCode::SIGNATURE_ABSENT.into());
        }
        Ok(Bundle {
            verifier,
            content,
            timestamps: timestamps.into_iter().map(|each| each.signed_timestamp.0).collect(),
            log_entries,
            version,
        })
    }
}

/// Sigstore bundle: exactly one of the three.
fn verifier(
    certificate: Option<CertificateForm>,
    chain: Option<CertificateChainForm>,
    key: Option<PublicKeyForm>,
) -> Result<Verifier, Finding> {
    let mut certificates: Vec<Vec<u8>> = match (certificate, chain, key) {
        (Some(one), None, None) => alloc::vec![one.into_octets()],
        (None, Some(chain), None) => chain.into_octets(),
        (None, None, Some(key)) => return Ok(Verifier::PublicKey { hint: key.hint }),
        (None, None, None) => return Err(FindingCode::BUNDLE_NO_CERTIFICATE.into()),
        (Some(_), Some(_), _) => {
            return Err(malformed("both certificate and x509CertificateChain"));
        }
        (_, _, Some(_)) => return Err(malformed("both a certificate and a publicKey")),
    };
    bounded(certificates.len(), limits::CERTIFICATES, "certificates")?;
    if certificates.is_empty() {
        return Err(FindingCode::BUNDLE_NO_CERTIFICATE.into());
    }
    let certificate = certificates.remove(0);
    Ok(Verifier::Certificate { certificate, further: certificates })
}

pub(super) fn malformed(found: &str) -> Finding {
    Finding::new(FindingCode::BUNDLE_MALFORMED).found(found)
}

pub(super) fn bounded(count: usize, limit: usize, what: &str) -> Result<(), Finding> {
    if count <= limit {
        return Ok(());
    }
    Err(Finding::new(FindingCode::BUNDLE_TOO_MANY_PARTS)
        .about(what)
        .expected(format!("at most {limit}"))
        .found(format!("{count}")))
}

impl MessageSignatureForm {
    fn decode(self) -> Result<Content, Finding> {
        let digest = match self.message_digest.map(DigestForm::decode) {
            None => None,
            Some(Ok(digest)) => Some(digest),
            Some(Err(DigestFault::Weak(name))) => {
                return Err(Finding::new(FindingCode::CONTENT_DIGEST_WEAK)
                    .about("messageDigest")
                    .expected("SHA2_256, SHA2_384 or SHA2_512")
                    .found(name));
            }
            Some(Err(DigestFault::Length)) => {
                return Err(malformed("a messageDigest of another length than its algorithm's"));
            }
        };
        Ok(Content::MessageSignature { digest, signature: self.signature.0 })
    }
}

impl DigestForm {
    fn decode(self) -> Result<Digest, DigestFault> {
        let Some(algorithm) = HashAlgorithm::parse_sigstore(&self.algorithm) else {
            return Err(DigestFault::Weak(self.algorithm));
        };
        Digest::new(algorithm, &self.digest.0).ok_or(DigestFault::Length)
    }
}

impl EnvelopeForm {
    fn decode(self) -> Result<Content, Finding> {
        // Sigstore bundle v0.3: "DSSE envelopes in a bundle MUST have exactly one signature".
        let count = self.signatures.len();
        let mut signatures = self.signatures.into_iter();
        let (Some(signature), limits::ENVELOPE_SIGNATURES) = (signatures.next(), count) else {
            return Err(Finding::new(FindingCode::SIGNATURE_COUNT)
                .expected("1")
                .found(format!("{count}")));
        };
        Ok(Content::Envelope(Envelope {
            payload_type: self.payload_type,
            payload: self.payload.0,
            signature: signature.sig.0,
        }))
    }
}
