//! Floods of HTTP/2 frames, written by hand: what a client library would never send.

use std::time::Duration;

use countersign_daemon::limits::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::rig::{PATIENCE, Rig, body};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET /hello` at `http://test`, by HPACK's static table.
const GET_HELLO: &[u8] = b"\x82\x86\x04\x06/hello\x01\x04test";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A connection that has said hello.
async fn connect(rig: &Rig) -> TcpStream {
    let mut stream = rig.connect().await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("written");
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.expect("written");
    stream
}

/// Sends `flood` until the server ends the connection, or `most` octets went out; whether it ended it.
async fn floods(rig: &Rig, mut flood: impl FnMut(u32) -> Vec<u8>, most: usize) -> bool {
    let (mut reader, mut writer) = connect(rig).await.into_split();
    let reading = tokio::spawn(async move {
        let mut buffer = [0; 16 * 1024];
        while reader.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
    });
    let mut sent = 0;
    let writing = async {
        for number in 0.. {
            let bytes = flood(number);
            sent += bytes.len();
            if sent > most || writer.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    timeout(PATIENCE, writing).await.expect("takes or refuses in time");
    let ended = timeout(Duration::from_secs(1), reading).await.is_ok();
    // Whatever became of it, others are served.
    assert_eq!(body(&rig.get("/hello").await), "hello");
    ended
}

fn get(number: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, number * 2 + 1, GET_HELLO)
}

#[tokio::test]
async fn a_hand_written_request_is_answered() {
    let rig = Rig::start(Limits::default()).await;
    let mut stream = connect(&rig).await;
    stream.write_all(&get(0)).await.expect("written");
    let mut seen = Vec::new();
    while !seen.windows(5).any(|window| window == b"hello") {
        let mut buffer = [0; 1024];
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time");
        let length = read.expect("readable");
        assert!(length > 0, "closed: {seen:?}");
        seen.extend_from_slice(&buffer[..length]);
    }
}

/// CVE-2023-44487.
#[tokio::test]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    let rig = Rig::start(Limits::default()).await;
    let flood = |number: u32| {
        // Many in one packet, so that they are taken back before they are begun.
        (0..200)
            .flat_map(|each| {
                let stream = (number * 200 + each) * 2 + 1;
                let cancel = 8_u32.to_be_bytes();
                let headers = frame(HEADERS, END_STREAM | END_HEADERS, stream, GET_HELLO);
                [headers, frame(RST_STREAM, 0, stream, &cancel)].concat()
            })
            .collect()
    };
    assert!(floods(&rig, flood, 20_000_000).await);
}

/// CVE-2024-27316 and its kin.
#[tokio::test]
async fn a_header_that_never_ends_ends_the_connection() {
    let rig = Rig::start(Limits::default()).await;
    let flood = |number: u32| match number {
        0 => frame(HEADERS, END_STREAM, 1, GET_HELLO),
        // A literal header without indexing, x: 100 times y.
        _ => frame(CONTINUATION, 0, 1, &[b"\x00\x01x\x64".as_slice(), &[b'y'; 100]].concat()),
    };
    assert!(floods(&rig, flood, 20_000_000).await);
}

#[tokio::test]
async fn a_header_larger_than_allowed_is_refused() {
    let rig = Rig::start(Limits::default()).await;
    let line = [b"\x00\x01x\x64".as_slice(), &[b'y'; 100]].concat();
    let large = [GET_HELLO, &line.repeat(150)].concat();
    let flood = |number: u32| {
        frame(HEADERS, END_STREAM | END_HEADERS, number * 2 + 1, &large[..large.len().min(16_000)])
    };
    floods(&rig, flood, 5_000_000).await;
}

#[tokio::test]
async fn pings_settings_and_window_updates_by_the_hundred_thousand_harm_nobody() {
    let rig = Rig::start(Limits::default()).await;
    for many in [
        frame(PING, 0, 0, &[7; 8]).repeat(1000),
        frame(SETTINGS, 0, 0, &[]).repeat(1000),
        frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()).repeat(1000),
    ] {
        floods(&rig, |_| many.clone(), 3_000_000).await;
    }
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused_one_by_one() {
    let rig = Rig::start(Limits { max_in_flight: 10_000, ..Limits::default() }).await;
    let gate = b"\x82\x86\x04\x05/gate\x01\x04test";
    let flood = |number: u32| frame(HEADERS, END_STREAM | END_HEADERS, number * 2 + 1, gate);
    floods(&rig, flood, 200_000).await;
}

/// Four silent connections that PING, or send another control frame, took every place for ever.
async fn holds_no_place(control: Vec<u8>, asks_first: bool) {
    const PLACES: usize = 4;
    let limits = Limits {
        header_timeout: Duration::from_millis(500),
        idle_timeout: Duration::from_millis(700),
        max_connections: PLACES,
        ..Limits::default()
    };
    let rig = Rig::start(limits).await;
    let mut holders = Vec::new();
    for _ in 0..PLACES {
        let (mut reader, mut writer) = connect(&rig).await.into_split();
        if asks_first {
            writer
                .write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, GET_HELLO))
                .await
                .expect("written");
        }
        let control = control.clone();
        holders.push(tokio::spawn(async move {
            let mut buffer = [0; 1024];
            loop {
                tokio::select! {
                    read = reader.read(&mut buffer) => {
                        if !read.is_ok_and(|length| length > 0) { break }
                    }
                    () = sleep(Duration::from_millis(50)) => {
                        if writer.write_all(&control).await.is_err() { break }
                    }
                }
            }
        }));
    }
    for holder in holders {
        timeout(PATIENCE, holder).await.expect("closed in time").expect("no panic");
    }
    assert_eq!(body(&rig.get("/hello").await), "hello");
}

#[tokio::test]
async fn pings_hold_no_place() {
    holds_no_place(frame(PING, 0, 0, &[0; 8]), false).await;
}

#[tokio::test]
async fn pings_after_a_request_hold_no_place() {
    holds_no_place(frame(PING, 0, 0, &[0; 8]), true).await;
}

#[tokio::test]
async fn settings_hold_no_place() {
    holds_no_place(frame(SETTINGS, 0, 0, &[]), false).await;
}

#[tokio::test]
async fn window_updates_hold_no_place() {
    holds_no_place(frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()), false).await;
}
