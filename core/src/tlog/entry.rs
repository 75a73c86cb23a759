//! What a log entry's body says: which signature, by which certificate or key, over what.
//!
//! [`EntryKind`] lists the kinds. A body is the log's own JSON; fields beside those we compare are
//! the log's business. Comparing with the bundle is not done here.

use alloc::{format, string::String, vec::Vec};

use base64ct::{Base64, Encoding};
use serde::Deserialize;

use super::entry_kind::EntryKind;
use crate::{
    digest::{Digest, HashAlgorithm, decode_hex},
    json::{Base64Octets, Document, JsonFault, strict},
    pem,
};

/// A decoded entry body.
#[derive(Clone, Debug)]
pub struct EntryBody {
    /// The kind, with its version.
    pub kind: EntryKind,
    /// The signatures; any may be the bundle's.
    pub signatures: Vec<LoggedSignature>,
    /// What was signed.
    pub digest: LoggedDigest,
}

/// One signature of an entry.
#[derive(Clone, Debug)]
pub struct LoggedSignature {
    /// The signature. `intoto` 0.0.1 holds none: it binds certificate and payload only, and the
    /// log itself had checked a signature by the one over the other.
    pub signature: Option<Vec<u8>>,
    /// What the log verified it by; `None` if it is neither of the two.
    pub verifier: Option<LoggedVerifier>,
}

/// What a log verified a signature by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedVerifier {
    /// A certificate, DER.
    Certificate(Vec<u8>),
    /// A bare key, DER `SubjectPublicKeyInfo`.
    PublicKey(Vec<u8>),
}

/// The digest in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedDigest {
    /// Of the octets that were signed: the artifact, or an envelope's pre-authentication encoding.
    Signed(Digest),
    /// Of an envelope's payload.
    Payload(Digest),
}

/// Why a body cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryFault {
    /// Not the JSON of its kind; why.
    Malformed(String),
    /// Of a kind or version that we do not know; which.
    Unsupported(String),
}

impl EntryBody {
    /// Reads an entry's body. Its size is bounded by the bundle's.
    ///
    /// # Errors
    /// [`EntryFault`].
    pub fn decode(body: &[u8]) -> Result<Self, EntryFault> {
        let malformed = |fault: JsonFault| EntryFault::Malformed(format!("{fault}"));
        let document = Document::decode(body).map_err(malformed)?;
        let head: HeadForm = document.read().map_err(malformed)?;
        let kind = EntryKind::parse(&head.kind, &head.api_version).ok_or_else(|| {
            EntryFault::Unsupported(format!("{} {}", head.kind, head.api_version))
        })?;
        let (signatures, digest) = match kind {
            EntryKind::HashedRekordV1 => spec::<HashedRekordV1Form>(document)?.decode(),
            EntryKind::HashedRekordV2 => spec::<HashedRekordV2Form>(document)?.decode(),
            EntryKind::Dsse => spec::<DsseForm>(document)?.decode(),
            EntryKind::IntotoV1 => spec::<IntotoV1Form>(document)?.decode(),
            EntryKind::IntotoV2 => spec::<IntotoV2Form>(document)?.decode(),
        }
        .ok_or_else(|| EntryFault::Malformed(String::from("an unknown or wrong digest")))?;
        Ok(Self { kind, signatures, digest })
    }
}

/// The `spec` of a body.
fn spec<'a, T: Deserialize<'a>>(body: Document<'a>) -> Result<T, EntryFault> {
    let malformed = |fault: String| EntryFault::Malformed(format!("spec: {fault}"));
    let Some(spec) = body.root().member("spec") else {
        return Err(malformed(String::from("missing")));
    };
    spec.read().map_err(|fault| malformed(format!("{fault}")))
}

/// Signatures and digest; `None` if the digest is none we know.
type Parts = Option<(Vec<LoggedSignature>, LoggedDigest)>;

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct HeadForm {
    kind: String,
    api_version: String,
}

/// `{"algorithm":"sha256","value":HEX}`.
#[derive(Deserialize)]
#[serde(remote = "Self")]
struct HashForm {
    algorithm: String,
    value: String,
}

