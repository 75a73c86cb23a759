//! One record: written in exactly one way, and read only if it was written so.
//!
//! `{"sequence":7,"time":"2026-11-23T07:05:00.123Z","kind":"token","record":{…}}`, without a line feed.
//! Members come in this order, without white space between them; the record is whatever the service
//! says, as a JSON object. The reader takes nothing else, so that no two programs can read two things
//! in one record. These octets are a leaf of the ledger's tree.

use std::time::{Duration, SystemTime};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::hash::Hash;

/// The version of the format that this crate writes.
pub const FORMAT_VERSION: u32 = 2;

/// The kind of the first record; what it says is a [`Beginning`].
pub const BEGINNING_KIND: &str = "ledger.begun";

/// The longest record in octets: as long as an entry of a bundle can be (C2SP tlog-tiles).
pub const MAX_RECORD_BYTES: usize = countersign_core::tlog::tile::MAX_ENTRY_BYTES;

/// The longest kind in octets.
pub const MAX_KIND_BYTES: usize = 64;

/// Octets of a record besides its kind and what it says, rounded up.
pub const ENVELOPE_BYTES: usize = 200;

/// Octets of a time with milliseconds, in UTC.
const TIME_BYTES: usize = 24;

/// Which ledger a record belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The ledger's name, chosen by the service.
    pub ledger: String,
    /// 128 random bits in hexadecimal, drawn when the ledger was made: tells replicas' ledgers apart.
    pub id: String,
}

/// The end of a ledger: a record, and a hash that commits to it and to everything before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The record's number, from 0, without a gap.
    pub sequence: u64,
    /// The root of the tree whose last leaf is that record; in format 1, the hash of its line.
    pub hash: Hash,
}

/// What the first record says about its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beginning {
    /// [`Identity::ledger`].
    pub ledger: String,
    /// [`Identity::id`].
    pub id: String,
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// The head of the same ledger in format 1, if it began in that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<Continued>,
}

/// The end of the part of a ledger that is in format 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continued {
    /// The number of its last line.
    pub sequence: u64,
    /// The hash of that line.
    pub hash: Hash,
}

/// A record that was read, in either format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// All of it, as it is in the ledger.
    pub text: &'a str,
    /// Its number in the ledger, from 0, without a gap.
    pub sequence: u64,
    /// When it was written, by the service's clock: RFC 3339, UTC, with milliseconds.
    pub time: &'a str,
    /// What the record is: dotted lower-case words.
    pub kind: &'a str,
    /// What it says: a JSON object.
    pub record: &'a str,
}

/// Why these octets are no record of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Over [`MAX_RECORD_BYTES`].
    #[error("it is longer than {MAX_RECORD_BYTES} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotText,
    /// The members around the record are not as they are written.
    #[error("it does not have the members of a record, in the form in which a ledger writes them")]
    Envelope,
    /// The time is not one.
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

/// Appends a record to `out`. `kind` must be one ([`is_kind`]), `record` a JSON object without line
/// feeds, as `serde_json::to_string` makes it.
pub fn encode(out: &mut Vec<u8>, sequence: u64, time: SystemTime, kind: &str, record: &str) {
    encode_open(out, sequence, time, kind, record);
    out.push(b'}');
}

/// The members that both formats begin with.
pub(crate) fn encode_open(
    out: &mut Vec<u8>,
    sequence: u64,
    time: SystemTime,
    kind: &str,
    record: &str,
) {
    out.extend_from_slice(b"{\"sequence\":");
    out.extend_from_slice(sequence.to_string().as_bytes());
    out.extend_from_slice(b",\"time\":\"");
    out.extend_from_slice(time_text(time).as_bytes());
    out.extend_from_slice(b"\",\"kind\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"record\":");
    out.extend_from_slice(record.as_bytes());
}

/// A clock that shows a time before 1970 or after 9999 writes the nearest that can be written.
fn time_text(time: SystemTime) -> String {
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LAST);
    // What is finer than a millisecond is cut, not rounded.
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since).to_string()
}

