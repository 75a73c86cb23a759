//! The figures of this service, beside those that `countersign_daemon` has of every one.
//!
//! | Name | Labels | What |
//! |---|---|---|
//! | `countersign_timestamp_responses_total` | outcome | answers: `granted`, the name of a failInfo, or `overloaded` |
//! | `countersign_timestamp_signing_seconds` | | how long a token took to make, histogram |
//! | `countersign_timestamp_certificate_expiry_timestamp_seconds` | key | notAfter as Unix time, of the `current` key and the `next` |
//! | `countersign_timestamp_rotation_timestamp_seconds` | | when the next key takes over; 0 for never |
//! | `countersign_timestamp_reloads_total` | outcome | SIGHUPs: `loaded`, `refused` |

use std::time::Duration;

use countersign_core::tsp::FailureInfo;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Handles to the figures, made once; recording is an atomic operation or two.
#[derive(Debug)]
pub(crate) struct Figures {
    granted: Counter,
    overloaded: Counter,
    refused: [Counter; FailureInfo::ALL.len()],
    signing_seconds: Histogram,
    loaded: Counter,
    reload_refused: Counter,
    current_expiry: Gauge,
    next_expiry: Gauge,
    rotation: Gauge,
}

/// How a reload went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reload {
    /// What was read is in use.
    Loaded,
    /// Some of it cannot be used; that stayed as it was.
    Refused,
}

/// When certificates end and keys change, as Unix time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyTimes {
    pub(crate) current_not_after: i64,
    /// The next key's notAfter, and when it takes over.
    pub(crate) next: Option<(i64, i64)>,
}

impl Figures {
    pub(crate) fn new() -> Self {
        let response = |outcome: &'static str| counter!("countersign_timestamp_responses_total", "outcome" => outcome);
        let reload = |outcome: &'static str| counter!("countersign_timestamp_reloads_total", "outcome" => outcome);
        let expiry = |key: &'static str| gauge!("countersign_timestamp_certificate_expiry_timestamp_seconds", "key" => key);
        Self {
            granted: response("granted"),
            overloaded: response("overloaded"),
            refused: FailureInfo::ALL.map(|failure| response(failure.name())),
            signing_seconds: histogram!("countersign_timestamp_signing_seconds"),
            loaded: reload("loaded"),
            reload_refused: reload("refused"),
            current_expiry: expiry("current"),
            next_expiry: expiry("next"),
            rotation: gauge!("countersign_timestamp_rotation_timestamp_seconds"),
        }
    }

    pub(crate) fn granted(&self) {
        self.granted.increment(1);
    }

    pub(crate) fn overloaded(&self) {
        self.overloaded.increment(1);
    }

    pub(crate) fn refused(&self, failure: FailureInfo) {
        let known = FailureInfo::ALL.iter().zip(&self.refused);
        if let Some((_, counter)) = known.into_iter().find(|(known, _)| **known == failure) {
            counter.increment(1);
        }
    }

    pub(crate) fn signed_in(&self, duration: Duration) {
        self.signing_seconds.record(duration);
    }

    pub(crate) fn reloaded(&self, outcome: Reload) {
        match outcome {
            Reload::Loaded => self.loaded.increment(1),
            Reload::Refused => self.reload_refused.increment(1),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double's 53 bits")]
    pub(crate) fn keys(&self, times: KeyTimes) {
        let (next_not_after, rotation) = times.next.unwrap_or_default();
        self.current_expiry.set(times.current_not_after as f64);
        self.next_expiry.set(next_not_after as f64);
        self.rotation.set(rotation as f64);
    }
}
