//! The configuration: what may be set, its unit, default and range, and what does not fit together.
//!
//! Paths are relative to the working directory. Nothing is read here but the configuration itself;
//! keys and certificates are [`crate::publish::authority`]'s. Passphrases are in files of their own, so there
//! is no secret in these values.

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use countersign_daemon::{
    config::{self, ConfigError},
    ledger::AuditSettings,
    limits::LimitSettings,
    logs::LogSettings,
    peer::TrustedProxies,
    rate::RateSettings,
};
use serde::Deserialize;

use crate::admin;
pub use crate::{
    admin::{AdminTls, AdministratorConfig, CompromiseScope},
    publish::{
        ConditionalWrites, PublicationConfig,
        authority::{DelegateSource, IssuerConfig},
    },
    register::storage::DatabaseLocation,
    respond::NeverIssued,
};

/// The prefix of environment variables: `COUNTERSIGN_REVOCATION_LISTEN`.
pub const ENVIRONMENT_PREFIX: &str = "COUNTERSIGN_REVOCATION";

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the public listener: OCSP, CRLs, issuers' certificates, health. Plain HTTP, as
    /// RFC 5280 §8 asks: what is served is signed. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the admin listener (mutual TLS). None by default; needs `[admin_tls]`.
    #[serde(default)]
    pub admin_listen: Option<SocketAddr>,
    /// The admin listener's certificate, key and client CA.
    #[serde(default)]
    pub admin_tls: Option<AdminTls>,
    /// The largest body of a request to the admin listener. Default 16777216 (16 MiB, some 15,000
    /// certificates), 1024–67108864.
    #[serde(default = "default_admin_max_body_bytes")]
    pub admin_max_body_bytes: u32,
    /// Seconds after which a connection of the admin listener ends, however busy it is: what TLS found out
    /// about the client grows no older. Default 600 (10 minutes), 10–86400.
    #[serde(default = "default_admin_max_connection_seconds")]
    pub admin_max_connection_seconds: u32,
    /// Who may administer, and what. An admin listener needs at least one.
    #[serde(default)]
    pub administrator: Vec<AdministratorConfig>,
    /// The audit ledger of administration. Default: a folder beside the `SQLite` file, `DATABASE.audit`;
    /// with PostgreSQL it must be given.
    #[serde(default)]
    pub audit: Option<AuditSettings>,
    /// Seconds after which a proposal that nobody approved is void. Default 259200 (3 days),
    /// 60–2678400 (31 days).
    #[serde(default = "default_pending_expiry_seconds")]
    pub pending_expiry_seconds: u32,
    /// What an order for keyCompromise revokes: `key` (default) every certificate with the key,
    /// `certificate` the one named.
    #[serde(default)]
    pub compromise_scope: CompromiseScope,
    /// The folder into which `POST /v1/backups` copies a `SQLite` database. None by default: refused.
    #[serde(default)]
    pub backup_folder: Option<PathBuf>,
    /// The `SQLite` file, made when missing, one process at a time; or a PostgreSQL database,
    /// `postgres://USER:PASSWORD@HOST/DATABASE`, which several replicas share.
    pub database: DatabaseLocation,
    /// The base URL under which the world reaches the public listener, as in `ca init`: for the
    /// URL of CRLs where neither `crl_url` nor an OCSP delegate's certificate says it. None by
    /// default.
    #[serde(default)]
    pub public_url: Option<String>,
    /// The issuers served, 1–64.
    pub issuer: Vec<IssuerConfig>,
    /// What OCSP says of a serial number that was never registered. Default `unknown`.
    #[serde(default)]
    pub never_issued: NeverIssued,
    /// Seconds from a CRL's thisUpdate to its nextUpdate; it is renewed after half of them.
    /// Default 604800 (7 days), 60–31622400 (366 days).
    #[serde(default = "default_crl_validity_seconds")]
    pub crl_validity_seconds: u32,
    /// Seconds from a delta CRL's thisUpdate to its nextUpdate; it is renewed after half of them.
    /// Default 0: no deltas. 60–2678400 (31 days).
    #[serde(default)]
    pub delta_crl_validity_seconds: u32,
    /// Seconds from an OCSP answer's thisUpdate to its nextUpdate. Default 86400 (1 day),
    /// 60–864000 (10 days).
    #[serde(default = "default_ocsp_validity_seconds")]
    pub ocsp_validity_seconds: u32,
    /// Seconds for which a delegate that is issued here is valid; it is renewed after half of them.
    /// Default 604800 (7 days), 3600–2678400 (31 days).
    #[serde(default = "default_ocsp_delegate_validity_seconds")]
    pub ocsp_delegate_validity_seconds: u32,
    /// A folder in which every CRL is written too, by its path below `/crl/`, for a web server or a
    /// CDN. None by default. As `folder` of `[crl_publication]`.
    #[serde(default)]
    pub crl_folder: Option<PathBuf>,
    /// `[crl_publication]`: where CRLs are written besides being served. Nowhere by default.
    #[serde(default)]
    pub crl_publication: PublicationConfig,
    /// Seconds for which HTTP caches may keep a CRL; never beyond nextUpdate. A cache hides a
    /// revocation for as long. Default 300, 0–86400.
    #[serde(default = "default_max_age_seconds")]
    pub crl_max_age_seconds: u32,
    /// Seconds for which HTTP caches may keep an OCSP answer; never beyond nextUpdate.
    /// Default 300, 0–86400.
    #[serde(default = "default_max_age_seconds")]
    pub ocsp_max_age_seconds: u32,
    /// `CertIDs` taken in one OCSP request; more are malformedRequest. Default 16, 1–64.
    #[serde(default = "default_ocsp_max_certificates")]
    pub ocsp_max_certificates: u32,
    /// OCSP answers being signed or waiting for a core; more get tryLater. Default 128, 1–4096.
    #[serde(default = "default_ocsp_max_in_flight")]
    pub ocsp_max_in_flight: u32,
    /// Address of the listener for figures (`/metrics`). None by default.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// `[rate]`: how often one client may ask the public listener. None by default: as often as it
    /// wants.
    #[serde(default)]
    pub rate: Option<RateSettings>,
    /// `[admin_rate]`: how often one address may ask the admin listener. Default: 100 requests a second, 1000
    /// at once: one person, or a machine that registers what it signs, never sees it.
    #[serde(default = "default_admin_rate")]
    pub admin_rate: RateSettings,
    /// Proxies whose `X-Forwarded-For` is believed, `["10.0.0.0/8"]`. None by default.
    #[serde(default)]
    pub trusted_proxies: TrustedProxies,
    /// What one client may take of the service.
    #[serde(default)]
    pub limits: LimitSettings,
    /// The log.
    #[serde(default)]
    pub log: LogSettings,
}

