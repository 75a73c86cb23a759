//! What the requests share: the issuer, what is offered, and the time that may be stamped.
//!
//! The clock is believed when it is not before 2020, lies within the certificate's validity, and
//! has not gone back by more than the stated accuracy; drift against other clocks is not measured.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use const_oid::ObjectIdentifier;
use countersign_core::digest::HashAlgorithm;
use countersign_core::time::UnixSeconds;
use countersign_daemon::clock::{self, Clock};
use countersign_daemon::health::Readiness;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::issuer::{Issuer, unix_seconds};

/// The state of a running authority.
#[derive(Debug)]
pub struct State {
    issuer: ArcSwap<Issuer>,
    clock: Arc<dyn Clock>,
    accuracy: Duration,
    /// The latest time that was stamped; no later token has an earlier one.
    latest: Mutex<SystemTime>,
    pub(crate) offered_policies: Vec<ObjectIdentifier>,
    pub(crate) offered_hashes: Vec<HashAlgorithm>,
    /// Places for signatures being made.
    pub(crate) signing: Arc<Semaphore>,
}

/// Why there is no time to stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// The clock was never set.
    #[error("the clock is before 2020")]
    BeforeTwentyTwenty,
    /// The clock is outside the certificate's validity.
    #[error("the clock says {now}, and the certificate is valid from {not_before} to {not_after}")]
    OutsideCertificate {
        /// The clock.
        now: UnixSeconds,
        /// The certificate's first second.
        not_before: UnixSeconds,
        /// The certificate's last second.
        not_after: UnixSeconds,
    },
    /// The clock went back behind the last token by more than the accuracy.
    #[error(
        "the clock went back to {now}, after a token of {latest}; set it right, and restart the service if {latest} was wrong"
    )]
    WentBack {
        /// The clock.
        now: UnixSeconds,
        /// The latest time stamped.
        latest: UnixSeconds,
    },
}

impl State {
    /// The state of an authority that has stamped nothing yet. Values of `config` that do not
    /// validate offer nothing.
    pub fn new(config: &Config, issuer: Issuer, clock: Arc<dyn Clock>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let places = if config.max_signing == 0 { processors } else { config.max_signing };
        Self {
            issuer: ArcSwap::from_pointee(issuer),
            clock,
            accuracy: Duration::from_millis(config.accuracy_millis),
            latest: Mutex::new(SystemTime::UNIX_EPOCH),
            offered_policies: config.offered_policies().unwrap_or_default(),
            offered_hashes: config.offered_hashes().unwrap_or_default(),
            signing: Arc::new(Semaphore::new(places)),
        }
    }

    /// What signs now.
    pub fn issuer(&self) -> Arc<Issuer> {
        self.issuer.load_full()
    }

    /// Signs with another key from the next token on.
    pub fn replace_issuer(&self, issuer: Issuer) {
        tracing::info!(certificate = issuer.subject(), not_after = %issuer.not_after(), "signing key replaced");
        self.issuer.store(Arc::new(issuer));
    }

    /// The time for the next token of `issuer`: the clock's, never before an earlier token's.
    ///
    /// # Errors
    /// [`ClockFault`]: then nothing may be stamped (failInfo timeNotAvailable).
    pub fn next_gen_time(&self, issuer: &Issuer) -> Result<SystemTime, ClockFault> {
        // Read under the lock: between reading and comparing, no other request may stamp.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let time = self.judge(self.clock.now(), *latest, issuer)?;
        *latest = time;
        Ok(time)
    }

    /// As [`next_gen_time`](Self::next_gen_time), stamping nothing.
    ///
    /// # Errors
    /// As [`next_gen_time`](Self::next_gen_time).
    pub fn check_clock(&self, issuer: &Issuer) -> Result<SystemTime, ClockFault> {
        let latest = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        self.judge(self.clock.now(), latest, issuer)
    }

    fn judge(
        &self,
        now: SystemTime,
        latest: SystemTime,
        issuer: &Issuer,
    ) -> Result<SystemTime, ClockFault> {
        if !clock::is_plausible(now) {
            return Err(ClockFault::BeforeTwentyTwenty);
        }
        let seconds = unix_seconds(now);
        let (not_before, not_after) = (issuer.not_before(), issuer.not_after());
        if seconds < not_before || not_after < seconds {
            return Err(ClockFault::OutsideCertificate { now: seconds, not_before, not_after });
        }
        if now + self.accuracy < latest {
            return Err(ClockFault::WentBack { now: seconds, latest: unix_seconds(latest) });
        }
        Ok(now.max(latest))
    }
}

/// The checks of `/readyz`: `clock` (with the certificate's validity) and `key`.
pub(crate) fn readiness(state: &Arc<State>) -> Readiness {
    let (clock, key) = (Arc::clone(state), Arc::clone(state));
    Readiness::builder()
        .check("clock", move || {
            let outcome =
                clock.check_clock(&clock.issuer()).map(drop).map_err(|fault| fault.to_string());
            std::future::ready(outcome)
        })
        .check("key", move || {
            let (issuer, now) = (key.issuer(), key.clock.now());
            async move {
                match tokio::task::spawn_blocking(move || issuer.probe(now)).await {
                    Ok(Ok(())) => Ok(()),
                    _ => Err("the signing key does not sign".to_owned()),
                }
            }
        })
        .build()
}
