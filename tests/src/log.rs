//! A transparency log in this process: entries, proofs, checkpoints and promises about bundles.
//!
//! The tree holds one entry of interest among others that nobody looks at. Keys are made from
//! names, so that an entry has the same bytes in every run.

use base64ct::{Base64, Encoding};
use countersign_core::{
    bundle::{Bundle, Content},
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, digest, encode_hex},
    time::UnixSeconds,
    tlog::{
        entry::LoggedVerifier,
        merkle::{leaf_hash, node_hash},
    },
};
use countersign_signing::key::Signer as _;
use serde_json::{Value, json};

use crate::{forge::ForgeKey, world::World};

/// How many leaves the tree has, and which is the entry's.
const TREE_SIZE: usize = 13;
const LEAF_INDEX: usize = 6;

/// The entry's number over all of the trees of a log that has several (Rekor v1).
const LOG_INDEX: usize = 4_006;

/// A log with its key.
pub struct Log {
    /// Its name.
    pub host: String,
    /// Its id, 32 octets.
    pub id: Vec<u8>,
    key: ForgeKey,
    /// How the trust root names the key's kind.
    key_details: &'static str,
}

fn base64(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}

fn sha256(octets: &[u8]) -> Vec<u8> {
    digest(&AwsLc, HashAlgorithm::Sha256, octets).octets().to_vec()
}

impl Log {
    /// A log with an Ed25519 key, whose id binds its name (Rekor v2).
    pub fn ed25519(host: &str) -> Self {
        Self::ed25519_with(host, host)
    }

    /// The same, with the key that is made from `key_name`.
    pub fn ed25519_with(host: &str, key_name: &str) -> Self {
        let key = ForgeKey::ed25519(key_name);
        // C2SP signed-note: SHA-256(name ‖ LF ‖ 0x01 ‖ key).
        let id = sha256(&[host.as_bytes(), &[0x0A, 1], key.public_key()].concat());
        Self { host: host.to_owned(), id, key, key_details: "PKIX_ED25519" }
    }

    /// A log with a P-256 key, whose id is the digest of its key (Rekor v1).
    pub fn p256(host: &str) -> Self {
        let key = ForgeKey::p256(host);
        let id = sha256(key.spki());
        Self { host: host.to_owned(), id, key, key_details: "PKIX_ECDSA_P256_SHA_256" }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.signature(message)
    }

    /// The log as `trusted_root.json` lists it.
    pub fn trusted(&self) -> Value {
        json!({
            "baseUrl": format!("https://{}/api", self.host),
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": base64(self.key.spki()),
                "keyDetails": self.key_details,
                "validFor": { "start": "2026-01-01T00:00:00Z" },
            },
            "logId": { "keyId": base64(&self.id) },
        })
    }

    /// A note over `text`, signed by the log under the name `name`.
    pub fn note(&self, text: &str, name: &str) -> String {
        let hint = self.id.get(..4).unwrap_or_default();
        let signature = [hint, &self.sign(text.as_bytes())].concat();
        format!("{text}\n— {name} {}\n", base64(&signature))
    }

    /// The checkpoint of a tree.
    pub fn checkpoint(&self, tree_size: usize, root: &[u8]) -> String {
        self.note(&format!("{}\n{tree_size}\n{}\n", self.host, base64(root)), &self.host)
    }

    /// A log entry with its proof and, where a time is given, the log's promise.
    pub fn entry(&self, body: &[u8], promised: Option<UnixSeconds>) -> Value {
        let leaves: Vec<Digest> = (0..TREE_SIZE)
            .map(|index| {
                let other = index.to_be_bytes();
                leaf_hash(&AwsLc, if index == LEAF_INDEX { body } else { &other })
            })
            .collect();
        let root = tree_hash(&leaves);
        let hashes: Vec<String> =
            proof(LEAF_INDEX, &leaves).iter().map(|hash| base64(hash.octets())).collect();
        let head: Value = serde_json::from_slice(body).unwrap_or_default();
        let is_v2 = head["kind"] == "hashedrekord" && head["apiVersion"] == "0.0.2";
        let log_index = if is_v2 { LEAF_INDEX } else { LOG_INDEX };
        let mut entry = json!({
            "logIndex": log_index.to_string(),
            "logId": { "keyId": base64(&self.id) },
            "kindVersion": { "kind": head["kind"], "version": head["apiVersion"] },
            "inclusionProof": {
                "logIndex": LEAF_INDEX.to_string(),
                "rootHash": base64(root.octets()),
                "treeSize": TREE_SIZE.to_string(),
                "hashes": hashes,
                "checkpoint": { "envelope": self.checkpoint(TREE_SIZE, root.octets()) },
            },
            "canonicalizedBody": base64(body),
        });
        if let Some(time) = promised {
            let message = format!(
                r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{log_index}}}"#,
                base64(body),
                time.seconds(),
                encode_hex(&self.id)
            );
            entry["integratedTime"] = json!(time.seconds().to_string());
            entry["inclusionPromise"] =
                json!({ "signedEntryTimestamp": base64(&self.sign(message.as_bytes())) });
        }
        entry
    }
}

