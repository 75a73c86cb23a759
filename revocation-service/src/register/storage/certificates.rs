//! Statements about issuers and certificates.

use std::collections::{HashMap, HashSet};

use countersign_core::{crl::RevocationReason, x509::certificate::serial_text};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

use super::{
    CertificateRecord, CompromiseReach, Digests, Evidence, IssuerId, Listed, Listing, Registration,
    Revocation, Status, Storage, StorageError, Which,
    compromises::{self, on_record},
    keys, revocations,
    rows::{self, REVOCATION, ROWS_AT_ONCE, digest, evidence, seconds},
};

/// What a [`CertificateRecord`] is read from.
const COLUMNS: &str = "c.issuer, c.serial, c.not_before, c.not_after, c.registered_at, \
     c.sha256, c.spki_sha256, c.subject, c.evidence, c.tbs_sha256, b.name AS registered_by";

/// How many values a new row has.
const COLUMN_COUNT: usize = 11;

impl Storage {
    /// Finds the issuer called `name`, or makes it. Durable.
    ///
    /// # Errors
    /// [`StorageError::IssuerChanged`] when that name belongs to another key, or that key to
    /// another name.
    pub async fn bind_issuer(
        &self,
        name: &str,
        spki_sha256: [u8; 32],
    ) -> Result<IssuerId, StorageError> {
        let mut work = self.begin().await?;
        let id = bind_issuer(&mut work, name, spki_sha256).await?;
        work.commit().await?;
        Ok(id)
    }

    /// Registers certificates: all of them or none. Durable. Answers in the order handed in. One
    /// with a key that was revoked is revoked in the same moment, also if it was there before and
    /// is good; one that was revoked for keyCompromise before its key was proven takes its key with it.
    /// What a certificate itself says replaces what an import said of it; the revocation stays.
    ///
    /// # Errors
    /// [`StorageError::CertificateConflict`] when another certificate has that issuer and serial, and
    /// is proven, or both are only an import's word.
    pub async fn register(
        &self,
        certificates: Vec<CertificateRecord>,
    ) -> Result<Vec<Registration>, StorageError> {
        let mut work = self.begin().await?;
        let outcomes = register(&mut work, self.reach(), &certificates).await?;
        self.commit(work).await?;
        Ok(outcomes)
    }

    /// The certificate with that serial number.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn certificate(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Option<CertificateRecord>, StorageError> {
        certificate(&mut *self.readers.acquire().await?, issuer, serial).await
    }

    /// The status of one serial number. Reads two indices, no certificate.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn status(&self, issuer: IssuerId, serial: &[u8]) -> Result<Status, StorageError> {
        status(&mut *self.readers.acquire().await?, issuer, serial).await
    }

    /// The same for an OCSP answer. It has connections of its own, so that no flood of questions
    /// keeps an administrator or a CRL from the database.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn status_to_answer(
        &self,
        issuer: IssuerId,
        serial: &[u8],
    ) -> Result<Status, StorageError> {
        status(&mut *self.responders.acquire().await?, issuer, serial).await
    }

    /// A page of an issuer's certificates, in the order of their serial numbers' octets.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Listed>, StorageError> {
        // Nothing but our own words was put into it.
        let rows = sqlx::query(AssertSqlSafe(page(listing.which)))
            .bind(listing.issuer.0)
            .bind(&listing.after)
            .bind(i64::from(listing.limit))
            .fetch_all(&mut *self.readers.acquire().await?)
            .await?;
        rows.iter()
            .map(|row| {
                let revocation = rows::revocation(row)?;
                Ok(Listed { certificate: of_row(row)?, revocation })
            })
            .collect()
    }
}

/// What reads a page: of the issuer `$1`, behind the serial number `$2`, at most `$3` rows. Revoked certificates are
/// found among the revocations: among certificates, a page would pass over all that are good until it has its fill.
pub(super) fn page(which: Which) -> String {
    let (tables, rows) = match which {
        Which::All => (
            "certificates c LEFT JOIN revocations r ON r.issuer = c.issuer AND r.serial = c.serial",
            "c.issuer = $1 AND c.serial > $2 ORDER BY c.serial",
        ),
        Which::Revoked => (
            "revocations r JOIN certificates c ON c.issuer = r.issuer AND c.serial = r.serial",
            "r.issuer = $1 AND r.serial > $2 AND r.reason <> 8 ORDER BY r.serial",
        ),
    };
    format!(
        "SELECT {COLUMNS}, {REVOCATION} FROM {tables} JOIN actors b ON b.id = c.actor \
         LEFT JOIN actors a ON a.id = r.actor WHERE {rows} LIMIT $3"
    )
}

