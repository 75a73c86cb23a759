//! Compromises that no order brings: those on record whose key was never taken, and those that the CRL of an
//! issuer says whose key is elsewhere.
//!
//! An earlier version revoked certificates for keyCompromise and not their keys, and so does a service with
//! `compromise_scope = "certificate"`. A CRL made elsewhere is the only authority on what its issuer revoked,
//! so its entries are no revocations here; those for keyCompromise are noted all the same, in a table of their
//! own, since a certificate that is registered later takes its key with it too.

use std::collections::HashMap;

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::{CompromiseReach, Place, take};
use crate::register::storage::{
    IssuerId, Revocation, Storage, StorageError, certificates, keys, revocations,
    rows::{self, seconds},
};

/// Where a compromise is on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompromiseSource {
    /// Among the revocations made here.
    Here,
    /// In a CRL made elsewhere.
    Elsewhere,
}

/// A certificate that is on record as compromised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compromise {
    /// Who issued it.
    pub issuer: IssuerId,
    /// Its serial number (content octets).
    pub serial: Vec<u8>,
    /// Since when its key may have been in other hands.
    pub since: UnixSeconds,
}

/// What compromises took with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeysTaken {
    /// SHA-256 of each `SubjectPublicKeyInfo`.
    pub keys: Vec<[u8; 32]>,
    /// How many certificates were revoked with them, or more strictly than before.
    pub certificate_count: usize,
    /// The revisions of the issuers that changed.
    pub revisions: Vec<(IssuerId, i64)>,
}

impl Storage {
    /// Compromised certificates whose key is proven and not revoked: behind `after`, at most `limit`, in the
    /// order of issuers and serial numbers. Goes by an index that has compromises alone. Nothing if a
    /// compromise takes nothing with it.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn compromises_to_follow(
        &self,
        source: CompromiseSource,
        after: Option<&Compromise>,
        limit: u32,
    ) -> Result<Vec<Compromise>, StorageError> {
        if *self.reach() == CompromiseReach::Certificate {
            return Ok(Vec::new());
        }
        // Nothing but our own words was put into it.
        let rows = sqlx::query(AssertSqlSafe(page(source)))
            .bind(after.map_or(i64::MIN, |after| after.issuer.0))
            .bind(after.map(|after| after.serial.clone()).unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(&mut *self.upkeep.acquire().await?)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Compromise {
                    issuer: IssuerId(row.try_get("issuer")?),
                    serial: row.try_get("serial")?,
                    since: seconds(row, "revocation_date")?,
                })
            })
            .collect()
    }

    /// Has each of those take its key, as an order for keyCompromise does, if it is still on record and its
    /// key still is not revoked: all of them or none. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn follow_compromises(
        &self,
        compromises: &[Compromise],
        now: UnixSeconds,
    ) -> Result<KeysTaken, StorageError> {
        let mut work = self.begin().await?;
        let mut taken = KeysTaken::default();
        for Compromise { issuer, serial, .. } in compromises {
            let place = (*issuer, &**serial);
            follow(&mut work, self.reach(), place, now, &mut taken).await?;
        }
        self.commit(work).await?;
        Ok(taken)
    }

    /// Those of `compromises`, which a CRL made elsewhere says, that are not noted, or from a later date on.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn compromises_to_note(
        &self,
        issuer: IssuerId,
        compromises: &[Compromise],
    ) -> Result<Vec<Compromise>, StorageError> {
        let places: Vec<_> =
            (2..compromises.len() + 2).map(|number| format!("${number}")).collect();
        let statement = format!(
            "SELECT serial, revocation_date FROM compromised_elsewhere \
             WHERE issuer = $1 AND serial IN ({})",
            places.join(", ")
        );
        // Nothing but placeholders was put into it.
        let mut query = sqlx::query(AssertSqlSafe(statement)).bind(issuer.0);
        for Compromise { serial, .. } in compromises {
            query = query.bind(serial.clone());
        }
        let rows = query.fetch_all(&mut *self.upkeep.acquire().await?).await?;
        let noted = rows
            .iter()
            .map(|row| Ok((row.try_get("serial")?, seconds(row, "revocation_date")?)))
            .collect::<Result<HashMap<Vec<u8>, UnixSeconds>, StorageError>>()?;
        let is_new =
            |each: &&Compromise| noted.get(&each.serial).is_none_or(|noted| each.since < *noted);
        Ok(compromises.iter().filter(is_new).cloned().collect())
    }

    /// Notes what a CRL made elsewhere says, and has each certificate that is registered take its key, as an
    /// order for keyCompromise does: all of them or none. Durable. `crl` says which one; it stands where
    /// orders have whoever gave them. What is noted already, from no later date on, changes nothing.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn note_compromises(
        &self,
        issuer: IssuerId,
        compromises: &[Compromise],
        crl: &str,
        now: UnixSeconds,
    ) -> Result<KeysTaken, StorageError> {
        let mut work = self.begin().await?;
        let mut taken = KeysTaken::default();
        for Compromise { serial, since, .. } in compromises {
            // A clock may have been ahead where the CRL was made.
            let compromise = Revocation {
                reason: RevocationReason::KeyCompromise,
                revocation_date: (*since).min(now),
                recorded_at: now,
                actor: crl.to_owned(),
            };
            let place = (issuer, &**serial);
            if note(&mut work, place, &compromise).await?
                && let Some(key) = proven_key(&mut work, self.reach(), place).await?
            {
                taken.add(&mut work, self.reach(), place, (key, &compromise), now).await?;
            }
        }
        self.commit(work).await?;
        Ok(taken)
    }
}

