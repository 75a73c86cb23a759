//! Statements about CRLs and their numbers.

use std::collections::HashMap;

use sqlx::{AnyConnection, Row};

use super::{database, rows::unsigned};
use crate::{
    crl::CrlList,
    storage::{IssuerId, StorageError, StoredCrl},
};

pub(super) async fn reserve_number(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    least: u64,
) -> Result<u64, StorageError> {
    let least = i64::try_from(least.max(1)).map_err(database)?;
    let row = sqlx::query(
        "INSERT INTO crl_numbers (issuer, number) VALUES ($1, $2) \
         ON CONFLICT (issuer) DO UPDATE SET number = CASE \
         WHEN crl_numbers.number >= excluded.number THEN crl_numbers.number + 1 \
         ELSE excluded.number END RETURNING number",
    )
    .bind(issuer.0)
    .bind(least)
    .fetch_one(connection)
    .await?;
    unsigned(row.try_get(0)?)
}

pub(super) async fn store(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    list: CrlList,
    crl: &StoredCrl,
) -> Result<(), StorageError> {
    let number = i64::try_from(crl.number).map_err(database)?;
    if let Some(stored) = stored(connection, issuer, list).await? {
        if stored == *crl {
            return Ok(());
        }
        if crl.number <= stored.number {
            return Err(StorageError::CrlNumber { number: crl.number, stored: stored.number });
        }
    }
    sqlx::query(
        "INSERT INTO crls (issuer, list, number, revision, der) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (issuer, list) DO UPDATE SET number = excluded.number, \
         revision = excluded.revision, der = excluded.der",
    )
    .bind(issuer.0)
    .bind(list.to_string())
    .bind(number)
    .bind(crl.revision)
    .bind(&crl.der)
    .execute(&mut *connection)
    .await?;
    // A CRL made elsewhere takes its number from the same sequence: should the issuer's key come to
    // this service later, numbering goes on above it.
    sqlx::query(
        "INSERT INTO crl_numbers (issuer, number) VALUES ($1, $2) \
         ON CONFLICT (issuer) DO UPDATE SET number = CASE \
         WHEN crl_numbers.number >= excluded.number THEN crl_numbers.number \
         ELSE excluded.number END",
    )
    .bind(issuer.0)
    .bind(number)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn stored(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    list: CrlList,
) -> Result<Option<StoredCrl>, StorageError> {
    let row = sqlx::query("SELECT number, revision, der FROM crls WHERE issuer = $1 AND list = $2")
        .bind(issuer.0)
        .bind(list.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(StoredCrl {
            number: unsigned(row.try_get(0)?)?,
            revision: row.try_get(1)?,
            der: row.try_get(2)?,
        })
    })
    .transpose()
}

pub(super) async fn stored_numbers(
    connection: &mut AnyConnection,
    issuer: IssuerId,
) -> Result<HashMap<String, u64>, StorageError> {
    let rows = sqlx::query("SELECT list, number FROM crls WHERE issuer = $1")
        .bind(issuer.0)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row.try_get(1)?)?))).collect()
}
