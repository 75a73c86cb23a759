//! TLS, its swap, and client certificates.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use countersign_daemon::tls::{Tls, TlsSettings};
use pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rig::{Rig, read_to_end, short_limits};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("key")).expect("authority")
}

fn leaf(authority: &Authority, purpose: ExtendedKeyUsagePurpose) -> (rcgen::Certificate, KeyPair) {
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    parameters.extended_key_usages = vec![purpose];
    let key = KeyPair::generate().expect("key");
    (parameters.signed_by(&key, authority).expect("certificate"), key)
}

fn write_private(path: &Path, text: &str) {
    use std::io::Write;
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .expect("created");
    file.write_all(text.as_bytes()).expect("written");
}

/// A folder with a server's files.
struct Files {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().expect("folder"), authority: authority() };
        files.renew();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a new server certificate and key; gives the certificate's DER.
    fn renew(&self) -> Vec<u8> {
        let (certificate, key) = leaf(&self.authority, ExtendedKeyUsagePurpose::ServerAuth);
        fs::write(self.path("server.pem"), certificate.pem()).expect("written");
        write_private(&self.path("server.key"), &key.serialize_pem());
        certificate.der().to_vec()
    }

    fn settings(&self) -> TlsSettings {
        TlsSettings {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
            key_passphrase_file: None,
            client_ca: None,
        }
    }

    fn mutual_settings(&self) -> TlsSettings {
        fs::write(self.path("client-ca.pem"), self.authority.pem()).expect("written");
        TlsSettings { client_ca: Some(self.path("client-ca.pem")), ..self.settings() }
    }

    async fn connect(
        &self,
        rig: &Rig,
        identity: Option<(rcgen::Certificate, KeyPair)>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        connect_as(rig, &Arc::new(self.client(identity))).await
    }

    fn client(&self, identity: Option<(rcgen::Certificate, KeyPair)>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from(certificate.der().to_vec())];
                let key = PrivateKeyDer::try_from(key.serialize_der()).expect("key");
                builder.with_client_auth_cert(chain, key).expect("identity")
            }
        }
    }
}

async fn connect_as(
    rig: &Rig,
    client: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").expect("name");
    TlsConnector::from(Arc::clone(client)).connect(name, rig.connect().await).await
}

fn served_certificate(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().expect("certificates")[0].to_vec()
}

async fn ask(mut stream: TlsStream<TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    // The refusal of a handshake may come before or after this.
    let _ = stream.write_all(request.as_bytes()).await;
    read_to_end(&mut stream).await
}

#[tokio::test]
async fn a_reload_changes_the_certificate_of_new_connections_only() {
    let files = Files::new();
    let tls = Tls::open(files.settings()).expect("opens");
    let rig = Rig::start_with(short_limits(), Some(tls.clone())).await;
    let before = files.connect(&rig, None).await.expect("connected");
    let renewed = files.renew();
    assert_ne!(served_certificate(&before), renewed);
    tls.reload().expect("reloads");
    let after = files.connect(&rig, None).await.expect("connected");
    assert_eq!(served_certificate(&after), renewed);
    assert!(ask(before, "/hello").await.ends_with("hello"));

    // A reload that fails leaves what was there.
    fs::write(files.path("server.pem"), "nonsense").expect("written");
    assert!(tls.reload().is_err());
    let still = files.connect(&rig, None).await.expect("connected");
    assert_eq!(served_certificate(&still), renewed);
}

