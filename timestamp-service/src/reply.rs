//! Answers in the protocol: tokens and refusals, both with HTTP status 200.
//!
//! Only what is not RFC 3161 at all (path, method, media type, size, overload) is answered by HTTP.

use countersign_core::tsp::FailureInfo;
use countersign_daemon::request_id::RequestId;
use countersign_signing::tsp;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;

/// The media type of an answer, which clients compare exactly (RFC 3161 §3.4).
const REPLY_MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/timestamp-reply");

/// Why a request gets no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The bit of failInfo.
    pub(crate) failure: FailureInfo,
    /// What to change, for the client's user.
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn new(failure: FailureInfo, text: impl Into<String>) -> Self {
        Self { failure, text: text.into() }
    }
}

/// The answer to a request: its token or its refusal, with the request's identifier in the text.
pub(crate) fn answer(outcome: Result<Vec<u8>, Refusal>, request_id: RequestId) -> Response {
    let bytes = outcome.unwrap_or_else(|refusal| {
        let (failure, text) = (refusal.failure.name(), refusal.text.as_str());
        tracing::info!(%request_id, failure, text, "refused");
        tsp::refusal(refusal.failure, &format!("{text} (request {request_id})"))
    });
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, REPLY_MEDIA_TYPE);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