/// What reads a page of compromises: behind issuer `$1` and serial number `$2`, at most `$3` rows.
pub(in crate::register::storage) fn page(source: CompromiseSource) -> String {
    let rows = match source {
        CompromiseSource::Here => "revocations r JOIN certificates c",
        CompromiseSource::Elsewhere => "compromised_elsewhere r JOIN certificates c",
    };
    let reason = match source {
        CompromiseSource::Here => "r.reason = 1 AND",
        CompromiseSource::Elsewhere => "",
    };
    format!(
        "SELECT r.issuer, r.serial, r.revocation_date FROM {rows} \
         ON c.issuer = r.issuer AND c.serial = r.serial \
         WHERE {reason} (r.issuer, r.serial) > ($1, $2) \
         AND c.evidence = 0 AND c.spki_sha256 IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM revoked_keys k WHERE k.spki_sha256 = c.spki_sha256) \
         ORDER BY r.issuer, r.serial LIMIT $3"
    )
}

impl KeysTaken {
    async fn add(
        &mut self,
        connection: &mut AnyConnection,
        reach: &CompromiseReach,
        place: Place<'_>,
        (key, compromise): ([u8; 32], &Revocation),
        now: UnixSeconds,
    ) -> Result<(), StorageError> {
        let recorded = take(connection, reach, place, (key, compromise), now).await?;
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
        self.certificate_count += recorded.certificates.iter().filter(|each| each.changed).count();
        for (issuer, revision) in recorded.revisions {
            self.revisions.retain(|(known, _)| *known != issuer);
            self.revisions.push((issuer, revision));
        }
        Ok(())
    }
}

/// Has a compromised certificate take its key, if that is not revoked: from the earliest date on that a
/// compromise of that key is on record for.
async fn follow(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    place: Place<'_>,
    now: UnixSeconds,
    taken: &mut KeysTaken,
) -> Result<(), StorageError> {
    let Some(key) = proven_key(connection, reach, place).await? else { return Ok(()) };
    if keys::of(connection, key).await?.is_some() {
        return Ok(());
    }
    let mut causes = Vec::new();
    for certificate in keys::proven_with(connection, key).await? {
        let place = (certificate.issuer, &*certificate.serial);
        if let Some(compromise) = compromise_of(connection, place).await? {
            causes.push((certificate, compromise));
        }
    }
    let earliest = causes.iter().min_by_key(|(_, compromise)| compromise.revocation_date);
    let Some((certificate, compromise)) = earliest else { return Ok(()) };
    let place = (certificate.issuer, &*certificate.serial);
    taken.add(connection, reach, place, (key, compromise), now).await
}

/// The key of a certificate, if it is proven and a compromise takes it.
async fn proven_key(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    (issuer, serial): Place<'_>,
) -> Result<Option<[u8; 32]>, StorageError> {
    if *reach == CompromiseReach::Certificate {
        return Ok(None);
    }
    let certificate = certificates::certificate(connection, issuer, serial).await?;
    Ok(certificate.and_then(|certificate| certificate.proven_key()))
}

/// The compromise of a certificate that is on record: made here, or said by a CRL made elsewhere.
async fn compromise_of(
    connection: &mut AnyConnection,
    place: Place<'_>,
) -> Result<Option<Revocation>, StorageError> {
    let here = revocations::stored(connection, place.0, place.1).await?;
    match here.filter(|here| here.reason == RevocationReason::KeyCompromise) {
        Some(here) => Ok(Some(here)),
        None => elsewhere(connection, place).await,
    }
}

/// What a CRL made elsewhere says of a certificate's compromise.
pub(in crate::register::storage) async fn elsewhere(
    connection: &mut AnyConnection,
    (issuer, serial): Place<'_>,
) -> Result<Option<Revocation>, StorageError> {
    let row = sqlx::query(
        "SELECT e.revocation_date, e.recorded_at, a.name AS actor \
         FROM compromised_elsewhere e JOIN actors a ON a.id = e.actor \
         WHERE e.issuer = $1 AND e.serial = $2",
    )
    .bind(issuer.0)
    .bind(serial)
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Revocation {
            reason: RevocationReason::KeyCompromise,
            revocation_date: seconds(&row, "revocation_date")?,
            recorded_at: seconds(&row, "recorded_at")?,
            actor: row.try_get("actor")?,
        })
    })
    .transpose()
}

/// Whether CRLs made elsewhere said anything of certificates of that issuer.
pub(in crate::register::storage) async fn has_elsewhere(
    connection: &mut AnyConnection,
    issuer: IssuerId,
) -> Result<bool, StorageError> {
    let row = sqlx::query("SELECT issuer FROM compromised_elsewhere WHERE issuer = $1 LIMIT 1")
        .bind(issuer.0)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Notes a compromise; says whether it is new, or from an earlier date on.
async fn note(
    connection: &mut AnyConnection,
    (issuer, serial): Place<'_>,
    compromise: &Revocation,
) -> Result<bool, StorageError> {
    let actor = rows::actor(connection, &compromise.actor).await?;
    let noted = sqlx::query(
        "INSERT INTO compromised_elsewhere (issuer, serial, revocation_date, recorded_at, actor) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer, serial) DO UPDATE SET \
         revocation_date = excluded.revocation_date, recorded_at = excluded.recorded_at, \
         actor = excluded.actor \
         WHERE excluded.revocation_date < compromised_elsewhere.revocation_date",
    )
    .bind(issuer.0)
    .bind(serial)
    .bind(compromise.revocation_date.seconds())
    .bind(compromise.recorded_at.seconds())
    .bind(actor)
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}
