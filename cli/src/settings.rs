//! Values that were not typed: the environment over the settings file.
//!
//! The file is TOML, `countersign/config.toml` in `$XDG_CONFIG_HOME` (else `~/.config`), or the one
//! that `--config` or `COUNTERSIGN_CONFIG` names. Unknown keys are refused. Every key has an
//! environment variable `COUNTERSIGN_KEY`; a list is separated by commas there.

use std::{
    env,
    path::{Path, PathBuf},
};

use countersign_core::finding::Finding;
use countersign_signing::{files, key::KeyLocation, toml_fault};
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use crate::{
    codes,
    failure::{Failure, Outcome, path_text},
    fetch,
    user_folders::user_folder,
};

/// Written by hand.
const MAXIMUM_OCTETS: u64 = 1 << 20;

/// The settings. What is not set is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The trust root for verification.
    pub trusted_root: Option<PathBuf>,
    /// The policy for verification; not together with an identity.
    pub policy: Option<PathBuf>,
    /// The expected signer.
    pub certificate_identity: Option<String>,
    /// The login provider that vouched for the signer.
    pub certificate_oidc_issuer: Option<String>,
    /// Timestamp authorities, in the order in which they are asked.
    #[serde(deserialize_with = "addresses")]
    pub timestamp_urls: Vec<Url>,
    /// The CA certificates that a timestamp authority's TLS certificate must come from.
    pub timestamp_ca: Option<PathBuf>,
    /// The TLS client certificate for timestamp authorities.
    pub timestamp_certificate: Option<PathBuf>,
    /// Its key.
    pub timestamp_key: Option<PathBuf>,
    /// A file with that key's passphrase.
    pub timestamp_key_passphrase_file: Option<PathBuf>,
    /// The signer's key: a file, or a `pkcs11:` URI.
    pub key: Option<KeyLocation>,
    /// The signer's certificate.
    pub certificate: Option<PathBuf>,
    /// A file with the passphrase of keys.
    pub key_passphrase_file: Option<PathBuf>,
    /// A file with the passphrase of a certificate authority's keys.
    pub ca_passphrase_file: Option<PathBuf>,
    /// The revocation service's admin listener.
    #[serde(deserialize_with = "an_address")]
    pub admin_url: Option<Url>,
    /// The TLS client certificate for it.
    pub admin_certificate: Option<PathBuf>,
    /// Its key.
    pub admin_key: Option<PathBuf>,
    /// The CA certificates that the service's certificate must come from.
    pub admin_ca: Option<PathBuf>,
    /// Where these come from, for messages.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// Reads the settings.
///
/// # Errors
/// When a file that was named is not there, or one that is there cannot be used.
pub fn load(named: Option<&Path>) -> Outcome<Settings> {
    let named = named.map(Path::to_owned).or_else(|| path("COUNTERSIGN_CONFIG"));
    let file = match named {
        Some(file) => Some(file),
        // The usual place need not exist.
        None => usual_file().filter(|file| file.exists()),
    };
    let mut settings = match &file {
        Some(file) => read(file)?,
        None => Settings::default(),
    };
    settings.file = file;
    settings.overlay_environment()?;
    Ok(settings)
}

fn usual_file() -> Option<PathBuf> {
    Some(user_folder("XDG_CONFIG_HOME", ".config")?.join("countersign/config.toml"))
}

fn read(file: &Path) -> Outcome<Settings> {
    let content = files::read_bounded(file, MAXIMUM_OCTETS)?;
    let invalid = |found: String| -> Failure {
        let finding = Finding::new(codes::CONFIGURATION_INVALID).about(path_text(file));
        finding.expected("settings as in docs/cli.md").found(found).into()
    };
    let text = String::from_utf8(content).map_err(|error| invalid(error.to_string()))?;
    let mut settings: Settings =
        toml::from_str(&text).map_err(|error| invalid(toml_fault::words(&text, &error)))?;
    settings.resolve_against(file.parent().unwrap_or(Path::new("")));
    Ok(settings)
}

/// An address in the file. As in a variable, what is refused is not shown.
fn an_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    fetch::address(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Url>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| fetch::address(text))
        .collect::<Result<_, _>>()
        .map_err(D::Error::custom)
}