impl<'a> Entry<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// It is not exactly what [`encode`] writes.
    pub fn decode(octets: &'a [u8]) -> Result<Self, Malformed> {
        if octets.len() > MAX_RECORD_BYTES {
            return Err(Malformed::TooLong);
        }
        let text = std::str::from_utf8(octets).map_err(|_| Malformed::NotText)?;
        Self::parts(text, text.strip_suffix('}').ok_or(Malformed::Envelope)?)
    }

    /// Reads the members that both formats have, which are `open`: the beginning of `text`.
    pub(crate) fn parts(text: &'a str, open: &'a str) -> Result<Self, Malformed> {
        let rest = open.strip_prefix("{\"sequence\":").ok_or(Malformed::Envelope)?;
        let (digits, rest) = rest.split_once(",\"time\":\"").ok_or(Malformed::Envelope)?;
        let (time, rest) = rest.split_once("\",\"kind\":\"").ok_or(Malformed::Envelope)?;
        let (kind, record) = rest.split_once("\",\"record\":").ok_or(Malformed::Envelope)?;
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
        Ok(Self { text, sequence, time, kind, record })
    }

    /// What the first record of a ledger says about it; `None` for any other record.
    pub fn beginning(&self) -> Option<Beginning> {
        (self.kind == BEGINNING_KIND).then(|| serde_json::from_str(self.record).ok()).flatten()
    }
}

impl Beginning {
    /// Which ledger it begins.
    pub fn identity(&self) -> Identity {
        Identity { ledger: self.ledger.clone(), id: self.id.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Vec<u8> {
        let mut record = Vec::new();
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_417_500_123_999);
        encode(&mut record, 7, time, "token", r#"{"serial":"0a","n":[1,"x,y"]}"#);
        record
    }

    #[test]
    fn reads_back_what_it_writes() {
        let record = record();
        let entry = Entry::decode(&record).expect("decodes");
        assert_eq!(
            (entry.sequence, entry.time, entry.kind, entry.record),
            (7, "2026-11-23T07:05:00.123Z", "token", r#"{"serial":"0a","n":[1,"x,y"]}"#)
        );
        assert_eq!(entry.text.as_bytes(), record);
        serde_json::from_slice::<serde_json::Value>(&record).expect("is JSON");
    }

    #[test]
    fn takes_one_writing_only() {
        let good = String::from_utf8(record()).expect("text");
        for (from, to, fault) in [
            ("\"sequence\":7", "\"sequence\":07", Malformed::Envelope),
            ("\"sequence\":7", "\"sequence\": 7", Malformed::Envelope),
            ("\"kind\":\"token\"", "\"kind\":\"Token\"", Malformed::Envelope),
            (".123Z", ".12Z", Malformed::Time),
            (r#"{"serial""#, r#"{"serial"#, Malformed::Record),
            (r#"{"serial":"0a","n":[1,"x,y"]}"#, "{},\"previous\":{}", Malformed::Record),
            ("}}", "}}\n", Malformed::Envelope),
            ("}}", "}", Malformed::Record),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert_eq!(Entry::decode(bad.as_bytes()), Err(fault), "{bad}");
        }
        assert_eq!(Entry::decode(&[0xff]), Err(Malformed::NotText));
        assert_eq!(Entry::decode(&vec![b' '; MAX_RECORD_BYTES + 1]), Err(Malformed::TooLong));
    }

    #[test]
    fn never_panics_on_a_record_cut_or_changed_anywhere() {
        let good = record();
        for place in 0..good.len() {
            let _ = Entry::decode(&good[..place]);
            let mut changed = good.clone();
            changed[place] ^= 0x80;
            let _ = Entry::decode(&changed);
        }
    }

    #[test]
    fn a_clock_far_off_still_writes_records_that_can_be_read() {
        for seconds in [0, 253_402_300_799, 400_000_000_000] {
            let mut record = Vec::new();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            encode(&mut record, 0, time, "a", "{}");
            Entry::decode(&record).expect("decodes");
        }
    }
}
