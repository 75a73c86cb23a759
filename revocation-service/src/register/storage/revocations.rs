//! Statements about revocations. Each change is a new revision of its issuer, and its row says which.

use countersign_core::{crl::RevocationReason, time::UnixSeconds, x509::certificate::serial_text};
use sqlx::{AnyConnection, Row};

use super::{
    CertificateRecord, CompromiseReach, IssuerId, Recorded, Revocation, RevocationChanges,
    RevocationList, Storage, StorageError,
    compromises::{self, Place, Written},
    rows::{self, seconds},
};
use crate::register::rules::{self, Change, RevocationOrder};

/// The state of a proposal whose revocation was changed by something else.
pub(super) const OUTDATED: i64 = 4;

impl Storage {
    /// Revokes, or changes a revocation as [`crate::register::rules::decide`] allows. Durable. An order that
    /// changes nothing writes nothing.
    ///
    /// # Errors
    /// [`StorageError::NotRegistered`], [`StorageError::Refused`].
    pub async fn revoke(
        &self,
        issuer: IssuerId,
        serial: &[u8],
        order: &RevocationOrder,
    ) -> Result<Recorded, StorageError> {
        let mut work = self.begin().await?;
        let place = (issuer, serial);
        let (recorded, written) = revoke(&mut work, self.reach(), place, order).await?;
        if written {
            self.commit(work).await?;
        }
        Ok(recorded)
    }

    /// Moves every revocation date of an issuer that is after `now`, recorded while the clock was ahead,
    /// to `now`: a date that is published is not to move with every list. Durable. Writes nothing where
    /// there is none.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn settle_dates(
        &self,
        issuer: IssuerId,
        now: UnixSeconds,
    ) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        if settle(&mut work, issuer, now).await? {
            self.commit(work).await?;
        }
        Ok(())
    }

    /// Everything that is revoked under one issuer, read at one moment.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn revocations(&self, issuer: IssuerId) -> Result<RevocationList, StorageError> {
        all(&mut *self.read(&self.upkeep).await?, issuer).await
    }

    /// What changed among an issuer's revocations since `revision`, read at one moment: for deltas.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn changes_since(
        &self,
        issuer: IssuerId,
        revision: i64,
    ) -> Result<RevocationChanges, StorageError> {
        since(&mut *self.read(&self.upkeep).await?, issuer, revision).await
    }

    /// The issuer's revision: that of the latest change to its revocations.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn revision(&self, issuer: IssuerId) -> Result<i64, StorageError> {
        revision(&mut *self.upkeep.acquire().await?, issuer).await
    }

    /// The same for somebody who looks: they take no connection that CRLs are made with.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn revision_to_show(&self, issuer: IssuerId) -> Result<i64, StorageError> {
        revision(&mut *self.readers.acquire().await?, issuer).await
    }
}

/// Carries out an order; says whether that wrote anything.
pub(super) async fn revoke(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    place: Place<'_>,
    order: &RevocationOrder,
) -> Result<(Recorded, bool), StorageError> {
    match decide(connection, place.0, place.1, order).await? {
        Change::None(revocation) => {
            let others =
                compromises::catch_up(connection, reach, place, &revocation, order.now).await?;
            let is_written = others.is_some();
            let (revision, others) =
                (revision(connection, place.0).await?, others.unwrap_or_default());
            Ok((Recorded { revocation, revision, others }, is_written))
        }
        Change::Write(revocation) | Change::Release(revocation) => {
            let Written { revision, others } =
                compromises::write(connection, reach, place, &revocation, order.now).await?;
            Ok((Recorded { revocation, revision, others }, true))
        }
    }
}

/// What an order would do.
pub(super) async fn decide(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    serial: &[u8],
    order: &RevocationOrder,
) -> Result<Change, StorageError> {
    let row = sqlx::query(
        "SELECT c.not_before, c.evidence, r.reason, r.revocation_date, r.recorded_at, a.name AS actor \
         FROM certificates c \
         LEFT JOIN revocations r ON r.issuer = c.issuer AND r.serial = c.serial \
         LEFT JOIN actors a ON a.id = r.actor WHERE c.issuer = $1 AND c.serial = $2",
    )
    .bind(issuer.0)
    .bind(serial)
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| StorageError::NotRegistered { serial: serial_text(serial) })?;
    let not_before = rows::evidence(&row)?.proves(seconds(&row, "not_before")?);
    Ok(rules::decide(not_before, rows::revocation(&row)?.as_ref(), order)?)
}

/// Writes the row and gives the issuer's new revision. What waits for a second person was proposed for
/// what stood there before, and is void. What follows for its key is [`compromises::write`]'s.
pub(super) async fn write(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    serial: &[u8],
    revocation: &Revocation,
) -> Result<i64, StorageError> {
    let actor = rows::actor(connection, &revocation.actor).await?;
    let row =
        sqlx::query("UPDATE issuers SET revision = revision + 1 WHERE id = $1 RETURNING revision")
            .bind(issuer.0)
            .fetch_one(&mut *connection)
            .await?;
    let revision: i64 = row.try_get("revision")?;
    outdate_proposals(connection, issuer, serial).await?;
    sqlx::query(
        "INSERT INTO revocations (issuer, serial, reason, revocation_date, recorded_at, actor, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (issuer, serial) DO UPDATE SET \
         reason = excluded.reason, revocation_date = excluded.revocation_date, \
         recorded_at = excluded.recorded_at, actor = excluded.actor, revision = excluded.revision",
    )
    .bind(issuer.0)
    .bind(serial)
    .bind(i64::from(revocation.reason.code()))
    .bind(revocation.revocation_date.seconds())
    .bind(revocation.recorded_at.seconds())
    .bind(actor)
    .bind(revision)
    .execute(connection)
    .await?;
    Ok(revision)
}

