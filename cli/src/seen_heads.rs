//! The last head that was seen of each audit ledger, in the user's state folder.
//!
//! A ledger by itself does not show that its end was cut off, nor that the whole of it was written
//! anew. A head that was seen does: it must still be there the next time. What is kept here is
//! believed; whoever can change it could as well change this program.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    finding::Finding,
    time::UnixSeconds,
};
use countersign_ledger::{Hash, Summary};
use countersign_signing::files::{self, FileMode};
use serde::{Deserialize, Serialize};

use crate::{
    codes,
    failure::{Failure, Outcome, path_text},
    folder_lock,
    user_folders::user_folder,
    writing::{Existing, write},
};

/// A head has some 400 octets, and its folder's path.
const MOST_OCTETS: u64 = 16 << 10;

/// A head that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenHead {
    /// The ledger's random number.
    pub(crate) id: String,
    /// The number of the record that was last.
    pub(crate) sequence: u64,
    /// The hash of the head.
    pub(crate) hash: Hash,
    /// When it was seen, RFC 3339.
    pub(crate) at: String,
    /// The folder in which the ledger was.
    pub(crate) folder: String,
}

/// The folder with a file for each ledger.
#[derive(Clone, Debug)]
pub(crate) struct SeenHeads {
    folder: PathBuf,
}

impl SeenHeads {
    /// `countersign/ledgers` in `$XDG_STATE_HOME`, else in `~/.local/state`; `None` if neither is
    /// known.
    pub(crate) fn usual() -> Option<Self> {
        let folder = user_folder("XDG_STATE_HOME", ".local/state")?;
        Some(Self { folder: folder.join("countersign").join("ledgers") })
    }

    /// The last head that was seen of the ledger of that random number.
    pub(crate) fn of(&self, id: &str) -> Outcome<Option<SeenHead>> {
        let path = self.file(id);
        match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            // One that is there and cannot be read is no ledger seen for the first time.
            _ => read(&path).map(Some),
        }
    }

    /// Refuses a ledger in the place of another one: who writes a ledger anew can give it any number.
    ///
    /// # Errors
    /// `audit.head.missing`, with the file to be removed if the other one was replaced on purpose.
    pub(crate) fn refuse_another_in(&self, folder: &Path, summary: &Summary) -> Outcome<()> {
        let Some(seen) = self.of_another_in(folder, &summary.id) else { return Ok(()) };
        let SeenHead { id, sequence, hash, at, .. } = seen;
        let found = format!(
            "the ledger {}; if you replaced the other one on purpose, remove {}",
            summary.id,
            path_text(&self.file(&id))
        );
        let expected =
            format!("the ledger {id} with record number {sequence}, hash {hash}, seen at {at}");
        Err(Finding::new(codes::AUDIT_HEAD_MISSING)
            .about(path_text(folder))
            .expected(expected)
            .found(found)
            .into())
    }

    /// The head that was seen last of another ledger than `id` in `folder`.
    fn of_another_in(&self, folder: &Path, id: &str) -> Option<SeenHead> {
        let folder = folder_text(folder);
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let heads = entries.filter_map(|entry| read(&entry.path()).ok());
        // Times of one form are ordered as their texts are.
        heads.filter(|seen| seen.folder == folder && seen.id != id).max_by(|a, b| a.at.cmp(&b.at))
    }

    /// Keeps the head of the ledger in `folder` in place of the one before, unless another process
    /// has seen a later one in the meantime.
    pub(crate) fn keep(&self, folder: &Path, summary: &Summary, now: UnixSeconds) -> Outcome<()> {
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|error| Failure::unwritable(&self.folder, error.to_string()))?;
        let seen = SeenHead {
            id: summary.id.clone(),
            sequence: summary.head_sequence,
            hash: summary.head,
            at: now.to_string(),
            folder: folder_text(folder),
        };
        let _lock = folder_lock::lock(&self.folder);
        if self.of(&seen.id)?.is_some_and(|by_now| by_now.sequence > seen.sequence) {
            return Ok(());
        }
        let content = serde_json::to_string(&seen)? + "\n";
        write(&self.file(&summary.id), content.as_bytes(), FileMode::Private, Existing::Replace)
    }

    /// A ledger's number is whatever its first record says, and may have any length and any characters.
    fn file(&self, id: &str) -> PathBuf {
        let name = digest(&AwsLc, HashAlgorithm::Sha256, id.as_bytes()).hex();
        self.folder.join(format!("{name}.json"))
    }
}

