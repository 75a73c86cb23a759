//! Proof that one record is in a ledger, without the rest of it (C2SP tlog-proof).
//!
//! The proof carries the record itself as its extra data. Who has noted the head elsewhere, or trusts
//! the signature on its checkpoint, needs nothing else.

use std::path::Path;

use base64ct::{Base64, Encoding};
use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::digest::{Digest, HashAlgorithm};
use countersign_core::limits::CHECKPOINT_BYTES;
use countersign_core::tlog::merkle::{leaf_hash, root_of};
use countersign_core::tlog::tile::{Entries, TILE_WIDTH, entries_path};

use crate::checkpoint::{self, Checkpoint};
use crate::fault::{Fault, Place, What};
use crate::hash::Hash;
use crate::load::Loaded;
use crate::reading::Tail;
use crate::record::{Entry, MAX_RECORD_BYTES};
use crate::segment::CUT;
use crate::tree::read_bundle;

/// The first line of a proof.
const MAGIC: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes of a proof: a tree has at most 64 levels.
const MAX_HASHES: usize = 64;

/// The longest proof in octets.
pub const MAX_PROOF_BYTES: usize =
    MAX_RECORD_BYTES / 3 * 4 + CHECKPOINT_BYTES + MAX_HASHES * 45 + 256;

/// A record, and the proof that it is in a ledger; verified by [`Proof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The record.
    pub record: Vec<u8>,
    /// The number of its leaf, from 0.
    pub index: u64,
    hashes: Vec<Digest>,
    checkpoint: Checkpoint,
}

/// The proof that the record of number `sequence` is in the ledger in `folder`: in the tree that it had at
/// the record of number `at`, or in that of its checkpoint, or, if that does not cover the record yet, in
/// its newest tree. Its service may be writing to it. `None` if it has no such record in that tree, or
/// has it in format 1.
///
/// # Errors
/// What of the ledger must be read for this is damaged, with file and record.
pub fn prove(folder: &Path, sequence: u64, at: Option<u64>) -> Result<Option<Proof>, Fault> {
    let mut pending = Vec::new();
    let loaded = Loaded::read(folder, Tail::Growing, |leaf, record| {
        pending.push((leaf, record.to_owned()));
    })?;
    let Some(loaded) = loaded else { return Err(Place::file(folder).fault(What::NoLedger)) };
    let leaf_of = |sequence: u64| sequence.checked_sub(loaded.first_sequence);
    let Some(index) = leaf_of(sequence) else { return Ok(None) };
    let size = match at {
        Some(at) => leaf_of(at).and_then(|leaf| leaf.checked_add(1)).unwrap_or_default(),
        None => loaded.frontier.size(),
    };
    if index >= size || size > loaded.frontier.size() {
        return Ok(None);
    }
    let published = loaded.checkpoint.clone();
    let on_tiles = published.as_ref().map_or(0, |checkpoint| checkpoint.head.size);
    let record = if index < on_tiles {
        record_on_tiles(folder, index, on_tiles)?
    } else {
        let found = pending.into_iter().find(|(leaf, _)| *leaf == index);
        found.ok_or_else(|| Place::file(folder).fault(What::FileMissing))?.1
    };
    let fits = |checkpoint: &Checkpoint| match at {
        Some(_) => checkpoint.head.size == size,
        None => index < checkpoint.head.size,
    };
    let checkpoint = if let Some(checkpoint) = published.filter(fits) {
        checkpoint
    } else {
        let origin = checkpoint::origin(&loaded.beginning.identity());
        let head = loaded.tree.head(size)?;
        Checkpoint { note: checkpoint::text(&origin, &head), origin, head }
    };
    let hashes = loaded.tree.inclusion(index, checkpoint.head.size)?;
    Ok(Some(Proof { record, index, hashes, checkpoint }))
}

