//! A real CA in a temporary folder, and the service running on it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use countersign_core::{crl::RevocationReason, oid, time::UnixSeconds, x509::Certificate};
use countersign_daemon::{
    clock::FixedClock,
    limits::LimitSettings,
    logs::LogSettings,
    peer::TrustedProxies,
    rate::RateSettings,
    shutdown::{Shutdown, Trigger},
};
use countersign_revocation::{
    Listeners, StartError,
    admin::Role,
    config::{
        AdminTls, AdministratorConfig, CompromiseScope, Config, DelegateSource, IssuerConfig,
        NeverIssued, PublicationConfig,
    },
    run,
};
use countersign_signing::{
    ca::{CertificateAuthority, CrlPublication, InitOptions, IssueRequest, SubjectKey},
    crl::RevokedCertificate,
    der,
    files::{FileMode, write_new},
    key::{FileKey, NewKey, Passphrase, Signer},
    name::{DistinguishedName, SubjectName},
    pem,
    profile::{Authority, Profile},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::http::{self, Reply};

/// The base URL in every certificate.
pub(crate) const BASE_URL: &str = "http://revocation.example.test";

const PASSPHRASE: &str = "correct horse battery staple";

/// A CA, and files for the service.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) ca: CertificateAuthority,
    pub(crate) now: UnixSeconds,
    signer_spki: Vec<u8>,
}

