//! What PostgreSQL has of its own: replicas, a server that goes and comes back, its own backup.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_core::crl::RevocationReason;
use countersign_revocation::register::storage::{DatabaseLocation, Status, StorageError};

use super::{Fixture, certificate, open, order};
use crate::postgres::Postgres;

async fn within(limit: Duration, what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_take_turns_and_learn_of_each_other() {
    let server = Postgres::start().await;
    let location = server.database().await;
    // Both at once: migrations wait for each other.
    let (first, second) = tokio::join!(Fixture::open(location.clone()), open(&location));
    let Fixture { storage, issuer, .. } = first;
    assert_eq!(second.bind_issuer("signing", [1; 32]).await.expect("bound"), issuer);
    within(Duration::from_secs(5), "the feed", async || second.generation().is_some()).await;

    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let known = second.generation();
    let order = order(RevocationReason::Superseded, None);
    storage.revoke(issuer, &[1], &order).await.expect("revoked");
    assert!(matches!(second.status(issuer, &[1]).await.expect("read"), Status::Revoked(_)));
    within(Duration::from_secs(1), "the change is told", async || second.generation() > known)
        .await;

    let mut numbers = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for replica in [&storage, &second] {
        for _ in 0..25 {
            let replica = Arc::clone(replica);
            tasks.spawn(async move { replica.reserve_crl_number(issuer, 0).await });
        }
    }
    while let Some(number) = tasks.join_next().await {
        numbers.push(number.expect("joined").expect("a number"));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<u64>>());
    storage.close().await;
    second.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_gone_is_used_again_when_it_is_back() {
    let mut server = Postgres::start().await;
    let location = server.database().await;
    let Fixture { storage, issuer, .. } = Fixture::open(location).await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    storage
        .revoke(issuer, &[1], &order(RevocationReason::Superseded, None))
        .await
        .expect("revoked");
    server.stop();
    let failed = storage.status(issuer, &[1]).await;
    assert!(matches!(failed, Err(StorageError::Database(_))), "{failed:?}");
    // Nothing kept in memory may be served: others might change what this one does not see.
    within(Duration::from_secs(2), "the loss is noticed", async || storage.generation().is_none())
        .await;
    storage.ping().await.expect_err("not ready");
    server.resume().await;
    within(Duration::from_secs(15), "it is used again", async || {
        storage.ping().await.is_ok() && storage.generation().is_some()
    })
    .await;
    assert!(matches!(storage.status(issuer, &[1]).await.expect("read"), Status::Revoked(_)));
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_taken_while_it_runs_is_a_whole_database() {
    let server = Postgres::start().await;
    let location = server.database().await;
    let Fixture { storage, issuer, .. } = Fixture::open(location).await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let order = order(RevocationReason::Superseded, None);
    let recorded = storage.revoke(issuer, &[1], &order).await.expect("revoked");
    let number = storage.reserve_crl_number(issuer, 0).await.expect("a number");
    // The commands of docs/revocation-service.md.
    let dump = server.folder().join("revocation.dump");
    let dump = dump.to_str().expect("UTF-8");
    server.client("pg_dump", &["--format=custom", "--file", dump, "test0"]);
    server.client("createdb", &["restored"]);
    server.client("pg_restore", &["--exit-on-error", "--dbname=restored", dump]);
    let restored = open(&DatabaseLocation::from(server.url("restored"))).await;
    assert_eq!(
        restored.status(issuer, &[1]).await.expect("read"),
        Status::Revoked(recorded.revocation)
    );
    assert_eq!(restored.reserve_crl_number(issuer, 0).await.expect("a number"), number + 1);
    restored.close().await;
    let refused = storage.back_up(&server.folder().join("copy")).await;
    assert!(matches!(refused, Err(StorageError::BackupElsewhere)), "{refused:?}");
    storage.close().await;
}
