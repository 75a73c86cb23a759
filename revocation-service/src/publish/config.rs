//! `[crl_publication]`: where CRLs are written besides being served, for a CDN.
//!
//! The secret that opens an object store is in a file of its own or in the environment, never here.

use std::path::PathBuf;

use countersign_daemon::config::ConfigError;
use serde::Deserialize;
use warp::http::Uri;

/// The table. Nothing in it: CRLs are only served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicationConfig {
    /// A folder in which every CRL is written, by its path below `/crl/`; made when missing. The
    /// older key `crl_folder` means the same.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// A bucket in an S3-compatible object store, `s3://BUCKET` or `s3://BUCKET/PREFIX`: every CRL
    /// is an object there, by its path below `/crl/`.
    #[serde(default)]
    pub url: Option<String>,
    /// Where the object store is, `https://HOST[:PORT]`, or `http://`: requests are signed, CRLs are
    /// public. Default: `AWS_ENDPOINT_URL` of the environment, else Amazon's for the region.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Its region. Default: `AWS_REGION` of the environment, else `us-east-1`, which stores of others
    /// take for want of regions.
    #[serde(default)]
    pub region: Option<String>,
    /// Whose requests they are. Default: what the environment says (`AWS_ACCESS_KEY_ID` with
    /// `AWS_SECRET_ACCESS_KEY`, web identity, container or instance credentials).
    #[serde(default)]
    pub access_key_id: Option<String>,
    /// A file of mode 0600 with the secret of `access_key_id`, read anew for every request.
    #[serde(default)]
    pub secret_access_key_file: Option<PathBuf>,
    /// The CA certificates (PEM) that vouch for the endpoint, beside the system's.
    #[serde(default)]
    pub ca_certificate: Option<PathBuf>,
    /// Whether the store takes a write only if nobody else wrote meanwhile. Default `required`.
    #[serde(default)]
    pub conditional_writes: ConditionalWrites,
}

/// What keeps two replicas from overtaking each other in an object store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConditionalWrites {
    /// The store: `If-Match` and `If-None-Match` on PUT, as Amazon S3 and most others have them.
    #[default]
    Required,
    /// Nothing: the number is read before the write. For a store without conditional writes and one
    /// replica; with two, an older list may be there until the next look.
    Unsupported,
}

impl PublicationConfig {
    /// The bucket and the prefix of `url`.
    pub(crate) fn bucket(&self) -> Option<(&str, &str)> {
        let place = self.url.as_deref()?.strip_prefix("s3://")?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        // A path of an object, not of an address.
        let is_path = !prefix.contains(['?', '#']);
        ((3..=63).contains(&bucket.len()) && bucket.bytes().all(legal) && is_path)
            .then_some((bucket, prefix.trim_matches('/')))
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let Some(url) = &self.url else {
            let others = [
                ("crl_publication.endpoint", self.endpoint.is_some()),
                ("crl_publication.region", self.region.is_some()),
                ("crl_publication.access_key_id", self.access_key_id.is_some()),
                ("crl_publication.secret_access_key_file", self.secret_access_key_file.is_some()),
                ("crl_publication.ca_certificate", self.ca_certificate.is_some()),
                (
                    "crl_publication.conditional_writes",
                    self.conditional_writes != ConditionalWrites::default(),
                ),
            ];
            let alone = others.into_iter().find(|(_, is_given)| *is_given);
            return alone.map_or(Ok(()), |(key, _)| {
                Err(ConfigError::refused_text(key, "alone", "it together with crl_publication.url"))
            });
        };
        if self.bucket().is_none() {
            return Err(ConfigError::refused_text(
                "crl_publication.url",
                url,
                "s3://BUCKET or s3://BUCKET/PREFIX",
            ));
        }
        if let Some(endpoint) = &self.endpoint
            && !is_endpoint(endpoint)
        {
            let expected = "https://HOST[:PORT] or http://HOST[:PORT]";
            return Err(ConfigError::refused_text("crl_publication.endpoint", endpoint, expected));
        }
        if self.access_key_id.is_some() != self.secret_access_key_file.is_some() {
            return Err(ConfigError::refused_text(
                "crl_publication.access_key_id",
                self.access_key_id.as_deref().unwrap_or("missing"),
                "access_key_id and secret_access_key_file together, or neither",
            ));
        }
        if cfg!(not(feature = "object-store")) {
            let expected = "a folder: this program was built without object-store";
            return Err(ConfigError::refused_text("crl_publication.url", url, expected));
        }
        Ok(())
    }
}

/// Whether it is `https://HOST` or `http://HOST`, perhaps with port and path.
fn is_endpoint(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("https" | "http"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_url(url: &str) -> PublicationConfig {
        PublicationConfig { url: Some(url.to_owned()), ..PublicationConfig::default() }
    }

    #[test]
    fn a_bucket_is_named_with_or_without_a_prefix() {
        for (url, want) in [
            ("s3://crls", Some(("crls", ""))),
            ("s3://crls/", Some(("crls", ""))),
            ("s3://crls/a/b/", Some(("crls", "a/b"))),
            ("s3://", None),
            ("s3://a b/c", None),
            ("s3://crls/a?b=c", None),
            ("https://crls", None),
        ] {
            assert_eq!(with_url(url).bucket(), want, "{url}");
        }
    }

    #[test]
    fn what_does_not_stand_together_is_refused_by_its_key() {
        let region = PublicationConfig { region: Some("x".to_owned()), ..Default::default() };
        let endpoint =
            PublicationConfig { endpoint: Some("host:9000".to_owned()), ..with_url("s3://crls") };
        let secretless =
            PublicationConfig { access_key_id: Some("A".to_owned()), ..with_url("s3://crls") };
        let unconditional = PublicationConfig {
            conditional_writes: ConditionalWrites::Unsupported,
            ..Default::default()
        };
        let to = |endpoint: &str| PublicationConfig {
            endpoint: Some(endpoint.to_owned()),
            ..with_url("s3://crls")
        };
        to("http://127.0.0.1:9000/").validate().expect("an endpoint");
        for (config, key) in [
            (unconditional, "crl_publication.conditional_writes"),
            (to("http://"), "crl_publication.endpoint"),
            (to("https://host/?x"), "crl_publication.endpoint"),
            (region, "crl_publication.region"),
            (with_url("gs://crls"), "crl_publication.url"),
            (endpoint, "crl_publication.endpoint"),
            (secretless, "crl_publication.access_key_id"),
        ] {
            let error = config.validate().expect_err(key).to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
