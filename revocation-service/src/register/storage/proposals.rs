//! Statements about orders that wait for a second person.

use countersign_core::time::UnixSeconds;
use countersign_daemon::admin::{
    Person,
    proposal::{
        Decision, MAX_WAITING, PendingError, PendingState, Proposed, Step, Verdict, add_comment,
    },
};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

use super::{
    CompromiseReach, IssuerId, Pending, Proposal, Recorded, Storage, StorageError,
    revocations::{self, OUTDATED},
    rows::{self, seconds, unsigned},
};
use crate::register::rules::{People, RevocationOrder};

const WAITING: i64 = 0;
const APPROVED: i64 = 1;
const REJECTED: i64 = 2;
const WITHDRAWN: i64 = 3;

/// What [`of_row`] reads.
const COLUMNS: &str = "SELECT id, issuer, serial, reason, revocation_date, actor, identities, proposed_at, \
     expires_at, comment, state, decided_by, decided_by_identities, decided_at, decision_comment, \
     was_reason, was_date, was_recorded_at, was_actor, proposer FROM proposals";

/// The columns of the revocation that a proposal is to change.
const WAS: [&str; 4] = ["was_reason", "was_date", "was_recorded_at", "was_actor"];

/// What waits at the time `$1`.
const WAITS: &str = "state = 0 AND expires_at > $1";

/// What a proposal is about, and what it is to change, in words.
const ABOUT: &str = "certificate";
const CHANGES: &str = "revocation";

impl Storage {
    /// Keeps an order for a second person. Durable. One proposal a certificate waits at a time: the same
    /// order of the same person adds a comment that is new to it, anything else is refused.
    ///
    /// # Errors
    /// [`StorageError::NotRegistered`]; [`StorageError::Refused`] where two people may not either;
    /// [`StorageError::Pending`]: the revocation is not `was` any more, another proposal waits, too
    /// many of the same person do, or the comments together are too long.
    pub async fn propose(&self, proposal: &Proposal) -> Result<Pending, StorageError> {
        let mut work = self.begin().await?;
        let pending = propose(&mut work, proposal).await?;
        work.commit().await?;
        Ok(pending)
    }

    /// The proposals: all that wait, then at most `limit` others; the newest first in both.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn proposals(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<Pending>, StorageError> {
        list(&mut *self.read(&self.readers).await?, now, limit).await
    }

    /// One proposal.
    ///
    /// # Errors
    /// [`StorageError::Pending`]: not there; [`StorageError::Database`].
    pub async fn proposal(&self, id: i64, now: UnixSeconds) -> Result<Pending, StorageError> {
        of_id(&mut *self.read(&self.readers).await?, id, now).await
    }

    /// How many proposals wait.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn pending_count(&self, now: UnixSeconds) -> Result<u64, StorageError> {
        let statement = format!("SELECT count(*) AS waiting FROM proposals WHERE {WAITS}");
        // Nothing but our own words was put into it.
        let row = sqlx::query(AssertSqlSafe(statement))
            .bind(now.seconds())
            .fetch_one(&mut *self.readers.acquire().await?)
            .await?;
        unsigned(row.try_get("waiting")?)
    }

    /// Approves a proposal and carries it out, or turns it down. Durable. `shown` is its
    /// [`Pending::sha256`]. Who decides again as before is given what they decided.
    ///
    /// # Errors
    /// [`StorageError::Pending`]: not there, not as shown, expired, void, proposed by the same
    /// person, or decided otherwise or by somebody else; [`StorageError::Refused`].
    pub async fn decide(
        &self,
        id: i64,
        decision: Decision,
        shown: [u8; 32],
        verdict: &Verdict,
    ) -> Result<(Pending, Option<Recorded>), StorageError> {
        let mut work = self.begin().await?;
        let decided = decide(&mut work, self.reach(), (id, shown), (decision, verdict)).await?;
        self.commit(work).await?;
        Ok(decided)
    }

    /// Takes a proposal back. Durable. Doing so again gives what was done.
    ///
    /// # Errors
    /// [`StorageError::Pending`]: not there, expired, void, decided, or another person's.
    pub async fn withdraw(&self, id: i64, verdict: &Verdict) -> Result<Pending, StorageError> {
        let mut work = self.begin().await?;
        let withdrawn = withdraw(&mut work, id, verdict).await?;
        work.commit().await?;
        Ok(withdrawn)
    }
}

