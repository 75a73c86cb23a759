//! A request that a proxy in front and a service behind it read differently carries a second one past the proxy.
//! One that has no clear end is refused, and what stands behind it is never answered.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use countersign_tests::scenario::{Limits, Site};

const SECOND: &str = "GET /livez?smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Heads of requests with more than one meaning; a body follows that is a request itself.
fn heads() -> Vec<String> {
    let length = SECOND.len();
    let lines = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Content-Length: 0\r\nContent-Length: {length}"),
        "Content-Length: +2".to_owned(),
        "Content-Length: 2, 3".to_owned(),
        "Content-Length: -1".to_owned(),
        "Content-Length: 0x2".to_owned(),
        "Content-Length: 18446744073709551616".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        "Transfer-Encoding: chunked, identity".to_owned(),
        "Transfer-Encoding : chunked".to_owned(),
        "Content-Length : 0".to_owned(),
        "X: a\r\n Content-Length: 0".to_owned(),
        "Content-Length: 0\0".to_owned(),
        "Content-Length\x0B: 0".to_owned(),
    ];
    lines
        .into_iter()
        .map(|lines| format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n"))
        .collect()
}

/// Chunked bodies that no two programs read alike.
fn chunked() -> Vec<String> {
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    [
        "FFFFFFFFFFFFFFFFF\r\n",
        "+0\r\n\r\n",
        "0x0\r\n\r\n",
        "-1\r\n",
        "1;\n\r\n",
        "2\r\nabc\r\n0\r\n\r\n",
    ]
    .map(|body| format!("{head}{body}"))
    .into()
}

/// Everything that comes until the connection ends.
fn answers(address: &str, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(15))).expect("set");
    // It may be refused before all of it is written.
    let _ = stream.write_all(format!("{sent}{SECOND}").as_bytes());
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn what_has_two_meanings_is_refused_and_nothing_behind_it_is_answered() {
    let limits =
        Limits::Table("header_timeout_seconds = 2\nrequest_timeout_seconds = 2".to_owned());
    let site = Site::found(&limits).expect("founded");
    let services =
        [site.start_timestamp().expect("it listens"), site.start_revocation().expect("it listens")];
    for service in &services {
        let address = service.address("public");
        let good = answers(address, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(good.matches("HTTP/1.1 200").count(), 2, "the second is read at all: {good}");
        for sent in heads().into_iter().chain(chunked()) {
            let seen = answers(address, &sent);
            assert_eq!(seen.matches("HTTP/1.1 ").count(), 1, "{sent:?}: {seen}");
            let status = seen.get(9..12).unwrap_or_default();
            assert!(status.starts_with('4'), "{sent:?}: {seen}");
        }
    }
}
