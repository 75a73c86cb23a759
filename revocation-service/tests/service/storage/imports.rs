//! What every storage promises about imports, and about keys that are revoked by them.

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason::{CertificateHold, KeyCompromise},
    time::UnixSeconds,
};
use countersign_revocation::{
    admin::ImportBatch,
    register::{
        rules::{People, Refusal, RevocationOrder},
        storage::{
            CertificateRecord, Digests, Evidence, IssuerId, Listed, Registration, Revocation,
            RevokedKey, Status, Storage, StorageError,
        },
    },
    releases::{ReleaseRecord, ReleasesOf},
};

use super::{Fixture, certificate, on_both_databases, order};

on_both_databases! {
    an_imported_key_takes_its_certificates_with_it
    a_known_certificate_is_revoked_when_its_key_was
    an_order_against_the_key_that_a_certificate_had_changes_nothing
    what_an_import_contradicts_is_found_before_anything_is_written
    a_certificate_is_the_same_by_another_signature
    revoked_keys_are_listed_page_by_page
}

pub(super) fn with_key(issuer: IssuerId, serial: u8, key: u8) -> CertificateRecord {
    let digests = Digests {
        sha256: [serial; 32],
        tbs_sha256: Some([serial; 32]),
        spki_sha256: [key; 32],
        subject: vec![0x30, 0],
    };
    CertificateRecord { digests: Some(digests), ..certificate(issuer, serial) }
}

fn revoked_key(key: u8, since: i64) -> RevokedKey {
    let revocation = Revocation {
        reason: KeyCompromise,
        revocation_date: UnixSeconds::new(since),
        recorded_at: UnixSeconds::new(since),
        actor: "imported by carol: bob".to_owned(),
    };
    RevokedKey { spki_sha256: [key; 32], revocation }
}

fn keys(keys: Vec<RevokedKey>) -> ImportBatch {
    ImportBatch { keys, ..ImportBatch::default() }
}

const NOW: UnixSeconds = UnixSeconds::new(6_000);

/// Since when a certificate is revoked; nothing while it is good.
async fn revoked_since(storage: &Arc<Storage>, issuer: IssuerId, serial: u8) -> Option<i64> {
    match storage.status(issuer, &[serial]).await.expect("read") {
        Status::Revoked(revocation) => Some(revocation.revocation_date.seconds()),
        Status::Good | Status::NeverIssued => None,
    }
}

/// B3: the key was on record as revoked, and what was registered with it stayed good.
async fn an_imported_key_takes_its_certificates_with_it(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let foreign = storage.bind_issuer("root", [3; 32]).await.expect("bound");
    let registered = vec![with_key(issuer, 1, 7), with_key(issuer, 2, 8), with_key(foreign, 1, 7)];
    storage.register(registered).await.expect("registered");
    let import = async |key| storage.import(keys(vec![key]), &[issuer], NOW).await;
    let taken = import(revoked_key(7, 3_000)).await.expect("imported");
    assert_eq!(taken.revisions, [(issuer, 1)]);
    assert_eq!(revoked_since(&storage, issuer, 1).await, Some(3_000));
    for (other, serial) in [(issuer, 2), (foreign, 1)] {
        assert_eq!(revoked_since(&storage, other, serial).await, None);
    }
    // Again: nothing changes. A later date is not stricter, an earlier one is.
    for (since, revisions, stands) in
        [(3_000, vec![], 3_000), (4_000, vec![], 3_000), (2_500, vec![(issuer, 2)], 2_500)]
    {
        let taken = import(revoked_key(7, since)).await.expect("imported");
        assert_eq!(taken.revisions, revisions, "{since}");
        assert_eq!(revoked_since(&storage, issuer, 1).await, Some(stands), "{since}");
    }
    // A key is not put on hold: nothing could lift that.
    let mut hold = revoked_key(8, 3_000);
    hold.revocation.reason = CertificateHold;
    let refused = import(hold).await;
    assert!(matches!(refused, Err(StorageError::Refused(Refusal::Undo))), "{refused:?}");
    assert_eq!(storage.revoked_key([8; 32]).await.expect("read"), None);
}