pub(super) async fn propose(
    connection: &mut AnyConnection,
    proposal: &Proposal,
) -> Result<Pending, StorageError> {
    let order = &proposal.order;
    // What two people may not do either is refused now, not when the second one comes.
    let approved = RevocationOrder { people: People::Two, ..order.clone() };
    revocations::decide(connection, proposal.issuer, &proposal.serial, &approved).await?;
    let now = revocations::stored(connection, proposal.issuer, &proposal.serial).await?;
    if now != proposal.was {
        return Err(PendingError::Outdated { changes: CHANGES }.into());
    }
    if let Some(known) = waiting(connection, proposal).await? {
        return repeat(connection, known, proposal).await;
    }
    refuse_too_many(connection, order).await?;
    let was = proposal.was.as_ref();
    let row = sqlx::query(
        "INSERT INTO proposals \
         (issuer, serial, reason, revocation_date, actor, proposed_at, expires_at, comment, \
         was_reason, was_date, was_recorded_at, was_actor, identities, proposer) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id",
    )
    .bind(proposal.issuer.0)
    .bind(&proposal.serial)
    .bind(i64::from(order.reason.code()))
    .bind(order.compromised_since.map(UnixSeconds::seconds))
    .bind(&order.actor)
    .bind(order.now.seconds())
    .bind(proposal.expires_at.seconds())
    .bind(&proposal.comment)
    .bind(was.map(|was| i64::from(was.reason.code())))
    .bind(was.map(|was| was.revocation_date.seconds()))
    .bind(was.map(|was| was.recorded_at.seconds()))
    .bind(was.map(|was| was.actor.clone()))
    .bind(identities_text(&proposal.by))
    .bind(proposal.proposer.clone())
    .fetch_one(connection)
    .await?;
    Ok(Pending { id: row.try_get("id")?, proposal: proposal.clone(), state: PendingState::Waiting })
}

/// The proposal for that certificate that waits.
async fn waiting(
    connection: &mut AnyConnection,
    proposal: &Proposal,
) -> Result<Option<Pending>, StorageError> {
    let statement =
        format!("{COLUMNS} WHERE issuer = $1 AND serial = $2 AND state = 0 AND expires_at > $3");
    // Nothing but our own words was put into it.
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(proposal.issuer.0)
        .bind(&proposal.serial)
        .bind(proposal.order.now.seconds())
        .fetch_optional(connection)
        .await?;
    row.map(|row| of_row(&row, proposal.order.now)).transpose()
}

async fn refuse_too_many(
    connection: &mut AnyConnection,
    order: &RevocationOrder,
) -> Result<(), StorageError> {
    let statement =
        format!("SELECT count(*) AS waiting FROM proposals WHERE {WAITS} AND actor = $2");
    // Nothing but our own words was put into it.
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(order.now.seconds())
        .bind(&order.actor)
        .fetch_one(connection)
        .await?;
    if row.try_get::<i64, _>("waiting")? < MAX_WAITING {
        return Ok(());
    }
    Err(PendingError::TooManyWait.into())
}

/// The same order of the same person once more: what they say besides is added.
async fn repeat(
    connection: &mut AnyConnection,
    mut known: Pending,
    proposal: &Proposal,
) -> Result<Pending, StorageError> {
    let (before, order) = (&known.proposal.order, &proposal.order);
    let is_same =
        (before.reason, before.compromised_since) == (order.reason, order.compromised_since);
    if !is_same || !known.proposal.by.is(&proposal.by) {
        return Err(PendingError::AnotherWaits { id: known.id, about: ABOUT }.into());
    }
    let Some(together) = add_comment(&known.proposal.comment, &proposal.comment)? else {
        return Ok(known);
    };
    known.proposal.comment = together;
    sqlx::query("UPDATE proposals SET comment = $2 WHERE id = $1")
        .bind(known.id)
        .bind(&known.proposal.comment)
        .execute(connection)
        .await?;
    Ok(known)
}

pub(super) async fn list(
    connection: &mut AnyConnection,
    now: UnixSeconds,
    limit: u32,
) -> Result<Vec<Pending>, StorageError> {
    // What waits is never behind what is decided: anybody could put a thousand withdrawn ones there.
    let waiting = format!("{COLUMNS} WHERE {WAITS} ORDER BY id DESC");
    let others = format!("{COLUMNS} WHERE NOT ({WAITS}) ORDER BY id DESC LIMIT $2");
    // Nothing but our own words was put into them.
    let waiting = sqlx::query(AssertSqlSafe(waiting)).bind(now.seconds());
    let mut rows = waiting.fetch_all(&mut *connection).await?;
    let others = sqlx::query(AssertSqlSafe(others)).bind(now.seconds()).bind(i64::from(limit));
    rows.extend(others.fetch_all(connection).await?);
    rows.iter().map(|row| of_row(row, now)).collect()
}

pub(super) async fn decide(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    (id, shown): (i64, [u8; 32]),
    (decision, verdict): (Decision, &Verdict),
) -> Result<(Pending, Option<Recorded>), StorageError> {
    let pending = of_id(connection, id, verdict.at).await?;
    if pending.sha256() != shown {
        return Err(PendingError::NotAsShown.into());
    }
    if proposed(&pending).decide(decision, &verdict.actor)? == Step::Before {
        return Ok((pending, None));
    }
    let (state, code, recorded) = match decision {
        Decision::Approve => {
            let recorded = carry_out(connection, reach, &pending.proposal, verdict).await?;
            (PendingState::Approved(verdict.clone()), APPROVED, Some(recorded))
        }
        Decision::Reject => (PendingState::Rejected(verdict.clone()), REJECTED, None),
    };
    close(connection, id, code, verdict).await?;
    Ok((Pending { state, ..pending }, recorded))
}

