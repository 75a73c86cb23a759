//! Taking over what another system knew, and looking first whether that will be refused.

use std::collections::{BTreeMap, HashMap};

use countersign_core::time::UnixSeconds;
use sqlx::AnyConnection;

use super::{certificates, keys, releases, revocations, rows::ROWS_AT_ONCE};
use crate::{
    rules::{self, Change},
    storage::{
        CertificateRecord, ImportBatch, ImportTaken, IssuerId, Listed, ReleaseRecord, StorageError,
    },
};

pub(super) async fn take(
    connection: &mut AnyConnection,
    batch: ImportBatch,
    issuers: &[IssuerId],
    now: UnixSeconds,
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
    let registrations = certificates::register(connection, &certificates).await?;
    for (certificate, revocation) in certificates.iter().zip(revocations) {
        let (issuer, serial) = (certificate.issuer, &certificate.serial);
        concern(issuer);
        let Some(revocation) = revocation else { continue };
        let stored = revocations::stored(connection, issuer, serial).await?;
        if let Change::Write(revocation) = rules::stricter(stored.as_ref(), revocation) {
            revocations::write(connection, issuer, serial, &revocation).await?;
        }
    }
    releases::register(connection, &batch.releases).await?;
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
    let mut known: HashMap<[u8; 32], ReleaseRecord> = HashMap::new();
    for chunk in releases.chunks(ROWS_AT_ONCE) {
        let bundles: Vec<_> = chunk.iter().map(|release| release.bundle_sha256).collect();
        let found = releases::of_bundles(connection, &bundles).await?;
        known.extend(found.into_iter().map(|release| (release.bundle_sha256, release)));
        for release in chunk {
            let first = known.entry(release.bundle_sha256).or_insert_with(|| release.clone());
            releases::refuse_another(first, release)?;
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
