//! The layer that keeps one request from harming the others.
//!
//! The listener's reception decides by the head alone who is refused and how long a body may be. Then
//! the guard reads the whole body, within that limit and the room for bodies, and only then takes a place
//! among the requests in flight: a client that sends its body slowly holds a connection, never a place.
//! The handler runs under what is left of the request's time, and a panic in it becomes a 500.

use std::any::Any;
use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, EXPECT, HeaderValue};
use http::request::Parts;
use http::{Extensions, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tower::{Layer, Service};
use warp::reply::{Reply, Response};

use crate::activity::{Pressure, RequestClock};
use crate::body_room::{BodyRoom, Lease, NoRoom};
use crate::client::Client;
use crate::health;
use crate::limits::Limits;
use crate::peer::{ClientCertificate, TrustedProxies};
use crate::problem::Problem;
use crate::reception::Reception;
use crate::request_id::RequestId;
use crate::shares::{Share, Shares};

/// How much of a body over the limit is read and thrown away, so that a client that writes before
/// it reads sees the 413 and not a reset connection.
const MAX_DISCARDED_BYTES: usize = 1024 * 1024;

/// How long such a body may take: whoever writes before reading does so at once.
const DISCARDING: Duration = Duration::from_secs(2);

/// How many fields a header may have whose body is still to come.
const MAX_FIELDS: usize = 100;

/// How long the client should wait when too many requests are in flight, in seconds.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Makes [`Guard`]s that share one count of requests in flight.
#[derive(Debug, Clone)]
pub(crate) struct GuardLayer {
    limits: Limits,
    reception: Option<Reception>,
    in_flight: Arc<Semaphore>,
    /// How many of those one client may have.
    in_flight_shares: Shares<Client>,
    proxies: Arc<TrustedProxies>,
    bodies: BodyRoom,
    pressure: watch::Sender<Pressure>,
}

impl GuardLayer {
    pub(crate) fn new(
        limits: Limits,
        reception: Option<Reception>,
        proxies: Arc<TrustedProxies>,
        pressure: watch::Sender<Pressure>,
    ) -> Self {
        Self {
            limits,
            reception,
            in_flight: Arc::new(Semaphore::new(limits.max_in_flight)),
            // Half, so that one client alone never shuts the others out.
            in_flight_shares: Shares::new(limits.max_in_flight.div_ceil(2)),
            bodies: BodyRoom::new(limits.max_body_bytes, Arc::clone(&proxies)),
            proxies,
            pressure,
        }
    }

    /// How many octets the body of a request with that head may have.
    async fn max_body_bytes(&self, head: &Parts) -> Result<usize, Problem> {
        match &self.reception {
            Some(reception) => reception.receive(head).await,
            None => Ok(self.limits.max_body_bytes),
        }
    }

    /// A place among the requests in flight, unless there is none, or none for this client.
    fn place(&self, request: &Extensions) -> Option<Place> {
        let client = Client::of(request, &self.proxies);
        let mut share = client.map(|client| self.in_flight_shares.of(client));
        let may_have = share.as_mut().is_none_or(|share| share.take(1));
        if !may_have {
            return None;
        }
        let permit = Arc::clone(&self.in_flight).try_acquire_owned().ok()?;
        Some(Place { _share: share, _permit: permit })
    }

    /// Tells the connections whether bodies that stopped half-way hold the room of others.
    fn press(&self, bodies: bool) {
        self.pressure.send_if_modified(|now| std::mem::replace(&mut now.bodies, bodies) != bodies);
    }
}

/// A request's place among those in flight.
#[derive(Debug)]
struct Place {
    _share: Option<Share<Client>>,
    _permit: OwnedSemaphorePermit,
}

/// What a request takes of its listener: its body's room, and its place among the requests in flight; an
/// extension of each request.
///
/// It is given back when the last clone is dropped. A handler that goes on when its client has hung up
/// keeps a clone with what goes on, so that nobody gets more than a share by hanging up.
#[derive(Debug, Clone)]
pub struct Held(#[expect(dead_code, reason = "held until dropped")] Arc<(Lease, Option<Place>)>);

/// The room of an answer until it is sent; an extension of a response.
#[derive(Debug, Clone)]
pub(crate) struct HeldAnswer(#[expect(dead_code, reason = "held until dropped")] Arc<Lease>);

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, shared: self.clone() }
    }
}

