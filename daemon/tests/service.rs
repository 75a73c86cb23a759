//! The example service as a process: what systemd hears of it, what it counts, whom it refuses, how
//! it reads its certificate again.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_daemon::ledger::{Expectation, verify};
use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// The example, which cargo builds with the tests, beside them.
fn example() -> PathBuf {
    let mut path = std::env::current_exe().expect("this program");
    path.pop();
    path.pop();
    path.push("examples/service");
    assert!(path.is_file(), "{} is missing: cargo build --examples", path.display());
    path
}

/// A running service, killed when dropped.
struct Service {
    process: Child,
    folder: TempDir,
    /// What systemd would hear.
    manager: UnixDatagram,
    metrics: SocketAddr,
    public: SocketAddr,
}

impl Service {
    fn start(configuration: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("folder"), configuration)
    }

    fn start_in(folder: TempDir, configuration: &str) -> Self {
        let file = folder.path().join("service.toml");
        let audit = folder.path().join("audit");
        let common = "listen = \"127.0.0.1:0\"\nmetrics_listen = \"127.0.0.1:0\"\n";
        let text = format!("{common}{configuration}\n[audit]\nfolder = \"{}\"\n", audit.display());
        fs::write(&file, text).expect("written");
        let socket = folder.path().join("notify");
        let manager = UnixDatagram::bind(&socket).expect("bound");
        manager.set_read_timeout(Some(PATIENCE)).expect("set");
        let mut process = Command::new(example())
            .arg(&file)
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "400000")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).expect("created"))
            .spawn()
            .expect("starts");
        let mut said = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut address = |listener: &str| {
            let line = said.next().expect("a line").expect("text");
            let (_, address) = line.rsplit_once("//").expect("an address");
            (line.contains(listener), address.parse::<SocketAddr>().expect("an address"))
        };
        let (first, second) = (address("metrics"), address("metrics"));
        let (metrics, public) = if first.0 { (first.1, second.1) } else { (second.1, first.1) };
        Self { process, folder, manager, metrics, public }
    }

    /// Waits for a message with `line` in it; the signs of life between are left out.
    fn hears(&self, line: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let mut buffer = [0; 1024];
            let length = self.manager.recv(&mut buffer).expect("a message in time");
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.lines().any(|found| found == line) {
                return message;
            }
            assert_eq!(message, "WATCHDOG=1\n", "while waiting for {line}");
        }
        panic!("{line} was not heard")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("sent");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("read")
    }

    fn metrics(&self) -> String {
        exchange(self.metrics, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    }

    /// The value of a figure, named with its labels.
    fn figure(&self, name: &str) -> Option<f64> {
        let text = self.metrics();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    fn greet(&self, header: &str) -> String {
        let request = format!(
            "POST /hello HTTP/1.1\r\nHost: x\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        exchange(self.public, &request)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.write_all(request.as_bytes()).expect("written");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("read");
    reply
}

/// A certificate for TLS that is valid up to `year`, and its key.
fn write_certificate(folder: &Path, year: i32) {
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().expect("key");
    let certificate = parameters.self_signed(&key).expect("certificate");
    fs::write(folder.join("server.pem"), certificate.pem()).expect("written");
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join("server.key"))
        .expect("created");
    file.write_all(key.serialize_pem().as_bytes()).expect("written");
}

#[test]
fn systemd_hears_ready_alive_reloading_and_stopping() {
    let folder = tempfile::tempdir().expect("folder");
    write_certificate(folder.path(), 2090);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let tls =
        format!("[tls]\ncertificate = {:?}\nkey = {:?}", path("server.pem"), path("server.key"));
    let mut service = Service::start_in(folder, &tls);
    service.hears("READY=1");
    service.hears("WATCHDOG=1");
    service.signal(Signal::HUP);
    let reloading = service.hears("RELOADING=1");
    assert!(reloading.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reloading}");
    service.hears("READY=1");
    service.signal(Signal::TERM);
    service.hears("STOPPING=1");
    assert!(service.process.wait().expect("ended").success());
}

#[test]
fn an_expired_certificate_or_a_foreign_key_is_refused_at_a_reload_and_the_old_one_stays() {
    const EXPIRY: &str =
        "countersign_tls_certificate_expiry_timestamp_seconds{listener=\"public\"}";
    let folder = tempfile::tempdir().expect("folder");
    write_certificate(folder.path(), 2090);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let tls =
        format!("[tls]\ncertificate = {:?}\nkey = {:?}", path("server.pem"), path("server.key"));
    let service = Service::start_in(folder, &tls);
    service.hears("READY=1");
    let reload = || {
        service.signal(Signal::HUP);
        service.hears("RELOADING=1");
        service.hears("READY=1");
    };
    let (year_2090, year_2095) = (3_786_912_000.0, 3_944_678_400.0);
    assert_eq!(service.figure(EXPIRY), Some(year_2090));

    write_certificate(service.folder.path(), 2021);
    reload();
    assert_eq!(service.figure(EXPIRY), Some(year_2090));
    assert!(service.log().contains("expired on 2021-01-01T00:00:00Z"), "{}", service.log());

    write_certificate(service.folder.path(), 2095);
    let right_key = fs::read(service.folder.path().join("server.key")).expect("read");
    let other = KeyPair::generate().expect("key").serialize_pem();
    fs::write(service.folder.path().join("server.key"), other).expect("written");
    reload();
    assert_eq!(service.figure(EXPIRY), Some(year_2090));

    fs::write(service.folder.path().join("server.key"), right_key).expect("written");
    reload();
    assert_eq!(service.figure(EXPIRY), Some(year_2095));
    let reloads = |outcome: &str| {
        service.figure(&format!("countersign_tls_reloads_total{{outcome=\"{outcome}\"}}"))
    };
    assert_eq!((reloads("refused"), reloads("loaded")), (Some(2.0), Some(1.0)));
}

#[test]
fn counts_requests_by_outcome_and_has_every_answer_in_its_ledger() {
    let service = Service::start("");
    for number in 1..=3 {
        let reply = service.greet("");
        assert!(reply.ends_with(&format!("hello {number}")), "{reply}");
    }
    exchange(service.public, "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let text = service.metrics();
    assert!(text.contains("content-type: text/plain; version=0.0.4"), "{text}");
    for line in [
        "countersign_http_requests_total{listener=\"public\",path=\"/hello\",status=\"200\",code=\"\"} 3",
        "countersign_http_requests_total{listener=\"public\",path=\"other\",status=\"404\",code=\"request.path.unknown\"} 1",
        "countersign_http_request_seconds_count{listener=\"public\",path=\"/hello\"} 3",
        "countersign_http_connections_total{listener=\"public\"} 4",
        "countersign_audit_records_total{ledger=\"example\"} 3",
        "countersign_audit_head_sequence{ledger=\"example\"} 3",
        "countersign_audit_lag_seconds{ledger=\"example\"} 0",
        "countersign_audit_ready{ledger=\"example\"} 1",
        "countersign_clock_trusted 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let ready =
        exchange(service.public, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    let summary =
        verify(&service.folder.path().join("audit"), &Expectation::default()).expect("whole");
    assert_eq!(summary.head_sequence, 3);
}

#[test]
fn who_asks_too_often_gets_429_and_when_to_come_back() {
    let service = Service::start(
        "trusted_proxies = [\"127.0.0.0/8\"]\n[rate]\nrequests_per_second = 1\nburst = 2",
    );
    let from = |client: &str| service.greet(&format!("X-Forwarded-For: {client}\r\n"));
    for _ in 0..2 {
        assert!(from("192.0.2.1").starts_with("HTTP/1.1 200"));
    }
    let refused = from("192.0.2.1");
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    for part in
        ["retry-after: 1", "application/problem+json", "request.rate.exceeded", "request_id"]
    {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert!(from("192.0.2.2").starts_with("HTTP/1.1 200"), "another client");
    // What a client claims in front of what its proxy says changes nothing.
    assert!(from("198.51.100.9, 192.0.2.1").starts_with("HTTP/1.1 429"));
    for _ in 0..5 {
        let live = exchange(
            service.public,
            "GET /livez HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n",
        );
        assert!(live.starts_with("HTTP/1.1 200"), "{live}");
    }
    let name = "countersign_http_requests_total{listener=\"public\",path=\"/hello\",status=\"429\",code=\"request.rate.exceeded\"}";
    assert_eq!(service.figure(name), Some(2.0));
}

#[test]
fn an_untrusted_clock_stops_the_answers_and_readiness() {
    // A port where nobody answers.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("bound");
    let source = format!("ntp:{}", silent.local_addr().expect("address"));
    let service = Service::start(&format!("[clock]\nsources = [{source:?}]\ntimeout_seconds = 1"));
    assert!(service.greet("").starts_with("HTTP/1.1 503"));
    let ready =
        exchange(service.public, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("0 of 1 time sources"), "{ready}");
    assert_eq!(service.figure("countersign_clock_trusted"), Some(0.0));
}
