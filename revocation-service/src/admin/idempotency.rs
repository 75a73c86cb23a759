//! `Idempotency-Key`: a request that is repeated under one key is carried out once, and its answer
//! given again for a day, as long as it is among the latest thousand of that person.
//!
//! The key is reserved before anything is done, so that of requests which come at once one is carried
//! out. What was refused has changed nothing and is looked at anew.

use countersign_daemon::problem::Problem;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{Actor, Administration, answer::Answer};
use crate::{
    authority::sha256,
    register::storage::{KeyReserved, KeyUse, Remembered},
    reply::{bad_request, of_storage},
};

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 86_400;

/// The longest answer that is kept. Those of lists that were registered are longer, and registering again
/// says the same.
const MAX_KEPT_OCTETS: usize = 64 << 10;

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
    /// Reserves the key of a request that is to be carried out now; or gives the answer that the same
    /// request was given before under it.
    ///
    /// # Errors
    /// 409 while the same key is being used; 422 where it belongs to another request; storage failed.
    pub(super) async fn begin(
        &self,
        actor: &Actor,
        keyed: &Keyed,
    ) -> Result<Option<Answer>, Problem> {
        let now = self.service.now();
        let wanted = KeyUse {
            request_sha256: keyed.request_sha256,
            at: now,
            answers_since: now.minus_seconds(KEPT_SECONDS),
        };
        let reserved = self.service.storage().reserve_key(actor.name(), &keyed.key, &wanted).await;
        let known = match reserved.map_err(|error| of_storage(&error))? {
            KeyReserved::Now => return Ok(None),
            KeyReserved::Answered(known) => known,
            KeyReserved::Running => {
                let detail = "A request with that Idempotency-Key is being carried out. Repeat this one in a moment \
                              to see what came of it.";
                return Err(Problem::new(StatusCode::CONFLICT, "idempotency.key.in_use", detail));
            }
        };
        if known.request_sha256 != keyed.request_sha256 {
            let detail = "That Idempotency-Key was used for another request; take a new one.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "idempotency.key.reused", detail));
        }
        let status = StatusCode::from_u16(known.status).unwrap_or(StatusCode::OK);
        Ok(Some(Answer { status, media_type: known.media_type, body: known.body }))
    }

    /// Keeps the answer under the key that was reserved, or gives the key back where the request was
    /// refused or the answer is too long. Failing to is no failure of the request, which is repeatable as
    /// it is.
    pub(super) async fn end(
        &self,
        actor: &Actor,
        keyed: &Keyed,
        outcome: &Result<Answer, Problem>,
    ) {
        let storage = self.service.storage();
        let ended = match outcome {
            Ok(answer) if answer.body.len() <= MAX_KEPT_OCTETS => {
                let kept = Remembered {
                    request_sha256: keyed.request_sha256,
                    status: answer.status.as_u16(),
                    media_type: answer.media_type.clone(),
                    body: answer.body.clone(),
                    at: self.service.now(),
                };
                storage.remember_answer(actor.name(), &keyed.key, &kept).await
            }
            _ => storage.release_key(actor.name(), &keyed.key).await,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "an answer was not kept under its idempotency key");
        }
    }
}

/// The value of [`REPLAYED`].
pub(super) const TRUE: HeaderValue = HeaderValue::from_static("true");