impl HashForm {
    fn decode(&self) -> Option<Digest> {
        Digest::new(HashAlgorithm::parse(&self.algorithm)?, &decode_hex(&self.value)?)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct HashedRekordV1Form {
    data: HashedDataForm,
    signature: HashedSignatureForm,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct HashedDataForm {
    hash: HashForm,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct HashedSignatureForm {
    content: Base64Octets,
    public_key: PemForm,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct PemForm {
    content: Base64Octets,
}

impl HashedRekordV1Form {
    fn decode(self) -> Parts {
        let signature = LoggedSignature {
            signature: Some(self.signature.content.0),
            verifier: verifier_of_pem(&self.signature.public_key.content.0),
        };
        Some((vec![signature], LoggedDigest::Signed(self.data.hash.decode()?)))
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct HashedRekordV2Form {
    hashed_rekord_v002: HashedRekordV2Content,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct HashedRekordV2Content {
    data: SigstoreDigestForm,
    signature: VerifiedSignatureForm,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct SigstoreDigestForm {
    algorithm: String,
    digest: Base64Octets,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct VerifiedSignatureForm {
    content: Base64Octets,
    verifier: VerifierForm,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct VerifierForm {
    x509_certificate: Option<RawForm>,
    public_key: Option<RawForm>,
}

impl VerifierForm {
    fn decode(self) -> Option<LoggedVerifier> {
        match (self.x509_certificate, self.public_key) {
            (Some(raw), None) => Some(LoggedVerifier::Certificate(raw.raw_bytes.0)),
            (None, Some(raw)) => Some(LoggedVerifier::PublicKey(raw.raw_bytes.0)),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct RawForm {
    raw_bytes: Base64Octets,
}

impl HashedRekordV2Form {
    fn decode(self) -> Parts {
        let HashedRekordV2Content { data, signature } = self.hashed_rekord_v002;
        let algorithm = HashAlgorithm::parse_sigstore(&data.algorithm)?;
        let logged = LoggedSignature {
            signature: Some(signature.content.0),
            verifier: signature.verifier.decode(),
        };
        let digest = Digest::new(algorithm, &data.digest.0)?;
        Some((vec![logged], LoggedDigest::Signed(digest)))
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct DsseForm {
    payload_hash: HashForm,
    signatures: Vec<DsseSignatureForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct DsseSignatureForm {
    signature: Base64Octets,
    verifier: Base64Octets,
}

impl DsseForm {
    fn decode(self) -> Parts {
        let digest = self.payload_hash.decode()?;
        let logged = self.signatures.into_iter().map(|each| LoggedSignature {
            signature: Some(each.signature.0),
            verifier: verifier_of_pem(&each.verifier.0),
        });
        Some((logged.collect(), LoggedDigest::Payload(digest)))
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct IntotoV1Form {
    content: IntotoV1Content,
    public_key: Base64Octets,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct IntotoV1Content {
    payload_hash: HashForm,
}

impl IntotoV1Form {
    fn decode(self) -> Parts {
        let digest = self.content.payload_hash.decode()?;
        let verifier = verifier_of_pem(&self.public_key.0);
        let logged = LoggedSignature { signature: None, verifier };
        Some((vec![logged], LoggedDigest::Payload(digest)))
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct IntotoV2Form {
    content: IntotoV2Content,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct IntotoV2Content {
    envelope: IntotoEnvelopeForm,
    payload_hash: HashForm,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct IntotoEnvelopeForm {
    signatures: Vec<IntotoSignatureForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
struct IntotoSignatureForm {
    sig: Base64Octets,
    public_key: Base64Octets,
}

impl IntotoV2Form {
    fn decode(self) -> Parts {
        let digest = self.content.payload_hash.decode()?;
        let logged = self.content.envelope.signatures.into_iter().map(|each| {
            // The envelope's base64 was encoded once more.
            let inner = core::str::from_utf8(&each.sig.0).ok();
            let signature = inner.and_then(|text| Base64::decode_vec(text).ok())?;
            let verifier = verifier_of_pem(&each.public_key.0);
            Some(LoggedSignature { signature: Some(signature), verifier })
        });
        Some((logged.collect::<Option<_>>()?, LoggedDigest::Payload(digest)))
    }
}

strict! {
    object HeadForm;
    object HashForm;
    object HashedRekordV1Form;
    object HashedDataForm;
    object HashedSignatureForm;
    object PemForm;
    object HashedRekordV2Form;
    object HashedRekordV2Content;
    object SigstoreDigestForm;
    object VerifiedSignatureForm;
    object VerifierForm;
    object RawForm;
    object DsseForm;
    object DsseSignatureForm;
    object IntotoV1Form;
    object IntotoV1Content;
    object IntotoV2Form;
    object IntotoV2Content;
    object IntotoEnvelopeForm;
    object IntotoSignatureForm;
}

/// The one certificate or public key in a PEM text (RFC 7468 §5, §13), or nothing.
fn verifier_of_pem(octets: &[u8]) -> Option<LoggedVerifier> {
    let mut blocks = pem::blocks(octets);
    let (block, None) = (blocks.next()?, blocks.next()) else { return None };
    let verifier = match block.label {
        "CERTIFICATE" => LoggedVerifier::Certificate,
        "PUBLIC KEY" => LoggedVerifier::PublicKey,
        _ => return None,
    };
    block.decode().ok().map(verifier)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn pem(inner: &str) -> String {
        let text = format!("-----BEGIN CERTIFICATE-----\n{inner}\n-----END CERTIFICATE-----\n");
        Base64::encode_string(text.as_bytes())
    }

    fn digest() -> Digest {
        Digest::new(HashAlgorithm::Sha256, &decode_hex(HASH).unwrap()).unwrap()
    }

    #[test]
    fn reads_every_kind() {
        let certificate = pem("MAA=");
        let hash = format!(r#"{{"algorithm":"sha256","value":"{HASH}"}}"#);
        let octets = Base64::encode_string(digest().octets());
        let twice = Base64::encode_string(b"AQID");
        let bodies = [
            (
                "hashedrekord",
                "0.0.1",
                format!(
                    r#"{{"data":{{"hash":{hash}}},"signature":{{"content":"AQID","publicKey":{{"content":"{certificate}"}}}}}}"#
                ),
            ),
            (
                "hashedrekord",
                "0.0.2",
                format!(
                    r#"{{"hashedRekordV002":{{"data":{{"algorithm":"SHA2_256","digest":"{octets}"}},"signature":{{"content":"AQID","verifier":{{"keyDetails":"X","x509Certificate":{{"rawBytes":"MAA="}}}}}}}}}}"#
                ),
            ),
            (
                "dsse",
                "0.0.1",
                format!(
                    r#"{{"envelopeHash":{hash},"payloadHash":{hash},"signatures":[{{"signature":"AQID","verifier":"{certificate}"}}]}}"#
                ),
            ),
            (
                "intoto",
                "0.0.1",
                format!(
                    r#"{{"content":{{"hash":{hash},"payloadHash":{hash}}},"publicKey":"{certificate}"}}"#
                ),
            ),
            (
                "intoto",
                "0.0.2",
                format!(
                    r#"{{"content":{{"envelope":{{"payloadType":"x","signatures":[{{"publicKey":"{certificate}","sig":"{twice}"}}]}},"hash":{hash},"payloadHash":{hash}}}}}"#
                ),
            ),
        ];
        for (kind, version, spec) in bodies {
            let text = format!(r#"{{"apiVersion":"{version}","kind":"{kind}","spec":{spec}}}"#);
            let body = EntryBody::decode(text.as_bytes()).unwrap();
            assert_eq!((body.kind.name(), body.kind.version()), (kind, version));
            let expected = if kind == "hashedrekord" {
                LoggedDigest::Signed(digest())
            } else {
                LoggedDigest::Payload(digest())
            };
            assert_eq!(body.digest, expected);
            let logged = body.signatures.first().unwrap();
            assert_eq!(logged.verifier, Some(LoggedVerifier::Certificate(vec![0x30, 0])), "{text}");
            let signature = (version != "0.0.1" || kind != "intoto").then_some(&[1, 2, 3][..]);
            assert_eq!(logged.signature.as_deref(), signature);
        }
    }

    #[test]
    fn tells_unknown_kinds_from_broken_ones() {
        let decode = |text: &str| EntryBody::decode(text.as_bytes()).map(|_| ());
        for text in [
            r#"{"apiVersion":"0.0.1","kind":"rpm","spec":{}}"#,
            r#"{"apiVersion":"0.0.3","kind":"hashedrekord","spec":{}}"#,
        ] {
            assert!(matches!(decode(text), Err(EntryFault::Unsupported(_))), "{text}");
        }
        for text in [
            "",
            "{}",
            r#"{"apiVersion":"0.0.1","kind":"hashedrekord"}"#,
            r#"{"apiVersion":"0.0.1","kind":"dsse","spec":{"payloadHash":{"algorithm":"sha1","value":""},"signatures":[]}}"#,
            r#"{"apiVersion":"0.0.1","apiVersion":"0.0.1","kind":"dsse","spec":{}}"#,
        ] {
            assert!(matches!(decode(text), Err(EntryFault::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn takes_one_certificate_or_key_only() {
        let one = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let der = vec![0x30, 0];
        let of = |text: &str| verifier_of_pem(text.as_bytes());
        assert_eq!(of(one), Some(LoggedVerifier::Certificate(der.clone())));
        assert_eq!(of(&one.repeat(2)), None);
        let key = one.replace("CERTIFICATE", "PUBLIC KEY");
        assert_eq!(of(&key), Some(LoggedVerifier::PublicKey(der)));
        assert_eq!(of(&key.repeat(2)), None);
        for label in ["RSA PUBLIC KEY", "PRIVATE KEY", ""] {
            assert_eq!(of(&one.replace("CERTIFICATE", label)), None, "{label}");
        }
        assert_eq!(of(&one.replacen("CERTIFICATE", "PUBLIC KEY", 1)), None);
    }
}
