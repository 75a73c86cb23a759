//! SIGHUP while clients never stop asking.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_core::cms::SignedData;
use countersign_core::tsp::TimestampResponse;
use countersign_signing::profile::Profile;

use crate::program::{program, signal};
use crate::rig::{PATIENCE, POLICIES, authorities, exchange};
use crate::rows::{CERT_REQ, NULL, SHA256, VERSION, hex, imprint, query};

/// A running program that is killed when the test is done with it.
struct Running {
    child: Child,
    addresses: Vec<SocketAddr>,
    log: PathBuf,
}

impl Running {
    /// Starts with a configuration file and waits until so many listeners are open.
    fn start(configuration: &Path, listeners: usize) -> Self {
        let log = configuration.with_extension("log");
        let file = fs::File::create(&log).expect("a log");
        let child = program().arg("--config").arg(configuration).stderr(file).spawn();
        let mut running = Self { child: child.expect("started"), addresses: Vec::new(), log };
        let mut output = BufReader::new(running.child.stdout.take().expect("stdout"));
        while running.addresses.len() < listeners {
            let mut line = String::new();
            output.read_line(&mut line).expect("a line");
            let (_, address) = line.trim().split_once("http://").expect("an address");
            running.addresses.push(address.parse().expect("an address"));
        }
        running.addresses.sort_by_key(SocketAddr::ip);
        running
    }

    /// Sends SIGHUP and waits until the log has one more line with these words.
    fn reload(&self, words: &str) {
        let count = || fs::read_to_string(&self.log).expect("a log").matches(words).count();
        let before = count();
        signal(&self.child, "HUP");
        let start = Instant::now();
        while count() == before {
            assert!(start.elapsed() < PATIENCE, "the log does not say {words:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn figures(address: SocketAddr) -> String {
    let reply =
        exchange(address, b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(reply.status(), 200);
    String::from_utf8(reply.body).expect("text")
}

/// A request for a token with its certificates, on a connection of its own.
fn request() -> Vec<u8> {
    let asked = query(VERSION, &imprint(SHA256, NULL, 32), &[hex(CERT_REQ)]);
    let head = format!(
        "POST / HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\nContent-Type: application/timestamp-query\r\nContent-Length: {}\r\n\r\n",
        asked.len()
    );
    [head.as_bytes(), &asked].concat()
}

/// The certificates of a token that must be granted.
async fn certificates(address: SocketAddr, request: &[u8]) -> Vec<Vec<u8>> {
    let reply = exchange(address, request).await;
    reply.is_in_protocol();
    let response = TimestampResponse::decode(&reply.body).expect("a response");
    let signed = SignedData::decode(response.token.expect("granted")).expect("SignedData");
    signed.certificates.iter().map(|der| der.to_vec()).collect()
}

fn configuration(name: &str, more: &str) -> String {
    let lines = format!("metrics_listen = \"127.0.0.2:0\"\n{more}\n");
    authorities().configuration_with(name, &lines, POLICIES)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_at_sighup_without_a_request_lost_and_a_wrong_one_changes_nothing() {
    let chains = ["one", "two"].map(|name| authorities().issue(name, Profile::TimestampAuthority));
    let path = authorities().configuration_file(&configuration("one", ""));
    let running = Running::start(&path, 2);
    let [public, metrics] = running.addresses[..] else { panic!("two listeners") };

    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (stop, request) = (Arc::clone(&stop), request());
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    seen.push(certificates(public, &request).await);
                }
                seen
            })
        })
        .collect();
    for name in ["two", "one", "two", "one", "two"] {
        fs::write(&path, configuration(name, "")).expect("written");
        running.reload("signing key replaced");
    }
    // Neither a wrong configuration nor a key that does not fit.
    fs::write(&path, configuration("two", "polices = 1")).expect("written");
    running.reload("the configuration cannot be used");
    let misfit = configuration("two", "").replace("two.key", "one.key");
    fs::write(&path, misfit).expect("written");
    running.reload("stay as they were");
    // What needs a restart is said.
    fs::write(&path, configuration("two", "max_signing = 3")).expect("written");
    running.reload("in force after a restart");
    stop.store(true, Ordering::SeqCst);
    let mut seen = Vec::new();
    for client in clients {
        seen.extend(client.await.expect("every request was granted"));
    }
    for chain in &chains {
        assert!(seen.iter().any(|certificates| certificates.contains(&chain[0])));
    }
    assert!(certificates(public, &request()).await.contains(&chains[1][0]));
    counts(metrics, seen.len() + 1).await;
}

/// Waits until the figures have these tokens and the reloads.
async fn counts(metrics: SocketAddr, tokens: usize) {
    let granted = format!("countersign_timestamp_responses_total{{outcome=\"granted\"}} {tokens}");
    let counted = [
        "countersign_timestamp_reloads_total{outcome=\"loaded\"} 6",
        "countersign_timestamp_reloads_total{outcome=\"refused\"} 2",
        &granted,
        "countersign_timestamp_responses_total{outcome=\"badAlg\"} 0",
    ];
    let start = Instant::now();
    // The last reload is counted after the log speaks of it.
    let figures = loop {
        let figures = figures(metrics).await;
        if counted.iter().all(|line| figures.lines().any(|found| found == *line)) {
            break figures;
        }
        assert!(start.elapsed() < PATIENCE, "{counted:?} are not all in\n{figures}");
    };
    for name in [
        "countersign_timestamp_certificate_expiry_timestamp_seconds{key=\"current\"}",
        "countersign_timestamp_signing_seconds_count",
        "countersign_http_requests_total",
        "countersign_clock_trusted",
    ] {
        assert!(figures.lines().any(|found| found.starts_with(name)), "{name}\n{figures}");
    }
}
