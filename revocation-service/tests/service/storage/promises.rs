//! What every storage promises of certificates, revocations and CRLs.

use std::sync::Arc;

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use countersign_revocation::register::{
    CrlForm, CrlList, CrlScope,
    rules::{Refusal, RevocationOrder},
    storage::{
        CertificateRecord, Digests, Registration, RevocationChanges, Status, StorageError,
        StoredCrl,
    },
};

use super::{Fixture, certificate, on_both_databases, open, order};

on_both_databases! {
    registers_all_or_none_and_knows_what_it_has
    statuses_belong_to_issuer_and_serial_number
    refuses_to_revoke_what_was_never_registered
    an_equal_revocation_changes_nothing_and_a_stricter_one_is_a_new_revision
    everything_is_there_after_opening_again
    crl_numbers_never_repeat_and_never_fall
    no_stored_list_goes_back_in_what_it_says
    a_list_made_elsewhere_takes_the_place_of_the_one_it_was_held_against
    a_name_stays_with_its_key
    crl_numbers_follow_the_clock_so_that_a_restored_database_repeats_none
    everything_changed_since_a_revision_is_told
    the_generation_grows_with_every_change
}

async fn registers_all_or_none_and_knows_what_it_has(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let outcome = storage.register(vec![certificate(issuer, 1), certificate(issuer, 2)]).await;
    assert_eq!(outcome.expect("registered"), [Registration::Registered; 2]);
    let outcome = storage.register(vec![certificate(issuer, 2), certificate(issuer, 3)]).await;
    assert_eq!(outcome.expect("registered"), [Registration::Known, Registration::Registered]);

    let conflicting = CertificateRecord {
        digests: Some(Digests {
            sha256: [7; 32],
            tbs_sha256: Some([7; 32]),
            spki_sha256: [9; 32],
            subject: vec![0x30, 0],
        }),
        ..certificate(issuer, 1)
    };
    let refused = storage.register(vec![certificate(issuer, 4), conflicting]).await;
    assert!(matches!(refused, Err(StorageError::CertificateConflict { .. })), "{refused:?}");
    assert_eq!(storage.status(issuer, &[4]).await.expect("read"), Status::NeverIssued);
    let record = storage.certificate(issuer, &[1]).await.expect("read");
    assert_eq!(record, Some(certificate(issuer, 1)));
}

async fn statuses_belong_to_issuer_and_serial_number(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let other = storage.bind_issuer("timestamping", [2; 32]).await.expect("bound");
    storage
        .register(vec![certificate(issuer, 1), certificate(other, 1)])
        .await
        .expect("registered");
    storage
        .revoke(issuer, &[1], &order(RevocationReason::Superseded, None))
        .await
        .expect("revoked");
    assert!(matches!(storage.status(issuer, &[1]).await.expect("read"), Status::Revoked(_)));
    assert_eq!(storage.status(other, &[1]).await.expect("read"), Status::Good);
    assert_eq!(storage.status(issuer, &[2]).await.expect("read"), Status::NeverIssued);
    assert_eq!(storage.status(issuer, &[0, 1]).await.expect("read"), Status::NeverIssued);
}

async fn refuses_to_revoke_what_was_never_registered(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let refused = storage.revoke(issuer, &[1], &order(RevocationReason::Superseded, None)).await;
    assert!(matches!(refused, Err(StorageError::NotRegistered { .. })), "{refused:?}");
}

async fn an_equal_revocation_changes_nothing_and_a_stricter_one_is_a_new_revision(
    fixture: Fixture,
) {
    let Fixture { storage, issuer, .. } = fixture;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let first = storage
        .revoke(issuer, &[1], &order(RevocationReason::Superseded, None))
        .await
        .expect("revoked");
    let later = RevocationOrder {
        now: UnixSeconds::new(6_000),
        actor: "other@example.test".to_owned(),
        ..order(RevocationReason::Superseded, None)
    };
    let again = storage.revoke(issuer, &[1], &later).await.expect("the same");
    assert_eq!(again, first);

    let stricter = order(RevocationReason::KeyCompromise, Some(4_000));
    let raised = storage.revoke(issuer, &[1], &stricter).await.expect("raised");
    assert_eq!(raised.revision, first.revision + 1);
    let refused =
        storage.revoke(issuer, &[1], &order(RevocationReason::Superseded, Some(4_000))).await;
    assert!(
        matches!(refused, Err(StorageError::Refused(Refusal::ReasonLowered { .. }))),
        "{refused:?}"
    );
    let list = storage.revocations(issuer).await.expect("read");
    assert_eq!(list.revision, raised.revision);
    assert_eq!(list.entries, [(vec![1], raised.revocation)]);
}

