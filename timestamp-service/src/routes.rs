//! Paths, methods and media types. Bodies are limited by `limits.max_body_bytes`.
//!
//! | path | method | takes | answers |
//! |---|---|---|---|
//! | `/` | POST | `application/timestamp-query` | `application/timestamp-reply` |
//! | `/livez`, `/readyz` | GET, HEAD | – | `application/json` |
//!
//! Anything else is 404, 405 with `Allow`, 413 or 415 as `application/problem+json`; so is
//! overload: 503 with `Retry-After`, at once, from `limits.max_in_flight` on. A refusal in the
//! protocol would tell clients that the request was wrong.

use std::sync::Arc;

use bytes::Bytes;
use countersign_daemon::health;
use countersign_daemon::media_type;
use countersign_daemon::problem::Problem;
use countersign_daemon::request_id::RequestId;
use http::{HeaderMap, Method};
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use crate::handlers;
use crate::state::{State, readiness};

/// The media type of a request (RFC 3161 §3.4).
const QUERY_MEDIA_TYPE: &str = "application/timestamp-query";

/// Every route of the public listener.
pub(crate) fn routes(
    state: Arc<State>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let health = health::routes(readiness(&state));
    let stamp = warp::path::end()
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<RequestId>())
        .and(warp::body::bytes())
        .then(move |method, headers, request_id, body| {
            let state = Arc::clone(&state);
            async move { stamp(state, &method, &headers, request_id, body).await }
        });
    stamp.or(health).unify()
}

/// The class of a path in the access log.
pub(crate) fn path_class(path: &str) -> &'static str {
    match path {
        "/" => "/",
        health::LIVE_PATH => health::LIVE_PATH,
        health::READY_PATH => health::READY_PATH,
        _ => "other",
    }
}

async fn stamp(
    state: Arc<State>,
    method: &Method,
    headers: &HeaderMap,
    request_id: RequestId,
    body: Bytes,
) -> Response {
    if method != Method::POST {
        return Problem::method_not_allowed(&[Method::POST]).into_response();
    }
    if !media_type::is(headers, QUERY_MEDIA_TYPE) {
        return Problem::unsupported_media_type(QUERY_MEDIA_TYPE).into_response();
    }
    handlers::stamp(state, body, request_id).await
}
