//! Statements about public keys: which certificates have one, and which keys are never good again.

use std::collections::HashMap;

use countersign_core::{time::UnixSeconds, x509::certificate::serial_text};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

use super::{
    CertificateRecord, IssuerId, KeyRecorded, OfKey, Revocation, RevokedKey, Storage, StorageError,
    revocations,
    rows::{self, digest, evidence, seconds},
};
use crate::register::rules::{self, Change, People, RevocationOrder};

impl Storage {
    /// Revokes every certificate with that key (SHA-256 of the `SubjectPublicKeyInfo`) that one of
    /// `issuers` issued, by [`crate::register::rules::decide_for_key`], and remembers the key: whoever
    /// registers it later has it revoked. Durable. `named` is the certificate (issuer, serial number)
    /// that the order named, whose key this was when it was looked up.
    ///
    /// # Errors
    /// [`StorageError::Refused`]; [`StorageError::KeyChanged`]: `named` has another key by now.
    pub async fn revoke_key(
        &self,
        spki_sha256: [u8; 32],
        order: &RevocationOrder,
        issuers: &[IssuerId],
        named: Option<(IssuerId, &[u8])>,
    ) -> Result<KeyRecorded, StorageError> {
        let mut work = self.begin().await?;
        let recorded = revoke(&mut work, spki_sha256, order, issuers).await?;
        // Before anything is committed.
        refuse_changed_key(named, &recorded.certificates)?;
        self.commit(work).await?;
        Ok(recorded)
    }

    /// The certificates with that key, and their state.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn certificates_of_key(
        &self,
        spki_sha256: [u8; 32],
    ) -> Result<Vec<OfKey>, StorageError> {
        let found = with_key(&mut *self.readers.acquire().await?, spki_sha256).await?;
        Ok(found.into_iter().map(|(certificate, _)| certificate).collect())
    }

    /// The order against that key (SHA-256 of the `SubjectPublicKeyInfo`), if there ever was one.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn revoked_key(
        &self,
        spki_sha256: [u8; 32],
    ) -> Result<Option<Revocation>, StorageError> {
        of(&mut *self.readers.acquire().await?, spki_sha256).await
    }

    /// The keys that were revoked, in the order of their digests: those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn revoked_keys(
        &self,
        after: Option<[u8; 32]>,
        limit: u32,
    ) -> Result<Vec<RevokedKey>, StorageError> {
        let rows = sqlx::query(
            "SELECT k.reason, k.revocation_date, k.recorded_at, a.name AS actor, k.spki_sha256 \
             FROM revoked_keys k JOIN actors a ON a.id = k.actor \
             WHERE k.spki_sha256 > $1 ORDER BY k.spki_sha256 LIMIT $2",
        )
        .bind(after.map(|digest| digest.to_vec()).unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.readers.acquire().await?)
        .await?;
        rows.iter().map(of_row).collect()
    }
}

/// Refuses an order whose certificate is not among those with the key.
fn refuse_changed_key(
    named: Option<(IssuerId, &[u8])>,
    certificates: &[OfKey],
) -> Result<(), StorageError> {
    match named {
        Some((issuer, serial))
            if !certificates.iter().any(|each| each.issuer == issuer && each.serial == serial) =>
        {
            Err(StorageError::KeyChanged { serial: serial_text(serial) })
        }
        _ => Ok(()),
    }
}

pub(super) async fn revoke(
    connection: &mut AnyConnection,
    spki_sha256: [u8; 32],
    order: &RevocationOrder,
    issuers: &[IssuerId],
) -> Result<KeyRecorded, StorageError> {
    rules::refuse_key_order(order)?;
    let against_key = Revocation {
        reason: order.reason,
        revocation_date: order.compromised_since.unwrap_or(order.now),
        recorded_at: order.now,
        actor: order.actor.clone(),
    };
    keep(connection, &RevokedKey { spki_sha256, revocation: against_key }).await?;
    let is_ours = |each: &OfKey| issuers.contains(&each.issuer);
    take_certificates(connection, spki_sha256, order, is_ours).await
}

/// Takes over a key that another system revoked, and revokes its certificates as an order does: whoever
/// reads that a key is revoked takes it that nothing with it is good.
pub(crate) async fn import(
    connection: &mut AnyConnection,
    key: &RevokedKey,
    issuers: &[IssuerId],
    now: UnixSeconds,
) -> Result<KeyRecorded, StorageError> {
    let order = |of: Revocation| RevocationOrder {
        reason: of.reason,
        compromised_since: Some(of.revocation_date),
        now,
        actor: of.actor,
        people: People::One,
    };
    rules::refuse_key_order(&order(key.revocation.clone()))?;
    let on_record = keep(connection, key).await?;
    let is_ours = |each: &OfKey| issuers.contains(&each.issuer);
    take_certificates(connection, key.spki_sha256, &order(on_record), is_ours).await
}

