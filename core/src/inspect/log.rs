//! What comes from logs: entries, checkpoints, timestamps of certificates.

use alloc::{format, string::String, vec, vec::Vec};

use super::View;
use crate::{
    tlog::{
        Checkpoint, EntryBody, InclusionProof, LogEntry, LoggedDigest,
        entry::{EntryFault, LoggedVerifier},
        sct::CertificateTimestamp,
    },
    x509::Certificate,
};

pub(super) fn entry(entry: &LogEntry) -> View {
    let mut fields = vec![
        ("kindVersion", View::text(format!("{} {}", entry.kind, entry.version))),
        ("logId", View::hex(&entry.log_id)),
        ("logIndex", View::Number(entry.log_index)),
    ];
    if let Some(time) = entry.integrated_time {
        fields.push(("integratedTime", View::text(format!("{time}"))));
    }
    if let Some(promise) = &entry.promise {
        fields.push(("inclusionPromise", View::hex(promise)));
    }
    if let Some(proof) = &entry.proof {
        fields.push(("inclusionProof", inclusion_proof(proof)));
    }
    fields.push(("canonicalizedBody", body(&entry.body)));
    View::Fields(fields)
}

fn inclusion_proof(proof: &InclusionProof) -> View {
    let mut fields = vec![
        ("logIndex", View::Number(proof.leaf_index)),
        ("treeSize", View::Number(proof.tree_size)),
        ("rootHash", View::hex(&proof.root_hash)),
        ("hashes", View::Number(proof.hashes.len() as u64)),
    ];
    if let Some(note) = &proof.checkpoint {
        fields.push(("checkpoint", checkpoint(note)));
    }
    View::Fields(fields)
}

fn checkpoint(note: &str) -> View {
    let checkpoint = match Checkpoint::decode(note) {
        Ok(checkpoint) => checkpoint,
        Err(why) => return View::text(format!("malformed: {why}")),
    };
    let signatures = checkpoint.signatures().map(|(name, hint)| {
        View::Fields(vec![("name", View::text(String::from(name))), ("keyHint", View::hex(&hint))])
    });
    let mut fields = vec![
        ("origin", View::text(String::from(checkpoint.origin))),
        ("treeSize", View::Number(checkpoint.tree_size)),
        ("rootHash", View::hex(&checkpoint.root_hash)),
    ];
    let further: Vec<View> = checkpoint.further_lines().map(View::text).collect();
    if !further.is_empty() {
        fields.push(("furtherLines", View::List(further)));
    }
    fields.push(("signatures", View::List(signatures.collect())));
    View::Fields(fields)
}

fn body(octets: &[u8]) -> View {
    let body = match EntryBody::decode(octets) {
        Ok(body) => body,
        Err(EntryFault::Malformed(why)) => return View::text(format!("malformed: {why}")),
        Err(EntryFault::Unsupported(kind)) => return View::text(format!("not known: {kind}")),
    };
    let digest = match &body.digest {
        LoggedDigest::Signed(digest) => ("digest", View::Text(format!("{digest}"))),
        LoggedDigest::Payload(digest) => ("payloadDigest", View::Text(format!("{digest}"))),
    };
    let signatures = body.signatures.iter().map(|logged| {
        let mut fields = Vec::new();
        if let Some(signature) = &logged.signature {
            fields.push(("signature", View::hex(signature)));
        }
        fields.push(("verifier", verifier(logged.verifier.as_ref())));
        View::Fields(fields)
    });
    View::Fields(vec![
        ("kind", View::Text(format!("{}", body.kind))),
        digest,
        ("signatures", View::List(signatures.collect())),
    ])
}

fn verifier(verifier: Option<&LoggedVerifier>) -> View {
    match verifier {
        None => View::text("none that is known"),
        Some(LoggedVerifier::PublicKey(key)) => {
            View::Text(format!("public key {}", crate::digest::encode_hex(key)))
        }
        // The bundle has it in full.
        Some(LoggedVerifier::Certificate(raw)) => match Certificate::decode(raw) {
            Ok(decoded) => View::text(format!("certificate {}", decoded.serial_text())),
            Err(error) => View::text(format!("not a certificate: {error}")),
        },
    }
}

/// The extension's value (RFC 6962 §3.3).
pub(super) fn certificate_timestamps(value: &[u8]) -> View {
    let timestamps = match CertificateTimestamp::decode_list(value) {
        Ok(timestamps) => timestamps,
        Err(error) => return View::text(format!("malformed: {error}")),
    };
    let shown = timestamps.iter().map(|timestamp| {
        View::Fields(vec![
            ("logId", View::hex(timestamp.log_id)),
            ("timestamp", View::text(format!("{}", timestamp.time()))),
        ])
    });
    View::List(shown.collect())
}
