//! From rows to values, and the small statements that several kinds of records need.

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use sqlx::{AnyConnection, Row, any::AnyRow};

use super::{Evidence, Revocation, StorageError};

/// How many rows one statement inserts or looks up: with ten values each well under what `SQLite`
/// (32766) and PostgreSQL (65535) allow.
pub(crate) const ROWS_AT_ONCE: usize = 400;

/// The number of the person who did something.
pub(crate) async fn actor(connection: &mut AnyConnection, name: &str) -> Result<i64, StorageError> {
    let known = "SELECT id FROM actors WHERE name = $1";
    if let Some(row) = sqlx::query(known).bind(name).fetch_optional(&mut *connection).await? {
        return Ok(row.try_get("id")?);
    }
    let row = sqlx::query("INSERT INTO actors (name) VALUES ($1) RETURNING id")
        .bind(name)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get("id")?)
}

/// What [`revocation`] reads, where `r` is the revocation and `a` the person who ordered it.
pub(crate) const REVOCATION: &str = "r.reason, r.revocation_date, r.recorded_at, a.name AS actor";

/// The names of those columns.
const OF_REVOCATION: [&str; 4] = ["reason", "revocation_date", "recorded_at", "actor"];

/// The revocation in a row; `None` if a LEFT JOIN found none, or if a hold was lifted.
pub(crate) fn revocation(row: &AnyRow) -> Result<Option<Revocation>, StorageError> {
    revocation_in(row, OF_REVOCATION)
}

/// The revocation in columns of these names: reason, date, recorded, actor's name.
pub(crate) fn revocation_in(
    row: &AnyRow,
    columns: [&str; 4],
) -> Result<Option<Revocation>, StorageError> {
    let recorded = recorded_in(row, columns)?;
    Ok(recorded.filter(|revocation| revocation.reason != RevocationReason::RemoveFromCrl))
}

/// As [`revocation`], lifted holds included.
pub(crate) fn recorded(row: &AnyRow) -> Result<Option<Revocation>, StorageError> {
    recorded_in(row, OF_REVOCATION)
}

fn recorded_in(
    row: &AnyRow,
    [code, revocation_date, recorded_at, actor]: [&str; 4],
) -> Result<Option<Revocation>, StorageError> {
    let Some(code) = row.try_get::<Option<i64>, _>(code)? else { return Ok(None) };
    Ok(Some(Revocation {
        reason: reason(code)?,
        revocation_date: seconds(row, revocation_date)?,
        recorded_at: seconds(row, recorded_at)?,
        actor: row.try_get(actor)?,
    }))
}

/// The [`Evidence`] in the column `evidence`.
pub(crate) fn evidence(row: &AnyRow) -> Result<Evidence, StorageError> {
    match row.try_get("evidence")? {
        0_i64 => Ok(Evidence::Certificate),
        1 => Ok(Evidence::Import),
        _ => Err(StorageError::Corrupt { what: "evidence" }),
    }
}

pub(crate) fn reason(code: i64) -> Result<RevocationReason, StorageError> {
    u8::try_from(code)
        .ok()
        .and_then(RevocationReason::of)
        .ok_or(StorageError::Corrupt { what: "reason" })
}

pub(crate) fn seconds(row: &AnyRow, column: &str) -> Result<UnixSeconds, StorageError> {
    Ok(UnixSeconds::new(row.try_get(column)?))
}

pub(crate) fn digest(octets: &[u8]) -> Result<[u8; 32], StorageError> {
    octets.try_into().map_err(|_| StorageError::Corrupt { what: "digest" })
}

pub(crate) fn unsigned(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number)
        .map_err(|_| StorageError::Corrupt { what: "a number that is never negative" })
}

/// `($1, $2), ($3, $4), …`: placeholders for `rows` rows of `columns` values.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(placeholders(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }
}
