//! Statements about idempotency keys: reserved while their order is carried out, then with its answer.

use countersign_core::time::UnixSeconds;
use countersign_daemon::{
    admin::{KeyReserved, KeyUse, Remembered},
    crash_point,
};
use sqlx::{AnyConnection, Row};

use super::{
    Storage, StorageError,
    rows::{digest, seconds},
};

/// The status of what has no answer yet.
const RUNNING: i64 = 0;

/// How many answers of one person are kept: with the longest that are (daemon's `admin/idempotency.rs`), 64 MiB.
const KEPT_ANSWERS: i64 = 1000;

/// How long somebody who is gone keeps a key: longer than any order takes.
const RESERVED_SECONDS: i64 = 600;

impl Storage {
    /// The answer given under an idempotency key to that person, since `not_before`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn remembered(
        &self,
        actor: &str,
        key: &str,
        not_before: UnixSeconds,
    ) -> Result<Option<Remembered>, StorageError> {
        remembered(&mut *self.readers.acquire().await?, actor, key, not_before).await
    }

    /// Reserves an idempotency key of that person, and drops what is too old. Durable. A reservation
    /// ends with [`remember_answer`](Self::remember_answer) or [`release_key`](Self::release_key); one
    /// whose process ended is void when it starts again, else after ten minutes.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn reserve_key(
        &self,
        actor: &str,
        key: &str,
        wanted: &KeyUse,
    ) -> Result<KeyReserved, StorageError> {
        let owner = self.ledger.get().map_or("", |ledger| ledger.id.as_str());
        let mut work = self.begin().await?;
        let reserved = reserve(&mut work, owner, (actor, key), wanted).await?;
        crash_point::reach("key.commit");
        work.commit().await?;
        crash_point::reach("key.committed");
        Ok(reserved)
    }

    /// Keeps an answer under the key that was reserved for it, and drops all but the latest thousand of
    /// that person. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn remember_answer(
        &self,
        actor: &str,
        key: &str,
        answer: &Remembered,
    ) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        sqlx::query(
            "INSERT INTO answers (actor, key, request_sha256, status, media_type, body, given_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (actor, key) DO UPDATE SET \
             request_sha256 = excluded.request_sha256, status = excluded.status, \
             media_type = excluded.media_type, body = excluded.body, given_at = excluded.given_at \
             WHERE answers.status = $8",
        )
        .bind(actor)
        .bind(key)
        .bind(&answer.request_sha256[..])
        .bind(i64::from(answer.status))
        .bind(&answer.media_type)
        .bind(&answer.body)
        .bind(answer.at.seconds())
        .bind(RUNNING)
        .execute(&mut *work)
        .await?;
        sqlx::query(
            "DELETE FROM answers WHERE actor = $1 AND key IN (SELECT key FROM answers \
             WHERE actor = $1 AND status <> $2 ORDER BY given_at DESC, key LIMIT $3 OFFSET $4)",
        )
        .bind(actor)
        .bind(RUNNING)
        .bind(KEPT_ANSWERS)
        .bind(KEPT_ANSWERS)
        .execute(&mut *work)
        .await?;
        crash_point::reach("answer.commit");
        work.commit().await?;
        crash_point::reach("answer.committed");
        Ok(())
    }

    /// Gives back a key whose order was refused. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn release_key(&self, actor: &str, key: &str) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        sqlx::query("DELETE FROM answers WHERE actor = $1 AND key = $2 AND status = $3")
            .bind(actor)
            .bind(key)
            .bind(RUNNING)
            .execute(&mut *work)
            .await?;
        Ok(work.commit().await?)
    }
}

pub(super) async fn remembered(
    connection: &mut AnyConnection,
    actor: &str,
    key: &str,
    not_before: UnixSeconds,
) -> Result<Option<Remembered>, StorageError> {
    let row = sqlx::query(
        "SELECT request_sha256, status, media_type, body, given_at FROM answers \
         WHERE actor = $1 AND key = $2 AND given_at >= $3 AND status <> $4",
    )
    .bind(actor)
    .bind(key)
    .bind(not_before.seconds())
    .bind(RUNNING)
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let request: Vec<u8> = row.try_get("request_sha256")?;
        let status: i64 = row.try_get("status")?;
        Ok(Remembered {
            request_sha256: digest(&request)?,
            status: u16::try_from(status).map_err(|_| StorageError::Corrupt { what: "status" })?,
            media_type: row.try_get("media_type")?,
            body: row.try_get("body")?,
            at: seconds(&row, "given_at")?,
        })
    })
    .transpose()
}

/// Reserves a key, if it is free: of requests that come at once, one is carried out.
pub(super) async fn reserve(
    connection: &mut AnyConnection,
    owner: &str,
    (actor, key): (&str, &str),
    wanted: &KeyUse,
) -> Result<KeyReserved, StorageError> {
    sqlx::query(
        "DELETE FROM answers WHERE (status <> $1 AND given_at < $2) OR (status = $1 AND given_at < $3)",
    )
    .bind(RUNNING)
    .bind(wanted.answers_since.seconds())
    .bind(wanted.at.minus_seconds(RESERVED_SECONDS).seconds())
    .execute(&mut *connection)
    .await?;
    let reserved = sqlx::query(
        "INSERT INTO answers (actor, key, request_sha256, status, media_type, body, given_at, owner) \
         VALUES ($1, $2, $3, $4, '', $5, $6, $7) ON CONFLICT (actor, key) DO NOTHING",
    )
    .bind(actor)
    .bind(key)
    .bind(&wanted.request_sha256[..])
    .bind(RUNNING)
    .bind(Vec::<u8>::new())
    .bind(wanted.at.seconds())
    .bind(owner)
    .execute(&mut *connection)
    .await?;
    if reserved.rows_affected() == 1 {
        return Ok(KeyReserved::Now);
    }
    let answered = remembered(connection, actor, key, wanted.answers_since).await?;
    Ok(answered.map_or(KeyReserved::Running, KeyReserved::Answered))
}

/// Gives back every key that `owner` reserved: they are not carrying out anything any more.
pub(super) async fn release_all(
    connection: &mut AnyConnection,
    owner: &str,
) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM answers WHERE owner = $1 AND status = $2")
        .bind(owner)
        .bind(RUNNING)
        .execute(connection)
        .await?;
    Ok(())
}
