//! What takes two people here: lifting a hold, and moving a date later.
//!
//! Who may propose, decide and withdraw is daemon's (`admin::proposal`); here is what a proposal is
//! about, how it is shown, and that what was approved is published. A proposal is void as soon as the
//! revocation changes that it was to change: what is approved is what was shown. So is one whose first
//! person was locked out since ([`super::proposer`]).

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason, digest::encode_hex, time::UnixSeconds, x509::certificate::serial_text,
};
use countersign_daemon::{
    admin::{
        Answer, Person,
        proposal::{self, Decision, PendingState, Verdict},
    },
    problem::Problem,
};
use http::StatusCode;
use serde::Serialize;

use super::{
    Actor, Administration,
    proposer::{Known, Proposer},
    revocations::Mode,
    shown::ShownRevocation,
};
use crate::{
    publish::Issuer,
    register::{
        rules::RevocationOrder,
        storage::{Pending, Proposal, Revocation},
    },
    reply::of_storage,
};

/// Proposals in a listing, besides those that wait: the newest.
const LISTED: u32 = 1000;

#[derive(Serialize)]
pub(super) struct ShownProposal {
    id: i64,
    /// Over all that a second person judges.
    proposal_sha256: String,
    state: &'static str,
    issuer: String,
    serial: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    compromised_since: Option<UnixSeconds>,
    /// The revocation that it changes, as it stood when it was proposed; it is void when that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<ShownRevocation>,
    proposed_by: String,
    /// What they are known by, whatever the configuration calls them later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proposed_by_identities: Vec<String>,
    proposed_at: UnixSeconds,
    expires_at: UnixSeconds,
    comment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decided_by_identities: Vec<String>,
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
        (serial, was): (Vec<u8>, Option<Revocation>),
        order: RevocationOrder,
        by: Proposer<'_>,
        mode: Mode,
    ) -> Result<Answer, Problem> {
        refuse_no_comment(was.as_ref(), &order, by.comment)?;
        let pending = self.proposed(issuer, (serial, was), order, by, mode).await?;
        let answer = serde_json::json!({ "pending": pending, "dry_run": mode == Mode::DryRun });
        Ok(Answer::json(StatusCode::ACCEPTED, &answer))
    }

    /// Keeps an order for a second person, or shows what would be kept.
    pub(super) async fn proposed(
        &self,
        issuer: &Arc<Issuer>,
        (serial, was): (Vec<u8>, Option<Revocation>),
        order: RevocationOrder,
        by: Proposer<'_>,
        mode: Mode,
    ) -> Result<ShownProposal, Problem> {
        let proposal = Proposal {
            issuer: issuer.id,
            serial,
            expires_at: order.now.plus_seconds(self.settings.pending_expiry_seconds),
            order,
            by: by.actor.person().clone(),
            was,
            comment: by.comment.to_owned(),
            proposer: Some(by.actor.certificate_der().to_vec()),
        };
        let pending = if mode == Mode::DryRun {
            Pending { id: 0, proposal, state: PendingState::Waiting }
        } else {
            let proposed = self.storage.propose(&proposal).await;
            proposed.map_err(|error| of_storage(&error))?
        };
        Ok(self.shown(&pending))
    }

    /// The proposals: all that wait, then the newest others.
    pub(super) async fn proposals(&self) -> Result<Answer, Problem> {
        let storage = &self.storage;
        let known = storage.proposals(self.now(), LISTED).await;
        let known = known.map_err(|error| of_storage(&error))?;
        let mut shown = Vec::with_capacity(known.len());
        let mut certificates = Known::new();
        for pending in &known {
            let mut proposal = self.shown(pending);
            if self.proposer_is_locked_out(pending, &mut certificates).await? {
                proposal.state = "proposer_locked_out";
            }
            shown.push(proposal);
        }
        Ok(Answer::ok(&serde_json::json!({ "pending": shown })))
    }

    /// Approves a proposal, which carries it out, or rejects it. `already` says that the same person did so
    /// before; the proposal says when.
    pub(super) async fn decide(
        &self,
        actor: &Actor,
        id: &str,
        decision: Decision,
        body: &[u8],
    ) -> Result<Answer, Problem> {
        let id = proposal::number(id)?;
        let (shown, comment) = proposal::decision(body)?;
        let verdict = self.verdict(actor, comment);
        if decision == Decision::Approve {
            self.refuse_proposer(id).await?;
        }
        let decided = self.storage.decide(id, decision, shown, &verdict).await;
        let (pending, recorded) = decided.map_err(|error| of_storage(&error))?;
        let issuer = pending.proposal.issuer;
        let issuer = self.issuers.with_id(issuer);
        if let (Some(recorded), Some(issuer)) = (recorded, issuer) {
            self.publish(issuer, recorded.revision).await?;
            self.publish_others(&recorded.others).await?;
        }
        let already = match &pending.state {
            PendingState::Approved(before) | PendingState::Rejected(before) => *before != verdict,
            _ => false,
        };
        Ok(Answer::ok(&serde_json::json!({ "pending": self.shown(&pending), "already": already })))
    }

    /// Takes back what the same person proposed.
    pub(super) async fn withdraw(
        &self,
        actor: &Actor,
        id: &str,
        body: &[u8],
    ) -> Result<Answer, Problem> {
        let id = proposal::number(id)?;
        let verdict = self.verdict(actor, proposal::withdrawal(body)?);
        let withdrawn = self.storage.withdraw(id, &verdict).await;
        let pending = withdrawn.map_err(|error| of_storage(&error))?;
        Ok(Answer::ok(&serde_json::json!({ "pending": self.shown(&pending) })))
    }

    fn verdict(&self, actor: &Actor, comment: String) -> Verdict {
        Verdict { actor: actor.person().clone(), at: self.now(), comment }
    }

    fn shown(&self, pending: &Pending) -> ShownProposal {
        let Pending { id, proposal, state } = pending;
        let (state, verdict) = match state {
            PendingState::Waiting => ("waiting", None),
            PendingState::Expired => ("expired", None),
            PendingState::Approved(verdict) => ("approved", Some(verdict)),
            PendingState::Rejected(verdict) => ("rejected", Some(verdict)),
            PendingState::Withdrawn(verdict) => ("withdrawn", Some(verdict)),
            PendingState::Outdated => ("outdated", None),
        };
        ShownProposal {
            id: *id,
            proposal_sha256: encode_hex(&pending.sha256()),
            state,
            issuer: self.issuers.name_of(proposal.issuer).to_owned(),
            serial: serial_text(&proposal.serial),
            reason: proposal.order.reason.name(),
            compromised_since: proposal.order.compromised_since,
            was: proposal.was.as_ref().map(ShownRevocation::of),
            proposed_by: proposal.by.name().to_owned(),
            proposed_by_identities: identities(&proposal.by),
            proposed_at: proposal.order.now,
            expires_at: proposal.expires_at,
            comment: proposal.comment.clone(),
            decided_by: verdict.map(|verdict| verdict.actor.name().to_owned()),
            decided_by_identities: verdict
                .map(|verdict| identities(&verdict.actor))
                .unwrap_or_default(),
            decided_at: verdict.map(|verdict| verdict.at),
            decision_comment: verdict.map(|verdict| verdict.comment.clone()),
        }
    }
}

fn identities(person: &Person) -> Vec<String> {
    person.identities().map(ToOwned::to_owned).collect()
}

/// Who decides has to know why.
pub(super) fn refuse_no_comment(
    was: Option<&Revocation>,
    order: &RevocationOrder,
    comment: &str,
) -> Result<(), Problem> {
    if !comment.trim().is_empty() {
        return Ok(());
    }
    Err(Problem::bad_request("comment.missing", why_two(was, order)))
}

/// What takes a second person, and what would not.
fn why_two(was: Option<&Revocation>, order: &RevocationOrder) -> String {
    match was {
        // Short: what is told of a service's words ends after 200 characters.
        Some(was) if order.reason != RevocationReason::RemoveFromCrl => format!(
            "It is revoked already, from {} on. Moving that later revives signatures and takes a \
             second person: say in comment why. An earlier or equal compromised_since takes effect \
             at once.",
            was.revocation_date
        ),
        _ => String::from(
            "Lifting a hold takes a second person, so say in comment why, for them to judge.",
        ),
    }
}
