//! The configuration file, `timestamp.toml` by custom.
//!
//! Relative paths are relative to the working directory. Every key can be set by the environment
//! as well: `COUNTERSIGN_TIMESTAMP_LISTEN`, `COUNTERSIGN_TIMESTAMP_LIMITS__MAX_IN_FLIGHT`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use const_oid::ObjectIdentifier;
use countersign_core::digest::HashAlgorithm;
use countersign_daemon::config::{self, ConfigError};
use countersign_daemon::limits::LimitSettings;
use countersign_daemon::logs::LogSettings;
use countersign_daemon::tls::TlsSettings;
use serde::Deserialize;

/// What the environment's variables begin with.
pub const ENVIRONMENT_PREFIX: &str = "COUNTERSIGN_TIMESTAMP";

/// The whole configuration. Holds no secret, only where secrets are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port of the public listener. Default `127.0.0.1:3161`; port 0 takes a free one.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// PEM file of mode 0600 or tighter: the encrypted PKCS#8 key. Required.
    pub key: PathBuf,
    /// File of mode 0600 or tighter whose first line is the key's passphrase. Required for the
    /// keys of today, which are all encrypted.
    #[serde(default)]
    pub key_passphrase_file: Option<PathBuf>,
    /// PEM file: the authority's certificate, then the certificates above it, in order. Required.
    pub certificate_chain: PathBuf,
    /// The policy of tokens whose request names none: an object identifier, `"1.3.6.1.4.1.99999.1"`. Required.
    pub policy: String,
    /// Further policies that a request may name. Default none; at most 64.
    #[serde(default)]
    pub accepted_policies: Vec<String>,
    /// Hash algorithms of what is stamped, of `"sha256"`, `"sha384"`, `"sha512"`. Default all
    /// three; at least one. SHA-1 is not offered.
    #[serde(default = "default_accepted_hashes")]
    pub accepted_hashes: Vec<String>,
    /// How far the time in a token may be from the true time, in milliseconds. Default 2000; 1–999
    /// or 1001–60000. Below 1000 tokens carry milliseconds, and this is the error that the clock may
    /// have. Above, they carry whole seconds, and up to 1000 of it is the part of a second that is
    /// cut off: the clock may have the rest as its error, 1000 by default. At 1000 it could have none.
    #[serde(default = "default_accuracy_millis")]
    pub accuracy_millis: u64,
    /// Signatures being made at once. Default 0, one for each processor; 0–1024. Requests wait for
    /// a place until `limits.request_timeout_seconds`, at most `limits.max_in_flight` of them.
    #[serde(default)]
    pub max_signing: usize,
    /// `[limits]`; `max_body_bytes` is 65536 by default, a query has about 100.
    #[serde(default)]
    pub limits: LimitSettings,
    /// `[log]`.
    #[serde(default)]
    pub log: LogSettings,
    /// `[tls]`. Default none: the listener speaks plain HTTP, as RFC 3161 clients expect; tokens
    /// protect themselves.
    #[serde(default)]
    pub tls: Option<TlsSettings>,
}

const fn default_listen() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3161)
}

fn default_accepted_hashes() -> Vec<String> {
    HashAlgorithm::STRONG.iter().map(|algorithm| algorithm.name().to_owned()).collect()
}

const fn default_accuracy_millis() -> u64 {
    2000
}

