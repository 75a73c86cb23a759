//! `audit prove`, and `audit verify` of what it wrote: one record, for those who do not have the ledger.

use std::path::Path;

use countersign_core::finding::{Finding, quoted};
use countersign_ledger::{Hash, MAX_PROOF_BYTES, Proof, ProofError, prove as prove_record};
use countersign_signing::files::FileMode;
use serde::Serialize;
use serde_json::Value;

use super::{
    audit::finding,
    audit_reading::{self, expected_head},
};
use crate::{
    arguments::{AuditProveArguments, LedgerArguments},
    codes,
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, Words, style, styled},
    session::Session,
    writing::{Existing, prepare, write},
};

/// The JSON of the answer.
#[derive(Serialize)]
struct Proved<'a> {
    /// The record, as it is in the ledger.
    record: Value,
    /// The tree's root: the hash of the head that must be known from elsewhere.
    head: Hash,
    /// What no hash binds.
    unproven: Unproven<'a>,
}

/// What the proof says of the tree; whoever made the proof could write anything here.
#[derive(Serialize)]
struct Unproven<'a> {
    /// Which ledger it is.
    origin: &'a str,
    /// How many records the tree has.
    tree_size: u64,
}

/// Writes the proof that a record is in a ledger that is whole: in the tree of the expected head if one
/// is given, so that those who have noted that head can verify it.
pub(super) fn prove(arguments: &AuditProveArguments, session: &Session) -> Outcome<Answer> {
    let existing = Existing::of(arguments.force);
    prepare(&arguments.output, existing)?;
    let folder = &arguments.ledger.folder;
    let summary = audit_reading::read(&arguments.ledger, session, |_| {})?.summary;
    let after = summary.records_after_expected_head;
    let at = after.map(|after| summary.head_sequence.saturating_sub(after));
    let proof = prove_record(folder, arguments.record, at).map_err(|fault| finding(&fault))?;
    let proof = proof.ok_or_else(|| {
        let last = at.unwrap_or(summary.head_sequence);
        let found = format!(
            "a ledger whose tree has no record number {}, and ends with number {last}",
            arguments.record
        );
        Finding::new(codes::AUDIT_RECORD_MISSING).about(path_text(folder)).found(found)
    })?;
    write(&arguments.output, proof.text().as_bytes(), FileMode::Public, existing)?;
    let text = format!("{}: the proof is written\n", path_text(&arguments.output));
    answer(text, &arguments.output, &proof)
}

/// Verifies a proof against the head that was noted elsewhere.
pub(super) fn verify(arguments: &LedgerArguments) -> Outcome<Answer> {
    let path = &arguments.folder;
    let expected = expected_head(arguments)?.ok_or_else(|| {
        let found = "a proof says nothing without a head from elsewhere: give it as --expect-head";
        Finding::new(codes::USAGE_INVALID).about(path_text(path)).found(found)
    })?;
    let octets = input::read(path, MAX_PROOF_BYTES)?;
    let text = String::from_utf8(octets)
        .map_err(|_| Failure::unreadable(path, "it is not a text".to_owned()))?;
    let proof =
        Proof::decode(&text).map_err(|error| Failure::unreadable(path, error.to_string()))?;
    let text =
        format!("{}: {}\n", path_text(path), styled(style::GOOD, "the record is in the ledger"));
    let head = proof.verify().map_err(|error| unproven(path, error))?;
    if head.root != expected {
        return Err(Finding::new(codes::AUDIT_HEAD_MISSING)
            .about(path_text(path))
            .expected(expected.to_string())
            .found(format!("the proof of a record in the tree {}", head.root))
            .into());
    }
    answer(text, path, &proof)
}

fn answer(mut text: String, path: &Path, proof: &Proof) -> Outcome<Answer> {
    let head = proof.verify().map_err(|error| unproven(path, error))?;
    let entry = proof.entry().map_err(|error| unproven(path, error))?;
    text.add(format_args!(
        "  record:    number {}\n  written:   {}\n  kind:      {}\n  head:      {}\n  \
         unproven:  that the ledger is {}, and that its tree had {} records\n",
        entry.sequence,
        entry.time,
        entry.kind,
        head.root,
        quoted(head.origin.clone()),
        head.size,
    ));
    let record = serde_json::from_slice(&proof.record)?;
    let unproven = Unproven { origin: &head.origin, tree_size: head.size };
    Answer::new(text, &Proved { record, head: head.root, unproven })
}

fn unproven(path: &Path, error: ProofError) -> Failure {
    match error {
        ProofError::NotIncluded => Finding::new(codes::AUDIT_LINE_ALTERED)
            .about(path_text(path))
            .found(error.to_string())
            .into(),
        ProofError::Malformed(_) => Failure::unreadable(path, error.to_string()),
    }
}
