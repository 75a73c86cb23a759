//! CRLs of an issuer whose key is here: rebuilt at every revocation and before they run out.
//!
//! One number for each round: a complete list and the delta made with it have the same
//! (RFC 5280 §5.2.4), and all shards of a round. A list whose entries did not change is left as it is.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign_core::{crl::RevocationReason, limits, time::UnixSeconds};
use countersign_daemon::crash_point;
use countersign_signing::{crl, key::Signer};
use tokio::sync::Mutex;

use super::{
    CrlError, PublishedCrl,
    authority::Authority,
    build::{Built, Job, Round, Shards, Work},
    series::{Base, Deltas, Due, Series},
};
use crate::register::{
    CrlForm, CrlList, CrlScope,
    storage::{IssuerId, Revocation, RevocationChanges, RevocationList, Storage, StorageError},
};

/// How often a round is begun again because another replica was faster.
const ATTEMPTS: usize = 4;

/// How lists are made.
#[derive(Clone, Copy, Debug)]
pub struct CrlTimes {
    /// thisUpdate to nextUpdate of complete lists.
    pub validity_seconds: u32,
    /// The same of deltas; 0: there are none.
    pub delta_validity_seconds: u32,
}

/// Builds, lints, stores and publishes the CRLs of one issuer.
#[derive(Debug)]
pub struct Publisher {
    authority: Arc<Authority>,
    key: Arc<dyn Signer>,
    issuer: IssuerId,
    storage: Arc<Storage>,
    validity_seconds: i64,
    deltas: Deltas,
    series: Vec<Series>,
    /// One round at a time; who waits here finds its revision published by the one before, more
    /// often than not.
    building: Mutex<()>,
    /// Whether the last look found a CRL due that could not be made.
    failing: AtomicBool,
}

