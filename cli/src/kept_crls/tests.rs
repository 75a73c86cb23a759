use std::{sync::LazyLock, thread};

use countersign_core::time::UnixSeconds;
use countersign_signing::der;

use super::*;

fn at(url: &str) -> Place<'_> {
    Place { url, issuer_key: b"one" }
}

/// An hour before the tests began.
static AN_HOUR_AGO: LazyLock<UnixSeconds> = LazyLock::new(|| {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    UnixSeconds::new(i64::try_from(since.as_secs()).expect("before the end of time") - 3_600)
});

/// A CRL by nobody, of so many seconds after that, and good for two hours.
fn list(seconds: i64) -> Vec<u8> {
    good_for(seconds, 7_200)
}

fn good_for(seconds: i64, seconds_good: i64) -> Vec<u8> {
    let made = AN_HOUR_AGO.plus_seconds(seconds);
    let algorithm = der::sequence(&[&der::oid(&const_oid::ObjectIdentifier::new_unwrap("1.2.3"))]);
    let (made, next) = (der::time(made), der::time(made.plus_seconds(seconds_good)));
    let tbs = der::sequence(&[&algorithm, &der::sequence(&[]), &made, &next]);
    der::sequence(&[&tbs, &algorithm, &der::bit_string(&[0])])
}

fn folder() -> (tempfile::TempDir, KeptCrls) {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = KeptCrls { folder: folder.path().join("a").join("b") };
    (folder, kept)
}

fn keep(kept: &KeptCrls, place: Place<'_>, crl: &[u8], says: Says) -> Room {
    kept.keep_if(place, (crl, says), |_| true)
}

#[test]
fn an_address_has_one_file_for_an_issuer_and_the_folder_does_not_grow_for_ever() {
    let (_folder, kept) = folder();
    let keep = |place: Place<'_>, crl: &[u8]| keep(&kept, place, crl, Says::NotRevoked);
    assert_eq!(kept.read(at("http://a/")), None);
    keep(at("http://a/../../etc"), &list(1));
    keep(at("http://a/../../etc"), &list(2));
    keep(Place { issuer_key: b"another", ..at("http://a/../../etc") }, &list(3));
    assert_eq!(kept.read(at("http://a/../../etc")), Some(list(2)));
    for number in 0..MOST_FILES + 5 {
        assert_eq!(keep(at(&format!("http://a/{number}")), &list(1)), Room::Enough);
    }
    assert_eq!(files_in(&kept.folder, EXTENSION).len(), MOST_FILES);
    assert!(kept.read(at(&format!("http://a/{}", MOST_FILES + 4))).is_some());
}

/// Whoever has others' lists fetched pushes out what revokes nothing alone, and leaves its mark.
#[test]
fn what_revokes_stays_and_what_goes_is_remembered() {
    let (_folder, kept) = folder();
    let (revoking, other, used) =
        (at("http://a/revoking"), at("http://a/other"), at("http://a/used"));
    keep(&kept, revoking, &list(5), Says::Revoked);
    keep(&kept, other, &list(5), Says::NotRevoked);
    keep(&kept, used, &list(5), Says::NotRevoked);
    kept.protect(used);
    for number in 0..2 * MOST_FILES {
        assert_eq!(
            keep(&kept, at(&format!("http://b/{number}")), &list(1), Says::NotRevoked),
            Room::Enough
        );
    }
    assert_eq!((kept.read(revoking), kept.forgotten(revoking)), (Some(list(5)), None));
    assert_eq!((kept.read(used), kept.forgotten(used)), (Some(list(5)), None));
    assert_eq!((kept.read(other), kept.forgotten(other)), (None, Age::of(&list(5))));
    // An older one does not come back in its place; the same and a newer one do.
    keep(&kept, other, &list(4), Says::NotRevoked);
    assert_eq!(kept.read(other), None);
    keep(&kept, other, &list(5), Says::NotRevoked);
    assert_eq!((kept.read(other), kept.forgotten(other)), (Some(list(5)), None));
    keep(&kept, other, &list(6), Says::NotRevoked);
    assert_eq!(kept.read(other), Some(list(6)));
}

