//! What is gathered while a ledger is read, in either format.

use std::time::Duration;

use serde::Serialize;

use crate::fault::{Fault, Place, What};
use crate::hash::Hash;
use crate::record::{Entry, Head, Identity};

/// Where the ledger must begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// With its first record.
    #[default]
    Whole,
    /// With the record after this line of format 1: older files were archived elsewhere. Both its number
    /// and its hash must be known, or records could be forged with numbers that nobody has seen yet.
    After(Head),
}

/// Which bundles of records must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bundles {
    /// All.
    #[default]
    All,
    /// Any but the first may have been archived elsewhere: the tiles prove what was in them.
    MayBeArchived,
}

/// How often to look whether a record that is being written is whole by now, and how long to wait in between.
pub(crate) const PATIENCE_LOOKS: u32 = 25;
pub(crate) const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// What a file that does not end with a whole record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Another file follows: damage.
    Followed,
    /// It is being written, perhaps: look again for half a second.
    Growing,
    /// Its writer is gone.
    Abandoned,
}

/// How far a file can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileEnd {
    /// Octets of whole records.
    pub(crate) whole_octets: u64,
    /// Octets after them: a record that was not written to its end.
    pub(crate) torn_octets: u64,
}

/// What the ledger is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expectation {
    /// Where it must begin.
    pub start: Start,
    /// Which bundles must be there.
    pub bundles: Bundles,
    /// The hash of a head that it must have had: one that was noted earlier.
    pub head: Option<Hash>,
}

/// Watches a ledger being read.
pub trait Watcher {
    /// This ledger is read; gives the number of a record whose head ([`Summary::head_at`]) is wanted.
    fn identity(&mut self, identity: &Identity) -> Option<u64> {
        let _ = identity;
        None
    }

    /// This record was reached; it is shown before what follows vouches for it.
    fn record(&mut self, entry: &Entry<'_>, place: &Place) {
        let _ = (entry, place);
    }
}

/// Watches nothing.
impl Watcher for () {}

/// What a ledger that is whole has in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The ledger's name.
    pub ledger: String,
    /// Its random number.
    pub id: String,
    /// How many files with records.
    pub files: u64,
    /// How many records, those that begin the ledger or a file included, archived ones not.
    pub records: u64,
    /// How many records were archived, and are known by their hashes alone.
    pub archived_records: u64,
    /// The number of the first record: 0 unless files of format 1 were archived.
    pub first_sequence: u64,
    /// The number of the last record.
    pub head_sequence: u64,
    /// The head's hash: note it somewhere else, and expect it next time.
    pub head: Hash,
    /// When the last record was written.
    pub head_time: String,
    /// How many records came after the head that was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records_after_expected_head: Option<u64>,
    /// How many records have an earlier time than the one before them: steps of the clock.
    pub backward_times: u64,
    /// The hash of the head at the record that [`Watcher::identity`] asked for, if the ledger has it.
    #[serde(skip)]
    pub head_at: Option<Hash>,
}

/// A reading.
pub(crate) struct Reading<'w> {
    watcher: &'w mut dyn Watcher,
    identity: Option<Identity>,
    expected: Option<Hash>,
    seen: Option<u64>,
    asked: Option<u64>,
    head_at: Option<Hash>,
    pub(crate) files: u64,
    records: u64,
    pub(crate) archived_records: u64,
    first_sequence: Option<u64>,
    last_time: String,
    backward_times: u64,
}

impl<'w> Reading<'w> {
    pub(crate) fn new(watcher: &'w mut dyn Watcher, expected: Option<Hash>) -> Self {
        Self {
            watcher,
            identity: None,
            expected,
            seen: None,
            asked: None,
            head_at: None,
            files: 0,
            records: 0,
            archived_records: 0,
            first_sequence: None,
            last_time: String::new(),
            backward_times: 0,
        }
    }

    /// The ledger says to be this one; whether it said so before.
    pub(crate) fn is_of(&mut self, identity: &Identity) -> bool {
        if let Some(known) = &self.identity {
            return known == identity;
        }
        self.asked = self.watcher.identity(identity);
        self.identity = Some(identity.clone());
        true
    }

    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    pub(crate) fn record(&mut self, entry: &Entry<'_>, place: &Place) {
        self.first_sequence.get_or_insert(entry.sequence);
        self.records += 1;
        // Times have one length: their order is that of their text.
        self.backward_times += u64::from(entry.time < self.last_time.as_str());
        self.last_time.clear();
        self.last_time.push_str(entry.time);
        self.watcher.record(entry, place);
    }

    /// Whether somebody wants to know the head at the record of that number.
    pub(crate) fn wants_head(&self, sequence: u64) -> bool {
        self.asked == Some(sequence) || (self.expected.is_some() && self.seen.is_none())
    }

    /// The ledger had this head.
    pub(crate) fn head(&mut self, head: Head) {
        if self.asked == Some(head.sequence) {
            self.head_at = Some(head.hash);
        }
        if self.expected == Some(head.hash) {
            self.seen = Some(head.sequence);
        }
    }

    /// What was read, which ends with `head` at `last`.
    pub(crate) fn summary(mut self, head: Head, last: &Place) -> Result<Summary, Fault> {
        self.head(head);
        let Some(identity) = self.identity else { return Err(last.fault(What::NoLedger)) };
        if let (Some(expected), None) = (self.expected, self.seen) {
            return Err(last.fault(What::HeadMissing { expected }));
        }
        Ok(Summary {
            ledger: identity.ledger,
            id: identity.id,
            files: self.files,
            records: self.records,
            archived_records: self.archived_records,
            first_sequence: self.first_sequence.unwrap_or_default(),
            head_sequence: head.sequence,
            head: head.hash,
            head_time: self.last_time,
            records_after_expected_head: self.seen.map(|seen| head.sequence - seen),
            backward_times: self.backward_times,
            head_at: self.head_at,
        })
    }
}
