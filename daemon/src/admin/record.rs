//! The audit record of administration: what was ordered, by whom and why, and what came of it.
//!
//! The order is in the ledger before it is carried out, and the outcome before it is acknowledged. The
//! SHA-256 of what was sent stands beside the order: numbers and spaces in it are not as they were.
//! Kinds are `ACTION.ordered`, `ACTION.done`, `ACTION.refused`, `access.denied`, and those that a
//! service adds. Denials are summed up if they are repeated: whoever may do nothing must not fill
//! the ledger either.

use countersign_core::digest::encode_hex;
use countersign_core::json;
use countersign_core::time::UnixSeconds;
use http::StatusCode;
use serde_json::{Value, json};

use super::actor::Actor;
use super::answer::Answer;
use super::denials::{Denials, Denied, Sum, Which};
use super::people::Role;
use crate::ledger::Ledger;
use crate::problem::Problem;
use crate::sha256::sha256;

/// JSON up to so many octets is in the record itself; for more, its digest is. A line of the
/// ledger has at most 65536.
const IN_FULL_OCTETS: usize = 16_384;

/// Where administration is put on record.
#[derive(Debug, Default)]
pub struct Record {
    ledger: Option<Ledger>,
    denials: Denials,
}

impl Record {
    /// A record in `ledger`; without one, nothing is recorded.
    pub fn new(ledger: Option<Ledger>) -> Self {
        Self { ledger, denials: Denials::default() }
    }

    /// Records an order; gives its number in the ledger.
    ///
    /// # Errors
    /// 503: it is not on record, and must not be carried out.
    pub async fn order<R: Role>(
        &self,
        actor: &Actor<R>,
        (action, path): (&str, &str),
        body: &[u8],
    ) -> Result<Option<u64>, Problem> {
        let record = json!({
            "actor": actor.name(),
            "certificate": actor.certificate(),
            "path": path,
            "order": content(body),
            "order_sha256": encode_hex(&sha256(body)),
        });
        self.append(&format!("{action}.ordered"), &record).await
    }

    /// Records what came of an order.
    ///
    /// # Errors
    /// 503: it is not on record, and must not be acknowledged.
    pub async fn outcome<R: Role>(
        &self,
        actor: &Actor<R>,
        action: &str,
        order: Option<u64>,
        outcome: &Result<Answer, Problem>,
    ) -> Result<(), Problem> {
        let (kind, record) = match outcome {
            Ok(answer) => {
                let record = json!({
                    "actor": actor.name(), "order": order, "status": answer.status.as_u16(),
                    "answer": content(&answer.body),
                });
                ("done", record)
            }
            Err(problem) => {
                let record = json!({
                    "actor": actor.name(), "order": order, "status": problem.status().as_u16(),
                    "code": problem.code(),
                });
                ("refused", record)
            }
        };
        self.append(&format!("{action}.{kind}"), &record).await.map(|_| ())
    }

    /// Records that somebody asked for what they may not: the first time at once, what follows within a
    /// minute as one sum. `path` is the class of the path.
    ///
    /// # Errors
    /// 503: it is not on record.
    pub async fn denial<R: Role>(
        &self,
        actor: &Actor<R>,
        (path, code): (&'static str, &'static str),
        now: UnixSeconds,
    ) -> Result<(), Problem> {
        let denied = Denied { actor: actor.name().to_owned(), path, code };
        let noted = self.denials.note(denied, now);
        for sum in &noted.sums {
            self.append_denials(sum).await?;
        }
        if !noted.is_first {
            return Ok(());
        }
        let record = json!({
            "actor": actor.name(), "certificate": actor.certificate(), "path": path, "code": code,
        });
        self.append("access.denied", &record).await.map(|_| ())
    }

    /// Puts on record what was denied since and is summed up, where its minute is over.
    pub async fn sum_up_denials(&self, which: Which, now: UnixSeconds) {
        for sum in &self.denials.take(which, now) {
            // The log has the reason; the next request that is denied says it again.
            let _ = self.append_denials(sum).await;
        }
    }

    async fn append_denials(&self, sum: &Sum) -> Result<(), Problem> {
        let Denied { actor, path, code } = &sum.denied;
        let record = json!({
            "actor": actor, "path": path, "code": code, "times": sum.times,
            "since": sum.since, "until": sum.until,
        });
        self.append("access.denied", &record).await.map(|_| ())
    }

    /// Appends a line of a kind of the service's own; gives its number in the ledger.
    ///
    /// # Errors
    /// 503: it was not written.
    pub async fn append(&self, kind: &str, record: &Value) -> Result<Option<u64>, Problem> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        match ledger.append(kind, record).await {
            Ok(receipt) => Ok(Some(receipt.sequence)),
            Err(error) => {
                tracing::error!(kind, %error, "the audit record was not written");
                let detail = "The audit record cannot be written; the log has the reason. Look up \
                              what is on record before you repeat the request.";
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "service.audit", detail))
            }
        }
    }
}

/// A body as the record has it: in full if there is one reading of it.
fn content(body: &[u8]) -> Value {
    if body.len() <= IN_FULL_OCTETS
        && json::inspect(body).is_ok()
        && let Ok(value) = serde_json::from_slice(body)
    {
        return value;
    }
    json!({ "sha256": encode_hex(&sha256(body)), "octets": body.len() })
}
