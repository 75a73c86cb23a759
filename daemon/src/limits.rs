//! What one client may take of a service: time, memory, connections.
//!
//! [`LimitSettings`] is the `[limits]` table of a configuration file; [`Limits`] is what the server
//! works with. Rates per client are limited by [`crate::rate`].

use std::time::Duration;

use serde::Deserialize;

use crate::config::ConfigError;

/// The `[limits]` table. Every key may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Seconds for a TLS handshake, for a request's header, and for a first byte. Default 10, 1–300.
    pub header_timeout_seconds: u64,
    /// Seconds a connection may stay open between requests. Default 60, 1–3600. HTTP/1 connections
    /// close after `header_timeout_seconds` already when that is less.
    pub idle_timeout_seconds: u64,
    /// Seconds from a request's header to its answer, its body included. Default 30, 1–600.
    pub request_timeout_seconds: u64,
    /// Seconds a client may take to read an answer, after `request_timeout_seconds`. Default 300, 1–3600.
    pub response_timeout_seconds: u64,
    /// Seconds that open requests get after a signal to stop. Default 10, 0–600.
    pub drain_timeout_seconds: u64,
    /// Connections open at once; more wait in the system's queue. Default 4096, 1–1 000 000.
    pub max_connections: usize,
    /// Connections one address may have open; more are closed at once. Trusted proxies are not limited.
    /// Default: a quarter of `max_connections`, and at least 16; 1–1 000 000.
    pub max_connections_per_address: Option<usize>,
    /// Requests being answered at once; more get 503. Default 256, 1–100 000.
    pub max_in_flight: usize,
    /// Bytes of a request's body. Default 65536, 1–64 MiB.
    pub max_body_bytes: usize,
    /// Bytes of a request's header. Default 32768, 8192–1 MiB.
    pub max_header_bytes: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            header_timeout_seconds: 10,
            idle_timeout_seconds: 60,
            request_timeout_seconds: 30,
            response_timeout_seconds: 300,
            drain_timeout_seconds: 10,
            max_connections: 4096,
            max_connections_per_address: None,
            max_in_flight: 256,
            max_body_bytes: 64 * 1024,
            max_header_bytes: 32 * 1024,
        }
    }
}

impl LimitSettings {
    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let rows = [
            ("limits.header_timeout_seconds", self.header_timeout_seconds, 1, 300),
            ("limits.idle_timeout_seconds", self.idle_timeout_seconds, 1, 3600),
            ("limits.request_timeout_seconds", self.request_timeout_seconds, 1, 600),
            ("limits.response_timeout_seconds", self.response_timeout_seconds, 1, 3600),
            ("limits.drain_timeout_seconds", self.drain_timeout_seconds, 0, 600),
            ("limits.max_connections", count(self.max_connections), 1, 1_000_000),
            (
                "limits.max_connections_per_address",
                count(self.max_connections_per_address.unwrap_or(1)),
                1,
                1_000_000,
            ),
            ("limits.max_in_flight", count(self.max_in_flight), 1, 100_000),
            ("limits.max_body_bytes", count(self.max_body_bytes), 1, 64 * 1024 * 1024),
            ("limits.max_header_bytes", count(self.max_header_bytes), 8192, 1024 * 1024),
        ];
        rows.into_iter().try_for_each(|(key, value, least, most)| {
            ConfigError::check_range(key, value, least..=most)
        })
    }
}

/// The limits of one listener. Each names the attack it stops.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the TLS handshake, the first byte and each header: stops half-sent headers and silence.
    pub header_timeout: Duration,
    /// Between requests: stops idle connections from filling the limit.
    pub idle_timeout: Duration,
    /// From header to answer: stops slow bodies, and handlers that hang.
    pub request_timeout: Duration,
    /// After `request_timeout`, for the client to read its answer: stops readers that never read.
    pub response_timeout: Duration,
    /// What open requests get when the service stops.
    pub drain_timeout: Duration,
    /// Open connections: bounds file descriptors and memory.
    pub max_connections: usize,
    /// Open connections of one address: one client alone cannot take them all.
    pub max_connections_per_address: usize,
    /// Requests being answered: bounds the queue before the signing threads.
    pub max_in_flight: usize,
    /// Bytes of a body: bounds the memory of one request.
    pub max_body_bytes: usize,
    /// Bytes of a header: bounds the memory of one connection.
    pub max_header_bytes: usize,
    /// From a connection's beginning to its end, whatever it does: what TLS found out about the client
    /// (its certificate's authorities, their validity) grows no older. None by default.
    pub max_connection_age: Option<Duration>,
}

impl From<LimitSettings> for Limits {
    fn from(settings: LimitSettings) -> Self {
        Self {
            header_timeout: Duration::from_secs(settings.header_timeout_seconds),
            idle_timeout: Duration::from_secs(settings.idle_timeout_seconds),
            request_timeout: Duration::from_secs(settings.request_timeout_seconds),
            response_timeout: Duration::from_secs(settings.response_timeout_seconds),
            drain_timeout: Duration::from_secs(settings.drain_timeout_seconds),
            max_connections: settings.max_connections,
            max_connections_per_address: settings
                .max_connections_per_address
                .unwrap_or_else(|| share_of_one_address(settings.max_connections)),
            max_in_flight: settings.max_in_flight,
            max_body_bytes: settings.max_body_bytes,
            max_header_bytes: settings.max_header_bytes,
            max_connection_age: None,
        }
    }
}

/// What one address gets of `max_connections` if nobody says otherwise: never all of them.
///
/// Clients behind one address translator share it; a browser alone opens six.
fn share_of_one_address(max_connections: usize) -> usize {
    const LEAST: usize = 16;
    (max_connections / 4).max(LEAST)
}

impl Default for Limits {
    fn default() -> Self {
        LimitSettings::default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range() {
        LimitSettings::default().validate().expect("valid");
    }

    #[test]
    fn names_the_key_that_is_out_of_range() {
        let settings = LimitSettings { max_in_flight: 0, ..LimitSettings::default() };
        let error = settings.validate().expect_err("refused").to_string();
        assert!(error.contains("limits.max_in_flight") && error.contains("1–100000"), "{error}");
    }
}
