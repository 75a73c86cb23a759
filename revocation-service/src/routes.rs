//! The one file that knows the public listener's paths, methods and media types; the admin listener's
//! are in [`crate::admin`].
//!
//! Every path is told apart here by hand, not by a tree of filters: OCSP's GET has base64 with
//! slashes in its path, and a wrong method must be told from a wrong path. Body limits are the
//! server's (`[limits]`).

use std::sync::Arc;

use bytes::Bytes;
use countersign_daemon::{
    health::{self, Readiness},
    media_type,
    problem::Problem,
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

use crate::{
    admin, encoded_request, public,
    register::{CrlForm, CrlList, CrlScope},
    state::Service,
};

/// The media type of an OCSP request, RFC 6960 appendix C.1.
const OCSP_REQUEST: &str = "application/ocsp-request";

/// What pages of other origins may read of an answer beside its body.
const EXPOSED_HEADERS: &str = "ETag, X-Request-Id, Content-Range, Accept-Ranges";

/// A place on the public listener.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PublicPlace<'a> {
    /// The responder: `/ocsp`, `/ocsp/` and `/`.
    Responder,
    /// A request in the path, not yet decoded.
    EncodedRequest(&'a str),
    /// A request in the path at the root: what is not base64 there is no place at all.
    RequestAtRoot(Vec<u8>),
    Crl(&'a str, CrlList),
    IssuerCertificate(&'a str),
    Nowhere,
}

impl<'a> PublicPlace<'a> {
    fn of(path: &'a str) -> Self {
        let named = |prefix, suffix| {
            path.strip_prefix(prefix).and_then(|rest: &str| rest.strip_suffix(suffix))
        };
        match path {
            "/" | "/ocsp" | "/ocsp/" => Self::Responder,
            _ => {
                if let Some(rest) = path.strip_prefix("/ocsp/") {
                    Self::EncodedRequest(rest)
                } else if let Some((name, list)) =
                    path.strip_prefix("/crl/").and_then(CrlList::of_path)
                {
                    Self::Crl(name, list)
                } else if let Some(name) = named("/ca/", ".cer") {
                    Self::IssuerCertificate(name)
                } else {
                    // A DER SEQUENCE that short or long is no path of anything else.
                    encoded_request::decode(path)
                        .filter(|octets| octets.first() == Some(&0x30))
                        .map_or(Self::Nowhere, Self::RequestAtRoot)
                }
            }
        }
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Self::Responder => &[Method::POST, Method::OPTIONS],
            Self::Nowhere => &[],
            _ => &[Method::GET, Method::HEAD, Method::OPTIONS],
        }
    }
}

/// The class of a path for the access log.
pub(crate) fn path_class(path: &str) -> &'static str {
    match path {
        health::LIVE_PATH => health::LIVE_PATH,
        health::READY_PATH => health::READY_PATH,
        _ if path.starts_with("/v1/") => admin::path_class(path).unwrap_or("other"),
        _ => match PublicPlace::of(path) {
            PublicPlace::Responder => "/ocsp",
            PublicPlace::EncodedRequest(_) | PublicPlace::RequestAtRoot(_) => "/ocsp/{request}",
            PublicPlace::Crl(_, list) => match (list.scope, list.form) {
                (CrlScope::Whole, CrlForm::Delta) => "/crl/{name}.delta.crl",
                (CrlScope::Whole, _) => "/crl/{name}.crl",
                (CrlScope::Shard { .. }, CrlForm::Delta) => "/crl/{name}/{of}/{index}.delta.crl",
                (CrlScope::Shard { .. }, _) => "/crl/{name}/{of}/{index}.crl",
            },
            PublicPlace::IssuerCertificate(_) => "/ca/{name}.cer",
            PublicPlace::Nowhere => "other",
        },
    }
}

/// The public listener: OCSP, CRLs, issuers' certificates, health.
pub(crate) fn public(
    service: Arc<Service>,
    readiness: Readiness,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let objects = whole_request().then(move |method, path: FullPath, headers, body: Bytes| {
        let service = Arc::clone(&service);
        async move { answer_public(&service, &method, path.as_str(), &headers, &body).await }
    });
    health::routes(readiness).or(objects).unify()
}

async fn answer_public(
    service: &Arc<Service>,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let place = PublicPlace::of(path);
    let methods = place.methods();
    let response = if methods.is_empty() {
        Problem::not_found().into_response()
    } else if !methods.contains(method) {
        Problem::method_not_allowed(methods).into_response()
    } else if method == Method::OPTIONS {
        preflight(methods)
    } else {
        match place {
            PublicPlace::Responder if media_type::is(headers, OCSP_REQUEST) => {
                public::ocsp_post(service, body).await
            }
            PublicPlace::Responder => Problem::unsupported_media_type(OCSP_REQUEST).into_response(),
            PublicPlace::EncodedRequest(rest) => {
                // What is no base64 is no request either: OCSP has an answer for both.
                let request = encoded_request::decode(rest).unwrap_or_default();
                public::ocsp_get(service, headers, &request).await
            }
            PublicPlace::RequestAtRoot(request) => {
                public::ocsp_get(service, headers, &request).await
            }
            PublicPlace::Crl(name, list) => public::crl(service, headers, name, list),
            PublicPlace::IssuerCertificate(name) => {
                public::issuer_certificate(service, headers, name)
            }
            PublicPlace::Nowhere => Problem::not_found().into_response(),
        }
    };
    with_open_origin(response)
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
        for (path, want) in [
            ("/", PublicPlace::Responder),
            ("/ocsp", PublicPlace::Responder),
            ("/ocsp/", PublicPlace::Responder),
            ("/ocsp/MA++", PublicPlace::EncodedRequest("MA++")),
            ("/ocsp//MA//", PublicPlace::EncodedRequest("/MA//")),
            ("/MAAA", PublicPlace::RequestAtRoot(vec![0x30, 0, 0])),
            ("//MAAA", PublicPlace::RequestAtRoot(vec![0x30, 0, 0])),
            ("/crl/root.crl", PublicPlace::Crl("root", CrlList::WHOLE)),
            ("/ca/root.cer", PublicPlace::IssuerCertificate("root")),
            ("/favicon.ico", PublicPlace::Nowhere),
            ("/robots", PublicPlace::Nowhere),
            ("/crl/root.pem", PublicPlace::Nowhere),
        ] {
            assert_eq!(PublicPlace::of(path), want, "{path}");
        }
    }
}
