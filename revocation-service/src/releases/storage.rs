//! Records of releases, and the statements about them: what was signed with which certificate, and
//! when.
//!
//! They are in the register's database, and so in its transactions.

use countersign_core::{time::UnixSeconds, x509::certificate::serial_text};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

use crate::register::storage::{
    IssuerId, Registration, Storage, StorageError,
    rows::{self, digest, seconds},
};

/// A release that was signed: what must be looked at when its key turns out to be compromised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// SHA-256 of the bundle.
    pub bundle_sha256: [u8; 32],
    /// The file's name.
    pub name: String,
    /// When it was signed, as its timestamp says; `None` if it has none.
    pub signed_at: Option<UnixSeconds>,
    /// The signer's certificate: its issuer.
    pub issuer: IssuerId,
    /// Its serial number (content octets).
    pub serial: Vec<u8>,
    /// SHA-256 of its DER `SubjectPublicKeyInfo`.
    pub spki_sha256: [u8; 32],
    /// When it was registered here.
    pub registered_at: UnixSeconds,
    /// Who registered it.
    pub actor: String,
}

/// What makes a release: its bundle and its signer's certificate (issuer, serial number, key).
pub(crate) type ReleaseKey = ([u8; 32], IssuerId, Vec<u8>, [u8; 32]);

impl ReleaseRecord {
    /// Which release it is.
    pub(crate) fn key(&self) -> ReleaseKey {
        (self.bundle_sha256, self.issuer, self.serial.clone(), self.spki_sha256)
    }
}

/// Which releases to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleasesOf {
    /// Signed with that key (SHA-256 of the `SubjectPublicKeyInfo`).
    Key([u8; 32]),
    /// Signed with that certificate: issuer, serial number (content octets).
    Certificate(IssuerId, Vec<u8>),
    /// The same, behind the bundle with this SHA-256, at most so many.
    PageOfKey([u8; 32], Option<[u8; 32]>, u32),
    /// All, behind the bundle with this SHA-256, at most so many.
    All(Option<[u8; 32]>, u32),
}

/// What [`of_row`] reads.
const COLUMNS: &str = "SELECT r.bundle_sha256, r.name, r.signed_at, r.issuer, r.serial, \
     r.spki_sha256, r.registered_at, a.name AS actor FROM releases r JOIN actors a ON a.id = r.actor";

/// In which order they are listed.
const ORDER: &str = "r.bundle_sha256, r.issuer, r.serial, r.spki_sha256";

/// The bundles up to the last one of as many releases as `limit` says, of those that `condition` picks.
fn page(condition: &str, limit: &str) -> String {
    format!(
        "r.bundle_sha256 <= (SELECT bundle_sha256 FROM (SELECT bundle_sha256 FROM releases WHERE \
         {condition} ORDER BY bundle_sha256 LIMIT {limit}) AS page \
         ORDER BY bundle_sha256 DESC LIMIT 1)"
    )
}

impl Storage {
    /// Registers releases: all or none. Durable. A release is a bundle with the signer's certificate that
    /// it is said to have: a wrong one, registered first, keeps nothing out. Of several times for one
    /// release the latest stays, and none at all is later than any: whoever says that it was signed early
    /// cannot take it out of the list of what a compromise concerns. Answers what is on record now, in the
    /// order handed in.
    ///
    /// # Errors
    /// [`StorageError::ReleaseConflict`] when a release is known by another name.
    pub async fn register_releases(
        &self,
        releases: Vec<ReleaseRecord>,
    ) -> Result<Vec<(Registration, ReleaseRecord)>, StorageError> {
        let mut work = self.begin().await?;
        let outcomes = register(&mut work, &releases).await?;
        work.commit().await?;
        Ok(outcomes)
    }

    /// Releases, in the order of their bundles' digests. Those of one bundle are on one page, which may
    /// be longer for them.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn releases(&self, of: &ReleasesOf) -> Result<Vec<ReleaseRecord>, StorageError> {
        let condition = match of {
            ReleasesOf::Key(_) => "r.spki_sha256 = $1".to_owned(),
            ReleasesOf::PageOfKey(..) => {
                let page = page("spki_sha256 = $1 AND bundle_sha256 > $2", "$3");
                format!("r.spki_sha256 = $1 AND r.bundle_sha256 > $2 AND {page}")
            }
            ReleasesOf::Certificate(..) => "r.issuer = $1 AND r.serial = $2".to_owned(),
            ReleasesOf::All(..) => {
                format!("r.bundle_sha256 > $1 AND {}", page("bundle_sha256 > $1", "$2"))
            }
        };
        let statement = format!("{COLUMNS} WHERE {condition} ORDER BY {ORDER}");
        // Nothing but our own words was put into it.
        let query = sqlx::query(AssertSqlSafe(statement));
        let behind =
            |after: &Option<[u8; 32]>| after.map(|digest| digest.to_vec()).unwrap_or_default();
        let query = match of {
            ReleasesOf::Key(key) => query.bind(key.to_vec()),
            ReleasesOf::PageOfKey(key, after, limit) => {
                query.bind(key.to_vec()).bind(behind(after)).bind(i64::from(*limit))
            }
            ReleasesOf::Certificate(issuer, serial) => query.bind(issuer.0).bind(serial.clone()),
            ReleasesOf::All(after, limit) => query.bind(behind(after)).bind(i64::from(*limit)),
        };
        let rows = query.fetch_all(&mut *self.readers.acquire().await?).await?;
        rows.iter().map(of_row).collect()
    }
}

