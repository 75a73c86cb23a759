//! What every storage promises about a compromised key: no certificate is good whose proven key is that of one
//! that is revoked for keyCompromise, however that came to be written.

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason::{self, CertificateHold, KeyCompromise, Superseded},
    time::UnixSeconds,
};
use countersign_revocation::{
    admin::ImportBatch,
    register::{
        rules::{People, RevocationOrder},
        storage::{
            CertificateRecord, Compromise, CompromiseReach, CompromiseSource, Evidence, IssuerId,
            KeysTaken, Listed, Registration, Revocation, Status, Storage,
        },
    },
};

use super::{Fixture, imports::with_key, on_both_databases, order};

on_both_databases! {
    no_certificate_of_a_compromised_key_is_good_whichever_way_that_came
    certificates_proven_together_are_revoked_together
    a_compromise_reaches_as_far_as_it_was_said_to
    compromises_on_record_take_their_keys_once_and_from_the_earliest_date_on
    a_list_made_elsewhere_takes_keys_once_and_again_from_an_earlier_date_on
}

const NOW: UnixSeconds = UnixSeconds::new(6_000);

/// How the certificate stood that turns out to be compromised since 3000.
const BEFORE: [Option<(RevocationReason, i64)>; 6] = [
    None,
    Some((CertificateHold, 2_500)),
    Some((Superseded, 2_500)),
    Some((Superseded, 3_500)),
    Some((KeyCompromise, 2_500)),
    Some((KeyCompromise, 3_500)),
];

/// How its revocation for keyCompromise is written.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// By an order; by two people where the date moves later.
    Ordered,
    /// By an import.
    Imported,
    /// By an import that knows nothing but its serial number; then it is registered.
    ImportedThenProven,
}

fn compromised(since: i64) -> Revocation {
    Revocation {
        reason: KeyCompromise,
        revocation_date: UnixSeconds::new(since),
        recorded_at: UnixSeconds::new(since),
        actor: "imported by carol: bob".to_owned(),
    }
}

/// What an `index.txt` says of a certificate.
fn listed(certificate: &CertificateRecord, revocation: Option<Revocation>) -> Listed {
    let certificate =
        CertificateRecord { digests: None, evidence: Evidence::Import, ..certificate.clone() };
    Listed { certificate, revocation }
}

async fn import(storage: &Storage, listed: Vec<Listed>) -> Vec<(IssuerId, i64)> {
    let batch = ImportBatch { certificates: listed, ..ImportBatch::default() };
    storage.import(batch, &[], NOW).await.expect("imported").revisions
}

async fn register(storage: &Storage, certificate: &CertificateRecord) -> Registration {
    storage.register(vec![certificate.clone()]).await.expect("registered")[0]
}

async fn reason(storage: &Storage, certificate: &CertificateRecord) -> Option<RevocationReason> {
    let CertificateRecord { issuer, serial, .. } = certificate;
    match storage.status(*issuer, serial).await.expect("read") {
        Status::Revoked(revocation) => Some(revocation.reason),
        Status::Good | Status::NeverIssued => None,
    }
}

async fn revoke(
    storage: &Storage,
    certificate: &CertificateRecord,
    (reason, since, people): (RevocationReason, i64, People),
) {
    let order = RevocationOrder { people, ..order(reason, Some(since)) };
    storage.revoke(certificate.issuer, &certificate.serial, &order).await.expect("revoked");
}

