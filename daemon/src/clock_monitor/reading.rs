//! The machine's clocks, read together.

use std::fmt::Debug;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// The machine's clocks at one moment, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// `CLOCK_REALTIME`: since the Unix epoch.
    pub realtime_nanos: i64,
    /// `CLOCK_MONOTONIC_RAW`: the oscillator, which nobody sets or slews; stands still in suspension.
    pub oscillator_nanos: i64,
    /// `CLOCK_BOOTTIME` minus `CLOCK_MONOTONIC`: how long the machine was suspended since its start.
    pub suspended_nanos: i64,
}

impl Reading {
    /// Time that passed until `later` by the oscillator, suspension included.
    pub(super) fn elapsed_to(self, later: Self) -> i64 {
        later
            .oscillator_nanos
            .saturating_sub(self.oscillator_nanos)
            .saturating_add(self.suspended_to(later))
    }

    /// How far the clock moved until `later` beyond the time that passed: steps and slews.
    pub(super) fn drift_to(self, later: Self) -> i64 {
        later
            .realtime_nanos
            .saturating_sub(self.realtime_nanos)
            .saturating_sub(self.elapsed_to(later))
    }

    /// How long the machine was suspended until `later`.
    pub(super) fn suspended_to(self, later: Self) -> i64 {
        later.suspended_nanos.saturating_sub(self.suspended_nanos)
    }
}

/// Where readings come from.
pub trait Readings: Debug + Send + Sync {
    /// The clocks now.
    fn read(&self) -> Reading;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemReadings;

/// Clocks that are read further apart are read again: a pause between two would look like a step.
const CLOSE_NANOS: i64 = 200_000;

/// How often they are read again, on a machine that is too busy for it.
const TRIES: usize = 8;

impl Readings for SystemReadings {
    fn read(&self) -> Reading {
        let mut best = read_once();
        for _ in 1..TRIES {
            if best.0 <= CLOSE_NANOS {
                break;
            }
            let again = read_once();
            if again.0 < best.0 {
                best = again;
            }
        }
        best.1
    }
}

/// The clocks, and how long it took to read them.
fn read_once() -> (i64, Reading) {
    let nanos = |clock| {
        let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
        tv_sec.saturating_mul(1_000_000_000).saturating_add(tv_nsec)
    };
    let oscillator_nanos = nanos(ClockId::MonotonicRaw);
    let realtime_nanos = nanos(ClockId::Realtime);
    let (boottime, monotonic) = (nanos(ClockId::Boottime), nanos(ClockId::Monotonic));
    let took = nanos(ClockId::MonotonicRaw).saturating_sub(oscillator_nanos);
    let suspended_nanos = boottime.saturating_sub(monotonic);
    (took, Reading { realtime_nanos, oscillator_nanos, suspended_nanos })
}
