//! A server with trivial routes, and raw clients for it.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_daemon::Held;
use countersign_daemon::health::{self, Readiness};
use countersign_daemon::limits::Limits;
use countersign_daemon::peer::{ClientCertificate, PeerAddress};
use countersign_daemon::problem::Problem;
use countersign_daemon::reception::Reception;
use countersign_daemon::server::{Drained, Server};
use countersign_daemon::shutdown::{Shutdown, Trigger};
use countersign_daemon::tls::Tls;
use http::StatusCode;
use http::request::Parts;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use warp::{Filter, Rejection, Reply};

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// Limits short enough to be seen in a test.
pub(crate) fn short_limits() -> Limits {
    Limits {
        header_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(300),
        request_timeout: Duration::from_millis(600),
        response_timeout: Duration::from_millis(600),
        drain_timeout: Duration::from_millis(400),
        max_body_bytes: 100,
        ..Limits::default()
    }
}

/// A running server.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) trigger: Trigger,
    pub(crate) served: JoinHandle<Drained>,
    /// Lets requests to `/gate` go on.
    pub(crate) gate: Arc<Notify>,
}

impl Rig {
    pub(crate) async fn start(limits: Limits) -> Self {
        Self::start_with(limits, None).await
    }

    pub(crate) async fn start_with(limits: Limits, tls: Option<Tls>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("address");
        let gate = Arc::new(Notify::new());
        let (trigger, shutdown) = Shutdown::manual();
        let public = Server::new("test", "public").with_limits(limits).with_tls(tls);
        let public = public
            .with_reception(Reception::new(move |head| Box::pin(ready(receive(head, limits)))));
        let served = tokio::spawn(public.serve(listener, routes(Arc::clone(&gate)), shutdown));
        Self { address, trigger, served, gate }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        timeout(PATIENCE, TcpStream::connect(self.address))
            .await
            .expect("in time")
            .expect("connected")
    }

    /// Sends `request` on a connection of its own and reads until the server closes.
    pub(crate) async fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.expect("written");
        read_to_end(&mut stream).await
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"))
            .await
    }
}

/// Reads until the peer closes or resets the connection.
pub(crate) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("closed in time");
    String::from_utf8(bytes).expect("text")
}

/// Reads until `mark` has come.
pub(crate) async fn read_until(stream: &mut (impl AsyncRead + Unpin), mark: &str) -> String {
    let mut text = String::new();
    let reading = async {
        while !text.contains(mark) {
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer).await.expect("readable");
            assert!(length > 0, "closed before {mark:?}: {text}");
            text.push_str(std::str::from_utf8(&buffer[..length]).expect("text"));
        }
    };
    timeout(PATIENCE, reading).await.expect("in time");
    text
}

/// The value of a header in a raw reply.
pub(crate) fn header<'a>(reply: &'a str, name: &str) -> Option<&'a str> {
    reply.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The body of a raw reply.
pub(crate) fn body(reply: &str) -> &str {
    reply.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// Nobody may come in at `/closed`, whatever they bring.
fn receive(head: &Parts, limits: Limits) -> Result<usize, Problem> {
    match head.uri.path() {
        "/closed" => Err(Problem::new(StatusCode::FORBIDDEN, "test.closed", "Nobody may.")),
        "/short" => Ok(5),
        _ => Ok(limits.max_body_bytes),
    }
}

fn routes(
    gate: Arc<Notify>,
) -> impl Filter<Extract = impl Reply, Error = Rejection> + Clone + Send + Sync + 'static {
    let gate_of_kept = Arc::clone(&gate);
    let hello = warp::path!("hello").and(warp::get()).map(|| "hello".into_response());
    let echo = warp::path!("echo")
        .and(warp::post())
        .and(warp::body::bytes())
        .map(|bytes: bytes::Bytes| bytes.to_vec().into_response());
    let peer = warp::path!("peer")
        .and(warp::ext::get::<PeerAddress>())
        .and(warp::ext::optional::<ClientCertificate>())
        .map(|peer: PeerAddress, certificate: Option<ClientCertificate>| {
            format!("{} {}", peer.0, certificate.map_or(0, |certificate| certificate.0.len()))
                .into_response()
        });
    let panics = warp::path!("panic").map(|| -> warp::reply::Response { panic!("as asked") });
    let gated = warp::path!("gate").then(move || {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            "through".into_response()
        }
    });
    let kept_gate = Arc::clone(&gate_of_kept);
    let keeps = warp::path!("keeps").and(warp::ext::get::<Held>()).then(move |held: Held| {
        let gate = Arc::clone(&kept_gate);
        async move {
            let going_on = tokio::spawn(async move {
                gate.notified().await;
                drop(held);
            });
            let _ = going_on.await;
            "kept".into_response()
        }
    });
    let large = warp::path!("large").map(|| vec![b'x'; 64 * 1024 * 1024].into_response());
    let readiness = Readiness::builder()
        .check("good", || async { Ok(()) })
        .check("bad", || async { Err("the moon is full".to_owned()) })
        .build();
    hello
        .or(echo)
        .unify()
        .or(peer)
        .unify()
        .or(panics)
        .unify()
        .or(gated)
        .unify()
        .or(keeps)
        .unify()
        .or(large)
        .unify()
        .or(health::routes(readiness))
        .unify()
}
