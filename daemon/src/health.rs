//! `/livez` and `/readyz`.
//!
//! `/livez` says that the process answers. `/readyz` runs the named checks of the service, all at
//! once, and answers 200 when every one passes, else 503; a notice that fails is shown in the answer
//! and changes nothing else. Both are exempt from the limit on
//! requests in flight: an overloaded service is still alive. The checks run once at a time, however
//! many ask: who asks while they run shares the next run.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::problem::Problem;

/// The path of the liveness probe.
pub const LIVE_PATH: &str = "/livez";
/// The path of the readiness probe.
pub const READY_PATH: &str = "/readyz";

/// A check that takes longer counts as failed: a probe must answer before its asker gives up.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

type CheckFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

struct Check {
    name: &'static str,
    weight: Weight,
    run: Box<dyn Fn() -> CheckFuture + Send + Sync>,
}

/// What a check that fails means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Not ready.
    Decides,
    /// Somebody should know.
    Informs,
}

/// The named checks behind `/readyz`; clones share them.
#[derive(Clone, Default)]
pub struct Readiness {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    checks: Vec<Check>,
    /// How many runs have begun.
    begun_runs: AtomicU64,
    /// The number of the last finished run, and what it found. Held locked by the run.
    last_run: Mutex<(u64, Vec<CheckResult>)>,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.shared.checks.iter().map(|check| check.name)).finish()
    }
}

/// Collects the checks of a [`Readiness`].
#[derive(Default)]
pub struct ReadinessBuilder {
    checks: Vec<Check>,
}

impl fmt::Debug for ReadinessBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.checks.iter().map(|check| check.name)).finish()
    }
}

impl ReadinessBuilder {
    /// Adds a check. Its error is shown to anyone who asks `/readyz`: say what is wrong, not how it is built.
    #[must_use]
    pub fn check<F, R>(mut self, name: &'static str, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        let run = Box::new(move || -> CheckFuture { Box::pin(run()) });
        self.checks.push(Check { name, weight: Weight::Decides, run });
        self
    }

    /// Adds what is looked at and shown as a check is, but decides nothing: for what another
    /// replica would do no better.
    #[must_use]
    pub fn notice<F, R>(mut self, name: &'static str, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        let run = Box::new(move || -> CheckFuture { Box::pin(run()) });
        self.checks.push(Check { name, weight: Weight::Informs, run });
        self
    }

    /// The finished set of checks.
    pub fn build(self) -> Readiness {
        Readiness { shared: Arc::new(Shared { checks: self.checks, ..Shared::default() }) }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The check's name.
    pub name: &'static str,
    /// Whether it passed.
    pub ready: bool,
    /// Why not, when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip)]
    weight: Weight,
}

impl CheckResult {
    /// Whether it keeps the service from being ready.
    fn is_in_the_way(&self) -> bool {
        !self.ready && self.weight == Weight::Decides
    }
}

#[derive(Serialize)]
struct ReadyBody {
    ready: bool,
    checks: Vec<CheckResult>,
}

impl Readiness {
    /// Starts an empty set of checks.
    pub fn builder() -> ReadinessBuilder {
        ReadinessBuilder::default()
    }

    /// The results of a run of every check that began after this call, in the order the checks
    /// were added.
    pub async fn run(&self) -> Vec<CheckResult> {
        let begun_before = self.shared.begun_runs.load(Ordering::Acquire);
        let mut last_run = self.shared.last_run.lock().await;
        if last_run.0 <= begun_before {
            let number = self.shared.begun_runs.fetch_add(1, Ordering::AcqRel) + 1;
            *last_run = (number, self.run_now().await);
        }
        last_run.1.clone()
    }

