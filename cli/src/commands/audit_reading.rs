//! Reading a ledger, for every command of `audit`: the chain, the head that was asked for, and the
//! head that was seen last.

use countersign_core::finding::Finding;
use countersign_ledger::{Entry, Expectation, Hash, Start, Summary, verify_each};
use serde::Serialize;

use super::{audit::finding, audit_head};
use crate::{
    arguments::{ExpectedHead, LedgerArguments},
    codes,
    failure::{Failure, Outcome, path_text},
    seen_heads::{SeenHead, SeenHeads},
    session::Session,
};

/// A ledger that is whole, and holds what was expected of it.
#[derive(Debug, Serialize)]
pub(super) struct WholeLedger {
    /// What is in it.
    #[serde(flatten)]
    pub(super) summary: Summary,
    /// What was known of it.
    pub(super) memory: Memory,
    /// The head that was seen last, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<SeenHead>,
    /// The ledger that was in this folder before, where this one is seen for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<SeenHead>,
}

/// What was known of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Memory {
    /// It was not looked up.
    Off,
    /// Nothing: it is seen for the first time.
    New,
    /// Its head, which is there.
    Held,
    /// Its head, which is in a file that was archived: it was not compared.
    Archived,
}

/// Looks for a head that was seen.
#[derive(Default)]
struct Watch {
    heads: Option<SeenHeads>,
    /// What is known of the ledger, once its first line was read.
    seen: Option<Outcome<Option<SeenHead>>>,
    /// The hash that the ledger has where the head stood.
    found: Option<Hash>,
}

impl Watch {
    fn look(&mut self, entry: &Entry<'_>) {
        let Some(heads) = &self.heads else { return };
        if self.seen.is_none() {
            self.seen = entry.file_record().map(|record| heads.of(&record.id));
        }
        // A line's hash is what the line after it names.
        if let Some(Ok(Some(seen))) = &self.seen
            && seen.sequence.checked_add(1) == Some(entry.sequence)
        {
            self.found = Some(entry.previous);
        }
    }

    /// What the head that was seen says of the ledger, of which every line was looked at.
    fn judge(self, summary: &Summary) -> Outcome<(Memory, Option<SeenHead>)> {
        let Some(seen) = self.seen.transpose()? else { return Ok((Memory::Off, None)) };
        let Some(seen) = seen else { return Ok((Memory::New, None)) };
        let at_end = (seen.sequence == summary.head_sequence).then_some(summary.head);
        let found = self.found.or(at_end);
        if found == Some(seen.hash) {
            return Ok((Memory::Held, Some(seen)));
        }
        if found.is_none() && seen.sequence < summary.first_sequence {
            return Ok((Memory::Archived, Some(seen)));
        }
        let SeenHead { sequence, hash, at, .. } = seen;
        let found = match found {
            Some(found) => format!("line number {sequence} with the hash {found}"),
            None => format!("a ledger that ends with line number {}", summary.head_sequence),
        };
        let expected = format!("line number {sequence} with the hash {hash}, seen at {at}");
        Err(Finding::new(codes::AUDIT_HEAD_MISSING).expected(expected).found(found).into())
    }
}

/// Verifies a ledger and shows its lines to `visit`; holds it against what was seen of it, and
/// remembers its head.
///
/// # Errors
/// What is wrong with the ledger; the expected head or what is remembered cannot be read.
pub(super) fn read(
    arguments: &LedgerArguments,
    session: &Session,
    mut visit: impl FnMut(&Entry<'_>),
) -> Outcome<WholeLedger> {
    let folder = &arguments.folder;
    let expectation = expectation(arguments)?;
    let heads = if arguments.no_memory { None } else { SeenHeads::usual() };
    let mut watch = Watch { heads: heads.clone(), ..Watch::default() };
    let verified = verify_each(folder, &expectation, |entry, _| {
        watch.look(entry);
        visit(entry);
    });
    let summary = verified.map_err(|fault| Failure::from(finding(&fault)))?;
    let judged = watch.judge(&summary);
    let (memory, seen) = judged.map_err(|failure| match failure.finding().code {
        codes::AUDIT_HEAD_MISSING => failure.about(path_text(folder)),
        _ => failure,
    })?;
    let mut before = None;
    if let Some(heads) = heads {
        if memory == Memory::New {
            before = heads.of_another_in(folder, &summary.id);
        }
        // A verdict does not depend on it, and it may be meant: a read-only home.
        if let Err(failure) = heads.keep(folder, &summary, session.now()) {
            let finding = failure.finding();
            let place = finding.subject.as_deref().unwrap_or_default();
            let why = finding.found.as_deref().unwrap_or_default();
            session.output.say(&format!("warning: the head is not remembered: {place}: {why}"));
        }
    } else if !arguments.no_memory {
        session
            .output
            .say("warning: the head is not remembered: neither XDG_STATE_HOME nor HOME is set");
    }
    Ok(WholeLedger { summary, memory, seen, before })
}

fn expectation(arguments: &LedgerArguments) -> Outcome<Expectation> {
    let head = match &arguments.expect_head {
        None => None,
        Some(ExpectedHead::Hash(hash)) => Some(*hash),
        Some(ExpectedHead::File(path)) => Some(audit_head::read_file(path)?),
    };
    Ok(Expectation { start: arguments.after.map_or(Start::Whole, Start::After), head })
}