/// B3: a certificate that was good although its key was revoked stayed good when it was registered again.
async fn a_known_certificate_is_revoked_when_its_key_was(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let register = async || {
        let outcomes = storage.register(vec![with_key(issuer, 1, 7)]).await.expect("registered");
        outcomes[0]
    };
    assert_eq!(register().await, Registration::Registered);
    // None of its issuers is among those that revoke here.
    storage.import(keys(vec![revoked_key(7, 1_500)]), &[], NOW).await.expect("imported");
    assert_eq!(revoked_since(&storage, issuer, 1).await, None);
    assert_eq!(register().await, Registration::RegisteredRevoked);
    assert_eq!(revoked_since(&storage, issuer, 1).await, Some(1_500));
    assert_eq!(register().await, Registration::Known);
    // What two people decided since is not undone by whoever registers it again.
    let later = RevocationOrder { people: People::Two, ..order(KeyCompromise, Some(1_800)) };
    storage.revoke(issuer, &[1], &later).await.expect("moved");
    assert_eq!(register().await, Registration::Known);
    assert_eq!(revoked_since(&storage, issuer, 1).await, Some(1_800));
}

/// B11: an answer named a certificate as revoked whose key had been corrected meanwhile.
async fn an_order_against_the_key_that_a_certificate_had_changes_nothing(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let registered = vec![with_key(issuer, 1, 7), with_key(issuer, 2, 8)];
    storage.register(registered).await.expect("registered");
    let order = order(KeyCompromise, Some(3_000));
    let changed = storage.revoke_key([7; 32], &order, &[issuer], Some((issuer, &[2]))).await;
    assert!(matches!(changed, Err(StorageError::KeyChanged { .. })), "{changed:?}");
    assert_eq!(storage.revoked_key([7; 32]).await.expect("read"), None);
    assert_eq!(revoked_since(&storage, issuer, 1).await, None);
    let done = storage.revoke_key([7; 32], &order, &[issuer], Some((issuer, &[1]))).await;
    assert_eq!(done.expect("revoked").certificates.len(), 1);
}

fn release(issuer: IssuerId, bundle: u16, name: &str) -> ReleaseRecord {
    let mut bundle_sha256 = [0; 32];
    bundle_sha256[..2].copy_from_slice(&bundle.to_be_bytes());
    ReleaseRecord {
        bundle_sha256,
        name: name.to_owned(),
        signed_at: None,
        issuer,
        serial: vec![1],
        spki_sha256: [7; 32],
        registered_at: UnixSeconds::new(5_000),
        actor: "builder@example.test".to_owned(),
    }
}

/// B10: what an import contradicts was found when half of it was on record.
async fn what_an_import_contradicts_is_found_before_anything_is_written(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    storage.register(vec![with_key(issuer, 1, 7)]).await.expect("registered");
    storage.register_releases(vec![release(issuer, 1, "App 1")]).await.expect("registered");
    let listed = |serial, digest: Option<u8>| {
        let mut certificate = with_key(issuer, serial, 7);
        certificate.evidence = Evidence::Import;
        certificate.digests = digest.map(|digest| Digests {
            sha256: [digest; 32],
            tbs_sha256: Some([digest; 32]),
            spki_sha256: [7; 32],
            subject: vec![0x30, 0],
        });
        Listed { certificate, revocation: None }
    };
    let check = async |certificates: &[Listed], releases: &[ReleaseRecord]| {
        let outcome = storage.check_import(certificates, releases).await;
        // It says what the import itself then does.
        let batch = ImportBatch {
            keys: Vec::new(),
            certificates: certificates.to_vec(),
            releases: releases.to_vec(),
        };
        let done = storage.import(batch, &[], NOW).await;
        match (outcome, done) {
            (Ok(()), Ok(_)) => "taken",
            (
                Err(StorageError::CertificateConflict { .. }),
                Err(StorageError::CertificateConflict { .. }),
            ) => "another certificate",
            (
                Err(StorageError::ReleaseConflict { .. }),
                Err(StorageError::ReleaseConflict { .. }),
            ) => "another release",
            differ => panic!("{differ:?}"),
        }
    };
    // More than one statement looks up, with the contradiction at the end.
    let many: Vec<_> = (2..1_002).map(|bundle| release(issuer, bundle, "App")).collect();
    let with = |last| [&many[..], &[last]].concat();
    assert_eq!(check(&[], &with(release(issuer, 1, "App 2"))).await, "another release");
    assert_eq!(check(&[], &with(release(issuer, 2, "Other"))).await, "another release");
    assert_eq!(check(&[listed(1, Some(9))], &[]).await, "another certificate");
    assert_eq!(
        check(&[listed(5, None), listed(5, Some(5)), listed(5, Some(6))], &many).await,
        "another certificate"
    );
    let all = storage.releases(&ReleasesOf::All(None, 5)).await.expect("read");
    assert_eq!(all, [release(issuer, 1, "App 1")]);
    assert_eq!(
        check(
            &[listed(1, None), listed(1, Some(1)), listed(5, None), listed(5, Some(5))],
            &with(release(issuer, 1, "App 1"))
        )
        .await,
        "taken"
    );
}

