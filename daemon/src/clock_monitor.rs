//! Whether the system's clock can be trusted, and how far it may be off.
//!
//! Time sources (NTP servers, or chrony on this machine) are asked now and then; between their
//! answers the clock is watched against the machine's oscillator, so that a step shows at the very
//! next [`ClockMonitor::check`], not at the next answer. What a source said ages: the error that it
//! vouches for grows until it is renewed. More than half of the sources must have answered, and
//! agree. Whatever fails comes right by itself.
//!
//! Without sources only the clock's steps and the machine's suspensions can be seen; the log says so.
//!
//! Nothing here sets a clock. NTP's answers are not authenticated: who can forge them can stop a
//! service from issuing, but cannot make it issue a wrong time, since the time stays the system's.
//!
//! ```no_run
//! # async fn example(shutdown: countersign_daemon::shutdown::Shutdown) -> Result<(), Box<dyn std::error::Error>> {
//! use countersign_daemon::clock_monitor::{ClockMonitor, ClockSettings};
//! let settings = ClockSettings { sources: vec!["ntp:192.0.2.1".into()], ..ClockSettings::default() };
//! let monitor = ClockMonitor::start(&settings, shutdown)?;
//! match monitor.check() {
//!     Ok(accuracy) => println!("trusted: {accuracy:?}"),
//!     Err(reason) => println!("not trusted: {reason}"),
//! }
//! # Ok(()) }
//! ```

mod chrony;
mod estimate;
mod reading;
mod schedule;
mod settings;
mod sntp;
mod source;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

pub use self::reading::{Reading, Readings, SystemReadings};
pub use self::settings::ClockSettings;
pub use self::source::{Measurement, Measuring, SourceError, TimeSource};

use self::estimate::{Estimate, combine};
use self::schedule::Figures;

use crate::clock::EARLIEST_PLAUSIBLE_UNIX_SECONDS;
use crate::config::ConfigError;
use crate::shutdown::Shutdown;

/// The clock is checked this often, whether or not anybody asks.
const TICK: Duration = Duration::from_secs(1);

/// A judgement that was not renewed for so long is none: the monitor itself is stuck.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// A suspension that is shorter is an artefact of reading two clocks one after the other.
const LEAST_SUSPENSION: Duration = Duration::from_millis(500);

/// How far the clock may be slewed against the oscillator without a step: 1000 ppm, twice the kernel's most.
const SLEW_PPM: i64 = 1000;

/// How far a trusted clock may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accuracy {
    /// The system's clock minus the sources' time, in nanoseconds; none without sources.
    pub offset_nanos: Option<i64>,
    /// The most by which the clock may differ from the true time, the offset included; none without sources.
    pub error_bound: Option<Duration>,
}

/// Why the clock cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It shows a time before 2020.
    #[error("the clock was never set")]
    Implausible,
    /// Too few sources have answered since the start, or lately.
    #[error("{answered} of {sources} time sources have answered")]
    NoMajority {
        /// How many did.
        answered: usize,
        /// How many there are.
        sources: usize,
    },
    /// The sources contradict each other.
    #[error("the time sources disagree")]
    Disagreement,
    /// It may be further off than is allowed.
    #[error("the clock may be off by {error_millis} ms; {max_error_millis} ms are allowed")]
    Inaccurate {
        /// How far it may be off.
        error_millis: u64,
        /// How far it may.
        max_error_millis: u64,
    },
    /// It was set, and nothing has vouched for it since.
    #[error("the clock was set forwards or backwards")]
    Stepped,
    /// The machine slept, and nothing has vouched for its clock since.
    #[error("the machine was suspended")]
    Suspended,
    /// The monitor does not run.
    #[error("the clock is not being watched")]
    Stalled,
}

/// What the monitor thinks of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// It can be used.
    Trusted(Accuracy),
    /// It cannot.
    Untrusted(Untrusted),
}

/// Watches the system's clock; clones share it.
#[derive(Clone)]
pub struct ClockMonitor {
    shared: Arc<Shared>,
}

impl fmt::Debug for ClockMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockMonitor").field("state", &*self.shared.state.borrow()).finish()
    }
}

/// What tasks and callers share.
struct Shared {
    limits: Limits,
    readings: Box<dyn Readings>,
    /// What the sources said last, and what the clock did since the last look.
    memory: Mutex<Memory>,
    /// The last judgement, for callers.
    judged: ArcSwap<Judged>,
    state: watch::Sender<ClockState>,
    /// Asks the sources' tasks to ask now.
    nudge: Notify,
    figures: Figures,
}

