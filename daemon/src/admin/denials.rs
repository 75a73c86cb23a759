//! What was denied, summed up: of equal denials the first is a line of the ledger, and those within the minute
//! after it are one more line together.
//!
//! Only administrators are counted, and places by their class, so that this stays small whatever is asked.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use countersign_core::time::UnixSeconds;

/// For how long what is repeated is summed up.
const WINDOW_SECONDS: i64 = 60;

/// What was denied to whom, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Denied {
    pub(crate) actor: String,
    /// The class of the path.
    pub(crate) path: &'static str,
    pub(crate) code: &'static str,
}

/// What was denied after its first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) denied: Denied,
    pub(crate) times: u64,
    /// When it was denied first.
    pub(crate) since: UnixSeconds,
    /// When it was denied last.
    pub(crate) until: UnixSeconds,
}

/// Whether what is noted is to be recorded now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    /// It is the first of its kind for a while.
    pub(crate) is_first: bool,
    /// What was summed up before it.
    pub(crate) sums: Vec<Sum>,
}

/// Which sums are to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those whose minute is over.
    Over,
    /// All of them: the service ends.
    All,
}

/// What is being summed up.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    windows: Mutex<HashMap<Denied, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: UnixSeconds,
    until: UnixSeconds,
    more: u64,
}

impl Window {
    /// A clock that was set back ends it too.
    fn is_over(&self, now: UnixSeconds) -> bool {
        now < self.since || now >= self.since.plus_seconds(WINDOW_SECONDS)
    }

    fn sum(self, denied: Denied) -> Option<Sum> {
        let Self { since, until, more: times } = self;
        (times > 0).then_some(Sum { denied, times, since, until })
    }
}

impl Denials {
    /// Notes one denial.
    pub(crate) fn note(&self, denied: Denied, now: UnixSeconds) -> Noted {
        let mut windows = self.windows();
        let new = Window { since: now, until: now, more: 0 };
        match windows.get_mut(&denied) {
            Some(window) if !window.is_over(now) => {
                window.more += 1;
                window.until = now;
                Noted { is_first: false, sums: Vec::new() }
            }
            _ => {
                let before = windows.insert(denied.clone(), new);
                let sums = before.and_then(|window| window.sum(denied)).into_iter().collect();
                Noted { is_first: true, sums }
            }
        }
    }

    /// Takes out what is to be recorded.
    pub(crate) fn take(&self, which: Which, now: UnixSeconds) -> Vec<Sum> {
        let mut windows = self.windows();
        let over: Vec<Denied> = windows
            .iter()
            .filter(|(_, window)| which == Which::All || window.is_over(now))
            .map(|(denied, _)| denied.clone())
            .collect();
        over.into_iter()
            .filter_map(|denied| windows.remove(&denied).and_then(|window| window.sum(denied)))
            .collect()
    }

    /// Nothing panics with the lock held.
    fn windows(&self) -> MutexGuard<'_, HashMap<Denied, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds::new(seconds)
    }

    fn denied(actor: &str) -> Denied {
        Denied { actor: actor.to_owned(), path: "/v1/revocations", code: "actor.forbidden" }
    }

    #[test]
    fn a_thousand_denials_are_two_lines() {
        let denials = Denials::default();
        assert!(denials.note(denied("bob"), at(1_000)).is_first);
        for second in 0..999 {
            let noted = denials.note(denied("bob"), at(1_000 + second / 20));
            assert_eq!(noted, Noted { is_first: false, sums: Vec::new() });
        }
        assert_eq!(denials.take(Which::Over, at(1_059)), []);
        assert!(denials.note(denied("carol"), at(1_059)).is_first, "each person for themselves");
        let sum = Sum { denied: denied("bob"), times: 999, since: at(1_000), until: at(1_049) };
        assert_eq!(denials.take(Which::Over, at(1_060)), [sum]);
        assert_eq!(denials.take(Which::All, at(1_060)), [], "carol's one is on record");
    }

    #[test]
    fn what_is_denied_again_later_brings_the_sum_with_it() {
        let denials = Denials::default();
        denials.note(denied("bob"), at(1_000));
        denials.note(denied("bob"), at(1_001));
        let noted = denials.note(denied("bob"), at(1_090));
        assert_eq!((noted.is_first, noted.sums.len()), (true, 1));
        denials.note(denied("bob"), at(1_091));
        assert_eq!(denials.take(Which::All, at(1_091)).len(), 1);
        // A clock that goes back holds nothing up.
        denials.note(denied("bob"), at(1_100));
        assert!(denials.note(denied("bob"), at(500)).is_first);
    }
}
