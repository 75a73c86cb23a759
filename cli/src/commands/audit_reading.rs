//! Reading a ledger, for every command of `audit`: its records, the head that was asked for, and the
//! head that was seen last.

use countersign_core::finding::Finding;
use countersign_ledger::{
    Bundles, Entry, Expectation, Hash, Identity, Place, Start, Summary, Watcher, verify_each,
};
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

/// Looks for a head that was seen, and shows records.
struct Watch<F> {
    heads: Option<SeenHeads>,
    /// What is known of the ledger, once it is known which one it is.
    seen: Option<Outcome<Option<SeenHead>>>,
    show: F,
}

impl<F: FnMut(&Entry<'_>)> Watcher for Watch<F> {
    fn identity(&mut self, identity: &Identity) -> Option<u64> {
        self.seen = self.heads.as_ref().map(|heads| heads.of(&identity.id));
        let seen = self.seen.as_ref()?.as_ref().ok()?.as_ref()?;
        Some(seen.sequence)
    }

    fn record(&mut self, entry: &Entry<'_>, _: &Place) {
        (self.show)(entry);
    }
}

impl<F> Watch<F> {
    /// What the head that was seen says about the ledger, of which every record was looked at.
    fn judge(self, summary: &Summary) -> Outcome<(Memory, Option<SeenHead>)> {
        let Some(seen) = self.seen.transpose()? else { return Ok((Memory::Off, None)) };
        let Some(seen) = seen else { return Ok((Memory::New, None)) };
        let found = summary.head_at;
        if found == Some(seen.hash) {
            return Ok((Memory::Held, Some(seen)));
        }
        if found.is_none() && seen.sequence < summary.first_sequence {
            return Ok((Memory::Archived, Some(seen)));
        }
        let SeenHead { sequence, hash, at, .. } = seen;
        let found = match found {
            Some(found) => format!("record number {sequence} with the hash {found}"),
            None => format!("a ledger that ends with record number {}", summary.head_sequence),
        };
        let expected = format!("record number {sequence} with the hash {hash}, seen at {at}");
        Err(Finding::new(codes::AUDIT_HEAD_MISSING).expected(expected).found(found).into())
    }
}

/// Verifies a ledger and shows its records to `visit`; holds it against what was seen of it, and
/// remembers its head.
///
/// # Errors
/// What is wrong with the ledger; the expected head or what is remembered cannot be read.
pub(super) fn read(
    arguments: &LedgerArguments,
    session: &Session,
    visit: impl FnMut(&Entry<'_>),
) -> Outcome<WholeLedger> {
    let folder = &arguments.folder;
    let expectation = expectation(arguments)?;
    let heads = if arguments.no_memory { None } else { SeenHeads::usual() };
    let mut watch = Watch { heads: heads.clone(), seen: None, show: visit };
    let verified = verify_each(folder, &expectation, &mut watch);
    let summary = verified.map_err(|fault| Failure::from(finding(&fault)))?;
    let judged = watch.judge(&summary);
    let (memory, seen) = judged.map_err(|failure| match failure.finding().code {
        codes::AUDIT_HEAD_MISSING => failure.about(path_text(folder)),
        _ => failure,
    })?;
    if let Some(heads) = heads {
        if memory == Memory::New {
            heads.refuse_another_in(folder, &summary)?;
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
    Ok(WholeLedger { summary, memory, seen })
}

fn expectation(arguments: &LedgerArguments) -> Outcome<Expectation> {
    let start = arguments.after.map_or(Start::Whole, Start::After);
    let bundles = if arguments.archived { Bundles::MayBeArchived } else { Bundles::All };
    Ok(Expectation { start, bundles, head: expected_head(arguments)? })
}

/// The head that must be there, if one was given.
pub(super) fn expected_head(arguments: &LedgerArguments) -> Outcome<Option<Hash>> {
    match &arguments.expect_head {
        None => Ok(None),
        Some(ExpectedHead::Hash(hash)) => Ok(Some(*hash)),
        Some(ExpectedHead::File(path)) => audit_head::read_file(path).map(Some),
    }
}
