//! Statements about orders that wait for a second person.

use countersign_core::time::UnixSeconds;
use sqlx::{AnyConnection, Row, any::AnyRow};

use super::{
    revocations,
    rows::{self, seconds, unsigned},
};
use crate::{
    rules::{People, RevocationOrder},
    storage::{
        Decision, IssuerId, Pending, PendingFault, PendingState, Proposal, Recorded, StorageError,
        Verdict,
    },
};

const WAITING: i64 = 0;
const APPROVED: i64 = 1;
const REJECTED: i64 = 2;

pub(super) async fn propose(
    connection: &mut AnyConnection,
    proposal: &Proposal,
) -> Result<Pending, StorageError> {
    let order = &proposal.order;
    // What two people may not do either is refused now, not when the second one comes.
    let approved = RevocationOrder { people: People::Two, ..order.clone() };
    revocations::decide(connection, proposal.issuer, &proposal.serial, &approved).await?;
    let known = list(connection, order.now, u32::MAX).await?.into_iter().find(|known| {
        let other = &known.proposal;
        known.state == PendingState::Waiting
            && (other.issuer, &other.serial) == (proposal.issuer, &proposal.serial)
            && other.order.actor == order.actor
            && other.order.reason == order.reason
            && other.order.compromised_since == order.compromised_since
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let row = sqlx::query(
        "INSERT INTO proposals \
         (issuer, serial, reason, revocation_date, actor, proposed_at, expires_at, comment) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(proposal.issuer.0)
    .bind(&proposal.serial)
    .bind(i64::from(order.reason.code()))
    .bind(order.compromised_since.map(UnixSeconds::seconds))
    .bind(&order.actor)
    .bind(order.now.seconds())
    .bind(proposal.expires_at.seconds())
    .bind(&proposal.comment)
    .fetch_one(connection)
    .await?;
    Ok(Pending { id: row.try_get(0)?, proposal: proposal.clone(), state: PendingState::Waiting })
}

pub(super) async fn list(
    connection: &mut AnyConnection,
    now: UnixSeconds,
    limit: u32,
) -> Result<Vec<Pending>, StorageError> {
    let rows = sqlx::query(
        "SELECT id, issuer, serial, reason, revocation_date, actor, proposed_at, expires_at, \
         comment, state, decided_by, decided_at, decision_comment FROM proposals \
         ORDER BY id DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| of_row(row, now)).collect()
}

pub(super) async fn count(
    connection: &mut AnyConnection,
    now: UnixSeconds,
) -> Result<u64, StorageError> {
    let row = sqlx::query("SELECT count(*) FROM proposals WHERE state = 0 AND expires_at > $1")
        .bind(now.seconds())
        .fetch_one(connection)
        .await?;
    unsigned(row.try_get(0)?)
}

pub(super) async fn decide(
    connection: &mut AnyConnection,
    id: i64,
    decision: Decision,
    verdict: &Verdict,
) -> Result<(Pending, Option<Recorded>), StorageError> {
    let row = sqlx::query(
        "SELECT id, issuer, serial, reason, revocation_date, actor, proposed_at, expires_at, \
         comment, state, decided_by, decided_at, decision_comment FROM proposals WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(PendingFault::Unknown)?;
    let pending = of_row(&row, verdict.at)?;
    match (&pending.state, decision) {
        (PendingState::Approved(_), Decision::Approve)
        | (PendingState::Rejected(_), Decision::Reject) => return Ok((pending, None)),
        (PendingState::Approved(_) | PendingState::Rejected(_), _) => {
            return Err(PendingFault::Decided.into());
        }
        (PendingState::Expired, _) => return Err(PendingFault::Expired.into()),
        (PendingState::Waiting, Decision::Approve)
            if pending.proposal.order.actor == verdict.actor =>
        {
            return Err(PendingFault::SamePerson.into());
        }
        (PendingState::Waiting, _) => {}
    }
    let (state, code) = match decision {
        Decision::Approve => (PendingState::Approved(verdict.clone()), APPROVED),
        Decision::Reject => (PendingState::Rejected(verdict.clone()), REJECTED),
    };
    let recorded = match decision {
        Decision::Approve => Some(carry_out(connection, &pending.proposal, verdict).await?),
        Decision::Reject => None,
    };
    sqlx::query(
        "UPDATE proposals SET state = $2, decided_by = $3, decided_at = $4, decision_comment = $5 \
         WHERE id = $1",
    )
    .bind(id)
    .bind(code)
    .bind(&verdict.actor)
    .bind(verdict.at.seconds())
    .bind(&verdict.comment)
    .execute(connection)
    .await?;
    Ok((Pending { state, ..pending }, recorded))
}

async fn carry_out(
    connection: &mut AnyConnection,
    proposal: &Proposal,
    verdict: &Verdict,
) -> Result<Recorded, StorageError> {
    let order = RevocationOrder { now: verdict.at, people: People::Two, ..proposal.order.clone() };
    let (recorded, _) =
        revocations::revoke(connection, proposal.issuer, &proposal.serial, &order).await?;
    Ok(recorded)
}

fn of_row(row: &AnyRow, now: UnixSeconds) -> Result<Pending, StorageError> {
    let expires_at = seconds(row, 7)?;
    let verdict = || {
        Ok::<_, StorageError>(Verdict {
            actor: row.try_get(10)?,
            at: seconds(row, 11)?,
            comment: row.try_get(12)?,
        })
    };
    let state = match row.try_get(9)? {
        WAITING if now >= expires_at => PendingState::Expired,
        WAITING => PendingState::Waiting,
        APPROVED => PendingState::Approved(verdict()?),
        REJECTED => PendingState::Rejected(verdict()?),
        _ => return Err(StorageError::Corrupt { what: "state" }),
    };
    let date: Option<i64> = row.try_get(4)?;
    let order = RevocationOrder {
        reason: rows::reason(row.try_get(3)?)?,
        compromised_since: date.map(UnixSeconds::new),
        now: seconds(row, 6)?,
        actor: row.try_get(5)?,
        people: People::One,
    };
    let proposal = Proposal {
        issuer: IssuerId(row.try_get(1)?),
        serial: row.try_get(2)?,
        order,
        comment: row.try_get(8)?,
        expires_at,
    };
    Ok(Pending { id: row.try_get(0)?, proposal, state })
}
