//! Statements about the heads of audit ledgers.

use std::sync::atomic::Ordering;

use countersign_daemon::ledger::{Hash, Head};
use sqlx::{AnyConnection, Row};

use super::{
    HeldLedger, KnownLedger, Storage, StorageError, answers, database,
    rows::{digest, unsigned},
};

impl Storage {
    /// The audit ledgers whose heads are kept here, those of other replicas and replaced ones included.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn ledgers(&self) -> Result<Vec<KnownLedger>, StorageError> {
        all(&mut *self.readers.acquire().await?).await
    }

    /// Keeps the head of `ledger` from now on: at once, and in the transaction of every change that is
    /// made through this value. An order is in the ledger before it is carried out, so the head that
    /// is committed with it is never before its record. Durable. The first ledger stays.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn hold_ledger(&self, ledger: HeldLedger) -> Result<(), StorageError> {
        let held = self.ledger.get_or_init(|| ledger);
        let mut work = self.begin_without_head().await?;
        answers::release_all(&mut work, &held.id).await?;
        work.commit().await?;
        self.note_ledger_head().await
    }

    /// Keeps the head of the ledger that is held, if it has grown since: for what is recorded and
    /// changes nothing. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn note_ledger_head(&self) -> Result<(), StorageError> {
        let Some(ledger) = self.ledger.get() else { return Ok(()) };
        if ledger.heads.on_disk().sequence < self.noted.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut work = self.begin_without_head().await?;
        let head = note(&mut work, ledger).await?;
        work.commit().await?;
        self.noted.store(head.sequence + 1, Ordering::Release);
        Ok(())
    }

    /// Puts `by` in the place of the ledger of the random number `replaced`, and holds it. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn replace_ledger(&self, replaced: &str, by: HeldLedger) -> Result<(), StorageError> {
        let mut work = self.begin_without_head().await?;
        replace(&mut work, replaced, &by.id).await?;
        answers::release_all(&mut work, replaced).await?;
        note(&mut work, &by).await?;
        work.commit().await?;
        self.ledger.get_or_init(|| by);
        Ok(())
    }
}

/// Writes down where the ledger's end is; gives what was written.
pub(super) async fn note(
    connection: &mut AnyConnection,
    ledger: &HeldLedger,
) -> Result<Head, StorageError> {
    let head = ledger.heads.on_disk();
    sqlx::query(
        "INSERT INTO ledgers (id, replica, sequence, hash) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET replica = excluded.replica, \
         sequence = excluded.sequence, hash = excluded.hash",
    )
    .bind(&ledger.id)
    .bind(&ledger.replica)
    .bind(i64::try_from(head.sequence).map_err(database)?)
    .bind(&head.hash.as_bytes()[..])
    .execute(connection)
    .await?;
    Ok(head)
}

async fn all(connection: &mut AnyConnection) -> Result<Vec<KnownLedger>, StorageError> {
    let statement = "SELECT id, replica, sequence, hash, replaced_by FROM ledgers ORDER BY id";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let hash: Vec<u8> = row.try_get("hash")?;
            Ok(KnownLedger {
                id: row.try_get("id")?,
                replica: row.try_get("replica")?,
                sequence: unsigned(row.try_get("sequence")?)?,
                hash: Hash::from_bytes(digest(&hash)?),
                replaced_by: row.try_get("replaced_by")?,
            })
        })
        .collect()
}

async fn replace(
    connection: &mut AnyConnection,
    replaced: &str,
    by: &str,
) -> Result<(), StorageError> {
    sqlx::query("UPDATE ledgers SET replaced_by = $2 WHERE id = $1")
        .bind(replaced)
        .bind(by)
        .execute(connection)
        .await?;
    Ok(())
}