const fn default_admin_max_body_bytes() -> u32 {
    16 << 20
}

const fn default_admin_max_connection_seconds() -> u32 {
    600
}

fn default_admin_rate() -> RateSettings {
    RateSettings { burst: Some(1000), ..RateSettings::per_second(100) }
}

const fn default_pending_expiry_seconds() -> u32 {
    3 * 86_400
}

const fn default_crl_validity_seconds() -> u32 {
    7 * 86_400
}

const fn default_ocsp_delegate_validity_seconds() -> u32 {
    7 * 86_400
}

const fn default_ocsp_validity_seconds() -> u32 {
    86_400
}

const fn default_max_age_seconds() -> u32 {
    300
}

const fn default_ocsp_max_certificates() -> u32 {
    16
}

const fn default_ocsp_max_in_flight() -> u32 {
    128
}

impl Config {
    /// Reads `path` and the environment, and checks what can be checked without any other file.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the key.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let config: Self = config::load(path, ENVIRONMENT_PREFIX)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks ranges, and which settings need or exclude each other.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_ranges()?;
        self.validate_administration()?;
        self.crl_publication.validate()?;
        if let (Some(folder), Some(_)) = (&self.crl_folder, &self.crl_publication.folder) {
            let folder = folder.display().to_string();
            let expected = "crl_folder or crl_publication.folder";
            return Err(ConfigError::refused_text("crl_folder", &folder, expected));
        }
        if self.admin_listen.is_some() && self.audit_settings().is_none() {
            let expected = "[audit] with a folder, or mode = \"off\"";
            return Err(ConfigError::refused_text("audit", "missing", expected));
        }
        if let Some(audit) = &self.audit {
            audit.validate()?;
        }
        let mut names = HashSet::new();
        for issuer in &self.issuer {
            issuer.validate()?;
            if !names.insert(issuer.name.as_str()) {
                let expected = "each name once";
                return Err(ConfigError::refused_text("issuer.name", &issuer.name, expected));
            }
        }
        Ok(())
    }

    fn validate_ranges(&self) -> Result<(), ConfigError> {
        let rows = [
            ("crl_validity_seconds", self.crl_validity_seconds, 60, 31_622_400),
            ("ocsp_validity_seconds", self.ocsp_validity_seconds, 60, 864_000),
            (
                "ocsp_delegate_validity_seconds",
                self.ocsp_delegate_validity_seconds,
                3600,
                2_678_400,
            ),
            ("crl_max_age_seconds", self.crl_max_age_seconds, 0, 86_400),
            ("ocsp_max_age_seconds", self.ocsp_max_age_seconds, 0, 86_400),
            ("ocsp_max_certificates", self.ocsp_max_certificates, 1, 64),
            ("admin_max_body_bytes", self.admin_max_body_bytes, 1024, 64 << 20),
            ("admin_max_connection_seconds", self.admin_max_connection_seconds, 10, 86_400),
            ("pending_expiry_seconds", self.pending_expiry_seconds, 60, 2_678_400),
            ("ocsp_max_in_flight", self.ocsp_max_in_flight, 1, 4096),
            ("issuer", u32::try_from(self.issuer.len()).unwrap_or(u32::MAX), 1, 64),
        ];
        for (key, value, least, most) in rows {
            ConfigError::check_range(key, u64::from(value), least..=most)?;
        }
        if self.delta_crl_validity_seconds != 0 {
            let seconds = u64::from(self.delta_crl_validity_seconds);
            ConfigError::check_range("delta_crl_validity_seconds", seconds, 60..=2_678_400)?;
        }
        self.rate.as_ref().map_or(Ok(()), RateSettings::validate)?;
        self.admin_rate.validate()?;
        self.limits.validate()?;
        self.log.validate()
    }

    fn validate_administration(&self) -> Result<(), ConfigError> {
        if self.admin_listen.is_some() != self.admin_tls.is_some() {
            let expected = "admin_listen together with [admin_tls]";
            return Err(ConfigError::refused_text("admin_listen", "alone", expected));
        }
        if self.admin_listen.is_some() && self.administrator.is_empty() {
            let expected = "an [[administrator]] for each who may administer";
            return Err(ConfigError::refused_text("administrator", "none", expected));
        }
        countersign_daemon::admin::validate(&self.administrator)
    }
}

