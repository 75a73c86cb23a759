//! What takes two pairs of eyes: lifting a hold, and moving a date later.

use countersign_core::crl::CertificateList;
use countersign_revocation::admin::Role;
use serde_json::json;

use super::{decision, key_sha256, ledger, order, post};
use crate::{
    http::get,
    world::{Running, World},
};

fn dates(running: &Running) -> Vec<i64> {
    let reply = get(running.public, "/crl/signing.crl");
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    list.entries().map(|entry| entry.expect("good").revocation_date.seconds()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_lifted_and_a_date_moved_later_by_two_people_alone() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    let roles = [Role::Registrar, Role::Revoker, Role::Approver];
    let alice = world.with_person(&mut config, "alice", &roles);
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let [held, moved] = [world.signer(), world.signer()];
    running.register(&alice, &[&held, &moved]);
    let none = json!({});
    assert_eq!(running.revoke(&alice, &order(&held, "certificateHold", &none)).status, 200);
    let early = world.now.minus_seconds(100);
    let since = json!({ "compromised_since": early.to_string() });
    assert_eq!(running.revoke(&alice, &order(&moved, "superseded", &since)).status, 200);
    assert_eq!(dates(&running).len(), 2);

    // Without a reason for the second person to judge: nothing.
    let release = order(&held, "removeFromCRL", &none);
    let reply = running.revoke(&alice, &release);
    assert_eq!((reply.status, reply.code().as_str()), (400, "comment.missing"));
    let release = order(&held, "removeFromCRL", &json!({ "comment": "the token was found" }));
    let reply = running.revoke(&alice, &release);
    assert_eq!(reply.status, 202, "{reply:?}");
    let proposed = reply.json()["pending"].clone();
    assert_eq!(
        (&proposed["state"], &proposed["proposed_by"]),
        (&json!("waiting"), &json!("alice@example.test"))
    );
    let late = world.now.minus_seconds(10);
    let later = json!({ "compromised_since": late.to_string(), "comment": "wrong day" });
    let reply = running.revoke(&alice, &order(&moved, "superseded", &later));
    assert_eq!(reply.status, 202, "{reply:?}");
    let second = reply.json()["pending"].clone();
    assert_eq!(second["was"]["revocation_date"], early.to_string());

    // Alice may approve what others propose, not her own, whatever connection she comes by.
    let approve = |id: &serde_json::Value| format!("/v1/pending/{id}/approve");
    let reply = post(&running, &alice, &approve(&proposed["id"]), &decision(&proposed, ""));
    assert_eq!((reply.status, reply.code().as_str()), (403, "pending.same_person"));
    assert_eq!(dates(&running).len(), 2);
    let reply = post(&running, &bob, &approve(&proposed["id"]), &decision(&proposed, "seen it"));
    assert_eq!((reply.status, &reply.json()["pending"]["state"]), (200, &json!("approved")));
    assert_eq!(dates(&running), [early.seconds()]);
    let reply = post(&running, &bob, &approve(&second["id"]), &decision(&second, ""));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(dates(&running), [late.seconds()]);

    let list = running.admin(&bob, "GET", "/v1/pending", b"").json();
    let states: Vec<_> = list["pending"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| (each["state"].clone(), each["decided_by"].clone()))
        .collect();
    assert_eq!(states, vec![(json!("approved"), json!("bob@example.test")); 2]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_can_be_rejected_and_runs_out() {
    let world = World::new();
    let mut config = world.config();
    config.pending_expiry_seconds = 600;
    let admin = world.with_admin(&mut config);
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let held = world.signer();
    running.register(&admin, &[&held]);
    assert_eq!(running.revoke(&admin, &order(&held, "certificateHold", &json!({}))).status, 200);
    let release = order(&held, "removeFromCRL", &json!({ "comment": "found" }));
    let propose = || running.revoke(&admin, &release).json()["pending"].clone();
    let proposed = propose();
    assert_eq!(propose(), proposed, "the same proposal is made once");
    let first = &proposed["id"];
    let shown = decision(&proposed, "");
    let reject = post(&running, &bob, &format!("/v1/pending/{first}/reject"), &shown);
    assert_eq!((reject.status, &reject.json()["pending"]["state"]), (200, &json!("rejected")));
    let reply = post(&running, &bob, &format!("/v1/pending/{first}/approve"), &shown);
    assert_eq!((reply.status, reply.code().as_str()), (409, "pending.decided"));

    let proposed = propose();
    let second = &proposed["id"];
    running.set_clock(world.now.plus_seconds(600));
    let path = format!("/v1/pending/{second}/approve");
    let reply = post(&running, &bob, &path, &decision(&proposed, ""));
    assert_eq!((reply.status, reply.code().as_str()), (409, "pending.expired"));
    for (path, status, code) in [
        ("/v1/pending/99/approve", 404, "pending.unknown"),
        ("/v1/pending/x/approve", 400, "pending.malformed"),
    ] {
        let reply = post(&running, &bob, path, &shown);
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
    let listed = running.admin(&bob, "GET", "/v1/pending", b"").json();
    assert_eq!(listed["pending"][0]["state"], "expired");
    assert_eq!(dates(&running).len(), 1, "still on hold");
    running.stop().await;
}

/// D13: a thief's proposal waited unmarked after the key was revoked, and was carried out.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_locked_out_since_proposes_nothing() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let alice = world.with_person(&mut config, "alice", &[Role::Revoker]);
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let [first, second] = [world.signer(), world.signer()];
    running.register(&admin, &[&first, &second]);
    let propose = |held: &[u8]| {
        assert_eq!(running.revoke(&admin, &order(held, "certificateHold", &json!({}))).status, 200);
        let release = order(held, "removeFromCRL", &json!({ "comment": "found" }));
        running.revoke(&alice, &release).json()["pending"].clone()
    };
    let approve = |proposal: &serde_json::Value| {
        let path = format!("/v1/pending/{}/approve", proposal["id"]);
        post(&running, &bob, &path, &decision(proposal, ""))
    };
    let before_the_theft = propose(&first);
    running.set_clock(world.now.plus_seconds(60));
    let after = propose(&second);
    let theft = json!({
        "key_sha256": key_sha256(&world.client_certificate("alice")), "reason": "keyCompromise",
        "compromised_since": world.now.plus_seconds(30).to_string(),
    });
    assert_eq!(running.revoke(&admin, &theft).status, 200);
    let list = running.admin(&bob, "GET", "/v1/pending", b"").json();
    let states =
        |list: &serde_json::Value| [0, 1].map(|index| list["pending"][index]["state"].clone());
    assert_eq!(states(&list), [json!("proposer_locked_out"), json!("waiting")]);
    let refused = approve(&after);
    assert_eq!((refused.status, refused.code().as_str()), (409, "pending.proposer_locked_out"));
    assert_eq!(dates(&running).len(), 2, "both are on hold");
    assert_eq!(approve(&before_the_theft).status, 200);
    assert_eq!(dates(&running).len(), 1);
    let path = format!("/v1/pending/{}/reject", after["id"]);
    assert_eq!(post(&running, &bob, &path, &decision(&after, "a thief's")).status, 200);
    running.stop().await;
    let refused = ledger(&world).into_iter().find(|(kind, _)| kind == "pending.approve.refused");
    assert_eq!(refused.expect("on record").1["code"], "pending.proposer_locked_out");
}
