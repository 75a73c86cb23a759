//! TLS for a listener: certificate chain and key from PEM files, swappable while it runs.
//!
//! TLS 1.2 and 1.3 with rustls' defaults over aws-lc-rs. With a client CA the listener demands a
//! client certificate that chains to it (mutual TLS), in full at every connection; whether that client may do what it asks is
//! for the routes to say. Client certificates are not checked for revocation here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ::metrics::{counter, gauge};
use arc_swap::ArcSwap;
use countersign_core::pem::blocks;
use countersign_signing::pem;
use countersign_signing::secret_file::{self, SecretFileError};
use der::Decode;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::time::Time;
use zeroize::Zeroizing;

use crate::metrics;

/// A `[tls]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// PEM file: the server's certificate, then its intermediates.
    pub certificate: PathBuf,
    /// PEM file of mode 0600 or tighter: the private key (PKCS#8, plain or encrypted; SEC 1; PKCS#1).
    pub key: PathBuf,
    /// File of mode 0600 or tighter with the passphrase of an encrypted key. Default: none.
    #[serde(default)]
    pub key_passphrase_file: Option<PathBuf>,
    /// PEM file: the CA certificates that client certificates must chain to. Default: none, clients
    /// need no certificate.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key or passphrase file cannot be used.
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// A certificate file cannot be read, or holds no PEM certificate.
    #[error("{}: {message}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The key file holds no private key that can be used.
    #[error("{}: {message}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The parts do not make a server: key and certificate do not match, or the client CA is unusable.
    #[error("TLS: {0}")]
    Rejected(String),
}

/// The TLS side of a listener; clones share it, and see a reload.
#[derive(Debug, Clone)]
pub struct Tls {
    settings: Arc<TlsSettings>,
    current: Arc<ArcSwap<Current>>,
}

/// What the files held when they were read last.
#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// When the first certificate of the chain ends that does.
    not_after: SystemTime,
}

impl Tls {
    /// Reads the files and checks that they fit together.
    ///
    /// # Errors
    /// A file is missing, unreadable, too open or not what it should be, a certificate is not valid
    /// now, or key and certificate differ.
    pub fn open(settings: TlsSettings) -> Result<Self, TlsError> {
        let current = Arc::new(ArcSwap::from_pointee(build(&settings)?));
        Ok(Self { settings: Arc::new(settings), current })
    }

    /// Reads the files again, the client CA too; new connections get what is new, open ones keep
    /// theirs. Counts the outcome; telling it in the log is the caller's.
    ///
    /// # Errors
    /// As [`Tls::open`]; what was in use stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let built = build(&self.settings);
        let outcome = if built.is_ok() { "loaded" } else { "refused" };
        counter!("countersign_tls_reloads_total", "outcome" => outcome).increment(1);
        let built = built?;
        tracing::info!(
            certificate = %self.settings.certificate.display(),
            not_after = %humantime::format_rfc3339_seconds(built.not_after),
            "TLS certificate read again"
        );
        self.current.store(Arc::new(built));
        Ok(())
    }

    /// When the certificate in use ends, or the first of its chain.
    pub fn not_after(&self) -> SystemTime {
        self.current.load().not_after
    }

    /// Keeps the gauge of the certificate's end current as long as this lives.
    pub(crate) fn report_expiry(&self, listener: &'static str) {
        let gauge =
            gauge!("countersign_tls_certificate_expiry_timestamp_seconds", "listener" => listener);
        let current = Arc::downgrade(&self.current);
        metrics::before_each_render(move || {
            let not_after = current.upgrade()?.load().not_after;
            let since = not_after.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            gauge.set(since.as_secs_f64());
            Some(())
        });
    }

    /// Whether clients must show a certificate.
    pub fn demands_client_certificate(&self) -> bool {
        self.settings.client_ca.is_some()
    }

    /// The configuration for the next handshake.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }
}