pub(crate) async fn register(
    connection: &mut AnyConnection,
    releases: &[ReleaseRecord],
) -> Result<Vec<(Registration, ReleaseRecord)>, StorageError> {
    let mut outcomes = Vec::with_capacity(releases.len());
    for release in releases {
        outcomes.push(if insert(connection, release).await? {
            (Registration::Registered, release.clone())
        } else {
            compare(connection, release).await?
        });
    }
    Ok(outcomes)
}

/// Inserts a release; says whether it is new.
async fn insert(
    connection: &mut AnyConnection,
    release: &ReleaseRecord,
) -> Result<bool, StorageError> {
    let actor = rows::actor(connection, &release.actor).await?;
    let inserted = sqlx::query(
        "INSERT INTO releases \
         (bundle_sha256, name, signed_at, issuer, serial, spki_sha256, registered_at, actor) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (bundle_sha256, issuer, serial, spki_sha256) DO NOTHING",
    )
    .bind(&release.bundle_sha256[..])
    .bind(&release.name)
    .bind(release.signed_at.map(UnixSeconds::seconds))
    .bind(release.issuer.0)
    .bind(&release.serial)
    .bind(&release.spki_sha256[..])
    .bind(release.registered_at.seconds())
    .bind(actor)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Which release it is, in a condition.
const THIS: &str = "bundle_sha256 = $1 AND issuer = $2 AND serial = $3 AND spki_sha256 = $4";

/// What becomes of a release that is on record.
async fn compare(
    connection: &mut AnyConnection,
    release: &ReleaseRecord,
) -> Result<(Registration, ReleaseRecord), StorageError> {
    let statement = format!("{COLUMNS} WHERE {THIS}");
    // Nothing but our own words was put into it.
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(&release.bundle_sha256[..])
        .bind(release.issuer.0)
        .bind(&release.serial)
        .bind(&release.spki_sha256[..])
        .fetch_one(&mut *connection)
        .await?;
    let mut known = of_row(&row)?;
    refuse_another(&known, release)?;
    let latest = known.signed_at.zip(release.signed_at).map(|(known, said)| known.max(said));
    if latest == known.signed_at {
        return Ok((Registration::Known, known));
    }
    let statement = format!("UPDATE releases SET signed_at = $5 WHERE {THIS}");
    // Nothing but our own words was put into it.
    sqlx::query(AssertSqlSafe(statement))
        .bind(&release.bundle_sha256[..])
        .bind(release.issuer.0)
        .bind(&release.serial)
        .bind(&release.spki_sha256[..])
        .bind(latest.map(UnixSeconds::seconds))
        .execute(connection)
        .await?;
    known.signed_at = latest;
    Ok((Registration::Corrected, known))
}

/// Refuses a release that is known by another name.
pub(crate) fn refuse_another(
    known: &ReleaseRecord,
    release: &ReleaseRecord,
) -> Result<(), StorageError> {
    if known.name == release.name {
        return Ok(());
    }
    Err(StorageError::ReleaseConflict {
        serial: serial_text(&known.serial),
        name: known.name.clone(),
        by: known.actor.clone(),
        at: known.registered_at,
    })
}

/// The releases of those bundles that are on record.
pub(crate) async fn of_bundles(
    connection: &mut AnyConnection,
    bundles: &[[u8; 32]],
) -> Result<Vec<ReleaseRecord>, StorageError> {
    let places = rows::placeholders(1, bundles.len());
    let statement = format!("{COLUMNS} WHERE r.bundle_sha256 IN {places}");
    // Nothing but placeholders was put into it.
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for bundle in bundles {
        query = query.bind(bundle.to_vec());
    }
    query.fetch_all(connection).await?.iter().map(of_row).collect()
}

fn of_row(row: &AnyRow) -> Result<ReleaseRecord, StorageError> {
    let (bundle, key): (Vec<u8>, Vec<u8>) =
        (row.try_get("bundle_sha256")?, row.try_get("spki_sha256")?);
    let signed_at: Option<i64> = row.try_get("signed_at")?;
    Ok(ReleaseRecord {
        bundle_sha256: digest(&bundle)?,
        name: row.try_get("name")?,
        signed_at: signed_at.map(UnixSeconds::new),
        issuer: IssuerId(row.try_get("issuer")?),
        serial: row.try_get("serial")?,
        spki_sha256: digest(&key)?,
        registered_at: seconds(row, "registered_at")?,
        actor: row.try_get("actor")?,
    })
}
