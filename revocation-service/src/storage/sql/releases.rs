//! Statements about releases: what was signed with which certificate, and when.

use sqlx::{AnyConnection, Row, any::AnyRow};

use super::rows::{self, digest, seconds};
use crate::storage::{IssuerId, Registration, ReleaseRecord, ReleasesOf, StorageError};

pub(super) async fn register(
    connection: &mut AnyConnection,
    releases: &[ReleaseRecord],
) -> Result<Vec<Registration>, StorageError> {
    let mut outcomes = Vec::with_capacity(releases.len());
    for release in releases {
        let actor = rows::actor(connection, &release.actor).await?;
        let inserted = sqlx::query(
            "INSERT INTO releases \
             (bundle_sha256, name, signed_at, issuer, serial, spki_sha256, registered_at, actor) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (bundle_sha256) DO NOTHING",
        )
        .bind(&release.bundle_sha256[..])
        .bind(&release.name)
        .bind(release.signed_at.map(countersign_core::time::UnixSeconds::seconds))
        .bind(release.issuer.0)
        .bind(&release.serial)
        .bind(&release.spki_sha256[..])
        .bind(release.registered_at.seconds())
        .bind(actor)
        .execute(&mut *connection)
        .await?;
        let is_new = inserted.rows_affected() == 1;
        outcomes.push(if is_new { Registration::Registered } else { Registration::Known });
    }
    Ok(outcomes)
}

pub(super) async fn list(
    connection: &mut AnyConnection,
    of: &ReleasesOf,
) -> Result<Vec<ReleaseRecord>, StorageError> {
    let rows =
        match of {
            ReleasesOf::Key(key) => sqlx::query(
                "SELECT r.bundle_sha256, r.name, r.signed_at, r.issuer, r.serial, r.spki_sha256, \
                 r.registered_at, a.name FROM releases r JOIN actors a ON a.id = r.actor \
                 WHERE r.spki_sha256 = $1 ORDER BY r.bundle_sha256",
            )
            .bind(&key[..])
            .fetch_all(connection)
            .await?,
            ReleasesOf::Certificate(issuer, serial) => sqlx::query(
                "SELECT r.bundle_sha256, r.name, r.signed_at, r.issuer, r.serial, r.spki_sha256, \
                 r.registered_at, a.name FROM releases r JOIN actors a ON a.id = r.actor \
                 WHERE r.issuer = $1 AND r.serial = $2 ORDER BY r.bundle_sha256",
            )
            .bind(issuer.0)
            .bind(serial)
            .fetch_all(connection)
            .await?,
            ReleasesOf::All(after, limit) => {
                let after = after.map(|digest| digest.to_vec()).unwrap_or_default();
                sqlx::query(
                "SELECT r.bundle_sha256, r.name, r.signed_at, r.issuer, r.serial, r.spki_sha256, \
                 r.registered_at, a.name FROM releases r JOIN actors a ON a.id = r.actor \
                 WHERE r.bundle_sha256 > $1 ORDER BY r.bundle_sha256 LIMIT $2",
            )
            .bind(after)
            .bind(i64::from(*limit))
            .fetch_all(connection)
            .await?
            }
        };
    rows.iter().map(of_row).collect()
}

fn of_row(row: &AnyRow) -> Result<ReleaseRecord, StorageError> {
    let (bundle, key): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(5)?);
    let signed_at: Option<i64> = row.try_get(2)?;
    Ok(ReleaseRecord {
        bundle_sha256: digest(&bundle)?,
        name: row.try_get(1)?,
        signed_at: signed_at.map(countersign_core::time::UnixSeconds::new),
        issuer: IssuerId(row.try_get(3)?),
        serial: row.try_get(4)?,
        spki_sha256: digest(&key)?,
        registered_at: seconds(row, 6)?,
        actor: row.try_get(7)?,
    })
}
