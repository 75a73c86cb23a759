//! TLS for a listener: certificate chain and key from PEM files, swappable while it runs.
//!
//! TLS 1.2 and 1.3 with rustls' defaults over aws-lc-rs. With a client CA the listener demands a
//! client certificate that chains to it (mutual TLS), in full at every connection; whether that client may do what it asks is
//! for the routes to say. Client certificates are not checked for revocation here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::crypto::aws_lc_rs;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::private_file::{self, PrivateFileError};

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
    PrivateFile(#[from] PrivateFileError),
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
    current: Arc<ArcSwap<ServerConfig>>,
}

impl Tls {
    /// Reads the files and checks that they fit together.
    ///
    /// # Errors
    /// A file is missing, unreadable, too open or not what it should be, or key and certificate differ.
    pub fn open(settings: TlsSettings) -> Result<Self, TlsError> {
        let current = Arc::new(ArcSwap::from(build(&settings)?));
        Ok(Self { settings: Arc::new(settings), current })
    }

    /// Reads the files again; new connections get the new certificate, open ones keep theirs.
    ///
    /// # Errors
    /// As [`Tls::open`]; what was in use stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(build(&self.settings)?);
        Ok(())
    }

    /// Whether clients must show a certificate.
    pub fn demands_client_certificate(&self) -> bool {
        self.settings.client_ca.is_some()
    }

    /// The configuration for the next handshake.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }
}

fn build(settings: &TlsSettings) -> Result<Arc<ServerConfig>, TlsError> {
    let rejected = |error: &dyn std::fmt::Display| TlsError::Rejected(error.to_string());
    let chain = read_certificates(&settings.certificate)?;
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
    Ok(Arc::new(config))
}

/// All certificates of a PEM file, in its order.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |message: String| TlsError::Certificate { path: path.to_owned(), message };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed("holds no PEM certificate".to_owned()));
    }
    for (index, certificate) in certificates.iter().enumerate() {
        ParsedCertificate::try_from(certificate).map_err(|error| {
            failed(format!("certificate {} cannot be read: {error}", index + 1))
        })?;
    }
    Ok(certificates)
}

/// The private key of a PEM file, decrypted where it is encrypted.
fn read_key(
    path: &Path,
    passphrase_file: Option<&Path>,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    let failed =
        |message: &str| TlsError::Key { path: path.to_owned(), message: message.to_owned() };
    let bytes = private_file::read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("not a PEM file"))?;
    let Some(start) = text.find(ENCRYPTED) else {
        return PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|_| failed("holds no PEM private key"));
    };
    let Some(passphrase_file) = passphrase_file else {
        return Err(failed("is encrypted; name a key_passphrase_file"));
    };
    let passphrase: Zeroizing<Vec<u8>> = private_file::read_passphrase(passphrase_file)?;
    let (_, document) = SecretDocument::from_pem(&text[start..])
        .map_err(|_| failed("holds a damaged encrypted private key"))?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|_| failed("holds an encrypted private key of an unknown kind"))?;
    let key = encrypted
        .decrypt(passphrase.as_slice())
        .map_err(|_| failed("the passphrase does not open this key"))?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec())))
}
