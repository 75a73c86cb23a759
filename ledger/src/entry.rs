//! One line: written in exactly one way, and read only when it was written so.
//!
//! `{"sequence":7,"time":"2026-11-23T07:05:00.123Z","kind":"token","record":{…},"previous":"…"}`
//! and a line feed. Members stand in this order, without white space between them; the record is
//! whatever the service says, as a JSON object. The reader takes nothing else for a line, so that
//! two programs cannot see two things in one.

use std::time::{Duration, SystemTime};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::hash::Hash;

/// The version of the format that this crate writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// The kind of a file's first line; its record is a [`FileRecord`].
pub const FILE_KIND: &str = "ledger.file";

/// The longest line in octets, its line feed included: bounds the memory of a reader.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// The longest kind in octets.
pub const MAX_KIND_BYTES: usize = 64;

/// Octets of `,"previous":"` + 64 digits + `"}`.
const SUFFIX_BYTES: usize = 13 + 64 + 2;

/// Octets of a time with milliseconds, in UTC.
const TIME_BYTES: usize = 24;

/// Microseconds and beyond are cut.
const TIME_UNIT: Duration = Duration::from_millis(1);

/// What the first line of a file says of its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// The ledger's name, chosen by the service.
    pub ledger: String,
    /// 128 random bits in hexadecimal, drawn when the ledger was made: tells replicas' ledgers apart.
    pub id: String,
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// The file's number in the ledger, from 1.
    pub file: u64,
}

/// A line that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its number in the ledger, from 0, without a gap over all files.
    pub sequence: u64,
    /// When it was written, by the service's clock: RFC 3339, UTC, with milliseconds.
    pub time: &'a str,
    /// What the record is: dotted lower-case words.
    pub kind: &'a str,
    /// The record: a JSON object.
    pub record: &'a str,
    /// The hash of the line before it.
    pub previous: Hash,
}

/// Why a line is not one of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Over [`MAX_LINE_BYTES`].
    #[error("it is longer than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotText,
    /// The members around the record are not as they are written.
    #[error(
        "it is not {{\"sequence\",\"time\",\"kind\",\"record\",\"previous\"}} as a ledger writes them"
    )]
    Envelope,
    /// The time is none.
    #[error("its time is not one")]
    Time,
    /// The record is not a JSON object.
    #[error("its record is not a JSON object")]
    Record,
}

/// Whether `kind` is 1–64 of `a-z`, `0-9`, `.`, `_` and `-`.
pub fn is_kind(kind: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    (1..=MAX_KIND_BYTES).contains(&kind.len()) && kind.bytes().all(allowed)
}

/// Appends a line to `out` and gives its hash. `kind` must be one ([`is_kind`]), `record` a JSON
/// object without line feeds, as `serde_json::to_string` makes it.
pub fn encode(
    out: &mut Vec<u8>,
    sequence: u64,
    time: SystemTime,
    kind: &str,
    record: &str,
    previous: &Hash,
) -> Hash {
    let start = out.len();
    out.extend_from_slice(b"{\"sequence\":");
    out.extend_from_slice(sequence.to_string().as_bytes());
    out.extend_from_slice(b",\"time\":\"");
    out.extend_from_slice(time_text(time).as_bytes());
    out.extend_from_slice(b"\",\"kind\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"record\":");
    out.extend_from_slice(record.as_bytes());
    out.extend_from_slice(b",\"previous\":\"");
    out.extend_from_slice(&previous.digits());
    out.extend_from_slice(b"\"}\n");
    Hash::of_line(&out[start..])
}

/// A clock that shows a time before 1970 or after 9999 writes the nearest that can be written.
fn time_text(time: SystemTime) -> String {
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LAST);
    let cut = Duration::from_millis(u64::try_from(since.as_millis()).unwrap_or(0));
    debug_assert!(since - cut < TIME_UNIT);
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + cut).to_string()
}

