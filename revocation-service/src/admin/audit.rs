//! The audit record of administration: what was ordered, by whom and why, and what came of it.
//!
//! The order is in the ledger before it is carried out, and the outcome before it is acknowledged.
//! Kinds are `ACTION.ordered`, `ACTION.done`, `ACTION.refused`, `import.partly_done` and `access.denied`. The last is summed up
//! where it is repeated: whoever may do nothing must not fill the ledger either.

use countersign_core::digest::encode_hex;
use countersign_daemon::problem::Problem;
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Actor, Administration,
    answer::Answer,
    denials::{Denied, Sum, Which},
};
use crate::authority::sha256;

/// JSON up to so many octets stands in the record itself; of more there is the digest. A line of the
/// ledger has at most 65536.
const IN_FULL_OCTETS: usize = 16_384;

impl Administration {
    /// Records an order; gives its number in the ledger.
    pub(super) async fn record_order(
        &self,
        actor: &Actor,
        (action, path): (&str, &str),
        body: &[u8],
    ) -> Result<Option<u64>, Problem> {
        let record = json!({
            "actor": actor.name(),
            "certificate": actor.certificate(),
            "path": path,
            "order": content(body),
        });
        self.append(&format!("{action}.ordered"), &record).await
    }

    /// Records what came of an order.
    pub(super) async fn record_outcome(
        &self,
        actor: &Actor,
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
    /// minute as one sum.
    pub(super) async fn record_denial(
        &self,
        actor: &Actor,
        path: &'static str,
        code: &'static str,
    ) -> Result<(), Problem> {
        let denied = Denied { actor: actor.name().to_owned(), path, code };
        let noted = self.denials.note(denied, self.service.now());
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
    pub(crate) async fn sum_up_denials(&self, which: Which) {
        for sum in &self.denials.take(which, self.service.now()) {
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

    pub(super) async fn append(&self, kind: &str, record: &Value) -> Result<Option<u64>, Problem> {
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

/// A body as the record has it.
fn content(body: &[u8]) -> Value {
    if body.len() <= IN_FULL_OCTETS
        && let Ok(value) = serde_json::from_slice(body)
    {
        return value;
    }
    json!({ "sha256": encode_hex(&sha256(body)), "octets": body.len() })
}