pub(super) async fn bind_issuer(
    connection: &mut AnyConnection,
    name: &str,
    spki_sha256: [u8; 32],
) -> Result<IssuerId, StorageError> {
    let known = "SELECT id, name, spki_sha256 FROM issuers WHERE name = $1 OR spki_sha256 = $2";
    let rows =
        sqlx::query(known).bind(name).bind(&spki_sha256[..]).fetch_all(&mut *connection).await?;
    for row in &rows {
        let (known_name, known_key): (String, Vec<u8>) =
            (row.try_get("name")?, row.try_get("spki_sha256")?);
        if known_name != name || known_key != spki_sha256 {
            return Err(StorageError::IssuerChanged { name: name.to_owned() });
        }
    }
    if let Some(row) = rows.first() {
        return Ok(IssuerId(row.try_get("id")?));
    }
    let row = sqlx::query("INSERT INTO issuers (name, spki_sha256) VALUES ($1, $2) RETURNING id")
        .bind(name)
        .bind(&spki_sha256[..])
        .fetch_one(connection)
        .await?;
    Ok(IssuerId(row.try_get("id")?))
}

pub(crate) async fn register(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    certificates: &[CertificateRecord],
) -> Result<Vec<Registration>, StorageError> {
    let mut outcomes = Vec::with_capacity(certificates.len());
    let mut actors = HashMap::new();
    let mut listed_elsewhere = HashMap::new();
    for chunk in certificates.chunks(ROWS_AT_ONCE) {
        for certificate in chunk {
            if !actors.contains_key(certificate.actor.as_str()) {
                let number = rows::actor(connection, &certificate.actor).await?;
                actors.insert(certificate.actor.as_str(), number);
            }
        }
        let mut new = insert(connection, chunk, &actors).await?;
        let mut compromised = keys::revoked_among(connection, chunk).await?;
        for certificate in chunk {
            let outcome = if new.remove(&(certificate.issuer.0, certificate.serial.clone())) {
                Registration::Registered
            } else {
                let actor = actors.get(certificate.actor.as_str()).copied().unwrap_or_default();
                compare(connection, certificate, actor).await?
            };
            let compromise =
                compromise_before(connection, (certificate, outcome), &mut listed_elsewhere)
                    .await?;
            let about = (certificate, outcome, compromise);
            outcomes.push(follow_key(connection, reach, about, &mut compromised).await?);
        }
    }
    Ok(outcomes)
}

/// The compromise that was on record before a certificate's key was proven: ordered here, or said by a CRL made
/// elsewhere. `listed_elsewhere` remembers which issuers have such CRLs.
async fn compromise_before(
    connection: &mut AnyConnection,
    (certificate, outcome): (&CertificateRecord, Registration),
    listed_elsewhere: &mut HashMap<IssuerId, bool>,
) -> Result<Option<Revocation>, StorageError> {
    let CertificateRecord { issuer, serial, .. } = certificate;
    if certificate.proven_key().is_none() {
        return Ok(None);
    }
    // There can be none of what was not registered.
    if outcome != Registration::Registered
        && let Some(here) = revocations::stored(connection, *issuer, serial).await?
        && here.reason == RevocationReason::KeyCompromise
    {
        return Ok(Some(here));
    }
    if !listed_elsewhere.contains_key(issuer) {
        let found = on_record::has_elsewhere(connection, *issuer).await?;
        listed_elsewhere.insert(*issuer, found);
    }
    if listed_elsewhere.get(issuer) != Some(&true) {
        return Ok(None);
    }
    on_record::elsewhere(connection, (*issuer, serial)).await
}

/// What the key of a certificate means for it, and it for its key: revoked with the key that is on record,
/// or, if its own compromise was there before its key was proven, its key is revoked now.
async fn follow_key(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    (certificate, outcome, before): (&CertificateRecord, Registration, Option<Revocation>),
    compromised: &mut HashMap<[u8; 32], Revocation>,
) -> Result<Registration, StorageError> {
    let key = certificate.digests.as_ref().map(|digests| digests.spki_sha256);
    let takes_it = match outcome {
        Registration::Known => is_proven_and_good(connection, certificate).await?,
        _ => true,
    };
    if let Some(order) = key.and_then(|key| compromised.get(&key)).filter(|_| takes_it) {
        revocations::of_known_key(connection, certificate, order).await?;
        return Ok(Registration::RegisteredRevoked);
    }
    let (Some(key), Some(before)) = (key, before) else { return Ok(outcome) };
    let (place, now) = ((certificate.issuer, &*certificate.serial), certificate.registered_at);
    if compromises::catch_up(connection, reach, place, &before, now).await?.is_none() {
        return Ok(outcome);
    }
    // For those with that key that come behind it.
    compromised.insert(key, before);
    Ok(Registration::RegisteredRevoked)
}

