//! The JSON form of a bundle's log entries (Sigstore's `TransparencyLogEntry`).
//!
//! 64-bit numbers stand as strings in protobuf's JSON; plain numbers are read too, as protobuf
//! demands of readers.

use alloc::{format, string::String, vec::Vec};

use super::form::{bounded, malformed};
use crate::{
    digest::HashAlgorithm,
    finding::Finding,
    json::{Base64Octets, Form, Value, form},
    limits,
    time::UnixSeconds,
    tlog::{InclusionProof, LogEntry},
};

form! {
    pub(super) protobuf struct LogEntryForm {
        log_index: Int64 = "logIndex" or Int64::default(),
        log_id: LogIdForm = "logId",
        kind_version: KindForm = "kindVersion",
        integrated_time: Int64 = "integratedTime" or Int64::default(),
        inclusion_promise: Option<PromiseForm> = "inclusionPromise",
        inclusion_proof: Option<ProofForm> = "inclusionProof",
        canonicalized_body: Base64Octets = "canonicalizedBody",
    }

    protobuf struct LogIdForm {
        key_id: Base64Octets = "keyId",
    }

    protobuf struct KindForm {
        kind: String = "kind",
        version: String = "version",
    }

    protobuf struct PromiseForm {
        signed_entry_timestamp: Base64Octets = "signedEntryTimestamp",
    }

    protobuf struct ProofForm {
        log_index: Int64 = "logIndex" or Int64::default(),
        root_hash: Base64Octets = "rootHash",
        tree_size: Int64 = "treeSize",
        hashes: Vec<Base64Octets> = "hashes" or Vec::new(),
        checkpoint: Option<CheckpointForm> = "checkpoint",
    }

    protobuf struct CheckpointForm {
        envelope: String = "envelope",
    }
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

impl<'a> Form<'a> for Int64 {
    fn read(value: Value<'a>) -> Result<Self, String> {
        if let Some(text) = value.string() {
            // Decimal as protobuf writes it: one spelling for each number.
            let digits = text.strip_prefix('-').unwrap_or(&text);
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit())
                && (text == "0" || !digits.starts_with('0'));
            let number = text.parse().ok().filter(|_| plain);
            return number.map(Int64).ok_or_else(|| value.wrong("not a decimal 64-bit integer"));
        }
        match value.signed() {
            Some(number) => Ok(Self(number)),
            None if value.unsigned().is_some() => Err(value.wrong("over 64 bits")),
            None => Err(value.is_not("a 64-bit integer, as a string")),
        }
    }
}
