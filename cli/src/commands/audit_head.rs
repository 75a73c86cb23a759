//! `audit head`: a ledger's head, to be noted where whoever owns the ledger's machine cannot reach it;
//! signed and timestamped as `sign` does it.
//!
//! A signed head is a small file and the bundle beside it. The bundle holds an in-toto statement
//! about the file whose predicate is the head itself, of a type that nothing else has: what the same
//! key signs of downloads is no head, and a head is no release.

use std::{fs, path::Path};

use countersign_core::{json, limits};
use countersign_ledger::{Hash, Summary};
use countersign_signing::files::FileMode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    audit::{head_lines, whole},
    audit_reading::{self, WholeLedger},
    sign,
    verify::bundle_path,
};
use crate::{
    arguments::{AuditHeadArguments, SignArguments},
    failure::{Failure, Outcome},
    input,
    output::{Answer, Body},
    session::Session,
    writing::{Existing, prepare, write},
};

/// What a head says that it is, in its file and as the predicate of a statement.
pub(super) const HEAD_TYPE: &str = "urn:countersign:audit-head:v1";

/// A head in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFile {
    /// [`HEAD_TYPE`].
    #[serde(rename = "type")]
    kind: String,
    /// The ledger's name.
    ledger: String,
    /// Its random number.
    id: String,
    /// The number of its last record.
    sequence: u64,
    /// The head's hash.
    hash: Hash,
    /// When it was written.
    time: String,
}

/// The JSON of the answer.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    ledger: &'a WholeLedger,
    /// What `sign` says of the head's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<Value>,
}

/// Prints the head of a ledger that is whole, and signs it into a file.
pub(super) fn run(arguments: &AuditHeadArguments, session: &Session) -> Outcome<Answer> {
    let existing = Existing::of(arguments.signing.force);
    if let Some(output) = &arguments.output {
        prepare(output, existing)?;
        prepare(&bundle_path(output), existing)?;
    }
    let ledger = audit_reading::read(&arguments.ledger, session, |_| {})?;
    let mut text = whole(&arguments.ledger.folder) + &head_lines(&ledger.summary);
    let Some(output) = &arguments.output else {
        return Answer::new(text, &Shown { ledger: &ledger, signed: None });
    };
    let before = fs::read(output).ok();
    write(output, &head_file(&ledger.summary)?, FileMode::Public, existing)?;
    let signed = sign::run(&sign_arguments(arguments, output), session);
    // A head without its signature must not lie there as if it had one.
    if signed.as_ref().map_or(true, |answer| answer.exit_code != 0) {
        match before {
            Some(content) => write(output, &content, FileMode::Public, Existing::Replace)?,
            None => drop(fs::remove_file(output)),
        }
    }
    let Answer { text: of_signing, body, exit_code } = signed?;
    text.push_str(&of_signing);
    let results = match body {
        Body::Several(results) => results,
        Body::One(result) => vec![result],
    };
    let signed = results.first().map(|result| serde_json::from_str(result)).transpose()?;
    let answer = Answer::new(text, &Shown { ledger: &ledger, signed })?;
    Ok(Answer { exit_code, ..answer })
}

fn head_file(summary: &Summary) -> Outcome<Vec<u8>> {
    let head = HeadFile {
        kind: HEAD_TYPE.to_owned(),
        ledger: summary.ledger.clone(),
        id: summary.id.clone(),
        sequence: summary.head_sequence,
        hash: summary.head,
        time: summary.head_time.clone(),
    };
    Ok((serde_json::to_string_pretty(&head)? + "\n").into_bytes())
}

/// The head in a file; whether its signature is good is `verify`'s to say.
///
/// # Errors
/// It cannot be read, or is not a head.
pub(super) fn read_file(path: &Path) -> Outcome<Hash> {
    let content = input::read(path, limits::BUNDLE_BYTES / 2)?;
    json::inspect(&content).map_err(|fault| Failure::unreadable(path, fault.to_string()))?;
    let head: HeadFile = serde_json::from_slice(&content).map_err(|error| {
        Failure::unreadable(path, format!("it is not the head of a ledger: {error}"))
    })?;
    if head.kind != HEAD_TYPE {
        let found = format!("it is not the head of a ledger: its type is not {HEAD_TYPE}");
        return Err(Failure::unreadable(path, found));
    }
    Ok(head.hash)
}

/// `sign --statement=HEAD --predicate-type TYPE HEAD`: the head is predicate and file.
fn sign_arguments(arguments: &AuditHeadArguments, head: &Path) -> SignArguments {
    let signing = &arguments.signing;
    SignArguments {
        files: vec![head.to_owned()],
        key: signing.key.clone(),
        passphrase: signing.passphrase.clone(),
        certificate: signing.certificate.clone(),
        trusted_root: signing.trusted_root.clone(),
        timestamp_url: signing.timestamp_url.clone(),
        timestamp_tls: signing.timestamp_tls.clone(),
        no_timestamp: signing.no_timestamp,
        no_revocation_check: signing.no_revocation_check,
        statement: Some(Some(head.to_owned())),
        predicate_type: Some(HEAD_TYPE.to_owned()),
        output: None,
        force: signing.force,
    }
}
