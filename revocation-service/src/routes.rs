//! The one file that knows the public listener's paths, methods and media types; the admin listener's
//! are in [`crate::admin`].
//!
//! OCSP's GET has base64 with slashes in its path, and what is no base64 at the root is no place at
//! all: what a path names is read before its method is looked at. Body limits are the server's
//! (`[limits]`).

use std::sync::Arc;

use bytes::Bytes;
use countersign_daemon::{
    health::{self, Readiness},
    problem::Problem,
    route::{BodyLimit, Place, Row, Table},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
    },
};
use warp::{
    Filter, Rejection,
    path::FullPath,
    reply::{Reply, Response},
};

use crate::{admin, public, register::CrlList, respond::encoded_request, state::Service};

/// The media type of an OCSP request, RFC 6960 appendix C.1.
const OCSP_REQUEST: &str = "application/ocsp-request";

/// What pages of other origins may read of an answer beside its body.
const EXPOSED_HEADERS: &str = "ETag, X-Request-Id, Content-Range, Accept-Ranges";

/// What is at a path of the public listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    /// The responder.
    Responder,
    /// A request in the path.
    EncodedRequest,
    /// A request in the path at the root: what is not base64 there is no place at all.
    RequestAtRoot,
    Crl,
    IssuerCertificate,
}

const ASK: &[Method] = &[Method::POST, Method::OPTIONS];
const LOOK: &[Method] = &[Method::GET, Method::HEAD, Method::OPTIONS];

const fn asks(path: &'static str) -> Row<Endpoint> {
    let endpoint = Endpoint::Responder;
    Row { methods: ASK, path, takes: &[OCSP_REQUEST], body: BodyLimit::Listener, endpoint }
}

const fn shows(path: &'static str, endpoint: Endpoint) -> Row<Endpoint> {
    Row { methods: LOOK, path, takes: &[], body: BodyLimit::Listener, endpoint }
}

/// Everything but `/livez` and `/readyz`, which are daemon's.
const TABLE: Table<Endpoint> = Table(&[
    asks("/"),
    asks("/ocsp"),
    asks("/ocsp/"),
    shows("/ocsp/{request*}", Endpoint::EncodedRequest),
    shows("/crl/{name}.delta.crl", Endpoint::Crl),
    shows("/crl/{name}.crl", Endpoint::Crl),
    shows("/crl/{name}/{of}/{index}.delta.crl", Endpoint::Crl),
    shows("/crl/{name}/{of}/{index}.crl", Endpoint::Crl),
    shows("/ca/{name}.cer", Endpoint::IssuerCertificate),
    shows("/{request*}", Endpoint::RequestAtRoot),
]);

