//! Statements about CRLs and their numbers.

use std::collections::HashMap;

use countersign_daemon::crash_point;
use sqlx::{AnyConnection, Row};

use super::{IssuerId, Storage, StorageError, StoredCrl, database, rows::unsigned};
use crate::register::CrlList;

/// Where a CRL was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made<'a> {
    /// From a revision of this database.
    Here,
    /// Where the issuer's key is.
    Elsewhere {
        /// The list (DER) that it was held against.
        after: Option<&'a [u8]>,
    },
}

impl Storage {
    /// Takes the next `CRLNumber`: one more than the last, and not below `least`. Durable *before*
    /// it returns, so that no number is ever given twice, whatever becomes of the CRL.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn reserve_crl_number(
        &self,
        issuer: IssuerId,
        least: u64,
    ) -> Result<u64, StorageError> {
        let least = i64::try_from(least.max(1)).map_err(database)?;
        let mut work = self.begin().await?;
        let row = sqlx::query(
            "INSERT INTO crl_numbers (issuer, number) VALUES ($1, $2) \
             ON CONFLICT (issuer) DO UPDATE SET number = CASE \
             WHEN crl_numbers.number >= excluded.number THEN crl_numbers.number + 1 \
             ELSE excluded.number END RETURNING number",
        )
        .bind(issuer.0)
        .bind(least)
        .fetch_one(&mut *work)
        .await?;
        let number = unsigned(row.try_get("number")?)?;
        crash_point::reach("crl_number.commit");
        work.commit().await?;
        crash_point::reach("crl_number.committed");
        Ok(number)
    }

    /// Keeps a CRL that was made here in the place of the one before in that `list`. Durable.
    ///
    /// # Errors
    /// [`StorageError::CrlNumber`] when the number does not grow (the same CRL again is accepted);
    /// [`StorageError::CrlRevision`] when it was built from an earlier revision than the one before.
    pub async fn store_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
        crl: &StoredCrl,
    ) -> Result<(), StorageError> {
        self.keep_crl(issuer, list, crl, Made::Here).await
    }

    /// The same for the whole CRL of an issuer whose key is elsewhere. It has no revision. `after` is the list
    /// (DER) that it was held against: what it may take back depends on that, and another replica may have
    /// stored one since.
    ///
    /// # Errors
    /// [`StorageError::CrlNumber`]; [`StorageError::CrlOvertaken`]: another list is stored than `after`.
    pub async fn store_crl_made_elsewhere(
        &self,
        issuer: IssuerId,
        crl: &StoredCrl,
        after: Option<&[u8]>,
    ) -> Result<(), StorageError> {
        self.keep_crl(issuer, CrlList::WHOLE, crl, Made::Elsewhere { after }).await
    }

    async fn keep_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
        crl: &StoredCrl,
        made: Made<'_>,
    ) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        store(&mut work, issuer, list, crl, made).await?;
        crash_point::reach("crl.commit");
        work.commit().await?;
        crash_point::reach("crl.committed");
        Ok(())
    }

    /// The CRL last stored in that `list`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn stored_crl(
        &self,
        issuer: IssuerId,
        list: CrlList,
    ) -> Result<Option<StoredCrl>, StorageError> {
        stored(&mut *self.upkeep.acquire().await?, issuer, list).await
    }

    /// The number of each CRL stored for that issuer, by the list's name ([`CrlList`] as text). Reads
    /// no CRL: who follows many lists learns by it which to read.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn stored_crl_numbers(
        &self,
        issuer: IssuerId,
    ) -> Result<HashMap<String, u64>, StorageError> {
        let rows = sqlx::query("SELECT list, number FROM crls WHERE issuer = $1")
            .bind(issuer.0)
            .fetch_all(&mut *self.upkeep.acquire().await?)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("list")?, unsigned(row.try_get("number")?)?)))
            .collect()
    }
}

async fn store(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    list: CrlList,
    crl: &StoredCrl,
    made: Made<'_>,
) -> Result<(), StorageError> {
    let number = i64::try_from(crl.number).map_err(database)?;
    let stored = stored(connection, issuer, list).await?;
    if stored.as_ref() == Some(crl) {
        return Ok(());
    }
    if let Made::Elsewhere { after } = made
        && stored.as_ref().map(|stored| stored.der.as_slice()) != after
    {
        return Err(StorageError::CrlOvertaken);
    }
    if let Some(stored) = stored {
        if crl.number <= stored.number {
            return Err(StorageError::CrlNumber { number: crl.number, stored: stored.number });
        }
        // Another replica may reserve the higher number, read before a revocation, and sign slowly: its list
        // would hide that revocation from every client that goes by CRLNumber.
        if made == Made::Here && crl.revision < stored.revision {
            let (revision, stored) = (crl.revision, stored.revision);
            return Err(StorageError::CrlRevision { revision, stored });
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
            number: unsigned(row.try_get("number")?)?,
            revision: row.try_get("revision")?,
            der: row.try_get("der")?,
        })
    })
    .transpose()
}
