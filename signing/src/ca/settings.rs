//! `ca.toml`: what the whole authority has in common.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{CaError, SETTINGS_FILE, folder::read_if_there};
use crate::{
    certificate::Pointers,
    crl,
    files::{self, FileError, FileMode},
    key::{KeyLocation, NewKey},
    profile::{Authority, Kind, Profile},
    toml_fault,
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
    /// It is in every certificate that was issued and cannot be changed there.
    pub base_url: String,
    /// The algorithm of the CAs' keys, and of keys made for others unless they say otherwise.
    pub algorithm: NewKey,
    /// Into how many shards the CRLs that end entities' certificates name are cut, by serial number;
    /// 0: one list for all. Certificates issued before a change keep theirs.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crl_shards: u32,
    /// Whether end entities' certificates name deltas too (freshestCRL).
    #[serde(default, skip_serializing_if = "is_false")]
    pub crl_deltas: bool,
    /// Where the keys of CAs are that are not in the CA's folder: `pkcs11:` URIs, or files, relative
    /// to the authority's folder. A URI here names neither the library (`module-path`), which is
    /// code that runs, nor a file with the PIN (`pin-source`): whoever can write the folder would
    /// choose them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<Authority, KeyLocation>,
}

/// How the CRLs that end entities' certificates name are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrlPublication {
    /// See [`Settings::crl_shards`].
    pub shards: u32,
    /// See [`Settings::crl_deltas`].
    pub deltas: Deltas,
}

/// Whether certificates name deltas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deltas {
    /// They name complete lists alone.
    #[default]
    Unnamed,
    /// They name deltas too.
    Named,
}

/// More shards than this are lists of nothing.
const MAXIMUM_SHARDS: u32 = 4096;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(shards: &u32) -> bool {
    *shards == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(deltas: &bool) -> bool {
    !*deltas
}

impl Settings {
    pub(super) fn new(
        organisation: &str,
        base_url: &str,
        algorithm: NewKey,
        crls: CrlPublication,
    ) -> Result<Self, CaError> {
        let settings = Self {
            organisation: organisation.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            algorithm,
            crl_shards: crls.shards,
            crl_deltas: crls.deltas == Deltas::Named,
            keys: BTreeMap::new(),
        };
        settings.check()?;
        Ok(settings)
    }

    pub(super) fn read(folder: &Path) -> Result<Self, CaError> {
        let path = folder.join(SETTINGS_FILE);
        let Some(content) = read_if_there(&path, MAXIMUM_OCTETS)? else {
            return Err(CaError::NoAuthority { path: folder.to_owned() });
        };
        let invalid = |detail: String| CaError::Settings { path: path.clone(), detail };
        let text = String::from_utf8(content).map_err(|error| invalid(error.to_string()))?;
        let settings: Self =
            toml::from_str(&text).map_err(|error| invalid(toml_fault::words(&text, &error)))?;
        settings.check()?;
        settings.check_keys(&path)?;
        Ok(settings)
    }

    /// The library and the PIN come from who runs the program, and not with the folder.
    fn check_keys(&self, path: &Path) -> Result<(), CaError> {
        for (authority, location) in &self.keys {
            let KeyLocation::Token(uri) = location else { continue };
            if let Some(attribute) = uri.file_attribute() {
                let (path, authority) = (path.to_owned(), *authority);
                return Err(CaError::KeyLocation { path, authority, attribute });
            }
        }
        Ok(())
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
            delta_url: None,
            ocsp_url: format!("{base}/ocsp"),
            issuer_url: format!("{base}/ca/{name}.cer"),
        }
    }

    /// The pointers of the certificate with that serial number. Those of CAs name the whole list:
    /// they are few. So do OCSP delegates', whose revocation nobody looks up.
    pub(super) fn pointers_for(
        &self,
        authority: Authority,
        profile: Profile,
        serial: &[u8],
    ) -> Pointers {
        let mut pointers = self.pointers(authority);
        if profile.rules().kind != Kind::EndEntity || profile == Profile::OcspDelegate {
            return pointers;
        }
        if self.crl_shards > 0 {
            let index = crl::shard_of(serial, self.crl_shards);
            pointers.crl_url = crl::shard_url(&pointers.crl_url, index, self.crl_shards);
        }
        pointers.delta_url = self.crl_deltas.then(|| crl::delta_url(&pointers.crl_url));
        pointers
    }

    fn check(&self) -> Result<(), CaError> {
        if self.crl_shards > MAXIMUM_SHARDS {
            return Err(CaError::CrlShards { shards: self.crl_shards, most: MAXIMUM_SHARDS });
        }
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
        let settings = |url| Settings::new("Example", url, NewKey::P384, CrlPublication::default());
        let base = settings("https://example.org/pki/").expect("usable").base_url;
        assert_eq!(base, "https://example.org/pki");
        assert!(settings("http://127.0.0.1:8080").is_ok());
        for url in ["", "example.org", "ftp://example.org", "http://", "http:///x", "http://a b"] {
            assert!(matches!(settings(url), Err(CaError::BaseUrl { .. })), "{url}");
        }
    }

    #[test]
    fn end_entities_name_their_shard_and_its_deltas() {
        let crls = CrlPublication { shards: 16, deltas: Deltas::Named };
        let settings = Settings::new("Example", "http://a", NewKey::P384, crls).expect("usable");
        let of = |profile| {
            let pointers = settings.pointers_for(Authority::Signing, profile, &[0, 0xF0, 0x13]);
            (pointers.crl_url, pointers.delta_url)
        };
        let shard = "http://a/crl/signing/16/3.crl".to_owned();
        let delta = "http://a/crl/signing/16/3.delta.crl".to_owned();
        assert_eq!(of(Profile::CodeSigner), (shard, Some(delta)));
        for profile in [Profile::OcspDelegate, Profile::SigningCa] {
            assert_eq!(of(profile), ("http://a/crl/signing.crl".to_owned(), None));
        }
        let crls = CrlPublication { shards: 4097, ..crls };
        let error = Settings::new("Example", "http://a", NewKey::P384, crls);
        assert!(matches!(error, Err(CaError::CrlShards { .. })));
    }

    #[test]
    fn refuses_unknown_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(Settings::read(folder.path()), Err(CaError::NoAuthority { .. })));
        let settings = {
            let crls = CrlPublication { shards: 16, deltas: Deltas::Named };
            Settings::new("\"Quoted\" \\ Ltd", "http://a", NewKey::P256, crls)
        };
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
