//! What is remembered of the newest CRL that was seen at a place, longer than the CRL itself.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use countersign_core::{crl::CertificateList, digest::encode_hex, time::UnixSeconds};
use countersign_signing::files;
use serde::{Deserialize, Serialize};

/// Some 120 octets, and a number of at most 20.
const MOST_OCTETS: u64 = 1 << 10;

/// For how long a list without nextUpdate is worth remembering: a year, as the longest that CAs give.
const WITHOUT_NEXT_UPDATE_SECONDS: i64 = 366 * 24 * 60 * 60;

/// What orders the CRLs of one place: thisUpdate, and within a second the number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Age {
    /// In seconds since 1970.
    this_update: i64,
    /// How many octets the number has.
    length: usize,
    /// The number in hexadecimal, without leading zeros.
    number: String,
}

impl Age {
    /// `None` if it is no CRL.
    pub(crate) fn of(crl: &[u8]) -> Option<Self> {
        CertificateList::decode(crl).ok().map(|crl| Self::of_list(&crl))
    }

    fn of_list(crl: &CertificateList<'_>) -> Self {
        let number = crl.extensions.number.unwrap_or_default();
        let leading = number.iter().take_while(|octet| **octet == 0).count();
        let number = number.get(leading..).unwrap_or_default();
        let (length, number) = (number.len(), encode_hex(number));
        Self { this_update: crl.this_update.seconds(), length, number }
    }

    pub(crate) fn this_update(&self) -> UnixSeconds {
        UnixSeconds::new(self.this_update)
    }
}

/// Whether a list revokes a certificate that somebody asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Says {
    /// It does not.
    NotRevoked,
    /// It does.
    Revoked,
}

/// What is remembered of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) age: Age,
    pub(crate) says: Says,
    /// Until when it matters, in seconds since 1970: after that, an older list has run out as well.
    until: i64,
}

impl Mark {
    /// `None` if it is no CRL.
    pub(crate) fn of(crl: &[u8], says: Says) -> Option<Self> {
        let list = CertificateList::decode(crl).ok()?;
        let age = Age::of_list(&list);
        let end = list.this_update.plus_seconds(WITHOUT_NEXT_UPDATE_SECONDS);
        let until = list.next_update.unwrap_or(end).seconds();
        Some(Self { age, says, until })
    }

    /// The mark of this list after one that was seen before.
    pub(crate) fn after(self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        Self { says: self.says.max(before.says), until: self.until.max(before.until), ..self }
    }

    /// Whether an older list can still be taken for the newest. By the clock of this computer, whatever
    /// time is verified as of.
    pub(crate) fn matters(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_secs()).unwrap_or(i64::MAX) < self.until
    }

    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&files::read_bounded(path, MOST_OCTETS).ok()?).ok()
    }
}
