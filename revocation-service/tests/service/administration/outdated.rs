//! What is approved is what was shown: a proposal ends with the state that it was to change.

use countersign_core::crl::CertificateList;
use countersign_revocation::admin::Role;
use serde_json::{Value, json};

use super::{decision, order, post};
use crate::{
    http::get,
    world::{Running, World},
};

fn entries(running: &Running) -> usize {
    let reply = get(running.public, "/crl/signing.crl");
    CertificateList::decode(&reply.body).expect("a CRL").entries().count()
}

fn state(running: &Running, who: &std::sync::Arc<rustls::ClientConfig>, id: &Value) -> Value {
    let listed = running.admin(who, "GET", "/v1/pending", b"").json();
    let all = listed["pending"].as_array().expect("a list");
    all.iter().find(|each| each["id"] == *id).expect("listed")["state"].clone()
}

/// F7 (a): the hold of another incident is lifted by a proposal from before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_for_one_hold_lifts_no_later_one() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let hold = order(&signer, "certificateHold", &json!({}));
    assert_eq!(running.revoke(&admin, &hold).status, 200);
    let release = order(&signer, "removeFromCRL", &json!({ "comment": "the token was found" }));
    let first = running.revoke(&admin, &release).json()["pending"].clone();
    let approve = format!("/v1/pending/{}/approve", first["id"]);
    assert_eq!(post(&running, &bob, &approve, &decision(&first, "")).status, 200);
    assert_eq!(entries(&running), 0);

    assert_eq!(running.revoke(&admin, &hold).status, 200);
    let second = running.revoke(&admin, &release).json()["pending"].clone();
    // Another incident: the hold becomes a stricter one while the proposal waits.
    let earlier = json!({ "compromised_since": world.now.minus_seconds(60).to_string() });
    assert_eq!(running.revoke(&admin, &order(&signer, "certificateHold", &earlier)).status, 200);
    assert_eq!(state(&running, &bob, &second["id"]), "outdated");
    let approve = format!("/v1/pending/{}/approve", second["id"]);
    let reply = post(&running, &bob, &approve, &decision(&second, ""));
    assert_eq!((reply.status, reply.code().as_str()), (409, "pending.outdated"));
    assert_eq!(entries(&running), 1, "still on hold");
    // Proposed anew, it is shown with the state that it changes, and works.
    let third = running.revoke(&admin, &release).json()["pending"].clone();
    assert_eq!(third["was"]["revocation_date"], earlier["compromised_since"]);
    let approve = format!("/v1/pending/{}/approve", third["id"]);
    assert_eq!(post(&running, &bob, &approve, &decision(&third, "")).status, 200);
    assert_eq!(entries(&running), 0);
    running.stop().await;
}

/// F7 (b): a stricter date of somebody else is moved later, and the approver never saw it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_date_recorded_meanwhile_stays() {
    let world = World::new();
    let mut config = world.config();
    let alice = world.with_admin(&mut config);
    let carol = world.with_person(&mut config, "carol", &[Role::Revoker]);
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&alice, &[&signer]);
    let at = |seconds: i64| world.now.minus_seconds(seconds).to_string();
    let since = |seconds: i64| json!({ "compromised_since": at(seconds), "comment": "why" });
    assert_eq!(running.revoke(&alice, &order(&signer, "keyCompromise", &since(120))).status, 200);
    let proposed = running.revoke(&carol, &order(&signer, "keyCompromise", &since(60)));
    assert_eq!(proposed.status, 202, "{proposed:?}");
    let proposed = proposed.json()["pending"].clone();
    assert_eq!(proposed["was"]["revocation_date"], at(120));
    assert_eq!(proposed["was"]["recorded_by"], "admin@example.test");
    assert_eq!(running.revoke(&alice, &order(&signer, "keyCompromise", &since(240))).status, 200);
    let approve = format!("/v1/pending/{}/approve", proposed["id"]);
    let reply = post(&running, &bob, &approve, &decision(&proposed, ""));
    assert_eq!((reply.status, reply.code().as_str()), (409, "pending.outdated"));
    let path = format!("/v1/certificates/signing/{}", crate::world::serial(&signer));
    let shown = running.admin(&bob, "GET", &path, b"").json();
    assert_eq!(shown["revocation"]["revocation_date"], at(240));
    assert_eq!(shown["revocation"]["recorded_by"], "admin@example.test");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_names_what_it_decides_on() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let [one, other] = [world.signer(), world.signer()];
    running.register(&admin, &[&one, &other]);
    let proposal = |signer: &[u8]| {
        assert_eq!(
            running.revoke(&admin, &order(signer, "certificateHold", &json!({}))).status,
            200
        );
        let release = order(signer, "removeFromCRL", &json!({ "comment": "found" }));
        running.revoke(&admin, &release).json()["pending"].clone()
    };
    let (one, other) = (proposal(&one), proposal(&other));
    for verb in ["approve", "reject"] {
        let path = format!("/v1/pending/{}/{verb}", one["id"]);
        for (body, status, code) in [
            (json!({}), 400, "pending.malformed"),
            (json!({ "comment": "yes" }), 400, "pending.malformed"),
            (json!({ "proposal_sha256": "00" }), 400, "pending.malformed"),
            (decision(&other, ""), 409, "pending.not_as_shown"),
        ] {
            let reply = post(&running, &bob, &path, &body);
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}");
        }
        let empty = running.admin(&bob, "POST", &path, b"");
        assert_eq!((empty.status, empty.code().as_str()), (400, "pending.malformed"));
    }
    assert_eq!(entries(&running), 2);
    running.stop().await;
}
