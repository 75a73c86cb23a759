//! `audit`: a service's ledger, verified by `countersign-ledger` and shown.

use std::{collections::VecDeque, path::Path};

use countersign_core::{
    finding::{Finding, FindingCode, quoted},
    time::UnixSeconds,
};
use countersign_ledger::{Entry, Fault, Summary, What};
use serde::Serialize;
use serde_json::Value;

use super::{
    audit_proof,
    audit_reading::{self, Memory, WholeLedger},
};
use crate::{
    arguments::{AuditShowArguments, AuditVerifyArguments, plain_serial},
    codes,
    failure::{Outcome, path_text},
    output::{Answer, Body, Words, finding_text, style, styled},
    session::Session,
};

/// Verifies a ledger, or the proof of one record.
pub(super) fn verify_ledger(
    arguments: &AuditVerifyArguments,
    session: &Session,
) -> Outcome<Answer> {
    if arguments.ledger.folder.is_file() {
        return audit_proof::verify(&arguments.ledger);
    }
    let ledger = audit_reading::read(&arguments.ledger, session, |_| {})?;
    Answer::new(ledger_text(&arguments.ledger.folder, &ledger), &ledger)
}

/// Shows records of a ledger; what is wrong with it comes last.
pub(super) fn show(arguments: &AuditShowArguments, session: &Session) -> Outcome<Answer> {
    let mut shown = Shown { records: VecDeque::new(), most: arguments.last, matched: 0 };
    let outcome = audit_reading::read(&arguments.ledger, session, |entry| {
        if fits(entry, arguments) {
            shown.add(entry);
        }
    });
    let (summary, fault) = match outcome {
        Ok(ledger) => (Some(ledger), None),
        Err(failure) => (None, Some(failure.finding().clone())),
    };
    let mut text = String::new();
    shown.records.iter().for_each(|record| text.add(format_args!("{record}\n")));
    if let Some(finding) = &fault {
        text.push_str(&finding_text("error", finding));
    } else if shown.matched > shown.records.len() {
        let (left_out, most) = (shown.matched - shown.records.len(), arguments.last);
        text.add(format_args!("({left_out} earlier records left out by --last {most})\n"));
    }
    Ok(Answer {
        text,
        body: Body::One(shown.json(summary.as_ref(), fault.as_ref())?),
        exit_code: fault.map_or(0, |finding| finding.code.exit_code()),
    })
}

/// Records as they are in the files.
struct Shown {
    records: VecDeque<String>,
    most: usize,
    matched: usize,
}

/// The members beside the records.
#[derive(Serialize)]
struct Outline<'a> {
    matched: usize,
    summary: Option<&'a WholeLedger>,
    fault: Option<&'a Finding>,
}

impl Shown {
    fn add(&mut self, entry: &Entry<'_>) {
        self.matched += 1;
        if self.records.len() == self.most {
            self.records.pop_front();
        }
        if self.most > 0 {
            // A record may have come from a stranger: what could steer a terminal is JSON-escaped by
            // its writer only below U+0020.
            self.records.push_back(escaped(entry.text));
        }
    }

    fn json(&self, summary: Option<&WholeLedger>, fault: Option<&Finding>) -> Outcome<String> {
        let outline = serde_json::to_string(&Outline { matched: self.matched, summary, fault })?;
        let records = self.records.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let members = outline.strip_prefix('{').unwrap_or_default();
        Ok(format!("{{\"records\":[{records}],{members}"))
    }
}

/// The same JSON with every character outside ASCII as an escape: records are shown on terminals.
fn escaped(record: &str) -> String {
    if record.is_ascii() {
        return record.to_owned();
    }
    let mut text = String::with_capacity(record.len());
    for character in record.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.add(format_args!("\\u{unit:04x}"));
            }
        }
    }
    text
}

fn fits(entry: &Entry<'_>, arguments: &AuditShowArguments) -> bool {
    let kind = arguments.kind.is_empty() || arguments.kind.iter().any(|kind| kind == entry.kind);
    // Whole seconds, as they are typed: a record's fraction counts for neither end.
    let seconds = entry.time.get(..19).map(|whole| format!("{whole}Z"));
    let time = seconds.and_then(|whole| UnixSeconds::parse_rfc3339(&whole));
    let since = arguments.since.is_none_or(|since| time.is_some_and(|time| time >= since));
    let until = arguments.until.is_none_or(|until| time.is_some_and(|time| time < until));
    kind && since && until && arguments.serial.as_deref().is_none_or(|wanted| names(entry, wanted))
}

