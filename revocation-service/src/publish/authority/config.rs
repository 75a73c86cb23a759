//! `[[issuer]]`: where an issuer's certificate and keys are, and where its CRLs come from.

use std::{collections::HashSet, path::PathBuf};

use countersign_daemon::config::ConfigError;
use countersign_signing::key::KeyLocation;
use serde::Deserialize;

/// One `[[issuer]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Its name in paths and orders (`/crl/NAME.crl`): 1–64 of a–z, 0–9, `-`. Bound to its key in
    /// the database.
    pub name: String,
    /// Its certificate (PEM).
    pub certificate: PathBuf,
    /// Its key, for signing CRLs: an encrypted PEM file of mode 0600, or a `pkcs11:` URI. Without it,
    /// give `crl_file` or `crl_upload`.
    #[serde(default)]
    pub key: Option<KeyLocation>,
    /// A file with the key's passphrase, or the token's PIN.
    #[serde(default)]
    pub key_passphrase_file: Option<PathBuf>,
    /// Where its OCSP delegate comes from. Default `files`.
    #[serde(default)]
    pub ocsp_delegate: DelegateSource,
    /// The certificate of its OCSP delegate (PEM). Without it, OCSP says `unauthorized`, unless
    /// delegates are issued here.
    #[serde(default)]
    pub ocsp_certificate: Option<PathBuf>,
    /// The delegate's key, as `key`.
    #[serde(default)]
    pub ocsp_key: Option<KeyLocation>,
    /// A file with the delegate key's passphrase.
    #[serde(default)]
    pub ocsp_key_passphrase_file: Option<PathBuf>,
    /// A CRL (DER or PEM) made where the issuer's key is; served as it is, read again when the
    /// file changes. Not together with `key`.
    #[serde(default)]
    pub crl_file: Option<PathBuf>,
    /// Whether CRLs made where the issuer's key is come by upload (`POST /v1/issuers/NAME/crl`). Not
    /// together with `key` or `crl_file`.
    #[serde(default)]
    pub crl_upload: bool,
    /// Into how many shards its CRL is cut, beside the whole one: each count that certificates of
    /// this issuer name (`ca init --crl-shards`). None by default; each 1–4096, at most 4 of them.
    #[serde(default)]
    pub crl_shards: Vec<u32>,
    /// The URL of this issuer's CRL as its certificates' CRL distribution point says it; goes into
    /// the CRL's issuingDistributionPoint. Default: that of the OCSP delegate's certificate, else
    /// `{public_url}/crl/{name}.crl`.
    #[serde(default)]
    pub crl_url: Option<String>,
}

/// Where an issuer's OCSP delegate comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DelegateSource {
    /// From files, read again at SIGHUP; somebody renews them.
    #[default]
    Files,
    /// Issued here with the issuer's key, short-lived, and renewed long before they expire. Their
    /// keys are never written.
    Automatic,
}

impl IssuerConfig {
    /// Checks which settings need or exclude each other.
    ///
    /// # Errors
    /// [`ConfigError::Range`] names the first key that is wrong.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(legal) {
            return Err(ConfigError::refused_text(
                "issuer.name",
                &self.name,
                "1–64 of a–z, 0–9 and -",
            ));
        }
        let name = &self.name;
        let sources = [self.key.is_some(), self.crl_file.is_some(), self.crl_upload];
        if sources.into_iter().filter(|is_given| *is_given).count() != 1 {
            let expected = "one of key, crl_file and crl_upload for each issuer";
            return Err(ConfigError::refused_text("issuer.key", name, expected));
        }
        if self.ocsp_delegate == DelegateSource::Automatic
            && (self.key.is_none() || self.ocsp_certificate.is_some())
        {
            let expected = "automatic with key, and without ocsp_certificate";
            return Err(ConfigError::refused_text("issuer.ocsp_delegate", name, expected));
        }
        let counts: HashSet<_> = self.crl_shards.iter().collect();
        let are_counts = self.crl_shards.iter().all(|count| (1..=4096).contains(count));
        if self.crl_shards.len() > 4 || counts.len() < self.crl_shards.len() || !are_counts {
            return Err(ConfigError::refused_text(
                "issuer.crl_shards",
                name,
                "at most 4 different counts, each 1–4096",
            ));
        }
        if !self.crl_shards.is_empty() && self.key.is_none() {
            return Err(ConfigError::refused_text(
                "issuer.crl_shards",
                name,
                "shards where the CRLs are made here: key",
            ));
        }
        if self.ocsp_certificate.is_some() != self.ocsp_key.is_some() {
            return Err(ConfigError::refused_text(
                "issuer.ocsp_key",
                name,
                "ocsp_certificate and ocsp_key together, or neither",
            ));
        }
        Ok(())
    }
}