fn build(settings: &TlsSettings) -> Result<Current, TlsError> {
    let rejected = |error: &dyn std::fmt::Display| TlsError::Rejected(error.to_string());
    let chain = read_certificates(&settings.certificate)?;
    let not_after = end_of_validity(&settings.certificate, &chain, SystemTime::now())?;
    let key = read_key(&settings.key, settings.key_passphrase_file.as_deref())?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| rejected(&error))?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in read_certificates(path)? {
                roots.add(certificate).map_err(|error| TlsError::Certificate {
                    path: path.clone(),
                    message: format!("not usable as a client CA: {error}"),
                })?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| rejected(&error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        TlsError::Rejected(format!(
            "{} and {} do not make a server: {error}",
            settings.certificate.display(),
            settings.key.display()
        ))
    })?;
    if settings.client_ca.is_some() {
        // A resumed session would be believed by a certificate that ran out since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Current { config: Arc::new(config), not_after })
}

/// When the first certificate of the chain ends; all must be valid `now`.
fn end_of_validity(
    path: &Path,
    chain: &[CertificateDer<'_>],
    now: SystemTime,
) -> Result<SystemTime, TlsError> {
    let failed = |message: String| TlsError::Certificate { path: path.to_owned(), message };
    let mut end = None::<SystemTime>;
    for (index, certificate) in chain.iter().enumerate() {
        let number = index + 1;
        let certificate = Certificate::from_der(certificate)
            .map_err(|error| failed(format!("certificate {number} cannot be read: {error}")))?;
        let validity = certificate.tbs_certificate().validity();
        let time = |time: Time| SystemTime::UNIX_EPOCH + time.to_unix_duration();
        let (from, until) = (time(validity.not_before), time(validity.not_after));
        let shown = |time| humantime::format_rfc3339_seconds(time);
        if now < from {
            return Err(failed(format!("certificate {number} is valid only from {}", shown(from))));
        }
        if now > until {
            return Err(failed(format!("certificate {number} expired on {}", shown(until))));
        }
        end = Some(end.map_or(until, |end| end.min(until)));
    }
    end.ok_or_else(|| failed("holds no PEM certificate".to_owned()))
}

/// All certificates of a PEM file, in its order.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |message: String| TlsError::Certificate { path: path.to_owned(), message };
    let certificates = pem::read_certificates(path).map_err(|error| failed(error.to_string()))?;
    let certificates: Vec<_> = certificates.into_iter().map(CertificateDer::from).collect();
    for (index, certificate) in certificates.iter().enumerate() {
        ParsedCertificate::try_from(certificate).map_err(|error| {
            failed(format!("certificate {} cannot be read: {error}", index + 1))
        })?;
    }
    Ok(certificates)
}

/// The private key of a PEM file, decrypted if it is encrypted.
fn read_key(
    path: &Path,
    passphrase_file: Option<&Path>,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed = |message: String| TlsError::Key { path: path.to_owned(), message };
    let text = secret_file::read(path)?;
    let mut keys = blocks(&text).filter(|block| block.label.ends_with("PRIVATE KEY"));
    let Some(block) = keys.next() else {
        return Err(failed("holds no PEM private key".to_owned()));
    };
    if let Some(second) = keys.next() {
        return Err(failed(format!("block {}: it is a second private key", second.number)));
    }
    let der = Zeroizing::new(block.decode().map_err(|fault| failed(fault.to_string()))?);
    match block.label {
        "ENCRYPTED PRIVATE KEY" => {
            let Some(passphrase_file) = passphrase_file else {
                return Err(failed("is encrypted; name a key_passphrase_file".to_owned()));
            };
            decrypt(&der, &secret_file::read_line(passphrase_file)?)
                .map_err(|message| failed(message.to_owned()))
        }
        "PRIVATE KEY" => Ok(PrivatePkcs8KeyDer::from(der.to_vec()).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(der.to_vec()).into()),
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(der.to_vec()).into()),
        label => Err(failed(format!("holds a {label}, which TLS does not use"))),
    }
}

fn decrypt(der: &[u8], passphrase: &[u8]) -> Result<PrivateKeyDer<'static>, &'static str> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der)
        .map_err(|_| "holds an encrypted private key of an unknown kind")?;
    let key = encrypted.decrypt(passphrase).map_err(|_| "the passphrase does not open this key")?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}
