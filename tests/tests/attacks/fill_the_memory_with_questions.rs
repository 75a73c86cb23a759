//! One anonymous client has the OCSP responder keep what it asks, until there is no memory left: each question is
//! about another certificate, and as long as a request may be.

use std::fs;

use countersign_tests::{programs::free_port, stamping::Connection};

use crate::site::Site;

const LONG: usize = 20_000;
/// `OCSPResponse` with responseStatus malformedRequest(1).
const MALFORMED: [u8; 5] = [0x30, 3, 0x0A, 1, 1];
const SHA1: [u8; 7] = [6, 5, 0x2B, 0x0E, 3, 2, 0x1A];
const NULL: [u8; 2] = [5, 0];

/// DER: tag, length, content.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|octet| **octet == 0).count()..];
    let head = match content.len() {
        short @ 0..128 => vec![tag, u8::try_from(short).expect("short")],
        _ => [&[tag, 0x80 | u8::try_from(length.len()).expect("short")], length].concat(),
    };
    [head, content].concat()
}

/// An OCSP request about one certificate, with its parts as they are given.
fn question(parameters: &[u8], name_hash: &[u8], key_hash: &[u8], serial: &[u8]) -> Vec<u8> {
    let algorithm = der(0x30, &[&SHA1, parameters]);
    let hashes = [der(4, &[name_hash]), der(4, &[key_hash])];
    let id = der(0x30, &[&algorithm, &hashes[0], &hashes[1], &der(2, &[serial])]);
    der(0x30, &[&der(0x30, &[&der(0x30, &[&der(0x30, &[&id])])])])
}

fn post(query: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /ocsp HTTP/1.1\r\nHost: pki\r\nContent-Type: application/ocsp-request\r\n\
         Content-Length: {}\r\n\r\n",
        query.len()
    );
    [head.as_bytes(), query].concat()
}

/// What the process has in memory, in octets.
fn resident(id: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

#[test]
fn questions_as_long_as_they_may_be_are_neither_answered_nor_kept() {
    let port = free_port().expect("a port");
    let site = Site::start_with(&format!("metrics_listen = \"127.0.0.1:{port}\""));
    let address = site.service.address("public").to_owned();
    let kept = || {
        let line = format!("curl --silent --fail http://127.0.0.1:{port}/metrics");
        let text = site.succeed(&line).stdout;
        let name = "countersign_ocsp_kept_bytes ";
        let value = text.lines().find_map(|line| line.strip_prefix(name)).expect("the figure");
        value.trim().parse::<f64>().expect("a number")
    };
    let before = (kept(), resident(site.service.id()));
    let mut connection = Connection::open(&address).expect("connected");
    for number in 0_u16..300 {
        let distinct = number.to_be_bytes();
        let long = [&[1], &distinct[..], &vec![1; LONG]].concat();
        let parameters = der(4, &[&long]);
        for query in [
            question(&NULL, &[7; 20], &[7; 20], &long),
            question(&NULL, &long, &[7; 20], &[1]),
            question(&NULL, &[7; 20], &long, &[1]),
            question(&parameters, &[7; 20], &[7; 20], &[1]),
            // As short as may be, and still no serial number or hash.
            question(&NULL, &[7; 20], &[7; 20], &[&[1], &distinct[..], &[1; 19]].concat()),
            question(&NULL, &[7; 21], &[7; 20], &[1]),
        ] {
            let answer = connection.ask(&post(&query)).expect("answered");
            assert_eq!((answer.status, answer.body), (200, &MALFORMED[..]), "{number}");
        }
    }
    // As many answers of the usual kind would be 0.3 MB; these questions have 24.
    let after = (kept(), resident(site.service.id()));
    assert!(after.0 <= before.0, "{before:?} {after:?}");
    assert!(after.1 < before.1 + 12 * 1024 * 1024, "{before:?} {after:?}");
    let good = site.succeed("countersign revocation status --certificate signer.pem").stdout;
    assert!(good.contains("Good."), "{good}");
}
