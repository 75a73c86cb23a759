//! Verification of a whole ledger, in whichever formats it is.
//!
//! The tree proves that what is here is whole and in order up to the last record. It cannot prove that
//! nothing was cut off at the end, nor that all of it was not written anew: for that, expect a head
//! that was noted elsewhere ([`Expectation::head`], [`Watcher::identity`]).

use std::path::Path;

use crate::check;
use crate::fault::{Fault, Place, What, unreadable};
use crate::lines;
use crate::reading::{Expectation, Reading, Summary, Tail, Watcher};
use crate::record::Entry;
use crate::snapshot::Snapshot;

/// Verifies the ledger in `folder`; its service may be writing to it.
///
/// # Errors
/// The first fault, with its file and record.
pub fn verify(folder: &Path, expectation: &Expectation) -> Result<Summary, Fault> {
    verify_each(folder, expectation, &mut ())
}

/// The text of every record of the ledger in `folder`, verified: for small ledgers.
///
/// # Errors
/// As [`verify`].
pub fn texts(folder: &Path) -> Result<Vec<String>, Fault> {
    struct Collecting(Vec<String>);
    impl Watcher for Collecting {
        fn record(&mut self, entry: &Entry<'_>, _: &Place) {
            self.0.push(entry.text.to_owned());
        }
    }
    let mut collecting = Collecting(Vec::new());
    verify_each(folder, &Expectation::default(), &mut collecting)?;
    Ok(collecting.0)
}

/// As [`verify`], showing every record that is reached to `watcher`.
///
/// # Errors
/// As [`verify`].
pub fn verify_each(
    folder: &Path,
    expectation: &Expectation,
    watcher: &mut dyn Watcher,
) -> Result<Summary, Fault> {
    let start = expectation.start;
    let mut reading = Reading::new(watcher, expectation.head);
    let snapshot = Snapshot::take(folder)?;
    let files = lines::files(folder).map_err(unreadable(folder))?;
    let before = match (files.is_empty(), &snapshot) {
        (true, None) => return Err(Place::file(folder).fault(What::NoLedger)),
        (true, Some(_)) => None,
        (false, _) => {
            // An earlier version of the service may be writing the last one.
            let tail = if snapshot.is_some() { Tail::Followed } else { Tail::Growing };
            Some(lines::walk_files(folder, files, start, tail, &mut reading)?)
        }
    };
    let (head, last) = match (&snapshot, before) {
        (Some(snapshot), before) => {
            check::walk(folder, snapshot, before.as_ref(), *expectation, &mut reading)?
        }
        (None, Some(end)) => (end.head, end.place),
        (None, None) => return Err(Place::file(folder).fault(What::NoLedger)),
    };
    reading.summary(head, &last)
}
