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
use countersign_daemon::peer::ClientAddress;
use countersign_daemon::problem::Problem;
use countersign_daemon::request_id::RequestId;
use countersign_daemon::route::{BodyLimit, Row, Table};
use http::{HeaderMap, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use crate::handlers::Asked;
use crate::json::{self, JsonError};
use crate::state::{State, readiness};
use crate::{handlers, reply};

/// The media type of a request (RFC 3161 §3.4).
const QUERY_MEDIA_TYPE: &str = "application/timestamp-query";
/// The media type of a request in JSON.
const JSON_MEDIA_TYPE: &str = "application/json";

const STAMP: &[Method] = &[Method::POST];
const LOOK: &[Method] = &[Method::GET, Method::HEAD];

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    /// RFC 3161, and JSON at `/api/v1/timestamp`.
    Stamp,
    /// The certificates.
    CertificateChain,
    /// The description of the API.
    Description,
}

const fn stamps(path: &'static str, takes: &'static [&'static str]) -> Row<Endpoint> {
    Row { methods: STAMP, path, takes, body: BodyLimit::Listener, endpoint: Endpoint::Stamp }
}

const fn shows(path: &'static str, endpoint: Endpoint) -> Row<Endpoint> {
    Row { methods: LOOK, path, takes: &[], body: BodyLimit::Listener, endpoint }
}

/// Everything but `/livez` and `/readyz`, which are daemon's.
const TABLE: Table<Endpoint> = Table(&[
    stamps("/", &[QUERY_MEDIA_TYPE]),
    stamps("/api/v1/timestamp", &[QUERY_MEDIA_TYPE, JSON_MEDIA_TYPE]),
    shows("/api/v1/timestamp/certchain", Endpoint::CertificateChain),
    shows("/api/v1/openapi.json", Endpoint::Description),
]);

/// Every route of the public listener.
pub(crate) fn routes(
    state: Arc<State>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let health = health::routes(readiness(&state));
    // One filter finds the path: a chain of filters would try one after the other at each request.
    let place = warp::path::full().and_then(|path: FullPath| {
        let is_there = TABLE.place(path.as_str()).is_some();
        std::future::ready(if is_there { Ok(path) } else { Err(warp::reject::not_found()) })
    });
    let answer = place
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<RequestId>())
        .and(warp::ext::get::<ClientAddress>())
        .and(warp::body::bytes())
        .then(move |path, method, headers, request_id, client: ClientAddress, body| {
            let (state, asked) = (Arc::clone(&state), Asked { by: client.into(), request_id });
            async move {
                let answered = answer(state, &path, &method, &headers, asked, body).await;
                answered.unwrap_or_else(Problem::into_response)
            }
        });
    answer.or(health).unify()
}

/// The class of a path in the access log.
pub(crate) fn path_class(path: &str) -> &'static str {
    match path {
        health::LIVE_PATH => health::LIVE_PATH,
        health::READY_PATH => health::READY_PATH,
        _ => TABLE.class(path).unwrap_or("other"),
    }
}

async fn answer(
    state: Arc<State>,
    path: &FullPath,
    method: &Method,
    headers: &HeaderMap,
    asked: Asked,
    body: Bytes,
) -> Result<Response, Problem> {
    let (row, _) = TABLE.find(method, path.as_str())?;
    row.require_media_type(headers)?;
    Ok(match row.endpoint {
        Endpoint::Stamp if media_type::is(headers, QUERY_MEDIA_TYPE) => {
            handlers::stamp(state, body, asked).await
        }
        Endpoint::Stamp => stamp_json(state, &body, asked).await,
        Endpoint::CertificateChain => reply::certificate_chain(&state.issuer()),
        Endpoint::Description => reply::description(),
    })
}

async fn stamp_json(state: Arc<State>, body: &[u8], asked: Asked) -> Response {
    match json::to_request(body) {
        Ok(request) => handlers::stamp(state, request.into(), asked).await,
        Err(JsonError::Refused(refusal)) => handlers::refuse(&state, &refusal, asked.request_id),
        Err(JsonError::Malformed(detail)) => {
            let code = "request.body.malformed";
            let detail = format!("The body is not a timestamp request in JSON: {detail}.");
            Problem::new(StatusCode::BAD_REQUEST, code, detail).into_response()
        }
    }
}
