//! The JSON form of a bundle's log entries (Sigstore's `TransparencyLogEntry`).
//!
//! 64-bit numbers are strings in protobuf's JSON; plain numbers are read too, as protobuf
//! demands of readers.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use super::form::{bounded, malformed};
use crate::{
    digest::HashAlgorithm,
    finding::Finding,
    json::{Base64Octets, strict},
    limits,
    time::UnixSeconds,
    tlog::{InclusionProof, LogEntry},
};

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LogEntryForm {
    #[serde(alias = "log_index", default)]
    log_index: Int64,
    #[serde(alias = "log_id")]
    log_id: LogIdForm,
    #[serde(alias = "kind_version")]
    kind_version: KindForm,
    #[serde(alias = "integrated_time", default)]
    integrated_time: Int64,
    #[serde(alias = "inclusion_promise")]
    inclusion_promise: Option<PromiseForm>,
    #[serde(alias = "inclusion_proof")]
    inclusion_proof: Option<ProofForm>,
    #[serde(alias = "canonicalized_body")]
    canonicalized_body: Base64Octets,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct LogIdForm {
    #[serde(alias = "key_id")]
    key_id: Base64Octets,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct KindForm {
    kind: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct PromiseForm {
    #[serde(alias = "signed_entry_timestamp")]
    signed_entry_timestamp: Base64Octets,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct ProofForm {
    #[serde(alias = "log_index", default)]
    log_index: Int64,
    #[serde(alias = "root_hash")]
    root_hash: Base64Octets,
    #[serde(alias = "tree_size")]
    tree_size: Int64,
    #[serde(default)]
    hashes: Vec<Base64Octets>,
    checkpoint: Option<CheckpointForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct CheckpointForm {
    envelope: String,
}

strict! {
    object LogEntryForm;
    object LogIdForm;
    object KindForm;
    object PromiseForm;
    object ProofForm;
    object CheckpointForm;
}

impl LogEntryForm {
    pub(super) fn decode(self) -> Result<LogEntry, Finding> {
        let proof = self.inclusion_proof.map(ProofForm::decode).transpose()?;
        // Protobuf knows no absent number: 0 is absent.
        let time = (self.integrated_time.0 != 0).then_some(self.integrated_time.0);
        Ok(LogEntry {
            log_index: self.log_index.unsigned("logIndex")?,
            log_id: self.log_id.key_id.0,
            kind: self.kind_version.kind,
            version: self.kind_version.version,
            integrated_time: time.map(UnixSeconds::new),
            promise: self.inclusion_promise.map(|promise| promise.signed_entry_timestamp.0),
            proof,
            body: self.canonicalized_body.0,
        })
    }
}

impl ProofForm {
    fn decode(self) -> Result<InclusionProof, Finding> {
        bounded(self.hashes.len(), limits::LOG_PROOF_HASHES, "hashes of an inclusion proof")?;
        let length = HashAlgorithm::Sha256.output_length();
        let is_other = |hash: &Base64Octets| hash.0.len() != length;
        if is_other(&self.root_hash) || self.hashes.iter().any(is_other) {
            return Err(malformed("a hash in an inclusion proof that is not 32 bytes long"));
        }
        Ok(InclusionProof {
            leaf_index: self.log_index.unsigned("inclusionProof.logIndex")?,
            tree_size: self.tree_size.unsigned("inclusionProof.treeSize")?,
            root_hash: self.root_hash.0,
            hashes: self.hashes.into_iter().map(|hash| hash.0).collect(),
            checkpoint: self.checkpoint.map(|checkpoint| checkpoint.envelope),
        })
    }
}

/// An int64 of protobuf's JSON.
#[derive(Clone, Copy, Default)]
struct Int64(i64);

impl Int64 {
    fn unsigned(self, field: &str) -> Result<u64, Finding> {
        u64::try_from(self.0).map_err(|_| malformed(&format!("{field} is negative")))
    }
}

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(StringOrNumber)
    }
}

struct StringOrNumber;

impl Visitor<'_> for StringOrNumber {
    type Value = Int64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit integer, as a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Int64, E> {
        // Decimal as protobuf writes it: one spelling for each number.
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !digits.starts_with('0'));
        let number = text.parse().ok().filter(|_| plain);
        number.map(Int64).ok_or_else(|| E::custom("not a decimal 64-bit integer"))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Int64, E> {
        Ok(Int64(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Int64, E> {
        i64::try_from(number).map(Int64).map_err(|_| E::custom("over 64 bits"))
    }
}
