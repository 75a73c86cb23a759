//! When sources are asked and the clock is looked at.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::estimate::Estimate;
use super::source::{SourceError, TimeSource};
use super::{ClockState, Shared, nanos};

/// However urgent, a source is not asked again sooner: nobody's time server is stormed.
const LEAST_PAUSE: Duration = Duration::from_secs(8);

/// How much longer a source is left alone that asks for it.
const ASK_LESS_FACTOR: u32 = 16;

/// A clock that moved by more while a source was asked spoils its answer.
const MOST_DRIFT_WHILE_ASKING: Duration = Duration::from_millis(5);

/// How a source is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) poll: Duration,
    pub(super) timeout: Duration,
}

/// Asks a source for ever.
pub(super) async fn ask(
    shared: Arc<Shared>,
    index: usize,
    source: Box<dyn TimeSource>,
    timing: Timing,
) {
    let name = source.name().to_owned();
    let polls = |outcome| counter!("countersign_clock_polls_total", "source" => name.clone(), "outcome" => outcome);
    let (answered, failed) = (polls("answered"), polls("failed"));
    let mut failures = 0;
    loop {
        let asked = Instant::now();
        let pause = match measure(&shared, source.as_ref(), timing.timeout).await {
            Ok(estimate) => {
                answered.increment(1);
                if std::mem::take(&mut failures) > 0 {
                    tracing::info!(source = name, "the time source answers again");
                }
                shared.answered(index, estimate);
                timing.poll
            }
            Err(error) => {
                failed.increment(1);
                failures += 1;
                if failures == 1 {
                    tracing::warn!(source = name, %error, "the time source gives no time");
                }
                pause_after(&error, failures, timing.poll)
            }
        };
        let (due, earliest) = (asked + jittered(pause), asked + LEAST_PAUSE.min(pause));
        tokio::select! {
            () = sleep_until(due) => {}
            () = shared.nudge.notified() => sleep_until(earliest).await,
        }
    }
}

async fn measure(
    shared: &Shared,
    source: &dyn TimeSource,
    patience: Duration,
) -> Result<Estimate, SourceError> {
    let before = shared.readings.read();
    let measured = timeout(patience, source.measure()).await;
    let measured =
        measured.unwrap_or_else(|_| Err(SourceError::Failed("no answer in time".to_owned())))?;
    let at = shared.readings.read();
    if before.drift_to(at).saturating_abs() > nanos(MOST_DRIFT_WHILE_ASKING) {
        return Err(SourceError::Failed("the clock moved meanwhile".to_owned()));
    }
    let bound_nanos = nanos(measured.error_bound);
    Ok(Estimate { offset_nanos: measured.offset_nanos, bound_nanos, at })
}

/// Soon after the first failure, then ever later, up to the usual pause.
fn pause_after(error: &SourceError, failures: u32, poll: Duration) -> Duration {
    if let SourceError::AskLess(_) = error {
        return poll * ASK_LESS_FACTOR;
    }
    LEAST_PAUSE.saturating_mul(1 << (failures - 1).min(16)).min(poll.max(LEAST_PAUSE))
}

/// The pause, up to a tenth longer: replicas that start together shall not ask together for ever.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1000;
    pause + pause * u32::try_from(random).unwrap_or(0) / 10_000
}

/// Looks at the clock for as long as somebody holds the monitor or a source is asked.
pub(super) async fn tick(shared: Weak<Shared>, period: Duration) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match shared.upgrade() {
            Some(shared) => shared.look(),
            None => return,
        }
    }
}

/// The monitor's metrics.
pub(super) struct Figures {
    trusted: Gauge,
    offset_seconds: Gauge,
    error_bound_seconds: Gauge,
    steps: Counter,
}

impl Figures {
    pub(super) fn new() -> Self {
        Self {
            trusted: gauge!("countersign_clock_trusted"),
            offset_seconds: gauge!("countersign_clock_offset_seconds"),
            error_bound_seconds: gauge!("countersign_clock_error_bound_seconds"),
            steps: counter!("countersign_clock_steps_total"),
        }
    }

    pub(super) fn step(&self) {
        self.steps.increment(1);
    }

    pub(super) fn state(&self, state: ClockState) {
        let ClockState::Trusted(accuracy) = state else {
            self.trusted.set(0.0);
            return;
        };
        self.trusted.set(1.0);
        if let (Some(offset_nanos), Some(bound)) = (accuracy.offset_nanos, accuracy.error_bound) {
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            self.offset_seconds.set(offset_nanos as f64 / 1e9);
            self.error_bound_seconds.set(bound.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_source_is_asked_ever_later_and_one_that_asks_for_it_much_later() {
        let poll = Duration::from_secs(64);
        let failed = SourceError::Failed(String::new());
        let pauses: Vec<u64> =
            (1..=6).map(|count| pause_after(&failed, count, poll).as_secs()).collect();
        assert_eq!(pauses, [8, 16, 32, 64, 64, 64]);
        assert_eq!(pause_after(&SourceError::AskLess(String::new()), 1, poll).as_secs(), 1024);
        let jittered = jittered(poll);
        assert!(jittered >= poll && jittered < poll + poll / 10, "{jittered:?}");
    }
}
