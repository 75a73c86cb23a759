//! The one file that knows the admin listener's paths, methods and who may use them.
//!
//! `docs/revocation-service.openapi.json` describes them; a test holds it against [`ROUTES`].
//!
//! A browser shows its user's client certificate on behalf of every page that asks, and nothing like
//! `SameSite` keeps it from that. So no order comes in a form that a page of another origin can send without
//! asking first, and what says that it comes from a page is refused, whatever it asks for.

use std::sync::Arc;

use bytes::Bytes;
use countersign_daemon::{
    Held, crash_point, media_type, peer::ClientCertificate, problem::Problem, reception::Reception,
};
use http::{HeaderMap, Method, StatusCode, header::ORIGIN, request::Parts};
use warp::{
    Filter, Rejection,
    path::FullPath,
    reply::{Reply, Response},
};

use super::{
    Actor, Administration, Needs,
    Role::{Approver, Auditor, Registrar, Revoker},
    answer::{Answer, JSON_LINES},
    idempotency::{Keyed, REPLAYED, TRUE},
};

/// The document that describes all this.
const OPENAPI: &[u8] = include_bytes!("../../../docs/revocation-service.openapi.json");

/// A path and method of the admin listener.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with `{name}` for a segment.
    pub path: &'static str,
    /// Who may.
    pub needs: Needs,
    /// What the audit record calls it; nothing for what changes nothing.
    pub action: Option<&'static str>,
    /// The media types that a body has, and that a request without one has too; none for what is read.
    /// Never `text/plain`, `application/x-www-form-urlencoded` or `multipart/form-data`, which any
    /// page may send anywhere (Fetch, "CORS-safelisted request-header").
    pub takes: &'static [&'static str],
    /// Whether its body may be as large as the configuration allows, and not just 64 KiB.
    pub is_bulk: bool,
    endpoint: Endpoint,
}

/// How many octets an order may have that names what it is about.
const ORDER_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug)]
enum Endpoint {
    Register,
    Show,
    List,
    Issuers,
    UploadCrl,
    Revoke,
    Keys,
    Proposals,
    Approve,
    Reject,
    Withdraw,
    RegisterReleases,
    Releases,
    Import,
    ImportIndex,
    Backup,
    OpenApi,
}

const fn reads(path: &'static str, needs: Needs, endpoint: Endpoint) -> Route {
    Route { method: "GET", path, needs, action: None, takes: &[], is_bulk: false, endpoint }
}

const fn acts(path: &'static str, needs: Needs, action: &'static str, endpoint: Endpoint) -> Route {
    let action = Some(action);
    Route { method: "POST", path, needs, action, takes: JSON, is_bulk: false, endpoint }
}

impl Route {
    /// Takes whole files of these types.
    const fn taking(self, takes: &'static [&'static str]) -> Self {
        Self { takes, is_bulk: true, ..self }
    }

    const fn in_bulk(self) -> Self {
        Self { is_bulk: true, ..self }
    }
}

/// What an order is, unless it is something that has a form of its own.
const JSON: &[&str] = &["application/json"];

const CERTIFICATES: &[&str] = &[
    "application/pkix-cert",
    "application/x-pem-file",
    "application/pem-certificate-chain",
    "application/octet-stream",
    JSON_LINES,
];

const CRL: &[&str] =
    &["application/pkix-crl", "application/x-pem-file", "application/octet-stream"];

/// Everything there is.
pub const ROUTES: &[Route] = &[
    acts("/v1/certificates", Needs::All(&[Registrar]), "certificate.register", Endpoint::Register)
        .taking(CERTIFICATES),
    reads("/v1/certificates/{issuer}", Needs::Anybody, Endpoint::List),
    reads("/v1/certificates/{issuer}/{serial}", Needs::Anybody, Endpoint::Show),
    reads("/v1/issuers", Needs::Anybody, Endpoint::Issuers),
    acts("/v1/issuers/{issuer}/crl", Needs::All(&[Revoker]), "crl.upload", Endpoint::UploadCrl)
        .taking(CRL),
    acts("/v1/revocations", Needs::All(&[Revoker]), "revocation", Endpoint::Revoke),
    reads("/v1/keys", Needs::Anybody, Endpoint::Keys),
    reads("/v1/pending", Needs::Anybody, Endpoint::Proposals),
    acts("/v1/pending/{id}/approve", Needs::All(&[Approver]), "pending.approve", Endpoint::Approve),
    acts("/v1/pending/{id}/reject", Needs::All(&[Approver]), "pending.reject", Endpoint::Reject),
    acts(
        "/v1/pending/{id}/withdraw",
        Needs::All(&[Revoker]),
        "pending.withdraw",
        Endpoint::Withdraw,
    ),
    acts("/v1/releases", Needs::All(&[Registrar]), "release.register", Endpoint::RegisterReleases)
        .in_bulk(),
    reads("/v1/releases", Needs::Anybody, Endpoint::Releases),
    acts("/v1/import", Needs::All(&[Registrar, Revoker]), "import", Endpoint::Import)
        .taking(&[JSON_LINES]),
    acts("/v1/import/{issuer}", Needs::All(&[Registrar, Revoker]), "import", Endpoint::ImportIndex)
        .taking(&["application/octet-stream"]),
    acts("/v1/backups", Needs::All(&[Auditor]), "backup", Endpoint::Backup),
    reads("/v1/openapi.json", Needs::Anybody, Endpoint::OpenApi),
];

