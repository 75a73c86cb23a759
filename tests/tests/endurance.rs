//! What the services withstand as real processes: silence, half requests, SIGTERM in the middle of
//! a request, and `kill -9` in the middle of revocations made by the command line.
//!
//! The finer cases are tested where they belong, in daemon and the services.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use countersign_tests::{
    programs::Service,
    scenario::{Limits, Site},
};
use serde_json::Value;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A request that a service answers at once, on a connection of its own.
const ALIVE: &[u8] = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn site(limits: &str) -> Site {
    Site::found(&Limits::Table(limits.to_owned())).expect("a site")
}

fn connect(service: &Service, listener: &str) -> TcpStream {
    let stream = TcpStream::connect(service.address(listener)).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Sends octets and reads to the end of the connection.
fn exchange(service: &Service, request: &[u8]) -> String {
    let mut stream = connect(service, "public");
    stream.write_all(request).expect("sent");
    read_to_end(&mut stream)
}

/// What comes until the connection ends, by a reset too.
fn read_to_end(stream: &mut TcpStream) -> String {
    let mut octets = Vec::new();
    match stream.read_to_end(&mut octets) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection stays open: {error}"),
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[test]
fn silence_and_half_headers_hold_neither_service() {
    let site = site("header_timeout_seconds = 3");
    let timestamp = site.start_timestamp().expect("started");
    let revocation = site.start_revocation().expect("started");
    let listeners = [(&timestamp, "public"), (&revocation, "public"), (&revocation, "admin")];
    // Nothing; a part of a header; of a TLS handshake; a header without its end.
    let halves: [&[u8]; 4] =
        [b"", b"POST / HT", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: x\r\n"];
    let mut held = Vec::new();
    for (service, listener) in listeners {
        for half in halves.iter().cycle().take(40) {
            let mut stream = connect(service, listener);
            stream.write_all(half).expect("sent");
            held.push(stream);
        }
    }
    for service in [&timestamp, &revocation] {
        let start = Instant::now();
        let reply = exchange(service, ALIVE);
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        assert!(start.elapsed() < Duration::from_secs(2), "others are not held up");
    }
    let start = Instant::now();
    for mut stream in held {
        read_to_end(&mut stream);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "closed after the header timeout");
    for service in [timestamp, revocation] {
        assert_eq!(service.stop().expect("it ends").code(), Some(0));
    }
}

/// A connection on which a request is under way: the service said that it waits for the body's `length` octets.
fn begin_request(service: &Service, path: &str, media_type: &str, length: usize) -> TcpStream {
    const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut stream = connect(service, "public");
    let header = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\n\
         Content-Length: {length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(header.as_bytes()).expect("sent");
    let mut answer = [0; CONTINUE.len()];
    stream.read_exact(&mut answer).expect("it asks for the body");
    assert_eq!(answer, CONTINUE);
    stream
}

#[test]
fn sigterm_ends_each_service_within_its_deadline_while_requests_hang() {
    let site = site("drain_timeout_seconds = 1");
    let timestamp = site.start_timestamp().expect("started");
    let revocation = site.start_revocation().expect("started");
    let cases = [
        (timestamp, "/", "application/timestamp-query"),
        (revocation, "/ocsp", "application/ocsp-request"),
    ];
    for (mut service, path, media_type) in cases {
        let mut hanging = begin_request(&service, path, media_type, 100);
        hanging.write_all(b"0").expect("sent");
        let _silent = connect(&service, "public");
        // A whole exchange after them: they were accepted before it.
        assert!(exchange(&service, ALIVE).starts_with("HTTP/1.1 200"));
        let start = Instant::now();
        service.terminate().expect("it runs");
        let status = service.wait(PATIENCE).expect("it ends");
        assert_eq!(status.code(), Some(0), "a stop that was asked for is no failure");
        let took = start.elapsed();
        assert!(took < Duration::from_secs(6), "{path}: {took:?}, with a second to drain");
        assert!(took > Duration::from_millis(500), "{path}: the request got its time: {took:?}");
    }
}

#[test]
fn a_request_under_way_at_sigterm_is_answered() {
    let site = site("drain_timeout_seconds = 10");
    let mut timestamp = site.start_timestamp().expect("started");
    let shell = &site.shell;
    shell.succeed("openssl ts -query -data policy.json -sha384 -out query.tsq").expect("a query");
    let query = std::fs::read(shell.folder().join("query.tsq")).expect("a query");
    let (first, rest) = query.split_at(10);

    let mut stream = begin_request(&timestamp, "/", "application/timestamp-query", query.len());
    stream.write_all(first).expect("sent");
    timestamp.terminate().expect("it runs");
    // From now on no new client is taken.
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(timestamp.address("public")).is_ok() {
        assert!(Instant::now() < deadline, "it still takes connections");
        thread::sleep(Duration::from_millis(10));
    }
    stream.write_all(rest).expect("sent");
    let reply = read_to_end(&mut stream);
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(reply.contains("application/timestamp-reply"), "{reply}");
    assert_eq!(timestamp.wait(PATIENCE).expect("it ends").code(), Some(0));
}

const SIGNERS: usize = 8;

#[test]
fn kill_9_loses_no_revocation_that_the_command_line_reported() {
    let mut site = site("");
    let mut revocation = site.start_revocation().expect("started");
    let line = site.export_administration(&revocation);
    assert!(line.contains("https://"), "{line}");
    let names: Vec<String> = (0..SIGNERS).map(|number| format!("signer{number}.pem")).collect();
    for name in &names {
        site.shell
            .succeed(&format!(
                "countersign ca issue --dir ca --profile code-signer --email {name}@example.org \
                 --key signer.key --output {name}"
            ))
            .expect("issued");
    }
    site.shell
        .succeed(&format!("countersign revocation register {}", names.join(" ")))
        .expect("registered");

    // A first revocation that is reported and a kill at once after it, while others are under way.
    let (reported, killed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = names
            .chunks(SIGNERS / 2)
            .map(|names| scope.spawn(|| revoke_until_killed(&site, names, &reported, &killed)))
            .collect();
        let deadline = Instant::now() + PATIENCE * 2;
        while reported.load(Ordering::SeqCst) < 2 {
            assert!(Instant::now() < deadline, "revocations are too slow");
            thread::sleep(Duration::from_millis(1));
        }
        revocation.kill();
        killed.store(true, Ordering::SeqCst);
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    assert!(acknowledged.len() >= 2 && acknowledged.len() < SIGNERS, "{acknowledged:?}");

    revocation = site.start_revocation().expect("started again");
    site.export_administration(&revocation);
    let states = states(&site, &names);
    for name in &acknowledged {
        assert_eq!(states[name], "revoked", "{name} was reported as revoked; {states:?}");
    }
    assert_eq!(revocation.stop().expect("it ends").code(), Some(0));
}

/// Revokes one after the other until the service is gone; gives those that were reported.
fn revoke_until_killed(
    site: &Site,
    names: &[String],
    reported: &AtomicUsize,
    killed: &AtomicBool,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for name in names {
        let line = format!("countersign revoke --certificate {name} --reason superseded --yes");
        let ran = site.shell.run(&line).expect("it runs");
        if ran.exit_code == 0 {
            acknowledged.push(name.clone());
            reported.fetch_add(1, Ordering::SeqCst);
        } else {
            assert_eq!(ran.exit_code, 3, "no answer is \"could not\": {}", ran.said());
            assert!(ran.said().contains("setup.service.unreachable"), "{}", ran.said());
        }
        if killed.load(Ordering::SeqCst) {
            break;
        }
    }
    acknowledged
}

/// What the service says of each certificate, by OCSP.
fn states(site: &Site, names: &[String]) -> BTreeMap<String, String> {
    let state = |name: &String| {
        let line = format!("countersign revocation status --certificate {name} --format json");
        let ran = site.shell.run(&line).expect("it runs");
        let answer: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.said()));
        let state = answer["result"]["status"].as_str().unwrap_or_else(|| panic!("{answer}"));
        (name.clone(), state.to_owned())
    };
    names.iter().map(state).collect()
}
