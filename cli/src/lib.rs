//! The program `countersign`: what a person types, what comes out, and nothing that decides.
//!
//! Verification is `countersign_core`'s, signing `countersign_signing`'s. This crate reads
//! arguments, files, clock and network, calls them, and prints. It is a library so that tests and
//! the generators of manual and completion can use its grammar.

pub mod arguments;
pub mod artifact;
mod bundle_beside;
pub mod checked_signatures;
pub mod codes;
pub mod commands;
pub mod failure;
pub mod fetch;
mod folder_lock;
pub mod input;
mod interrupt;
mod kept_crls;
pub mod output;
pub mod prompt;
mod read_ahead;
pub mod report_text;
pub mod revocation_evidence;
mod seen_heads;
pub mod session;
pub mod settings;
mod signing_key;
mod start;
pub mod stream;
pub mod timestamping;
mod tls_fault;
mod user_folders;
pub mod writing;

pub use start::run;
