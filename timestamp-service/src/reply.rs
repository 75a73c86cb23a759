//! Answers in the protocol: tokens and refusals, both with HTTP status 200.
//!
//! Only what is not RFC 3161 at all (path, method, media type, size, overload) is answered by HTTP.

use countersign_core::tsp::FailureInfo;
use countersign_daemon::request_id::RequestId;
use countersign_signing::{pem, tsp};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;

use crate::issuer::Issuer;

/// The media type of an answer, which clients compare exactly (RFC 3161 §3.4).
const REPLY_MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/timestamp-reply");

/// The media type of the certificates (RFC 8555 §9.1).
const CHAIN_MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/pem-certificate-chain");

/// The description of the API; a test holds it against the routes.
const DESCRIPTION: &str = include_str!("../openapi.json");

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

/// The certificates of the key that signs now, PEM, its own first.
pub(crate) fn certificate_chain(issuer: &Issuer) -> Response {
    let mut response = Response::new(pem::encode_certificates(issuer.chain()).into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, CHAIN_MEDIA_TYPE);
    // Another key may sign tomorrow.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The description of the API, by `OpenAPI`.
pub(crate) fn description() -> Response {
    let mut response = Response::new(DESCRIPTION.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