/// Whether a member called `serial`, at any depth of the record, is the serial number.
fn names(entry: &Entry<'_>, wanted: &str) -> bool {
    fn search(value: &Value, wanted: &str) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, value)| match value {
                Value::String(text) => name == "serial" && plain_serial(text) == wanted,
                other => search(other, wanted),
            }),
            Value::Array(items) => items.iter().any(|item| search(item, wanted)),
            _ => false,
        }
    }
    serde_json::from_str(entry.record).is_ok_and(|record: Value| search(&record, wanted))
}

/// The first line of what is said of a ledger.
pub(super) fn whole(folder: &Path) -> String {
    format!("{}: {}\n", path_text(folder), styled(style::GOOD, "the ledger is whole"))
}

/// Which ledger it is, and its head.
pub(super) fn head_lines(summary: &Summary) -> String {
    format!(
        "  ledger:    {} ({})\n  written:   record number {} at {}\n  head:      {}\n",
        quoted(summary.ledger.clone()),
        quoted(summary.id.clone()),
        summary.head_sequence,
        summary.head_time,
        summary.head,
    )
}

fn ledger_text(folder: &Path, ledger: &WholeLedger) -> String {
    let WholeLedger { summary, memory, seen } = ledger;
    let mut text = whole(folder);
    text.add(format_args!(
        "  records:   {} in {} files, numbers {} to {}\n{}",
        summary.records,
        summary.files,
        summary.first_sequence,
        summary.head_sequence,
        head_lines(summary),
    ));
    if summary.archived_records > 0 {
        text.add(format_args!(
            "  archived:  {} more records are not here; the tiles hold their hashes\n",
            summary.archived_records
        ));
    }
    if let Some(records) = summary.records_after_expected_head {
        text.add(format_args!(
            "  expected:  the expected head is there, {records} records before the end\n"
        ));
    }
    match (memory, seen) {
        (Memory::Held, Some(seen)) => text.add(format_args!(
            "  seen:      its head of {} is there, {} records before the end\n",
            seen.at,
            summary.head_sequence.saturating_sub(seen.sequence)
        )),
        (Memory::Archived, Some(seen)) => text.add(format_args!(
            "  seen:      its head of {} (record number {}) is in an archived file, and was not compared\n",
            seen.at, seen.sequence
        )),
        (Memory::New, _) => text.push_str("  seen:      never before; its head is remembered here\n"),
        _ => {}
    }
    if summary.records_after_expected_head.is_none() {
        text.push_str(
            "  note:      keep the head where nobody can change both (audit head signs it), and give it as\n\
             \x20            --expect-head next time: without one, records cut off at the end may not show\n",
        );
    }
    if summary.backward_times > 0 {
        text.add(format_args!(
            "  note:      the clock went backwards {} times\n",
            summary.backward_times
        ));
    }
    text
}

/// What is wrong, as a finding of the one table.
pub(super) fn finding(fault: &Fault) -> Finding {
    let place = match fault.line {
        0 => path_text(&fault.file),
        line if fault.file.extension().is_some_and(|end| end == "jsonl") => {
            format!("{}, line {line}", path_text(&fault.file))
        }
        record => format!("{}, record {record}", path_text(&fault.file)),
    };
    let (code, expected) = match &fault.what {
        What::Unreadable(_) => (FindingCode::INPUT_UNREADABLE, None),
        What::NoLedger => (codes::AUDIT_NOT_FOUND, None),
        What::Incomplete { .. } => (codes::AUDIT_INCOMPLETE, None),
        What::Cut { .. } => (codes::AUDIT_FILE_CUT, None),
        What::Malformed(_) | What::MalformedFile(_) => (codes::AUDIT_LINE_MALFORMED, None),
        What::Sequence { expected, .. } => {
            (codes::AUDIT_SEQUENCE_BROKEN, Some(format!("record number {expected}")))
        }
        What::Altered { expected, .. } => (codes::AUDIT_LINE_ALTERED, Some(expected.to_string())),
        What::FileMissing => (codes::AUDIT_FILE_MISSING, None),
        What::Foreign { number } => {
            (codes::AUDIT_FILE_FOREIGN, Some(format!("file {number} of this ledger")))
        }
        What::Format { .. } => (codes::AUDIT_FORMAT_UNKNOWN, None),
        What::HeadMissing { expected } => (codes::AUDIT_HEAD_MISSING, Some(expected.to_string())),
    };
    let found = match &fault.what {
        What::Sequence { found, .. } => format!("record number {found}"),
        What::Altered { found, .. } => found.to_string(),
        What::HeadMissing { .. } => "a ledger that ends here without it".to_owned(),
        what => what.to_string(),
    };
    let finding = Finding::new(code).about(place).found(found);
    match expected {
        Some(expected) => finding.expected(expected),
        None => finding,
    }
}
