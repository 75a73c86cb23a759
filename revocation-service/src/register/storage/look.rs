//! A look into a database that a service may be using, before that is configured anew. Nothing is written.

use std::str::FromStr;

use sqlx::{AnyConnection, Connection, Row, any::AnyConnectOptions};

use super::{
    DatabaseLocation, IssuerId, RevocationList, StorageError, StoredCrl, crls, revocations, sqlite,
};
use crate::register::CrlList;

/// The whole CRL that was stored last for the issuer with that key, if it was made elsewhere, and the issuer's
/// revocations; `None` if there is no such list, issuer or database yet.
///
/// # Errors
/// [`StorageError::Database`]: not reachable, or of another version.
pub(crate) async fn look(
    location: &DatabaseLocation,
    spki_sha256: [u8; 32],
) -> Result<Option<(StoredCrl, RevocationList)>, StorageError> {
    sqlx::any::install_default_drivers();
    let options = match location {
        DatabaseLocation::File(path) if !path.exists() => return Ok(None),
        DatabaseLocation::File(path) => sqlite::options(path, "ro")?,
        DatabaseLocation::Postgres(url) => AnyConnectOptions::from_str(url)?,
    };
    let mut connection = AnyConnection::connect_with(&options).await?;
    let row = sqlx::query("SELECT id FROM issuers WHERE spki_sha256 = $1")
        .bind(&spki_sha256[..])
        .fetch_optional(&mut connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let issuer = IssuerId(row.try_get("id")?);
    let stored = crls::stored(&mut connection, issuer, CrlList::WHOLE).await?;
    let Some(stored) = stored.filter(StoredCrl::was_made_elsewhere) else { return Ok(None) };
    let recorded = revocations::all(&mut connection, issuer).await?;
    connection.close().await?;
    Ok(Some((stored, recorded)))
}
