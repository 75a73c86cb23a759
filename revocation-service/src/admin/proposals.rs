//! What takes two people: lifting a hold, and moving a date later.
//!
//! The first person's order becomes a proposal; another one, with the role approver, approves or
//! rejects it before its time is over.

use std::sync::Arc;

use countersign_core::{time::UnixSeconds, x509::certificate::serial_text};
use countersign_daemon::problem::Problem;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Administration,
    answer::Answer,
    revocations::{Mode, refuse_long_comment},
    shown::issuer_name,
};
use crate::{
    reply::{bad_request, of_storage},
    rules::RevocationOrder,
    state::Issuer,
    storage::{Decision, Pending, PendingState, Proposal, Verdict},
};

/// Proposals in a listing: the newest.
const LISTED: u32 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    #[serde(default)]
    comment: String,
}

#[derive(Serialize)]
struct ShownProposal {
    id: i64,
    state: &'static str,
    issuer: String,
    serial: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    compromised_since: Option<UnixSeconds>,
    proposed_by: String,
    proposed_at: UnixSeconds,
    expires_at: UnixSeconds,
    comment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<UnixSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_comment: Option<String>,
}

impl Administration {
    /// Keeps an order for a second person: 202.
    pub(super) async fn propose(
        &self,
        issuer: &Arc<Issuer>,
        serial: Vec<u8>,
        order: RevocationOrder,
        comment: &str,
        mode: Mode,
    ) -> Result<Answer, Problem> {
        if comment.trim().is_empty() {
            let detail = "This takes a second person; say in comment why, for them to judge.";
            return Err(bad_request("comment.missing", detail));
        }
        let proposal = Proposal {
            issuer: issuer.id,
            serial,
            expires_at: order.now.plus_seconds(self.pending_expiry_seconds),
            order,
            comment: comment.to_owned(),
        };
        let pending = if mode == Mode::DryRun {
            Pending { id: 0, proposal, state: PendingState::Waiting }
        } else {
            let proposed = self.service.storage().propose(&proposal).await;
            proposed.map_err(|error| of_storage(&error))?
        };
        let shown = self.shown(&pending);
        let answer = serde_json::json!({ "pending": shown, "dry_run": mode == Mode::DryRun });
        Ok(Answer::json(StatusCode::ACCEPTED, &answer))
    }

    /// The proposals, newest first.
    pub(super) async fn proposals(&self) -> Result<Answer, Problem> {
        let storage = self.service.storage();
        let known = storage.proposals(self.service.now(), LISTED).await;
        let known = known.map_err(|error| of_storage(&error))?;
        let shown: Vec<ShownProposal> = known.iter().map(|pending| self.shown(pending)).collect();
        Ok(Answer::ok(&serde_json::json!({ "pending": shown })))
    }

    /// Approves a proposal, which carries it out, or rejects it.
    pub(super) async fn decide(
        &self,
        actor: &Actor,
        id: &str,
        decision: Decision,
        body: &[u8],
    ) -> Result<Answer, Problem> {
        let id = id
            .parse()
            .map_err(|_| bad_request("pending.malformed", "The path has the proposal's number."))?;
        let body = if body.is_empty() { b"{}" } else { body };
        let body: DecisionBody = serde_json::from_slice(body).map_err(|error| {
            let detail = format!("Send a JSON object with a comment, or nothing: {error}.");
            bad_request("pending.malformed", detail)
        })?;
        refuse_long_comment(&body.comment)?;
        let verdict = Verdict {
            actor: actor.name().to_owned(),
            at: self.service.now(),
            comment: body.comment,
        };
        let decided = self.service.storage().decide(id, decision, &verdict).await;
        let (pending, recorded) = decided.map_err(|error| of_storage(&error))?;
        let issuer = pending.proposal.issuer;
        let issuer = self.service.issuers().iter().find(|known| known.id == issuer);
        if let (Some(recorded), Some(issuer)) = (recorded, issuer) {
            self.publish(issuer, recorded.revision).await?;
        }
        Ok(Answer::ok(&serde_json::json!({ "pending": self.shown(&pending) })))
    }

    fn shown(&self, pending: &Pending) -> ShownProposal {
        let Pending { id, proposal, state } = pending;
        let (state, verdict) = match state {
            PendingState::Waiting => ("waiting", None),
            PendingState::Expired => ("expired", None),
            PendingState::Approved(verdict) => ("approved", Some(verdict)),
            PendingState::Rejected(verdict) => ("rejected", Some(verdict)),
        };
        ShownProposal {
            id: *id,
            state,
            issuer: issuer_name(&self.service, proposal.issuer),
            serial: serial_text(&proposal.serial),
            reason: proposal.order.reason.name(),
            compromised_since: proposal.order.compromised_since,
            proposed_by: proposal.order.actor.clone(),
            proposed_at: proposal.order.now,
            expires_at: proposal.expires_at,
            comment: proposal.comment.clone(),
            decided_by: verdict.map(|verdict| verdict.actor.clone()),
            decided_at: verdict.map(|verdict| verdict.at),
            decision_comment: verdict.map(|verdict| verdict.comment.clone()),
        }
    }
}