/// What a path names, read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named<'a> {
    /// Nothing but the responder.
    Responder,
    /// A request that is not decoded yet.
    Encoded(&'a str),
    Request(Vec<u8>),
    Crl(&'a str, CrlList),
    Issuer(&'a str),
}

/// The place at a path, and what the path names; `None` if there is nothing.
fn find(path: &str) -> Option<(Place<'_, Endpoint>, Named<'_>)> {
    let place = TABLE.place(path)?;
    let name = place.names.first().copied().unwrap_or_default();
    let named = match place.first.endpoint {
        Endpoint::Responder => Named::Responder,
        Endpoint::EncodedRequest => Named::Encoded(name),
        // A DER SEQUENCE that short or long is no path of anything else.
        Endpoint::RequestAtRoot => Named::Request(
            encoded_request::decode(name).filter(|octets| octets.first() == Some(&0x30))?,
        ),
        Endpoint::Crl => {
            let (name, list) = CrlList::of_path(path.strip_prefix("/crl/")?)?;
            Named::Crl(name, list)
        }
        Endpoint::IssuerCertificate => Named::Issuer(name),
    };
    Some((place, named))
}

/// The class of a path for the access log.
pub(crate) fn path_class(path: &str) -> &'static str {
    match path {
        health::LIVE_PATH => health::LIVE_PATH,
        health::READY_PATH => health::READY_PATH,
        _ if path.starts_with("/v1/") => admin::path_class(path).unwrap_or("other"),
        _ => find(path).map_or("other", |(place, _)| match place.first.endpoint {
            Endpoint::Responder => "/ocsp",
            Endpoint::EncodedRequest | Endpoint::RequestAtRoot => "/ocsp/{request}",
            Endpoint::Crl | Endpoint::IssuerCertificate => place.first.path,
        }),
    }
}

/// The public listener: OCSP, CRLs, issuers' certificates, health.
pub(crate) fn public(
    service: Arc<Service>,
    readiness: Readiness,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let objects = whole_request().then(move |method, path: FullPath, headers, body: Bytes| {
        let service = Arc::clone(&service);
        async move {
            let answered = answer_public(&service, &method, path.as_str(), &headers, &body).await;
            with_open_origin(answered.unwrap_or_else(Problem::into_response))
        }
    });
    health::routes(readiness).or(objects).unify()
}

async fn answer_public(
    service: &Service,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Problem> {
    let (place, named) = find(path).ok_or_else(Problem::not_found)?;
    let row = place.row(method)?;
    if method == Method::OPTIONS {
        return Ok(preflight(row.methods));
    }
    row.require_media_type(headers)?;
    Ok(match named {
        Named::Responder => public::ocsp_post(service, body).await,
        Named::Encoded(name) => {
            // What is no base64 is no request either: OCSP has an answer for both.
            let request = encoded_request::decode(name).unwrap_or_default();
            public::ocsp_get(service, headers, &request).await
        }
        Named::Request(request) => public::ocsp_get(service, headers, &request).await,
        Named::Crl(name, list) => public::crl(service, headers, name, list),
        Named::Issuer(name) => public::issuer_certificate(service, headers, name),
    })
}

fn whole_request()
-> impl Filter<Extract = (Method, FullPath, HeaderMap, Bytes), Error = Rejection> + Clone {
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
}

/// Everything on the public listener is public: pages of any origin may read it.
fn with_open_origin(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    response
}

/// The answer to OPTIONS, which browsers send before a POST with OCSP's media type.
fn preflight(methods: &[Method]) -> Response {
    let mut response = Response::new(Vec::new().into());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let names = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let headers = response.headers_mut();
    if let Ok(names) = HeaderValue::from_str(&names) {
        headers.insert(ALLOW, names.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, names);
    }
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Content-Type, If-None-Match, Range, If-Range"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_places_apart() {
        let request = Some(Named::Request(vec![0x30, 0, 0]));
        for (path, want, class) in [
            ("/", Some(Named::Responder), "/ocsp"),
            ("/ocsp", Some(Named::Responder), "/ocsp"),
            ("/ocsp/", Some(Named::Responder), "/ocsp"),
            ("/ocsp/MA++", Some(Named::Encoded("MA++")), "/ocsp/{request}"),
            ("/ocsp//MA//", Some(Named::Encoded("/MA//")), "/ocsp/{request}"),
            ("/MAAA", request.clone(), "/ocsp/{request}"),
            ("//MAAA", request, "/ocsp/{request}"),
            ("/crl/root.crl", Some(Named::Crl("root", CrlList::WHOLE)), "/crl/{name}.crl"),
            ("/ca/root.cer", Some(Named::Issuer("root")), "/ca/{name}.cer"),
            ("/favicon.ico", None, "other"),
            ("/robots", None, "other"),
            ("/crl/root.pem", None, "other"),
            ("/crl/.delta.crl", None, "other"),
            ("/crl/root/16/03.crl", None, "other"),
        ] {
            assert_eq!(find(path).map(|(_, named)| named), want, "{path}");
            assert_eq!(path_class(path), class, "{path}");
        }
        for (path, class) in [
            ("/crl/root.delta.crl", "/crl/{name}.delta.crl"),
            ("/crl/root/16/3.crl", "/crl/{name}/{of}/{index}.crl"),
            ("/crl/root/16/3.delta.crl", "/crl/{name}/{of}/{index}.delta.crl"),
        ] {
            assert_eq!(path_class(path), class);
        }
    }
}