/// An issued certificate with its key on disk.
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_crls(CrlPublication::default())
    }

    /// A CA whose certificates name CRLs so.
    pub(crate) fn with_crls(crls: CrlPublication) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let now = unix_seconds(SystemTime::now());
        let options = InitOptions { crls, ..InitOptions::new("Example", BASE_URL) };
        let place = folder.path().join("ca");
        let ca = CertificateAuthority::init(&place, &options, &passphrase(), now).expect("a CA");
        write_new(&folder.path().join("passphrase"), PASSPHRASE.as_bytes(), FileMode::Private)
            .expect("written");
        let signer_spki = FileKey::generate(NewKey::P384).expect("a key").spki().to_vec();
        Self { folder, ca, now, signer_spki }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Issues a certificate with a new key, both written to files called `name`.
    pub(crate) fn issue_files(&self, name: &str, request: &IssueRequest) -> Files {
        let issued =
            self.ca.issue(request, SubjectKey::New(NewKey::P384), self.now).expect("issued");
        let files = Files {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}-key.pem")),
        };
        pem::write_certificates(&files.certificate, &issued.chain).expect("written");
        issued.key.expect("a new key").save_new(&files.key, &passphrase()).expect("saved");
        files
    }

    /// A code signer's certificate, DER. All share one key, which makes them quick.
    pub(crate) fn signer(&self) -> Vec<u8> {
        self.signer_with(None)
    }

    /// One that is valid for so many seconds.
    pub(crate) fn signer_for(&self, validity_seconds: i64) -> Vec<u8> {
        self.signer_with(Some(validity_seconds))
    }

    fn signer_with(&self, validity_seconds: Option<i64>) -> Vec<u8> {
        let mut request =
            IssueRequest::new(Profile::CodeSigner, DistinguishedName::common_name("Signer"));
        request.names = vec![SubjectName::Email("signer@example.test".to_owned())];
        request.validity_seconds = validity_seconds;
        let key = SubjectKey::PublicKey(self.signer_spki.clone());
        self.ca.issue(&request, key, self.now).expect("issued").certificate
    }

    /// An OCSP delegate of `authority`.
    pub(crate) fn delegate(&self, name: &str, authority: Authority) -> Files {
        let mut request =
            IssueRequest::new(Profile::OcspDelegate, DistinguishedName::common_name(name));
        request.issuer = Some(authority);
        self.issue_files(name, &request)
    }

    pub(crate) fn tls_server(&self, name: &str) -> Files {
        let mut request =
            IssueRequest::new(Profile::TlsServer, DistinguishedName::common_name(name));
        request.names = vec![SubjectName::parse_host("127.0.0.1").expect("a host")];
        self.issue_files(name, &request)
    }

    /// The configuration of one issuer whose key and delegate are here.
    pub(crate) fn issuer(&self, authority: Authority, delegate: Option<&Files>) -> IssuerConfig {
        let passphrase_file = Some(self.path("passphrase"));
        IssuerConfig {
            name: authority.name().to_owned(),
            certificate: self.ca.certificate_path(authority),
            key: Some(self.ca.key_path(authority).into()),
            key_passphrase_file: passphrase_file.clone(),
            ocsp_certificate: delegate.map(|files| files.certificate.clone()),
            ocsp_delegate: DelegateSource::Files,
            ocsp_key: delegate.map(|files| files.key.clone().into()),
            ocsp_key_passphrase_file: passphrase_file,
            crl_file: None,
            crl_upload: false,
            crl_url: None,
            crl_shards: Vec::new(),
        }
    }

    /// A service for the signing CA, with its delegate.
    pub(crate) fn config(&self) -> Config {
        let delegate = self.delegate("delegate", Authority::Signing);
        self.config_of(vec![self.issuer(Authority::Signing, Some(&delegate))])
    }

    /// A service for those issuers, without an admin listener.
    pub(crate) fn config_of(&self, issuer: Vec<IssuerConfig>) -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin_listen: None,
            admin_tls: None,
            admin_max_body_bytes: 16 << 20,
            admin_max_connection_seconds: 600,
            administrator: Vec::new(),
            audit: None,
            pending_expiry_seconds: 3 * 86_400,
            // All signers share one key.
            compromise_scope: CompromiseScope::Certificate,
            backup_folder: None,
            database: self.path("revocation.db").into(),
            public_url: None,
            issuer,
            never_issued: NeverIssued::Unknown,
            crl_validity_seconds: 7 * 86_400,
            delta_crl_validity_seconds: 0,
            crl_folder: None,
            crl_publication: PublicationConfig::default(),
            ocsp_validity_seconds: 86_400,
            ocsp_delegate_validity_seconds: 7 * 86_400,
            crl_max_age_seconds: 300,
            ocsp_max_age_seconds: 300,
            ocsp_max_certificates: 16,
            ocsp_max_in_flight: 128,
            metrics_listen: None,
            rate: None,
            admin_rate: RateSettings::per_second(10_000),
            trusted_proxies: TrustedProxies::default(),
            limits: LimitSettings::default(),
            log: LogSettings::default(),
        }
    }

    /// Adds the admin listener, and gives the TLS side of an administrator.
    pub(crate) fn with_admin(&self, config: &mut Config) -> Arc<ClientConfig> {
        let server = self.tls_server("admin");
        config.admin_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.admin_tls = Some(AdminTls {
            certificate: server.certificate,
            key: server.key,
            key_passphrase_file: Some(self.path("passphrase")),
            client_ca: self.ca.certificate_path(Authority::Service),
            client_crl: Vec::new(),
        });
        let all = [Role::Registrar, Role::Revoker, Role::Approver, Role::Auditor, Role::Reader];
        self.with_person(config, "admin", &all)
    }

    /// Adds somebody with those roles, and gives their TLS side.
    pub(crate) fn with_person(
        &self,
        config: &mut Config,
        name: &str,
        roles: &[Role],
    ) -> Arc<ClientConfig> {
        config.administrator.push(AdministratorConfig {
            name: None,
            identity: vec![format!("{name}@example.test")],
            subject: None,
            roles: roles.to_vec(),
        });
        self.client_of(self, name)
    }

    /// The TLS side of an administrator of this world who connects to a service of `other`.
    pub(crate) fn administrator_of(&self, other: &Self) -> Arc<ClientConfig> {
        self.client_of(other, "admin")
    }

    /// The TLS side of somebody with a certificate of this world, for a service of `other`.
    pub(crate) fn client_of(&self, other: &Self, name: &str) -> Arc<ClientConfig> {
        let mut request =
            IssueRequest::new(Profile::TlsClient, DistinguishedName::common_name(name));
        request.names = vec![SubjectName::Email(format!("{name}@example.test"))];
        let files = self.issue_files(&format!("client-{name}"), &request);
        let plain = Self::plain_key(&files);
        other.client_with(&files.certificate, &plain)
    }

    /// The TLS side of whoever has the certificate and the unencrypted key in these files.
    pub(crate) fn client_with(&self, certificate: &Path, plain: &Path) -> Arc<ClientConfig> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .expect("readable")
            .collect::<Result<Vec<_>, _>>()
            .expect("PEM");
        let key = PrivateKeyDer::from_pem_file(plain).expect("a key");
        Arc::new(self.tls_client().with_client_auth_cert(chain, key).expect("key and certificate"))
    }

    /// Another certificate for the key of a certificate in a file, as a renewal makes it.
    pub(crate) fn renewed_client(&self, name: &str) -> Arc<ClientConfig> {
        let old = pem::read_certificates(&self.path(&format!("client-{name}.pem"))).expect("PEM");
        let old = Certificate::decode(&old[0]).expect("a certificate");
        let mut request =
            IssueRequest::new(Profile::TlsClient, DistinguishedName::common_name(name));
        request.names = vec![SubjectName::Email(format!("{name}@example.test"))];
        let key = SubjectKey::PublicKey(old.public_key.raw.to_vec());
        let issued = self.ca.issue(&request, key, self.now).expect("issued");
        let certificate = self.path(&format!("client-{name}-renewed.pem"));
        pem::write_certificates(&certificate, &issued.chain).expect("written");
        self.client_with(&certificate, &self.path(&format!("client-{name}-key.plain.pem")))
    }

    /// The first certificate of an administrator, DER.
    pub(crate) fn client_certificate(&self, name: &str) -> Vec<u8> {
        let path = self.path(&format!("client-{name}.pem"));
        pem::read_certificates(&path).expect("PEM").swap_remove(0)
    }

    /// A CRL of `authority` with that number, made at `this_update` where its key is.
    pub(crate) fn crl_of(
        &self,
        authority: Authority,
        (number, this_update): (u64, UnixSeconds),
        revoked: &[(&[u8], RevocationReason, UnixSeconds)],
    ) -> Vec<u8> {
        let next_update = this_update.plus_seconds(30 * 86_400);
        let mut builder =
            self.ca.crl(authority, number, this_update, next_update).expect("a builder");
        for (certificate, reason, date) in revoked {
            builder.revoke(&RevokedCertificate {
                serial: Certificate::decode(certificate).expect("a certificate").serial,
                revocation_date: *date,
                reason: *reason,
            });
        }
        let key = self.ca.signer(authority).expect("the authority's key");
        builder.build(key.as_ref()).expect("signed")
    }

    /// As [`crl_of`](Self::crl_of), with further extensions (DER), and an issuingDistributionPoint only if one of
    /// them is that.
    pub(crate) fn crl_with(
        &self,
        authority: Authority,
        (number, this_update): (u64, UnixSeconds),
        revoked: &[(&[u8], RevocationReason, UnixSeconds)],
        extensions: &[Vec<u8>],
    ) -> Vec<u8> {
        let issuer = Certificate::decode(self.ca.certificate(authority)).expect("a certificate");
        let key = self.ca.signer(authority).expect("the authority's key");
        let algorithm = der::sequence(&[key.scheme().algorithm_identifier_content()]);
        let plain = der::Criticality::NonCritical;
        let entries: Vec<Vec<u8>> = revoked
            .iter()
            .map(|(certificate, reason, date)| {
                let serial = Certificate::decode(certificate).expect("a certificate").serial;
                let reason = der::enumerated(reason.code());
                let reason = der::extension(&oid::CE_CRL_REASONS, plain, &reason);
                let serial = der::integer_verbatim(serial);
                der::sequence(&[&serial, &der::time(*date), &der::sequence(&[&reason])])
            })
            .collect();
        let entries = if entries.is_empty() { Vec::new() } else { der::sequence_of(&entries) };
        let identifier = issuer.extensions.subject_key_identifier.expect("an identifier");
        let identifier = der::sequence(&[&der::implicit(0, identifier)]);
        let extensions = [
            der::extension(&oid::CE_AUTHORITY_KEY_IDENTIFIER, plain, &identifier),
            der::extension(&oid::CE_CRL_NUMBER, plain, &der::integer(number)),
            extensions.concat(),
        ];
        let tbs = der::sequence(&[
            &der::integer(1),
            &algorithm,
            issuer.subject,
            &der::time(this_update),
            &der::time(this_update.plus_seconds(30 * 86_400)),
            &entries,
            &der::context(0, &[&der::sequence(&[&extensions.concat()])]),
        ]);
        let signature = key.sign(&tbs).expect("signed");
        der::sequence(&[&tbs, &algorithm, &der::bit_string(&signature)])
    }

    /// A file with the key that is not encrypted, for programs of others.
    pub(crate) fn plain_key(files: &Files) -> PathBuf {
        let plain = files.key.with_extension("plain.pem");
        let passphrase = format!("pass:{PASSPHRASE}");
        openssl(&["pkey", "-in", text(&files.key), "-passin", &passphrase, "-out", text(&plain)]);
        plain
    }

    /// The TLS side of somebody without a certificate.
    pub(crate) fn stranger(&self) -> Arc<ClientConfig> {
        Arc::new(self.tls_client().with_no_client_auth())
    }

    fn tls_client(&self) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from(self.ca.certificate(Authority::Root).to_vec());
        roots.add(root).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
    }

    /// Runs the service in this process, its clock standing at [`World::now`], until it is ready.
    pub(crate) async fn start(&self, config: Config) -> Running {
        self.start_at(config, self.now).await
    }

    /// As [`start`](Self::start), with the clock standing at `now`.
    pub(crate) async fn start_at(&self, config: Config, now: UnixSeconds) -> Running {
        let running = self.start_unready_at(config, now).await;
        running
            .wait("the service to be ready", || http::get(running.public, "/readyz").status == 200)
            .await;
        running
    }

    /// As [`start`](Self::start), for one that only lives.
    pub(crate) async fn start_unready(&self, config: Config) -> Running {
        self.start_unready_at(config, self.now).await
    }

    /// As [`start_unready`](Self::start_unready), with the clock standing at `now`.
    pub(crate) async fn start_unready_at(&self, config: Config, now: UnixSeconds) -> Running {
        let listeners = Listeners::bind(&config).await.expect("listening");
        let public = listeners.public.local_addr().expect("an address");
        let admin = listeners.admin.as_ref().map(|admin| admin.local_addr().expect("an address"));
        let metrics =
            listeners.metrics.as_ref().map(|metrics| metrics.local_addr().expect("an address"));
        let clock = Arc::new(FixedClock::new(time(now)));
        let (trigger, shutdown) = Shutdown::manual();
        let service = tokio::spawn(run(config, listeners, clock.clone(), shutdown));
        let running = Running { public, admin, metrics, clock, trigger, service };
        running.wait("the service to live", || http::get(public, "/livez").status == 200).await;
        running
    }
}

