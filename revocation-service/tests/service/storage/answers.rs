//! What every storage promises for idempotency keys.

use std::sync::Arc;

use countersign_core::time::UnixSeconds;
use countersign_daemon::admin::{KeyReserved, KeyUse, Remembered};

use super::{Fixture, on_both_databases};

on_both_databases! {
    answers_are_remembered_for_a_while
    a_key_is_reserved_by_one_until_there_is_an_answer
    the_latest_thousand_answers_of_a_person_are_kept
}

/// An answer to the request `[4; 32]`.
fn answer(at: i64, body: &[u8]) -> Remembered {
    Remembered {
        request_sha256: [4; 32],
        status: 200,
        media_type: "application/json".to_owned(),
        body: body.to_vec(),
        at: UnixSeconds::new(at),
    }
}

/// A use of a key at that time, where answers of the last 3,000 seconds count.
fn key_use(at: i64) -> KeyUse {
    let at = UnixSeconds::new(at);
    KeyUse { request_sha256: [4; 32], at, answers_since: at.minus_seconds(3_000) }
}

async fn answers_are_remembered_for_a_while(fixture: Fixture) {
    let storage = fixture.storage;
    let reserve = async |actor: &str, key: &str, at| {
        storage.reserve_key(actor, key, &key_use(at)).await.expect("asked")
    };
    let first = answer(5_000, b"first");
    assert_eq!(reserve("alice", "k1", 5_000).await, KeyReserved::Now);
    storage.remember_answer("alice", "k1", &first).await.expect("kept");
    storage.remember_answer("alice", "k1", &answer(5_001, b"second")).await.expect("kept");
    assert_eq!(reserve("alice", "k1", 8_000).await, KeyReserved::Answered(first));
    assert_eq!(reserve("bob", "k1", 8_000).await, KeyReserved::Now, "everybody has their own");
    assert_eq!(reserve("alice", "k1", 8_001).await, KeyReserved::Now, "too old");
}

/// A10: the same key at once was carried out twelve times.
async fn a_key_is_reserved_by_one_until_there_is_an_answer(fixture: Fixture) {
    let storage = fixture.storage;
    let at_once: Vec<_> = (0..8)
        .map(|_| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move { storage.reserve_key("alice", "k", &key_use(5_000)).await })
        })
        .collect();
    let mut reserved = 0;
    for each in at_once {
        match each.await.expect("no panic").expect("asked") {
            KeyReserved::Now => reserved += 1,
            other => assert_eq!(other, KeyReserved::Running),
        }
    }
    assert_eq!(reserved, 1);
    // Refused: the next one is looked at anew. Gone without a word: others wait, but not for ever.
    storage.release_key("alice", "k").await.expect("given back");
    for (at, outcome) in
        [(5_000, KeyReserved::Now), (5_600, KeyReserved::Running), (5_601, KeyReserved::Now)]
    {
        let found = storage.reserve_key("alice", "k", &key_use(at)).await.expect("asked");
        assert_eq!(found, outcome, "{at}");
    }
    storage.remember_answer("alice", "k", &answer(5_601, b"done")).await.expect("kept");
    storage.release_key("alice", "k").await.expect("nothing to give back");
    let found = storage.reserve_key("alice", "k", &key_use(5_601)).await.expect("asked");
    assert_eq!(found, KeyReserved::Answered(answer(5_601, b"done")));
}

/// A10: what is kept for a person has an end.
async fn the_latest_thousand_answers_of_a_person_are_kept(fixture: Fixture) {
    let storage = fixture.storage;
    storage.remember_answer("bob", "k0", &answer(1_000, b"bob")).await.expect("kept");
    for number in 0..1_003 {
        let key = format!("k{number}");
        let kept = answer(5_000 + number / 100, b"x");
        storage.remember_answer("alice", &key, &kept).await.expect("kept");
    }
    let known = async |actor: &str, key: &str| {
        let wanted = KeyUse { answers_since: UnixSeconds::new(0), ..key_use(6_000) };
        let found = storage.reserve_key(actor, key, &wanted).await.expect("asked");
        matches!(found, KeyReserved::Answered(_))
    };
    let mut forgotten = 0;
    for number in 0..100 {
        forgotten += u32::from(!known("alice", &format!("k{number}")).await);
    }
    assert_eq!(forgotten, 3, "of the oldest second");
    assert!(known("alice", "k1002").await);
    assert!(known("bob", "k0").await, "another person's");
}
