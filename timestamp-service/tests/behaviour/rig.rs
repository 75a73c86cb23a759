//! A certificate authority, a timestamp authority in this process, and a raw client.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use countersign_core::time::UnixSeconds;
use countersign_core::tsp::{FailureInfo, PkiStatus, TimestampResponse};
use countersign_daemon::clock::{Clock, FixedClock};
use countersign_daemon::clock_monitor::ClockMonitor;
use countersign_daemon::shutdown::{Shutdown, Trigger};
use countersign_signing::ca::{CertificateAuthority, InitOptions, IssueRequest, SubjectKey};
use countersign_signing::key::{NewKey, Passphrase};
use countersign_signing::name::{DistinguishedName, SubjectName};
use countersign_signing::pem;
use countersign_signing::profile::{Authority, Profile};
use countersign_timestamp::Listeners;
use countersign_timestamp::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// The policy of the authority under test, and a second one that it offers.
pub(crate) const POLICY: &str = "1.3.6.1.4.1.99999.1";
pub(crate) const SECOND_POLICY: &str = "1.3.6.1.4.1.99999.2";

/// Both of them, as a configuration has them.
pub(crate) const POLICIES: &str =
    "[[policy]]\noid = \"1.3.6.1.4.1.99999.1\"\n[[policy]]\noid = \"1.3.6.1.4.1.99999.2\"\n";

/// The time that the fixed clocks of tests begin with: the real one, in whole seconds.
pub(crate) fn start_time() -> SystemTime {
    static TIME: OnceLock<SystemTime> = OnceLock::new();
    *TIME.get_or_init(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs())
    })
}

pub(crate) fn start_seconds() -> UnixSeconds {
    let since_epoch = start_time().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    UnixSeconds::new(i64::try_from(since_epoch.as_secs()).expect("fits"))
}

/// A certificate authority in a folder, one for each process of tests.
pub(crate) struct Authorities {
    folder: tempfile::TempDir,
    pub(crate) ca: CertificateAuthority,
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse").expect("not empty")
}

pub(crate) fn authorities() -> &'static Authorities {
    static AUTHORITIES: OnceLock<Authorities> = OnceLock::new();
    AUTHORITIES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("folder");
        let options = InitOptions::new("Example", "http://ca.example");
        let ca = CertificateAuthority::init(
            &folder.path().join("ca"),
            &options,
            &passphrase(),
            start_seconds(),
        )
        .expect("a certificate authority");
        let root = ca.certificate(Authority::Root).to_vec();
        pem::write_certificates(&folder.path().join("root.pem"), &[root]).expect("written");
        write_private(&folder.path().join("passphrase"), b"correct horse\n");
        Authorities { folder, ca }
    })
}

pub(crate) fn write_private(path: &Path, content: &[u8]) {
    use std::io::Write;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .expect("created");
    file.write_all(content).expect("written");
}

impl Authorities {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Issues a certificate of `profile`; writes `NAME.key` and `NAME.pem` (chain without the root).
    pub(crate) fn issue(&self, name: &str, profile: Profile) -> Vec<Vec<u8>> {
        self.issue_with(name, profile, None)
    }

    /// Issues a timestamp authority's certificate that is valid for so many days; gives `name`.
    pub(crate) fn issue_for_days<'n>(&self, name: &'n str, days: i64) -> &'n str {
        self.issue_with(name, Profile::TimestampAuthority, Some(days * 86_400));
        name
    }

    fn issue_with(
        &self,
        name: &str,
        profile: Profile,
        validity_seconds: Option<i64>,
    ) -> Vec<Vec<u8>> {
        let mut request = IssueRequest::new(profile, DistinguishedName::new("Example", name));
        request.validity_seconds = validity_seconds;
        if profile == Profile::CodeSigner {
            request.names =
                vec![SubjectName::parse_identity("releases@example.org").expect("a name")];
        }
        let key = SubjectKey::New(NewKey::P384);
        let issued = self.ca.issue(&request, key, start_seconds()).expect("issued");
        let key = issued.key.expect("a key was asked for");
        key.save_new(&self.path(&format!("{name}.key")), &passphrase()).expect("saved");
        pem::write_certificates(&self.path(&format!("{name}.pem")), &issued.chain)
            .expect("written");
        issued.chain
    }

    /// The lines of a configuration that name the key and chain called `name`.
    pub(crate) fn key_lines(&self, name: &str) -> String {
        let path = |file: String| self.path(&file).display().to_string();
        format!(
            "key = \"{}\"\nkey_passphrase_file = \"{}\"\ncertificate_chain = \"{}\"\n",
            path(format!("{name}.key")),
            path("passphrase".to_owned()),
            path(format!("{name}.pem")),
        )
    }

    /// The text of a configuration with the key and chain called `name`, on a free port.
    pub(crate) fn configuration(&self, name: &str) -> String {
        self.configuration_with(name, "", POLICIES)
    }

    /// As [`configuration`](Self::configuration), with more lines, and other `[[policy]]` tables.
    pub(crate) fn configuration_with(&self, name: &str, lines: &str, policies: &str) -> String {
        format!("listen = \"127.0.0.1:0\"\n{}{lines}\n{policies}", self.key_lines(name))
    }

    /// Writes `text` as a new configuration file.
    pub(crate) fn configuration_file(&self, text: &str) -> PathBuf {
        let (file, path) = tempfile::Builder::new()
            .suffix(".toml")
            .tempfile_in(self.folder.path())
            .expect("created")
            .keep()
            .expect("kept");
        drop(file);
        fs::write(&path, text).expect("written");
        path
    }

    pub(crate) fn config(&self, text: &str) -> Config {
        Config::load(Some(&self.configuration_file(text))).expect("a configuration")
    }
}

