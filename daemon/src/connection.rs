//! One connection: handshake, HTTP, and the watch that ends it.
//!
//! hyper's header timeout does not cover the bytes that show the HTTP version, nor an idle
//! HTTP/2 connection, nor an answer that is not taken; the watch (`activity.rs`) does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
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

use crate::activity::{Activity, Lapse, OpenRequest, Pressure, WatchedStream};
use crate::body_room::ConnectionRoom;
use crate::guard::HeldAnswer;
use crate::limits::Limits;
use crate::metrics::ConnectionFigures;
use crate::peer::{ClientCertificate, PeerAddress};
use crate::tls::Tls;

/// How long a connection that was asked to close may take to do so.
const LINGER: Duration = Duration::from_secs(1);

/// Streams one HTTP/2 connection may have open: bounds the bodies held for one client.
const MAX_STREAMS: u32 = 32;

/// What an HTTP/2 client may send before it is read, in all its streams together: the default is a
/// megabyte for each connection.
const WINDOW_BYTES: u32 = 128 * 1024;

/// The longest header of an HTTP/2 request, each field with 32 octets more than it has (RFC 9113 §6.5.2): the
/// least that a listener may be set to. A client can repeat a field by a single octet.
const MAX_HEADER_LIST_BYTES: u32 = 8 * 1024;

/// What is copied of an HTTP/2 answer before the client has taken it.
const MAX_SEND_BYTES: usize = 64 * 1024;

/// What is handed to hyper of an answer at once.
const PIECE_BYTES: usize = 32 * 1024;

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
    let born = Instant::now();
    let Some(tls) = shared.tls.clone() else {
        return converse(stream, (peer, born), None, service, activity, shared).await;
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
            converse(stream, (peer, born), certificate, service, activity, shared).await;
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
    (peer, born): (SocketAddr, Instant),
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
    let room = ConnectionRoom::default();
    let handler = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer));
        request.extensions_mut().insert(room.clone());
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        let open = OpenRequest::begin(&watched);
        request.extensions_mut().insert(open.clock());
        let answer = service.clone().call(request);
        async move {
            let answer = answer.await;
            open.is_answered();
            answer.map(|response| {
                let held = response.extensions().get().cloned();
                response.map(|body| WatchedBody {
                    body,
                    rest: Bytes::new(),
                    _open: open,
                    _held: held,
                })
            })
        }
    });
    let builder = http_builder(&shared.limits);
    let stream = TokioIo::new(WatchedStream::new(stream, Arc::clone(&activity)));
    let mut connection = pin!(builder.serve_connection(stream, handler));
    let mut pressure = shared.pressure.clone();
    let mut draining = false;
    let mut end_of_life = pin!(end_of_life(born, &shared.limits));
    let lapse = loop {
        tokio::select! {
            result = connection.as_mut() => return log_end(peer, result),
            lapse = activity.lapse(&shared.limits, &mut pressure) => break lapse,
            _ = shared.pressure.wait_for(|pressure| pressure.draining), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            // What is open is finished, and nothing new begins.
            () = end_of_life.as_mut(), if !draining => {
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
        tracing::info!(%peer, "a client did not send its request or take its answer in time; connection dropped");
    }
}

/// When the connection is old enough; never if that does not matter.
async fn end_of_life(born: Instant, limits: &Limits) {
    match limits.max_connection_age {
        Some(age) => sleep_until(born + age).await,
        None => std::future::pending().await,
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
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_send_buf_size(MAX_SEND_BYTES)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(limits.header_timeout);
    builder
}

fn log_end(peer: SocketAddr, result: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = result {
        tracing::debug!(%peer, error = %error, "connection ended with an error");
    }
}

/// An answer's body that keeps its request open while it is being sent.
///
/// Large pieces go out as small ones: hyper takes a piece whole and drops the body with its last, so
/// that an answer in one piece would look taken before its first octet went out.
struct WatchedBody<B> {
    body: B,
    /// What is left of a large piece.
    rest: Bytes,
    _open: OpenRequest,
    _held: Option<HeldAnswer>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for WatchedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return other,
            }
        }
        let length = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let of_body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower().saturating_add(rest));
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