/// Whether a certificate that was known is itself at hand, and not revoked. What a revocation is now may
/// be what two people decided, and whoever registers changes nothing about that; nor does an import
/// decide which key a certificate has.
async fn is_proven_and_good(
    connection: &mut AnyConnection,
    certificate: &CertificateRecord,
) -> Result<bool, StorageError> {
    let CertificateRecord { issuer, serial, evidence, .. } = certificate;
    Ok(*evidence == Evidence::Certificate
        && revocations::stored(connection, *issuer, serial).await?.is_none())
}

/// Inserts what is new; gives issuer and serial number of each that was.
async fn insert(
    connection: &mut AnyConnection,
    certificates: &[CertificateRecord],
    actors: &HashMap<&str, i64>,
) -> Result<HashSet<(i64, Vec<u8>)>, StorageError> {
    let statement = format!(
        "INSERT INTO certificates (issuer, serial, not_before, not_after, registered_at, actor, \
         sha256, spki_sha256, subject, evidence, tbs_sha256) VALUES {} \
         ON CONFLICT (issuer, serial) DO NOTHING RETURNING issuer, serial",
        rows::placeholders(certificates.len(), COLUMN_COUNT)
    );
    // Nothing but placeholders was put into it.
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for certificate in certificates {
        let digests = certificate.digests.as_ref();
        query = query
            .bind(certificate.issuer.0)
            .bind(certificate.serial.clone())
            .bind(certificate.not_before.seconds())
            .bind(certificate.not_after.seconds())
            .bind(certificate.registered_at.seconds())
            .bind(actors.get(certificate.actor.as_str()).copied().unwrap_or_default())
            .bind(digests.map(|digests| digests.sha256.to_vec()))
            .bind(digests.map(|digests| digests.spki_sha256.to_vec()))
            .bind(digests.map(|digests| digests.subject.clone()))
            .bind(evidence_code(certificate.evidence))
            .bind(tbs(digests));
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get("issuer")?, row.try_get("serial")?))).collect()
}

/// What a certificate is that was there before.
async fn compare(
    connection: &mut AnyConnection,
    certificate: &CertificateRecord,
    actor: i64,
) -> Result<Registration, StorageError> {
    let known = self::certificate(connection, certificate.issuer, &certificate.serial).await?;
    let known = known.ok_or(StorageError::Corrupt { what: "certificate" })?;
    if (known.evidence, certificate.evidence) == (Evidence::Import, Evidence::Certificate) {
        return prove(connection, &known, certificate, actor).await;
    }
    refuse_another(&known, certificate)?;
    if known.digests.is_some() || certificate.digests.is_none() {
        return Ok(Registration::Known);
    }
    replace_facts(connection, certificate).await?;
    Ok(Registration::Completed)
}

/// Refuses a certificate where another one has its issuer and serial number.
pub(crate) fn refuse_another(
    known: &CertificateRecord,
    certificate: &CertificateRecord,
) -> Result<(), StorageError> {
    if known.may_be(certificate) {
        return Ok(());
    }
    Err(StorageError::CertificateConflict { serial: serial_text(&certificate.serial) })
}

/// Those of `serials` that an issuer's certificates have.
pub(crate) async fn of_serials(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    serials: &[&[u8]],
) -> Result<Vec<CertificateRecord>, StorageError> {
    let places: Vec<_> = (2..serials.len() + 2).map(|number| format!("${number}")).collect();
    let statement = format!(
        "SELECT {COLUMNS} FROM certificates c JOIN actors b ON b.id = c.actor \
         WHERE c.issuer = $1 AND c.serial IN ({})",
        places.join(", ")
    );
    // Nothing but placeholders was put into it.
    let mut query = sqlx::query(AssertSqlSafe(statement)).bind(issuer.0);
    for serial in serials {
        query = query.bind(serial.to_vec());
    }
    query.fetch_all(connection).await?.iter().map(of_row).collect()
}

