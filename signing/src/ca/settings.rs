//! `ca.toml`: what the whole authority has in common.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CaError, SETTINGS_FILE};
use crate::{
    certificate::Pointers,
    files::{self, FileError, FileMode},
    key::KeyAlgorithm,
    profile::Authority,
};

/// Ours has a hundred octets or two.
const MAXIMUM_OCTETS: u64 = 64 << 10;

/// The authority's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The organisation in every CA's subject.
    pub organisation: String,
    /// The URL below which CRLs, OCSP and CA certificates are served, without a slash at its end.
    /// It stands in every certificate and cannot be changed for those.
    pub base_url: String,
    /// The algorithm of the CAs' keys, and of keys made for others unless they say otherwise.
    pub algorithm: KeyAlgorithm,
}

impl Settings {
    pub(super) fn new(
        organisation: &str,
        base_url: &str,
        algorithm: KeyAlgorithm,
    ) -> Result<Self, CaError> {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let settings = Self { organisation: organisation.to_owned(), base_url, algorithm };
        settings.check()?;
        Ok(settings)
    }

    pub(super) fn read(folder: &Path) -> Result<Self, CaError> {
        let path = folder.join(SETTINGS_FILE);
        if !path.exists() {
            return Err(CaError::NoAuthority { path: folder.to_owned() });
        }
        let content = files::read_bounded(&path, MAXIMUM_OCTETS)?;
        let invalid = |detail: String| CaError::Settings { path: path.clone(), detail };
        let text = String::from_utf8(content).map_err(|error| invalid(error.to_string()))?;
        let settings: Self = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        settings.check()?;
        Ok(settings)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), CaError> {
        let path = folder.join(SETTINGS_FILE);
        let text = toml::to_string(self)
            .map_err(|error| CaError::Settings { path: path.clone(), detail: error.to_string() })?;
        let write: Result<(), FileError> =
            files::write_new(&path, text.as_bytes(), FileMode::Public);
        Ok(write?)
    }

    pub(super) fn pointers(&self, authority: Authority) -> Pointers {
        let (base, name) = (&self.base_url, authority.name());
        Pointers {
            crl_url: format!("{base}/crl/{name}.crl"),
            ocsp_url: format!("{base}/ocsp"),
            issuer_url: format!("{base}/ca/{name}.cer"),
        }
    }

    fn check(&self) -> Result<(), CaError> {
        let url = &self.base_url;
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let is_usable = rest.is_some_and(|rest| {
            !rest.is_empty()
                && !rest.starts_with('/')
                && rest.bytes().all(|octet| octet.is_ascii_graphic())
                && !rest.contains(['?', '#', '"', '<', '>', '\\', '@'])
        });
        if is_usable { Ok(()) } else { Err(CaError::BaseUrl { url: url.clone() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_urls_that_clients_can_use() {
        let settings = |url| Settings::new("Example", url, KeyAlgorithm::P384);
        let base = settings("https://example.org/pki/").expect("usable").base_url;
        assert_eq!(base, "https://example.org/pki");
        assert!(settings("http://127.0.0.1:8080").is_ok());
        for url in ["", "example.org", "ftp://example.org", "http://", "http:///x", "http://a b"] {
            assert!(matches!(settings(url), Err(CaError::BaseUrl { .. })), "{url}");
        }
    }

    #[test]
    fn refuses_unknown_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(Settings::read(folder.path()), Err(CaError::NoAuthority { .. })));
        let settings = Settings::new("\"Quoted\" \\ Ltd", "http://a", KeyAlgorithm::P256);
        let settings = settings.expect("usable");
        settings.write(folder.path()).expect("written");
        assert_eq!(Settings::read(folder.path()).expect("read"), settings);
        let path = folder.path().join(SETTINGS_FILE);
        let text = std::fs::read_to_string(&path).expect("read") + "surprise = 1\n";
        std::fs::write(&path, text).expect("written");
        let error = Settings::read(folder.path()).expect_err("refused").to_string();
        assert!(error.contains("surprise"), "{error}");
    }
}