/// RFC 9162 §2.1.1, from the definition.
fn tree_hash(leaves: &[Digest]) -> Digest {
    if let [one] = leaves {
        return one.clone();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    node_hash(&AwsLc, tree_hash(left).octets(), tree_hash(right).octets())
}

/// RFC 9162 §2.1.3.1, from the definition.
fn proof(index: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    let (mut path, other) = if index < split {
        (proof(index, left), right)
    } else {
        (proof(index - split, right), left)
    };
    path.push(tree_hash(other));
    path
}

/// Lists logs in a world's trust root: those for signatures, then those for certificates.
///
/// # Panics
/// When the trust root is not JSON.
pub fn list(world: &mut World, logs: &[Value], certificate_logs: &[Value]) {
    let mut root: Value = serde_json::from_str(&world.trusted_root).expect("JSON");
    root["tlogs"] = json!(logs);
    root["ctlogs"] = json!(certificate_logs);
    world.trusted_root = root.to_string();
}

/// `bundle` with these log entries.
///
/// # Panics
/// When the bundle is not JSON.
pub fn with_entries(bundle: &[u8], entries: &[Value]) -> Vec<u8> {
    let mut bundle: Value = serde_json::from_slice(bundle).expect("JSON");
    bundle["verificationMaterial"]["tlogEntries"] = json!(entries);
    bundle.to_string().into_bytes()
}

/// The kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// hashedrekord 0.0.1.
    HashedRekordV1,
    /// hashedrekord 0.0.2.
    HashedRekordV2,
    /// dsse 0.0.1.
    Dsse,
    /// intoto 0.0.1.
    IntotoV1,
    /// intoto 0.0.2.
    IntotoV2,
}

impl Kind {
    /// Those that can be about an artifact's signature.
    pub const OF_MESSAGES: [Self; 2] = [Self::HashedRekordV1, Self::HashedRekordV2];

    /// Those that can be about an envelope.
    pub const OF_ENVELOPES: [Self; 4] =
        [Self::HashedRekordV2, Self::Dsse, Self::IntotoV1, Self::IntotoV2];

    /// The body of the entry that such a log makes of `bundle`.
    ///
    /// # Panics
    /// When the bundle does not decode, or the kind cannot speak of it.
    pub fn body(self, bundle: &[u8]) -> Vec<u8> {
        let decoded = Bundle::decode(bundle).expect("a bundle");
        let certificate = decoded.certificate().expect("a certificate").to_vec();
        self.body_by(&decoded, &LoggedVerifier::Certificate(certificate))
    }

    /// The same for a bundle without a certificate, that was signed by the owner of that key.
    ///
    /// # Panics
    /// When the bundle does not decode, or the kind cannot speak of it.
    pub fn body_by_key(self, bundle: &[u8], spki: &[u8]) -> Vec<u8> {
        let decoded = Bundle::decode(bundle).expect("a bundle");
        self.body_by(&decoded, &LoggedVerifier::PublicKey(spki.to_vec()))
    }

    fn body_by(self, bundle: &Bundle, verifier: &LoggedVerifier) -> Vec<u8> {
        let signature = base64(bundle.content.signature());
        let (label, raw, name) = match verifier {
            LoggedVerifier::Certificate(der) => ("CERTIFICATE", der, "x509Certificate"),
            LoggedVerifier::PublicKey(der) => ("PUBLIC KEY", der, "publicKey"),
        };
        let pem = base64(pem(label, &base64(raw)).as_bytes());
        let signed = match &bundle.content {
            Content::MessageSignature { digest, .. } => digest.clone().expect("a digest"),
            Content::Envelope(envelope) => {
                digest(&AwsLc, HashAlgorithm::Sha256, &envelope.signed_octets())
            }
        };
        let payload = match &bundle.content {
            Content::Envelope(envelope) => encode_hex(&sha256(&envelope.payload)),
            Content::MessageSignature { .. } => String::new(),
        };
        let payload = json!({ "algorithm": "sha256", "value": payload });
        let (kind, version, spec) = match self {
            Self::HashedRekordV1 => (
                "hashedrekord",
                "0.0.1",
                json!({
                    "data": { "hash": {
                        "algorithm": signed.algorithm().name(), "value": signed.hex() } },
                    "signature": { "content": signature, "publicKey": { "content": pem } },
                }),
            ),
            Self::HashedRekordV2 => (
                "hashedrekord",
                "0.0.2",
                json!({ "hashedRekordV002": {
                "data": {
                    "algorithm": signed.algorithm().sigstore_name(),
                    "digest": base64(signed.octets()) },
                "signature": { "content": signature, "verifier": {
                    "keyDetails": key_details(signed.algorithm()),
                    name: { "rawBytes": base64(raw) } } },
            } }),
            ),
            Self::Dsse => (
                "dsse",
                "0.0.1",
                json!({
                    "envelopeHash": payload, "payloadHash": payload,
                    "signatures": [{ "signature": signature, "verifier": pem }],
                }),
            ),
            Self::IntotoV1 => (
                "intoto",
                "0.0.1",
                json!({
                    "content": { "hash": payload, "payloadHash": payload }, "publicKey": pem,
                }),
            ),
            Self::IntotoV2 => (
                "intoto",
                "0.0.2",
                json!({ "content": {
                "envelope": { "payloadType": "application/vnd.in-toto+json", "signatures": [
                    { "sig": base64(signature.as_bytes()), "publicKey": pem }] },
                "hash": payload, "payloadHash": payload,
            } }),
            ),
        };
        json!({ "apiVersion": version, "kind": kind, "spec": spec }).to_string().into_bytes()
    }
}

/// The worlds' and the forge's keys go with one hash each.
fn key_details(hash: HashAlgorithm) -> &'static str {
    match hash {
        HashAlgorithm::Sha384 => "PKIX_ECDSA_P384_SHA_384",
        _ => "PKIX_ECDSA_P256_SHA_256",
    }
}

/// RFC 7468: lines of 64 characters.
fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).filter_map(|line| core::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
