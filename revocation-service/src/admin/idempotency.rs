//! `Idempotency-Key`: a request that is repeated under one key is carried out once, and its answer
//! given again for a day.
//!
//! What was refused has changed nothing and is looked at anew.

use countersign_daemon::problem::Problem;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{Actor, Administration, answer::Answer};
use crate::{
    authority::sha256,
    reply::{bad_request, of_storage},
    storage::Remembered,
};

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 86_400;

/// The longest key: what fits any client's identifiers.
const MAX_OCTETS: usize = 128;

/// The reply header that tells a repeated answer.
pub(super) const REPLAYED: &str = "idempotency-replayed";

/// A request that has a key.
#[derive(Clone, Debug)]
pub(super) struct Keyed {
    key: String,
    request_sha256: [u8; 32],
}

impl Keyed {
    /// The key of a request, if it has one.
    ///
    /// # Errors
    /// 400.
    pub(super) fn of(
        headers: &HeaderMap,
        method: &str,
        path_and_query: &str,
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().unwrap_or_default();
        let is_legal = (1..=MAX_OCTETS).contains(&key.len())
            && key.bytes().all(|octet| octet.is_ascii_graphic());
        if !is_legal {
            let detail = format!("Idempotency-Key is 1–{MAX_OCTETS} visible ASCII characters.");
            return Err(bad_request("idempotency.key.malformed", detail));
        }
        let request = [method.as_bytes(), b"\n", path_and_query.as_bytes(), b"\n", body].concat();
        Ok(Some(Self { key: key.to_owned(), request_sha256: sha256(&request) }))
    }
}

impl Administration {
    /// The answer given before to the same request under its key.
    ///
    /// # Errors
    /// 422 where the key belongs to another request; storage failed.
    pub(super) async fn remembered(
        &self,
        actor: &Actor,
        keyed: &Keyed,
    ) -> Result<Option<Answer>, Problem> {
        let since = self.service.now().minus_seconds(KEPT_SECONDS);
        let known = self.service.storage().remembered(actor.name(), &keyed.key, since).await;
        let Some(known) = known.map_err(|error| of_storage(&error))? else { return Ok(None) };
        if known.request_sha256 != keyed.request_sha256 {
            let detail = "That Idempotency-Key was used for another request; take a new one.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "idempotency.key.reused", detail));
        }
        let status = StatusCode::from_u16(known.status).unwrap_or(StatusCode::OK);
        Ok(Some(Answer { status, media_type: known.media_type, body: known.body }))
    }

    /// Keeps an answer under its key. Failing to is no failure of the request, which is repeatable
    /// as it is.
    pub(super) async fn remember(&self, actor: &Actor, keyed: &Keyed, answer: &Answer) {
        let now = self.service.now();
        let kept = Remembered {
            request_sha256: keyed.request_sha256,
            status: answer.status.as_u16(),
            media_type: answer.media_type.clone(),
            body: answer.body.clone(),
            at: now,
        };
        let oldest = now.minus_seconds(KEPT_SECONDS);
        let storage = self.service.storage();
        if let Err(error) = storage.remember(actor.name(), &keyed.key, &kept, oldest).await {
            tracing::warn!(%error, "an answer was not kept under its idempotency key");
        }
    }
}

/// The value of [`REPLAYED`].
pub(super) const TRUE: HeaderValue = HeaderValue::from_static("true");
