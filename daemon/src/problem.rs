//! Errors that HTTP itself answers, as `application/problem+json` (RFC 9457).
//!
//! A service answers a protocol fault in its protocol; this is for everything else. The request
//! identifier is added on the way out, so that a handler need not know it. What a problem says is
//! public: inner detail belongs in the log.

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;
use warp::reply::{Reply, Response};

use crate::request_id::RequestId;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error reply: status, stable dotted code, a sentence for people.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The members of the JSON object, RFC 9457 §3.1, and our two extension members.
#[derive(Serialize)]
struct Members<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: String,
}

impl Problem {
    /// A problem with `status`, the stable `code` (`request.too_large`) and a `detail` that says what to change.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), headers: Vec::new() }
    }

    /// 400 with that code.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404 for a path this service does not have.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "request.path.unknown", "There is nothing at this path.")
    }

    /// 405; `allowed` are the methods this path has (RFC 9110 §15.5.6 asks for `Allow`).
    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let names = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "request.method.not_allowed",
            format!("Use {names} for this path."),
        );
        match HeaderValue::from_str(&names) {
            Ok(value) => problem.with_header(ALLOW, value),
            Err(_) => problem,
        }
    }

    /// 415; `expected` is the media type to send.
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.media_type.unsupported",
            format!("Send the request with Content-Type: {expected}."),
        )
    }

    /// 500 that says nothing of the cause; log the cause if it is known.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "service.internal",
            "The service failed; its log has the reason under this request id.",
        )
    }

    /// 503 with `Retry-After`, in seconds.
    pub fn overloaded(retry_after_seconds: u64) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "service.overloaded",
            format!("Too many requests at once; try again in {retry_after_seconds} s."),
        )
        .with_header(http::header::RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// The same problem with one more reply header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The stable dotted code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The whole reply, with the request's identifier in its body.
    pub(crate) fn render(self, request_id: RequestId) -> Response {
        let members = Members {
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id: request_id.to_string(),
        };
        let body = serde_json::to_vec(&members).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // 404 and 405 may be kept by default (RFC 9110 §15.1), and a problem is one asker's.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().extend(self.headers);
        response
    }

    /// What a plain error reply of warp's own (an unrecovered rejection) becomes.
    pub(crate) fn of_rejection(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                status,
                "request.media_type.unsupported",
                "This path does not take the Content-Type of the request.",
            ),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "request.method.not_allowed",
                "This path does not have this method.",
            ),
            status if status.is_client_error() => {
                Self::new(status, "request.invalid", "The request is not one that this path takes.")
            }
            _ => Self::internal(),
        }
    }
}

impl Reply for Problem {
    /// An empty reply that carries the problem; the server writes the body when it knows the request's identifier.
    fn into_response(self) -> Response {
        let mut response = Response::new(Vec::new().into());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}
