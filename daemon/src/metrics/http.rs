//! What is counted of connections and requests. Handles are made once for each combination of
//! labels; all labels are small fixed sets.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use ::http::StatusCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Path class, status (0: abandoned), code (empty: none).
type Outcome = (&'static str, u16, &'static str);

/// The figures of one listener's requests.
pub(crate) struct HttpFigures {
    listener: &'static str,
    requests: RwLock<HashMap<Outcome, (Counter, Histogram)>>,
}

impl fmt::Debug for HttpFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFigures").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl HttpFigures {
    pub(crate) fn new(listener: &'static str) -> Self {
        Self { listener, requests: RwLock::new(HashMap::new()) }
    }

    /// A request ended; without a status, the client left first.
    pub(crate) fn ended(
        &self,
        path: &'static str,
        status: Option<StatusCode>,
        code: Option<&'static str>,
        duration: Duration,
    ) {
        let outcome = (path, status.map_or(0, |status| status.as_u16()), code.unwrap_or(""));
        let known = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((requests, seconds)) = known.get(&outcome) {
            requests.increment(1);
            seconds.record(duration);
            return;
        }
        drop(known);
        let mut known = self.requests.write().unwrap_or_else(PoisonError::into_inner);
        let (requests, seconds) = known.entry(outcome).or_insert_with(|| self.handles(outcome));
        requests.increment(1);
        seconds.record(duration);
    }

    fn handles(&self, (path, status, code): Outcome) -> (Counter, Histogram) {
        let listener = self.listener;
        let requests = counter!(
            "countersign_http_requests_total",
            "listener" => listener,
            "path" => path,
            "status" => status.to_string(),
            "code" => code
        );
        let seconds = histogram!(
            "countersign_http_request_seconds",
            "listener" => listener,
            "path" => path
        );
        (requests, seconds)
    }
}

/// The figures of one listener's connections.
#[derive(Clone)]
pub(crate) struct ConnectionFigures {
    open: Gauge,
    accepted: Counter,
    pub(crate) full: Counter,
    pub(crate) handshake_refused: Counter,
    pub(crate) handshake_timeout: Counter,
    pub(crate) idle: Counter,
    pub(crate) stuck: Counter,
    pub(crate) per_address: Counter,
}

impl fmt::Debug for ConnectionFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionFigures").finish_non_exhaustive()
    }
}

impl ConnectionFigures {
    pub(crate) fn new(listener: &'static str) -> Self {
        let ended = |reason| {
            counter!(
                "countersign_http_connections_ended_total",
                "listener" => listener,
                "reason" => reason
            )
        };
        Self {
            open: gauge!("countersign_http_connections", "listener" => listener),
            accepted: counter!("countersign_http_connections_total", "listener" => listener),
            full: counter!("countersign_http_full_total", "listener" => listener),
            handshake_refused: ended("handshake_refused"),
            handshake_timeout: ended("handshake_timeout"),
            idle: ended("idle"),
            stuck: ended("stuck"),
            per_address: ended("per_address"),
        }
    }

    /// Counts a connection as open until what is given is dropped.
    pub(crate) fn open(&self) -> OpenConnection {
        self.accepted.increment(1);
        self.open.increment(1.0);
        OpenConnection(self.open.clone())
    }
}

/// An open connection.
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
