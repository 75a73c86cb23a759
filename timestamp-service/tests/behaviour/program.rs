//! The program itself: arguments, exit codes, signals.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_signing::profile::Profile;

use crate::rig::{PATIENCE, authorities, exchange};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-timestamp"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status()
        .expect("kill");
    assert!(status.success());
}

fn exit_code(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("waited") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("killed");
    panic!("the program did not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn says_where_it_listens_reads_its_files_again_at_sighup_and_ends_at_sigterm() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let text = format!("{}[log]\nformat = \"json\"\n", authorities.configuration("tsa"));
    let mut child = program()
        .arg("--config")
        .arg(authorities.configuration_file(&text))
        .spawn()
        .expect("started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    let address = line
        .trim()
        .strip_prefix("countersign-timestamp: public listening on http://")
        .expect("an address");
    let address = address.parse().expect("an address");
    let mut log = BufReader::new(child.stderr.take().expect("stderr"));

    signal(&child, "HUP");
    let mut seen = String::new();
    while !seen.contains("signing key replaced") {
        assert!(log.read_line(&mut seen).expect("a line") > 0, "the log ended: {seen}");
    }
    let alive = exchange(address, b"GET /livez HTTP/1.0\r\n\r\n").await;
    assert_eq!(alive.status(), 200);

    signal(&child, "TERM");
    assert_eq!(exit_code(&mut child), Some(0));
    log.read_to_string(&mut seen).expect("the rest");
    let id = alive.header("x-request-id").expect("an identifier").to_owned();
    let access = seen.lines().find(|line| line.contains(&id)).expect("an access line");
    let access: serde_json::Value = serde_json::from_str(access).expect("JSON");
    assert_eq!(
        (&access["path"], &access["status"], &access["method"]),
        (&"/livez".into(), &200.into(), &"GET".into())
    );
}

#[test]
fn check_answers_0_for_what_is_usable_and_2_with_the_reason_for_what_is_not() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let good = authorities.configuration("tsa");
    let unknown_key = format!("polices = 3\n{good}");
    let no_chain = good.replace("tsa.pem", "absent.pem");
    for (text, code, words) in
        [(&good, 0, ""), (&unknown_key, 2, "polices"), (&no_chain, 2, "absent.pem")]
    {
        let output = program()
            .arg("--check")
            .arg("--config")
            .arg(authorities.configuration_file(text))
            .output()
            .expect("ran");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(words), "{error}");
        assert!(error.matches("No such file").count() <= 1, "said twice: {error}");
    }
    let output = program().arg("--version").output().expect("ran");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("countersign-timestamp "));
}

#[test]
fn an_address_that_is_taken_is_3_and_an_environment_variable_wins() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("address").to_string();
    let output = program()
        .arg("--config")
        .arg(authorities.configuration_file(&authorities.configuration("tsa")))
        .env("COUNTERSIGN_TIMESTAMP_LISTEN", &address)
        .output()
        .expect("ran");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address));
}

/// A running program that is killed when the test is done with it.
struct Running {
    child: Child,
    addresses: Vec<std::net::SocketAddr>,
    log: std::path::PathBuf,
}

impl Running {
    /// Starts with a configuration file and waits until so many listeners are open.
    fn start(configuration: &std::path::Path, listeners: usize) -> Self {
        let log = configuration.with_extension("log");
        let file = std::fs::File::create(&log).expect("a log");
        let child = program().arg("--config").arg(configuration).stderr(file).spawn();
        let mut running = Self { child: child.expect("started"), addresses: Vec::new(), log };
        let mut output = BufReader::new(running.child.stdout.take().expect("stdout"));
        while running.addresses.len() < listeners {
            let mut line = String::new();
            output.read_line(&mut line).expect("a line");
            let (_, address) = line.trim().split_once("http://").expect("an address");
            running.addresses.push(address.parse().expect("an address"));
        }
        running.addresses.sort_by_key(|address| address.ip());
        running
    }

    /// Sends SIGHUP and waits until the log has one more line with these words.
    fn reload(&self, words: &str) {
        let count = || std::fs::read_to_string(&self.log).expect("a log").matches(words).count();
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

async fn figures(address: std::net::SocketAddr) -> String {
    let reply =
        exchange(address, b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(reply.status(), 200);
    String::from_utf8(reply.body).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_at_sighup_without_a_request_lost_and_a_wrong_one_changes_nothing() {
    use crate::rows::{CERT_REQ, NULL, SHA256, VERSION, hex, imprint, query};
    use countersign_core::cms::SignedData;
    use countersign_core::tsp::TimestampResponse;

    let authorities = authorities();
    let chains = ["one", "two"].map(|name| authorities.issue(name, Profile::TimestampAuthority));
    let text = |name: &str, more: &str| {
        let lines =
            format!("metrics_listen = \"127.0.0.2:0\"\n{more}\n[limits]\nmax_in_flight = 64");
        authorities.configuration_with(name, &lines, crate::rig::POLICIES)
    };
    let path = authorities.configuration_file(&text("one", ""));
    let running = Running::start(&path, 2);
    let [public, metrics] = running.addresses[..] else { panic!("two listeners") };

    // Clients that never stop asking.
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = query(VERSION, &imprint(SHA256, NULL, 32), &[hex(CERT_REQ)]);
    let head = format!(
        "POST / HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\nContent-Type: application/timestamp-query\r\nContent-Length: {}\r\n\r\n",
        asked.len()
    );
    let request = [head.as_bytes(), &asked].concat();
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (stop, request) = (std::sync::Arc::clone(&stop), request.clone());
            tokio::spawn(async move {
                let mut leaves = Vec::new();
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    let reply = exchange(public, &request).await;
                    reply.is_in_protocol();
                    let response = TimestampResponse::decode(&reply.body).expect("a response");
                    let token = response.token.expect("granted");
                    let signed = SignedData::decode(token).expect("SignedData");
                    leaves.push(signed.certificates.iter().map(|der| der.to_vec()).collect());
                }
                leaves
            })
        })
        .collect();
    for name in ["two", "one", "two", "one", "two"] {
        std::fs::write(&path, text(name, "")).expect("written");
        running.reload("signing key replaced");
    }
    // Neither a wrong configuration nor a key that does not fit.
    std::fs::write(&path, text("two", "polices = 1")).expect("written");
    running.reload("the configuration cannot be used");
    std::fs::write(&path, text("two", "").replace("two.key", "one.key")).expect("written");
    running.reload("stay as they were");
    // What needs a restart is said.
    std::fs::write(&path, text("two", "max_signing = 3")).expect("written");
    running.reload("in force after a restart");
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut leaves: Vec<Vec<Vec<u8>>> = Vec::new();
    for client in clients {
        leaves.extend(client.await.expect("every request was granted"));
    }
    for chain in &chains {
        assert!(leaves.iter().any(|certificates| certificates.contains(&chain[0])));
    }
    let last = exchange(public, &request).await;
    assert!(last.body.windows(chains[1][0].len()).any(|window| window == chains[1][0]));

    let granted = format!(
        "countersign_timestamp_responses_total{{outcome=\"granted\"}} {}",
        leaves.len() + 1
    );
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
