//! Statements about the heads of audit ledgers.

use countersign_daemon::ledger::{Hash, Receipt};
use sqlx::{AnyConnection, Row};

use super::{
    database,
    rows::{digest, unsigned},
};
use crate::storage::{HeldLedger, KnownLedger, StorageError};

/// Writes down where the ledger's end is; gives what was written.
pub(super) async fn note(
    connection: &mut AnyConnection,
    ledger: &HeldLedger,
) -> Result<Receipt, StorageError> {
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

pub(super) async fn all(connection: &mut AnyConnection) -> Result<Vec<KnownLedger>, StorageError> {
    let statement = "SELECT id, replica, sequence, hash, replaced_by FROM ledgers ORDER BY id";
    let rows = sqlx::query(statement).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let hash: Vec<u8> = row.try_get(3)?;
            Ok(KnownLedger {
                id: row.try_get(0)?,
                replica: row.try_get(1)?,
                sequence: unsigned(row.try_get(2)?)?,
                hash: Hash::from_bytes(digest(&hash)?),
                replaced_by: row.try_get(4)?,
            })
        })
        .collect()
}

pub(super) async fn replace(
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
