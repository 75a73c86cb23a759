//! What an import does, it does as a whole: a revoked key with its certificates, all lines or none, and what
//! was done where a fault ended it.

use std::sync::Arc;

use countersign_core::crl::CertificateList;
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::{key_sha256, ledger};
use crate::{
    http::{Reply, get},
    world::{Running, World, serial},
};

fn listed(running: &Running) -> usize {
    let reply = get(running.public, "/crl/signing.crl");
    CertificateList::decode(&reply.body).expect("a CRL").entries().count()
}

fn import(running: &Running, client: &Arc<ClientConfig>, lines: &[Value]) -> Reply {
    let head = json!({ "kind": "export", "format": 1 }).to_string();
    let lines = lines.iter().map(Value::to_string);
    let body = std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n");
    running.admin(client, "POST", "/v1/import", body.as_bytes())
}

fn revocation(world: &World, reason: &str) -> Value {
    let at = world.now.minus_seconds(60).to_string();
    json!({ "reason": reason, "revocation_date": at, "recorded_at": at, "recorded_by": "bob" })
}

fn key(world: &World, digest: &str, reason: &str) -> Value {
    json!({ "kind": "key", "key_sha256": digest, "revocation": revocation(world, reason) })
}

fn release(world: &World, bundle: usize, name: &str) -> Value {
    json!({
        "kind": "release", "bundle_sha256": format!("{bundle:064x}"), "name": name,
        "issuer": "signing", "serial": "02aa", "key_sha256": "ef".repeat(32),
        "registered_at": world.now.to_string(), "registered_by": "x",
    })
}

fn certificate(world: &World, serial: &str) -> Value {
    json!({
        "kind": "certificate", "issuer": "signing", "serial": serial,
        "not_before": world.now.minus_seconds(60).to_string(),
        "not_after": "2049-01-01T00:00:00Z",
        "registered_at": world.now.to_string(), "registered_by": "x", "status": "revoked",
        "revocation": revocation(world, "keyCompromise"),
    })
}

/// B3: `/v1/keys` had the key as revoked, and its certificate stayed good in CRL and OCSP.
#[tokio::test(flavor = "multi_thread")]
async fn an_imported_key_revokes_what_is_registered_with_it() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let hold = import(&running, &admin, &[key(&world, &key_sha256(&signer), "certificateHold")]);
    assert_eq!((hold.status, hold.code().as_str()), (409, "revocation.undo"));
    assert_eq!(listed(&running), 0);

    let reply = import(&running, &admin, &[key(&world, &key_sha256(&signer), "keyCompromise")]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(listed(&running), 1);
    let path = format!("/v1/certificates/signing/{}", serial(&signer));
    let known = running.admin(&admin, "GET", &path, b"").json();
    assert_eq!(
        (&known["status"], &known["revocation"]["recorded_by"]),
        (&json!("revoked"), &json!("imported by admin@example.test: bob"))
    );
    running.stop().await;
}

/// B10: the answer was 409 and the ledger had `import.refused`, but what was revoked in it was on record and in
/// the next CRL.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_refused_changed_nothing() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    assert_eq!(import(&running, &admin, &[release(&world, 1, "App 1")]).status, 200);
    let mut lines =
        vec![key(&world, &"ab".repeat(32), "keyCompromise"), certificate(&world, "02aa")];
    // In one transaction, and in several.
    for more in [0, 2_500] {
        lines.extend((2..2 + more).map(|bundle| release(&world, bundle, "App")));
        lines.push(release(&world, 1, "App 2"));
        let reply = import(&running, &admin, &lines);
        assert_eq!((reply.status, reply.code().as_str()), (409, "release.conflict"), "{more}");
        let reply = running.admin(&admin, "GET", "/v1/certificates/signing/02aa", b"");
        assert_eq!((reply.status, reply.code().as_str()), (404, "certificate.not_registered"));
        let keys = running.admin(&admin, "GET", "/v1/keys", b"").json();
        assert_eq!(keys["keys"], json!([]));
        assert_eq!(listed(&running), 0);
        lines.pop();
    }
    assert_eq!(import(&running, &admin, &lines).status, 200);
    assert_eq!(listed(&running), 1);
    running.stop().await;
    let kinds: Vec<_> = ledger(&world).into_iter().map(|(kind, _)| kind).collect();
    let count = |kind: &str| kinds.iter().filter(|each| *each == kind).count();
    assert_eq!((count("import.refused"), count("import.partly_done")), (2, 0));
    assert_eq!(count("import.done"), 2);
}

/// B10: what was done of an import that failed in its middle is published, and on record.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_fails_in_its_middle_says_what_was_done() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.path("revocation.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opened");
    let trouble = "CREATE TRIGGER trouble BEFORE INSERT ON releases WHEN NEW.name = 'Last' \
                   BEGIN SELECT RAISE(ABORT, 'trouble'); END";
    sqlx::query(trouble).execute(&pool).await.expect("in trouble");

    let mut lines = vec![certificate(&world, "02aa")];
    lines.extend((1..1_500).map(|bundle| release(&world, bundle, "App")));
    lines.push(release(&world, 1_500, "Last"));
    let reply = import(&running, &admin, &lines);
    assert_eq!((reply.status, reply.code().as_str()), (503, "service.storage"));
    let detail = reply.json()["detail"].as_str().expect("text").to_owned();
    assert!(detail.contains("1 new and 0 known certificates, 0 keys and 999 releases"), "{detail}");
    assert_eq!(listed(&running), 1, "what was done is published");

    sqlx::query("DROP TRIGGER trouble").execute(&pool).await.expect("mended");
    pool.close().await;
    let reply = import(&running, &admin, &lines);
    assert_eq!((reply.status, &reply.json()["known"]), (200, &json!(1)));
    running.stop().await;
    let record = ledger(&world);
    let part = record.iter().find(|(kind, _)| kind == "import.partly_done").expect("on record");
    let imported = &part.1["imported"];
    assert_eq!(
        (&part.1["code"], &imported["certificates"], &imported["releases"]),
        (&json!("service.storage"), &json!(1), &json!(999))
    );
    let ordered = record.iter().find(|(kind, _)| kind == "import.ordered").expect("an order");
    assert_eq!(imported["sha256"], ordered.1["order"]["sha256"]);
}