/// A request, taken apart.
struct Request {
    route: &'static Route,
    /// The segments that stand for names.
    names: Vec<String>,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

/// The segments of `path` that stand for names in `template`; nothing where it is another path.
fn names(template: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut names = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(names),
            (Some(want), Some(name)) if want.starts_with('{') && !name.is_empty() => {
                names.push(name.to_owned());
            }
            (Some(want), Some(name)) if want == name => {}
            _ => return None,
        }
    }
}

fn find(method: &Method, path: &str) -> Result<(&'static Route, Vec<String>), Problem> {
    // HEAD is a GET whose body the server leaves out.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(names) = names(route.path, path) else { continue };
        if route.method == method.as_str() {
            return Ok((route, names));
        }
        allowed.push(if route.method == "GET" { Method::GET } else { Method::POST });
    }
    Err(if allowed.is_empty() {
        Problem::not_found()
    } else {
        Problem::method_not_allowed(&allowed)
    })
}

/// The class of a path for the access log; nothing where it is not the admin listener's.
pub(crate) fn path_class(path: &str) -> Option<&'static str> {
    ROUTES.iter().find(|route| names(route.path, path).is_some()).map(|route| route.path)
}

/// The admin listener; TLS has verified the client before anything gets here, but for revocation.
pub(crate) fn filter(
    administration: Arc<Administration>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .and(warp::ext::optional::<ClientCertificate>())
        .and(warp::ext::optional::<Held>())
        .then(
            move |method: Method, path: FullPath, query, headers, body, client: Option<_>, held| {
                let administration = Arc::clone(&administration);
                async move {
                    let asked = (method, path.as_str().to_owned(), query, headers, body);
                    match answer(administration, (client.as_ref(), held), asked).await {
                        Ok(response) => response,
                        Err(problem) => problem.into_response(),
                    }
                }
            },
        )
}

/// Decides who may send which order before its body is read: only administrators take room for bodies, and
/// only for what their roles are for.
pub(crate) fn reception(administration: Arc<Administration>, max_body_bytes: usize) -> Reception {
    Reception::new(move |head: &Parts| {
        let administration = Arc::clone(&administration);
        Box::pin(async move {
            let client = head.extensions.get::<ClientCertificate>();
            let asked = (&head.method, head.uri.path(), &head.headers);
            let Admitted { route, .. } = admit(&administration, client, asked).await?;
            Ok(if route.is_bulk { max_body_bytes } else { max_body_bytes.min(ORDER_BYTES) })
        })
    })
}

/// Who asks, and what for, when they may.
struct Admitted {
    actor: Actor,
    route: &'static Route,
    names: Vec<String>,
}

/// # Errors
/// Nobody who may administer, or not this; no such path; a body of another type.
async fn admit(
    administration: &Administration,
    client: Option<&ClientCertificate>,
    (method, path, headers): (&Method, &str, &HeaderMap),
) -> Result<Admitted, Problem> {
    let service = &administration.service;
    let client_crls = administration.client_crls.as_deref();
    let actor = Actor::of(service, &administration.administrators, client_crls, client).await?;
    if let Err(denied) = refuse_pages(headers) {
        let class = path_class(path).unwrap_or("other");
        administration.record_denial(&actor, class, denied.code()).await?;
        return Err(denied);
    }
    let (route, names) = find(method, path)?;
    if let Err(denied) = actor.require(route.needs) {
        administration.record_denial(&actor, route.path, denied.code()).await?;
        return Err(denied);
    }
    if !route.takes.is_empty() && !route.takes.iter().any(|taken| media_type::is(headers, taken)) {
        return Err(Problem::unsupported_media_type(&route.takes.join(" or ")));
    }
    Ok(Admitted { actor, route, names })
}

async fn answer(
    administration: Arc<Administration>,
    (client, held): (Option<&ClientCertificate>, Option<Held>),
    (method, path, query, headers, body): (Method, String, String, HeaderMap, Bytes),
) -> Result<Response, Problem> {
    // Once more: a body takes its time, and whoever was revoked meanwhile has no say any longer.
    let asked = (&method, path.as_str(), &headers);
    let Admitted { actor, route, names } = admit(&administration, client, asked).await?;
    let request = Request { route, names, query, headers, body };
    let Some(action) = route.action else {
        let answer = administration.perform(&actor, &request).await?;
        return Ok(answer.into_response());
    };
    // A task of its own: a client that hangs up between database, CRL and audit record stops none. What
    // the request takes of the listener it takes until then.
    let acting = async move {
        let outcome = administration.act(&actor, action, &path, &request).await;
        drop(held);
        outcome
    };
    tokio::spawn(acting).await.map_err(|_| Problem::internal())?
}

