//! Paths, methods and media types. Bodies are limited by `limits.max_body_bytes`.
//!
//! | path | method | takes | answers |
//! |---|---|---|---|
//! | `/` | POST | `application/timestamp-query` | `application/timestamp-reply` |
//! | `/api/v1/timestamp` | POST | `application/timestamp-query`, `application/json` | `application/timestamp-reply` |
//! | `/api/v1/timestamp/certchain` | GET, HEAD | – | `application/pem-certificate-chain` |
//! | `/api/v1/openapi.json` | GET, HEAD | – | `application/json` |
//! | `/livez`, `/readyz` | GET, HEAD | – | `application/json` |
//!
//! Anything else is 400, 404, 405 with `Allow`, 413 or 415 as `application/problem+json`; so is
//! overload: 503 with `Retry-After`, at once, from `limits.max_in_flight` on. A refusal in the
//! protocol would tell clients that the request was wrong.

use std::sync::Arc;

use bytes::Bytes;
use countersign_daemon::health;
use countersign_daemon::media_type;
use countersign_daemon::problem::Problem;
use countersign_daemon::request_id::RequestId;
use http::{HeaderMap, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use crate::json::{self, JsonFault};
use crate::state::{State, readiness};
use crate::{handlers, reply};

/// The media type of a request (RFC 3161 §3.4).
const QUERY_MEDIA_TYPE: &str = "application/timestamp-query";
/// The media type of a request in JSON.
const JSON_MEDIA_TYPE: &str = "application/json";

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    /// RFC 3161.
    Stamp,
    /// RFC 3161 and JSON.
    ApiStamp,
    /// The certificates.
    CertificateChain,
    /// The description of the API.
    Description,
}

impl Endpoint {
    const ALL: [Self; 4] = [Self::Stamp, Self::ApiStamp, Self::CertificateChain, Self::Description];

    const fn path(self) -> &'static str {
        match self {
            Self::Stamp => "/",
            Self::ApiStamp => "/api/v1/timestamp",
            Self::CertificateChain => "/api/v1/timestamp/certchain",
            Self::Description => "/api/v1/openapi.json",
        }
    }

    fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }
}

/// Every route of the public listener.
pub(crate) fn routes(
    state: Arc<State>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let health = health::routes(readiness(&state));
    // One filter finds the path: a chain of filters would try one after the other at each request.
    let endpoint = warp::path::full().and_then(|path: FullPath| {
        std::future::ready(Endpoint::at(path.as_str()).ok_or_else(warp::reject::not_found))
    });
    let answer = endpoint
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<RequestId>())
        .and(warp::body::bytes())
        .then(move |endpoint, method, headers, request_id, body| {
            let state = Arc::clone(&state);
            async move { answer(state, endpoint, &method, &headers, request_id, body).await }
        });
    answer.or(health).unify()
}

/// The class of a path in the access log.
pub(crate) fn path_class(path: &str) -> &'static str {
    match path {
        health::LIVE_PATH => health::LIVE_PATH,
        health::READY_PATH => health::READY_PATH,
        _ => Endpoint::at(path).map_or("other", Endpoint::path),
    }
}

async fn answer(
    state: Arc<State>,
    endpoint: Endpoint,
    method: &Method,
    headers: &HeaderMap,
    request_id: RequestId,
    body: Bytes,
) -> Response {
    match endpoint {
        Endpoint::Stamp | Endpoint::ApiStamp => {
            if method != Method::POST {
                return Problem::method_not_allowed(&[Method::POST]).into_response();
            }
            let takes_json = endpoint == Endpoint::ApiStamp;
            if media_type::is(headers, QUERY_MEDIA_TYPE) {
                handlers::stamp(state, body, request_id).await
            } else if takes_json && media_type::is(headers, JSON_MEDIA_TYPE) {
                stamp_json(state, &body, request_id).await
            } else if takes_json {
                let expected = format!("{QUERY_MEDIA_TYPE} or {JSON_MEDIA_TYPE}");
                Problem::unsupported_media_type(&expected).into_response()
            } else {
                Problem::unsupported_media_type(QUERY_MEDIA_TYPE).into_response()
            }
        }
        Endpoint::CertificateChain | Endpoint::Description => {
            if method != Method::GET && method != Method::HEAD {
                return Problem::method_not_allowed(&[Method::GET, Method::HEAD]).into_response();
            }
            match endpoint {
                Endpoint::Description => reply::description(),
                _ => reply::certificate_chain(&state.issuer()),
            }
        }
    }
}

async fn stamp_json(state: Arc<State>, body: &[u8], request_id: RequestId) -> Response {
    match json::to_request(body) {
        Ok(request) => handlers::stamp(state, request.into(), request_id).await,
        Err(JsonFault::Refused(refusal)) => reply::answer(Err(refusal), request_id),
        Err(JsonFault::Malformed(detail)) => {
            let code = "request.body.malformed";
            let detail = format!("The body is not a timestamp request in JSON: {detail}.");
            Problem::new(StatusCode::BAD_REQUEST, code, detail).into_response()
        }
    }
}