/// C10: an import revoked the certificate and not its key, and registering it later did not either.
async fn no_certificate_of_a_compromised_key_is_good_whichever_way_that_came(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let elsewhere = storage.bind_issuer("timestamping", [2; 32]).await.expect("bound");
    let mut number = 0;
    for way in [Way::Ordered, Way::Imported, Way::ImportedThenProven] {
        for before in BEFORE {
            number += 1;
            let of = |issuer, serial: u8| with_key(issuer, serial, number);
            let [named, other, later] =
                [of(issuer, number), of(elsewhere, number), of(issuer, number + 100)];
            register(&storage, &other).await;
            match way {
                Way::Ordered | Way::Imported => {
                    register(&storage, &named).await;
                }
                Way::ImportedThenProven => {
                    import(&storage, vec![listed(&named, None)]).await;
                }
            }
            if let Some((reason, since)) = before {
                revoke(&storage, &named, (reason, since, People::One)).await;
            }
            match way {
                Way::Ordered => {
                    revoke(&storage, &named, (KeyCompromise, 3_000, People::Two)).await;
                }
                Way::Imported | Way::ImportedThenProven => {
                    import(&storage, vec![listed(&named, Some(compromised(3_000)))]).await;
                    register(&storage, &named).await;
                }
            }
            register(&storage, &later).await;
            for certificate in [&named, &other, &later] {
                let found = reason(&storage, certificate).await;
                assert_eq!(found, Some(KeyCompromise), "{way:?} {before:?} {certificate:?}");
            }
            let key = storage.revoked_key([number; 32]).await.expect("read");
            assert!(key.is_some(), "{way:?} {before:?}");
        }
    }
}

/// C10: of several that are proven by one request, those behind the compromised one are not forgotten, and
/// every issuer whose list changes is named.
async fn certificates_proven_together_are_revoked_together(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let [before, named, behind] = [1, 2, 3].map(|serial| with_key(issuer, serial, 7));
    let all = [&before, &named, &behind];
    let of_index =
        all.map(|each| listed(each, (each.serial == named.serial).then(|| compromised(3_000))));
    import(&storage, of_index.to_vec()).await;
    let outcomes = storage.register(all.map(Clone::clone).to_vec()).await.expect("registered");
    assert_eq!(
        outcomes,
        [Registration::Completed, Registration::RegisteredRevoked, Registration::RegisteredRevoked]
    );
    for certificate in all {
        assert_eq!(reason(&storage, certificate).await, Some(KeyCompromise), "{certificate:?}");
    }
    // Again, nothing is new.
    assert_eq!(register(&storage, &named).await, Registration::Known);

    let elsewhere = storage.bind_issuer("timestamping", [2; 32]).await.expect("bound");
    let [named, other] = [with_key(issuer, 4, 8), with_key(elsewhere, 4, 8)];
    storage.register(vec![named.clone(), other]).await.expect("registered");
    let concerned = import(&storage, vec![listed(&named, Some(compromised(3_000)))]).await;
    assert!(concerned.contains(&(elsewhere, 1)), "{concerned:?}");
}

async fn a_compromise_reaches_as_far_as_it_was_said_to(fixture: Fixture) {
    let Fixture { storage, issuer, location } = fixture;
    let foreign = storage.bind_issuer("root", [3; 32]).await.expect("bound");
    let case = async |storage: &Arc<Storage>, key: u8, reach| {
        storage.limit_compromises(reach);
        let of = |issuer, serial| with_key(issuer, serial, key);
        let all = [of(issuer, key), of(issuer, key + 1), of(foreign, key)];
        storage.register(all.to_vec()).await.expect("registered");
        import(storage, vec![listed(&all[0], Some(compromised(3_000)))]).await;
        let mut revoked = Vec::new();
        for certificate in &all {
            revoked.push(reason(storage, certificate).await.is_some());
        }
        let kept = storage.revoked_key([key; 32]).await.expect("read").is_some();
        (revoked, kept)
    };
    let alone = case(&storage, 10, CompromiseReach::Certificate).await;
    assert_eq!(alone, (vec![true, false, false], false));
    storage.close().await;
    let storage = super::open(&location).await;
    let ours = case(&storage, 20, CompromiseReach::Issuers(vec![issuer])).await;
    assert_eq!(ours, (vec![true, true, false], true));
    storage.close().await;
}

async fn to_follow(storage: &Storage, after: Option<&Compromise>) -> Vec<Compromise> {
    let found = storage.compromises_to_follow(CompromiseSource::Here, after, 2).await;
    found.expect("read")
}

