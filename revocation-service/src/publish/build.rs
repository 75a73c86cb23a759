//! One round of lists: built, signed and let through by the lint, off the threads that serve.

use std::collections::HashMap;

use countersign_core::time::UnixSeconds;
use countersign_signing::{
    crl::{self, CrlBuilder, CrlTerms, RevokedCertificate},
    key::Signer,
};

use super::{CrlError, PublishedCrl, authority::Authority, series::Base};
use crate::register::{
    CrlScope,
    storage::{Revocation, RevocationChanges, RevocationList},
};

/// What all lists of a round have in common.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) number: u64,
    pub(super) this_update: UnixSeconds,
    pub(super) list: RevocationList,
    /// Which of its entries belong to which shard.
    pub(super) shards: Shards,
    /// What changed since the oldest base; of the same revision as `list`.
    pub(super) changes: Option<RevocationChanges>,
    pub(super) validity_seconds: i64,
    pub(super) delta_validity_seconds: i64,
}

/// The lists of one scope that are to be made.
#[derive(Debug)]
pub(super) struct Job {
    /// Which series of the publisher.
    pub(super) index: usize,
    pub(super) scope: CrlScope,
    pub(super) url: String,
    /// Where its deltas are, if there are any.
    pub(super) delta_url: Option<String>,
    pub(super) work: Work,
    /// What its delta is counted from, if there is to be one.
    pub(super) base: Option<Base>,
    /// Whether later deltas are counted from the complete list made now.
    pub(super) begins_anew: bool,
}

/// Which lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// The complete one and the delta.
    Both,
    /// The delta.
    DeltaOnly,
}

/// The lists of one scope, made.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) index: usize,
    pub(super) complete: Option<PublishedCrl>,
    pub(super) delta: Option<PublishedCrl>,
    pub(super) begins_anew: bool,
}

/// The entries of a list by shard, worked out once: each serial number is divided once for every
/// count of shards, not once for every shard.
#[derive(Debug, Default)]
pub(super) struct Shards(HashMap<u32, Vec<Vec<usize>>>);

impl Shards {
    pub(super) fn of(counts: &[u32], list: &RevocationList) -> Self {
        let of_count = |of: &u32| {
            let mut shards = vec![Vec::new(); usize::try_from(*of).unwrap_or(0)];
            for (index, (serial, _)) in list.entries.iter().enumerate() {
                let shard = usize::try_from(crl::shard_of(serial, *of)).unwrap_or(usize::MAX);
                if let Some(shard) = shards.get_mut(shard) {
                    shard.push(index);
                }
            }
            (*of, shards)
        };
        Self(counts.iter().map(of_count).collect())
    }

    /// The entries of `list`, which this was made from, that belong to `scope`, in their order.
    pub(super) fn entries<'a>(
        &'a self,
        list: &'a RevocationList,
        scope: CrlScope,
    ) -> Box<dyn Iterator<Item = &'a (Vec<u8>, Revocation)> + 'a> {
        let CrlScope::Shard { index, of } = scope else { return Box::new(list.entries.iter()) };
        let shard = usize::try_from(index).ok().and_then(|index| self.0.get(&of)?.get(index));
        Box::new(shard.into_iter().flatten().filter_map(|index| list.entries.get(*index)))
    }
}

impl Round {
    /// Makes everything in `jobs`.
    ///
    /// # Errors
    /// The key did not sign, or the lint found a rule broken: nothing of the round is published.
    pub(super) fn build(
        &self,
        jobs: &[Job],
        authority: &Authority,
        key: &dyn Signer,
    ) -> Result<Vec<Built>, CrlError> {
        jobs.iter()
            .map(|job| {
                let complete = match job.work {
                    Work::Both => Some(self.complete(job, authority, key)?),
                    Work::DeltaOnly => None,
                };
                let delta = self.delta(job, authority, key)?;
                Ok(Built { index: job.index, complete, delta, begins_anew: job.begins_anew })
            })
            .collect()
    }

    fn terms(&self, job: &Job, authority: &Authority, validity_seconds: i64) -> CrlTerms {
        CrlTerms {
            number: self.number,
            this_update: self.this_update,
            next_update: self.this_update.plus_seconds(validity_seconds).min(authority.not_after()),
            distribution_point: job.url.clone(),
            // No entry is ever dropped.
            expired_certificates_since: Some(authority.not_before()),
        }
    }

    fn complete(
        &self,
        job: &Job,
        authority: &Authority,
        key: &dyn Signer,
    ) -> Result<PublishedCrl, CrlError> {
        let terms = self.terms(job, authority, self.validity_seconds);
        let mut builder = CrlBuilder::new(authority.certificate_der(), terms)?;
        if let Some(url) = &job.delta_url {
            builder = builder.with_deltas_at(url);
        }
        for (serial, revocation) in self.shards.entries(&self.list, job.scope) {
            builder.revoke(&Self::revoked(serial, revocation));
        }
        PublishedCrl::inspect(&builder.build(key)?.into(), self.list.revision, authority)
    }

    fn delta(
        &self,
        job: &Job,
        authority: &Authority,
        key: &dyn Signer,
    ) -> Result<Option<PublishedCrl>, CrlError> {
        let (Some(base), Some(changes)) = (job.base, &self.changes) else { return Ok(None) };
        let terms = self.terms(job, authority, self.delta_validity_seconds);
        let mut builder =
            CrlBuilder::new(authority.certificate_der(), terms)?.as_delta_since(base.number);
        for (serial, state) in &changes.entries {
            match state {
                _ if !job.scope.contains(serial) => {}
                Some(revocation) => builder.revoke(&Self::revoked(serial, revocation)),
                None => builder.lift(serial),
            }
        }
        PublishedCrl::inspect(&builder.build(key)?.into(), changes.revision, authority).map(Some)
    }

    fn revoked<'a>(serial: &'a [u8], revocation: &Revocation) -> RevokedCertificate<'a> {
        RevokedCertificate {
            serial,
            revocation_date: revocation.revocation_date,
            reason: revocation.reason,
        }
    }
}
