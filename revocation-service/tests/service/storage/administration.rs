//! What every storage promises to administration: keys, proposals, releases, import.

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason::{self, CertificateHold, KeyCompromise, RemoveFromCrl, Superseded},
    time::UnixSeconds,
};
use countersign_daemon::admin::{
    Person,
    proposal::{Decision, PendingError, PendingState, Verdict},
};
use countersign_revocation::{
    admin::{ImportBatch, ImportTaken},
    register::{
        rules::{People, Refusal, RevocationOrder},
        storage::{
            CertificateRecord, Digests, Evidence, Listed, Listing, Pending, Proposal, Registration,
            Revocation, Status, Storage, StorageError, Which,
        },
    },
    releases::{ReleaseRecord, ReleasesOf},
};

use super::{Fixture, certificate, on_both_databases, order};

on_both_databases! {
    a_key_takes_all_its_certificates_with_it_and_those_to_come
    certificates_are_listed_page_by_page
    a_later_date_waits_for_another_person
    a_hold_is_lifted_by_two_and_deltas_tell
    a_proposal_is_decided_once_and_in_time
    a_proposal_is_bound_to_what_it_changes
    a_proposal_is_added_to_withdrawn_and_alone
    releases_are_found_by_key_and_by_certificate
    a_release_has_the_latest_time_and_one_name
    a_wrong_signer_keeps_no_release_out
    what_waits_is_listed_before_everything_else
    a_second_approval_is_told_of_the_first
    an_import_takes_the_stricter_revocation_and_is_completed_later
    the_certificate_replaces_what_an_import_said_of_it
    dates_to_come_are_moved_to_now_for_good
    a_thousand_certificates_are_one_change
}

async fn import(
    storage: &Arc<Storage>,
    certificates: Vec<Listed>,
) -> Result<ImportTaken, StorageError> {
    let batch = ImportBatch { certificates, ..ImportBatch::default() };
    storage.import(batch, &[], UnixSeconds::new(6_000)).await
}

fn with_key(
    issuer: countersign_revocation::register::storage::IssuerId,
    serial: u8,
    key: u8,
) -> CertificateRecord {
    let digests = Digests {
        sha256: [serial; 32],
        tbs_sha256: Some([serial; 32]),
        spki_sha256: [key; 32],
        subject: vec![0x30, 0],
    };
    CertificateRecord { digests: Some(digests), ..certificate(issuer, serial) }
}

async fn a_key_takes_all_its_certificates_with_it_and_those_to_come(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let other = storage.bind_issuer("timestamping", [2; 32]).await.expect("bound");
    let foreign = storage.bind_issuer("root", [3; 32]).await.expect("bound");
    let certificates = vec![
        with_key(issuer, 1, 7),
        with_key(other, 1, 7),
        with_key(foreign, 1, 7),
        with_key(issuer, 2, 8),
    ];
    storage.register(certificates).await.expect("registered");
    let recorded = storage
        .revoke_key([7; 32], &order(KeyCompromise, Some(3_000)), &[issuer, other], None)
        .await
        .expect("revoked");
    let changed: Vec<_> =
        recorded.certificates.iter().map(|each| (each.issuer, each.changed)).collect();
    assert_eq!(changed, [(issuer, true), (other, true), (foreign, false)]);
    assert_eq!(recorded.revisions, [(issuer, 1), (other, 1)]);
    assert_eq!(storage.status(issuer, &[2]).await.expect("read"), Status::Good);
    assert_eq!(storage.status(foreign, &[1]).await.expect("read"), Status::Good);

    // Again: nothing changes. An earlier date: all move.
    for (since, revisions) in [(3_000, vec![]), (2_500, vec![(issuer, 2), (other, 2)])] {
        let order = order(KeyCompromise, Some(since));
        let again =
            storage.revoke_key([7; 32], &order, &[issuer, other], None).await.expect("allowed");
        assert_eq!(again.revisions, revisions);
    }

    // A certificate with that key that comes later is revoked in the same moment.
    let late = CertificateRecord { not_before: UnixSeconds::new(4_000), ..with_key(issuer, 3, 7) };
    let outcomes = storage.register(vec![late, with_key(issuer, 4, 8)]).await.expect("registered");
    assert_eq!(outcomes, [Registration::RegisteredRevoked, Registration::Registered]);
    let Status::Revoked(revocation) = storage.status(issuer, &[3]).await.expect("read") else {
        panic!("not revoked")
    };
    // Registered at 2000, valid from 4000 on: no revocation dates from a time to come.
    assert_eq!((revocation.reason, revocation.revocation_date.seconds()), (KeyCompromise, 2_000));
    let keys = storage.revoked_keys(None, 5).await.expect("read");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].revocation.revocation_date, UnixSeconds::new(2_500));

    let refused = storage.revoke_key([7; 32], &order(KeyCompromise, None), &[issuer], None).await;
    assert!(
        matches!(refused, Err(StorageError::Refused(Refusal::CompromisedSinceMissing { .. }))),
        "{refused:?}"
    );
}