/// Puts what the certificate says in the place of what an import said. An import that said something
/// else did not register it either.
async fn prove(
    connection: &mut AnyConnection,
    known: &CertificateRecord,
    certificate: &CertificateRecord,
    actor: i64,
) -> Result<Registration, StorageError> {
    replace_facts(connection, certificate).await?;
    let facts = |of: &CertificateRecord| {
        let digests = of.digests.as_ref();
        let facts = digests.map(|digests| (digests.spki_sha256, digests.subject.clone()));
        (facts, of.not_before, of.not_after)
    };
    if known.digests.is_none() {
        return Ok(Registration::Completed);
    }
    if known.may_be(certificate) && facts(known) == facts(certificate) {
        return Ok(Registration::Known);
    }
    tracing::warn!(
        serial = serial_text(&certificate.serial),
        imported = known.actor,
        "an import said something else than the certificate, which was registered now"
    );
    sqlx::query(
        "UPDATE certificates SET registered_at = $3, actor = $4 WHERE issuer = $1 AND serial = $2",
    )
    .bind(certificate.issuer.0)
    .bind(&certificate.serial)
    .bind(certificate.registered_at.seconds())
    .bind(actor)
    .execute(connection)
    .await?;
    Ok(Registration::Corrected)
}

async fn replace_facts(
    connection: &mut AnyConnection,
    certificate: &CertificateRecord,
) -> Result<(), StorageError> {
    let digests = certificate.digests.as_ref();
    sqlx::query(
        "UPDATE certificates SET sha256 = $3, spki_sha256 = $4, subject = $5, not_before = $6, \
         not_after = $7, evidence = $8, tbs_sha256 = $9 WHERE issuer = $1 AND serial = $2",
    )
    .bind(certificate.issuer.0)
    .bind(&certificate.serial)
    .bind(digests.map(|digests| digests.sha256.to_vec()))
    .bind(digests.map(|digests| digests.spki_sha256.to_vec()))
    .bind(digests.map(|digests| digests.subject.clone()))
    .bind(certificate.not_before.seconds())
    .bind(certificate.not_after.seconds())
    .bind(evidence_code(certificate.evidence))
    .bind(tbs(digests))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn certificate(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    serial: &[u8],
) -> Result<Option<CertificateRecord>, StorageError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM certificates c JOIN actors b ON b.id = c.actor \
         WHERE c.issuer = $1 AND c.serial = $2"
    );
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(issuer.0)
        .bind(serial)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(of_row).transpose()
}

pub(super) async fn status(
    connection: &mut AnyConnection,
    issuer: IssuerId,
    serial: &[u8],
) -> Result<Status, StorageError> {
    let row = sqlx::query(
        "SELECT r.reason, r.revocation_date, r.recorded_at, a.name AS actor FROM certificates c \
         LEFT JOIN revocations r ON r.issuer = c.issuer AND r.serial = c.serial \
         LEFT JOIN actors a ON a.id = r.actor WHERE c.issuer = $1 AND c.serial = $2",
    )
    .bind(issuer.0)
    .bind(serial)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(Status::NeverIssued) };
    Ok(rows::revocation(&row)?.map_or(Status::Good, Status::Revoked))
}

fn of_row(row: &AnyRow) -> Result<CertificateRecord, StorageError> {
    let octets = |column| row.try_get::<Option<Vec<u8>>, _>(column);
    let digests = match (octets("sha256")?, octets("spki_sha256")?, octets("subject")?) {
        (Some(sha256), Some(key), Some(subject)) => Some(Digests {
            sha256: digest(&sha256)?,
            tbs_sha256: octets("tbs_sha256")?.map(|tbs| digest(&tbs)).transpose()?,
            spki_sha256: digest(&key)?,
            subject,
        }),
        _ => None,
    };
    Ok(CertificateRecord {
        issuer: IssuerId(row.try_get("issuer")?),
        serial: row.try_get("serial")?,
        digests,
        not_before: seconds(row, "not_before")?,
        not_after: seconds(row, "not_after")?,
        registered_at: seconds(row, "registered_at")?,
        evidence: evidence(row)?,
        actor: row.try_get("registered_by")?,
    })
}

fn tbs(digests: Option<&Digests>) -> Option<Vec<u8>> {
    digests.and_then(|digests| digests.tbs_sha256).map(|tbs| tbs.to_vec())
}

const fn evidence_code(evidence: Evidence) -> i64 {
    match evidence {
        Evidence::Certificate => 0,
        Evidence::Import => 1,
    }
}
