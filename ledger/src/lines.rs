//! Format 1: JSON Lines in `audit-000001.jsonl` and on, each line with the SHA-256 of the one before.
//!
//! Written by earlier versions; read and verified here, and never written any more.

mod chain;
mod folder;
mod line;
mod locate;
mod walk;

pub use self::folder::{file_name, files};
pub use self::line::{FILE_KIND, FileRecord, LINES_FORMAT, Line, MAX_LINE_BYTES, encode_line};

pub(crate) use self::chain::Chain;
pub(crate) use self::locate::locate_line;
pub(crate) use self::walk::{LinesEnd, walk_file, walk_files};

#[cfg(test)]
pub(crate) mod tests;
