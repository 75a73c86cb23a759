//! A certificate log in this process: it puts its timestamps into a certificate of the world's
//! signing CA, which signs the certificate anew.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64ct::{Base64, Encoding};
use countersign_core::{
    asn1::{Cursor, context_constructed},
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    time::UnixSeconds,
};
use countersign_signing::profile::Authority;
use serde_json::{Value, json};

use crate::world::{World, decoded};

/// 1.3.6.1.4.1.11129.2.4.2 as an OBJECT IDENTIFIER.
const EMBEDDED_SCTS: [u8; 12] = [6, 10, 0x2B, 6, 1, 4, 1, 0xD6, 0x79, 2, 4, 2];

/// A certificate log with a P-256 key.
pub struct CertificateLog {
    key: EcdsaKeyPair,
    spki: Vec<u8>,
    id: Vec<u8>,
}

impl CertificateLog {
    /// A log with a new key.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let curve = [
            wrap(6, &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1]),
            wrap(6, &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7]),
        ];
        let bits = [&[0][..], key.public_key().as_ref()].concat();
        let spki = wrap(0x30, &[wrap(0x30, &curve.concat()), wrap(3, &bits)].concat());
        let id = digest(&AwsLc, HashAlgorithm::Sha256, &spki).octets().to_vec();
        Self { key, spki, id }
    }

    /// The log as `trusted_root.json` lists it.
    pub fn trusted(&self) -> Value {
        json!({
            "baseUrl": "https://certificates.example/2026",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": Base64::encode_string(&self.spki),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": { "start": "2026-01-01T00:00:00Z" },
            },
            "logId": { "keyId": Base64::encode_string(&self.id) },
        })
    }

    /// A timestamp of the signer's certificate as it is.
    ///
    /// # Panics
    /// When the key refuses.
    pub fn timestamp(&self, world: &World, time: UnixSeconds) -> Vec<u8> {
        let issuer = decoded(world.authority.certificate(Authority::Signing));
        let issuer_key = digest(&AwsLc, HashAlgorithm::Sha256, issuer.public_key.raw);
        let tbs = decoded(&world.signer.certificate).tbs;
        let millis = u64::try_from(time.seconds()).expect("after 1970") * 1_000;
        let length = u32::try_from(tbs.len()).expect("a short certificate").to_be_bytes();
        // RFC 6962 §3.2, with no extensions.
        let signed = [
            &[0, 0][..],
            &millis.to_be_bytes(),
            &[0, 1],
            issuer_key.octets(),
            length.get(1..).unwrap_or_default(),
            tbs,
            &[0, 0],
        ];
        let signature = self.key.sign(&SystemRandom::new(), &signed.concat()).expect("a signature");
        let head = [&[0][..], &self.id, &millis.to_be_bytes(), &[0, 0, 4, 3]].concat();
        [head, vector(signature.as_ref())].concat()
    }
}

impl Default for CertificateLog {
    fn default() -> Self {
        Self::new()
    }
}

/// The extension's value: the timestamps as a list in an OCTET STRING.
pub fn timestamp_list(timestamps: &[Vec<u8>]) -> Vec<u8> {
    let each: Vec<u8> = timestamps.iter().flat_map(|timestamp| vector(timestamp)).collect();
    wrap(4, &vector(&each))
}

/// Gives the signer's certificate an extension with that value, signed by the world's CA.
///
/// # Panics
/// When the certificate does not decode, or the CA's key refuses.
pub fn embed(world: &mut World, value: &[u8]) {
    const FIELD: &str = "tbsCertificate";
    let certificate = decoded(&world.signer.certificate);
    let mut fields = Cursor::new(certificate.tbs).sequence(FIELD).expect("a certificate");
    let mut content = Vec::new();
    while !fields.is_empty() {
        let field = fields.any(FIELD).expect("a field");
        if field.tag == context_constructed(3) {
            let list = field.content().any(FIELD).expect("extensions");
            // In the middle, so that what stands before and behind it counts.
            let mut extensions = list.content();
            let first = extensions.any(FIELD).expect("an extension").raw;
            let added = wrap(0x30, &[&EMBEDDED_SCTS[..], &wrap(4, value)].concat());
            let rest = list.value.get(first.len()..).unwrap_or_default();
            content.extend(wrap(0xA3, &wrap(0x30, &[first, &added, rest].concat())));
        } else {
            content.extend_from_slice(field.raw);
        }
    }
    let tbs = wrap(0x30, &content);
    let key = world.authority.signer(Authority::Signing).expect("the CA's key");
    let signature = [&[0][..], &key.sign(&tbs).expect("a signature")].concat();
    let algorithm = certificate.signature_algorithm.raw;
    world.signer.certificate = wrap(0x30, &[&tbs, algorithm, &wrap(3, &signature)].concat());
}

/// A TLS vector with a length of two octets.
fn vector(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).expect("at most 65535 octets").to_be_bytes();
    [&length[..], octets].concat()
}

/// A TLV in DER.
fn wrap(identifier: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("at most 65535 octets").to_be_bytes();
    let header: &[u8] = match length {
        [0, short @ 0..0x80] => &[identifier, short],
        [0, long] => &[identifier, 0x81, long],
        [high, low] => &[identifier, 0x82, high, low],
    };
    [header, content].concat()
}
