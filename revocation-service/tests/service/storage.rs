//! What every storage promises; run against SQLite.

use std::sync::Arc;

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use countersign_revocation::{
    crl::CrlList,
    rules::{Refusal, RevocationOrder},
    storage::{
        CertificateRecord, IssuerId, Registration, Status, Storage, StorageError, StoredCrl,
        sqlite::SqliteStorage,
    },
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

struct Fixture {
    folder: TempDir,
    storage: Arc<dyn Storage>,
    issuer: IssuerId,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = open(&folder).await;
    let issuer = storage.bind_issuer("signing", [1; 32]).await.expect("bound");
    Fixture { folder, storage, issuer }
}

async fn open(folder: &TempDir) -> Arc<dyn Storage> {
    Arc::new(SqliteStorage::open(&folder.path().join("revocation.db")).await.expect("opened"))
}

fn certificate(issuer: IssuerId, serial: u8) -> CertificateRecord {
    CertificateRecord {
        issuer,
        serial: vec![serial],
        sha256: [serial; 32],
        subject: vec![0x30, 0],
        spki_sha256: [9; 32],
        not_before: UnixSeconds::new(1_000),
        not_after: UnixSeconds::new(90_000),
        registered_at: UnixSeconds::new(2_000),
        actor: "admin@example.test".to_owned(),
        der: vec![0x30, 1, serial],
    }
}

fn order(reason: RevocationReason, since: Option<i64>) -> RevocationOrder {
    RevocationOrder {
        reason,
        compromised_since: since.map(UnixSeconds::new),
        now: UnixSeconds::new(5_000),
        actor: "admin@example.test".to_owned(),
    }
}

#[tokio::test]
async fn registers_all_or_none_and_knows_what_it_has() {
    let Fixture { folder: _folder, storage, issuer } = fixture().await;
    let outcome = storage.register(vec![certificate(issuer, 1), certificate(issuer, 2)]).await;
    assert_eq!(outcome.expect("registered"), [Registration::Registered; 2]);
    let outcome = storage.register(vec![certificate(issuer, 2), certificate(issuer, 3)]).await;
    assert_eq!(outcome.expect("registered"), [Registration::Known, Registration::Registered]);

    let conflicting = CertificateRecord { sha256: [7; 32], ..certificate(issuer, 1) };
    let refused = storage.register(vec![certificate(issuer, 4), conflicting]).await;
    assert!(matches!(refused, Err(StorageError::CertificateConflict { .. })), "{refused:?}");
    assert_eq!(storage.status(issuer, &[4]).await.expect("read"), Status::NeverIssued);
    let record = storage.certificate(issuer, &[1]).await.expect("read");
    assert_eq!(record, Some(certificate(issuer, 1)));
}

#[tokio::test]
async fn statuses_belong_to_issuer_and_serial_number() {
    let Fixture { folder: _folder, storage, issuer } = fixture().await;
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

#[tokio::test]
async fn refuses_to_revoke_what_was_never_registered() {
    let Fixture { folder: _folder, storage, issuer } = fixture().await;
    let refused = storage.revoke(issuer, &[1], &order(RevocationReason::Superseded, None)).await;
    assert!(matches!(refused, Err(StorageError::NotRegistered { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_equal_revocation_changes_nothing_and_a_stricter_one_is_a_new_revision() {
    let Fixture { folder: _folder, storage, issuer } = fixture().await;
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

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let Fixture { folder, storage, issuer } = fixture().await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let recorded = storage
        .revoke(issuer, &[1], &order(RevocationReason::Superseded, None))
        .await
        .expect("revoked");
    let number = storage.reserve_crl_number(issuer, 0).await.expect("a number");
    let crl = StoredCrl { number, revision: recorded.revision, der: vec![0x30, 0] };
    storage.store_crl(issuer, CrlList::WHOLE, &crl).await.expect("stored");
    storage.close().await;

    let storage = open(&folder).await;
    assert_eq!(storage.bind_issuer("signing", [1; 32]).await.expect("bound"), issuer);
    assert_eq!(
        storage.status(issuer, &[1]).await.expect("read"),
        Status::Revoked(recorded.revocation)
    );
    assert_eq!(storage.stored_crl(issuer, CrlList::WHOLE).await.expect("read"), Some(crl));
    assert_eq!(storage.reserve_crl_number(issuer, 0).await.expect("a number"), number + 1);
}

#[tokio::test]
async fn crl_numbers_never_repeat_and_never_fall() {
    let Fixture { folder: _folder, storage, issuer } = fixture().await;
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

#[tokio::test]
async fn a_name_stays_with_its_key() {
    let Fixture { folder: _folder, storage, .. } = fixture().await;
    for (name, key) in [("signing", [2; 32]), ("other", [1; 32])] {
        let refused = storage.bind_issuer(name, key).await;
        assert!(matches!(refused, Err(StorageError::IssuerChanged { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("revocation.db");
    std::fs::write(&path, vec![b'x'; 4096]).expect("written");
    let refused = SqliteStorage::open(&path).await.expect_err("refused");
    assert!(matches!(refused, StorageError::Database(_)), "{refused:?}");
}

#[tokio::test]
async fn a_commit_is_synced_before_it_returns() {
    // The promise itself is kept by SQLite; this keeps it switched on.
    let Fixture { folder, storage, .. } = fixture().await;
    storage.ping().await.expect("it answers");
    storage.close().await;
    let mode = SqliteStorage::open(&folder.path().join("revocation.db"))
        .await
        .expect("opened")
        .durability()
        .await
        .expect("read");
    assert_eq!(mode, ("wal".to_owned(), 2), "journal mode, and synchronous = FULL");
}

#[tokio::test]
async fn a_transaction_that_sqlite_rolled_back_itself_stops_no_later_one() {
    // As SQLite does when the disk is full.
    let Fixture { folder, storage, issuer } = fixture().await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let options = SqliteConnectOptions::new().filename(folder.path().join("revocation.db"));
    let mut other = SqliteConnection::connect_with(&options).await.expect("connected");
    let trouble = "CREATE TRIGGER full BEFORE INSERT ON revocations \
                   BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END";
    sqlx::query(trouble).execute(&mut other).await.expect("in trouble");
    let order = order(RevocationReason::Superseded, None);
    for _ in 0..2 {
        storage.revoke(issuer, &[1], &order).await.expect_err("the disk is full");
    }
    assert_eq!(storage.status(issuer, &[1]).await.expect("read"), Status::Good);
    sqlx::query("DROP TRIGGER full").execute(&mut other).await.expect("mended");
    storage.revoke(issuer, &[1], &order).await.expect("revoked");
}

#[tokio::test]
async fn nothing_is_written_to_a_file_that_was_deleted_or_replaced() {
    let Fixture { folder, storage, issuer } = fixture().await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let path = folder.path().join("revocation.db");
    let copy = std::fs::read(&path).expect("read");
    std::fs::rename(&path, folder.path().join("elsewhere")).expect("renamed");
    let order = order(RevocationReason::Superseded, None);
    for content in [None, Some(copy)] {
        if let Some(content) = content {
            std::fs::write(&path, content).expect("written");
        }
        let refused = storage.revoke(issuer, &[1], &order).await;
        assert!(matches!(refused, Err(StorageError::Replaced)), "{refused:?}");
        storage.ping().await.expect_err("not ready");
    }
    std::fs::rename(folder.path().join("elsewhere"), &path).expect("renamed");
    storage.revoke(issuer, &[1], &order).await.expect("revoked");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_not_ready() {
    let Fixture { folder, storage, .. } = fixture().await;
    let options = SqliteConnectOptions::new().filename(folder.path().join("revocation.db"));
    let mut other = SqliteConnection::connect_with(&options).await.expect("connected");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locked");
    let asked = tokio::time::timeout(std::time::Duration::from_millis(300), storage.ping()).await;
    assert!(!matches!(asked, Ok(Ok(()))), "{asked:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocked");
    storage.ping().await.expect("ready");
}

#[tokio::test]
async fn a_database_belongs_to_one_process() {
    let Fixture { folder, storage, .. } = fixture().await;
    let path = folder.path().join("revocation.db");
    let refused = SqliteStorage::open(&path).await.expect_err("refused");
    assert!(matches!(refused, StorageError::InUse { .. }), "{refused:?}");
    storage.close().await;
    SqliteStorage::open(&path).await.expect("free again");
}

#[tokio::test]
async fn crl_numbers_follow_the_clock_so_that_a_restored_database_repeats_none() {
    let Fixture { folder: _folder, storage, issuer } = fixture().await;
    let clock = 1_800_000_000;
    let number = |least| storage.reserve_crl_number(issuer, least);
    assert_eq!(number(clock).await.expect("a number"), clock);
    assert_eq!(number(clock).await.expect("a number"), clock + 1);
    assert_eq!(number(clock - 100).await.expect("a number"), clock + 2);
    // What a backup of an hour ago would go on with, had it not.
    assert_eq!(number(clock + 3600).await.expect("a number"), clock + 3600);
}