async fn everything_is_there_after_opening_again(fixture: Fixture) {
    let Fixture { location, storage, issuer } = fixture;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let recorded = storage
        .revoke(issuer, &[1], &order(RevocationReason::Superseded, None))
        .await
        .expect("revoked");
    let number = storage.reserve_crl_number(issuer, 0).await.expect("a number");
    let crl = StoredCrl { number, revision: recorded.revision, der: vec![0x30, 0] };
    storage.store_crl(issuer, CrlList::WHOLE, &crl).await.expect("stored");
    storage.close().await;

    let storage = open(&location).await;
    assert_eq!(storage.bind_issuer("signing", [1; 32]).await.expect("bound"), issuer);
    assert_eq!(
        storage.status(issuer, &[1]).await.expect("read"),
        Status::Revoked(recorded.revocation)
    );
    let numbers = storage.stored_crl_numbers(issuer).await.expect("read");
    assert_eq!(numbers, [("whole".to_owned(), crl.number)].into());
    assert_eq!(storage.stored_crl(issuer, CrlList::WHOLE).await.expect("read"), Some(crl));
    assert_eq!(storage.reserve_crl_number(issuer, 0).await.expect("a number"), number + 1);
}

async fn crl_numbers_never_repeat_and_never_fall(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let mut numbers = Vec::new();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move { storage.reserve_crl_number(issuer, 0).await })
        })
        .collect();
    for task in tasks {
        numbers.push(task.await.expect("joined").expect("a number"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<u64>>());

    let crl = |number| StoredCrl {
        number,
        revision: 0,
        der: vec![0x30, u8::try_from(number).unwrap_or(0)],
    };
    storage.store_crl(issuer, CrlList::WHOLE, &crl(20)).await.expect("stored");
    storage.store_crl(issuer, CrlList::WHOLE, &crl(20)).await.expect("the same again");
    let refused = storage.store_crl(issuer, CrlList::WHOLE, &crl(19)).await;
    assert!(
        matches!(refused, Err(StorageError::CrlNumber { number: 19, stored: 20 })),
        "{refused:?}"
    );
    storage.store_crl(issuer, CrlList::WHOLE, &crl(200)).await.expect("one made elsewhere");
    assert_eq!(storage.reserve_crl_number(issuer, 0).await.expect("a number"), 201);
}

/// C9: the list of a slow replica, with a higher number and read before a revocation, took the place of the one
/// that showed it.
async fn no_stored_list_goes_back_in_what_it_says(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let delta = CrlList { scope: CrlScope::Whole, form: CrlForm::Delta };
    for list in [CrlList::WHOLE, delta] {
        let store = async |number: u64, revision| {
            let octet = u8::try_from(number).expect("small");
            let crl = StoredCrl { number, revision, der: vec![0x30, octet] };
            storage.store_crl(issuer, list, &crl).await
        };
        store(20, 6).await.expect("stored");
        for earlier in [5, 0] {
            let refused = store(21, earlier).await;
            assert!(
                matches!(refused, Err(StorageError::CrlRevision { revision, stored: 6 }) if revision == earlier),
                "{list}: {refused:?}"
            );
        }
        let stored = storage.stored_crl(issuer, list).await.expect("read").expect("there");
        assert_eq!((stored.number, stored.revision), (20, 6), "{list}");
        // Renewed with the same content; then with more.
        store(22, 6).await.expect("the same content");
        store(23, 7).await.expect("more");
    }
    // The issuer's key moved elsewhere: its CRL has no revision here.
    let crl = StoredCrl { number: 30, revision: 0, der: vec![0x30, 30] };
    let before = storage.stored_crl(issuer, CrlList::WHOLE).await.expect("read").expect("there");
    let stored = storage.store_crl_made_elsewhere(issuer, &crl, Some(&before.der)).await;
    stored.expect("made elsewhere");
    let stored = storage.stored_crl(issuer, CrlList::WHOLE).await.expect("read");
    assert_eq!(stored, Some(crl));
}

/// D11: a list was held against what one replica had in memory, and stored in the place of another.
async fn a_list_made_elsewhere_takes_the_place_of_the_one_it_was_held_against(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let crl =
        |number: u8| StoredCrl { number: number.into(), revision: 0, der: vec![0x30, number] };
    let store = async |number, after: Option<u8>| {
        let after = after.map(|after| crl(after).der);
        storage.store_crl_made_elsewhere(issuer, &crl(number), after.as_deref()).await
    };
    store(6, None).await.expect("the first");
    store(7, Some(6)).await.expect("its successor");
    store(7, Some(6)).await.expect("the same again");
    for after in [None, Some(6), Some(8)] {
        let refused = store(8, after).await;
        assert!(matches!(refused, Err(StorageError::CrlOvertaken)), "{after:?}: {refused:?}");
    }
    let refused = store(6, Some(7)).await;
    assert!(matches!(refused, Err(StorageError::CrlNumber { .. })), "{refused:?}");
    assert_eq!(storage.stored_crl(issuer, CrlList::WHOLE).await.expect("read"), Some(crl(7)));
    store(8, Some(7)).await.expect("held against the one that is stored");
}

async fn a_name_stays_with_its_key(fixture: Fixture) {
    let Fixture { storage, .. } = fixture;
    for (name, key) in [("signing", [2; 32]), ("other", [1; 32])] {
        let refused = storage.bind_issuer(name, key).await;
        assert!(matches!(refused, Err(StorageError::IssuerChanged { .. })), "{refused:?}");
    }
}

async fn crl_numbers_follow_the_clock_so_that_a_restored_database_repeats_none(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let clock = 1_800_000_000;
    let number = |least| storage.reserve_crl_number(issuer, least);
    assert_eq!(number(clock).await.expect("a number"), clock);
    assert_eq!(number(clock).await.expect("a number"), clock + 1);
    assert_eq!(number(clock - 100).await.expect("a number"), clock + 2);
    // What a backup of an hour ago would go on with, had it not.
    assert_eq!(number(clock + 3600).await.expect("a number"), clock + 3600);
}

async fn everything_changed_since_a_revision_is_told(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    storage
        .register((1..=4).map(|serial| certificate(issuer, serial)).collect())
        .await
        .expect("registered");
    let mut revisions = Vec::new();
    for serial in [3, 1] {
        let order = order(RevocationReason::Superseded, None);
        revisions.push(storage.revoke(issuer, &[serial], &order).await.expect("revoked"));
    }
    let first = revisions[0].revision;
    let changes = storage.changes_since(issuer, first).await.expect("read");
    let second = revisions[1].clone();
    assert_eq!(
        changes,
        RevocationChanges {
            revision: second.revision,
            entries: vec![(vec![1], Some(second.revocation))],
        }
    );
    assert_eq!(storage.changes_since(issuer, 0).await.expect("read").entries.len(), 2);
    let none = storage.changes_since(issuer, second.revision).await.expect("read");
    assert_eq!(none.entries, []);
}

async fn the_generation_grows_with_every_change(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let generation = || async {
        // PostgreSQL's is known as soon as the feed has begun.
        for _ in 0..500 {
            if let Some(generation) = storage.generation() {
                return generation;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no generation")
    };
    let start = generation().await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let registered = generation().await;
    assert!(registered > start);
    let order = order(RevocationReason::Superseded, None);
    storage.revoke(issuer, &[1], &order).await.expect("revoked");
    assert!(generation().await > registered);
}
