//! The head of the audit ledger, in the transaction of each change.

use std::sync::Arc;

use countersign_core::crl::RevocationReason;
use countersign_daemon::ledger::{Head, Ledger, Options};
use countersign_revocation::register::storage::{HeldLedger, KnownLedger, Storage};
use serde_json::json;
use tempfile::TempDir;

use super::{Fixture, certificate, on_both_databases, open, order};

on_both_databases! {
    a_change_takes_the_head_of_the_ledger_along
    a_change_that_fails_leaves_the_head_as_it_was
    a_replica_keeps_the_head_of_its_own_ledger
    a_ledger_that_was_replaced_is_known_as_such
}

fn ledger() -> (TempDir, Ledger) {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(folder.path(), Options::new("revocation")).expect("opened");
    (folder, ledger)
}

async fn ordered(ledger: &Ledger) -> Head {
    ledger.append("revocation.ordered", &json!({})).await.expect("kept").head
}

fn held(ledger: &Ledger, replica: &str) -> HeldLedger {
    let id = ledger.identity().id.clone();
    HeldLedger { id, replica: replica.to_owned(), heads: ledger.heads() }
}

async fn known(storage: &Storage, ledger: &Ledger) -> KnownLedger {
    let known = storage.ledgers().await.expect("read");
    let id = &ledger.identity().id;
    known.into_iter().find(|known| known.id == *id).expect("known")
}

async fn head(storage: &Storage, ledger: &Ledger) -> Head {
    let KnownLedger { sequence, hash, .. } = known(storage, ledger).await;
    Head { sequence, hash }
}

async fn a_change_takes_the_head_of_the_ledger_along(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let (_folder, ledger) = ledger();
    assert_eq!(storage.ledgers().await.expect("read"), []);
    let before = ordered(&ledger).await;
    storage.hold_ledger(held(&ledger, "a")).await.expect("held");
    assert_eq!(head(&storage, &ledger).await, before, "from the start on");
    let registered = ordered(&ledger).await;
    storage.register(vec![certificate(issuer, 1)]).await.expect("registered");
    assert_eq!(head(&storage, &ledger).await, registered);
    let revoked = ordered(&ledger).await;
    let order = order(RevocationReason::Superseded, None);
    storage.revoke(issuer, &[1], &order).await.expect("revoked");
    assert_eq!(head(&storage, &ledger).await, revoked);
    // What is recorded and changes nothing is noted when somebody says so.
    let denied = ordered(&ledger).await;
    assert_eq!(head(&storage, &ledger).await, revoked);
    storage.note_ledger_head().await.expect("noted");
    assert_eq!(head(&storage, &ledger).await, denied);
}

async fn a_change_that_fails_leaves_the_head_as_it_was(fixture: Fixture) {
    let Fixture { storage, issuer, .. } = fixture;
    let (_folder, ledger) = ledger();
    storage.hold_ledger(held(&ledger, "a")).await.expect("held");
    let before = head(&storage, &ledger).await;
    ordered(&ledger).await;
    let order = order(RevocationReason::Superseded, None);
    storage.revoke(issuer, &[1], &order).await.expect_err("not registered");
    storage.ping().await.expect("it answers");
    assert_eq!(head(&storage, &ledger).await, before);
}

async fn a_replica_keeps_the_head_of_its_own_ledger(fixture: Fixture) {
    let Fixture { storage, location, issuer } = fixture;
    if matches!(location, countersign_revocation::register::storage::DatabaseLocation::File(_)) {
        // One process owns it.
        return;
    }
    let other = open(&location).await;
    let ((_folder, first), (_other_folder, second)) = (ledger(), ledger());
    storage.hold_ledger(held(&first, "a")).await.expect("held");
    other.hold_ledger(held(&second, "b")).await.expect("held");
    let untouched = head(&storage, &first).await;
    ordered(&first).await;
    let ordered = ordered(&second).await;
    other.register(vec![certificate(issuer, 1)]).await.expect("registered");
    assert_eq!(head(&storage, &first).await, untouched);
    assert_eq!(head(&storage, &second).await, ordered);
    assert_eq!(known(&storage, &second).await.replica, "b");
    other.close().await;
}

async fn a_ledger_that_was_replaced_is_known_as_such(fixture: Fixture) {
    let Fixture { storage, .. } = fixture;
    let ((_folder, old), (_new_folder, new)) = (ledger(), ledger());
    storage.hold_ledger(held(&old, "")).await.expect("held");
    storage.replace_ledger(&old.identity().id, held(&new, "")).await.expect("replaced");
    let replaced = known(&storage, &old).await.replaced_by;
    assert_eq!(replaced.as_deref(), Some(new.identity().id.as_str()));
    assert_eq!(known(&storage, &new).await.replaced_by, None);
}