#[tokio::test]
async fn mutual_tls_refuses_a_client_without_a_certificate_of_the_client_ca() {
    let files = Files::new();
    let rig =
        Rig::start_with(short_limits(), Some(Tls::open(files.mutual_settings()).expect("opens")))
            .await;
    let stranger = leaf(&authority(), ExtendedKeyUsagePurpose::ClientAuth);
    let server_only = leaf(&files.authority, ExtendedKeyUsagePurpose::ServerAuth);
    for identity in [None, Some(stranger), Some(server_only)] {
        // In TLS 1.3 the client learns of the refusal only when it reads.
        if let Ok(stream) = files.connect(&rig, identity).await {
            assert_eq!(ask(stream, "/hello").await, "");
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_verified_at_every_connection() {
    let files = Files::new();
    let rig =
        Rig::start_with(short_limits(), Some(Tls::open(files.mutual_settings()).expect("opens")))
            .await;
    let identity = leaf(&files.authority, ExtendedKeyUsagePurpose::ClientAuth);
    let client = Arc::new(files.client(Some(identity)));
    for _ in 0..2 {
        let stream = connect_as(&rig, &client).await.expect("connected");
        assert_ne!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
        // Tickets come with the first bytes.
        assert!(ask(stream, "/hello").await.ends_with("hello"));
    }
}

#[tokio::test]
async fn routes_see_the_client_certificate() {
    let files = Files::new();
    let rig =
        Rig::start_with(short_limits(), Some(Tls::open(files.mutual_settings()).expect("opens")))
            .await;
    let identity = leaf(&files.authority, ExtendedKeyUsagePurpose::ClientAuth);
    let length = identity.0.der().len();
    let stream = files.connect(&rig, Some(identity)).await.expect("connected");
    assert!(ask(stream, "/peer").await.ends_with(&format!(" {length}")));
}

#[tokio::test]
async fn a_reload_changes_who_may_come_in() {
    let files = Files::new();
    let tls = Tls::open(files.mutual_settings()).expect("opens");
    let rig = Rig::start_with(short_limits(), Some(tls.clone())).await;
    let (old, new) = (files.authority.pem(), authority());
    let ask_as = async |issuer: &Authority| {
        let identity = leaf(issuer, ExtendedKeyUsagePurpose::ClientAuth);
        match files.connect(&rig, Some(identity)).await {
            Ok(stream) => ask(stream, "/hello").await.ends_with("hello"),
            Err(_) => false,
        }
    };
    assert!(ask_as(&files.authority).await && !ask_as(&new).await);
    fs::write(files.path("client-ca.pem"), new.pem()).expect("written");
    tls.reload().expect("reloads");
    assert!(!ask_as(&files.authority).await && ask_as(&new).await);
    fs::write(files.path("client-ca.pem"), "nonsense").expect("written");
    assert!(tls.reload().is_err());
    assert!(ask_as(&new).await);
    fs::write(files.path("client-ca.pem"), old).expect("written");
    tls.reload().expect("reloads");
    assert!(ask_as(&files.authority).await);
}

#[tokio::test]
async fn half_a_handshake_is_closed() {
    let files = Files::new();
    let rig =
        Rig::start_with(short_limits(), Some(Tls::open(files.settings()).expect("opens"))).await;
    // A record of 512 octets that holds a ClientHello, and its first octets.
    for half in [&b"\x16"[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut stream = rig.connect().await;
        stream.write_all(half).await.expect("written");
        assert_eq!(read_to_end(&mut stream).await, "");
    }
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_closed() {
    let files = Files::new();
    let rig =
        Rig::start_with(short_limits(), Some(Tls::open(files.settings()).expect("opens"))).await;
    let mut silent = rig.connect().await;
    assert_eq!(read_to_end(&mut silent).await, "");
}

#[tokio::test]
async fn opens_an_encrypted_key_made_by_openssl_with_its_passphrase_only() {
    let files = Files::new();
    let encrypted = files.path("encrypted.key");
    let status = Command::new("openssl")
        .args([
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-scrypt",
            "-passout",
            "pass:correct horse",
        ])
        .arg("-in")
        .arg(files.path("server.key"))
        .arg("-out")
        .arg(&encrypted)
        .status()
        .expect("openssl must be installed: apt-get install openssl");
    assert!(status.success());
    fs::set_permissions(&encrypted, fs::Permissions::from_mode(0o600)).expect("mode");
    let mut settings = TlsSettings { key: encrypted, ..files.settings() };
    let error = Tls::open(settings.clone()).expect_err("no passphrase").to_string();
    assert!(error.contains("key_passphrase_file"), "{error}");

    settings.key_passphrase_file = Some(files.path("passphrase"));
    write_private(&files.path("passphrase"), "wrong\n");
    let error = Tls::open(settings.clone()).expect_err("wrong passphrase").to_string();
    assert!(error.contains("does not open this key"), "{error}");

    write_private(&files.path("passphrase"), "correct horse\n");
    let rig = Rig::start_with(short_limits(), Some(Tls::open(settings).expect("opens"))).await;
    let stream = files.connect(&rig, None).await.expect("connected");
    assert!(ask(stream, "/hello").await.ends_with("hello"));
}

#[test]
fn refuses_keys_that_others_may_read_and_pairs_that_do_not_match() {
    let files = Files::new();
    fs::set_permissions(files.path("server.key"), fs::Permissions::from_mode(0o640)).expect("mode");
    let error = Tls::open(files.settings()).expect_err("refused").to_string();
    assert!(error.contains("chmod 600"), "{error}");

    let (_, other) = leaf(&files.authority, ExtendedKeyUsagePurpose::ServerAuth);
    write_private(&files.path("server.key"), &other.serialize_pem());
    let error = Tls::open(files.settings()).expect_err("refused").to_string();
    assert!(error.contains("do not make a server"), "{error}");
}
