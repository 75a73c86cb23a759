//! Repeated requests are carried out once; everything is on record, with who, when and why.

use serde_json::json;

use super::{ledger, order, sha256_hex};
use crate::{
    http::send_tls_with,
    world::{World, serial},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_under_its_key_is_answered_as_before() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let address = running.admin.expect("an admin listener");
    let signer = world.signer();
    let send = |key: &str, path: &str, body: &[u8]| {
        let headers = [("Idempotency-Key", key)];
        send_tls_with(address, &admin, ("POST", path), &headers, body).expect("a reply")
    };
    let first = send("k-1", "/v1/certificates", &signer);
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    let again = send("k-1", "/v1/certificates", &signer);
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.body, first.body);
    let other = send("k-1", "/v1/certificates", &world.signer());
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency.key.reused"));
    let bad = send(&"k".repeat(129), "/v1/certificates", &signer);
    assert_eq!((bad.status, bad.code().as_str()), (400, "idempotency.key.malformed"));
    // What was refused is looked at anew.
    let unknown = world.signer();
    let revoke = order(&unknown, "superseded", &json!({})).to_string();
    assert_eq!(send("k-2", "/v1/revocations", revoke.as_bytes()).status, 404);
    running.register(&admin, &[&unknown]);
    assert_eq!(send("k-2", "/v1/revocations", revoke.as_bytes()).status, 200);
    running.set_clock(world.now.plus_seconds(86_401));
    assert_eq!(send("k-1", "/v1/certificates", &signer).status, 200, "a day later it is new");
    running.stop().await;
}

/// A10: twelve were carried out.
#[tokio::test(flavor = "multi_thread")]
async fn of_requests_with_one_key_at_once_one_is_carried_out() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let address = running.admin.expect("an admin listener");
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let body = order(&signer, "superseded", &json!({ "comment": "at once" })).to_string();
    let send = || {
        let headers = [("Idempotency-Key", "k-1")];
        let path = ("POST", "/v1/revocations");
        send_tls_with(address, &admin, path, &headers, body.as_bytes()).expect("a reply")
    };
    let replies: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..12).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().expect("no panic")).collect()
    });
    for reply in &replies {
        let is_answered = reply.status == 200;
        assert!(is_answered || reply.code() == "idempotency.key.in_use", "{reply:?}");
    }
    let first = replies.iter().filter(|reply| reply.status == 200);
    assert_eq!(first.filter(|reply| reply.header("idempotency-replayed").is_none()).count(), 1);
    assert_eq!(send().header("idempotency-replayed"), Some("true"));
    running.stop().await;
    let orders = ledger(&world).into_iter().filter(|(kind, _)| kind == "revocation.ordered");
    assert_eq!(orders.count(), 1);
}

