//! Configuration of the administration: TLS of its listener, who may what.

use std::path::PathBuf;

use countersign_daemon::{
    admin::{self, Administrator},
    config::one_or_several,
    tls::TlsSettings,
};
use serde::Deserialize;

/// `[admin_tls]`: all files PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminTls {
    /// The listener's certificate chain, leaf first.
    pub certificate: PathBuf,
    /// Its private key, mode 0600.
    pub key: PathBuf,
    /// A file with the key's passphrase, mode 0600.
    #[serde(default)]
    pub key_passphrase_file: Option<PathBuf>,
    /// The CA certificates whose clients may administer.
    pub client_ca: PathBuf,
    /// CRLs of those CAs, DER or PEM; one file or a list of them, read again when they change. None by
    /// default: then only those are locked out whose key or certificate is revoked in this service.
    #[serde(default, deserialize_with = "one_or_several")]
    pub client_crl: Vec<PathBuf>,
}

impl AdminTls {
    /// The settings of the listener.
    pub(crate) fn listener(&self) -> TlsSettings {
        TlsSettings {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            key_passphrase_file: self.key_passphrase_file.clone(),
            client_ca: Some(self.client_ca.clone()),
        }
    }
}

/// One `[[administrator]]`.
pub type AdministratorConfig = Administrator<Role>;

/// What somebody may do. Every role may look things up; [`Role::Reader`] may do nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Registers certificates and releases.
    Registrar,
    /// Revokes, and proposes what takes two people.
    Revoker,
    /// Approves or rejects what another one proposed.
    Approver,
    /// Takes copies of everything: exports and backups.
    Auditor,
    /// Looks things up.
    Reader,
}

impl admin::Role for Role {
    fn name(self) -> &'static str {
        match self {
            Self::Registrar => "registrar",
            Self::Revoker => "revoker",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Reader => "reader",
        }
    }
}

/// What a key compromise takes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompromiseScope {
    /// Every certificate with that key, now and later.
    #[default]
    Key,
    /// The certificate that was named.
    Certificate,
}
