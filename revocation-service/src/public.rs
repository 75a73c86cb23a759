//! What the world gets: OCSP answers, CRLs, issuers' certificates, each with its HTTP headers.

use bytes::Bytes;
use countersign_daemon::{problem::Problem, sha256::sha256};
use countersign_signing::ocsp::error_response;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER},
};
use warp::reply::{Reply, Response};

use crate::{
    publish::{caching, range},
    register::CrlList,
    respond::{self, Answer},
    state::Service,
};

/// How long a client should wait for a CRL that is being made again, in seconds.
const CRL_RETRY_SECONDS: u64 = 30;

/// How long caches may keep an issuer's certificate, in seconds: it never changes under its key.
const CERTIFICATE_MAX_AGE: &str = "max-age=86400, public";

/// Answers an OCSP request that came by POST.
pub(crate) async fn ocsp_post(service: &Service, request: &[u8]) -> Response {
    ocsp_response(service, respond::answer(&service.responder, request).await)
}

/// Answers an OCSP request that came in a path.
pub(crate) async fn ocsp_get(service: &Service, headers: &HeaderMap, request: &[u8]) -> Response {
    caching::answer_condition(
        headers,
        ocsp_response(service, respond::answer(&service.responder, request).await),
    )
}

/// RFC 6960 appendix A.2: 200 whatever the OCSP status.
fn ocsp_response(service: &Service, answer: Answer) -> Response {
    const MEDIA_TYPE: &str = "application/ocsp-response";
    let refuse_caches = |body: Bytes| {
        let mut response = object(body, MEDIA_TYPE);
        caching::forbid(response.headers_mut());
        response
    };
    match answer {
        Answer::ForAnyone(signed) => {
            let mut response = object(signed.der.clone(), MEDIA_TYPE);
            signed.validity.write(response.headers_mut(), &service.ocsp_max_age, service.now());
            response
        }
        // It is for one asker.
        Answer::ForAsker(der, _) => refuse_caches(der),
        // Refusals pass.
        Answer::Refusal(status) => refuse_caches(error_response(status).into()),
    }
}

/// Serves one of an issuer's lists. One that ran out is not served: better none than one that hides what
/// was revoked since.
pub(crate) fn crl(service: &Service, headers: &HeaderMap, name: &str, list: CrlList) -> Response {
    let lists = service.issuers.named(name).map(|issuer| issuer.crl_lists()).unwrap_or_default();
    let Some((_, crl)) = lists.into_iter().find(|(known, _)| *known == list) else {
        return Problem::not_found().into_response();
    };
    let now = service.now();
    let Some(crl) = crl.filter(|crl| !crl.is_overdue(now)) else {
        let detail = "There is no current CRL of this issuer; the service is trying to make one.";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "crl.overdue", detail)
            .with_header(RETRY_AFTER, HeaderValue::from(CRL_RETRY_SECONDS))
            .into_response();
    };
    let mut response = object(crl.der.clone(), "application/pkix-crl");
    crl.validity.write(response.headers_mut(), &service.crl_max_age, now);
    range::answer(headers, &crl.der, caching::answer_condition(headers, response))
}

/// Serves an issuer's certificate, where AIA caIssuers points to.
pub(crate) fn issuer_certificate(service: &Service, request: &HeaderMap, name: &str) -> Response {
    let Some(issuer) = service.issuers.named(name) else {
        return Problem::not_found().into_response();
    };
    let der = issuer.authority.certificate_der();
    let mut response = object(der.clone(), "application/pkix-cert");
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(CERTIFICATE_MAX_AGE));
    headers.insert(ETAG, caching::entity_tag(&sha256(der)));
    caching::answer_condition(request, response)
}

fn object(body: Bytes, media_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