fn read(path: &Path) -> Outcome<SeenHead> {
    let content = files::read_bounded(path, MOST_OCTETS)?;
    serde_json::from_slice(&content).map_err(|_| {
        let found =
            "it is not what this program keeps of a ledger; remove it if you trust the ledger";
        Failure::unreadable(path, found)
    })
}

/// The folder by its full name, or by the name that was typed if it has none.
fn folder_text(folder: &Path) -> String {
    path_text(&fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn summary(id: &str, head_sequence: u64) -> Summary {
        Summary {
            ledger: "timestamp".to_owned(),
            id: id.to_owned(),
            files: 1,
            records: head_sequence + 1,
            archived_records: 0,
            first_sequence: 0,
            head_sequence,
            head: Hash::of_line(&head_sequence.to_be_bytes()),
            head_time: "2026-11-23T07:05:00.123Z".to_owned(),
            records_after_expected_head: None,
            backward_times: 0,
            head_at: None,
        }
    }

    #[test]
    fn a_ledger_has_one_head_that_its_owner_alone_may_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let heads = SeenHeads { folder: folder.path().join("a").join("b") };
        let (audit, now) = (folder.path(), UnixSeconds::new(1_795_417_500));
        assert_eq!(heads.of("../../x").expect("readable"), None);
        for sequence in [3, 7] {
            heads.keep(audit, &summary("../../x", sequence), now).expect("kept");
        }
        let seen = heads.of("../../x").expect("readable").expect("seen");
        assert_eq!((seen.sequence, seen.hash), (7, summary("", 7).head));
        assert_eq!(seen.at, "2026-11-23T07:05:00Z");
        // A run that began earlier and ends later takes nothing back.
        heads.keep(audit, &summary("../../x", 5), now).expect("the later one stays");
        assert_eq!(heads.of("../../x").expect("readable").expect("seen").sequence, 7);
        let path = heads.file("../../x");
        assert_eq!(path.parent(), Some(heads.folder.as_path()));
        for (path, mode) in [(&path, 0o600), (&heads.folder, 0o700)] {
            let permissions = fs::metadata(path).expect("there").permissions();
            assert_eq!(permissions.mode() & 0o777, mode);
        }
        fs::write(&path, "{}").expect("written");
        heads.of("../../x").expect_err("it is no ledger seen for the first time");
    }

    #[test]
    fn another_ledger_in_the_same_folder_is_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let heads = SeenHeads { folder: folder.path().join("heads") };
        let audit = folder.path();
        assert_eq!(heads.of_another_in(audit, "c"), None);
        for (id, time) in [("b", 2_000_000_000), ("a", 1_000_000_000), ("c", 2_100_000_000)] {
            heads.keep(audit, &summary(id, 1), UnixSeconds::new(time)).expect("kept");
        }
        let other = heads.of_another_in(&audit.join("."), "c").expect("another");
        assert_eq!(other.id, "b");
        let refused = heads.refuse_another_in(audit, &summary("d", 1)).expect_err("another");
        assert_eq!(refused.finding().code, codes::AUDIT_HEAD_MISSING);
        let found = refused.finding().found.clone().expect("what to remove");
        assert!(found.ends_with(&path_text(&heads.file("c"))), "{found}");
        assert_eq!(heads.of_another_in(Path::new("/"), "c"), None);
    }
}