/// What may be, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    max_error: i64,
    max_step: i64,
    holdover: i64,
    settle: i64,
}

struct Memory {
    last: Reading,
    latest: Vec<Option<Estimate>>,
    /// Without sources: when the clock was last seen to be wrong, and why.
    disturbed: Option<(Reading, Untrusted)>,
}

/// A judgement, and the reading it was made at.
#[derive(Debug, Clone, Copy)]
struct Judged {
    at: Reading,
    basis: Result<Option<Estimate>, Untrusted>,
}

impl ClockMonitor {
    /// Watches the clock until `shutdown`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A source is written wrongly, or a value out of range.
    pub fn start(settings: &ClockSettings, shutdown: Shutdown) -> Result<Self, ConfigError> {
        settings.validate()?;
        let sources = settings.open_sources()?;
        Ok(Self::start_with(settings, sources, Box::new(SystemReadings), shutdown))
    }

    /// As [`start`](Self::start), with sources and clocks of the caller's; for tests.
    pub fn start_with(
        settings: &ClockSettings,
        sources: Vec<Box<dyn TimeSource>>,
        readings: Box<dyn Readings>,
        shutdown: Shutdown,
    ) -> Self {
        if sources.is_empty() {
            tracing::warn!(
                "no time sources are configured: only steps of the clock and suspensions can be seen"
            );
        }
        let now = readings.read();
        let monitor =
            Self { shared: Arc::new(Shared::new(settings, sources.len(), readings, now)) };
        monitor.shared.look();
        for (index, source) in sources.into_iter().enumerate() {
            let asking =
                schedule::ask(Arc::clone(&monitor.shared), index, source, settings.timing());
            spawn_until(shutdown.clone(), asking);
        }
        spawn_until(shutdown, schedule::tick(Arc::downgrade(&monitor.shared), TICK));
        monitor
    }

    /// Whether the clock can be trusted at this moment, and how far it may be off. Costs a few
    /// readings of clocks; call it for every answer that carries a time.
    ///
    /// # Errors
    /// Why it cannot be trusted.
    pub fn check(&self) -> Result<Accuracy, Untrusted> {
        let now = self.shared.readings.read();
        self.shared.judged.load().judge(now, &self.shared.limits)
    }

    /// Tells of every change; what is in it is what was so at the last look, at most a second ago.
    pub fn watch(&self) -> watch::Receiver<ClockState> {
        self.shared.state.subscribe()
    }

    /// As [`check`](Self::check), in words for `/readyz`.
    ///
    /// # Errors
    /// Why the clock cannot be trusted.
    pub fn ready(&self) -> Result<(), String> {
        self.check().map(|_| ()).map_err(|untrusted| untrusted.to_string())
    }
}

fn spawn_until(shutdown: Shutdown, work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown.requested() => {}
            () = work => {}
        }
    });
}

impl Shared {
    fn new(
        settings: &ClockSettings,
        sources: usize,
        readings: Box<dyn Readings>,
        now: Reading,
    ) -> Self {
        let basis = Err(Untrusted::NoMajority { answered: 0, sources });
        Self {
            limits: settings.limits(),
            readings,
            memory: Mutex::new(Memory { last: now, latest: vec![None; sources], disturbed: None }),
            judged: ArcSwap::from_pointee(Judged { at: now, basis }),
            state: watch::Sender::new(ClockState::Untrusted(Untrusted::NoMajority {
                answered: 0,
                sources,
            })),
            nudge: Notify::new(),
            figures: Figures::new(),
        }
    }

