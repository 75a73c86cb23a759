//! Which time is proven: timestamp authorities and logs vouch for times, and the policy says how many
//! of them must.
//!
//! If the policy demands n of them, the proven time is the n-th smallest by different authorities of
//! the trust root. So an attacker who wants a signature to look older than it is needs n authorities that
//! lie. With the smallest one, a second authority would make backdating easier and not harder. If the
//! policy demands none, no authority's word counts, and the verifier's clock judges: a time that nobody
//! asked for must not keep a certificate valid, or a revocation from counting.

use alloc::vec::Vec;

use super::{
    logged::{EntryOutcome, logged_times},
    proven::{ProvenTime, Voucher},
};
use crate::{order::sort_few, tsp::VerifiedTimestamp};

/// What timestamps and logs prove together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vouched<'v> {
    /// The time by which the signature existed, if the policy demands one and anybody vouches for it.
    /// If there are fewer authorities than the policy demands, the latest that they vouch for.
    pub(super) time: Option<ProvenTime<'v>>,
    /// How many different authorities were counted, at most as many as the policy demands.
    pub(super) authorities: usize,
}

/// What is proven if the policy demands `required` authorities; `None` if it demands none.
pub(super) fn vouched<'v>(
    timestamps: &'v [VerifiedTimestamp<'_>],
    entries: &'v [EntryOutcome<'_>],
    required: u8,
) -> Vouched<'v> {
    let mut all: Vec<ProvenTime<'v>> =
        timestamps.iter().map(VerifiedTimestamp::time).chain(logged_times(entries)).collect();
    sort_few(&mut all, |proven| proven.time());
    let mut counted: Vec<Voucher<'v>> = Vec::new();
    let mut time = None;
    for proven in all {
        if counted.len() == usize::from(required) {
            break;
        }
        if !counted.iter().any(|known| known.is_same(&proven.by())) {
            counted.push(proven.by());
            time = Some(proven);
        }
    }
    Vouched { time, authorities: counted.len() }
}
