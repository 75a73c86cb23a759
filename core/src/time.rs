//! Points in time: seconds since 1970-01-01T00:00:00Z.
//!
//! There is no clock here: "now" is always handed in.

use core::fmt;

use der::DateTime;
use serde::{Serialize, Serializer};

/// Seconds since the Unix epoch, in UTC, leap seconds ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(i64);

/// 2020-01-01T00:00:00Z: no clock that is right shows an earlier time, since no release of
/// Countersign is older.
pub const EARLIEST_SANE_NOW: UnixSeconds = UnixSeconds(1_577_836_800);

impl UnixSeconds {
    /// The point `seconds` after the epoch.
    pub const fn new(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This time and `seconds` more, held at the largest representable.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This time less `seconds`, held at the smallest representable.
    #[must_use]
    pub const fn minus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// How many seconds lie between `earlier` and this time; negative if `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads RFC 3339: `2026-05-03T10:00:00Z`, with an optional fraction (cut off) and an offset
    /// (`Z` or `±hh:mm`). Years 1970 to 9999.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (head, rest) = bytes.split_at_checked(19)?;
        let number = |from: usize, to: usize| -> Option<u16> {
            head.get(from..to)?.iter().try_fold(0_u16, |value, digit| {
                let digit = digit.is_ascii_digit().then(|| digit.saturating_sub(b'0'))?;
                value.checked_mul(10)?.checked_add(u16::from(digit))
            })
        };
        let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if separators.iter().any(|(at, want)| head.get(*at) != Some(want)) {
            return None;
        }
        if !matches!(head.get(10), Some(b'T' | b't' | b' ')) {
            return None;
        }
        let small = |from, to| number(from, to).and_then(|value| u8::try_from(value).ok());
        let date = DateTime::new(
            number(0, 4)?,
            small(5, 7)?,
            small(8, 10)?,
            small(11, 13)?,
            small(14, 16)?,
            small(17, 19)?,
        )
        .ok()?;
        let local = i64::try_from(date.unix_duration().as_secs()).ok()?;
        Some(Self(local.checked_sub(offset_seconds(skip_fraction(rest)?)?)?))
    }

    /// The civil date and time, if it lies in the years 1970 to 9999.
    pub fn civil(self) -> Option<DateTime> {
        let seconds = u64::try_from(self.0).ok()?;
        DateTime::from_unix_duration(core::time::Duration::from_secs(seconds)).ok()
    }
}

fn skip_fraction(rest: &[u8]) -> Option<&[u8]> {
    let Some((b'.', after)) = rest.split_first() else { return Some(rest) };
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| after.get(digits..))?
}

fn offset_seconds(zone: &[u8]) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte.saturating_sub(b'0')));
    match zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let hours = digit(h1)?.checked_mul(10)?.checked_add(digit(h2)?)?;
            let minutes = digit(m1)?.checked_mul(10)?.checked_add(digit(m2)?)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
            Some(if *sign == b'-' { seconds.checked_neg()? } else { seconds })
        }
        _ => None,
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "{} s from 1970", self.0),
        }
    }
}

impl Serialize for UnixSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn reads_and_writes_rfc3339() {
        let time = UnixSeconds::parse_rfc3339("2026-05-03T10:00:00Z").unwrap();
        assert_eq!(time.seconds(), 1_777_802_400);
        assert_eq!(time.to_string(), "2026-05-03T10:00:00Z");
        assert_eq!(UnixSeconds::parse_rfc3339("2026-05-03T12:00:00.25+02:00"), Some(time));
        assert_eq!(UnixSeconds::parse_rfc3339("2026-05-03t08:30:00-01:30"), Some(time));
    }

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "2026",
            "2026-05-03",
            "2026-05-03T10:00:00",
            "2026-13-03T10:00:00Z",
            "2026-05-03T10:00:00.Z",
            "2026-05-03T10:00:00+2:00",
            "2026-05-03T25:00:00Z",
            "2026-05-03T10:00:00Z ",
            "2026-02-30T10:00:00Z",
            "é026-05-03T10:00:00Z",
        ] {
            assert_eq!(UnixSeconds::parse_rfc3339(text), None, "{text}");
        }
    }
}
