//! Statements about the CRLs of authorities whose clients may administer: the last of each.

use countersign_core::time::UnixSeconds;
use sqlx::{AnyConnection, Row};

use super::{Storage, StorageError};

/// SHA-256 of an authority's `SubjectPublicKeyInfo`.
pub(crate) type AuthorityKey = [u8; 32];

impl Storage {
    /// The authorities of which there is a CRL, and when each was made.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub(crate) async fn client_crl_dates(
        &self,
    ) -> Result<Vec<(AuthorityKey, UnixSeconds)>, StorageError> {
        let rows = sqlx::query("SELECT authority, this_update FROM client_crls")
            .fetch_all(&mut *self.upkeep.acquire().await?)
            .await?;
        rows.iter()
            .map(|row| {
                let authority: Vec<u8> = row.try_get("authority")?;
                let authority = AuthorityKey::try_from(authority)
                    .map_err(|_| StorageError::Corrupt { what: "an authority's key" })?;
                Ok((authority, UnixSeconds::new(row.try_get("this_update")?)))
            })
            .collect()
    }

    /// The last CRL (DER) of that authority.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub(crate) async fn client_crl(
        &self,
        authority: &AuthorityKey,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        stored(&mut *self.upkeep.acquire().await?, authority).await
    }

    /// Keeps a CRL (DER) in the place of `after`, which it was held against. Durable.
    ///
    /// # Errors
    /// [`StorageError::CrlOvertaken`]: another one is stored.
    pub(crate) async fn store_client_crl(
        &self,
        authority: &AuthorityKey,
        (this_update, der): (UnixSeconds, &[u8]),
        after: Option<&[u8]>,
    ) -> Result<(), StorageError> {
        let mut work = self.begin().await?;
        let stored = stored(&mut work, authority).await?;
        if stored.as_deref() == Some(der) {
            return Ok(());
        }
        if stored.as_deref() != after {
            return Err(StorageError::CrlOvertaken);
        }
        sqlx::query(
            "INSERT INTO client_crls (authority, this_update, der) VALUES ($1, $2, $3) \
             ON CONFLICT (authority) DO UPDATE SET this_update = excluded.this_update, \
             der = excluded.der",
        )
        .bind(&authority[..])
        .bind(this_update.seconds())
        .bind(der)
        .execute(&mut *work)
        .await?;
        Ok(work.commit().await?)
    }

    /// Removes every one, and says how many there were. Durable.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub(crate) async fn forget_client_crls(&self) -> Result<u64, StorageError> {
        let mut work = self.begin().await?;
        let removed = sqlx::query("DELETE FROM client_crls").execute(&mut *work).await?;
        work.commit().await?;
        Ok(removed.rows_affected())
    }
}

async fn stored(
    connection: &mut AnyConnection,
    authority: &AuthorityKey,
) -> Result<Option<Vec<u8>>, StorageError> {
    let row = sqlx::query("SELECT der FROM client_crls WHERE authority = $1")
        .bind(&authority[..])
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(row.try_get("der")?)).transpose()
}