impl<'a> Entry<'a> {
    /// Reads a line, given without its line feed.
    ///
    /// # Errors
    /// It is not exactly what [`encode`] writes.
    pub fn decode(line: &'a [u8]) -> Result<Self, Malformed> {
        if line.len() >= MAX_LINE_BYTES {
            return Err(Malformed::TooLong);
        }
        let line = std::str::from_utf8(line).map_err(|_| Malformed::NotText)?;
        let rest = line.strip_prefix("{\"sequence\":").ok_or(Malformed::Envelope)?;
        let (digits, rest) = rest.split_once(",\"time\":\"").ok_or(Malformed::Envelope)?;
        let (time, rest) = rest.split_once("\",\"kind\":\"").ok_or(Malformed::Envelope)?;
        let (kind, rest) = rest.split_once("\",\"record\":").ok_or(Malformed::Envelope)?;
        let split = rest.len().checked_sub(SUFFIX_BYTES).ok_or(Malformed::Envelope)?;
        let (record, suffix) = rest.split_at_checked(split).ok_or(Malformed::Envelope)?;
        let previous = suffix
            .strip_prefix(",\"previous\":\"")
            .and_then(|rest| rest.strip_suffix("\"}"))
            .and_then(|digits| digits.parse().ok())
            .ok_or(Malformed::Envelope)?;
        let sequence = digits.parse().map_err(|_| Malformed::Envelope)?;
        if u64::to_string(&sequence) != digits || !is_kind(kind) {
            return Err(Malformed::Envelope);
        }
        if time.len() != TIME_BYTES || humantime::parse_rfc3339(time).is_err() {
            return Err(Malformed::Time);
        }
        let is_object = record.starts_with('{') && record.ends_with('}');
        if !is_object || serde_json::from_str::<IgnoredAny>(record).is_err() {
            return Err(Malformed::Record);
        }
        Ok(Self { sequence, time, kind, record, previous })
    }

    /// What a file's first line says; nothing for any other line.
    pub fn file_record(&self) -> Option<FileRecord> {
        (self.kind == FILE_KIND).then(|| serde_json::from_str(self.record).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Vec<u8> {
        let mut line = Vec::new();
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_417_500_123_999);
        encode(&mut line, 7, time, "token", r#"{"serial":"0a","n":[1,"x,y"]}"#, &Hash::NONE);
        line
    }

    #[test]
    fn reads_back_what_it_writes() {
        let line = line();
        let entry = Entry::decode(line.strip_suffix(b"\n").expect("ends")).expect("decodes");
        assert_eq!(
            (entry.sequence, entry.time, entry.kind, entry.record),
            (7, "2026-11-23T07:05:00.123Z", "token", r#"{"serial":"0a","n":[1,"x,y"]}"#)
        );
        assert_eq!(entry.previous, Hash::NONE);
        serde_json::from_slice::<serde_json::Value>(&line).expect("is JSON");
    }

    #[test]
    fn takes_one_writing_only() {
        let good = String::from_utf8(line()).expect("text");
        let good = good.trim_end();
        for (from, to, fault) in [
            ("\"sequence\":7", "\"sequence\":07", Malformed::Envelope),
            ("\"sequence\":7", "\"sequence\":+7", Malformed::Envelope),
            ("\"sequence\":7", "\"sequence\": 7", Malformed::Envelope),
            ("\"sequence\":7", "\"sequence\":-7", Malformed::Envelope),
            ("\"kind\":\"token\"", "\"kind\":\"Token\"", Malformed::Envelope),
            (".123Z", ".12Z", Malformed::Time),
            ("2026-11-23", "2026-13-23", Malformed::Time),
            (r#"{"serial""#, r#"{"serial"#, Malformed::Record),
            (r#"{"serial":"0a","n":[1,"x,y"]}"#, "7", Malformed::Record),
            (r#"{"serial":"0a","n":[1,"x,y"]}"#, "{}{}", Malformed::Record),
            (r#"{"serial":"0a","n":[1,"x,y"]}"#, "{},\"kind\":{}", Malformed::Record),
            ("\"}", "\"} ", Malformed::Envelope),
            ("0000\"}", "000A\"}", Malformed::Envelope),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert_eq!(Entry::decode(bad.as_bytes()), Err(fault), "{bad}");
        }
        assert_eq!(Entry::decode(&[0xff]), Err(Malformed::NotText));
        assert_eq!(Entry::decode(&vec![b' '; MAX_LINE_BYTES]), Err(Malformed::TooLong));
    }

    #[test]
    fn never_panics_on_a_line_cut_or_changed_anywhere() {
        let good = line();
        for place in 0..good.len() {
            let _ = Entry::decode(&good[..place]);
            let mut changed = good.clone();
            changed[place] ^= 0x80;
            let _ = Entry::decode(&changed);
        }
        let wide =
            "{\"sequence\":1,\"time\":\"\",\"kind\":\"\",\"record\":".to_owned() + &"é".repeat(60);
        assert!(Entry::decode(wide.as_bytes()).is_err());
    }

    #[test]
    fn a_clock_far_off_still_writes_lines_that_can_be_read() {
        for seconds in [0, 253_402_300_799, 400_000_000_000] {
            let mut line = Vec::new();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            encode(&mut line, 0, time, "a", "{}", &Hash::NONE);
            Entry::decode(line.strip_suffix(b"\n").expect("ends")).expect("decodes");
        }
    }
}