impl Publisher {
    /// A publisher that takes up the lists stored last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(
        authority: Arc<Authority>,
        key: Arc<dyn Signer>,
        issuer: IssuerId,
        storage: Arc<Storage>,
        times: CrlTimes,
    ) -> Result<Self, CrlError> {
        let url = authority.crl_url().unwrap_or_default();
        let scopes = CrlScope::all(authority.crl_shards());
        let series = scopes.into_iter().map(|scope| Series::new(scope, url)).collect();
        let publisher = Self {
            series,
            authority,
            key,
            issuer,
            storage,
            validity_seconds: i64::from(times.validity_seconds),
            deltas: match i64::from(times.delta_validity_seconds) {
                0 => Deltas::None,
                seconds => Deltas::For(seconds),
            },
            building: Mutex::new(()),
            failing: AtomicBool::new(false),
        };
        publisher.adopt().await?;
        Ok(publisher)
    }

    /// The whole CRL to serve.
    pub fn current(&self) -> Option<Arc<PublishedCrl>> {
        self.list(CrlList::WHOLE)
    }

    /// That list.
    pub fn list(&self, list: CrlList) -> Option<Arc<PublishedCrl>> {
        let series = self.series.iter().find(|series| series.scope == list.scope)?;
        match list.form {
            CrlForm::Complete => series.complete(),
            CrlForm::Delta if self.deltas != Deltas::None => series.delta(),
            CrlForm::Delta | CrlForm::DeltaBase => None,
        }
    }

    /// Every list that there is, with its place.
    pub fn lists(&self) -> impl Iterator<Item = (CrlList, Option<Arc<PublishedCrl>>)> {
        let deltas = self.deltas;
        self.series.iter().flat_map(move |series| {
            let complete = (series.list(CrlForm::Complete), series.complete());
            let delta = (series.list(CrlForm::Delta), series.delta());
            [Some(complete), (deltas != Deltas::None).then_some(delta)].into_iter().flatten()
        })
    }

    /// Whether a new CRL is due and could not be made: what is served may lack a revocation.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Makes sure that what is served contains storage revision `revision`.
    ///
    /// # Errors
    /// When a new CRL could not be made; the one before stays.
    pub async fn publish_revision(&self, revision: i64, now: UnixSeconds) -> Result<(), CrlError> {
        let enough = || self.series.iter().all(|series| series.shows(revision, now));
        if enough() {
            return Ok(());
        }
        let _building = self.building.lock().await;
        if enough() {
            return Ok(());
        }
        self.publish(revision, now).await
    }

    /// Makes new lists if there are none, half of their time is over, storage has moved on, or
    /// they are dated ahead of the clock, which was wrong then: no client would take them yet.
    ///
    /// # Errors
    /// When a new CRL could not be made; the one before stays.
    pub async fn refresh(&self, now: UnixSeconds) -> Result<(), CrlError> {
        let outcome = self.try_refresh(now).await;
        self.failing.store(outcome.is_err(), Ordering::Release);
        outcome
    }

    async fn try_refresh(&self, now: UnixSeconds) -> Result<(), CrlError> {
        let revision = self.storage.revision(self.issuer).await?;
        if !self.is_due(revision, now) {
            return Ok(());
        }
        let _building = self.building.lock().await;
        self.publish(revision, now).await
    }

    fn is_due(&self, revision: i64, now: UnixSeconds) -> bool {
        self.series.iter().any(|series| series.due(revision, self.deltas, now).is_some())
    }

    async fn adopt(&self) -> Result<(), StorageError> {
        let numbers = self.storage.stored_crl_numbers(self.issuer).await?;
        let what = (self.deltas, &numbers);
        for series in &self.series {
            series.adopt(&self.storage, self.issuer, &self.authority, what).await?;
        }
        Ok(())
    }

    async fn publish(&self, revision: i64, now: UnixSeconds) -> Result<(), CrlError> {
        let (not_before, not_after) = (self.authority.not_before(), self.authority.not_after());
        if now > not_after {
            return Err(CrlError::IssuerExpired { not_after });
        }
        if now < not_before {
            return Err(CrlError::ClockBehindIssuer { now, not_before });
        }
        let mut faster = None;
        for _ in 0..ATTEMPTS {
            // What another replica published is as good; and a list that does not follow what is
            // published now would be refused by storage.
            self.adopt().await?;
            if !self.is_due(revision, now) {
                return Ok(());
            }
            match self.round(revision, now).await {
                Err(CrlError::Storage(
                    error @ (StorageError::CrlNumber { .. } | StorageError::CrlRevision { .. }),
                )) => faster = Some(error),
                outcome => return outcome,
            }
        }
        Err(faster.map_or(CrlError::Abandoned, CrlError::Storage))
    }

    /// Makes everything that is due, under one number.
    async fn round(&self, revision: i64, now: UnixSeconds) -> Result<(), CrlError> {
        // On disk before it is signed: whatever happens from here on, this number never comes back.
        // Not below the clock: nor does it come back where the database is restored from a backup.
        let least = u64::try_from(now.seconds()).unwrap_or(0);
        let number = self.storage.reserve_crl_number(self.issuer, least).await?;
        let (Read { list, changes, touched }, this_update) = self.read_settled(now).await?;
        let revoked = list.entries.len();
        let shards = Shards::of(self.authority.crl_shards(), &list);
        let jobs = self.jobs(revision, (&list, &shards, &touched), now);
        let round = Round {
            number,
            this_update,
            list,
            shards,
            changes,
            validity_seconds: self.validity_seconds,
            delta_validity_seconds: match self.deltas {
                Deltas::For(seconds) => seconds,
                Deltas::None => 0,
            },
        };
        let (authority, key) = (Arc::clone(&self.authority), Arc::clone(&self.key));
        // Off the threads that serve connections: it grows with the entries.
        let building =
            tokio::task::spawn_blocking(move || round.build(&jobs, &authority, key.as_ref()));
        let built = building.await.map_err(|_| CrlError::Abandoned)??;
        crash_point::reach("crl.built");
        for built in built {
            self.put(built, number).await?;
        }
        tracing::info!(issuer = self.authority.name(), number, revoked, "CRLs published");
        Ok(())
    }

    /// What [`read`](Self::read) gives, and the thisUpdate of a list of it. A date after that, recorded
    /// while the clock was ahead, would void the whole list, and is moved to `now` for good: an earlier
    /// date is the stricter.
    async fn read_settled(&self, now: UnixSeconds) -> Result<(Read, UnixSeconds), StorageError> {
        let read = self.read().await?;
        let this_update = self.this_update(&read.list, now);
        let is_ahead = |(_, known): &(Vec<u8>, Revocation)| known.revocation_date > this_update;
        if !read.list.entries.iter().any(is_ahead) {
            return Ok((read, this_update));
        }
        self.storage.settle_dates(self.issuer, now).await?;
        let read = self.read().await?;
        let this_update = self.this_update(&read.list, now);
        Ok((read, this_update))
    }

    /// Everything that is revoked, and what changed: of one moment, since a complete list and a delta
    /// with one number say the same.
    async fn read(&self) -> Result<Read, StorageError> {
        let base = self.series.iter().filter_map(Series::base).map(|base| base.revision).min();
        let base = base.filter(|_| self.deltas != Deltas::None);
        let shown = self.series.iter().filter_map(Series::shown).min();
        loop {
            let list = self.storage.revocations(self.issuer).await?;
            let since = async |revision: Option<i64>| match revision {
                Some(revision) => self.storage.changes_since(self.issuer, revision).await.map(Some),
                None => Ok(None),
            };
            let (changes, touched) = (since(base).await?, since(shown).await?);
            let is_same = |changes: &RevocationChanges| changes.revision == list.revision;
            // Else revoked in between; nobody revokes faster than this reads for long.
            if changes.iter().chain(&touched).all(is_same) {
                let touched = touched.into_iter().flat_map(|changes| changes.entries);
                let touched = touched.map(|(serial, _)| serial).collect();
                return Ok(Read { list, changes, touched });
            }
        }
    }

    /// What is to be built. A series whose entries are those it shows already is not among it.
    fn jobs(
        &self,
        revision: i64,
        (list, shards, touched): (&RevocationList, &Shards, &[Vec<u8>]),
        now: UnixSeconds,
    ) -> Vec<Job> {
        let touched = touched_scopes(self.authority.crl_shards(), touched);
        let revision = revision.max(list.revision);
        let mut jobs = Vec::new();
        for (index, series) in self.series.iter().enumerate() {
            let mut due = series.due(revision, self.deltas, now);
            let is_unchanged = || {
                let has_list = series.complete().is_some();
                (has_list && !touched.contains(&series.scope))
                    || series.lists(entries(shards.entries(list, series.scope)))
            };
            // Not signed for nothing: with many shards a revocation concerns one, and the copies of the
            // others in caches stay good.
            if due == Some(Due::Change) && is_unchanged() {
                series.note_unchanged(list.revision);
                due = series.due(list.revision, self.deltas, now);
            }
            let Some(due) = due else { continue };
            let makes_deltas = self.deltas != Deltas::None;
            jobs.push(Job {
                index,
                scope: series.scope,
                url: series.url.clone(),
                delta_url: makes_deltas.then(|| series.delta_url()),
                work: if due == Due::Delta { Work::DeltaOnly } else { Work::Both },
                base: if makes_deltas { series.base() } else { None },
                // Deltas begin anew with a list that is made because of its age.
                begins_anew: makes_deltas && (due == Due::Renewal || series.base().is_none()),
            });
        }
        jobs
    }

    async fn put(&self, built: Built, number: u64) -> Result<(), CrlError> {
        let Some(series) = self.series.get(built.index) else { return Ok(()) };
        // In this order, since the service may die after each. A new complete list beside an old delta
        // says everything by itself. The base comes last: counted from an older base, a delta says more
        // than it must; counted from a complete list that nobody ever got, it would help nobody.
        let (storage, issuer) = (&*self.storage, self.issuer);
        let mut base = None;
        if let Some(complete) = built.complete {
            base = built.begins_anew.then_some(Base { number, revision: complete.revision });
            series.put(storage, issuer, CrlForm::Complete, complete).await?;
        }
        if let Some(delta) = built.delta {
            series.put(storage, issuer, CrlForm::Delta, delta).await?;
        }
        if let Some(base) = base {
            series.put_base(storage, issuer, base).await?;
        }
        Ok(())
    }

    /// Now; or, if the clock was set back a little since, the date of the CRL before or of the
    /// latest revocation: a newer CRL with an older date would look like the older one.
    fn this_update(&self, list: &RevocationList, now: UnixSeconds) -> UnixSeconds {
        let revoked = list.entries.iter().map(|(_, revocation)| revocation.revocation_date);
        let published = self.lists().filter_map(|(_, crl)| crl).map(|crl| crl.validity.this_update);
        let tolerated = now.plus_seconds(limits::CLOCK_SKEW_SECONDS);
        revoked
            .chain(published)
            .filter(|date| (now..=tolerated).contains(date))
            .max()
            .unwrap_or(now)
    }
}

/// What a round is made from.
struct Read {
    list: RevocationList,
    /// Since the oldest base of a delta, if there are deltas.
    changes: Option<RevocationChanges>,
    /// The serial numbers that changed since the oldest list that is served.
    touched: Vec<Vec<u8>>,
}

/// The scopes that those serial numbers belong to, so that no list is looked through for nothing.
fn touched_scopes(shards: &[u32], touched: &[Vec<u8>]) -> HashSet<CrlScope> {
    let of_serial = |serial: &Vec<u8>| {
        let shard = |of: &u32| CrlScope::Shard { index: crl::shard_of(serial, *of), of: *of };
        shards.iter().map(shard).chain([CrlScope::Whole]).collect::<Vec<_>>()
    };
    touched.iter().flat_map(of_serial).collect()
}

/// What a complete list of those entries has to say (serial, reason, date).
fn entries<'a>(
    entries: impl Iterator<Item = &'a (Vec<u8>, Revocation)>,
) -> impl Iterator<Item = (&'a [u8], RevocationReason, UnixSeconds)> {
    entries.map(|(serial, revocation)| {
        (serial.as_slice(), revocation.reason, revocation.revocation_date)
    })
}
