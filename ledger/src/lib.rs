//! The audit ledger: an append-only Merkle log in a folder, written, verified and proved from.
//!
//! Every record is a leaf of one tree, whose root commits to all of them and to their order. The tree is
//! that of Certificate Transparency (RFC 9162), and lies in files as C2SP tlog-tiles has it, so that
//! other programs can check it. `docs/audit.md` describes the folder.
//!
//! A record's life:
//!
//! 1. [`Appender::append`] writes it, with others of the same moment, as a frame of a write-ahead file,
//!    and flushes that once. The frame names the size and root of the tree with it. Then it is kept.
//! 2. [`integrate`] puts the records of write-ahead files that are written to their end into entry
//!    bundles, their hashes onto tiles, and publishes a checkpoint; then it removes those files.
//! 3. [`verify()`] reads all of it, [`locate()`] looks up an earlier head, [`prove`] proves one record.
//!
//! What earlier versions wrote (format 1, JSON Lines) is read and verified too; a ledger that began in
//! it goes on in today's format. This crate has no threads and no sockets, does not encrypt, and does
//! not know what the records mean.

mod append;
mod check;
mod checkpoint;
mod fault;
mod hash;
mod integrate;
pub mod lines;
mod load;
mod locate;
mod medium;
mod open;
mod prove;
mod reading;
mod record;
mod rows;
mod segment;
mod snapshot;
mod tree;
mod verify;

pub use append::{Appender, Durability, NewRecord, Options, WriteError};
pub use checkpoint::CheckpointSigner;
pub use fault::{Fault, Place, What};
pub use hash::{Hash, InvalidHash};
pub use integrate::integrate;
pub use locate::{At, Located, locate};
pub use medium::{Disk, Medium, MediumFile};
pub use open::{OpenError, Opened, Torn, open};
pub use prove::{MAX_PROOF_BYTES, Proof, ProofError, ProvenHead, prove};
pub use reading::{Bundles, Expectation, Start, Summary, Watcher};
pub use record::{
    BEGINNING_KIND, Beginning, Continued, ENVELOPE_BYTES, Entry, FORMAT_VERSION, Head, Identity,
    MAX_KIND_BYTES, MAX_RECORD_BYTES, Malformed, encode, is_kind,
};
pub use segment::{Segment, decode_segment, encode_segment};
pub use verify::{texts, verify, verify_each};

#[cfg(test)]
mod tests;
