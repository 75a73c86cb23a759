//! `Idempotency-Key`: a request that is repeated under one key is carried out once, and its answer
//! given again for a day, as long as it is among the latest thousand of that person.
//!
//! The key is reserved before anything is done, so that of requests which come at once one is carried
//! out. What was refused has changed nothing and is looked at anew. Keys and answers are kept by the
//! service, in its own storage: here is what is asked of that, and what its answer means.

use countersign_core::time::UnixSeconds;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::answer::Answer;
use crate::problem::Problem;
use crate::sha256::sha256;

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 86_400;

/// The longest answer that is kept. Those of lists that were registered are longer, and registering again
/// says the same.
const MAX_KEPT_OCTETS: usize = 64 << 10;

/// The longest key: what fits any client's identifiers.
const MAX_OCTETS: usize = 128;

/// The reply header that tells a repeated answer.
const REPLAYED: &str = "idempotency-replayed";

/// What an idempotency key is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// SHA-256 of method, path and body.
    pub request_sha256: [u8; 32],
    /// Now.
    pub at: UnixSeconds,
    /// Since when answers count; older ones are dropped.
    pub answers_since: UnixSeconds,
}

/// Whether an idempotency key was reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyReserved {
    /// It was: the order is to be carried out.
    Now,
    /// The order was carried out already.
    Answered(Remembered),
    /// Somebody is carrying it out.
    Running,
}

/// An answer that was given under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// SHA-256 of method, path and body.
    pub request_sha256: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The body's media type.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// When it was given.
    pub at: UnixSeconds,
}

/// A request that has a key.
#[derive(Clone, Debug)]
pub struct Keyed {
    key: String,
    request_sha256: [u8; 32],
}

impl Keyed {
    /// The key of a request, if it has one.
    ///
    /// # Errors
    /// 400.
    pub fn of(
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
            return Err(Problem::bad_request("idempotency.key.malformed", detail));
        }
        let request = [method.as_bytes(), b"\n", path_and_query.as_bytes(), b"\n", body].concat();
        Ok(Some(Self { key: key.to_owned(), request_sha256: sha256(&request) }))
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is asked of the storage before the request is carried out.
    pub fn wanted(&self, now: UnixSeconds) -> KeyUse {
        KeyUse {
            request_sha256: self.request_sha256,
            at: now,
            answers_since: now.minus_seconds(KEPT_SECONDS),
        }
    }

    /// What the storage's answer to that means: `None` if the request is to be carried out now, else
    /// the answer that the same request was given before.
    ///
    /// # Errors
    /// 409 while the same key is being used; 422 if it belongs to another request.
    pub fn replay(&self, reserved: KeyReserved) -> Result<Option<Answer>, Problem> {
        let known = match reserved {
            KeyReserved::Now => return Ok(None),
            KeyReserved::Answered(known) => known,
            KeyReserved::Running => {
                let detail = "A request with that Idempotency-Key is being carried out. Repeat this one in a moment \
                              to see what came of it.";
                return Err(Problem::new(StatusCode::CONFLICT, "idempotency.key.in_use", detail));
            }
        };
        if known.request_sha256 != self.request_sha256 {
            let detail = "That Idempotency-Key was used for another request; take a new one.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "idempotency.key.reused", detail));
        }
        let status = StatusCode::from_u16(known.status).unwrap_or(StatusCode::OK);
        Ok(Some(Answer { status, media_type: known.media_type, body: known.body }))
    }

    /// What is to be kept under the key; `None` if the request was refused or the answer is too long,
    /// and the key is to be given back.
    pub fn kept(&self, outcome: &Result<Answer, Problem>, now: UnixSeconds) -> Option<Remembered> {
        let answer = outcome.as_ref().ok().filter(|answer| answer.body.len() <= MAX_KEPT_OCTETS)?;
        Some(Remembered {
            request_sha256: self.request_sha256,
            status: answer.status.as_u16(),
            media_type: answer.media_type.clone(),
            body: answer.body.clone(),
            at: now,
        })
    }
}

/// A repeated answer, which says that it is one.
pub fn replayed(answer: Answer) -> warp::reply::Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