fn record_on_tiles(folder: &Path, index: u64, size: u64) -> Result<Vec<u8>, Fault> {
    let bundle = index / TILE_WIDTH;
    let width = (size - bundle * TILE_WIDTH).min(TILE_WIDTH);
    let path = folder.join(entries_path(bundle, width));
    let octets = read_bundle(&path)?;
    let at = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
    let record = Entries::of(&octets).nth(at).and_then(Result::ok).map(<[u8]>::to_vec);
    record.ok_or_else(|| Place::file(path).fault(What::MalformedFile(CUT)))
}

/// Why a proof cannot be read, or proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It does not have the form of a proof.
    #[error("it is not a proof of a record: {0}")]
    Malformed(&'static str),
    /// The record is not in the tree of its checkpoint.
    #[error("the record is not in the tree that its checkpoint names")]
    NotIncluded,
}

/// The tree that a record is proved to be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenHead {
    /// Which ledger it is, as the checkpoint says: the root does not bind it.
    pub origin: String,
    /// How many leaves the checkpoint says it has: the root does not bind all of it.
    pub size: u64,
    /// Its root: the hash of the ledger's head.
    pub root: Hash,
}

impl Proof {
    /// The proof as text (C2SP tlog-proof), its record as `extra`.
    pub fn text(&self) -> String {
        let record = Base64::encode_string(&self.record);
        let hashes = self.hashes.iter().map(|hash| Base64::encode_string(hash.octets()) + "\n");
        let hashes: String = hashes.collect();
        let (index, note) = (self.index, &self.checkpoint.note);
        format!("{MAGIC}\nextra {record}\nindex {index}\n{hashes}\n{note}")
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn decode(text: &str) -> Result<Self, ProofError> {
        use ProofError::Malformed;
        if text.len() > MAX_PROOF_BYTES {
            return Err(Malformed("it is too long"));
        }
        let (head, note) = text.split_once("\n\n").ok_or(Malformed("it has no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(MAGIC) {
            return Err(Malformed("its first line is another"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let record = extra.and_then(|line| Base64::decode_vec(line).ok());
        let record = record.ok_or(Malformed("it does not contain its record"))?;
        let digits = lines.next().and_then(|line| line.strip_prefix("index ")).unwrap_or_default();
        let index = digits.parse().ok().filter(|index| u64::to_string(index) == digits);
        let index = index.ok_or(Malformed("it has no index"))?;
        let hashes = lines.map(|line| {
            let octets = Base64::decode_vec(line).ok()?;
            Digest::new(HashAlgorithm::Sha256, &octets)
        });
        let hashes: Option<Vec<_>> = hashes.take(MAX_HASHES + 1).collect();
        let hashes = hashes.filter(|hashes| hashes.len() <= MAX_HASHES);
        let hashes = hashes.ok_or(Malformed("its hashes are not up to 64 of 32 bytes"))?;
        let checkpoint = Checkpoint::decode(note.to_owned()).map_err(Malformed)?;
        Ok(Self { record, index, hashes, checkpoint })
    }

    /// The ledger's head whose tree has the record; the caller must know it from elsewhere.
    ///
    /// # Errors
    /// [`ProofError::NotIncluded`].
    pub fn verify(&self) -> Result<ProvenHead, ProofError> {
        let head = &self.checkpoint.head;
        let leaf = leaf_hash(&AwsLc, &self.record);
        let path = self.hashes.iter().map(Digest::octets);
        let root = root_of(&AwsLc, leaf, self.index, head.size, path);
        if root.as_ref() != Some(&head.root) {
            return Err(ProofError::NotIncluded);
        }
        Ok(ProvenHead {
            origin: self.checkpoint.origin.clone(),
            size: head.size,
            root: Hash::from_digest(&head.root),
        })
    }

    /// The record, read.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn entry(&self) -> Result<Entry<'_>, ProofError> {
        Entry::decode(&self.record)
            .map_err(|_| ProofError::Malformed("its record is not one of a ledger"))
    }
}
