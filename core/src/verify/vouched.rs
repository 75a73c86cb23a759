//! Which time is proven: timestamp authorities and logs vouch for times, and the policy says how many
//! of them must.
//!
//! If the policy demands n of them, the proven time is the n-th smallest by different authorities of
//! the trust root. So whoever wants a signature to look older than it is needs n authorities that
//! lie. With the smallest one, a second authority would make backdating easier and not harder.

use alloc::vec::Vec;

use super::logged::{EntryOutcome, logged_times};
use crate::{
    order::sort_few, time::ProvenTime, tlog::Log, trust::Authority, tsp::VerifiedTimestamp,
};

/// What timestamps and logs prove together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vouched {
    /// The time by which the signature existed, if anybody vouches for one. If there are fewer
    /// authorities than the policy demands, the latest that they vouch for.
    pub(super) time: Option<ProvenTime>,
    /// How many different authorities were counted, at most as many as the policy demands.
    pub(super) authorities: usize,
}

/// Somebody who vouched for a time.
#[derive(Clone, Copy, Debug)]
enum Voucher<'v, 'a> {
    /// A timestamp authority; several entries of the trust root, if it may be any of them.
    Stamp(&'v [&'a Authority]),
    /// A log.
    Log(&'a Log),
}

impl Voucher<'_, '_> {
    /// Whether both may be one authority: keys under one authority vouch no more than one does.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stamp(one), Self::Stamp(other)) => {
                one.iter().any(|one| other.iter().any(|other| one.is_same(other)))
            }
            (Self::Log(one), Self::Log(other)) => one.is_same(other),
            (Self::Stamp(_), Self::Log(_)) | (Self::Log(_), Self::Stamp(_)) => false,
        }
    }
}

/// What is proven if the policy demands `required` authorities; one counts where it demands none.
pub(super) fn vouched(
    timestamps: &[VerifiedTimestamp<'_>],
    entries: &[EntryOutcome<'_>],
    required: u8,
) -> Vouched {
    let stamped = timestamps.iter().map(|each| (each.time(), Voucher::Stamp(each.authorities())));
    let promised = logged_times(entries).map(|(time, log)| (time, Voucher::Log(log)));
    let mut all: Vec<_> = stamped.chain(promised).collect();
    sort_few(&mut all, |(time, _)| *time);
    let mut counted: Vec<Voucher<'_, '_>> = Vec::new();
    let mut proven = None;
    for (time, voucher) in all {
        if counted.len() == usize::from(required.max(1)) {
            break;
        }
        if !counted.iter().any(|known| known.is_same(&voucher)) {
            counted.push(voucher);
            proven = Some(time);
        }
    }
    Vouched { time: proven, authorities: counted.len() }
}