/// Revokes every certificate with that key that is to be taken.
pub(super) async fn take_certificates(
    connection: &mut AnyConnection,
    spki_sha256: [u8; 32],
    order: &RevocationOrder,
    is_taken: impl Fn(&OfKey) -> bool,
) -> Result<KeyRecorded, StorageError> {
    let mut recorded = KeyRecorded { certificates: Vec::new(), revisions: Vec::new() };
    for (mut certificate, not_before) in with_key(connection, spki_sha256).await? {
        if is_taken(&certificate) {
            let stored = certificate.revocation.as_ref();
            let change = rules::decide_for_key(not_before, stored, order);
            if let Change::Write(revocation) = change {
                let (issuer, serial) = (certificate.issuer, &certificate.serial);
                let revision = revocations::write(connection, issuer, serial, &revocation).await?;
                recorded.revisions.retain(|(known, _)| *known != issuer);
                recorded.revisions.push((issuer, revision));
                certificate.revocation = Some(revocation);
                certificate.changed = true;
            }
        }
        recorded.certificates.push(certificate);
    }
    Ok(recorded)
}

/// The certificates with that key, each with its notBefore if that is proven.
async fn with_key(
    connection: &mut AnyConnection,
    spki_sha256: [u8; 32],
) -> Result<Vec<(OfKey, Option<UnixSeconds>)>, StorageError> {
    let rows = sqlx::query(
        "SELECT c.issuer, c.serial, c.not_before, c.evidence, r.reason, r.revocation_date, r.recorded_at, \
         a.name AS actor FROM certificates c \
         LEFT JOIN revocations r ON r.issuer = c.issuer AND r.serial = c.serial \
         LEFT JOIN actors a ON a.id = r.actor \
         WHERE c.spki_sha256 IS NOT NULL AND substr(c.spki_sha256, 1, 8) = $1 \
         AND c.spki_sha256 = $2 ORDER BY c.issuer, c.serial",
    )
    .bind(&spki_sha256[..8])
    .bind(&spki_sha256[..])
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let certificate = OfKey {
                issuer: IssuerId(row.try_get("issuer")?),
                serial: row.try_get("serial")?,
                revocation: rows::revocation(row)?,
                changed: false,
            };
            Ok((certificate, evidence(row)?.proves(seconds(row, "not_before")?)))
        })
        .collect()
}

/// The certificates themselves, not an import's word for them, with that key.
pub(super) async fn proven_with(
    connection: &mut AnyConnection,
    spki_sha256: [u8; 32],
) -> Result<Vec<OfKey>, StorageError> {
    let found = with_key(connection, spki_sha256).await?;
    let proven = found.into_iter().filter(|(_, not_before)| not_before.is_some());
    Ok(proven.map(|(certificate, _)| certificate).collect())
}

/// Keeps a key; where it is on record, the stricter of the two. Gives what is on record now.
pub(super) async fn keep(
    connection: &mut AnyConnection,
    key: &RevokedKey,
) -> Result<Revocation, StorageError> {
    let stored = of(connection, key.spki_sha256).await?;
    let revocation = match rules::stricter(stored.as_ref(), key.revocation.clone()) {
        Change::Write(revocation) => revocation,
        Change::Release(stands) | Change::None(stands) => return Ok(stands),
    };
    let actor = rows::actor(connection, &revocation.actor).await?;
    sqlx::query(
        "INSERT INTO revoked_keys (spki_sha256, reason, revocation_date, recorded_at, actor) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (spki_sha256) DO UPDATE SET \
         reason = excluded.reason, revocation_date = excluded.revocation_date, \
         recorded_at = excluded.recorded_at, actor = excluded.actor",
    )
    .bind(&key.spki_sha256[..])
    .bind(i64::from(revocation.reason.code()))
    .bind(revocation.revocation_date.seconds())
    .bind(revocation.recorded_at.seconds())
    .bind(actor)
    .execute(connection)
    .await?;
    Ok(revocation)
}

pub(super) async fn of(
    connection: &mut AnyConnection,
    spki_sha256: [u8; 32],
) -> Result<Option<Revocation>, StorageError> {
    let row = sqlx::query(
        "SELECT k.reason, k.revocation_date, k.recorded_at, a.name AS actor FROM revoked_keys k \
         JOIN actors a ON a.id = k.actor WHERE k.spki_sha256 = $1",
    )
    .bind(&spki_sha256[..])
    .fetch_optional(connection)
    .await?;
    Ok(row.as_ref().map(rows::revocation).transpose()?.flatten())
}

/// The keys of `certificates` that are on record.
pub(super) async fn revoked_among(
    connection: &mut AnyConnection,
    certificates: &[CertificateRecord],
) -> Result<HashMap<[u8; 32], Revocation>, StorageError> {
    let mut keys: Vec<&[u8; 32]> = certificates
        .iter()
        .filter_map(|certificate| Some(&certificate.digests.as_ref()?.spki_sha256))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = format!(
        "SELECT k.reason, k.revocation_date, k.recorded_at, a.name AS actor, k.spki_sha256 \
         FROM revoked_keys k JOIN actors a ON a.id = k.actor WHERE k.spki_sha256 IN {}",
        rows::placeholders(1, keys.len())
    );
    // Nothing but placeholders was put into it.
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for key in keys {
        query = query.bind(key.to_vec());
    }
    let rows = query.fetch_all(connection).await?;
    let known = rows.iter().map(of_row).collect::<Result<Vec<_>, _>>()?;
    Ok(known.into_iter().map(|key| (key.spki_sha256, key.revocation)).collect())
}

fn of_row(row: &AnyRow) -> Result<RevokedKey, StorageError> {
    let revocation = rows::revocation(row)?.ok_or(StorageError::Corrupt { what: "reason" })?;
    let key: Vec<u8> = row.try_get("spki_sha256")?;
    Ok(RevokedKey { spki_sha256: digest(&key)?, revocation })
}