impl Config {
    /// Where CRLs are written, with the folder under either of its keys.
    pub(crate) fn publication(&self) -> PublicationConfig {
        let mut publication = self.crl_publication.clone();
        publication.folder = publication.folder.or_else(|| self.crl_folder.clone());
        publication
    }

    /// What orders of administrators need.
    pub(crate) fn admin_settings(&self) -> admin::Settings {
        admin::Settings {
            administrators: self.administrator.clone(),
            pending_expiry_seconds: i64::from(self.pending_expiry_seconds),
            compromise_scope: self.compromise_scope,
            backup_folder: self.backup_folder.clone(),
        }
    }

    /// The settings of the audit ledger; `None` if they are needed and missing.
    pub fn audit_settings(&self) -> Option<AuditSettings> {
        self.audit.clone().or_else(|| match &self.database {
            DatabaseLocation::File(path) => {
                let mut folder = path.as_os_str().to_owned();
                folder.push(".audit");
                Some(AuditSettings::in_folder(Path::new(&folder)))
            }
            DatabaseLocation::Postgres(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "listen = '127.0.0.1:0'\ndatabase = 'r.db'\n[[issuer]]\nname = 'root'\ncertificate = 'c.pem'\n";

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        let config: Config = config::load_with(Some(&path), ENVIRONMENT_PREFIX, [])?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn takes_defaults_for_what_is_left_out() {
        let config = read(&format!("{MINIMAL}crl_file = 'root.crl'\n")).expect("valid");
        assert_eq!(config.never_issued, NeverIssued::Unknown);
        assert_eq!(config.ocsp_max_certificates, 16);
    }

    #[test]
    fn refuses_what_does_not_fit_together_and_names_the_key() {
        for (more, key) in [
            ("", "issuer.key"),
            ("key = 'k'\ncrl_file = 'f'\n", "issuer.key"),
            ("key = 'k'\nocsp_key = 'o'\n", "issuer.ocsp_key"),
            (
                "key = 'k'\n[[issuer]]\nname = 'root'\ncertificate = 'd.pem'\nkey = 'l'\n",
                "issuer.name",
            ),
            (
                "key = 'k'\n[[issuer]]\nname = '../x'\ncertificate = 'd.pem'\nkey = 'l'\n",
                "issuer.name",
            ),
            ("key = 'k'\nkeys = 'k'\n", "keys"),
        ] {
            let error = read(&format!("{MINIMAL}{more}")).expect_err(more).to_string();
            assert!(error.contains(key), "{error}");
        }
        let error = read(&format!("crl_validity_seconds = 5\n{MINIMAL}key = 'k'\n"))
            .expect_err("short")
            .to_string();
        assert!(error.contains("crl_validity_seconds"), "{error}");
        let error = read(&format!("{MINIMAL}key = 'k'\n[log]\nlevel = 'a=b=c'\n"))
            .expect_err("no level")
            .to_string();
        assert!(error.contains("log.level"), "{error}");
        let error = read(&format!("admin_listen = '127.0.0.1:0'\n{MINIMAL}key = 'k'\n"))
            .expect_err("no TLS")
            .to_string();
        assert!(error.contains("admin_tls"), "{error}");
    }

    #[test]
    fn refuses_administration_by_nobody_or_by_two_under_one_name() {
        let tls = "[admin_tls]\ncertificate = 'c'\nkey = 'k'\nclient_ca = 'a'\n";
        let alice = "[[administrator]]\nidentity = 'alice@example.test'\nroles = ['revoker']\n";
        let start = format!("admin_listen = '127.0.0.1:0'\n{MINIMAL}key = 'k'\n{tls}");
        read(&format!("{start}{alice}")).expect("good");
        for (more, key) in [
            (String::new(), "administrator"),
            (format!("{alice}{alice}"), "administrator"),
            ("[[administrator]]\nroles = ['reader']\n".to_owned(), "administrator"),
            (alice.replace("'revoker'", ""), "administrator.roles"),
            (alice.replace("revoker", "king"), "roles"),
        ] {
            let error = read(&format!("{start}{more}")).expect_err(&more).to_string();
            assert!(error.contains(key), "{error}");
        }
        let elsewhere = start.replace("'r.db'", "'postgres://db/r'");
        let error = read(&format!("{elsewhere}{alice}")).expect_err("no ledger").to_string();
        assert!(error.contains("audit"), "{error}");
    }
}
