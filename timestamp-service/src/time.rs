//! The time that goes into tokens.
//!
//! The clock is believed when it is not before 2020, lies within the certificate's validity, has not
//! gone back behind the last token by more than the token's accuracy covers, and when the clock
//! monitor of `countersign_daemon` trusts it and finds it within that accuracy. So what a token
//! states holds when it is stamped. No token has an earlier time than one before it. Nothing is
//! locked: the latest time is one atomic number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use countersign_core::time::UnixSeconds;
use countersign_daemon::clock::{self, Clock, unix_seconds};
use countersign_daemon::clock_monitor::{ClockMonitor, Untrusted};

use crate::issuer::Issuer;

/// A clock, and the latest time stamped by it.
#[derive(Debug)]
pub struct StampClock {
    clock: Arc<dyn Clock>,
    monitor: Option<ClockMonitor>,
    /// Nanoseconds since the Unix epoch, which last until 2554; no later token has an earlier time.
    latest_nanos: AtomicU64,
}

/// Why there is no time to stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
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
    /// The clock monitor does not trust it.
    #[error("{0}")]
    Untrusted(#[from] Untrusted),
    /// It is trusted, and not exact enough for the policy.
    #[error(
        "the clock may be off by {error_micros} µs, and the policy's accuracy leaves it {allowance_micros} µs"
    )]
    Inexact {
        /// How far it may be off.
        error_micros: u128,
        /// How far it may.
        allowance_micros: u128,
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

impl StampClock {
    /// A clock by which nothing was stamped yet. Without a monitor nothing is known of its error.
    pub fn new(clock: Arc<dyn Clock>, monitor: Option<ClockMonitor>) -> Self {
        Self { clock, monitor, latest_nanos: AtomicU64::new(0) }
    }

    /// What the clock says, believed or not.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The clock alone.
    pub(crate) fn source(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The time for a token that `issuer` signs, when the clock may be wrong by `allowance`.
    ///
    /// # Errors
    /// [`ClockError`]: then nothing may be stamped (failInfo timeNotAvailable).
    pub fn stamp(
        &self,
        now: SystemTime,
        issuer: &Issuer,
        allowance: Duration,
    ) -> Result<SystemTime, ClockError> {
        judge(now, issuer)?;
        let left = self.left_of(allowance)?;
        // Whoever read the clock earlier and comes later gets the later time.
        let before = self.latest_nanos.fetch_max(nanos(now), Ordering::AcqRel);
        settle(now, before, left)
    }

    /// As [`stamp`](Self::stamp) with the time of now, stamping nothing.
    ///
    /// # Errors
    /// As [`stamp`](Self::stamp).
    pub fn check(&self, issuer: &Issuer, allowance: Duration) -> Result<SystemTime, ClockError> {
        let now = self.now();
        judge(now, issuer)?;
        let left = self.left_of(allowance)?;
        settle(now, self.latest_nanos.load(Ordering::Acquire), left)
    }

    /// What the clock's error leaves of what it may be.
    fn left_of(&self, allowance: Duration) -> Result<Duration, ClockError> {
        let Some(monitor) = &self.monitor else { return Ok(allowance) };
        let Some(error) = monitor.check()?.error_bound else { return Ok(allowance) };
        allowance.checked_sub(error).ok_or(ClockError::Inexact {
            error_micros: error.as_micros(),
            allowance_micros: allowance.as_micros(),
        })
    }
}

fn judge(now: SystemTime, issuer: &Issuer) -> Result<(), ClockError> {
    if !clock::is_plausible(now) {
        return Err(ClockError::BeforeTwentyTwenty);
    }
    let seconds = unix_seconds(now);
    let (not_before, not_after) = (issuer.not_before(), issuer.not_after());
    if seconds < not_before || not_after < seconds {
        return Err(ClockError::OutsideCertificate { now: seconds, not_before, not_after });
    }
    Ok(())
}

/// The later of the two times, unless that is further from the clock than is left.
fn settle(now: SystemTime, latest_nanos: u64, left: Duration) -> Result<SystemTime, ClockError> {
    let latest = SystemTime::UNIX_EPOCH + Duration::from_nanos(latest_nanos);
    if now + left < latest {
        let (now, latest) = (unix_seconds(now), unix_seconds(latest));
        return Err(ClockError::WentBack { now, latest });
    }
    Ok(now.max(latest))
}

fn nanos(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
