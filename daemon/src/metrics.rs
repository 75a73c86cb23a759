//! Figures for Prometheus, on a listener of their own.
//!
//! [`Exporter::install`] comes first in a service's start: handles that are made before it count
//! nothing. What is measured where:
//!
//! | Name | Labels | What |
//! |---|---|---|
//! | `countersign_http_requests_total` | listener, path, status, code | requests by outcome; `code` is the problem's code, empty for none; status 0: the client left first |
//! | `countersign_http_request_seconds` | listener, path | time to an answer, histogram |
//! | `countersign_http_connections` | listener | open connections |
//! | `countersign_http_connections_total` | listener | connections accepted |
//! | `countersign_http_connections_ended_total` | listener, reason | connections that we ended: `handshake_refused`, `handshake_timeout`, `idle`, `stuck`, `per_address` |
//! | `countersign_http_full_total` | listener | how often every connection was taken |
//! | `countersign_tls_certificate_expiry_timestamp_seconds` | listener | notAfter, as Unix time |
//! | `countersign_tls_reloads_total` | listener, outcome | `loaded`, `refused` |
//! | `countersign_audit_records_total` | ledger | audit records kept |
//! | `countersign_audit_refused_total` | ledger, reason | records refused: `full`, `io`, `stopped`, `unfit` |
//! | `countersign_audit_batch_records` | ledger | records in a commit, histogram |
//! | `countersign_audit_commit_seconds` | ledger | time of a commit, histogram |
//! | `countersign_audit_wait_seconds` | ledger | how long the oldest record of a commit waited, histogram |
//! | `countersign_audit_queued_records` | ledger | records that wait now |
//! | `countersign_audit_lag_seconds` | ledger | how long the oldest of them has waited |
//! | `countersign_audit_ready` | ledger | 1 when records can be appended |
//! | `countersign_audit_head_sequence` | ledger | number of the last line |
//! | `countersign_clock_trusted` | | 1 when the clock can be trusted |
//! | `countersign_clock_offset_seconds` | | system clock minus sources, at the last measurement |
//! | `countersign_clock_error_bound_seconds` | | how far the clock may be off, offset included |
//! | `countersign_clock_polls_total` | source, outcome | questions to sources: `answered`, `failed` |
//! | `countersign_clock_steps_total` | | steps and suspensions that were seen |
//! | `process_*` | | resident memory, CPU seconds, open and allowed file descriptors, threads, start time |
//!
//! Services add their own. Nothing here says who asked what: labels are small fixed sets.

mod http;
mod process;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ::http::Method;
use ::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

pub(crate) use self::http::{ConnectionFigures, HttpFigures};

use crate::limits::Limits;
use crate::problem::Problem;
use crate::server::{Drained, Server};
use crate::shutdown::Shutdown;

/// The path of the figures.
pub const PATH: &str = "/metrics";

/// The media type of Prometheus' text format.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Histograms keep every value until they are rendered or tidied: without this, memory would grow
/// with the requests between two scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// From a cached answer (tens of microseconds) to a handler's time limit.
const SECONDS_BUCKETS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 10.0,
];

const RECORDS_BUCKETS: &[f64] =
    &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0];

/// What runs before figures are rendered; gone when it gives nothing.
type Collector = Box<dyn FnMut() -> Option<()> + Send>;

static COLLECTORS: Mutex<Vec<Collector>> = Mutex::new(Vec::new());

/// The figures of this process.
#[derive(Debug, Clone)]
pub struct Exporter {
    handle: PrometheusHandle,
}

/// Another recorder of figures is installed in this process.
#[derive(Debug, thiserror::Error)]
#[error("figures are recorded by something else already")]
pub struct InstallError;

impl Exporter {
    /// Begins to record the figures of this process; later calls give the same.
    ///
    /// # Errors
    /// Another recorder is installed.
    pub fn install() -> Result<Self, InstallError> {
        static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
        let install = || {
            let recorder = recorder().ok()?.build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).ok()?;
            process::describe();
            before_each_render(|| {
                process::collect();
                Some(())
            });
            Some(handle)
        };
        HANDLE.get_or_init(install).clone().map(|handle| Self { handle }).ok_or(InstallError)
    }

    /// The figures as they are now, in Prometheus' text format. Blocks for some file reads in `/proc`.
    pub fn render(&self) -> String {
        let mut collectors = COLLECTORS.lock().unwrap_or_else(PoisonError::into_inner);
        collectors.retain_mut(|collect| collect().is_some());
        drop(collectors);
        self.handle.render()
    }

    /// Serves [`PATH`] on `listener` until `shutdown`, and keeps the figures tidy meanwhile.
    pub async fn serve(
        self,
        program: &'static str,
        listener: TcpListener,
        shutdown: Shutdown,
    ) -> Drained {
        let limits = Limits {
            max_connections: 64,
            max_in_flight: 8,
            max_body_bytes: 1024,
            ..Limits::default()
        };
        let server = Server::new(program, "metrics")
            .with_limits(limits)
            .with_path_classes(|path| if path == PATH { PATH } else { "other" });
        let serving = server.serve(listener, self.routes(), shutdown);
        tokio::select! {
            drained = serving => drained,
            never = self.keep_tidy() => match never {},
        }
    }

    async fn keep_tidy(&self) -> std::convert::Infallible {
        let mut ticks = interval(UPKEEP_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
        }
    }

    fn routes(
        &self,
    ) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
        let exporter = self.clone();
        warp::path!("metrics").and(warp::method()).then(move |method: Method| {
            let exporter = exporter.clone();
            async move { exporter.answer(&method).await }
        })
    }

    async fn answer(self, method: &Method) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return Problem::method_not_allowed(&[Method::GET, Method::HEAD]).into_response();
        }
        let Ok(text) = tokio::task::spawn_blocking(move || self.render()).await else {
            return Problem::internal().into_response();
        };
        let mut response = Response::new(text.into());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Runs `collect` before figures are rendered, until it gives nothing: for gauges whose value is
/// read and not counted.
pub fn before_each_render(collect: impl FnMut() -> Option<()> + Send + 'static) {
    COLLECTORS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(collect));
}

fn recorder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_records".to_owned()), RECORDS_BUCKETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_what_was_counted_and_what_is_read_from_the_process() {
        let exporter = Exporter::install().expect("installed");
        Exporter::install().expect("the same again");
        metrics::counter!("countersign_test_total", "kind" => "a").increment(3);
        metrics::histogram!("countersign_test_seconds").record(0.003);
        let text = exporter.render();
        for line in [
            "countersign_test_total{kind=\"a\"} 3",
            "countersign_test_seconds_bucket{le=\"0.0025\"} 0",
            "countersign_test_seconds_bucket{le=\"0.005\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        for name in
            ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"]
        {
            let value = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
                .unwrap_or_else(|| panic!("{name}\n{text}"));
            assert!(value > 0.0 || name.contains("cpu"), "{name} {value}");
        }
    }

    #[test]
    fn a_collector_that_gives_nothing_is_dropped() {
        let exporter = Exporter::install().expect("installed");
        let mut runs = 0;
        let (says, told) = std::sync::mpsc::channel();
        before_each_render(move || {
            runs += 1;
            says.send(runs).ok()?;
            (runs < 2).then_some(())
        });
        for _ in 0..4 {
            exporter.render();
        }
        assert_eq!(told.iter().collect::<Vec<_>>(), [1, 2]);
    }
}
