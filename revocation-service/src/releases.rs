//! Releases: what was signed with which certificate, told at the time of signing, so that a
//! compromise can be answered with a list of what to look at.
//!
//! A wing of its own: it leaves once log and inventory answer its question. Nothing here says
//! whether a release is good; that is a verifier's, on what is revoked.

mod shown;
pub(crate) mod storage;

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use countersign_core::{time::UnixSeconds, x509::Certificate};
use countersign_daemon::{
    admin::{
        Answer,
        paging::{Page, digest},
    },
    json_body,
    problem::Problem,
    sha256::sha256,
};
use http::StatusCode;
use serde::Deserialize;

pub(crate) use self::shown::ShownRelease;
pub use self::storage::{ReleaseRecord, ReleasesOf};
use crate::{
    publish::Issuers,
    register::storage::{Registration, Storage},
    reply::{of_storage, unknown_issuer},
};

/// The longest name of a release.
const MAX_NAME_OCTETS: usize = 1024;

/// The body of `POST /v1/releases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// SHA-256 of the bundle, hexadecimal.
    bundle_sha256: String,
    /// The file's name.
    name: String,
    /// When it was signed, as its timestamp says.
    signed_at: Option<String>,
    /// The signer's certificate, DER in base64.
    certificate: String,
    #[serde(default)]
    #[allow(dead_code, reason = "taken for the audit record, which has the whole order")]
    comment: String,
}

/// The register of releases.
#[derive(Debug)]
pub(crate) struct Releases {
    issuers: Arc<Issuers>,
    storage: Arc<Storage>,
}

impl Releases {
    /// The releases that are kept in `storage`, signed with certificates of `issuers`.
    pub(crate) fn new(issuers: Arc<Issuers>, storage: Arc<Storage>) -> Self {
        Self { issuers, storage }
    }

    /// Registers one release in the name of `actor`: 201, or 200 where it was known; answers
    /// what is on record.
    ///
    /// # Errors
    /// 400, 422; 409 if it is known by another name; storage failed.
    pub(crate) async fn register(
        &self,
        actor: &str,
        now: UnixSeconds,
        body: &[u8],
    ) -> Result<Answer, Problem> {
        let malformed = |what: String| Problem::bad_request("release.malformed", what);
        let body: Body = json_body::decode(body)
            .map_err(|error| malformed(format!("The JSON is not a release: {error}.")))?;
        let wrong = |member: &'static str| malformed(format!("{member} cannot be read."));
        if body.name.is_empty() || body.name.len() > MAX_NAME_OCTETS {
            return Err(wrong("name"));
        }
        let der = Base64::decode_vec(&body.certificate).map_err(|_| wrong("certificate"))?;
        let certificate = Certificate::decode(&der).map_err(|_| wrong("certificate"))?;
        let issuer = self.issuers.of(&certificate).ok_or_else(|| unknown_issuer(&certificate))?;
        let signed_at = body
            .signed_at
            .as_deref()
            .map(|text| UnixSeconds::parse_rfc3339(text).ok_or_else(|| wrong("signed_at")));
        let release = ReleaseRecord {
            bundle_sha256: digest(&body.bundle_sha256).ok_or_else(|| wrong("bundle_sha256"))?,
            name: body.name,
            signed_at: signed_at.transpose()?,
            issuer: issuer.id,
            serial: certificate.serial.to_vec(),
            spki_sha256: sha256(certificate.public_key.raw),
            registered_at: now,
            actor: actor.to_owned(),
        };
        let outcomes = self.storage.register_releases(vec![release]).await;
        let outcomes = outcomes.map_err(|error| of_storage(&error))?;
        let (registration, release) = outcomes.into_iter().next().ok_or_else(Problem::internal)?;
        let shown = ShownRelease::of(&self.issuers, &release);
        let (status, outcome) = match registration {
            Registration::Registered => (StatusCode::CREATED, "registered"),
            Registration::Corrected => (StatusCode::OK, "corrected"),
            _ => (StatusCode::OK, "known"),
        };
        Ok(Answer::json(status, &serde_json::json!({ "release": shown, "outcome": outcome })))
    }

    /// A page of the releases. Query: `after` (a bundle's digest), `limit`, `key_sha256`.
    ///
    /// # Errors
    /// 400; storage failed.
    pub(crate) async fn page(&self, query: &str) -> Result<Answer, Problem> {
        let mut key = None;
        let page = Page::read(query, |name, value| {
            key = Some(digest(value).filter(|_| name == "key_sha256")?);
            Some(())
        })?;
        let of = match key {
            Some(key) => ReleasesOf::PageOfKey(key, page.after, page.limit),
            None => ReleasesOf::All(page.after, page.limit),
        };
        let releases = self.storage.releases(&of).await;
        let releases = releases.map_err(|error| of_storage(&error))?;
        let shown: Vec<ShownRelease> =
            releases.iter().map(|release| ShownRelease::of(&self.issuers, release)).collect();
        let next = page.next(shown.len(), shown.last().map(|last| last.bundle_sha256.as_str()));
        let mut answer = serde_json::json!({ "releases": shown });
        if let Some(next) = next {
            answer["next"] = next.into();
        }
        Ok(Answer::ok(&answer))
    }

    /// The releases that a revocation from `date` on takes away, or may.
    ///
    /// # Errors
    /// Storage failed.
    pub(crate) async fn affected(
        &self,
        of: &ReleasesOf,
        date: UnixSeconds,
    ) -> Result<Vec<ShownRelease>, Problem> {
        let releases = self.storage.releases(of).await;
        let releases = releases.map_err(|error| of_storage(&error))?;
        let affected = releases
            .iter()
            .filter(|release| release.signed_at.is_none_or(|signed_at| signed_at >= date));
        Ok(affected.map(|release| ShownRelease::of(&self.issuers, release)).collect())
    }
}