/// As an earlier version left them: revoked, and the key not taken. What an import says of a key takes none.
async fn compromises_on_record_take_their_keys_once_and_from_the_earliest_date_on(
    fixture: Fixture,
) {
    let Fixture { storage, issuer, location } = fixture;
    storage.limit_compromises(CompromiseReach::Certificate);
    let [late, early, good, alone] =
        [(1, 7), (2, 7), (3, 7), (4, 8)].map(|(serial, key)| with_key(issuer, serial, key));
    let others = vec![late.clone(), early.clone(), good.clone(), alone.clone()];
    storage.register(others).await.expect("registered");
    for (certificate, since) in [(&late, 3_500), (&early, 2_500), (&alone, 3_000)] {
        revoke(&storage, certificate, (KeyCompromise, since, People::One)).await;
    }
    let unproven = with_key(issuer, 5, 9);
    import(&storage, vec![listed(&unproven, Some(compromised(3_000)))]).await;
    assert_eq!(to_follow(&storage, None).await, [], "nothing is taken");
    storage.close().await;

    let storage = super::open(&location).await;
    storage.limit_compromises(CompromiseReach::Issuers(vec![issuer]));
    let found = to_follow(&storage, None).await;
    let serials: Vec<_> = found.iter().map(|each| each.serial[0]).collect();
    assert_eq!(serials, [1, 2], "two at a time");
    let taken = storage.follow_compromises(&found, NOW).await.expect("followed");
    assert_eq!((&taken.keys[..], taken.certificate_count), (&[[7; 32]][..], 2));
    let key = storage.revoked_key([7; 32]).await.expect("read").expect("revoked");
    assert_eq!(key.revocation_date, UnixSeconds::new(2_500));
    assert_eq!(reason(&storage, &good).await, Some(KeyCompromise));
    let found = to_follow(&storage, found.last()).await;
    let serials: Vec<_> = found.iter().map(|each| each.serial[0]).collect();
    assert_eq!(serials, [4]);
    storage.follow_compromises(&found, NOW).await.expect("followed");
    assert_eq!(to_follow(&storage, None).await, []);
    // Another replica found them at the same time: nothing is left to do.
    let again = storage.follow_compromises(&found, NOW).await.expect("followed");
    assert_eq!(again, KeysTaken::default());
    storage.close().await;
}

async fn a_list_made_elsewhere_takes_keys_once_and_again_from_an_earlier_date_on(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let root = storage.bind_issuer("root", [3; 32]).await.expect("bound");
    storage.limit_compromises(CompromiseReach::Issuers(vec![issuer]));
    let [named, other] = [with_key(root, 1, 7), with_key(issuer, 1, 7)];
    storage.register(vec![named.clone(), other.clone()]).await.expect("registered");
    let note = async |since: i64, crl: &str| {
        let said: Vec<_> = [1, 2]
            .map(|serial| Compromise {
                issuer: root,
                serial: vec![serial],
                since: UnixSeconds::new(since),
            })
            .into();
        let new = storage.compromises_to_note(root, &said).await.expect("read");
        let taken = storage.note_compromises(root, &new, crl, NOW).await.expect("noted");
        (new.len(), taken.keys.len(), taken.certificate_count)
    };
    assert_eq!(note(3_000, "CRL 1 of root").await, (2, 1, 1));
    assert_eq!(note(3_000, "CRL 2 of root").await, (0, 0, 0));
    assert_eq!(note(2_500, "CRL 3 of root").await, (2, 1, 1));
    let Status::Revoked(revocation) = storage.status(issuer, &[1]).await.expect("read") else {
        panic!("not revoked")
    };
    assert_eq!(revocation.revocation_date, UnixSeconds::new(2_500));
    assert_eq!(revocation.actor, "CRL 3 of root");
    // Its own issuer's list says how it stands.
    assert_eq!(reason(&storage, &named).await, None);
    // Of the other, nothing was known but the serial number.
    let [late, with_it] = [with_key(root, 2, 8), with_key(issuer, 2, 8)];
    assert_eq!(register(&storage, &with_it).await, Registration::Registered);
    assert_eq!(register(&storage, &late).await, Registration::RegisteredRevoked);
    assert_eq!(reason(&storage, &with_it).await, Some(KeyCompromise));
}