/// Refuses what a browser sends on behalf of a page: every request with a method that changes something
/// has `Origin` there, and every request at all `Sec-Fetch-Site`, which says `none` only for what the
/// user typed.
fn refuse_pages(headers: &HeaderMap) -> Result<(), Problem> {
    let from_page = |value: &http::HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"none");
    if !headers.contains_key(ORIGIN) && !headers.get_all("sec-fetch-site").iter().any(from_page) {
        return Ok(());
    }
    let detail = "This comes from a web page (Origin or Sec-Fetch-Site says so), and no page administers \
                  this service. Keep an administrator's certificate out of browsers.";
    Err(Problem::new(StatusCode::FORBIDDEN, "request.cross_origin", detail))
}

impl Administration {
    /// Carries out what changes something: once for each idempotency key, and on record.
    async fn act(
        &self,
        actor: &Actor,
        action: &str,
        path: &str,
        request: &Request,
    ) -> Result<Response, Problem> {
        let target = format!("{path}?{}", request.query);
        let keyed = Keyed::of(&request.headers, request.route.method, &target, &request.body)?;
        if let Some(keyed) = &keyed
            && let Some(answer) = self.begin(actor, keyed).await?
        {
            let mut response = answer.into_response();
            response.headers_mut().insert(REPLAYED, TRUE);
            return Ok(response);
        }
        let outcome = self.perform_on_record(actor, action, path, request).await;
        if let Some(keyed) = &keyed {
            self.end(actor, keyed, &outcome).await;
        }
        let answer = outcome?;
        crash_point::reach("order.answer");
        Ok(answer.into_response())
    }

    async fn perform_on_record(
        &self,
        actor: &Actor,
        action: &str,
        path: &str,
        request: &Request,
    ) -> Result<Answer, Problem> {
        let order = self.record_order(actor, (action, path), &request.body).await?;
        let outcome = self.perform(actor, request).await;
        self.record_outcome(actor, action, order, &outcome).await?;
        outcome
    }

    async fn perform(&self, actor: &Actor, request: &Request) -> Result<Answer, Problem> {
        let Request { route, names, query, headers, body } = request;
        let name = |index: usize| names.get(index).map_or("", String::as_str);
        match route.endpoint {
            Endpoint::Register => self.register(actor, headers, body).await,
            Endpoint::Show => self.show(name(0), name(1)).await,
            Endpoint::List => self.list(name(0), query).await,
            Endpoint::Issuers => self.issuers().await,
            Endpoint::UploadCrl => self.upload_crl(name(0), body).await,
            Endpoint::Revoke => self.revoke(actor, body).await,
            Endpoint::Keys => self.keys(query).await,
            Endpoint::Proposals => self.proposals().await,
            Endpoint::Approve => {
                self.decide(actor, name(0), crate::register::storage::Decision::Approve, body).await
            }
            Endpoint::Reject => {
                self.decide(actor, name(0), crate::register::storage::Decision::Reject, body).await
            }
            Endpoint::Withdraw => self.withdraw(actor, name(0), body).await,
            Endpoint::RegisterReleases => self.register_releases(actor, body).await,
            Endpoint::Releases => self.releases(query).await,
            Endpoint::Import => self.import(actor, body).await,
            Endpoint::ImportIndex => self.import_index(actor, name(0), body).await,
            Endpoint::Backup => self.back_up().await,
            Endpoint::OpenApi => Ok(Answer {
                status: http::StatusCode::OK,
                media_type: "application/json".to_owned(),
                body: OPENAPI.to_vec(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_paths_apart() {
        for (method, path, want) in [
            (Method::POST, "/v1/certificates", Ok("/v1/certificates")),
            (Method::HEAD, "/v1/certificates/a/01", Ok("/v1/certificates/{issuer}/{serial}")),
            (Method::GET, "/v1/certificates/a", Ok("/v1/certificates/{issuer}")),
            (Method::GET, "/v1/certificates", Err("request.method.not_allowed")),
            (Method::GET, "/v1/certificates/", Err("request.path.unknown")),
            (Method::POST, "/v1/pending/7/approve", Ok("/v1/pending/{id}/approve")),
            (Method::DELETE, "/v1/pending/7/approve", Err("request.method.not_allowed")),
            (Method::GET, "/", Err("request.path.unknown")),
        ] {
            let found = find(&method, path).map(|(route, _)| route.path);
            assert_eq!(found.map_err(|problem| problem.code()), want, "{method} {path}");
        }
    }
}