/// The address in an environment variable. What cannot be read is not shown: it may hold a
/// password.
fn address_in(name: &str, value: &str) -> Outcome<Url> {
    fetch::address(value)
        .map_err(|error| Finding::new(codes::USAGE_INVALID).about(name).expected(error).into())
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl Settings {
    /// Relative paths of the file are relative to it, so that it means the same from everywhere.
    fn resolve_against(&mut self, folder: &Path) {
        for path in self.paths() {
            if let Some(path) = path.as_mut() {
                *path = folder.join(&*path);
            }
        }
        if let Some(KeyLocation::File(path)) = &mut self.key {
            *path = folder.join(&*path);
        }
    }

    fn paths(&mut self) -> [&mut Option<PathBuf>; 12] {
        [
            &mut self.trusted_root,
            &mut self.policy,
            &mut self.certificate,
            &mut self.key_passphrase_file,
            &mut self.ca_passphrase_file,
            &mut self.admin_certificate,
            &mut self.admin_key,
            &mut self.admin_ca,
            &mut self.timestamp_ca,
            &mut self.timestamp_certificate,
            &mut self.timestamp_key,
            &mut self.timestamp_key_passphrase_file,
        ]
    }

    fn overlay_environment(&mut self) -> Outcome<()> {
        let names = [
            "COUNTERSIGN_TRUSTED_ROOT",
            "COUNTERSIGN_POLICY",
            "COUNTERSIGN_CERTIFICATE",
            "COUNTERSIGN_KEY_PASSPHRASE_FILE",
            "COUNTERSIGN_CA_PASSPHRASE_FILE",
            "COUNTERSIGN_ADMIN_CERTIFICATE",
            "COUNTERSIGN_ADMIN_KEY",
            "COUNTERSIGN_ADMIN_CA",
            "COUNTERSIGN_TSA_CA",
            "COUNTERSIGN_TSA_CERTIFICATE",
            "COUNTERSIGN_TSA_KEY",
            "COUNTERSIGN_TSA_KEY_PASSPHRASE_FILE",
        ];
        let policy = path("COUNTERSIGN_POLICY");
        let identity = text("COUNTERSIGN_CERTIFICATE_IDENTITY");
        // Whoever names a signer in one place has not asked for the one of a place behind it.
        if policy.is_some() || identity.is_some() {
            self.policy = None;
            self.certificate_identity = identity;
            self.certificate_oidc_issuer = None;
        }
        for (slot, name) in self.paths().into_iter().zip(names) {
            if let Some(value) = path(name) {
                *slot = Some(value);
            }
        }
        if let Some(key) = path("COUNTERSIGN_KEY") {
            let key = KeyLocation::try_from(key.into_os_string());
            self.key = Some(key.map_err(|error| Failure::usage(error.to_string()))?);
        }
        if let Some(issuer) = text("COUNTERSIGN_CERTIFICATE_OIDC_ISSUER") {
            self.certificate_oidc_issuer = Some(issuer);
        }
        if let Some(url) = text("COUNTERSIGN_ADMIN_URL") {
            self.admin_url = Some(address_in("COUNTERSIGN_ADMIN_URL", &url)?);
        }
        // Not COUNTERSIGN_TIMESTAMP_URLS: that is in the name space of the timestamp service, which
        // refuses what it does not know.
        if let Some(urls) = text("COUNTERSIGN_TSA_URLS") {
            let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
            let urls: Outcome<_> =
                urls.map(|url| address_in("COUNTERSIGN_TSA_URLS", url)).collect();
            self.timestamp_urls = urls?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_unknown_keys_with_their_line() {
        let settings: Settings = toml::from_str("trusted_root = \"a\"\n").expect("known");
        assert_eq!(settings.trusted_root, Some(PathBuf::from("a")));
        toml::from_str::<Settings>("trusted_rot = \"a\"\n").expect_err("unknown");
        toml::from_str::<Settings>("timestamp_urls = \"a\"\n").expect_err("not a list");
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let mut settings: Settings =
            toml::from_str("policy = \"p.json\"\nkey = \"/k\"\n").expect("known");
        settings.resolve_against(Path::new("/etc/countersign"));
        assert_eq!(settings.policy, Some(PathBuf::from("/etc/countersign/p.json")));
        assert_eq!(settings.key, Some(KeyLocation::File(PathBuf::from("/k"))));
    }
}
