//! What a `SQLite` file has of its own: one process, a file that must stay, a disk that may be full.

use countersign_core::crl::RevocationReason;
use countersign_revocation::register::storage::{
    self, DatabaseLocation, Status, Storage, StorageError, migrations,
};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::{Fixture, certificate, order};

async fn fixture() -> (TempDir, Fixture) {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = Fixture::open(folder.path().join("revocation.db").into()).await;
    (folder, fixture)
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("revocation.db");
    std::fs::write(&path, vec![b'x'; 4096]).expect("written");
    let refused = Storage::open_file(&path).await.expect_err("refused");
    assert!(matches!(refused, StorageError::Database(_)), "{refused:?}");
}

#[tokio::test]
async fn a_commit_is_synced_before_it_returns() {
    // The promise itself is kept by SQLite; this keeps it switched on.
    let (folder, Fixture { storage, .. }) = fixture().await;
    storage.ping().await.expect("it answers");
    storage.close().await;
    let mode = Storage::open_file(&folder.path().join("revocation.db"))
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
    let (folder, Fixture { storage, issuer, .. }) = fixture().await;
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
    let (folder, Fixture { storage, issuer, .. }) = fixture().await;
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
    let (folder, Fixture { storage, .. }) = fixture().await;
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
    let (folder, Fixture { storage, .. }) = fixture().await;
    let path = folder.path().join("revocation.db");
    let refused = Storage::open_file(&path).await.expect_err("refused");
    assert!(matches!(refused, StorageError::InUse { .. }), "{refused:?}");
    storage.close().await;
    Storage::open_file(&path).await.expect("free again");
}

#[tokio::test]
async fn a_backup_taken_while_it_runs_is_a_whole_database() {
    let (folder, Fixture { location, storage, issuer }) = fixture().await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    let order = order(RevocationReason::Superseded, None);
    let recorded = storage.revoke(issuer, &[1], &order).await.expect("revoked");
    let number = storage.reserve_crl_number(issuer, 0).await.expect("a number");
    // By the service, and by another process's means beside it.
    let inside = folder.path().join("inside.db");
    storage.back_up(&inside).await.expect("copied");
    let DatabaseLocation::File(path) = &location else { panic!("a file") };
    let beside = folder.path().join("beside ü.db");
    storage::sqlite::back_up(path, &beside).await.expect("copied");
    // A backup never replaces another.
    storage.back_up(&inside).await.expect_err("there already");
    storage.revoke(issuer, &[2], &order).await.expect_err("not registered, and still serving");
    for copy in [inside, beside] {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&copy).expect("there").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        let restored = Storage::open_file(&copy).await.expect("opened");
        let restored: &storage::Storage = &restored;
        assert_eq!(
            restored.status(issuer, &[1]).await.expect("read"),
            Status::Revoked(recorded.revocation.clone())
        );
        assert_eq!(restored.reserve_crl_number(issuer, 0).await.expect("a number"), number + 1);
    }
    let none = folder.path().join("none");
    storage::sqlite::back_up(&none, &folder.path().join("x")).await.expect_err("nothing to copy");
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("revocation.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut old = SqliteConnection::connect_with(&options).await.expect("connected");
    let migrations = migrations::sqlite();
    let first = migrations.iter().next().expect("a first one").clone();
    sqlx::migrate::Migrator::with_migrations(vec![first]).run(&mut old).await.expect("old tables");
    let rows = "INSERT INTO issuers (id, name, spki_sha256, revision) \
                  VALUES (1, 'signing', randomblob(32), 4); \
                INSERT INTO certificates (issuer, serial, sha256, subject, spki_sha256, not_before, \
                  not_after, registered_at, actor, der) \
                  VALUES (1, x'01', randomblob(32), x'3000', randomblob(32), 1000, 90000, 2000, 'a', x'3000'), \
                         (1, x'02', randomblob(32), x'3000', randomblob(32), 1000, 90000, 2000, 'b', x'3000'); \
                INSERT INTO revocations VALUES (1, x'02', 4, 3000, 3001, 'c'); \
                INSERT INTO crls VALUES (1, 7, 4, x'3000'); INSERT INTO crl_numbers VALUES (1, 7);";
    sqlx::raw_sql(rows).execute(&mut old).await.expect("old rows");
    let key: Vec<u8> = sqlx::query("SELECT spki_sha256 FROM issuers")
        .fetch_one(&mut old)
        .await
        .and_then(|row| row.try_get(0))
        .expect("a key");
    old.close().await.expect("closed");

    let storage = Storage::open(&path.into()).await.expect("opened");
    let key = key.try_into().expect("32 octets");
    let issuer = storage.bind_issuer("signing", key).await.expect("the same issuer");
    assert_eq!(storage.status(issuer, &[1]).await.expect("read"), Status::Good);
    let list = storage.revocations(issuer).await.expect("read");
    assert_eq!((list.revision, list.entries.len()), (4, 1));
    assert_eq!(list.entries[0].1.actor, "c");
    let crl = storage.stored_crl(issuer, countersign_revocation::register::CrlList::WHOLE).await;
    assert_eq!(crl.expect("read").expect("there").number, 7);
    assert_eq!(storage.reserve_crl_number(issuer, 0).await.expect("a number"), 8);
    let record = storage.certificate(issuer, &[1]).await.expect("read").expect("there");
    assert_eq!(record.actor, "a");
}
