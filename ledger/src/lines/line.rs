//! One line of format 1: written in exactly one way, and read only if it was written so.
//!
//! `{"sequence":7,"time":"2026-11-23T07:05:00.123Z","kind":"token","record":{…},"previous":"…"}`
//! and a line feed: a record of today's format with the hash of the line before it.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::record::{Entry, Malformed, encode_open};

/// The version of this format.
pub const LINES_FORMAT: u32 = 1;

/// The kind of a file's first line; its record is a [`FileRecord`].
pub const FILE_KIND: &str = "ledger.file";

/// The longest line in octets, its line feed included: bounds the memory of a reader.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// Octets of `,"previous":"` + 64 digits + `"}`.
const SUFFIX_BYTES: usize = 13 + 64 + 2;

/// What the first line of a file says of its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// The ledger's name, chosen by the service.
    pub ledger: String,
    /// 128 random bits in hexadecimal, drawn when the ledger was made: tells replicas' ledgers apart.
    pub id: String,
    /// [`LINES_FORMAT`].
    pub format: u32,
    /// The file's number in the ledger, from 1.
    pub file: u64,
}

/// A line that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The record in it.
    pub entry: Entry<'a>,
    /// The hash of the line before it.
    pub previous: Hash,
}

/// Appends a line to `out` and gives its hash, as versions of this program did that wrote format 1;
/// tests do it still. `kind` and `record` are as [`record::encode`](crate::record::encode) takes them.
pub fn encode_line(
    out: &mut Vec<u8>,
    sequence: u64,
    time: SystemTime,
    kind: &str,
    record: &str,
    previous: &Hash,
) -> Hash {
    let start = out.len();
    encode_open(out, sequence, time, kind, record);
    out.extend_from_slice(b",\"previous\":\"");
    out.extend_from_slice(&previous.digits());
    out.extend_from_slice(b"\"}\n");
    Hash::of_line(&out[start..])
}

impl<'a> Line<'a> {
    /// Reads a line, given without its line feed.
    ///
    /// # Errors
    /// It is not exactly what [`encode_line`] writes.
    pub fn decode(line: &'a [u8]) -> Result<Self, Malformed> {
        if line.len() >= MAX_LINE_BYTES {
            return Err(Malformed::TooLong);
        }
        let text = std::str::from_utf8(line).map_err(|_| Malformed::NotText)?;
        let split = text.len().checked_sub(SUFFIX_BYTES).ok_or(Malformed::Envelope)?;
        let (open, suffix) = text.split_at_checked(split).ok_or(Malformed::Envelope)?;
        let previous = suffix
            .strip_prefix(",\"previous\":\"")
            .and_then(|rest| rest.strip_suffix("\"}"))
            .and_then(|digits| digits.parse().ok())
            .ok_or(Malformed::Envelope)?;
        Ok(Self { entry: Entry::parts(text, open)?, previous })
    }

    /// What a file's first line says; `None` for any other line.
    pub fn file_record(&self) -> Option<FileRecord> {
        let is_first = self.entry.kind == FILE_KIND;
        is_first.then(|| serde_json::from_str(self.entry.record).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn line() -> Vec<u8> {
        let mut line = Vec::new();
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_417_500_123_999);
        encode_line(&mut line, 7, time, "token", r#"{"serial":"0a"}"#, &Hash::NONE);
        line
    }

    #[test]
    fn reads_back_what_it_writes() {
        let line = line();
        let line = Line::decode(line.strip_suffix(b"\n").expect("ends")).expect("decodes");
        let Entry { sequence, time, kind, record, .. } = line.entry;
        let expected = (7, "2026-11-23T07:05:00.123Z", "token", r#"{"serial":"0a"}"#);
        assert_eq!((sequence, time, kind, record), expected);
        assert_eq!(line.previous, Hash::NONE);
    }

    #[test]
    fn takes_one_writing_only() {
        let good = String::from_utf8(line()).expect("text");
        let good = good.trim_end();
        for (from, to, fault) in [
            ("\"sequence\":7", "\"sequence\":+7", Malformed::Envelope),
            (r#"{"serial":"0a"}"#, "{}{}", Malformed::Record),
            ("\"}", "\"} ", Malformed::Record),
            ("0000\"}", "000A\"}", Malformed::Envelope),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            let found = Line::decode(bad.as_bytes()).expect_err("refused");
            assert_eq!(found, fault, "{bad}");
        }
        assert_eq!(Line::decode(&vec![b' '; MAX_LINE_BYTES]), Err(Malformed::TooLong));
    }

    #[test]
    fn never_panics_on_a_line_cut_or_changed_anywhere() {
        let good = line();
        for place in 0..good.len() {
            let _ = Line::decode(&good[..place]);
            let mut changed = good.clone();
            changed[place] ^= 0x80;
            let _ = Line::decode(&changed);
        }
        let wide =
            "{\"sequence\":1,\"time\":\"\",\"kind\":\"\",\"record\":".to_owned() + &"é".repeat(60);
        assert!(Line::decode(wide.as_bytes()).is_err());
    }
}
