//! What a CRL must not take back of the one before it.
//!
//! A list is the only authority on what its issuer revoked. One entry that is missing from the next list, or
//! is milder there, brings signatures back to life, whether somebody forgot it or meant to.

use super::RevocationReason;
use crate::time::UnixSeconds;

/// Reason and effective date of an entry.
pub type Revoked = (RevocationReason, UnixSeconds);

/// How the next list brings signatures back to life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revival {
    /// It does not have the entry.
    Forgotten,
    /// It has it for a reason that takes away less.
    Lightened,
    /// It has it from a later date on.
    MovedLater,
}

/// What becomes of an entry; `None` if nothing comes back to life. A hold may be lifted, and what
/// replaces it begins when it begins (RFC 5280 §5.3.1 certificateHold).
pub fn revives(before: Revoked, after: Option<Revoked>) -> Option<Revival> {
    let (reason, date) = before;
    if reason == RevocationReason::CertificateHold {
        return None;
    }
    match after {
        None => Some(Revival::Forgotten),
        Some((after, _)) if after.weight() < reason.weight() => Some(Revival::Lightened),
        Some((_, after)) if after > date => Some(Revival::MovedLater),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RevocationReason::{CertificateHold, KeyCompromise, Superseded, Unspecified};

    const fn from(reason: RevocationReason, seconds: i64) -> Revoked {
        (reason, UnixSeconds::new(seconds))
    }

    #[test]
    fn an_entry_stays_or_becomes_stricter() {
        let before = from(Superseded, 50);
        for (after, want) in [
            (None, Some(Revival::Forgotten)),
            (Some(from(CertificateHold, 50)), Some(Revival::Lightened)),
            (Some(from(Superseded, 51)), Some(Revival::MovedLater)),
            (Some(from(KeyCompromise, 51)), Some(Revival::MovedLater)),
            (Some(from(Superseded, 50)), None),
            (Some(from(Superseded, 49)), None),
            (Some(from(KeyCompromise, 50)), None),
            (Some(from(Unspecified, 20)), None),
        ] {
            assert_eq!(revives(before, after), want, "{after:?}");
        }
        let compromised = from(KeyCompromise, 50);
        assert_eq!(revives(compromised, Some(from(Superseded, 20))), Some(Revival::Lightened));
    }

    #[test]
    fn a_hold_is_lifted_or_replaced() {
        let before = from(CertificateHold, 50);
        for after in [None, Some(from(CertificateHold, 60)), Some(from(Superseded, 60))] {
            assert_eq!(revives(before, after), None, "{after:?}");
        }
    }
}