/// The guarded service.
#[derive(Debug, Clone)]
pub(crate) struct Guard<S> {
    inner: S,
    shared: GuardLayer,
}

impl<S, B> Service<Request<B>> for Guard<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display + Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (inner, shared) = (self.inner.clone(), self.shared.clone());
        Box::pin(async move { Ok(guarded(inner, shared, request).await) })
    }
}

async fn guarded<S, B>(mut inner: S, shared: GuardLayer, request: Request<B>) -> Response
where
    S: Service<Request<Full<Bytes>>, Response = Response, Error = Infallible>,
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    // One for body and handler: a body that comes slowly leaves its handler less time, and no request
    // holds its room for longer than this.
    let deadline = Instant::now() + shared.limits.request_timeout;
    let version = request.version();
    let request_id = request.extensions().get::<RequestId>().copied();
    let (mut head, body) = request.into_parts();
    if head.uri.path_and_query().is_none() {
        // CONNECT names a host and no path (RFC 9112 §3.2.3); warp has no answer for that.
        let detail = "The target of the request has no path.";
        let problem = Problem::new(StatusCode::BAD_REQUEST, "request.target", detail);
        return closing(problem, version);
    }
    let mut lease = shared.bodies.lease(&head.extensions);
    let body = match timeout_at(deadline, receive(&shared, &head, body, &mut lease)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => {
            if refused.room == Some(NoRoom::ForAnybody) {
                shared.press(true);
            }
            return closing(refused.problem, version);
        }
        Err(_) => {
            let detail = "The body of the request did not arrive in time.";
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "request.timeout", detail);
            return closing(problem, version);
        }
    };
    // Only once there is room for several again: at the very edge the pressure would come and go.
    if shared.bodies.has_room() {
        shared.press(false);
    }

    if let Some(clock) = head.extensions.get::<Arc<RequestClock>>() {
        clock.body_has_come();
    }

    // A probe is answered without a place: a service that is busy would look dead, and be restarted.
    let is_probe = matches!(head.uri.path(), health::LIVE_PATH | health::READY_PATH);
    let place = shared.place(&head.extensions);
    if place.is_none() && !is_probe {
        return Problem::overloaded(RETRY_AFTER_SECONDS).into_response();
    }
    // Who is known by a certificate may ask for much at once.
    let of_answer = head
        .extensions
        .get::<ClientCertificate>()
        .is_some()
        .then(|| shared.bodies.lease(&head.extensions));
    let taken = Held(Arc::new((lease, place)));
    head.extensions.insert(taken.clone());
    let answer = catch_panic(async move {
        let future = inner.call(Request::from_parts(head, Full::new(body)));
        future.await
    });
    let answer = timeout_at(deadline, answer).await;
    // The place ends with the handler, not with the answer: a client that reads slowly keeps nobody out.
    // What it does hold, the room of a large answer, is counted by `hold_answer`.
    drop(taken);
    match answer {
        Ok(Ok(Ok(response))) => hold_answer(response, of_answer),
        Ok(Err(panic)) => {
            let message = panic_message(panic.as_ref());
            tracing::error!(
                request_id = request_id.map(tracing::field::display),
                message,
                "a handler panicked"
            );
            Problem::internal().into_response()
        }
        Err(_) => {
            tracing::error!(
                request_id = request_id.map(tracing::field::display),
                "a handler took too long"
            );
            let detail = "The service did not finish in time; try again later.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "service.timeout", detail).into_response()
        }
    }
}

/// Has an answer take room until it is sent, for a client that takes its time.
fn hold_answer(mut response: Response, lease: Option<Lease>) -> Response {
    let Some(mut lease) = lease else { return response };
    let octets = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    if lease.take(octets).is_err() {
        return Problem::overloaded(RETRY_AFTER_SECONDS).into_response();
    }
    response.extensions_mut().insert(HeldAnswer(Arc::new(lease)));
    response
}

