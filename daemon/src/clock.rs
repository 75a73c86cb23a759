//! The time of day as a service sees it.
//!
//! Nothing here judges how accurate the clock is; [`is_plausible`] only tells a clock that was never set.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use countersign_core::time::UnixSeconds;

/// 2020-01-01T00:00:00Z in seconds since the Unix epoch: no machine that runs this program can
/// correctly have an earlier clock, but one whose battery failed starts at 1970 or 2000.
pub const EARLIEST_PLAUSIBLE_UNIX_SECONDS: u64 = 1_577_836_800;

/// A source of the current time, replaced by [`FixedClock`] in tests.
pub trait Clock: Debug + Send + Sync {
    /// The current time.
    fn now(&self) -> SystemTime;

    /// The current time in whole seconds.
    fn unix_now(&self) -> UnixSeconds {
        unix_seconds(self.now())
    }
}

/// The seconds of `time`, rounded down; 1970 for anything earlier.
pub fn unix_seconds(time: SystemTime) -> UnixSeconds {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::new(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}

/// Whether `time` is not before 2020.
pub fn is_plausible(time: SystemTime) -> bool {
    time >= SystemTime::UNIX_EPOCH + Duration::from_secs(EARLIEST_PLAUSIBLE_UNIX_SECONDS)
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct FixedClock(Mutex<SystemTime>);

impl FixedClock {
    /// A clock that shows `time`.
    pub fn new(time: SystemTime) -> Self {
        Self(Mutex::new(time))
    }

    /// Moves the clock to `time`, forwards or backwards.
    pub fn set(&self, time: SystemTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_clock_that_was_never_set() {
        let edge = SystemTime::UNIX_EPOCH + Duration::from_secs(EARLIEST_PLAUSIBLE_UNIX_SECONDS);
        assert!(is_plausible(edge));
        assert!(!is_plausible(edge - Duration::from_secs(1)));
    }

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = FixedClock::new(SystemTime::UNIX_EPOCH);
        assert_eq!(clock.now(), SystemTime::UNIX_EPOCH);
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
        clock.set(later);
        assert_eq!(clock.now(), later);
    }
}