#[test]
fn what_does_not_fit_is_remembered_and_said() {
    let (_folder, kept) = folder();
    for number in 0..MOST_FILES {
        keep(&kept, at(&format!("http://a/{number}")), &list(1), Says::Revoked);
    }
    let late = at("http://a/late");
    assert_eq!(keep(&kept, late, &list(3), Says::NotRevoked), Room::Lacking);
    assert_eq!((kept.read(late), kept.forgotten(late)), (None, Age::of(&list(3))));
    // One that is there is replaced.
    assert_eq!(keep(&kept, at("http://a/0"), &list(2), Says::NotRevoked), Room::Enough);
    assert_eq!(kept.read(at("http://a/0")), Some(list(2)));
}

#[test]
fn what_has_run_out_makes_room_last() {
    let (_folder, kept) = folder();
    let (revoking, plain) = (at("http://a/revoking"), at("http://a/plain"));
    keep(&kept, revoking, &good_for(1, 60), Says::Revoked);
    keep(&kept, plain, &list(1), Says::NotRevoked);
    for number in 2..MOST_FILES {
        keep(&kept, at(&format!("http://a/{number}")), &list(1), Says::Revoked);
    }
    assert_eq!(keep(&kept, at("http://a/one"), &list(1), Says::Revoked), Room::Enough);
    assert_eq!((kept.read(revoking).is_some(), kept.read(plain).is_some()), (true, false));
    assert_eq!(keep(&kept, at("http://a/two"), &list(1), Says::Revoked), Room::Enough);
    assert!(kept.read(revoking).is_none() && kept.forgotten(revoking).is_some());
    assert_eq!(keep(&kept, at("http://a/three"), &list(1), Says::Revoked), Room::Lacking);
}

/// What an earlier version of this program kept has no mark until it goes.
#[test]
fn what_has_no_mark_gets_one_before_it_goes() {
    let (_folder, kept) = folder();
    let old = at("http://a/old");
    keep(&kept, old, &list(5), Says::NotRevoked);
    fs::remove_file(mark_of(&kept.file(old))).expect("removed");
    assert_eq!(kept.forgotten(old), None);
    for number in 0..MOST_FILES {
        keep(&kept, at(&format!("http://a/{number}")), &list(1), Says::NotRevoked);
    }
    assert_eq!((kept.read(old), kept.forgotten(old)), (None, Age::of(&list(5))));
}

/// Each of many writers replaces only what is older, as it is when it writes.
#[test]
fn of_many_at_once_the_newest_stays() {
    let (_folder, kept) = folder();
    let lists: Vec<Vec<u8>> = (0..32).map(list).collect();
    thread::scope(|scope| {
        for new in &lists {
            let kept = kept.clone();
            scope.spawn(move || {
                let is_older =
                    |old: Option<&[u8]>| old.is_none_or(|old| Age::of(old) < Age::of(new));
                kept.keep_if(at("http://a/"), (new, Says::NotRevoked), is_older);
            });
        }
    });
    assert_eq!(kept.read(at("http://a/")).as_ref(), lists.last());
}

#[test]
fn a_response_that_revoked_is_kept_for_its_certificate_until_another_replaces_it() {
    let (_folder, kept) = folder();
    let of = (&b"one"[..], &[1, 2][..]);
    kept.keep_response(of, b"on hold", |before| before.is_none());
    kept.keep_response(of, b"older", |before| before != Some(b"on hold"));
    assert_eq!(kept.read_response(of.0, of.1).as_deref(), Some(&b"on hold"[..]));
    kept.keep_response(of, b"stolen", |before| before == Some(b"on hold"));
    assert_eq!(kept.read_response(of.0, of.1).as_deref(), Some(&b"stolen"[..]));
    assert_eq!(kept.read_response(b"one", &[1]), None);
    assert_eq!(kept.read_response(b"two", &[1, 2]), None);
}
