//! The outermost layer: request identifier, access line, and the body of problems.
//!
//! The access line has the class of the path, never the path: an OCSP request is its path, and says
//! who looks at what.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode};
use tower::{Layer, Service};
use warp::reply::{Reply, Response};

use crate::admission::Admission;
use crate::metrics::HttpFigures;
use crate::peer::ClientAddress;
use crate::problem::Problem;
use crate::request_id::{self, RequestId};

/// The target of access lines.
pub(crate) const TARGET: &str = module_path!();

/// Names the class of a path for log and metrics: a small fixed set.
pub type PathClasses = fn(&str) -> &'static str;

/// Wraps a service in [`Observe`].
#[derive(Debug, Clone)]
pub(crate) struct ObserveLayer {
    pub(crate) listener: &'static str,
    pub(crate) path_classes: PathClasses,
    pub(crate) admission: Admission,
    pub(crate) figures: Arc<HttpFigures>,
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, shared: self.clone() }
    }
}

/// The observed service.
#[derive(Debug, Clone)]
pub(crate) struct Observe<S> {
    inner: S,
    shared: ObserveLayer,
}

impl<S, B> Service<Request<B>> for Observe<S>
where
    S: Service<Request<B>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let request_id = RequestId::next();
        request.extensions_mut().insert(request_id);
        let admitted = self.shared.admission.admit(&mut request);
        let line = AccessLine {
            listener: self.shared.listener,
            figures: Arc::clone(&self.shared.figures),
            method: method_name(request.method()),
            path_class: (self.shared.path_classes)(request.uri().path()),
            client: request.extensions().get::<ClientAddress>().copied(),
            request_id,
            upstream_request_id: upstream_request_id(request.headers()),
            started: Instant::now(),
            status: None,
            code: None,
        };
        let answer = admitted.map(|_| self.inner.call(request));
        Box::pin(async move {
            let mut line = line;
            let mut response = match answer {
                Ok(answer) => match answer.await {
                    Ok(response) => response,
                },
                Err(problem) => problem.into_response(),
            };
            line.status = Some(response.status());
            if let Some(problem) = problem_of(&mut response) {
                line.code = Some(problem.code());
                let headers = std::mem::take(response.headers_mut());
                response = problem.render(request_id);
                keep_unless_of_the_body(&mut response, headers);
            }
            if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
                response.headers_mut().insert(request_id::HEADER, value);
            }
            Ok(response)
        })
    }
}

/// The problem that a reply reports: one of ours, or a rejection that warp wrote as plain text.
fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let status = response.status();
    let plain = response
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    let is_error = status.is_client_error() || status.is_server_error();
    (is_error && plain).then(|| Problem::of_rejection(status))
}

/// Keeps headers that a filter put on the reply (CORS, `Allow`), not those that describe the old body.
fn keep_unless_of_the_body(response: &mut Response, headers: HeaderMap) {
    let mut last = None;
    for (name, value) in headers {
        // A header map gives a name only with the first of its values.
        last = name.or(last);
        let Some(name) = &last else { continue };
        if *name != CONTENT_TYPE && *name != http::header::CONTENT_LENGTH {
            response.headers_mut().append(name.clone(), value);
        }
    }
}

/// A method of RFC 9110, or "other": a client may invent one as long as a header.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// An identifier that an outer proxy sent, when it is one that cannot disturb a log.
fn upstream_request_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(request_id::HEADER)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!value.is_empty() && value.len() <= 64 && value.bytes().all(harmless))
        .then(|| value.to_owned())
}

/// One request's line, written when it is dropped: also when the client went away first.
struct AccessLine {
    listener: &'static str,
    figures: Arc<HttpFigures>,
    method: &'static str,
    path_class: &'static str,
    client: Option<ClientAddress>,
    request_id: RequestId,
    upstream_request_id: Option<String>,
    started: Instant,
    status: Option<StatusCode>,
    code: Option<&'static str>,
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        let duration = self.started.elapsed();
        self.figures.ended(self.path_class, self.status, self.code, duration);
        tracing::info!(
            target: TARGET,
            listener = self.listener,
            method = self.method,
            path = self.path_class,
            status = self.status.map(|status| status.as_u16()),
            abandoned = self.status.is_none().then_some(true),
            code = self.code,
            duration_micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            request_id = %self.request_id,
            upstream_request_id = self.upstream_request_id,
            client = self.client.map(|client| tracing::field::display(client.0)),
            "request"
        );
    }
}

/// The classes of a service that names none.
pub(crate) fn default_path_classes(path: &str) -> &'static str {
    match path {
        crate::health::LIVE_PATH => "/livez",
        crate::health::READY_PATH => "/readyz",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_harmless_upstream_identifiers() {
        let id = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(request_id::HEADER, HeaderValue::from_str(value).expect("header"));
            upstream_request_id(&headers)
        };
        assert_eq!(id("a-1_b.2").as_deref(), Some("a-1_b.2"));
        assert_eq!(id("a b"), None);
        assert_eq!(id(""), None);
        assert_eq!(id(&"x".repeat(65)), None);
    }

    #[test]
    fn an_invented_method_does_not_get_into_the_log() {
        let invented = Method::from_bytes(&[b'A'; 5000]).expect("a token");
        assert_eq!((method_name(&Method::POST), method_name(&invented)), ("POST", "other"));
    }

    #[test]
    fn a_plain_rejection_becomes_a_problem_and_a_protocol_answer_does_not() {
        let mut plain = warp::reply::with_status("no", StatusCode::NOT_FOUND).into_response();
        assert_eq!(
            problem_of(&mut plain).map(|problem| problem.code()),
            Some("request.path.unknown")
        );
        let mut json = warp::reply::json(&1).into_response();
        *json.status_mut() = StatusCode::CONFLICT;
        assert!(problem_of(&mut json).is_none());
    }
}