/// The revocation of that certificate changes: what waits was proposed for another state of it.
async fn outdate_proposals(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    serial: &[u8],
) -> Result<(), StorageError> {
    sqlx::query("UPDATE proposals SET state = $3 WHERE issuer = $1 AND serial = $2 AND state = 0")
        .bind(issuer.0)
        .bind(serial)
        .bind(OUTDATED)
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves every date after `now` to `now`; says whether there was one.
pub(super) async fn settle(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    now: UnixSeconds,
) -> Result<bool, StorageError> {
    let rows = sqlx::query(
        "SELECT r.reason, r.revocation_date, r.recorded_at, a.name AS actor, r.serial FROM revocations r \
         JOIN actors a ON a.id = r.actor WHERE r.issuer = $1 AND r.revocation_date > $2 \
         ORDER BY r.serial",
    )
    .bind(issuer.0)
    .bind(now.seconds())
    .fetch_all(&mut *connection)
    .await?;
    let mut is_changed = false;
    for row in &rows {
        let Some(recorded) = rows::revocation(row)? else { continue };
        let serial: Vec<u8> = row.try_get("serial")?;
        tracing::warn!(
            serial = serial_text(&serial),
            recorded = %recorded.revocation_date,
            "a revocation is dated in the future, from a clock that was ahead; it dates from now on"
        );
        let settled = Revocation { revocation_date: now, ..recorded };
        write(connection, issuer, &serial, &settled).await?;
        is_changed = true;
    }
    Ok(is_changed)
}

/// Revokes a certificate that is being registered, by an order against its key on record.
pub(super) async fn of_known_key(
    connection: &mut AnyConnection,
    certificate: &CertificateRecord,
    key: &Revocation,
) -> Result<(), StorageError> {
    let order = RevocationOrder {
        reason: key.reason,
        compromised_since: Some(key.revocation_date),
        now: certificate.registered_at,
        actor: key.actor.clone(),
        people: rules::People::One,
    };
    let stored = stored(connection, certificate.issuer, &certificate.serial).await?;
    match rules::decide_for_key(certificate.proven_not_before(), stored.as_ref(), &order) {
        Change::Write(revocation) | Change::Release(revocation) => {
            write(connection, certificate.issuer, &certificate.serial, &revocation).await?;
        }
        Change::None(_) => {}
    }
    Ok(())
}

pub(crate) async fn stored(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    serial: &[u8],
) -> Result<Option<Revocation>, StorageError> {
    let row = sqlx::query(
        "SELECT r.reason, r.revocation_date, r.recorded_at, a.name AS actor FROM revocations r \
         JOIN actors a ON a.id = r.actor WHERE r.issuer = $1 AND r.serial = $2",
    )
    .bind(issuer.0)
    .bind(serial)
    .fetch_optional(connection)
    .await?;
    Ok(row.as_ref().map(rows::revocation).transpose()?.flatten())
}

pub(super) async fn all(
    connection: &mut AnyConnection,
    issuer: IssuerId,
) -> Result<RevocationList, StorageError> {
    let RevocationChanges { revision, entries } = since(connection, issuer, 0).await?;
    let entries =
        entries.into_iter().filter_map(|(serial, now)| now.map(|now| (serial, now))).collect();
    Ok(RevocationList { revision, entries })
}

/// The transaction reads at one moment: the revision belongs to exactly these entries.
pub(super) async fn since(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    since: i64,
) -> Result<RevocationChanges, StorageError> {
    let revision = revision(connection, issuer).await?;
    let rows = sqlx::query(
        "SELECT r.reason, r.revocation_date, r.recorded_at, a.name AS actor, r.serial FROM revocations r \
         JOIN actors a ON a.id = r.actor WHERE r.issuer = $1 AND r.revision > $2 ORDER BY r.serial",
    )
    .bind(issuer.0)
    .bind(since)
    .fetch_all(connection)
    .await?;
    let entries = rows
        .iter()
        .map(|row| {
            let recorded = rows::recorded(row)?.ok_or(StorageError::Corrupt { what: "reason" })?;
            let is_lifted = recorded.reason == RevocationReason::RemoveFromCrl;
            Ok((row.try_get("serial")?, (!is_lifted).then_some(recorded)))
        })
        .collect::<Result<_, StorageError>>()?;
    Ok(RevocationChanges { revision, entries })
}

pub(crate) async fn revision(
    connection: &mut AnyConnection,
    issuer: IssuerId,
) -> Result<i64, StorageError> {
    let row = sqlx::query("SELECT revision FROM issuers WHERE id = $1")
        .bind(issuer.0)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get("revision")?)
}
