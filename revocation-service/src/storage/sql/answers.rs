//! Statements about answers that were given under an idempotency key.

use countersign_core::time::UnixSeconds;
use sqlx::{AnyConnection, Row};

use super::rows::{digest, seconds};
use crate::storage::{Remembered, StorageError};

pub(super) async fn remembered(
    connection: &mut AnyConnection,
    actor: &str,
    key: &str,
    not_before: UnixSeconds,
) -> Result<Option<Remembered>, StorageError> {
    let row = sqlx::query(
        "SELECT request_sha256, status, media_type, body, given_at FROM answers \
         WHERE actor = $1 AND key = $2 AND given_at >= $3",
    )
    .bind(actor)
    .bind(key)
    .bind(not_before.seconds())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let request: Vec<u8> = row.try_get(0)?;
        let status: i64 = row.try_get(1)?;
        Ok(Remembered {
            request_sha256: digest(&request)?,
            status: u16::try_from(status).map_err(|_| StorageError::Corrupt { what: "status" })?,
            media_type: row.try_get(2)?,
            body: row.try_get(3)?,
            at: seconds(&row, 4)?,
        })
    })
    .transpose()
}

pub(super) async fn remember(
    connection: &mut AnyConnection,
    actor: &str,
    key: &str,
    answer: &Remembered,
    not_before: UnixSeconds,
) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM answers WHERE given_at < $1")
        .bind(not_before.seconds())
        .execute(&mut *connection)
        .await?;
    // The first answer stands: a second one under the same key is a race of two equal requests.
    sqlx::query(
        "INSERT INTO answers (actor, key, request_sha256, status, media_type, body, given_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (actor, key) DO NOTHING",
    )
    .bind(actor)
    .bind(key)
    .bind(&answer.request_sha256[..])
    .bind(i64::from(answer.status))
    .bind(&answer.media_type)
    .bind(&answer.body)
    .bind(answer.at.seconds())
    .execute(connection)
    .await?;
    Ok(())
}
