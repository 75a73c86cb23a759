//! One client has every other request refused, by long bodies that never end: together they would take all the room
//! that a listener has for bodies.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use countersign_tests::scenario::{Limits, Site as Founded};

use crate::site::Site;

const BODY_OCTETS: usize = 4 * 1024 * 1024;
/// As many as fit into 64 MiB, which all bodies together may take, and some more.
const HOLDERS: usize = 20;

/// A request whose body lacks its last octet.
fn hold(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_write_timeout(Some(Duration::from_secs(5))).expect("set");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: tsa\r\nContent-Type: application/timestamp-query\r\n\
         Content-Length: {BODY_OCTETS}\r\n\r\n"
    );
    // The service may refuse it half-way.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&vec![0; BODY_OCTETS - 1]);
    stream
}

/// Whether a holder was refused; one that holds room waits for its last octet.
fn is_refused(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("set");
    let mut beginning = [0; 12];
    match stream.read(&mut beginning) {
        Ok(length) => length == 0 || beginning.ends_with(b"503"),
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn one_address_holds_no_more_than_its_share_of_the_room_for_bodies() {
    let limits = Limits::Table(format!("max_body_bytes = {BODY_OCTETS}"));
    let site = Founded::found(&limits).expect("founded");
    let service = site.start_timestamp().expect("it listens");
    let mut holders: Vec<_> = (0..HOLDERS).map(|_| hold(service.address("public"))).collect();

    let run = |line: &str| site.shell.succeed(line).expect("a shell").stdout;
    run("head --bytes 100000 /dev/zero > long");
    run(
        "openssl ts -query -digest 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
         -sha256 -out short",
    );
    let post = |file: &str, from: &str| {
        let line = format!(
            "curl --silent --output answer --write-out '%{{http_code}}' --interface {from} \
             --header 'Content-Type: application/timestamp-query' --header Expect: \
             --data-binary @{file} {}/",
            service.url("public")
        );
        run(&line)
    };
    assert_eq!(post("long", "127.0.0.2"), "200", "another client's long body is read");
    assert_eq!(post("short", "127.0.0.1"), "200", "a request of the usual size has its room");
    run("openssl ts -reply -in answer -text | grep 'Status: Granted'");

    let refused = holders.iter_mut().filter_map(|holder| is_refused(holder).then_some(())).count();
    assert_eq!(HOLDERS - refused, 4, "a quarter of 64 MiB");
}

#[test]
fn who_may_not_administer_has_no_body_read() {
    let site = Site::start();
    site.succeed(
        "countersign ca issue --dir ca --profile tls-client --email nobody@example.org \
         --new-key nobody.key --output nobody.pem && head --bytes 15000000 /dev/zero > long",
    );
    let send = |who: &str, path: &str, media_type: &str| {
        site.succeed(&format!(
            "curl --silent --http1.1 --cacert ca/root/certificate.pem --cert {who}.pem --key {who}.key \
             --pass \"$(cat passphrase)\" --header 'Content-Type: {media_type}' \
             --header 'Expect: 100-continue' --expect100-timeout 30 --data-binary @long \
             --output answer --write-out '%{{http_code}} %{{size_upload}}' {}{path}",
            site.service.url("admin")
        ))
        .stdout
    };
    // Listed nowhere; listed for something else; listed, with an order that names what it is about.
    assert_eq!(send("nobody", "/v1/import", "application/x-ndjson"), "403 0");
    assert_eq!(send("second", "/v1/import", "application/x-ndjson"), "403 0");
    assert_eq!(send("admin", "/v1/import", "application/json"), "415 0");
    assert_eq!(send("admin", "/v1/revocations", "application/json"), "413 0");
    assert!(site.read("answer").contains("at most 65536 bytes"));
    // What may be long is read, and refused for what it says.
    assert_eq!(send("admin", "/v1/import", "application/x-ndjson"), "400 15000000");
}
