//! The checkpoint: how large the tree on the tiles is, and its root (C2SP tlog-checkpoint).
//!
//! Off-spec: a ledger without a [`CheckpointSigner`] has no signature on it. It then says nothing
//! that whoever can write the folder could not say; heads noted elsewhere prove what it says.

use std::fmt::Debug;
use std::io;
use std::path::Path;

use base64ct::{Base64, Encoding};
use countersign_core::digest::{Digest, HashAlgorithm};
use countersign_core::limits::CHECKPOINT_BYTES;
use countersign_core::tlog::merkle::TreeHead;

use crate::fault::{Fault, Place, What};
use crate::medium::read_whole;
use crate::record::Identity;

/// The file's name.
pub(crate) const FILE: &str = "checkpoint";

/// Signs checkpoints with a key that it alone has.
pub trait CheckpointSigner: Debug + Send + Sync {
    /// The signature lines (C2SP signed-note) for this text, which ends with a line feed.
    ///
    /// # Errors
    /// The key cannot be used now.
    fn sign(&self, text: &str) -> io::Result<String>;
}

/// A checkpoint, whose signatures are not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Which ledger.
    pub(crate) origin: String,
    /// The tree on the tiles.
    pub(crate) head: TreeHead,
    /// All of the note.
    pub(crate) note: String,
}

impl Checkpoint {
    pub(crate) fn decode(note: String) -> Result<Self, &'static str> {
        let mut lines = note.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or("no origin")?.to_owned();
        let digits = lines.next().unwrap_or_default();
        let size = digits.parse().ok().filter(|size| u64::to_string(size) == digits);
        let root = lines.next().and_then(|line| Base64::decode_vec(line).ok());
        let root = root.and_then(|octets| Digest::new(HashAlgorithm::Sha256, &octets));
        let head = TreeHead {
            size: size.ok_or("no tree size")?,
            root: root.ok_or("no root hash of 32 bytes")?,
        };
        if lines.next() != Some("") {
            return Err("lines after the root hash");
        }
        Ok(Self { origin, head, note })
    }

    /// Reads the checkpoint of the ledger in `folder`; `None` if nothing is on tiles yet.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, Fault> {
        let path = folder.join(FILE);
        let place = Place::file(&path);
        let note = match read_whole(&path, CHECKPOINT_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| place.fault(error))?,
        };
        let note = note.and_then(|note| String::from_utf8(note).ok());
        let decoded = note.ok_or("it is not a short text").and_then(Self::decode);
        decoded.map(Some).map_err(|why| place.fault(What::MalformedFile(why)))
    }
}

/// The origin line of a ledger's checkpoints: which ledger it is.
pub(crate) fn origin(identity: &Identity) -> String {
    format!("countersign-audit/{}/{}", identity.ledger, identity.id)
}

/// A checkpoint's text: what is signed.
pub(crate) fn text(origin: &str, head: &TreeHead) -> String {
    format!("{origin}\n{}\n{}\n", head.size, Base64::encode_string(head.root.octets()))
}

#[cfg(test)]
mod tests {
    use countersign_core::crypto::aws_lc::AwsLc;
    use countersign_core::tlog::merkle::leaf_hash;

    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let head = TreeHead { size: 7, root: leaf_hash(&AwsLc, b"") };
        let good = text("a/b", &head);
        for note in [good.clone(), format!("{good}\n— a/b AAAA\n")] {
            let read = Checkpoint::decode(note).expect("decodes");
            assert_eq!((read.origin.as_str(), &read.head), ("a/b", &head));
        }
        for bad in
            ["", "\n7\n", "a\n07\n", "a\n7\n!\n", &good[1..].replace("/b", ""), good.trim_end()]
        {
            Checkpoint::decode(bad.to_owned()).expect_err(bad);
        }
    }
}