    /// Takes an answer of a source.
    fn answered(&self, index: usize, estimate: Estimate) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.latest[index] = Some(estimate);
        drop(memory);
        self.look();
    }

    /// Looks at the clock and judges it.
    fn look(&self) {
        let now = self.readings.read();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(disturbance) = self.limits.disturbance(memory.last, now) {
            self.figures.step();
            tracing::warn!(
                moved_millis = memory.last.drift_to(now) / 1_000_000,
                suspended_millis = memory.last.suspended_to(now) / 1_000_000,
                "{disturbance}"
            );
            memory.disturbed = Some((now, disturbance));
            if disturbance == Untrusted::Suspended {
                memory.latest.fill(None);
            }
            self.nudge.notify_waiters();
        }
        memory.last = now;
        let judged = Judged { at: now, basis: self.basis(&memory, now) };
        drop(memory);
        let state = match judged.judge(now, &self.limits) {
            Ok(accuracy) => ClockState::Trusted(accuracy),
            Err(untrusted) => ClockState::Untrusted(untrusted),
        };
        self.judged.store(Arc::new(judged));
        self.figures.state(state);
        self.tell(state);
    }

    /// What a judgement rests on: the sources' estimate, or nothing but a clock that ran evenly.
    fn basis(&self, memory: &Memory, now: Reading) -> Result<Option<Estimate>, Untrusted> {
        if !memory.latest.is_empty() {
            let live = memory.latest.iter().flatten();
            let live = live.filter(|estimate| estimate.at.elapsed_to(now) <= self.limits.holdover);
            let projected = live.map(|estimate| estimate.projected(now)).collect();
            return combine(projected, memory.latest.len()).map(Some);
        }
        match memory.disturbed {
            Some((since, why)) if since.elapsed_to(now) < self.limits.settle => Err(why),
            _ => Ok(None),
        }
    }

    fn tell(&self, state: ClockState) {
        let mut news = None;
        self.state.send_if_modified(|known| {
            let turned = !matches!(
                (*known, state),
                (ClockState::Trusted(_), ClockState::Trusted(_))
                    | (ClockState::Untrusted(_), ClockState::Untrusted(_))
            );
            news = turned.then_some(state);
            std::mem::replace(known, state) != state
        });
        match news {
            Some(ClockState::Trusted(accuracy)) => tracing::info!(
                offset_micros = accuracy.offset_nanos.map(|nanos| nanos / 1000),
                error_bound_micros = accuracy
                    .error_bound
                    .map(|bound| u64::try_from(bound.as_micros()).unwrap_or(u64::MAX)),
                "the clock is trusted"
            ),
            Some(ClockState::Untrusted(untrusted)) => {
                tracing::error!(reason = %untrusted, "the clock is not trusted");
            }
            None => {}
        }
    }
}

impl Limits {
    /// Whether the clock was set or the machine suspended between two readings.
    fn disturbance(&self, from: Reading, to: Reading) -> Option<Untrusted> {
        if from.suspended_to(to) > nanos(LEAST_SUSPENSION) {
            return Some(Untrusted::Suspended);
        }
        let slewed = from.elapsed_to(to) / (1_000_000 / SLEW_PPM);
        (from.drift_to(to).saturating_abs() > self.max_step + slewed).then_some(Untrusted::Stepped)
    }
}

impl Judged {
    fn judge(&self, now: Reading, limits: &Limits) -> Result<Accuracy, Untrusted> {
        let earliest = i64::try_from(EARLIEST_PLAUSIBLE_UNIX_SECONDS).unwrap_or(i64::MAX);
        if now.realtime_nanos / 1_000_000_000 < earliest {
            return Err(Untrusted::Implausible);
        }
        let disturbance = limits.disturbance(self.at, now);
        if disturbance == Some(Untrusted::Suspended) {
            return Err(Untrusted::Suspended);
        }
        if self.at.elapsed_to(now) > nanos(STALLED_AFTER) {
            return Err(Untrusted::Stalled);
        }
        let Some(estimate) = self.basis? else {
            // Sources would tell whether the step was wrong or right; without them it is doubtful.
            let nothing_known = Accuracy { offset_nanos: None, error_bound: None };
            return disturbance.map_or(Ok(nothing_known), Err);
        };
        let projected = estimate.projected(now);
        let error = projected.offset_nanos.saturating_abs().saturating_add(projected.bound_nanos);
        if error > limits.max_error {
            let millis = |nanos: i64| u64::try_from(nanos).unwrap_or(0).div_ceil(1_000_000);
            return Err(Untrusted::Inaccurate {
                error_millis: millis(error),
                max_error_millis: millis(limits.max_error),
            });
        }
        let error_bound = Duration::from_nanos(u64::try_from(error).unwrap_or(u64::MAX));
        let offset_nanos = Some(projected.offset_nanos);
        Ok(Accuracy { offset_nanos, error_bound: Some(error_bound) })
    }
}

/// A duration in nanoseconds; none here comes near the end of `i64`, 292 years.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
