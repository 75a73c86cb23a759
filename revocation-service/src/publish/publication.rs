//! CRLs written to where others serve them: a folder, a bucket. Apart from everything else: a place
//! that is slow or gone holds up no answer and no revocation.
//!
//! Each place has a task of its own, which looks once a second for lists that are newer than what
//! is there. One that fails is tried again after 1, 2, 4 … 60 seconds, and everything there is
//! looked at anew then.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_daemon::{clock::Clock, shutdown::Shutdown};
use tokio::task::JoinSet;

#[cfg(feature = "object-store")]
use super::bucket::{BucketError, CrlBucket};
use super::{Issuers, PublicationConfig, due::Due, folder::CrlFolder};

/// How often lists are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long the last look may take, when the service stops.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// The longest wait before a place that failed is tried again.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The log tells of a place that goes on failing this often.
const COMPLAINT_INTERVAL: Duration = Duration::from_mins(10);

/// Lists written at once: the first time there may be thousands of shards.
const AT_ONCE: usize = 8;

/// Lists that fail before a place counts as gone and the rest waits: one bad object must not keep
/// the others from being written.
const FAULTS_OF_ONE_LOOK: usize = 8;

/// Why there is no such place.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The bucket.
    #[cfg(feature = "object-store")]
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

/// Every place that lists are written to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Publication {
    targets: Vec<Arc<Target>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Target {
    /// What figures call it.
    pub(crate) kind: &'static str,
    /// What people call it: a path, `s3://…`.
    address: String,
    place: Place,
    written: AtomicU64,
    /// When everything was last seen to be there, Unix time; 0 never.
    current_at: AtomicI64,
    failing: Mutex<Option<Failing>>,
}

#[derive(Debug)]
enum Place {
    Folder(Arc<CrlFolder>),
    #[cfg(feature = "object-store")]
    Bucket(CrlBucket),
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    complained: Instant,
    times: u32,
}

impl Publication {
    /// The places that are configured; nothing is asked of them yet. Caches may keep what is in a
    /// bucket for `max_age_seconds`.
    ///
    /// # Errors
    /// [`PublicationError`].
    pub(crate) fn open(
        config: &PublicationConfig,
        #[cfg_attr(not(feature = "object-store"), expect(unused_variables))] max_age_seconds: u32,
    ) -> Result<Self, PublicationError> {
        let mut targets = Vec::new();
        if let Some(folder) = &config.folder {
            let address = folder.display().to_string();
            let place = Place::Folder(Arc::new(CrlFolder::new(folder.clone())));
            targets.push(Target::new("folder", address, place));
        }
        #[cfg(feature = "object-store")]
        if let Some(bucket) = CrlBucket::open(config, max_age_seconds)? {
            let address = config.url.clone().unwrap_or_default();
            targets.push(Target::new("bucket", address, Place::Bucket(bucket)));
        }
        Ok(Self { targets: targets.into_iter().map(Arc::new).collect() })
    }

    /// The places.
    pub(crate) fn targets(&self) -> &[Arc<Target>] {
        &self.targets
    }

    /// Writes lists until the stop is asked for.
    pub(crate) async fn run(
        self,
        issuers: Arc<Issuers>,
        clock: Arc<dyn Clock>,
        shutdown: Shutdown,
    ) {
        let mut running = JoinSet::new();
        for target in self.targets {
            let (issuers, clock) = (Arc::clone(&issuers), Arc::clone(&clock));
            let shutdown = shutdown.clone();
            running.spawn(async move {
                tokio::select! {
                    () = shutdown.requested() => {}
                    () = target.follow(&issuers, clock.as_ref()) => {}
                }
            });
        }
        while running.join_next().await.is_some() {}
    }

    /// Writes what was published last, once nothing more is; what takes too long stays as it is
    /// until the next start.
    pub(crate) async fn finish(&self, issuers: &Issuers) {
        for target in &self.targets {
            let outcome = tokio::time::timeout(LAST_LOOK, target.look(issuers)).await;
            target.note(outcome.unwrap_or_else(|_| Err("the service stops".to_owned())));
        }
    }

    /// The places that fail, in words for `/readyz`.
    ///
    /// # Errors
    /// They do.
    pub(crate) fn ready(&self) -> Result<(), String> {
        let failing: Vec<String> = self
            .targets
            .iter()
            .filter_map(|target| {
                let seconds = target.failing_for()?.as_secs();
                Some(format!(
                    "CRLs cannot be written to the {} {} for {seconds} seconds; the log has the reason",
                    target.kind, target.address
                ))
            })
            .collect();
        if failing.is_empty() { Ok(()) } else { Err(failing.join("; ")) }
    }
}

