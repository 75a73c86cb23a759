//! The one file that knows the admin listener's paths, methods and who may use them.
//!
//! `docs/revocation-service.openapi.json` describes them; a test holds it against [`ROUTES`]. No order
//! comes in a form that a page of another origin can send without asking first (see daemon's
//! `admin/pages.rs`).

use std::sync::Arc;

use bytes::Bytes;
use countersign_daemon::{
    Held,
    admin::{Answer, JSON_LINES, Keyed, proposal::Decision, refuse_pages, replayed},
    crash_point,
    peer::ClientCertificate,
    problem::Problem,
    reception::Reception,
    route::{BodyLimit, Row, Table},
};
use http::{HeaderMap, Method, request::Parts};
use warp::{
    Filter, Rejection,
    path::FullPath,
    reply::{Reply, Response},
};

use super::{
    Actor, Administration, Needs,
    Role::{Approver, Auditor, Registrar, Revoker},
};
use crate::reply::of_storage;

/// The document that describes all this.
const OPENAPI: &[u8] = include_bytes!("../../../docs/revocation-service.openapi.json");

/// What is behind a path and method of the admin listener.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Who may.
    pub needs: Needs,
    /// What the audit record calls it; nothing for what changes nothing.
    pub action: Option<&'static str>,
    endpoint: Endpoint,
}

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

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

const fn reads(path: &'static str, needs: Needs, endpoint: Endpoint) -> Row<Order> {
    let endpoint = Order { needs, action: None, endpoint };
    Row { methods: GET, path, takes: &[], body: BodyLimit::Order, endpoint }
}

/// An order, in JSON.
const fn acts(
    path: &'static str,
    needs: Needs,
    action: &'static str,
    endpoint: Endpoint,
) -> Row<Order> {
    let endpoint = Order { needs, action: Some(action), endpoint };
    Row { methods: POST, path, takes: JSON, body: BodyLimit::Order, endpoint }
}

/// What an order is, unless it is something that has a form of its own.
const JSON: &[&str] = &["application/json"];

// What follows is never `text/plain`, `application/x-www-form-urlencoded` or `multipart/form-data`, which any
// page may send anywhere (Fetch, "CORS-safelisted request-header").
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
pub const ROUTES: &[Row<Order>] = &[
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

const TABLE: Table<Order> = Table(ROUTES);

/// A request, taken apart.
struct Request {
    route: &'static Row<Order>,
    /// The segments that are names.
    names: Vec<String>,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

/// The class of a path for the access log; `None` if it is not the admin listener's.
pub(crate) fn path_class(path: &str) -> Option<&'static str> {
    TABLE.class(path)
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
            Ok(route.body.octets(max_body_bytes))
        })
    })
}

/// Who asks, and what for, when they may.
struct Admitted {
    actor: Actor,
    route: &'static Row<Order>,
    names: Vec<String>,
}

/// # Errors
/// Nobody who may administer, or not this; no such path; a body of another type.
async fn admit(
    administration: &Administration,
    client: Option<&ClientCertificate>,
    (method, path, headers): (&Method, &str, &HeaderMap),
) -> Result<Admitted, Problem> {
    let actor = administration.actor(client).await?;
    let Administration { record, .. } = administration;
    if let Err(denied) = refuse_pages(headers) {
        let class = path_class(path).unwrap_or("other");
        record.denial(&actor, (class, denied.code()), administration.now()).await?;
        return Err(denied);
    }
    let (route, names) = TABLE.find(method, path)?;
    if let Err(denied) = actor.require(route.endpoint.needs) {
        record.denial(&actor, (route.path, denied.code()), administration.now()).await?;
        return Err(denied);
    }
    route.require_media_type(headers)?;
    Ok(Admitted { actor, route, names: names.into_iter().map(ToOwned::to_owned).collect() })
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
    let Some(action) = route.endpoint.action else {
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
        let keyed = Keyed::of(&request.headers, "POST", &target, &request.body)?;
        if let Some(keyed) = &keyed
            && let Some(answer) = self.begin(actor, keyed).await?
        {
            return Ok(replayed(answer));
        }
        let outcome = self.perform_on_record(actor, action, path, request).await;
        if let Some(keyed) = &keyed {
            self.end(actor, keyed, &outcome).await;
        }
        let answer = outcome?;
        crash_point::reach("order.answer");
        Ok(answer.into_response())
    }

    /// Reserves the key of a request that is to be carried out now; or gives the answer that the same
    /// request was given before under it.
    ///
    /// # Errors
    /// As [`Keyed::replay`]; storage failed.
    async fn begin(&self, actor: &Actor, keyed: &Keyed) -> Result<Option<Answer>, Problem> {
        let wanted = keyed.wanted(self.now());
        let reserved = self.storage.reserve_key(actor.name(), keyed.key(), &wanted).await;
        keyed.replay(reserved.map_err(|error| of_storage(&error))?)
    }

    /// Keeps the answer under the key that was reserved, or gives the key back. Failing to is no failure
    /// of the request, which is repeatable as it is.
    async fn end(&self, actor: &Actor, keyed: &Keyed, outcome: &Result<Answer, Problem>) {
        let ended = match keyed.kept(outcome, self.now()) {
            Some(kept) => self.storage.remember_answer(actor.name(), keyed.key(), &kept).await,
            None => self.storage.release_key(actor.name(), keyed.key()).await,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "an answer was not kept under its idempotency key");
        }
    }

    async fn perform_on_record(
        &self,
        actor: &Actor,
        action: &str,
        path: &str,
        request: &Request,
    ) -> Result<Answer, Problem> {
        let order = self.record.order(actor, (action, path), &request.body).await?;
        let outcome = self.perform(actor, request).await;
        self.record.outcome(actor, action, order, &outcome).await?;
        outcome
    }

    async fn perform(&self, actor: &Actor, request: &Request) -> Result<Answer, Problem> {
        let Request { route, names, query, headers, body } = request;
        let name = |index: usize| names.get(index).map_or("", String::as_str);
        match route.endpoint.endpoint {
            Endpoint::Register => self.register(actor, headers, body).await,
            Endpoint::Show => self.show(name(0), name(1)).await,
            Endpoint::List => self.list(name(0), query).await,
            Endpoint::Issuers => self.issuers().await,
            Endpoint::UploadCrl => self.upload_crl(name(0), body).await,
            Endpoint::Revoke => self.revoke(actor, body).await,
            Endpoint::Keys => self.keys(query).await,
            Endpoint::Proposals => self.proposals().await,
            Endpoint::Approve => self.decide(actor, name(0), Decision::Approve, body).await,
            Endpoint::Reject => self.decide(actor, name(0), Decision::Reject, body).await,
            Endpoint::Withdraw => self.withdraw(actor, name(0), body).await,
            Endpoint::RegisterReleases => {
                self.releases.register(actor.name(), self.now(), body).await
            }
            Endpoint::Releases => self.releases.page(query).await,
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
