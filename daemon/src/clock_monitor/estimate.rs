//! What sources say of the clock, carried forward in time and brought together.

use super::Untrusted;
use super::reading::Reading;

/// How far an oscillator may be off its rate: 100 ppm, as much as the worst of them without a fault.
const OSCILLATOR_PPM: i64 = 100;

/// How far the clock was off at a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Estimate {
    /// The system's clock minus the true time.
    pub(super) offset_nanos: i64,
    /// How wrong the offset may be.
    pub(super) bound_nanos: i64,
    pub(super) at: Reading,
}

impl Estimate {
    /// The same at a later reading: the clock's own moves are known, the oscillator's are bounded.
    pub(super) fn projected(self, now: Reading) -> Self {
        let age = self.at.elapsed_to(now).max(0);
        Self {
            offset_nanos: self.offset_nanos.saturating_add(self.at.drift_to(now)),
            bound_nanos: self.bound_nanos.saturating_add(age / (1_000_000 / OSCILLATOR_PPM)),
            at: now,
        }
    }

    /// Whether both can be right.
    fn agrees_with(self, other: Self) -> bool {
        let apart = self.offset_nanos.saturating_sub(other.offset_nanos).saturating_abs();
        apart <= self.bound_nanos.saturating_add(other.bound_nanos)
    }
}

/// The median of the answers, when more than half of the sources have answered and agree with it.
pub(super) fn combine(mut answers: Vec<Estimate>, sources: usize) -> Result<Estimate, Untrusted> {
    let answered = answers.len();
    answers.sort_unstable_by_key(|answer| answer.offset_nanos);
    // Of two in the middle, either will do: they agree, or there is no majority.
    let median = answers.get(answered.saturating_sub(1) / 2).copied();
    let Some(median) = median.filter(|_| answered * 2 > sources) else {
        return Err(Untrusted::NoMajority { answered, sources });
    };
    let agreeing = answers.iter().filter(|answer| answer.agrees_with(median)).count();
    if agreeing * 2 > sources { Ok(median) } else { Err(Untrusted::Disagreement) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: i64 = 1_000_000;
    const ORIGIN: Reading = Reading { realtime_nanos: 0, oscillator_nanos: 0, suspended_nanos: 0 };

    fn estimates(offsets_and_bounds: &[(i64, i64)]) -> Vec<Estimate> {
        let estimate = |&(offset, bound): &(i64, i64)| Estimate {
            offset_nanos: offset * MILLI,
            bound_nanos: bound * MILLI,
            at: ORIGIN,
        };
        offsets_and_bounds.iter().map(estimate).collect()
    }

    #[test]
    fn the_median_wins_over_one_that_lies() {
        for lie in [-3_600_000, 3_600_000] {
            let combined = combine(estimates(&[(4, 10), (lie, 1), (6, 10)]), 3).expect("majority");
            assert!((4..=6).contains(&(combined.offset_nanos / MILLI)), "{combined:?}");
        }
    }

    #[test]
    fn more_than_half_must_answer_and_agree() {
        let of = |answers: &[(i64, i64)], sources| combine(estimates(answers), sources).map(|_| ());
        assert_eq!(of(&[(0, 5)], 1), Ok(()));
        assert_eq!(of(&[(0, 5)], 2), Err(Untrusted::NoMajority { answered: 1, sources: 2 }));
        assert_eq!(of(&[(0, 5), (3, 5)], 3), Ok(()));
        assert_eq!(of(&[(0, 5), (300, 5)], 2), Err(Untrusted::Disagreement));
        assert_eq!(of(&[(0, 5), (300, 5), (600, 5)], 3), Err(Untrusted::Disagreement));
        assert_eq!(of(&[], 3), Err(Untrusted::NoMajority { answered: 0, sources: 3 }));
    }

    #[test]
    fn an_estimate_follows_the_clock_and_grows_less_certain() {
        let estimate = estimates(&[(1, 2)])[0];
        let later = Reading {
            realtime_nanos: 1_000_030 * MILLI,
            oscillator_nanos: 1_000_000 * MILLI,
            suspended_nanos: 0,
        };
        let projected = estimate.projected(later);
        // 1000 s later, with the clock 30 ms ahead of the oscillator.
        assert_eq!((projected.offset_nanos, projected.bound_nanos), (31 * MILLI, 102 * MILLI));
    }
}