/// A name for a key and its files that no other has.
pub(crate) fn new_name() -> String {
    format!("tsa-{}", countersign_daemon::request_id::RequestId::next())
}

/// A running authority.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) chain: Vec<Vec<u8>>,
    _trigger: Trigger,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with(POLICIES).await
    }

    /// Starts with other `[[policy]]` tables.
    pub(crate) async fn start_with(policies: &str) -> Self {
        let name = new_name();
        let chain = authorities().issue(&name, Profile::TimestampAuthority);
        let text = authorities().configuration_with(&name, "", policies);
        Self::start_configured(&text, chain).await
    }

    /// Starts with a whole configuration.
    pub(crate) async fn start_configured(text: &str, chain: Vec<Vec<u8>>) -> Self {
        let config = authorities().config(text);
        let clock = Arc::new(FixedClock::new(start_time()));
        let listeners = Listeners::bind(&config).await.expect("bound");
        let address = listeners.public.local_addr().expect("address");
        let (trigger, shutdown) = Shutdown::manual();
        let running =
            countersign_timestamp::run(config, listeners, Arc::clone(&clock) as _, shutdown);
        tokio::spawn(async move { running.await.expect("starts") });
        Self { address, clock, chain, _trigger: trigger }
    }

    /// Starts with a clock and a clock monitor of the caller's; [`Rig::clock`] is of no use then.
    pub(crate) async fn start_watched(
        text: &str,
        chain: Vec<Vec<u8>>,
        clock: Arc<dyn Clock>,
        monitor: ClockMonitor,
        (trigger, shutdown): (Trigger, Shutdown),
    ) -> Self {
        let config = authorities().config(text);
        let listeners = Listeners::bind(&config).await.expect("bound");
        let address = listeners.public.local_addr().expect("address");
        let running =
            countersign_timestamp::run_watched(config, listeners, clock, monitor, shutdown);
        tokio::spawn(async move { running.await.expect("starts") });
        Self { address, clock: Arc::new(FixedClock::new(start_time())), chain, _trigger: trigger }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Posts a query.
    pub(crate) async fn query(&self, query: &[u8]) -> Reply {
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: tsa\r\nConnection: close\r\nContent-Type: application/timestamp-query\r\nContent-Length: {}\r\n\r\n",
            query.len()
        )
        .into_bytes();
        request.extend_from_slice(query);
        exchange(self.address, &request).await
    }

    /// Posts a query that must be granted; the DER of the token.
    pub(crate) async fn token(&self, query: &[u8]) -> Vec<u8> {
        let reply = self.query(query).await;
        reply.is_in_protocol();
        let response = TimestampResponse::decode(&reply.body).expect("a TimeStampResp");
        assert_eq!(response.status, PkiStatus::Granted, "{}", response.refusal_text());
        response.token.expect("a token").to_vec()
    }

    /// Posts a query that must be refused; the reason and the words.
    pub(crate) async fn refusal(&self, query: &[u8]) -> (FailureInfo, String) {
        let reply = self.query(query).await;
        reply.is_in_protocol();
        let response = TimestampResponse::decode(&reply.body).expect("a TimeStampResp");
        assert_eq!(response.status, PkiStatus::Rejection);
        assert!(response.token.is_none());
        let text = response.status_text.join(" ");
        let id = reply.header("x-request-id").expect("an identifier");
        assert!(text.contains(id), "the words must name the request {id}: {text}");
        (response.failure.expect("a failInfo"), text)
    }
}

/// An HTTP reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status_line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn status(&self) -> u16 {
        self.status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status")
    }

    /// The row "HTTP" of what a server must do.
    pub(crate) fn is_in_protocol(&self) {
        assert_eq!(self.status(), 200, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/timestamp-reply"));
        assert_eq!(self.header("content-length"), Some(self.body.len().to_string().as_str()));
        assert_eq!(self.header("transfer-encoding"), None);
    }
}

/// Sends raw octets on a connection of their own and reads until the server closes.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let exchanging = async {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(request).await.expect("written");
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).await.expect("read");
        octets
    };
    let octets = timeout(PATIENCE, exchanging).await.expect("in time");
    let end = octets.windows(4).position(|window| window == b"\r\n\r\n").expect("a header");
    let head = String::from_utf8(octets[..end].to_vec()).expect("text");
    let mut lines = head.lines();
    let status_line = lines.next().expect("a status line").to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect();
    Reply { status_line, headers, body: octets[end + 4..].to_vec() }
}
