//! Whom a client believes, and who it is.

use std::{path::Path, sync::Arc};

use countersign_core::{
    finding::{Finding, FindingCode, quoted},
    x509,
};
use countersign_signing::key::{FileKey, Passphrase};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs::{self, sign::any_supported_type},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};

use crate::{
    codes,
    failure::{Failure, Outcome, path_text},
    tls_fault::Handshake,
};

/// How TLS is spoken by a client.
#[derive(Debug, Default)]
pub struct Tls {
    /// Whose servers are believed.
    pub authorities: Authorities,
    /// Who the client is, if it says so.
    pub certificate: Option<ClientCertificate>,
}

/// Whose servers are believed.
#[derive(Debug, Default)]
pub enum Authorities {
    /// Those of the system's certificate authorities.
    #[default]
    System,
    /// Those of these alone.
    Only {
        /// DER.
        certificates: Vec<Vec<u8>>,
        /// The flag that named them, for words.
        flag: &'static str,
    },
}

/// A certificate for TLS with its key.
#[derive(Debug)]
pub struct ClientCertificate {
    key: Arc<CertifiedKey>,
    words: String,
}

impl ClientCertificate {
    /// Opens the key of `chain`: the client's certificate and those above it, DER.
    ///
    /// # Errors
    /// When the key cannot be used; `setup.key.mismatch` when it is not that of the certificate.
    pub fn open(chain: &[Vec<u8>], key: &Path, passphrase: &Passphrase) -> Outcome<Self> {
        let pem = FileKey::open_for_tls(key, passphrase)?;
        let unread = |_| Failure::internal("the TLS library does not read our key");
        let private = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(unread)?;
        let pair = any_supported_type(&private)
            .map_err(|_| Failure::internal("the TLS library does not take our key"))?;
        let shown = chain.first().map(|der| x509::Certificate::decode(der));
        let Some(Ok(certificate)) = shown else {
            return Err(FindingCode::CERTIFICATE_MALFORMED.into());
        };
        let spki = pair.public_key();
        if spki.is_some_and(|spki| spki.as_ref() != certificate.public_key.raw) {
            return Err(Finding::new(codes::KEY_MISMATCH)
                .about(path_text(key))
                .expected(format!("the key of {}", quoted(certificate.subject_text())))
                .into());
        }
        let words = quoted(format!(
            "{}, issued by {}",
            certificate.subject_text(),
            x509::name::text(certificate.issuer)
        ));
        let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        Ok(Self { key: Arc::new(CertifiedKey::new(chain, pair)), words })
    }
}

impl Tls {
    pub(super) fn handshake(&self) -> Handshake {
        Handshake {
            authorities: match &self.authorities {
                Authorities::System => "the system's certificate authorities",
                Authorities::Only { flag, .. } => flag,
            },
            certificate: self.certificate.as_ref().map(|certificate| certificate.words.clone()),
        }
    }

    /// The TLS library's configuration. The system's authorities that cannot be read are left out;
    /// then servers are not believed, and that is said.
    pub(super) fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        match &self.authorities {
            Authorities::System => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Authorities::Only { certificates, .. } => {
                let certificates = certificates.iter().cloned().map(CertificateDer::from);
                roots.add_parsable_certificates(certificates);
            }
        }
        configuration(roots, self.certificate.as_ref())
    }
}

/// For clients that only ever ask `http://`.
pub(super) fn unused() -> ClientConfig {
    configuration(RootCertStore::empty(), None)
}

fn configuration(roots: RootCertStore, certificate: Option<&ClientCertificate>) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    // Unwrap safety: it fails only for a provider without cipher suites for TLS 1.2 and 1.3.
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for both versions")
        .with_root_certificates(roots);
    match certificate {
        Some(certificate) => {
            let key = SingleCertAndKey::from(Arc::clone(&certificate.key));
            builder.with_client_cert_resolver(Arc::new(key))
        }
        None => builder.with_no_client_auth(),
    }
}