/// Why a body was not taken.
#[derive(Debug)]
struct Refused {
    problem: Problem,
    /// What there was no room for.
    room: Option<NoRoom>,
}

impl Refused {
    fn by(problem: Problem) -> Self {
        Self { problem, room: None }
    }

    fn without_room(room: NoRoom) -> Self {
        Self { problem: Problem::overloaded(RETRY_AFTER_SECONDS), room: Some(room) }
    }
}

/// The whole body, if the listener's reception lets the request in.
async fn receive<B>(
    shared: &GuardLayer,
    head: &Parts,
    body: B,
    lease: &mut Lease,
) -> Result<Bytes, Refused>
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    if !body.is_end_stream() {
        if head.headers.len() > MAX_FIELDS {
            let detail = format!("The header of a request may have at most {MAX_FIELDS} fields.");
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(Refused::by(Problem::new(status, "request.header.too_large", detail)));
        }
        lease.take_head(&head.headers).map_err(Refused::without_room)?;
    }
    match shared.max_body_bytes(head).await {
        Ok(max_bytes) => read_body(body, max_bytes, lease).await,
        Err(problem) => {
            // A client that asks first whether to send the body must not be told to, as HTTP/1 is when
            // its body is read. In HTTP/2, some clients take an answer before their body's end for an error.
            if head.version >= Version::HTTP_2 || !head.headers.contains_key(EXPECT) {
                let _ = timeout(DISCARDING, read_body(body, 0, lease)).await;
            }
            Err(Refused::by(problem))
        }
    }
}

/// The whole body, whose room is in `lease` then.
async fn read_body<B>(body: B, max_bytes: usize, lease: &mut Lease) -> Result<Bytes, Refused>
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let too_large = || {
        let detail = format!("The body of this request may have at most {max_bytes} bytes.");
        Refused::by(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", detail))
    };
    let readable = max_bytes.saturating_add(MAX_DISCARDED_BYTES);
    if body.size_hint().lower() > u64::try_from(readable).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut body = pin!(body);
    let (mut read, mut kept) = (0_usize, BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a request's body broke off");
            let detail = "The body of the request broke off.";
            Refused::by(Problem::new(StatusCode::BAD_REQUEST, "request.body.incomplete", detail))
        })?;
        // Trailers mean nothing to us.
        let Ok(data) = frame.into_data() else { continue };
        read = read.saturating_add(data.len());
        if read > readable {
            break;
        }
        if read <= max_bytes {
            lease.take(data.len()).map_err(Refused::without_room)?;
            kept.extend_from_slice(&data);
        }
    }
    if read > max_bytes { Err(too_large()) } else { Ok(kept.freeze()) }
}

/// A problem after which the connection cannot go on, since the rest of the body is still to come.
fn closing(problem: Problem, version: Version) -> Response {
    // RFC 9113 §8.2.2 forbids the header in HTTP/2, where a stream ends alone.
    if version >= Version::HTTP_2 {
        return problem.into_response();
    }
    problem.with_header(CONNECTION, HeaderValue::from_static("close")).into_response()
}

/// Runs `future`, giving a panic in it as an error.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    // Unwind safety: the future is not polled again after it has panicked, and is dropped.
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_kept() {
        let room = BodyRoom::new(100, Arc::default());
        let body = |length: usize| Full::new(Bytes::from(vec![7; length]));
        let mut lease = room.lease(&Extensions::new());
        assert_eq!(read_body(body(10), 10, &mut lease).await.expect("kept").len(), 10);
        for length in [11, MAX_DISCARDED_BYTES + 11] {
            let refused = read_body(body(length), 10, &mut lease).await.expect_err("refused");
            assert_eq!(refused.problem.status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
    }

    #[tokio::test]
    async fn a_panic_becomes_an_error_with_its_message() {
        let panic = catch_panic(async { panic!("number {}", 7) }).await.expect_err("caught");
        assert_eq!(panic_message(panic.as_ref()), "number 7");
    }
}
