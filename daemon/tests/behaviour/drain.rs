//! The stop.

use std::time::Duration;

use countersign_daemon::limits::Limits;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::rig::{PATIENCE, Rig, read_to_end, read_until, short_limits};

const GATE: &[u8] = b"GET /gate HTTP/1.1\r\nHost: test\r\n\r\n";

/// Waits until the listener takes no new connection.
async fn refused(rig: &Rig) {
    let start = Instant::now();
    while TcpStream::connect(rig.address).await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "still listening");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn open_requests_are_finished_and_new_connections_refused() {
    let limits = Limits {
        request_timeout: PATIENCE,
        response_timeout: PATIENCE,
        drain_timeout: PATIENCE,
        ..short_limits()
    };
    let rig = Rig::start(limits).await;
    let mut open = rig.connect().await;
    open.write_all(GATE).await.expect("written");
    // One answered request on another connection: the gated one was accepted before it.
    rig.get("/hello").await;
    rig.trigger.request();
    refused(&rig).await;
    rig.gate.notify_one();
    assert!(read_until(&mut open, "through").await.starts_with("HTTP/1.1 200"));
    let drained = timeout(PATIENCE, rig.served).await.expect("in time").expect("no panic");
    assert_eq!(drained.cut_connections, 0);
}

#[tokio::test]
async fn what_does_not_finish_is_cut_at_the_deadline() {
    let limits = Limits { request_timeout: PATIENCE, response_timeout: PATIENCE, ..short_limits() };
    let rig = Rig::start(limits).await;
    let mut open = rig.connect().await;
    open.write_all(GATE).await.expect("written");
    rig.get("/hello").await;
    let start = Instant::now();
    rig.trigger.request();
    let drained = timeout(PATIENCE, rig.served).await.expect("in time").expect("no panic");
    assert_eq!(drained.cut_connections, 1);
    assert!(start.elapsed() >= Duration::from_millis(350) && start.elapsed() < PATIENCE);
    assert_eq!(read_to_end(&mut open).await, "");
}

#[tokio::test]
async fn silence_and_half_headers_do_not_hold_the_stop() {
    let limits = Limits {
        header_timeout: Duration::from_mins(1),
        drain_timeout: Duration::from_mins(1),
        ..Limits::default()
    };
    let rig = Rig::start(limits).await;
    let silent = rig.connect().await;
    let mut half = rig.connect().await;
    half.write_all(b"GET /hello HTTP/1.1\r\nHost").await.expect("written");
    rig.get("/hello").await;
    rig.trigger.request();
    let drained = timeout(PATIENCE, rig.served).await.expect("in time").expect("no panic");
    assert_eq!(drained.cut_connections, 0);
    drop(silent);
}
