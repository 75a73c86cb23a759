//! A service that stopped, a ledger that was changed meanwhile, and a service that does not start on it.

use std::{fs, path::Path, sync::Arc};

use countersign_daemon::{clock::SystemClock, shutdown::Shutdown};
use countersign_revocation::{
    LedgerError, Listeners, StartError,
    config::Config,
    register::storage::{KnownLedger, Storage},
    replace_ledger, run,
};
use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::{
    postgres::Postgres,
    world::{World, serial},
};

async fn refused(config: &Config) -> LedgerError {
    let listeners = Listeners::bind(config).await.expect("listening");
    let (_trigger, shutdown) = Shutdown::manual();
    let error = run(config.clone(), listeners, Arc::new(SystemClock), shutdown).await;
    let error = error.expect_err("refused");
    assert!(error.is_of_the_configuration(), "starting again helps nobody: {error}");
    match error {
        StartError::Ledger(fault) => fault,
        other => panic!("{other}"),
    }
}

/// Starts the service, registers and revokes a certificate, and stops it.
async fn revoke_one(world: &World, config: &Config, admin: &Arc<ClientConfig>) {
    let running = world.start(config.clone()).await;
    let signer = world.signer();
    running.register(admin, &[&signer]);
    let order = json!({ "issuer": "signing", "serial": serial(&signer), "reason": "superseded" });
    assert_eq!(running.revoke(admin, &order).status, 200);
    running.stop().await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).expect("copied");
        }
    }
}

/// The ledger without its last record, as it would be if that had never been written.
fn cut_last_record(ledger: &Path) {
    let mut records = countersign_ledger::texts(ledger).expect("whole");
    records.pop();
    fs::remove_dir_all(ledger).expect("removed");
    fs::create_dir_all(ledger.join("pending")).expect("made");
    let octets = countersign_ledger::encode_segment(&records);
    fs::write(ledger.join("pending").join("0".repeat(20)), octets).expect("written");
}

async fn known(config: &Config) -> Vec<KnownLedger> {
    let storage = Storage::open(&config.database).await.expect("opened");
    let known = storage.ledgers().await.expect("read");
    storage.close().await;
    known
}

fn world() -> (World, Config, Arc<ClientConfig>) {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    (world, config, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_put_back_to_an_older_copy_is_refused_and_left_as_it_is() {
    let (world, config, admin) = world();
    let ledger = world.path("revocation.db.audit");
    revoke_one(&world, &config, &admin).await;
    copy(&ledger, &world.path("older"));
    revoke_one(&world, &config, &admin).await;
    copy(&ledger, &world.path("whole"));
    fs::remove_dir_all(&ledger).expect("removed");
    copy(&world.path("older"), &ledger);
    let fault = refused(&config).await;
    assert!(matches!(fault, LedgerError::Cut { .. }), "{fault}");
    let read = |name: &str| countersign_ledger::texts(&world.path(name)).expect("whole");
    assert_eq!(read("revocation.db.audit"), read("older"), "it is evidence");
    // With the whole of it, the service goes on.
    fs::remove_dir_all(&ledger).expect("removed");
    copy(&world.path("whole"), &ledger);
    revoke_one(&world, &config, &admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_record_is_missed_even_if_it_changed_nothing() {
    let (world, config, admin) = world();
    let running = world.start(config.clone()).await;
    let order = json!({ "issuer": "signing", "serial": "01", "reason": "superseded" });
    assert_eq!(running.revoke(&admin, &order).status, 404);
    running.stop().await;
    cut_last_record(&world.path("revocation.db.audit"));
    let fault = refused(&config).await;
    assert!(matches!(fault, LedgerError::Cut { .. }), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_deleted_is_missed_wherever_the_configuration_looks() {
    let (world, mut config, admin) = world();
    revoke_one(&world, &config, &admin).await;
    fs::rename(world.path("revocation.db.audit"), world.path("away")).expect("moved");
    let fault = refused(&config).await;
    assert!(matches!(fault, LedgerError::Missing { .. }), "{fault}");
    assert!(!world.path("revocation.db.audit").exists());
    let settings = countersign_daemon::ledger::AuditSettings::in_folder;
    config.audit = Some(settings(&world.path("elsewhere")));
    assert!(matches!(refused(&config).await, LedgerError::Missing { .. }));
    config.audit = Some(settings(&world.path("away")));
    revoke_one(&world, &config, &admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_goes_on_with_a_new_ledger_and_that_is_on_record() {
    let (world, config, admin) = world();
    revoke_one(&world, &config, &admin).await;
    let ledger = world.path("revocation.db.audit");
    let old = known(&config).await.remove(0);
    let clock = || Arc::new(SystemClock);
    let error = replace_ledger(&config, &old.id, clock()).await.expect_err("it is still there");
    assert!(matches!(error, StartError::Ledger(LedgerError::StillThere { .. })), "{error}");
    fs::rename(&ledger, world.path("evidence")).expect("moved");
    let error = replace_ledger(&config, &"0".repeat(32), clock()).await.expect_err("another");
    assert!(error.to_string().contains(&old.id), "{error}");
    assert!(!ledger.exists());

    let new = replace_ledger(&config, &old.id, clock()).await.expect("replaced");
    let records = countersign_ledger::texts(&ledger).expect("whole");
    let line: Value = serde_json::from_str(&records[1]).expect("JSON");
    assert_eq!(line["kind"], "ledger.replaces");
    let record = json!({ "ledger": old.id, "sequence": old.sequence, "hash": old.hash });
    assert_eq!(line["record"], record);
    revoke_one(&world, &config, &admin).await;
    let kept = known(&config).await;
    let of = |id: &str| kept.iter().find(|ledger| ledger.id == id).expect("known").clone();
    assert_eq!(of(&old.id).replaced_by.as_deref(), Some(new.as_str()));
    assert!(of(&new).sequence > 3);

    let again = replace_ledger(&config, &old.id, clock()).await.expect_err("once");
    assert!(matches!(again, StartError::Ledger(LedgerError::NotInUse { .. })), "{again}");
    fs::remove_dir_all(&ledger).expect("removed");
    copy(&world.path("evidence"), &ledger);
    assert!(matches!(refused(&config).await, LedgerError::Other { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_answer_for_a_ledger_each() {
    let server = Postgres::start().await;
    let (world, mut first, admin) = world();
    first.database = server.database().await;
    let audit =
        |name: &str| Some(countersign_daemon::ledger::AuditSettings::in_folder(&world.path(name)));
    first.audit = audit("first");
    let second = Config { audit: audit("second"), ..first.clone() };
    revoke_one(&world, &first, &admin).await;
    revoke_one(&world, &second, &admin).await;
    copy(&world.path("first"), &world.path("older"));
    revoke_one(&world, &first, &admin).await;
    assert_eq!(known(&first).await.len(), 2);
    fs::remove_dir_all(world.path("first")).expect("removed");
    copy(&world.path("older"), &world.path("first"));
    let fault = refused(&first).await;
    assert!(matches!(fault, LedgerError::Cut { .. }), "{fault}");
    revoke_one(&world, &second, &admin).await;
    // Another's ledger does not stand in for one's own.
    fs::remove_dir_all(world.path("first")).expect("removed");
    copy(&world.path("second"), &world.path("first"));
    assert!(matches!(refused(&first).await, LedgerError::Other { .. }));
}
