//! The configuration file, `timestamp.toml` by custom.
//!
//! Relative paths are relative to the working directory. Every key can be set by the environment
//! as well: `COUNTERSIGN_TIMESTAMP_LISTEN`, `COUNTERSIGN_TIMESTAMP_LIMITS__MAX_IN_FLIGHT`; the
//! policies as a whole, `COUNTERSIGN_TIMESTAMP_POLICY='[{oid = "1.2.3"}]'`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use countersign_core::time::UnixSeconds;
use countersign_daemon::clock_monitor::ClockSettings;
use countersign_daemon::config::{self, ConfigError};
use countersign_daemon::ledger::AuditSettings;
use countersign_daemon::limits::LimitSettings;
use countersign_daemon::logs::LogSettings;
use countersign_daemon::peer::TrustedProxies;
use countersign_daemon::rate::RateSettings;
use countersign_daemon::tls::TlsSettings;
use countersign_signing::key::KeyLocation;
use serde::Deserialize;

use crate::policy::{self, OfferedPolicy, PolicySettings};

/// What the environment's variables begin with.
pub const ENVIRONMENT_PREFIX: &str = "COUNTERSIGN_TIMESTAMP";

/// The whole configuration. Holds no secret, only where secrets are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port of the public listener. Default `127.0.0.1:3161`; port 0 takes a free one.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Address and port of the listener for figures (`/metrics`). Default none.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// The key: a PEM file of mode 0600 or tighter (encrypted PKCS#8), or a `pkcs11:` URI. Required.
    pub key: KeyLocation,
    /// File of mode 0600 or tighter whose first line is the key file's passphrase, or the PIN of a
    /// token whose URI names no `pin-source`. Required for key files, which are all encrypted.
    #[serde(default)]
    pub key_passphrase_file: Option<PathBuf>,
    /// PEM file: the authority's certificate, then the certificates above it, in order. Required.
    pub certificate_chain: PathBuf,
    /// When the key of `[next]` takes over, as RFC 3339 has it: `"2027-01-01T00:00:00Z"`. Default
    /// never; goes with `[next]`.
    #[serde(default)]
    pub rotate_at: Option<String>,
    /// `[next]`: the key that takes over at `rotate_at`, checked at the start already.
    #[serde(default)]
    pub next: Option<KeySettings>,
    /// `[[policy]]`: what is offered, 1–64. The first is that of tokens whose request names none;
    /// the others are for requests that name them.
    pub policy: Vec<PolicySettings>,
    /// Signatures being made at once by a key that takes its time: RSA, or one that is not in this
    /// process. Default 0, one for each processor; 0–1024. Requests wait for a place until
    /// `limits.request_timeout_seconds`, at most `limits.max_in_flight` of them.
    #[serde(default)]
    pub max_signing: usize,
    /// `[clock]`: what watches the clock, and how far it may be off.
    #[serde(default)]
    pub clock: ClockSettings,
    /// `[audit]`: the ledger in which each token is recorded before it is handed out. Default none.
    #[serde(default)]
    pub audit: Option<AuditSettings>,
    /// `[rate]`: how often one client may ask. Default as often as it wants.
    #[serde(default)]
    pub rate: Option<RateSettings>,
    /// Proxies whose `X-Forwarded-For` is believed, `["10.0.0.0/8"]`. Default none.
    #[serde(default)]
    pub trusted_proxies: TrustedProxies,
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
    /// The file that this was read from, for SIGHUP.
    #[serde(skip)]
    source: Option<PathBuf>,
}

/// A key, and the certificates that go with it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// As [`Config::key`].
    pub key: KeyLocation,
    /// As [`Config::key_passphrase_file`].
    #[serde(default)]
    pub key_passphrase_file: Option<PathBuf>,
    /// As [`Config::certificate_chain`].
    pub certificate_chain: PathBuf,
}

const fn default_listen() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3161)
}