/// A service that runs in this process.
pub(crate) struct Running {
    pub(crate) public: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) clock: Arc<FixedClock>,
    trigger: Trigger,
    service: JoinHandle<Result<(), StartError>>,
}

impl Running {
    pub(crate) fn set_clock(&self, now: UnixSeconds) {
        self.clock.set(time(now));
    }

    pub(crate) fn admin(
        &self,
        client: &Arc<ClientConfig>,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Reply {
        let admin = self.admin.expect("an admin listener");
        http::send_tls(admin, client, method, path, body).expect("a reply")
    }

    /// Registers certificates; they are new.
    pub(crate) fn register(&self, client: &Arc<ClientConfig>, certificates: &[&[u8]]) {
        let reply = self.admin(client, "POST", "/v1/certificates", &certificates.concat());
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// Gives an order to revoke, as JSON.
    pub(crate) fn revoke(&self, client: &Arc<ClientConfig>, order: &serde_json::Value) -> Reply {
        self.admin(client, "POST", "/v1/revocations", order.to_string().as_bytes())
    }

    /// Waits until `condition` holds; fails after a while.
    pub(crate) async fn wait(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while !self.service.is_finished() && !condition() {
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!self.service.is_finished(), "the service ended while waiting for {what}");
    }

    /// Stops the service and waits until it has ended.
    pub(crate) async fn stop(self) {
        self.trigger.request();
        self.service.await.expect("no panic").expect("no error");
    }
}

/// Extensions that keep a list from being complete, each with the code of its refusal.
pub(crate) fn incomplete() -> Vec<(&'static str, Vec<u8>)> {
    let critical = der::Criticality::Critical;
    let point = |fields: &[&[u8]]| {
        let id = &oid::CE_ISSUING_DISTRIBUTION_POINT;
        der::extension(id, critical, &der::sequence(fields))
    };
    let flag = |number| der::implicit(number, &[0xFF]);
    let name =
        |uri: &str| der::context(0, &[&der::context(0, &[&der::implicit(6, uri.as_bytes())])]);
    let restricted = "revocation.crl.restricted";
    let elsewhere = "revocation.crl.distribution-point";
    let mut all = vec![(
        "revocation.crl.delta",
        der::extension(&oid::CE_DELTA_CRL_INDICATOR, critical, &der::integer(1)),
    )];
    // onlyContainsUserCerts, onlyContainsCACerts, onlyContainsAttributeCerts, indirectCRL.
    all.extend([1, 2, 5, 4].map(|number| (restricted, point(&[&flag(number)]))));
    // onlySomeReasons: keyCompromise.
    all.push((restricted, point(&[&der::implicit(3, &[6, 0x40])])));
    all.push((elsewhere, point(&[&name("http://elsewhere.example/shard7.crl")])));
    all
}

/// The serial number of a certificate in hexadecimal.
pub(crate) fn serial(certificate: &[u8]) -> String {
    Certificate::decode(certificate).expect("a certificate").serial_text()
}

/// Runs `openssl`, which must succeed; gives both of its outputs.
pub(crate) fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .output()
        .expect("openssl is installed (apt-get install openssl)");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "openssl {arguments:?}: {text}");
    text
}

/// Writes one certificate to a PEM file.
pub(crate) fn write_pem(path: &Path, certificates: &[&[u8]]) {
    fs::write(path, pem::encode_certificates(certificates)).expect("written");
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE).expect("a passphrase")
}

fn unix_seconds(time: SystemTime) -> UnixSeconds {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    UnixSeconds::new(i64::try_from(since.as_secs()).expect("in range"))
}

fn time(seconds: UnixSeconds) -> SystemTime {
    SystemTime::UNIX_EPOCH
        + Duration::from_secs(u64::try_from(seconds.seconds()).expect("after 1970"))
}
