//! A listener that is full: who does nothing makes room, who works does not notice.

use std::time::Duration;

use bytes::Bytes;
use countersign_daemon::limits::Limits;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

use crate::rig::{PATIENCE, Rig, body, read_to_end, read_until};

/// Patient in everything, so that only pressure can end a connection within a test.
fn patient(max_connections: usize) -> Limits {
    let long = Duration::from_mins(5);
    Limits {
        header_timeout: long,
        idle_timeout: long,
        request_timeout: long,
        response_timeout: long,
        max_connections,
        ..Limits::default()
    }
}

#[tokio::test]
async fn bodies_that_stopped_half_way_make_room() {
    let rig = Rig::start(patient(3)).await;
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let mut stream = rig.connect().await;
        let half = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf";
        stream.write_all(half.as_bytes()).await.expect("written");
        stalled.push(stream);
    }
    // One place is enough: the others may stay, once there is room.
    assert_eq!(body(&rig.get("/hello").await), "hello");
}

#[tokio::test]
async fn answers_that_nobody_takes_make_room() {
    let rig = Rig::start(patient(2)).await;
    let mut unread = Vec::new();
    for _ in 0..2 {
        let mut stream = rig.connect().await;
        stream.write_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
        unread.push(stream);
    }
    assert_eq!(body(&rig.get("/hello").await), "hello");
}

#[tokio::test]
async fn a_handler_at_work_keeps_its_connection() {
    let rig = Rig::start(patient(2)).await;
    let mut working = rig.connect().await;
    working.write_all(b"GET /gate HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("written");
    let mut silent = rig.connect().await;
    // Full: the silent one makes room, after longer than a body may take.
    assert_eq!(body(&rig.get("/hello").await), "hello");
    assert_eq!(read_to_end(&mut silent).await, "");
    let _filling = rig.connect().await;
    let still_open = timeout(Duration::from_millis(2500), read_until(&mut working, "through"));
    assert!(still_open.await.is_err());
    rig.gate.notify_one();
    assert!(read_until(&mut working, "through").await.contains("200 OK"));
}

#[tokio::test]
async fn new_requests_do_not_cover_one_that_is_stuck() {
    let limits = Limits {
        request_timeout: Duration::from_millis(500),
        response_timeout: Duration::from_millis(500),
        ..patient(10)
    };
    let rig = Rig::start(limits).await;
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1000)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(rig.connect().await))
        .await
        .expect("handshake");
    let mut ended = tokio::spawn(connection);
    let request = |path: &str| {
        Request::get(format!("http://test{path}")).body(Empty::new()).expect("request")
    };
    // Nobody takes this answer.
    let _unread = sender.send_request(request("/large")).await.expect("answered");
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "the connection lives on");
        let asked = timeout(Duration::from_millis(100), async {
            sender.ready().await?;
            sender.send_request(request("/hello")).await?.into_body().collect().await
        });
        if matches!(asked.await, Ok(Err(_))) || ended.is_finished() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let _ = timeout(PATIENCE, &mut ended).await.expect("closed in time");
    assert!(start.elapsed() >= Duration::from_millis(700), "{:?}", start.elapsed());
}

#[tokio::test]
async fn one_address_takes_no_more_connections_than_it_may() {
    let rig = Rig::start(Limits { max_connections_per_address: 2, ..patient(100) }).await;
    let held = [rig.connect().await, rig.connect().await];
    let mut third = rig.connect().await;
    assert_eq!(read_to_end(&mut third).await, "");
    drop(held);
    let start = Instant::now();
    loop {
        if rig.get("/hello").await.ends_with("hello") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "no place came back");
    }
}

#[tokio::test]
async fn who_hangs_up_gives_back_no_place_while_the_work_goes_on() {
    let rig = Rig::start(Limits { max_in_flight: 2, ..patient(100) }).await;
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Empty<Bytes>>(TokioIo::new(rig.connect().await))
        .await
        .expect("handshake");
    tokio::spawn(connection);
    let request = Request::get("http://test/keeps").body(Empty::new()).expect("request");
    // A client may have half of the places; this one resets its stream.
    let asked = timeout(Duration::from_millis(300), sender.send_request(request));
    assert!(asked.await.is_err(), "the handler waits");
    assert!(rig.get("/hello").await.starts_with("HTTP/1.1 503"));
    rig.gate.notify_one();
    let start = Instant::now();
    while !rig.get("/hello").await.ends_with("hello") {
        assert!(start.elapsed() < PATIENCE, "the place came not back");
    }
}

#[tokio::test]
async fn a_header_of_many_fields_waits_for_no_body() {
    let rig = Rig::start(patient(100)).await;
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake::<_, Pending>(TokioIo::new(rig.connect().await))
        .await
        .expect("handshake");
    tokio::spawn(connection);
    let mut request = Request::post("http://test/echo");
    for _ in 0..101 {
        request = request.header("x", "y");
    }
    let request = request.body(Pending).expect("request");
    let answer = timeout(PATIENCE, sender.send_request(request)).await.expect("in time");
    assert_eq!(answer.expect("answered").status(), 431);
}

/// A body that never comes.
struct Pending;

impl hyper::body::Body for Pending {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}