async fn certificates_are_listed_page_by_page(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    storage
        .register((1..=5).map(|serial| certificate(issuer, serial)).collect())
        .await
        .expect("registered");
    for serial in [2, 5] {
        storage.revoke(issuer, &[serial], &order(Superseded, None)).await.expect("revoked");
    }
    let page = |which, after: &[u8]| {
        let listing = Listing { issuer, which, after: after.to_vec(), limit: 2 };
        let storage = Arc::clone(&storage);
        async move {
            let listed = storage.list(&listing).await.expect("read");
            listed
                .into_iter()
                .map(|each| (each.certificate.serial[0], each.revocation.is_some()))
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(page(Which::All, &[]).await, [(1, false), (2, true)]);
    assert_eq!(page(Which::All, &[2]).await, [(3, false), (4, false)]);
    assert_eq!(page(Which::All, &[4]).await, [(5, true)]);
    assert_eq!(page(Which::Revoked, &[]).await, [(2, true), (5, true)]);
}

/// For the certificate as it stands now.
async fn proposal(fixture: &Fixture, serial: u8, order: RevocationOrder) -> Proposal {
    let was = match fixture.storage.status(fixture.issuer, &[serial]).await.expect("read") {
        Status::Revoked(was) => Some(was),
        Status::Good | Status::NeverIssued => None,
    };
    Proposal {
        issuer: fixture.issuer,
        serial: vec![serial],
        by: person(&order.actor),
        order,
        was,
        comment: "the date was a mistake".to_owned(),
        proposer: None,
        expires_at: UnixSeconds::new(9_000),
    }
}

fn person(address: &str) -> Person {
    Person::new(address, [format!("email:{address}")])
}

fn verdict(actor: &str, at: i64) -> Verdict {
    Verdict { actor: person(actor), at: UnixSeconds::new(at), comment: "seen".to_owned() }
}

async fn revoked(storage: &Storage, fixture: &Fixture, reason: RevocationReason, since: i64) {
    storage.register(vec![certificate(fixture.issuer, 1)]).await.expect("registered");
    let order = order(reason, Some(since));
    storage.revoke(fixture.issuer, &[1], &order).await.expect("revoked");
}

async fn a_later_date_waits_for_another_person(fixture: Fixture) {
    let storage = Arc::clone(&fixture.storage);
    revoked(storage.as_ref(), &fixture, KeyCompromise, 3_000).await;
    let later = order(KeyCompromise, Some(4_000));
    let refused = storage.revoke(fixture.issuer, &[1], &later).await;
    assert!(
        matches!(&refused, Err(StorageError::Refused(refusal)) if refusal.takes_two_people()),
        "{refused:?}"
    );
    let proposed = proposal(&fixture, 1, later).await;
    let pending = storage.propose(&proposed).await.expect("proposed");
    let again = storage.propose(&proposed).await.expect("the same");
    assert_eq!(again, pending);
    let shown = pending.sha256();
    assert_eq!(storage.pending_count(UnixSeconds::new(6_000)).await.expect("read"), 1);

    let first = verdict("admin@example.test", 6_000);
    let own = storage.decide(pending.id, Decision::Approve, shown, &first).await;
    assert!(matches!(own, Err(StorageError::Pending(PendingError::SamePerson))), "{own:?}");
    let Status::Revoked(still) = storage.status(fixture.issuer, &[1]).await.expect("read") else {
        panic!("not revoked")
    };
    assert_eq!(still.revocation_date, UnixSeconds::new(3_000));

    let (approved, recorded) = storage
        .decide(pending.id, Decision::Approve, shown, &verdict("second@example.test", 6_000))
        .await
        .expect("approved");
    assert_eq!(approved.sha256(), shown, "what was proposed is the same");
    assert_eq!(approved.state, PendingState::Approved(verdict("second@example.test", 6_000)));
    assert_eq!(recorded.expect("carried out").revocation.revocation_date, UnixSeconds::new(4_000));
    assert_eq!(storage.pending_count(UnixSeconds::new(6_000)).await.expect("read"), 0);
}

async fn a_hold_is_lifted_by_two_and_deltas_tell(fixture: Fixture) {
    let (storage, issuer) = (Arc::clone(&fixture.storage), fixture.issuer);
    revoked(storage.as_ref(), &fixture, CertificateHold, 3_000).await;
    let before = storage.revision(issuer).await.expect("read");
    let release = order(RemoveFromCrl, None);
    let proposed = proposal(&fixture, 1, release.clone()).await;
    let pending = storage.propose(&proposed).await.expect("proposed");
    let second = verdict("second@example.test", 6_000);
    storage
        .decide(pending.id, Decision::Approve, pending.sha256(), &second)
        .await
        .expect("approved");
    assert_eq!(storage.status(issuer, &[1]).await.expect("read"), Status::Good);
    assert_eq!(storage.revocations(issuer).await.expect("read").entries, []);
    let changes = storage.changes_since(issuer, before).await.expect("read");
    assert_eq!(changes.entries, [(vec![1], None)]);

    // What is not on hold has nothing to be lifted, by however many people.
    let refused = storage.propose(&proposal(&fixture, 1, release).await).await;
    assert!(matches!(refused, Err(StorageError::Refused(Refusal::Undo))), "{refused:?}");
    storage.revoke(issuer, &[1], &order(Superseded, None)).await.expect("revoked again");
    assert!(matches!(storage.status(issuer, &[1]).await.expect("read"), Status::Revoked(_)));
}

async fn a_proposal_is_decided_once_and_in_time(fixture: Fixture) {
    let storage = Arc::clone(&fixture.storage);
    revoked(storage.as_ref(), &fixture, KeyCompromise, 3_000).await;
    let propose = async |since| {
        let later = proposal(&fixture, 1, order(KeyCompromise, Some(since))).await;
        storage.propose(&later).await.expect("proposed")
    };
    let decide = async |pending: &Pending, decision, at| {
        let verdict = verdict("second@example.test", at);
        storage.decide(pending.id, decision, pending.sha256(), &verdict).await
    };
    let first = propose(4_000).await;
    decide(&first, Decision::Reject, 6_000).await.expect("rejected");
    decide(&first, Decision::Reject, 6_000).await.expect("rejected already");
    let changed = decide(&first, Decision::Approve, 6_000).await;
    assert!(
        matches!(changed, Err(StorageError::Pending(PendingError::Decided { .. }))),
        "{changed:?}"
    );

    let second = propose(4_500).await;
    let late = decide(&second, Decision::Approve, 9_000).await;
    assert!(matches!(late, Err(StorageError::Pending(PendingError::Expired))), "{late:?}");
    let unknown = decide(&Pending { id: 99, ..first.clone() }, Decision::Approve, 6_000).await;
    assert!(matches!(unknown, Err(StorageError::Pending(PendingError::Unknown))), "{unknown:?}");
    let states: Vec<_> = storage
        .proposals(UnixSeconds::new(9_000), 10)
        .await
        .expect("read")
        .into_iter()
        .map(|pending| (pending.id, matches!(pending.state, PendingState::Expired)))
        .collect();
    assert_eq!(states, [(second.id, true), (first.id, false)]);
    // What ran out stands in nobody's way.
    let late = Proposal {
        order: RevocationOrder {
            now: UnixSeconds::new(9_000),
            ..order(KeyCompromise, Some(4_700))
        },
        expires_at: UnixSeconds::new(12_000),
        ..proposal(&fixture, 1, order(KeyCompromise, Some(4_700))).await
    };
    assert!(storage.propose(&late).await.expect("proposed").id > second.id);
}

async fn a_proposal_is_bound_to_what_it_changes(fixture: Fixture) {
    let (storage, issuer) = (Arc::clone(&fixture.storage), fixture.issuer);
    revoked(storage.as_ref(), &fixture, KeyCompromise, 3_000).await;
    let stale = proposal(&fixture, 1, order(KeyCompromise, Some(4_000))).await;
    let pending = storage.propose(&stale).await.expect("proposed");
    assert_eq!(pending.proposal.was, stale.was);

    // Somebody else records an earlier date: whatever waits is void, also for a new proposal.
    storage.revoke(issuer, &[1], &order(KeyCompromise, Some(2_500))).await.expect("stricter");
    let second = verdict("second@example.test", 6_000);
    for decision in [Decision::Approve, Decision::Reject] {
        let void = storage.decide(pending.id, decision, pending.sha256(), &second).await;
        assert!(
            matches!(void, Err(StorageError::Pending(PendingError::Outdated { .. }))),
            "{void:?}"
        );
    }
    let void = storage.propose(&stale).await;
    assert!(matches!(void, Err(StorageError::Pending(PendingError::Outdated { .. }))), "{void:?}");
    let listed = storage.proposals(UnixSeconds::new(6_000), 10).await.expect("read");
    assert_eq!(listed[0].state, PendingState::Outdated);
    assert_eq!(storage.pending_count(UnixSeconds::new(6_000)).await.expect("read"), 0);

    // An order against its key, and an import, are such changes too.
    storage.register(vec![with_key(issuer, 2, 77)]).await.expect("registered");
    storage.revoke(issuer, &[2], &order(Superseded, Some(3_000))).await.expect("revoked");
    let second = proposal(&fixture, 2, order(Superseded, Some(4_000))).await;
    storage.propose(&second).await.expect("proposed");
    storage
        .revoke_key([77; 32], &order(KeyCompromise, Some(2_900)), &[issuer], None)
        .await
        .expect("revoked");
    let third = proposal(&fixture, 2, order(KeyCompromise, Some(4_000))).await;
    storage.propose(&third).await.expect("proposed");
    let imported = Listed {
        certificate: with_key(issuer, 2, 77),
        revocation: Some(Revocation {
            reason: KeyCompromise,
            revocation_date: UnixSeconds::new(2_000),
            recorded_at: UnixSeconds::new(2_000),
            actor: "old system".to_owned(),
        }),
    };
    import(&storage, vec![imported]).await.expect("imported");
    let listed = storage.proposals(UnixSeconds::new(6_000), 10).await.expect("read");
    assert!(listed.iter().all(|each| each.state == PendingState::Outdated), "{listed:?}");
}

async fn a_proposal_is_added_to_withdrawn_and_alone(fixture: Fixture) {
    let storage = Arc::clone(&fixture.storage);
    revoked(storage.as_ref(), &fixture, KeyCompromise, 3_000).await;
    let first = proposal(&fixture, 1, order(KeyCompromise, Some(4_000))).await;
    let pending = storage.propose(&first).await.expect("proposed");
    let more = Proposal { comment: "and the log says so".to_owned(), ..first.clone() };
    let added = storage.propose(&more).await.expect("added");
    assert_eq!(added.proposal.comment, "the date was a mistake; and the log says so");
    assert_eq!((added.id, added.sha256() == pending.sha256()), (pending.id, false));
    assert_eq!(storage.propose(&more).await.expect("said before"), added);
    let second = verdict("second@example.test", 6_000);
    let stale = storage.decide(pending.id, Decision::Approve, pending.sha256(), &second).await;
    assert!(matches!(stale, Err(StorageError::Pending(PendingError::NotAsShown))), "{stale:?}");
    let too_long = Proposal { comment: "x".repeat(1990), ..first.clone() };
    let refused = storage.propose(&too_long).await;
    let fault = PendingError::CommentTooLong;
    assert!(
        matches!(refused, Err(StorageError::Pending(ref found)) if *found == fault),
        "{refused:?}"
    );

    let other = proposal(&fixture, 1, order(KeyCompromise, Some(4_500))).await;
    let refused = storage.propose(&other).await;
    let fault = PendingError::AnotherWaits { id: pending.id, about: "certificate" };
    assert!(
        matches!(refused, Err(StorageError::Pending(ref found)) if *found == fault),
        "{refused:?}"
    );

    let strange = storage.withdraw(pending.id, &second).await;
    let fault = PendingError::AnotherPersons;
    assert!(
        matches!(strange, Err(StorageError::Pending(ref found)) if *found == fault),
        "{strange:?}"
    );
    let own = verdict("admin@example.test", 6_000);
    let withdrawn = storage.withdraw(pending.id, &own).await.expect("withdrawn");
    assert_eq!(withdrawn.state, PendingState::Withdrawn(own.clone()));
    assert_eq!(storage.withdraw(pending.id, &own).await.expect("again"), withdrawn);
    let decided = storage.decide(pending.id, Decision::Approve, added.sha256(), &second).await;
    assert!(
        matches!(decided, Err(StorageError::Pending(PendingError::Decided { .. }))),
        "{decided:?}"
    );
    storage.propose(&other).await.expect("there is room");
    let unknown = storage.withdraw(99, &own).await;
    assert!(matches!(unknown, Err(StorageError::Pending(PendingError::Unknown))), "{unknown:?}");
}

fn release(fixture: &Fixture, bundle: u8, serial: u8, signed_at: Option<i64>) -> ReleaseRecord {
    ReleaseRecord {
        bundle_sha256: [bundle; 32],
        name: format!("App-{bundle}.tar.gz"),
        signed_at: signed_at.map(UnixSeconds::new),
        issuer: fixture.issuer,
        serial: vec![serial],
        spki_sha256: [7; 32],
        registered_at: UnixSeconds::new(5_000),
        actor: "builder@example.test".to_owned(),
    }
}

async fn releases_are_found_by_key_and_by_certificate(fixture: Fixture) {
    let storage = Arc::clone(&fixture.storage);
    let releases = vec![release(&fixture, 1, 1, Some(3_000)), release(&fixture, 2, 2, None)];
    let outcomes = storage.register_releases(releases.clone()).await.expect("registered");
    assert_eq!(
        outcomes,
        releases
            .clone()
            .into_iter()
            .map(|each| (Registration::Registered, each))
            .collect::<Vec<_>>()
    );
    let outcomes = storage.register_releases(releases.clone()).await.expect("known");
    assert_eq!(
        outcomes,
        releases.clone().into_iter().map(|each| (Registration::Known, each)).collect::<Vec<_>>()
    );
    let of = |of| {
        let storage = Arc::clone(&storage);
        async move { storage.releases(&of).await.expect("read") }
    };
    assert_eq!(of(ReleasesOf::Key([7; 32])).await, releases);
    assert_eq!(of(ReleasesOf::Key([8; 32])).await, []);
    assert_eq!(of(ReleasesOf::Certificate(fixture.issuer, vec![2])).await, releases[1..]);
    assert_eq!(of(ReleasesOf::PageOfKey([7; 32], None, 1)).await, releases[..1]);
    assert_eq!(of(ReleasesOf::PageOfKey([7; 32], Some([1; 32]), 5)).await, releases[1..]);
    assert_eq!(of(ReleasesOf::All(None, 1)).await, releases[..1]);
    assert_eq!(of(ReleasesOf::All(Some([1; 32]), 5)).await, releases[1..]);
}

/// A9: a false time, registered first, took a release out of what a compromise concerns.
async fn a_release_has_the_latest_time_and_one_name(fixture: Fixture) {
    let storage = Arc::clone(&fixture.storage);
    let register = async |signed_at| {
        let release = release(&fixture, 1, 1, signed_at);
        let outcomes = storage.register_releases(vec![release]).await.expect("registered");
        let (outcome, on_record) = &outcomes[0];
        (*outcome, on_record.signed_at.map(UnixSeconds::seconds))
    };
    assert_eq!(register(Some(3_000)).await, (Registration::Registered, Some(3_000)));
    assert_eq!(register(Some(4_000)).await, (Registration::Corrected, Some(4_000)));
    for said in [4_000, 2_000] {
        assert_eq!(register(Some(said)).await, (Registration::Known, Some(4_000)), "{said}");
    }
    // A time that is not known may be any.
    assert_eq!(register(None).await, (Registration::Corrected, None));
    assert_eq!(register(Some(9_000)).await, (Registration::Known, None));
    let of_all = storage.releases(&ReleasesOf::All(None, 5)).await.expect("read");
    assert_eq!(of_all, [release(&fixture, 1, 1, None)]);

    let another_name = ReleaseRecord { name: "Other.tar.gz".to_owned(), ..of_all[0].clone() };
    let both = vec![release(&fixture, 2, 2, None), another_name];
    let conflict = storage.register_releases(both).await;
    assert!(matches!(conflict, Err(StorageError::ReleaseConflict { .. })), "{conflict:?}");
    assert_eq!(storage.releases(&ReleasesOf::All(None, 5)).await.expect("read"), of_all);
}

/// D9: who registered a bundle first, under another signer's certificate, kept the true one out.
async fn a_wrong_signer_keeps_no_release_out(fixture: Fixture) {
    let storage = Arc::clone(&fixture.storage);
    let wrong = ReleaseRecord { spki_sha256: [9; 32], ..release(&fixture, 1, 2, Some(1_000)) };
    let forged = ReleaseRecord { spki_sha256: [9; 32], ..release(&fixture, 1, 1, Some(1_000)) };
    let (right, next) = (release(&fixture, 1, 1, Some(3_000)), release(&fixture, 2, 2, None));
    for each in [&wrong, &forged, &right, &next] {
        let outcomes = storage.register_releases(vec![each.clone()]).await.expect("registered");
        assert_eq!(outcomes, [(Registration::Registered, each.clone())]);
    }
    let of = |of| {
        let storage = Arc::clone(&storage);
        async move { storage.releases(&of).await.expect("read") }
    };
    let later = ReleaseRecord { signed_at: None, ..right.clone() };
    let outcomes = storage.register_releases(vec![later.clone()]).await.expect("corrected");
    assert_eq!(outcomes, [(Registration::Corrected, later.clone())]);
    assert_eq!(of(ReleasesOf::Key([7; 32])).await, [later.clone(), next.clone()]);
    let of_certificate = of(ReleasesOf::Certificate(fixture.issuer, vec![1])).await;
    assert_eq!(of_certificate, [later.clone(), forged.clone()]);
    // No page ends between two of one bundle: the next begins behind the bundle.
    let of_first_bundle = [later.clone(), forged, wrong];
    assert_eq!(of(ReleasesOf::All(None, 1)).await, of_first_bundle);
    assert_eq!(of(ReleasesOf::All(Some([1; 32]), 1)).await, std::slice::from_ref(&next));
    assert_eq!(of(ReleasesOf::PageOfKey([7; 32], None, 1)).await, [later]);
    assert_eq!(of(ReleasesOf::PageOfKey([7; 32], Some([1; 32]), 1)).await, [next]);
    assert_eq!(of(ReleasesOf::All(Some([2; 32]), 1)).await, []);
}

/// A8: a thousand withdrawn ones hid it.
async fn what_waits_is_listed_before_everything_else(fixture: Fixture) {
    let (storage, issuer) = (Arc::clone(&fixture.storage), fixture.issuer);
    let mut ids = Vec::new();
    for serial in [1, 2, 3, 4] {
        storage.register(vec![certificate(issuer, serial)]).await.expect("registered");
        storage.revoke(issuer, &[serial], &order(CertificateHold, None)).await.expect("on hold");
        let lift = proposal(&fixture, serial, order(RemoveFromCrl, None)).await;
        ids.push(storage.propose(&lift).await.expect("proposed").id);
    }
    let own = verdict("admin@example.test", 6_000);
    for id in &ids[2..] {
        storage.withdraw(*id, &own).await.expect("withdrawn");
    }
    let listed = async |now, limit| {
        let listed = storage.proposals(UnixSeconds::new(now), limit).await.expect("read");
        listed.into_iter().map(|pending| pending.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(6_000, 1).await, [ids[1], ids[0], ids[3]]);
    assert_eq!(listed(6_000, 9).await, [ids[1], ids[0], ids[3], ids[2]]);
    // Nothing waits for ever.
    assert_eq!(listed(9_000, 1).await, [ids[3]]);
}

async fn a_second_approval_is_told_of_the_first(fixture: Fixture) {
    let storage = Arc::clone(&fixture.storage);
    revoked(storage.as_ref(), &fixture, CertificateHold, 3_000).await;
    let lift = proposal(&fixture, 1, order(RemoveFromCrl, None)).await;
    let pending = storage.propose(&lift).await.expect("proposed");
    let approve = async |who, at| {
        let verdict = verdict(who, at);
        storage.decide(pending.id, Decision::Approve, pending.sha256(), &verdict).await
    };
    approve("bob", 6_000).await.expect("approved");
    let (again, recorded) = approve("bob", 6_500).await.expect("the same");
    assert_eq!((again.state, recorded), (PendingState::Approved(verdict("bob", 6_000)), None));
    let Err(StorageError::Pending(PendingError::Decided { outcome, by, at })) =
        approve("carol", 6_500).await
    else {
        panic!("approved twice")
    };
    assert_eq!((outcome, by.as_str(), at.seconds()), ("approved", "bob", 6_000));
}

async fn an_import_takes_the_stricter_revocation_and_is_completed_later(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    storage.revoke(issuer, &[1], &order(Superseded, Some(3_000))).await.expect("revoked");
    let imported = |serial, reason, date| Listed {
        certificate: CertificateRecord {
            digests: None,
            evidence: Evidence::Import,
            ..certificate(issuer, serial)
        },
        revocation: Some(Revocation {
            reason,
            revocation_date: UnixSeconds::new(date),
            recorded_at: UnixSeconds::new(date + 1),
            actor: "old system".to_owned(),
        }),
    };
    let entries = vec![imported(1, KeyCompromise, 4_000), imported(2, Superseded, 2_500)];
    let taken = import(&storage, entries.clone()).await.expect("imported");
    let (outcomes, revisions) = (taken.registrations, taken.revisions);
    assert_eq!(outcomes, [Registration::Known, Registration::Registered]);
    assert_eq!(revisions, [(issuer, 3)]);
    let revisions = import(&storage, entries).await.expect("the same").revisions;
    assert_eq!(revisions, [(issuer, 3)]);
    let list = storage.revocations(issuer).await.expect("read").entries;
    let shown: Vec<_> = list
        .iter()
        .map(|(serial, now)| (serial[0], now.reason, now.revocation_date.seconds()))
        .collect();
    assert_eq!(shown, [(1, KeyCompromise, 3_000), (2, Superseded, 2_500)]);
    assert_eq!(list[1].1.actor, "old system");

    // The first was imported as compromised, and has the same key.
    let outcomes = storage.register(vec![certificate(issuer, 2)]).await.expect("registered");
    assert_eq!(outcomes, [Registration::RegisteredRevoked]);
    let record = storage.certificate(issuer, &[2]).await.expect("read").expect("there");
    assert_eq!(record.digests, certificate(issuer, 2).digests);
    assert!(matches!(storage.status(issuer, &[2]).await.expect("read"), Status::Revoked(_)));
}

/// A4.
async fn the_certificate_replaces_what_an_import_said_of_it(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let false_facts = |serial, key| Listed {
        certificate: CertificateRecord {
            not_before: UnixSeconds::new(4_000),
            evidence: Evidence::Import,
            actor: "imported by mallory: bob".to_owned(),
            digests: Some(Digests {
                sha256: [99; 32],
                tbs_sha256: Some([99; 32]),
                ..with_key(issuer, serial, key).digests.expect("some")
            }),
            ..certificate(issuer, serial)
        },
        revocation: None,
    };
    import(&storage, vec![false_facts(1, 7), false_facts(2, 7)]).await.expect("imported");
    // Before the notBefore that nothing proves, and by the key that nothing proves.
    storage.revoke(issuer, &[1], &order(KeyCompromise, Some(3_000))).await.expect("revoked");
    let by_key =
        storage.revoke_key([7; 32], &order(KeyCompromise, Some(2_500)), &[issuer], None).await;
    assert_eq!(by_key.expect("revoked").certificates.len(), 2);

    let proven = with_key(issuer, 1, 8);
    let outcomes = storage.register(vec![proven.clone()]).await.expect("registered");
    // It was revoked for keyCompromise: so is its true key.
    assert_eq!(outcomes, [Registration::RegisteredRevoked]);
    let known = storage.certificate(issuer, &[1]).await.expect("read").expect("there");
    assert_eq!((&known, known.evidence), (&proven, Evidence::Certificate));
    assert_eq!(known.actor, "admin@example.test");
    let Status::Revoked(still) = storage.status(issuer, &[1]).await.expect("read") else {
        panic!("forgotten")
    };
    assert_eq!(still.revocation_date, UnixSeconds::new(2_500));
    let of_key = storage.certificates_of_key([8; 32]).await.expect("read");
    assert_eq!(of_key.len(), 1);
    assert_eq!(
        storage.register(vec![proven.clone()]).await.expect("the same"),
        [Registration::Known]
    );
    // Nothing replaces what is proven, and two imports that contradict each other are both unproven.
    let other =
        CertificateRecord { evidence: Evidence::Certificate, ..false_facts(1, 7).certificate };
    let conflict = storage.register(vec![other]).await;
    assert!(matches!(conflict, Err(StorageError::CertificateConflict { .. })), "{conflict:?}");
    for serial in [1, 2] {
        let mut entry = false_facts(serial, 7);
        let digests = entry.certificate.digests.as_mut().expect("some");
        (digests.sha256, digests.tbs_sha256) = ([98; 32], None);
        let conflict = import(&storage, vec![entry]).await;
        assert!(matches!(conflict, Err(StorageError::CertificateConflict { .. })), "{conflict:?}");
    }
    // One that was revoked as a key is, under its true key.
    let outcomes = storage.register(vec![with_key(issuer, 2, 7)]).await.expect("registered");
    assert_eq!(outcomes, [Registration::RegisteredRevoked]);
}

/// A10b: a date from a clock that was ahead moved later with every list.
async fn dates_to_come_are_moved_to_now_for_good(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    storage.register(vec![certificate(issuer, 1), certificate(issuer, 2)]).await.expect("known");
    for (serial, since) in [(1, None), (2, Some(3_000))] {
        storage.revoke(issuer, &[serial], &order(Superseded, since)).await.expect("revoked");
    }
    let dates = async || {
        let list = storage.revocations(issuer).await.expect("read");
        let date = |(_, known): &(Vec<u8>, Revocation)| known.revocation_date.seconds();
        (list.revision, list.entries.iter().map(date).collect::<Vec<_>>())
    };
    assert_eq!(dates().await, (2, vec![5_000, 3_000]));
    for (now, settled) in [
        (5_000, (2, vec![5_000, 3_000])),
        (4_000, (3, vec![4_000, 3_000])),
        (4_500, (3, vec![4_000, 3_000])),
    ] {
        storage.settle_dates(issuer, UnixSeconds::new(now)).await.expect("settled");
        assert_eq!(dates().await, settled, "{now}");
    }
    let changed = storage.changes_since(issuer, 2).await.expect("read").entries;
    assert_eq!(changed.len(), 1, "deltas tell");
    assert_eq!(changed[0].1.as_ref().expect("revoked").actor, "admin@example.test");
}

async fn a_thousand_certificates_are_one_change(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let certificates: Vec<_> = (0..1_000_u16)
        .map(|number| CertificateRecord {
            serial: vec![1, (number >> 8) as u8, (number & 0xFF) as u8],
            ..certificate(issuer, 0)
        })
        .collect();
    let outcomes = storage.register(certificates.clone()).await.expect("registered");
    assert!(outcomes.iter().all(|outcome| *outcome == Registration::Registered));
    // Twice in one request is one certificate; one that conflicts undoes all.
    let twice = vec![certificate(issuer, 1), certificate(issuer, 1)];
    let outcomes = storage.register(twice).await.expect("registered");
    assert_eq!(outcomes, [Registration::Registered, Registration::Known]);
    let digests = Digests {
        sha256: [7; 32],
        tbs_sha256: Some([7; 32]),
        spki_sha256: [9; 32],
        subject: vec![0x30, 0],
    };
    let conflict = CertificateRecord { digests: Some(digests), ..certificates[999].clone() };
    let refused = storage.register(vec![certificate(issuer, 2), conflict]).await;
    assert!(matches!(refused, Err(StorageError::CertificateConflict { .. })), "{refused:?}");
    assert_eq!(storage.status(issuer, &[2]).await.expect("read"), Status::NeverIssued);
    let people = People::One;
    let order = RevocationOrder { people, ..order(Superseded, None) };
    storage.revoke(issuer, &[1, 3, 0xE7], &order).await.expect("the last one is there");
}
