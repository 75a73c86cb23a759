//! Configuration of the administration: TLS of its listener, who may what.

use std::{collections::HashSet, path::PathBuf};

use countersign_daemon::config::ConfigError;
use serde::{Deserialize, Deserializer};

use super::refused;
use crate::admin::Role;

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

/// One `[[administrator]]`: a person, or a machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdministratorConfig {
    /// How records call them. Default: the first identity, or the subject.
    #[serde(default)]
    pub name: Option<String>,
    /// What their certificates may have as a subjectAltName: e-mail address, URI or DNS name; one or
    /// a list of them.
    #[serde(default, deserialize_with = "one_or_several")]
    pub identity: Vec<String>,
    /// What their certificates may have as their subject, RFC 4514.
    #[serde(default)]
    pub subject: Option<String>,
    /// What they may do.
    pub roles: Vec<Role>,
}

impl AdministratorConfig {
    /// How records call them.
    pub fn display_name(&self) -> &str {
        let default = || self.identity.first().or(self.subject.as_ref());
        self.name.as_ref().or_else(default).map_or("", String::as_str)
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

/// Checks that everybody can be told from everybody else.
pub(super) fn validate(administrators: &[AdministratorConfig]) -> Result<(), ConfigError> {
    let mut names = HashSet::new();
    for administrator in administrators {
        let name = administrator.display_name();
        if administrator.identity.is_empty() && administrator.subject.is_none() {
            return Err(refused("administrator", name, "an identity or a subject for each"));
        }
        if administrator.roles.is_empty() {
            return Err(refused("administrator.roles", name, "at least one role"));
        }
        let own: HashSet<&str> = administrator
            .identity
            .iter()
            .map(String::as_str)
            .chain(administrator.subject.as_deref())
            .chain([name])
            .collect();
        if own.iter().any(|each| each.is_empty() || !names.insert((*each).to_owned())) {
            return Err(refused("administrator", name, "each name for one person"));
        }
    }
    Ok(())
}

fn one_or_several<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral<T> {
        One(T),
        Several(Vec<T>),
    }
    Ok(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(one) => vec![one],
        OneOrSeveral::Several(several) => several,
    })
}