impl Config {
    /// Reads the file and the environment, and checks every value.
    ///
    /// # Errors
    /// As [`config::load`]; and [`ConfigError::Range`] for a value that is not allowed.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let mut config: Self = config::load(path, ENVIRONMENT_PREFIX)?;
        config.source = path.map(Path::to_owned);
        config.validate()?;
        Ok(config)
    }

    /// Reads file and environment again.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_again(&self) -> Result<Self, ConfigError> {
        Self::load(self.source.as_deref())
    }

    /// Checks every value against its range. Files are not opened.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key whose value is not allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let max_signing = u64::try_from(self.max_signing).unwrap_or(u64::MAX);
        ConfigError::check_range("max_signing", max_signing, 0..=1024)?;
        self.policies()?;
        self.rotation()?;
        self.clock.validate()?;
        self.audit.as_ref().map_or(Ok(()), AuditSettings::validate)?;
        self.rate.as_ref().map_or(Ok(()), RateSettings::validate)?;
        self.log.validate()?;
        self.limits.validate()
    }

    /// The policies offered, the default first.
    ///
    /// # Errors
    /// [`ConfigError::Range`] when a value of one is not allowed.
    pub fn policies(&self) -> Result<Vec<OfferedPolicy>, ConfigError> {
        policy::offered(&self.policy)
    }

    /// The key that signs from the start.
    pub fn first_key(&self) -> KeySettings {
        KeySettings {
            key: self.key.clone(),
            key_passphrase_file: self.key_passphrase_file.clone(),
            certificate_chain: self.certificate_chain.clone(),
        }
    }

    /// When another key takes over, and which.
    ///
    /// # Errors
    /// [`ConfigError::Range`] when one of the two is missing, or the time is none.
    pub fn rotation(&self) -> Result<Option<(UnixSeconds, &KeySettings)>, ConfigError> {
        match (&self.rotate_at, &self.next) {
            (None, None) => Ok(None),
            (None, Some(_)) => {
                let expected = "a time, since there is a [next]";
                Err(ConfigError::refused("rotate_at", "nothing", expected))
            }
            (Some(_), None) => {
                let expected = "a [next] table, since there is a rotate_at";
                Err(ConfigError::refused("next", "nothing", expected))
            }
            (Some(text), Some(next)) => {
                let at = UnixSeconds::parse_rfc3339(text).ok_or_else(|| {
                    let expected = "a time such as \"2027-01-01T00:00:00Z\"";
                    ConfigError::refused_text("rotate_at", text, expected)
                })?;
                Ok(Some((at, next)))
            }
        }
    }

    /// The keys of which `other` has another value and that SIGHUP does not change.
    pub(crate) fn fixed_keys_that_differ(&self, other: &Self) -> Vec<&'static str> {
        let differ = [
            ("listen", self.listen != other.listen),
            ("metrics_listen", self.metrics_listen != other.metrics_listen),
            ("clock", self.clock != other.clock),
            ("audit", self.audit != other.audit),
            ("rate", self.rate != other.rate),
            ("trusted_proxies", self.trusted_proxies != other.trusted_proxies),
            ("max_signing", self.max_signing != other.max_signing),
            ("limits", self.limits != other.limits),
            ("log", self.log != other.log),
            ("tls", self.tls != other.tls),
        ];
        differ.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::digest::HashAlgorithm;

    const POLICY: &str = "[[policy]]\noid = \"1.2.3\"\n";

    fn load(lines: &str) -> Result<Config, ConfigError> {
        load_with(lines, &[])
    }

    fn load_with(lines: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("timestamp.toml");
        let text = format!("key = \"k\"\ncertificate_chain = \"c\"\n{lines}");
        std::fs::write(&path, text).expect("written");
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config: Config = config::load_with(Some(&path), ENVIRONMENT_PREFIX, environment)?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn has_a_default_for_all_but_key_chain_and_policy() {
        let config = load(POLICY).expect("loads");
        assert_eq!(config.listen.to_string(), "127.0.0.1:3161");
        let policies = config.policies().expect("policies");
        assert_eq!(policies.len(), 1);
        assert_eq!(policies[0].accuracy.as_millis(), 2000);
        assert_eq!(policies[0].hashes, HashAlgorithm::STRONG);
        assert!(load("").expect_err("refused").to_string().contains("policy"));
    }

    #[test]
    fn each_policy_has_its_own_promises() {
        let second =
            "[[policy]]\noid = \"1.2.4\"\naccepted_hashes = [\"sha512\"]\naccuracy_millis = 100\n";
        let policies =
            load(&format!("{POLICY}{second}")).expect("loads").policies().expect("policies");
        assert_eq!(policies[0].oid.to_string(), "1.2.3");
        assert_eq!(policies[1].hashes, [HashAlgorithm::Sha512]);
        assert_eq!(policies[1].accuracy.as_millis(), 100);
    }

    #[test]
    fn the_environment_gives_the_policies_as_a_whole() {
        let policy = ("COUNTERSIGN_TIMESTAMP_POLICY", "[{oid = \"1.2.9\", accuracy_millis = 10}]");
        let policies = load_with(POLICY, &[policy]).expect("loads").policies().expect("policies");
        assert_eq!((policies.len(), policies[0].oid.to_string().as_str()), (1, "1.2.9"));
    }

    #[test]
    fn names_the_key_whose_value_is_not_allowed() {
        for (line, key) in [
            ("accuracy_millis = 0", "policy.accuracy_millis"),
            ("accuracy_millis = 60001", "policy.accuracy_millis"),
            // Whole seconds from there on: it would leave nothing for the clock's own error.
            ("accuracy_millis = 1000", "policy.accuracy_millis"),
            ("accepted_hashes = [\"sha1\"]", "policy.accepted_hashes"),
            ("accepted_hashes = []", "policy.accepted_hashes"),
            ("accuracy = 3", "accuracy"),
            ("[[policy]]\noid = \"x\"", "policy.oid"),
            ("[[policy]]\noid = \"1.2.3\"", "policy.oid"),
            ("[limits]\nmax_body_bytes = 0", "limits.max_body_bytes"),
            ("[log]\nformat = \"xml\"", "format"),
        ] {
            let error = load(&format!("{POLICY}{line}\n")).expect_err(line).to_string();
            assert!(error.contains(key), "{line}: {error}");
        }
        for (line, key) in [("max_signing = 2000", "max_signing"), ("polices = 1", "polices")] {
            let error = load(&format!("{line}\n{POLICY}")).expect_err(line).to_string();
            assert!(error.contains(key), "{line}: {error}");
        }
        let many: Vec<String> =
            (0..65).map(|last| format!("[[policy]]\noid = \"1.2.{last}\"\n")).collect();
        assert!(load(&many.concat()).expect_err("too many").to_string().contains("how many"));
        assert!(load("policy = []").expect_err("none").to_string().contains("how many"));
    }

    #[test]
    fn a_rotation_needs_its_time_and_its_key() {
        let next = "[next]\nkey = \"n\"\ncertificate_chain = \"nc\"\n";
        let at = "rotate_at = \"2027-01-01T00:00:00Z\"\n";
        let config = load(&format!("{at}{next}{POLICY}")).expect("loads");
        let (time, key) = config.rotation().expect("fits").expect("one");
        assert_eq!(time.to_string(), "2027-01-01T00:00:00Z");
        assert_eq!(key.key.file(), Some(Path::new("n")));
        for (lines, key) in [
            (format!("{at}{POLICY}"), "`next`"),
            (format!("{next}{POLICY}"), "`rotate_at`"),
            (format!("rotate_at = \"soon\"\n{next}{POLICY}"), "`rotate_at`"),
        ] {
            let error = load(&lines).expect_err("refused").to_string();
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn says_what_a_reload_does_not_change() {
        let before = load(POLICY).expect("loads");
        let tables =
            "[log]\nlevel = \"warn\"\n[audit]\nfolder = \"a\"\n[rate]\nrequests_per_second = 5\n";
        let after = load(&format!("listen = \"127.0.0.1:1\"\n{POLICY}{tables}")).expect("loads");
        assert_eq!(before.fixed_keys_that_differ(&after), ["listen", "audit", "rate", "log"]);
        assert!(before.fixed_keys_that_differ(&before).is_empty());
    }
}
