//! Clients that are slow, silent, many or old.

use std::time::Duration;

use bytes::Bytes;
use countersign_daemon::limits::Limits;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use crate::rig::{PATIENCE, Rig, body, read_to_end, read_until, short_limits};

/// When a client that stalls must be gone: far above the limits of these tests, far below the default ones.
const GONE_WITHIN: Duration = Duration::from_secs(6);

#[tokio::test]
async fn closes_a_connection_that_sends_half_a_header() {
    let rig = Rig::start(short_limits()).await;
    for half in ["GET /hello HTTP/1.1\r\nHost: te", "PRI * HTTP/2.0\r\n", "G", "P"] {
        let mut stream = rig.connect().await;
        let start = Instant::now();
        stream.write_all(half.as_bytes()).await.expect("written");
        assert_eq!(read_to_end(&mut stream).await, "", "{half}");
        assert!(start.elapsed() < GONE_WITHIN, "{half}: {:?}", start.elapsed());
    }
    assert!(rig.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn closes_a_connection_that_sends_nothing() {
    let rig = Rig::start(short_limits()).await;
    let mut stream = rig.connect().await;
    let start = Instant::now();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(start.elapsed() >= Duration::from_millis(250) && start.elapsed() < GONE_WITHIN);
}

#[tokio::test]
async fn closes_an_http2_connection_that_asks_nothing() {
    let rig = Rig::start(short_limits()).await;
    let stream = rig.connect().await;
    let (_sender, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .expect("handshake");
    // The client answers pings, so only the watch on requests can end this.
    let _ = timeout(GONE_WITHIN, connection).await.expect("closed in time");
}

#[tokio::test]
async fn closes_a_kept_alive_connection_that_goes_silent() {
    let rig = Rig::start(short_limits()).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    assert!(read_until(&mut stream, "hello").await.contains("200 OK"));
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn answers_408_to_a_body_that_does_not_come() {
    let rig = Rig::start(short_limits()).await;
    let reply =
        rig.exchange("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(reply.starts_with("HTTP/1.1 408"), "{reply}");
    assert!(reply.contains("request.timeout"), "{reply}");
}

#[tokio::test]
async fn slow_bodies_take_no_place_from_others() {
    let rig = Rig::start(Limits { max_in_flight: 1, ..short_limits() }).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = rig.connect().await;
        stream
            .write_all(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf")
            .await
            .expect("written");
        slow.push(stream);
    }
    assert!(rig.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn drops_a_client_that_does_not_read_its_answer() {
    let rig = Rig::start(short_limits()).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    read_until(&mut stream, "200 OK").await;
    // Nothing is read now: the server's buffers fill, and its patience ends.
    let gone = async {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("dropped in time");
}

#[tokio::test]
async fn serves_others_while_every_place_is_taken_by_idle_connections() {
    let limits = Limits {
        max_connections: 300,
        header_timeout: Duration::from_mins(1),
        ..Limits::default()
    };
    let rig = Rig::start(limits).await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(rig.connect().await);
    }
    let start = Instant::now();
    assert!(rig.get("/hello").await.ends_with("hello"));
    assert!(start.elapsed() < PATIENCE);
}

#[tokio::test]
async fn connect_and_close_does_no_harm() {
    let rig = Rig::start(Limits { max_connections: 16, ..short_limits() }).await;
    for _ in 0..200 {
        drop(rig.connect().await);
    }
    assert!(rig.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn answers_http_1_0_without_chunking() {
    let rig = Rig::start(short_limits()).await;
    let reply = rig.exchange("POST /echo HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd").await;
    assert!(reply.starts_with("HTTP/1.0 200"), "{reply}");
    assert!(reply.to_ascii_lowercase().contains("content-length: 4"), "{reply}");
    assert!(!reply.to_ascii_lowercase().contains("transfer-encoding"), "{reply}");
    assert_eq!(body(&reply), "abcd");
}

#[tokio::test]
async fn answers_a_client_that_closes_its_side_after_the_request() {
    let rig = Rig::start(short_limits()).await;
    let mut stream = rig.connect().await;
    stream.write_all(b"GET /hello HTTP/1.0\r\n\r\n").await.expect("written");
    stream.shutdown().await.expect("half closed");
    assert!(read_to_end(&mut stream).await.ends_with("hello"));
}

#[tokio::test]
async fn answers_http_2_with_prior_knowledge() {
    let rig = Rig::start(short_limits()).await;
    let stream = TokioIo::new(rig.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .expect("handshake");
    tokio::spawn(connection);
    let request = Request::get(format!("http://{}/hello", rig.address))
        .body(Empty::<Bytes>::new())
        .expect("request");
    let response = sender.send_request(request).await.expect("answered");
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(response.into_body().collect().await.expect("body").to_bytes(), "hello");
}

#[tokio::test]
async fn refuses_a_header_over_the_limit() {
    let rig = Rig::start(Limits { max_header_bytes: 8192, ..short_limits() }).await;
    let long = "x".repeat(20_000);
    let reply =
        rig.exchange(&format!("GET /hello HTTP/1.1\r\nHost: test\r\nX-Long: {long}\r\n\r\n")).await;
    assert!(reply.starts_with("HTTP/1.1 431"), "{reply}");
}

#[tokio::test]
async fn a_slow_reader_of_a_large_answer_is_not_idle() {
    const LENGTH: usize = 64 * 1024 * 1024;
    // Longer all together than the idle timeout, by far; each shorter.
    const PAUSES: u32 = 12;
    const PAUSE: Duration = Duration::from_millis(100);
    let limits = Limits { response_timeout: Duration::from_mins(1), ..short_limits() };
    let rig = Rig::start(limits).await;
    let mut stream = rig.connect().await;
    let start = Instant::now();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    // Small against the answer, whatever the system holds in its buffers: after each pause most of
    // it is still the server's to send.
    let mut piece = vec![0; LENGTH / 32];
    let mut pauses = 0;
    let mut read = 0;
    while read < LENGTH {
        if pauses < PAUSES {
            sleep(PAUSE).await;
            pauses += 1;
        }
        let length = timeout(PATIENCE, stream.read(&mut piece)).await.expect("in time");
        let length = length.expect("not cut");
        assert!(length > 0, "cut after {read} octets");
        read += length;
    }
    assert!(start.elapsed() > short_limits().idle_timeout);
}

/// A client certificate is looked at once, in the handshake: who never stops asking was never looked at again.
#[tokio::test]
async fn closes_a_connection_that_is_old_however_busy_it_is() {
    let age = Duration::from_millis(700);
    let limits = Limits { max_connection_age: Some(age), ..Limits::default() };
    let rig = Rig::start(limits).await;
    let start = Instant::now();
    let mut stream = rig.connect().await;
    let asking = async {
        loop {
            let request = b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n";
            let mut buffer = [0; 1024];
            let read = match stream.write_all(request).await {
                Ok(()) => stream.read(&mut buffer).await,
                Err(error) => Err(error),
            };
            // A reset is an end as well.
            if read.unwrap_or(0) == 0 {
                return;
            }
        }
    };
    timeout(PATIENCE, asking).await.expect("closed in time");
    assert!(start.elapsed() >= age, "not before its time: {:?}", start.elapsed());
    assert!(rig.get("/hello").await.ends_with("hello"), "others are served");
}

#[tokio::test]
async fn finishes_what_an_old_http2_connection_asked_and_takes_nothing_new() {
    let limits =
        Limits { max_connection_age: Some(Duration::from_millis(300)), ..Limits::default() };
    let rig = Rig::start(limits).await;
    let stream = rig.connect().await;
    let (mut sender, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .expect("handshake");
    let connection = tokio::spawn(connection);
    let request = |path: &str| {
        let request = Request::get(format!("http://test{path}"));
        request.body(Empty::<Bytes>::new()).expect("a request")
    };
    let open = sender.send_request(request("/gate"));
    // It is told to go away while its request is open.
    let refused = async {
        while sender.ready().await.is_ok() && sender.send_request(request("/hello")).await.is_ok() {
        }
    };
    timeout(PATIENCE, refused).await.expect("refused in time");
    rig.gate.notify_one();
    let answer = timeout(PATIENCE, open).await.expect("in time").expect("an answer");
    assert_eq!(answer.status(), 200);
    let _ = timeout(PATIENCE, connection).await.expect("closed in time");
}
