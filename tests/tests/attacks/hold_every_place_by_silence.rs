//! One anonymous client takes every place that a listener has and keeps it, without a request: HTTP/2 connections
//! that send nothing but control frames, written by hand.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use countersign_tests::scenario::{Limits, Site};

/// Places; all of them may be taken by one address, as the share of an address is at least sixteen.
const PLACES: usize = 4;
const LIMITS: &str = "max_connections = 4\nheader_timeout_seconds = 1\nidle_timeout_seconds = 2";
/// Longer than every timeout above, with a slow machine in mind; forever before the finding.
const PATIENCE: Duration = Duration::from_secs(15);
const PACE: Duration = Duration::from_millis(100);

const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0silence!";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
const WINDOW_UPDATE: &[u8] = b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01";

/// A connection that sends control frames, as long as it may.
trait Holder {
    /// Sends a frame, unless the connection was ended; whether it stands.
    fn hold(&mut self, frame: &[u8]) -> bool;
}

impl Holder for TcpStream {
    fn hold(&mut self, frame: &[u8]) -> bool {
        if self.write_all(frame).is_err() {
            return false;
        }
        let stands =
            |error: &io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        // Waits for the time of the pace.
        match self.read(&mut [0; 1024]) {
            Ok(length) => length > 0,
            Err(error) => stands(&error),
        }
    }
}

/// `openssl s_client`, which ends with its connection.
impl Holder for Child {
    fn hold(&mut self, frame: &[u8]) -> bool {
        let input = self.stdin.as_mut().expect("a pipe");
        let written = input.write_all(frame).and_then(|()| input.flush());
        written.is_ok() && self.try_wait().expect("a child").is_none()
    }
}

fn connect(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PACE / 4)).expect("set");
    stream.write_all(HELLO).expect("written");
    stream
}

fn connect_as_administrator(site: &Site, address: &str) -> Child {
    let programs = site.shell.programs();
    let mut command = programs.command("openssl", site.shell.folder());
    command.args(["s_client", "-connect", address, "-alpn", "h2", "-quiet"]);
    command.args(["-cert", "admin.pem", "-key", "admin.key", "-pass", "file:passphrase"]);
    command.args(["-CAfile", "ca/root/certificate.pem"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("openssl");
    child.stdin.as_mut().expect("a pipe").write_all(HELLO).expect("written");
    child
}

/// Holds until the service ends all of them, with another client that wants to be served meanwhile.
fn is_let_go<H: Holder>(mut holders: Vec<H>, frame: &[u8], other: impl Fn() -> i32) {
    let began = Instant::now();
    let mut served = 0;
    while !holders.is_empty() {
        assert!(began.elapsed() < PATIENCE, "{} places are held by {frame:?}", holders.len());
        holders.retain_mut(|holder| holder.hold(frame));
        if served == 0 && other() == 0 {
            served += 1;
        }
    }
    assert_eq!(other(), 0, "served when they are gone");
}

fn ask(site: &Site, more: &str, url: &str) -> i32 {
    let line = format!("curl --silent --output answer --fail --max-time 1 {more} {url}");
    site.shell.run(&line).expect("a shell").exit_code
}

#[test]
fn no_listener_is_held_by_control_frames() {
    let mut site = Site::found(&Limits::Table(LIMITS.to_owned())).expect("founded");
    let timestamp = site.start_timestamp().expect("it listens");
    let revocation = site.start_revocation().expect("it listens");
    for service in [&timestamp, &revocation] {
        let address = service.address("public");
        let url = format!("{}/livez", service.url("public"));
        for frame in [PING, SETTINGS, WINDOW_UPDATE] {
            let holders = (0..PLACES).map(|_| connect(address)).collect();
            is_let_go(holders, frame, || ask(&site, "", &url));
        }
    }
    site.export_administration(&revocation);
    let address = revocation.address("admin");
    let holders = (0..PLACES).map(|_| connect_as_administrator(&site, address)).collect();
    let certificate = "--cacert ca/root/certificate.pem --cert admin.pem --key admin.key \
                       --pass \"$(cat passphrase)\"";
    let url = format!("{}/v1/issuers", revocation.url("admin"));
    is_let_go(holders, PING, || ask(&site, certificate, &url));
}

#[test]
fn one_address_has_only_its_share() {
    let limits = "max_connections = 64\nheader_timeout_seconds = 10";
    let site = Site::found(&Limits::Table(limits.to_owned())).expect("founded");
    let service = site.start_timestamp().expect("it listens");
    let address = service.address("public");
    let mut holders: Vec<_> = (0..20).map(|_| connect(address)).collect();
    let deadline = Instant::now() + PATIENCE;
    // A quarter of 64.
    while holders.len() > 16 {
        assert!(Instant::now() < deadline, "{} connections", holders.len());
        holders.retain_mut(|holder| holder.hold(PING));
    }
    let url = format!("{}/livez", service.url("public"));
    assert_ne!(ask(&site, "", &url), 0, "its share is taken");
    assert_eq!(ask(&site, "--interface 127.0.0.2", &url), 0);
    assert_eq!(holders.len(), 16, "the share is less than a quarter");
}
