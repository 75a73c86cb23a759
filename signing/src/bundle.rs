//! Sigstore bundles, version 0.3, as JSON: a signature over an artifact's digest, or a DSSE
//! envelope, with the signer's certificate and RFC 3161 timestamps.
//!
//! It lays out what others made; it signs nothing and checks nothing. Fields that Sigstore does
//! not have are never added: verifiers refuse them. Bundles are read by
//! `countersign_core::bundle`.

use base64ct::{Base64, Encoding};
pub use countersign_core::bundle::{IN_TOTO_PAYLOAD_TYPE, pre_authentication_encoding};
use countersign_core::digest::Digest;
use serde::{Serialize, Serializer};

/// The media type of version 0.3.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A bundle, ready to be written.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    media_type: &'static str,
    verification_material: VerificationMaterial,
    #[serde(flatten)]
    content: Content,
}

/// What a verifier needs beside its trust root.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    certificate: RawCertificate,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<TimestampVerificationData>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: Octets,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TimestampVerificationData {
    rfc3161_timestamps: Vec<SignedTimestamp>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedTimestamp {
    signed_timestamp: Octets,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Content {
    MessageSignature(MessageSignature),
    DsseEnvelope(DsseEnvelope),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    message_digest: MessageDigest,
    signature: Octets,
}

#[derive(Clone, Debug, Serialize)]
struct MessageDigest {
    algorithm: &'static str,
    digest: Octets,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DsseEnvelope {
    payload: Octets,
    payload_type: String,
    signatures: [DsseSignature; 1],
}

#[derive(Clone, Debug, Serialize)]
struct DsseSignature {
    sig: Octets,
}

/// Octets as JSON has them here: standard base64 with padding.
#[derive(Clone, Debug)]
struct Octets(Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64::encode_string(&self.0))
    }
}

/// What proves who signed, and when.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The signer's own certificate, DER. Those above it are in the verifier's trust root.
    pub certificate: &'a [u8],
    /// Whole `TimeStampResp`s, DER, over the raw octets of the signature.
    pub timestamps: &'a [Vec<u8>],
}

impl Evidence<'_> {
    fn material(&self) -> VerificationMaterial {
        let timestamps: Vec<SignedTimestamp> = self
            .timestamps
            .iter()
            .map(|response| SignedTimestamp { signed_timestamp: Octets(response.clone()) })
            .collect();
        VerificationMaterial {
            certificate: RawCertificate { raw_bytes: Octets(self.certificate.to_vec()) },
            timestamp_verification_data: (!timestamps.is_empty())
                .then_some(TimestampVerificationData { rfc3161_timestamps: timestamps }),
        }
    }
}

impl Bundle {
    /// A bundle for a signature made over `digest`, the digest of an artifact.
    pub fn message_signature(digest: &Digest, signature: &[u8], evidence: Evidence<'_>) -> Self {
        let message_digest = MessageDigest {
            algorithm: digest.algorithm().sigstore_name(),
            digest: Octets(digest.octets().to_vec()),
        };
        let signature = Octets(signature.to_vec());
        Self::of(
            Content::MessageSignature(MessageSignature { message_digest, signature }),
            evidence,
        )
    }

    /// A bundle with a DSSE envelope; `signature` is over [`pre_authentication_encoding`] of the
    /// same type and payload.
    pub fn dsse(
        payload_type: &str,
        payload: &[u8],
        signature: &[u8],
        evidence: Evidence<'_>,
    ) -> Self {
        let envelope = DsseEnvelope {
            payload: Octets(payload.to_vec()),
            payload_type: payload_type.to_owned(),
            signatures: [DsseSignature { sig: Octets(signature.to_vec()) }],
        };
        Self::of(Content::DsseEnvelope(envelope), evidence)
    }

    fn of(content: Content, evidence: Evidence<'_>) -> Self {
        Self { media_type: MEDIA_TYPE, verification_material: evidence.material(), content }
    }

    /// The bundle as JSON on one line, with a line feed at its end.
    ///
    /// # Errors
    /// [`serde_json::Error`], which these types do not give rise to.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|json| json + "\n")
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::digest::HashAlgorithm;
    use serde_json::{Value, json};

    use super::*;

    fn evidence(timestamps: &[Vec<u8>]) -> Evidence<'_> {
        Evidence { certificate: &[0x30, 0x00], timestamps }
    }

    fn parsed(bundle: &Bundle) -> Value {
        serde_json::from_str(&bundle.to_json().expect("JSON")).expect("JSON")
    }

    #[test]
    fn lays_out_a_message_signature() {
        let digest = Digest::new(HashAlgorithm::Sha384, &[7; 48]).expect("48 octets");
        let timestamps = [vec![0x30, 0x01, 0x00]];
        let bundle = Bundle::message_signature(&digest, &[1, 2, 3], evidence(&timestamps));
        let expected = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": "MAA="},
                "timestampVerificationData": {
                    "rfc3161Timestamps": [{"signedTimestamp": "MAEA"}],
                },
            },
            "messageSignature": {
                "messageDigest": {
                    "algorithm": "SHA2_384",
                    "digest": Base64::encode_string(&[7; 48]),
                },
                "signature": "AQID",
            },
        });
        assert_eq!(parsed(&bundle), expected);
    }

    #[test]
    fn lays_out_an_envelope() {
        let bundle = Bundle::dsse(IN_TOTO_PAYLOAD_TYPE, b"{}", &[0xFF, 0xFE], evidence(&[]));
        let expected = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": "MAA="}},
            "dsseEnvelope": {
                "payload": "e30=",
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"sig": "//4="}],
            },
        });
        assert_eq!(parsed(&bundle), expected);
    }
}