pub(super) async fn withdraw(
    connection: &mut AnyConnection,
    id: i64,
    verdict: &Verdict,
) -> Result<Pending, StorageError> {
    let pending = of_id(connection, id, verdict.at).await?;
    if proposed(&pending).withdraw(&verdict.actor)? == Step::Before {
        return Ok(pending);
    }
    close(connection, id, WITHDRAWN, verdict).await?;
    Ok(Pending { state: PendingState::Withdrawn(verdict.clone()), ..pending })
}

async fn of_id(
    connection: &mut AnyConnection,
    id: i64,
    now: UnixSeconds,
) -> Result<Pending, StorageError> {
    let statement = format!("{COLUMNS} WHERE id = $1");
    // Nothing but our own words was put into it.
    let row = sqlx::query(AssertSqlSafe(statement)).bind(id).fetch_optional(connection).await?;
    of_row(&row.ok_or(PendingError::Unknown)?, now)
}

fn proposed(pending: &Pending) -> Proposed<'_> {
    Proposed { by: &pending.proposal.by, changes: CHANGES, state: &pending.state }
}

async fn close(
    connection: &mut AnyConnection,
    id: i64,
    state: i64,
    verdict: &Verdict,
) -> Result<(), StorageError> {
    sqlx::query(
        "UPDATE proposals SET state = $2, decided_by = $3, decided_at = $4, decision_comment = $5, \
         decided_by_identities = $6 WHERE id = $1",
    )
    .bind(id)
    .bind(state)
    .bind(verdict.actor.name())
    .bind(verdict.at.seconds())
    .bind(&verdict.comment)
    .bind(identities_text(&verdict.actor))
    .execute(connection)
    .await?;
    Ok(())
}

async fn carry_out(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    proposal: &Proposal,
    verdict: &Verdict,
) -> Result<Recorded, StorageError> {
    let (issuer, serial) = (proposal.issuer, &proposal.serial);
    // Every change made here voids what waits; a database that something else wrote to is looked at.
    if revocations::stored(connection, issuer, serial).await? != proposal.was {
        return Err(PendingError::Outdated { changes: CHANGES }.into());
    }
    let order = RevocationOrder { now: verdict.at, people: People::Two, ..proposal.order.clone() };
    let (recorded, _) = revocations::revoke(connection, reach, (issuer, serial), &order).await?;
    Ok(recorded)
}

fn of_row(row: &AnyRow, now: UnixSeconds) -> Result<Pending, StorageError> {
    let expires_at = seconds(row, "expires_at")?;
    let verdict = || {
        Ok::<_, StorageError>(Verdict {
            actor: person(row, ["decided_by", "decided_by_identities"])?,
            at: seconds(row, "decided_at")?,
            comment: row.try_get("decision_comment")?,
        })
    };
    let state = match row.try_get("state")? {
        WAITING if now >= expires_at => PendingState::Expired,
        WAITING => PendingState::Waiting,
        APPROVED => PendingState::Approved(verdict()?),
        REJECTED => PendingState::Rejected(verdict()?),
        WITHDRAWN => PendingState::Withdrawn(verdict()?),
        OUTDATED => PendingState::Outdated,
        _ => return Err(StorageError::Corrupt { what: "state" }),
    };
    let date: Option<i64> = row.try_get("revocation_date")?;
    let order = RevocationOrder {
        reason: rows::reason(row.try_get("reason")?)?,
        compromised_since: date.map(UnixSeconds::new),
        now: seconds(row, "proposed_at")?,
        actor: row.try_get("actor")?,
        people: People::One,
    };
    let proposal = Proposal {
        issuer: IssuerId(row.try_get("issuer")?),
        serial: row.try_get("serial")?,
        order,
        by: person(row, ["actor", "identities"])?,
        was: rows::revocation_in(row, WAS)?,
        comment: row.try_get("comment")?,
        proposer: row.try_get("proposer")?,
        expires_at,
    };
    Ok(Pending { id: row.try_get("id")?, proposal, state })
}

/// The person in columns of these names; proposals of earlier versions have no identities.
fn person(row: &AnyRow, [name, identities]: [&str; 2]) -> Result<Person, StorageError> {
    let identities: Option<String> = row.try_get(identities)?;
    let identities: Vec<String> = match identities {
        Some(text) => serde_json::from_str(&text)
            .map_err(|_| StorageError::Corrupt { what: "the identities of a person" })?,
        None => Vec::new(),
    };
    Ok(Person::new(row.try_get::<String, _>(name)?, identities))
}

fn identities_text(person: &Person) -> String {
    serde_json::json!(person.identities().collect::<Vec<_>>()).to_string()
}
