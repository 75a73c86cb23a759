//! One connection: handshake, HTTP, and the watch that ends it.
//!
//! hyper's header timeout does not cover the bytes from which the HTTP version is told, nor an idle
//! HTTP/2 connection; the watch here does. It looks only at when the last request began or ended.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service;
use warp::reply::Response;

use crate::limits::Limits;
use crate::metrics::ConnectionFigures;
use crate::peer::{ClientCertificate, PeerAddress};
use crate::tls::Tls;

/// How long an idle connection may stay when the listener is full or stops.
const IDLE_UNDER_PRESSURE: Duration = Duration::from_secs(1);

/// How long a connection that was asked to close may take to do so.
const LINGER: Duration = Duration::from_secs(1);

/// Streams one HTTP/2 connection may have open: bounds the bodies held for one client.
const MAX_STREAMS: u32 = 64;

/// What the listener asks of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// Room for more.
    None,
    /// Every place is taken: idle connections make room.
    Full,
    /// The service stops: finish what is open, take nothing new.
    Draining,
}

/// What every connection of a listener shares.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) tls: Option<Tls>,
    pub(crate) pressure: watch::Receiver<Pressure>,
    pub(crate) figures: ConnectionFigures,
}

/// Serves one connection until it ends.
pub(crate) async fn serve<S>(stream: TcpStream, peer: SocketAddr, service: S, shared: Shared)
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Answers are small: waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::new());
    let Some(tls) = shared.tls.clone() else {
        return converse(stream, peer, None, service, activity, shared).await;
    };
    let handshake = TlsAcceptor::from(tls.current()).accept(stream);
    let mut pressure = shared.pressure.clone();
    let outcome = tokio::select! {
        outcome = handshake => Some(outcome),
        _ = activity.lapse(&shared.limits, &mut pressure) => None,
    };
    activity.mark();
    match outcome {
        Some(Ok(stream)) => {
            let certificate = stream
                .get_ref()
                .1
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|leaf| ClientCertificate(Bytes::copy_from_slice(leaf)));
            converse(stream, peer, certificate, service, activity, shared).await;
        }
        Some(Err(error)) => {
            shared.figures.handshake_refused.increment(1);
            tracing::info!(%peer, %error, "TLS handshake refused");
        }
        None => {
            shared.figures.handshake_timeout.increment(1);
            tracing::info!(%peer, "TLS handshake did not end in time");
        }
    }
}

/// HTTP over an established stream.
async fn converse<S, I>(
    stream: I,
    peer: SocketAddr,
    certificate: Option<ClientCertificate>,
    service: S,
    activity: Arc<Activity>,
    mut shared: Shared,
) where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let watched = Arc::clone(&activity);
    let handler = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer));
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        let open = OpenRequest::begin(&watched);
        let answer = service.clone().call(request);
        async move {
            answer.await.map(|response| response.map(|body| WatchedBody { body, _open: open }))
        }
    });
    let builder = http_builder(&shared.limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), handler));
    let mut pressure = shared.pressure.clone();
    let mut draining = false;
    let lapse = loop {
        tokio::select! {
            result = connection.as_mut() => return log_end(peer, result),
            lapse = activity.lapse(&shared.limits, &mut pressure) => break lapse,
            _ = shared.pressure.wait_for(|pressure| *pressure == Pressure::Draining), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if lapse == Lapse::Idle {
        shared.figures.idle.increment(1);
        connection.as_mut().graceful_shutdown();
        // Whatever happens then, the connection is dropped: the client had its time.
        let _ = timeout(LINGER, connection).await;
    } else {
        shared.figures.stuck.increment(1);
        tracing::info!(%peer, "a client did not take its answer in time; connection dropped");
    }
}

fn http_builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        // A client that closes its side after the request still waits for the answer.
        .half_close(true)
        .max_buf_size(limits.max_header_bytes.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(limits.header_timeout);
    builder
}

fn log_end(peer: SocketAddr, result: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = result {
        tracing::debug!(%peer, error = %error, "connection ended with an error");
    }
}

/// When requests of a connection began and ended.
#[derive(Debug)]
struct Activity {
    born: Instant,
    open_requests: AtomicUsize,
    begun_requests: AtomicU64,
    /// Milliseconds from `born` to the last beginning or end of a request.
    last_change_millis: AtomicU64,
}

/// Why a connection has had its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lapse {
    /// No request came.
    Idle,
    /// An answer was not taken.
    Stuck,
}

impl Activity {
    fn new() -> Self {
        Self {
            born: Instant::now(),
            open_requests: AtomicUsize::new(0),
            begun_requests: AtomicU64::new(0),
            last_change_millis: AtomicU64::new(0),
        }
    }

    fn mark(&self) {
        let millis = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_change_millis.store(millis, Ordering::Release);
    }

    /// What the connection may wait for now, and what it means when that time is over.
    fn allowance(&self, limits: &Limits, pressure: Pressure) -> (Duration, Lapse) {
        if self.open_requests.load(Ordering::Acquire) > 0 {
            return (limits.request_timeout + limits.response_timeout, Lapse::Stuck);
        }
        let calm = if self.begun_requests.load(Ordering::Acquire) == 0 {
            limits.header_timeout
        } else {
            limits.idle_timeout
        };
        let idle = if pressure == Pressure::None { calm } else { calm.min(IDLE_UNDER_PRESSURE) };
        (idle, Lapse::Idle)
    }

    /// Ends when the connection has had its time. No request wakes this: it looks again at least
    /// once in the shortest allowance, and whenever the pressure changes.
    async fn lapse(&self, limits: &Limits, pressure: &mut watch::Receiver<Pressure>) -> Lapse {
        let step = limits.header_timeout.min(limits.idle_timeout);
        loop {
            let now_pressure = *pressure.borrow_and_update();
            let (allowance, lapse) = self.allowance(limits, now_pressure);
            let last = Duration::from_millis(self.last_change_millis.load(Ordering::Acquire));
            let deadline = self.born + last + allowance;
            let now = Instant::now();
            if now >= deadline {
                return lapse;
            }
            let step =
                if now_pressure == Pressure::None { step } else { step.min(IDLE_UNDER_PRESSURE) };
            tokio::select! {
                () = sleep_until(deadline.min(now + step)) => {}
                Ok(()) = pressure.changed() => {}
            }
        }
    }
}

/// Counts a request as open until its answer's body is dropped.
#[derive(Debug)]
struct OpenRequest(Arc<Activity>);

impl OpenRequest {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.open_requests.fetch_add(1, Ordering::AcqRel);
        activity.begun_requests.fetch_add(1, Ordering::AcqRel);
        activity.mark();
        Self(Arc::clone(activity))
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.mark();
        self.0.open_requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// An answer's body that keeps its request open while it is being sent.
struct WatchedBody<B> {
    body: B,
    _open: OpenRequest,
}

impl<B: Body + Unpin> Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