/// A10: the second one took away what the first one was writing, or took its name.
#[tokio::test(flavor = "multi_thread")]
async fn backups_of_one_second_are_files_of_their_own() {
    let world = World::new();
    let mut config = world.config();
    config.backup_folder = Some(world.folder.path().to_owned());
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let back_up = || running.admin(&admin, "POST", "/v1/backups", b"");
    let replies: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4).map(|_| scope.spawn(back_up)).collect();
        senders.into_iter().map(|sender| sender.join().expect("no panic")).collect()
    });
    let mut paths = std::collections::HashSet::new();
    for reply in replies {
        assert_eq!(reply.status, 201, "{reply:?}");
        paths.insert(reply.json()["path"].as_str().expect("a path").to_owned());
    }
    assert_eq!(paths.len(), 4, "{paths:?}");
    running.stop().await;
    for path in paths {
        let copy = std::path::PathBuf::from(path).into();
        let storage = countersign_revocation::register::storage::Storage::open(&copy)
            .await
            .expect("a whole database");
        storage.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_on_record_with_who_and_why_and_what_came_of_it() {
    let world = World::new();
    let mut config = world.config();
    config.backup_folder = Some(world.folder.path().to_owned());
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let why = json!({ "comment": "replaced by the new one" });
    assert_eq!(running.revoke(&admin, &order(&signer, "superseded", &why)).status, 200);
    let weaker = order(&signer, "certificateHold", &json!({}));
    assert_eq!(running.revoke(&admin, &weaker).status, 409);
    let backup = running.admin(&admin, "POST", "/v1/backups", b"");
    assert_eq!(backup.status, 201, "{backup:?}");
    let copy = backup.json()["path"].as_str().expect("a path").to_owned();
    running.stop().await;

    let records = ledger(&world);
    let kinds: Vec<_> = records
        .iter()
        .map(|(kind, _)| kind.as_str())
        .filter(|kind| !kind.starts_with("ledger."))
        .collect();
    assert_eq!(
        kinds,
        [
            "certificate.register.ordered",
            "certificate.register.done",
            "revocation.ordered",
            "revocation.done",
            "revocation.ordered",
            "revocation.refused",
            "backup.ordered",
            "backup.done"
        ]
    );
    let of = |kind: &str| &records.iter().find(|(known, _)| known == kind).expect("there").1;
    let ordered = of("revocation.ordered");
    assert_eq!(ordered["actor"], "admin@example.test");
    assert_eq!(ordered["order"]["comment"], "replaced by the new one");
    assert_eq!(of("revocation.done")["answer"]["serial"], serial(&signer));
    assert_eq!(of("revocation.refused")["code"], "revocation.reason.lowered");
    let copy = std::path::PathBuf::from(copy).into();
    let storage = countersign_revocation::register::storage::Storage::open(&copy)
        .await
        .expect("a whole database");
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_too_long_for_a_line_is_on_record_by_its_digest() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let long = "x".repeat(70_000);
    let reply = running.admin(&admin, "POST", "/v1/import", long.as_bytes());
    assert_eq!((reply.status, reply.code().as_str()), (400, "import.malformed"));
    running.stop().await;
    let records = ledger(&world);
    let ordered = records.iter().find(|(kind, _)| kind == "import.ordered").expect("there");
    assert_eq!(ordered.1["order"]["octets"], long.len());
}

/// D14: an order in a wrapper of the parser's own was on record as what was in it, of a key twice the last value
/// was, and an array was carried out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_record_is_what_was_sent() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let good = order(&signer, "superseded", &json!({ "comment": "one" })).to_string();
    let twice = good.replace("\"comment\":\"one\"", "\"comment\":\"two\",\"comment\":\"one\"");
    let wrapped = json!({ "$serde_json::private::RawValue": good }).to_string();
    let array =
        json!([null, "signing", serial(&signer), null, null, "superseded", null, "array", false]);
    let bodies = [twice, wrapped, array.to_string(), good.clone()];
    for (body, status) in bodies.iter().zip([400, 400, 400, 200]) {
        let reply = running.admin(&admin, "POST", "/v1/revocations", body.as_bytes());
        assert_eq!(reply.status, status, "{body}: {reply:?}");
    }
    // Nor is a decision or a release read in another way.
    for path in ["/v1/pending/1/approve", "/v1/pending/1/withdraw", "/v1/releases", "/v1/import"] {
        for body in ["[\"x\"]", "{\"comment\":\"one\",\"comment\":\"two\"}"] {
            let reply = running.admin(&admin, "POST", path, body.as_bytes());
            let expected = if path.ends_with("approve") { 403 } else { 400 };
            assert!([400, expected].contains(&reply.status), "{path} {body}: {reply:?}");
        }
    }
    running.stop().await;
    let records = ledger(&world);
    let ordered: Vec<_> = records
        .iter()
        .filter(|(kind, _)| kind == "revocation.ordered")
        .map(|(_, record)| (record["order"].clone(), record["order_sha256"].clone()))
        .collect();
    let octets =
        |body: &str| json!({ "sha256": sha256_hex(body.as_bytes()), "octets": body.len() });
    let shown = [octets(&bodies[0]), octets(&bodies[1]), array];
    let shown = shown.into_iter().chain([serde_json::from_str(&good).expect("JSON")]);
    let expected: Vec<_> = shown
        .zip(&bodies)
        .map(|(order, body)| (order, json!(sha256_hex(body.as_bytes()))))
        .collect();
    assert_eq!(ordered, expected);
}