impl Target {
    fn new(kind: &'static str, address: String, place: Place) -> Self {
        Self {
            kind,
            address,
            place,
            written: AtomicU64::new(0),
            current_at: AtomicI64::new(0),
            failing: Mutex::new(None),
        }
    }

    /// Lists written.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// When everything was last seen to be there, Unix time.
    pub(crate) fn current_at(&self) -> Option<i64> {
        Some(self.current_at.load(Ordering::Relaxed)).filter(|at| *at != 0)
    }

    /// For how long it has failed.
    pub(crate) fn failing_for(&self) -> Option<Duration> {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.as_ref().map(|failing| failing.since.elapsed())
    }

    async fn follow(self: &Arc<Self>, issuers: &Issuers, clock: &dyn Clock) {
        let random = RandomState::new();
        loop {
            let outcome = self.look(issuers).await;
            if outcome.is_ok() {
                self.current_at.store(clock.unix_now().seconds(), Ordering::Relaxed);
            }
            let times = self.note(outcome);
            tokio::time::sleep(wait(times, random.hash_one(times))).await;
        }
    }

    /// Writes what is newer than what is there.
    async fn look(self: &Arc<Self>, issuers: &Issuers) -> Result<(), String> {
        let mut lists = issuers.iter().flat_map(|issuer| {
            let name = issuer.authority.name();
            issuer.crl_lists().into_iter().filter_map(move |(list, crl)| {
                crl.map(|crl| Due { place: list.path(name), crl, issuer: Arc::clone(issuer) })
            })
        });
        let (mut writing, mut faults) = (JoinSet::new(), Vec::new());
        loop {
            while writing.len() < AT_ONCE
                && faults.len() < FAULTS_OF_ONE_LOOK
                && let Some(due) = lists.next()
            {
                writing.spawn(Arc::clone(self).write(due));
            }
            let Some(written) = writing.join_next().await else { break };
            match written {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => faults.push(fault),
                Err(_) => faults.push("writing a CRL panicked".to_owned()),
            }
        }
        faults.into_iter().next().map_or(Ok(()), Err)
    }

    async fn write(self: Arc<Self>, due: Due) -> Result<(), String> {
        let written = match &self.place {
            Place::Folder(folder) => {
                if folder.has(&due) {
                    return Ok(());
                }
                // It blocks.
                let (folder, due) = (Arc::clone(folder), due.clone());
                let writing = tokio::task::spawn_blocking(move || folder.write(&due));
                let written = writing.await.map_err(|_| "writing a CRL panicked".to_owned())?;
                written.map_err(|error| error.to_string())
            }
            #[cfg(feature = "object-store")]
            Place::Bucket(bucket) => {
                let written = bucket.write(&due).await;
                written.map_err(|error| format!("{}: {}", due.place, with_causes(&error)))
            }
        }?;
        if written {
            self.written.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(target = self.address, place = due.place, "CRL published");
        }
        Ok(())
    }

    /// Notes how a look went: how often it has failed in a row.
    fn note(&self, outcome: Result<(), String>) -> u32 {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let (kind, address) = (self.kind, &self.address);
        let Err(reason) = outcome else {
            if let Some(failed) = failing.take() {
                let seconds = failed.since.elapsed().as_secs();
                tracing::info!(kind, address, seconds, "CRLs are written again");
            }
            return 0;
        };
        match &self.place {
            Place::Folder(folder) => folder.forget_all(),
            #[cfg(feature = "object-store")]
            Place::Bucket(bucket) => bucket.forget_all(),
        }
        let now = Instant::now();
        let is_first = failing.is_none();
        let failing = failing.get_or_insert(Failing { since: now, complained: now, times: 0 });
        failing.times = failing.times.saturating_add(1);
        if is_first || failing.complained.elapsed() >= COMPLAINT_INTERVAL {
            failing.complained = now;
            tracing::error!(kind, address, reason, "CRLs cannot be written");
        }
        failing.times
    }
}

/// The wait after so many failures in a row: doubled each time, and up to a quarter less, so that
/// replicas do not come back together.
fn wait(times: u32, random: u64) -> Duration {
    let Some(doublings) = times.checked_sub(1) else { return INTERVAL };
    let longest = INTERVAL.saturating_mul(1 << doublings.min(6)).min(LONGEST_WAIT);
    let percent = 75 + u32::try_from(random % 26).unwrap_or(0);
    longest * percent / 100
}

/// An error with what led to it.
#[cfg(feature = "object-store")]
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_after_each_failure_and_never_much_longer_than_a_minute() {
        assert_eq!(wait(0, 7), INTERVAL);
        assert_eq!(wait(1, 25), INTERVAL);
        assert_eq!(wait(3, 25), Duration::from_secs(4));
        assert_eq!(wait(1000, 25), LONGEST_WAIT);
        assert_eq!(wait(1000, 0), Duration::from_secs(45));
    }
}