    async fn run_now(&self) -> Vec<CheckResult> {
        let mut running = JoinSet::new();
        for index in 0..self.shared.checks.len() {
            let shared = Arc::clone(&self.shared);
            running.spawn(async move {
                let outcome = tokio::time::timeout(CHECK_TIMEOUT, (shared.checks[index].run)());
                (index, outcome.await)
            });
        }
        let mut reasons: Vec<Option<String>> =
            vec![Some("the check failed".to_owned()); self.shared.checks.len()];
        while let Some(finished) = running.join_next().await {
            // A check that panicked keeps the reason it started with.
            if let Ok((index, outcome)) = finished {
                reasons[index] = match outcome {
                    Ok(Ok(())) => None,
                    Ok(Err(reason)) => Some(reason),
                    Err(_) => Some("the check did not finish in time".to_owned()),
                };
            }
        }
        self.shared
            .checks
            .iter()
            .zip(reasons)
            .map(|(check, reason)| CheckResult {
                name: check.name,
                ready: reason.is_none(),
                reason,
                weight: check.weight,
            })
            .collect()
    }
}

/// Whether nothing is in the way.
fn is_ready(checks: &[CheckResult]) -> bool {
    !checks.iter().any(CheckResult::is_in_the_way)
}

/// The routes `/livez` and `/readyz`, for GET and HEAD.
pub fn routes(
    readiness: Readiness,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let live = warp::path!("livez")
        .and(warp::method())
        .map(|method: Method| answer(&method, StatusCode::OK, br#"{"live":true}"#.to_vec()));
    let ready = warp::path!("readyz").and(warp::method()).then(move |method: Method| {
        let readiness = readiness.clone();
        async move {
            let checks = readiness.run().await;
            let ready = is_ready(&checks);
            for check in checks.iter().filter(|check| check.is_in_the_way()) {
                tracing::warn!(check = check.name, reason = check.reason.as_deref(), "not ready");
            }
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let body = serde_json::to_vec(&ReadyBody { ready, checks }).unwrap_or_default();
            answer(&method, status, body)
        }
    });
    live.or(ready).unify()
}

fn answer(method: &Method, status: StatusCode, body: Vec<u8>) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return Problem::method_not_allowed(&[Method::GET, Method::HEAD]).into_response();
    }
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[tokio::test]
    async fn many_askers_share_a_run_that_began_after_they_asked() {
        let (runs, at_once) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, open) = (Arc::clone(&runs), Arc::clone(&at_once));
        let readiness = Readiness::builder()
            .check("slow", move || {
                let (counted, open) = (Arc::clone(&counted), Arc::clone(&open));
                async move {
                    counted.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(open.fetch_add(1, Ordering::SeqCst), 0, "two runs at once");
                    tokio::task::yield_now().await;
                    open.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                }
            })
            .build();
        let mut asking = JoinSet::new();
        for _ in 0..100 {
            let readiness = readiness.clone();
            asking.spawn(async move { readiness.run().await });
        }
        let answers = asking.join_all().await;
        assert!(answers.iter().all(|results| results.len() == 1 && results[0].ready));
        let shared_runs = runs.load(Ordering::SeqCst);
        assert!((1..=3).contains(&shared_runs), "{shared_runs}");
        readiness.run().await;
        assert_eq!(runs.load(Ordering::SeqCst), shared_runs + 1, "a later asker gets a fresh run");
    }

    #[tokio::test]
    async fn a_notice_is_shown_and_decides_nothing() {
        let readiness = Readiness::builder()
            .check("sound", || async { Ok(()) })
            .notice("aside", || async { Err("gone".to_owned()) })
            .build();
        let results = readiness.run().await;
        assert!(is_ready(&results));
        assert_eq!(results[1].reason.as_deref(), Some("gone"));
    }

    #[tokio::test]
    async fn a_check_that_panics_has_failed() {
        let readiness = Readiness::builder()
            .check("broken", || async { panic!("as asked") })
            .check("sound", || async { Ok(()) })
            .build();
        let results = readiness.run().await;
        assert_eq!((results[0].ready, results[1].ready), (false, true));
    }
}
