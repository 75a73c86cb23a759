//! Structured logs on standard error, as lines of text or of JSON.
//!
//! One line a request comes from the accept loop; standard output stays free for the lines that say
//! where a service listens.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use crate::{config::ConfigError, log_lines::LogLines};

/// The `[log]` table. Every key may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `"text"` or `"json"`. Default `"text"`.
    pub format: LogFormat,
    /// `"error"`, `"warn"`, `"info"`, `"debug"`, `"trace"`, or directives such as
    /// `"info,countersign_daemon=debug"`. Default `"info"`.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people: time, level, message, fields.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl LogSettings {
    /// Checks that the level can be read.
    ///
    /// # Errors
    /// [`ConfigError::Range`] for `log.level`.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.filter().map(|_| ())
    }

    fn filter(&self) -> Result<EnvFilter, ConfigError> {
        EnvFilter::builder().parse(&self.level).map_err(|error| {
            let expected = format!("error, warn, info, debug, trace or directives ({error})");
            ConfigError::refused_text("log.level", &self.level, expected)
        })
    }
}

/// Writes the lines that wait when it is dropped: to be held until the program ends.
#[derive(Debug)]
#[must_use = "lines that wait when the program ends would be lost"]
pub struct Logging {
    lines: LogLines,
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.lines.flush();
    }
}

/// Starts logging for the whole process; the first call counts, later ones change nothing.
///
/// # Errors
/// As [`LogSettings::validate`].
pub fn init(settings: &LogSettings) -> Result<Logging, ConfigError> {
    let lines = LogLines::to(Box::new(std::io::stderr()));
    let logging = Logging { lines: lines.clone() };
    let builder = tracing_subscriber::fmt().with_env_filter(settings.filter()?).with_writer(lines);
    // An error means that a subscriber is set already, as when tests run several services in one process.
    let _ = match settings.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(logging)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_level_that_does_not_exist() {
        let settings = LogSettings { level: "a=b=c".to_owned(), ..LogSettings::default() };
        assert!(settings.validate().is_err());
        LogSettings::default().validate().expect("valid");
    }
}
