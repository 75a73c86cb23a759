//! A part of an import: taking it over in one transaction, and looking first whether that will be
//! refused.
//!
//! It is administration's, since it goes into the register and into the releases at once. What an
//! import may say is [`super::import`]'s.

use std::collections::{BTreeMap, HashMap};

use countersign_core::time::UnixSeconds;
use sqlx::AnyConnection;

use crate::{
    register::{
        rules::{self, Change},
        storage::{
            CertificateRecord, CompromiseReach, IssuerId, Listed, Registration, RevokedKey,
            Storage, StorageError, certificates, compromises, keys, revocations,
            rows::ROWS_AT_ONCE,
        },
    },
    releases::{self, ReleaseRecord, storage::ReleaseKey},
};

/// A part of an import, which is taken over in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportBatch {
    /// Keys that were revoked. They come first: what is registered with one is revoked with it.
    pub keys: Vec<RevokedKey>,
    /// Certificates with their revocations.
    pub certificates: Vec<Listed>,
    /// Releases.
    pub releases: Vec<ReleaseRecord>,
}

impl ImportBatch {
    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.keys.len() + self.certificates.len() + self.releases.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What became of a part of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportTaken {
    /// Of each certificate, in the order handed in.
    pub registrations: Vec<Registration>,
    /// The revisions of the issuers that it concerned.
    pub revisions: Vec<(IssuerId, i64)>,
}

impl Storage {
    /// Takes over what another system knew: all of the batch or none. Durable. A revocation on record
    /// stays unless the one taken over is stricter; its own date of recording and actor are kept. A
    /// key takes its certificates of `issuers` with it as an order against it does, `now`; and so does a
    /// revocation for keyCompromise, if the certificate's key is proven, as far as a compromise reaches.
    ///
    /// # Errors
    /// As [`register`](Self::register) and [`register_releases`](Self::register_releases);
    /// [`StorageError::Refused`]: a key is on hold.
    pub async fn import(
        &self,
        batch: ImportBatch,
        issuers: &[IssuerId],
        now: UnixSeconds,
    ) -> Result<ImportTaken, StorageError> {
        let mut work = self.begin().await?;
        let taken = take(&mut work, self.reach(), batch, (issuers, now)).await?;
        self.commit(work).await?;
        Ok(taken)
    }

    /// Whether [`import`](Self::import) would refuse one of those, for what is on record or for another
    /// of them. Writes nothing and keeps nobody from writing: another order may come between.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub async fn check_import(
        &self,
        certificates: &[Listed],
        releases: &[ReleaseRecord],
    ) -> Result<(), StorageError> {
        check(&mut *self.readers.acquire().await?, certificates, releases).await
    }
}

pub(super) async fn take(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    batch: ImportBatch,
    (issuers, now): (&[IssuerId], UnixSeconds),
) -> Result<ImportTaken, StorageError> {
    let mut concerned: Vec<IssuerId> = Vec::new();
    let mut concern = |issuer: IssuerId| {
        if !concerned.contains(&issuer) {
            concerned.push(issuer);
        }
    };
    for key in &batch.keys {
        let recorded = keys::import(connection, key, issuers, now).await?;
        recorded.revisions.iter().for_each(|(issuer, _)| concern(*issuer));
    }
    let (certificates, revocations): (Vec<_>, Vec<_>) =
        batch.certificates.into_iter().map(|entry| (entry.certificate, entry.revocation)).unzip();
    let registrations = certificates::register(connection, reach, &certificates).await?;
    for (certificate, revocation) in certificates.iter().zip(revocations) {
        let (issuer, serial) = (certificate.issuer, &certificate.serial);
        concern(issuer);
        let Some(revocation) = revocation else { continue };
        let stored = revocations::stored(connection, issuer, serial).await?;
        let place = (issuer, &**serial);
        let others = match rules::stricter(stored.as_ref(), revocation) {
            Change::Write(revocation) | Change::Release(revocation) => {
                compromises::write(connection, reach, place, &revocation, now).await?.others
            }
            Change::None(stands) => {
                let others = compromises::catch_up(connection, reach, place, &stands, now).await?;
                others.unwrap_or_default()
            }
        };
        for (issuer, _) in others {
            concern(issuer);
        }
    }
    releases::storage::register(connection, &batch.releases).await?;
    let mut revisions = Vec::with_capacity(concerned.len());
    for issuer in concerned {
        revisions.push((issuer, revocations::revision(connection, issuer).await?));
    }
    Ok(ImportTaken { registrations, revisions })
}

pub(super) async fn check(
    connection: &mut AnyConnection,
    certificates: &[Listed],
    releases: &[ReleaseRecord],
) -> Result<(), StorageError> {
    check_certificates(connection, certificates).await?;
    let mut known: HashMap<ReleaseKey, ReleaseRecord> = HashMap::new();
    for chunk in releases.chunks(ROWS_AT_ONCE) {
        let bundles: Vec<_> = chunk.iter().map(|release| release.bundle_sha256).collect();
        let found = releases::storage::of_bundles(connection, &bundles).await?;
        known.extend(found.into_iter().map(|release| (release.key(), release)));
        for release in chunk {
            let first = known.entry(release.key()).or_insert_with(|| release.clone());
            releases::storage::refuse_another(first, release)?;
        }
    }
    Ok(())
}

async fn check_certificates(
    connection: &mut AnyConnection,
    certificates: &[Listed],
) -> Result<(), StorageError> {
    let mut known: HashMap<(IssuerId, Vec<u8>), CertificateRecord> = HashMap::new();
    for chunk in certificates.chunks(ROWS_AT_ONCE) {
        let mut serials: BTreeMap<IssuerId, Vec<&[u8]>> = BTreeMap::new();
        for Listed { certificate, .. } in chunk {
            serials.entry(certificate.issuer).or_default().push(&certificate.serial);
        }
        for (issuer, serials) in serials {
            for found in certificates::of_serials(connection, issuer, &serials).await? {
                known.entry((issuer, found.serial.clone())).or_insert(found);
            }
        }
        for Listed { certificate, .. } in chunk {
            let place = (certificate.issuer, certificate.serial.clone());
            let first = known.entry(place).or_insert_with(|| certificate.clone());
            certificates::refuse_another(first, certificate)?;
            // The first that says more than the serial number is what the next is held against.
            if first.digests.is_none() {
                first.digests.clone_from(&certificate.digests);
            }
        }
    }
    Ok(())
}
