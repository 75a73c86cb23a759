//! The `[clock]` table.

use std::time::Duration;

use serde::Deserialize;

use super::chrony::Chrony;
use super::schedule::Timing;
use super::sntp::Sntp;
use super::source::TimeSource;
use super::{Limits, nanos};

use crate::config::ConfigError;

/// The `[clock]` table. Every key may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockSettings {
    /// `"ntp:HOST"`, `"ntp:HOST:PORT"`, `"chrony"`. More than half must answer and agree: three or
    /// more NTP servers survive one that is wrong. Default: none, only the clock's steps are watched.
    pub sources: Vec<String>,
    /// Milliseconds that the clock may be off, uncertainty included. Default 500, 1–60 000.
    pub max_error_millis: u64,
    /// Milliseconds that the clock may be moved between two looks without being called a step.
    /// Default 100, 1–60 000.
    pub max_step_millis: u64,
    /// Seconds between two questions to a source. Default 64, 16–86 400.
    pub poll_seconds: u64,
    /// Seconds a source has for its answer. Default 5, 1–60.
    pub timeout_seconds: u64,
    /// Seconds for which an answer counts when no other comes. Default 3600, 16–86 400.
    pub holdover_seconds: u64,
    /// Without sources: seconds after a step or suspension before the clock is trusted again.
    /// Default 300, 0–86 400.
    pub settle_seconds: u64,
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            max_error_millis: 500,
            max_step_millis: 100,
            poll_seconds: 64,
            timeout_seconds: 5,
            holdover_seconds: 3600,
            settle_seconds: 300,
        }
    }
}

impl ClockSettings {
    /// Checks every value against its range, and how the sources are written.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rows = [
            ("clock.max_error_millis", self.max_error_millis, 1, 60_000),
            ("clock.max_step_millis", self.max_step_millis, 1, 60_000),
            ("clock.poll_seconds", self.poll_seconds, 16, 86_400),
            ("clock.timeout_seconds", self.timeout_seconds, 1, 60),
            ("clock.holdover_seconds", self.holdover_seconds, 16, 86_400),
            ("clock.settle_seconds", self.settle_seconds, 0, 86_400),
        ];
        rows.into_iter().try_for_each(|(key, value, least, most)| {
            ConfigError::check_range(key, value, least..=most)
        })?;
        self.open_sources().map(|_| ())
    }

    pub(super) fn open_sources(&self) -> Result<Vec<Box<dyn TimeSource>>, ConfigError> {
        let open = |text: &String| -> Result<Box<dyn TimeSource>, ConfigError> {
            match text.split_once(':') {
                None if text == "chrony" => Ok(Box::new(Chrony::in_path("chronyc"))),
                Some(("ntp", server)) if !server.is_empty() => {
                    Ok(Box::new(Sntp::new(text, server)))
                }
                _ => Err(ConfigError::refused_text(
                    "clock.sources",
                    text,
                    "\"ntp:HOST\", \"ntp:HOST:PORT\" or \"chrony\"",
                )),
            }
        };
        self.sources.iter().map(open).collect()
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            max_error: nanos(Duration::from_millis(self.max_error_millis)),
            max_step: nanos(Duration::from_millis(self.max_step_millis)),
            holdover: nanos(Duration::from_secs(self.holdover_seconds)),
            settle: nanos(Duration::from_secs(self.settle_seconds)),
        }
    }

    pub(super) fn timing(&self) -> Timing {
        Timing {
            poll: Duration::from_secs(self.poll_seconds),
            timeout: Duration::from_secs(self.timeout_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_sources_are_checked() {
        ClockSettings::default().validate().expect("valid");
        let with = |source: &str| ClockSettings {
            sources: vec![source.to_owned()],
            ..ClockSettings::default()
        };
        with("ntp:time.example").validate().expect("valid");
        with("chrony").validate().expect("valid");
        for wrong in ["time.example", "ntp:", "http://x", ""] {
            let error = with(wrong).validate().expect_err("refused").to_string();
            assert!(error.contains("clock.sources"), "{error}");
        }
    }
}
