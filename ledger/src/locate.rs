//! Where a head noted earlier is in a ledger that nobody writes: there, another one in its place, or not.
//!
//! Only what is needed for that is read: a service asks at each start, and a ledger is as large as its
//! disk. That no record was changed is for [`verify`](crate::verify()) to say.

use std::io;
use std::path::{Path, PathBuf};

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::digest::Digest;
use countersign_core::tlog::merkle::is_consistent;

use crate::fault::{Fault, Place, What, unreadable};
use crate::hash::Hash;
use crate::lines;
use crate::load::Loaded;
use crate::reading::Tail;
use crate::record::{Head, Identity};

/// A ledger whose writer is gone, and the head that it had at a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Which ledger it is.
    pub identity: Identity,
    /// Its head.
    pub head: Head,
    /// Its head at the record that was asked for.
    pub at: At,
}

/// The head that a ledger had at a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// This one; everything after it follows from it.
    Head(Hash),
    /// It cannot be told: the record is in a file of format 1 that is gone.
    Archived,
    /// The ledger ends before that record.
    BehindTheEnd,
}

/// Looks for the head at the record of number `sequence` of the ledger in `folder`; `None` if there is
/// no ledger. A record that was not written to its end is no record.
///
/// # Errors
/// What of the ledger must be read for this is damaged, with file and record.
pub fn locate(folder: &Path, sequence: u64) -> Result<Option<Located>, Fault> {
    let files = match lines::files(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        files => files.map_err(unreadable(folder))?,
    };
    let Some(loaded) = Loaded::read(folder, Tail::Abandoned, |_, _| {})? else {
        return in_lines(folder, &files, sequence);
    };
    let head = loaded.head();
    let at = if sequence > head.sequence {
        At::BehindTheEnd
    } else if let Some(leaf) = sequence.checked_sub(loaded.first_sequence) {
        At::Head(at_leaf(folder, &loaded, leaf)?)
    } else {
        match in_lines(folder, &files, sequence)? {
            Some(lines)
                if loaded
                    .beginning
                    .continues
                    .as_ref()
                    .is_some_and(|before| before.hash == lines.head.hash) =>
            {
                lines.at
            }
            Some(_) => At::BehindTheEnd,
            None => At::Archived,
        }
    };
    Ok(Some(Located { identity: loaded.beginning.identity(), head, at }))
}

/// The root when the leaf was the last one, from which the whole tree must follow.
fn at_leaf(folder: &Path, loaded: &Loaded, leaf: u64) -> Result<Hash, Fault> {
    let (old, new) = (loaded.tree.head(leaf + 1)?, loaded.frontier.head(&AwsLc));
    let proof = loaded.tree.consistency(old.size, new.size)?;
    if !is_consistent(&AwsLc, &old, &new, proof.iter().map(Digest::octets)) {
        // Tiles that contradict each other.
        let (expected, found) = (Hash::from_digest(&new.root), Hash::from_digest(&old.root));
        return Err(Place::file(folder.join("tile")).fault(What::Altered { expected, found }));
    }
    Ok(Hash::from_digest(&old.root))
}

fn in_lines(
    folder: &Path,
    files: &[(u64, PathBuf)],
    sequence: u64,
) -> Result<Option<Located>, Fault> {
    if files.is_empty() {
        return Ok(None);
    }
    let located = lines::locate_line(folder, files, sequence)?;
    let at = match located.found {
        Some(hash) => At::Head(hash),
        None if sequence > located.head.sequence => At::BehindTheEnd,
        None => At::Archived,
    };
    Ok(Some(Located { identity: located.identity, head: located.head, at }))
}