impl Config {
    /// Reads the file and the environment, and checks every value.
    ///
    /// # Errors
    /// As [`config::load`]; and [`ConfigError::Range`] for a value that is not allowed.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let config: Self = config::load(path, ENVIRONMENT_PREFIX)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks every value against its range. Files are not opened.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key whose value is not allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !matches!(self.accuracy_millis, 1..=999 | 1001..=60_000) {
            return Err(ConfigError::Range {
                key: "accuracy_millis".to_owned(),
                value: self.accuracy_millis.to_string(),
                expected: "1–999, for tokens with milliseconds, or 1001–60000: whole seconds cost up to 1000"
                    .to_owned(),
            });
        }
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        ConfigError::check_range("max_signing", count(self.max_signing), 0..=1024)?;
        ConfigError::check_range(
            "accepted_policies (how many)",
            count(self.accepted_policies.len()),
            0..=64,
        )?;
        self.default_policy()?;
        self.offered_policies()?;
        self.offered_hashes()?;
        self.log.validate()?;
        self.limits.validate()
    }

    /// The policy of tokens whose request names none.
    ///
    /// # Errors
    /// [`ConfigError::Range`] when it is not an object identifier.
    pub fn default_policy(&self) -> Result<ObjectIdentifier, ConfigError> {
        object_identifier("policy", &self.policy)
    }

    /// Every policy that a request may name, the default first.
    ///
    /// # Errors
    /// [`ConfigError::Range`] when one is not an object identifier.
    pub fn offered_policies(&self) -> Result<Vec<ObjectIdentifier>, ConfigError> {
        let mut policies = vec![self.default_policy()?];
        for text in &self.accepted_policies {
            let policy = object_identifier("accepted_policies", text)?;
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
        Ok(policies)
    }

    /// Every hash algorithm that a request may use.
    ///
    /// # Errors
    /// [`ConfigError::Range`] when one is unknown or weak, or there is none.
    pub fn offered_hashes(&self) -> Result<Vec<HashAlgorithm>, ConfigError> {
        let refused = |value: String| ConfigError::Range {
            key: "accepted_hashes".to_owned(),
            value,
            expected: "one or more of \"sha256\", \"sha384\", \"sha512\"".to_owned(),
        };
        if self.accepted_hashes.is_empty() {
            return Err(refused("an empty list".to_owned()));
        }
        self.accepted_hashes
            .iter()
            .map(|name| {
                HashAlgorithm::parse(name)
                    .filter(|algorithm| HashAlgorithm::STRONG.contains(algorithm))
                    .ok_or_else(|| refused(format!("{name:?}")))
            })
            .collect()
    }
}

fn object_identifier(key: &str, text: &str) -> Result<ObjectIdentifier, ConfigError> {
    ObjectIdentifier::new(text).map_err(|error| ConfigError::Range {
        key: key.to_owned(),
        value: format!("{text:?}"),
        expected: format!("an object identifier such as \"1.3.6.1.4.1.99999.1\" ({error})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(lines: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("timestamp.toml");
        let text = format!("key = \"k\"\ncertificate_chain = \"c\"\n{lines}");
        std::fs::write(&path, text).expect("written");
        let config: Config = config::load_with(Some(&path), ENVIRONMENT_PREFIX, [])?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn has_a_default_for_all_but_key_chain_and_policy() {
        let config = load("policy = \"1.2.3\"\n").expect("loads");
        assert_eq!(config.listen.to_string(), "127.0.0.1:3161");
        assert_eq!(config.accuracy_millis, 2000);
        assert_eq!(config.offered_hashes().expect("hashes"), HashAlgorithm::STRONG);
        assert_eq!(config.offered_policies().expect("policies").len(), 1);
        assert!(load("").expect_err("refused").to_string().contains("policy"));
    }

    #[test]
    fn names_the_key_whose_value_is_not_allowed() {
        for (line, key) in [
            ("accuracy_millis = 0", "accuracy_millis"),
            ("accuracy_millis = 60001", "accuracy_millis"),
            // Whole seconds from there on: it would leave nothing for the clock's own error.
            ("accuracy_millis = 1000", "accuracy_millis"),
            ("accepted_hashes = [\"sha1\"]", "accepted_hashes"),
            ("accepted_hashes = []", "accepted_hashes"),
            ("accepted_policies = [\"1.2\", \"x\"]", "accepted_policies"),
            ("max_signing = 2000", "max_signing"),
            ("polices = 1", "polices"),
            ("[limits]\nmax_body_bytes = 0", "limits.max_body_bytes"),
            ("[log]\nformat = \"xml\"", "format"),
        ] {
            let error = load(&format!("policy = \"1.2.3\"\n{line}\n")).expect_err(line).to_string();
            assert!(error.contains(key), "{line}: {error}");
        }
        let error = load("policy = \"one\"\n").expect_err("refused").to_string();
        assert!(error.contains("`policy`"), "{error}");
    }

    #[test]
    fn a_policy_named_twice_is_offered_once() {
        let config = load("policy = \"1.2.3\"\naccepted_policies = [\"1.2.3\", \"1.2.4\"]\n")
            .expect("loads");
        assert_eq!(config.offered_policies().expect("policies").len(), 2);
    }
}
