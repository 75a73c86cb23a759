//! A time that is proven: by whom, and of what.

use alloc::string::String;

use super::logged::VerifiedEntry;
use crate::{
    digest::Digest, finding::quoted, time::UnixSeconds, tlog::Log, trust::Authority,
    tsp::VerifiedTimestamp, x509::name,
};

/// The upper bound of a time for which somebody of the trust root vouches: what was stamped or
/// logged existed by then.
///
/// It is nothing but a look at its proof, a timestamp or a log entry that was verified, so nobody
/// makes one without that. Whether enough different parties vouch is decided from several of them
/// (`vouched`).
#[derive(Clone, Copy, Debug)]
pub struct ProvenTime<'v> {
    time: UnixSeconds,
    proof: Proof<'v>,
}

#[derive(Clone, Copy, Debug)]
enum Proof<'v> {
    Timestamp(&'v VerifiedTimestamp<'v>),
    Entry(&'v VerifiedEntry<'v>),
    #[cfg(test)]
    Assumed,
}

/// Who vouches for a time.
#[derive(Clone, Copy, Debug)]
pub enum Voucher<'v> {
    /// A timestamp authority; several entries of the trust root if it may be any of them.
    Authority(&'v [&'v Authority]),
    /// A log.
    Log(&'v Log),
}

impl Voucher<'_> {
    /// Whether both may be one party: keys under one authority vouch no more than one does.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Authority(one), Self::Authority(other)) => {
                one.iter().any(|one| other.iter().any(|other| one.is_same(other)))
            }
            (Self::Log(one), Self::Log(other)) => one.is_same(other),
            (Self::Authority(_), Self::Log(_)) | (Self::Log(_), Self::Authority(_)) => false,
        }
    }
}

impl<'v> ProvenTime<'v> {
    /// What a timestamp proves: the latest time that its accuracy leaves (RFC 3161 §2.4.2).
    pub(crate) fn of_timestamp(timestamp: &'v VerifiedTimestamp<'v>) -> Self {
        Self { time: timestamp.info().latest(), proof: Proof::Timestamp(timestamp) }
    }

    /// What a log entry proves; `None` without a promise, since only that is signed with a time.
    pub(super) fn of_entry(entry: &'v VerifiedEntry<'v>) -> Option<Self> {
        entry.promised().map(|time| Self { time, proof: Proof::Entry(entry) })
    }

    /// A time that no test has to prove.
    #[cfg(test)]
    pub(crate) const fn assumed(time: UnixSeconds) -> Self {
        Self { time, proof: Proof::Assumed }
    }

    /// The time.
    pub const fn time(self) -> UnixSeconds {
        self.time
    }

    /// The digest of what existed by then: of a bundle's signature, or of whatever else was
    /// stamped.
    pub fn of(self) -> &'v Digest {
        match self.proof {
            Proof::Timestamp(timestamp) => timestamp.stamped(),
            Proof::Entry(entry) => entry.signature(),
            #[cfg(test)]
            Proof::Assumed => &crate::digest::OF_NOTHING,
        }
    }

    /// Who vouches for it.
    pub fn by(self) -> Voucher<'v> {
        match self.proof {
            Proof::Timestamp(timestamp) => Voucher::Authority(timestamp.authorities()),
            Proof::Entry(entry) => Voucher::Log(entry.log()),
            #[cfg(test)]
            Proof::Assumed => Voucher::Authority(&[]),
        }
    }

    /// Who vouches for it, by the name that its certificate or address has.
    pub fn by_text(self) -> String {
        quoted(match self.proof {
            Proof::Timestamp(timestamp) => name::friendly(timestamp.path().leaf().subject),
            Proof::Entry(entry) => entry.log().base_url.clone(),
            #[cfg(test)]
            Proof::Assumed => String::new(),
        })
    }
}
