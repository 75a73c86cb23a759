//! The audit ledger: what its lines and files look like, and how they are verified.
//!
//! A ledger is a folder of JSON Lines files, `audit-000001.jsonl` and on. Each line carries the
//! SHA-256 of the line before it, so that nothing in it can be changed, removed or reordered without
//! breaking every line after. `docs/audit.md` describes the format for those who read it with other tools.
//!
//! This crate reads and never writes: appending, with its locks, threads and disk flushes, is
//! `countersign-daemon`'s. It is apart so that an auditor's program needs no server stack. It does
//! not know what the records mean.

mod chain;
mod entry;
mod folder;
mod hash;
mod locate;
mod verify;

pub use chain::{Chain, Identity, What};
pub use entry::{
    Entry, FILE_KIND, FORMAT_VERSION, FileRecord, MAX_KIND_BYTES, MAX_LINE_BYTES, Malformed,
    encode, is_kind,
};
pub use folder::{file_name, files};
pub use hash::{Hash, InvalidHash};
pub use locate::{At, Located, locate};
pub use verify::{
    Expectation, Fault, FileEnd, Place, Start, Summary, verify, verify_each, walk_file,
};