/// B8: whoever registered another form of a certificate first, with its signature's other value of s, kept the
/// genuine one from being registered and revoked.
async fn a_certificate_is_the_same_by_another_signature(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let known_by = |serial, sha256, tbs_sha256| {
        let mut certificate = with_key(issuer, serial, 7);
        let digests = certificate.digests.as_mut().expect("some");
        (digests.sha256, digests.tbs_sha256) = (sha256, tbs_sha256);
        certificate
    };
    let outcome = async |certificate| match storage.register(vec![certificate]).await {
        Ok(outcomes) => Some(outcomes[0]),
        Err(StorageError::CertificateConflict { .. }) => None,
        Err(error) => panic!("{error}"),
    };
    for (sha256, tbs, want) in [
        ([1; 32], Some([9; 32]), Some(Registration::Registered)),
        ([2; 32], Some([9; 32]), Some(Registration::Known)),
        ([1; 32], Some([8; 32]), None),
    ] {
        assert_eq!(outcome(known_by(1, sha256, tbs)).await, want, "{tbs:?}");
    }
    // One that an earlier version registered: by all that is known of it.
    assert_eq!(outcome(known_by(2, [1; 32], None)).await, Some(Registration::Registered));
    assert_eq!(outcome(known_by(2, [2; 32], Some([9; 32]))).await, Some(Registration::Known));
    let mut other = known_by(2, [2; 32], Some([9; 32]));
    other.not_after = UnixSeconds::new(91_000);
    assert_eq!(outcome(other).await, None);
    // An import's word for a certificate that is the same changes nothing.
    let listed = |sha256, tbs| {
        let certificate =
            CertificateRecord { evidence: Evidence::Import, ..known_by(1, sha256, tbs) };
        let certificates = vec![Listed { certificate, revocation: None }];
        ImportBatch { certificates, ..ImportBatch::default() }
    };
    let same = storage.import(listed([3; 32], Some([9; 32])), &[], NOW).await.expect("the same");
    assert_eq!(same.registrations, [Registration::Known]);
    let other = storage.import(listed([3; 32], None), &[], NOW).await;
    assert!(matches!(other, Err(StorageError::CertificateConflict { .. })), "{other:?}");
}

/// B5: every key came in one answer, and took a connection as long as that took.
async fn revoked_keys_are_listed_page_by_page(fixture: Fixture) {
    let Fixture { storage, .. } = fixture;
    let all = (1..=3).map(|key| revoked_key(key, 3_000)).collect();
    storage.import(keys(all), &[], NOW).await.expect("imported");
    let page = async |after: Option<u8>, limit| {
        let keys = storage.revoked_keys(after.map(|key| [key; 32]), limit).await.expect("read");
        keys.iter().map(|key| key.spki_sha256[0]).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, [1, 2]);
    assert_eq!(page(Some(2), 2).await, [3]);
    assert_eq!(page(Some(3), 2).await, [0_u8; 0]);
}
