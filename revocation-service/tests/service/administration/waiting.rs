//! A proposal while it waits: what is said besides is kept, it can be taken back, and nobody waits beside
//! it.

use std::sync::Arc;

use countersign_revocation::admin::Role;
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::{decision, order, post};
use crate::world::{Running, World};

/// A certificate revoked long ago, and people: Carol, who proposes, and Bob, who approves.
struct Case {
    world: World,
    running: Running,
    signer: Vec<u8>,
    carol: Arc<ClientConfig>,
    dan: Arc<ClientConfig>,
    bob: Arc<ClientConfig>,
}

impl Case {
    async fn start() -> Self {
        let world = World::new();
        let mut config = world.config();
        let admin = world.with_admin(&mut config);
        let carol = world.with_person(&mut config, "carol", &[Role::Revoker]);
        let dan = world.with_person(&mut config, "dan", &[Role::Revoker, Role::Approver]);
        let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
        let running = world.start(config).await;
        let signer = world.signer();
        running.register(&admin, &[&signer]);
        let since = json!({ "compromised_since": world.now.minus_seconds(100).to_string() });
        assert_eq!(running.revoke(&admin, &order(&signer, "superseded", &since)).status, 200);
        Self { world, running, signer, carol, dan, bob }
    }

    fn propose(&self, who: &Arc<ClientConfig>, ago: i64, comment: &str) -> crate::http::Reply {
        let since = self.world.now.minus_seconds(ago).to_string();
        let more = json!({ "compromised_since": since, "comment": comment });
        self.running.revoke(who, &order(&self.signer, "superseded", &more))
    }

    fn proposed(&self, who: &Arc<ClientConfig>, ago: i64, comment: &str) -> Value {
        let reply = self.propose(who, ago, comment);
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.json()["pending"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_words_are_added_and_who_saw_the_old_ones_approves_nothing() {
    let case = Case::start().await;
    let first = case.proposed(&case.carol, 10, "laptop stolen, ticket 17");
    let again = case.proposed(&case.carol, 10, "no: the log was another machine's");
    assert_eq!(again["id"], first["id"]);
    assert_eq!(again["comment"], "laptop stolen, ticket 17; no: the log was another machine's");
    assert_ne!(again["proposal_sha256"], first["proposal_sha256"]);
    assert_eq!(case.proposed(&case.carol, 10, "laptop stolen, ticket 17"), again, "said before");
    let path = format!("/v1/pending/{}/approve", first["id"]);
    let reply = post(&case.running, &case.bob, &path, &decision(&first, ""));
    assert_eq!((reply.status, reply.code().as_str()), (409, "pending.not_as_shown"));
    let long = case.propose(&case.carol, 10, &"x".repeat(1990));
    assert_eq!((long.status, long.code().as_str()), (400, "comment.too_long"));
    let reply = post(&case.running, &case.bob, &path, &decision(&again, ""));
    assert_eq!(reply.status, 200, "{reply:?}");
    case.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proposed_takes_it_back_and_nobody_else() {
    let case = Case::start().await;
    let proposed = case.proposed(&case.carol, 10, "wrong day");
    let withdraw = format!("/v1/pending/{}/withdraw", proposed["id"]);
    let why = json!({ "comment": "it was right" });
    let reply = post(&case.running, &case.dan, &withdraw, &why);
    assert_eq!((reply.status, reply.code().as_str()), (403, "pending.another_persons"));
    let reply = post(&case.running, &case.bob, &withdraw, &why);
    assert_eq!((reply.status, reply.code().as_str()), (403, "actor.forbidden"));
    for _ in 0..2 {
        let reply = post(&case.running, &case.carol, &withdraw, &why);
        assert_eq!((reply.status, &reply.json()["pending"]["state"]), (200, &json!("withdrawn")));
        assert_eq!(reply.json()["pending"]["decision_comment"], "it was right");
    }
    let approve = format!("/v1/pending/{}/approve", proposed["id"]);
    let reply = post(&case.running, &case.bob, &approve, &decision(&proposed, ""));
    assert_eq!((reply.status, reply.code().as_str()), (409, "pending.decided"));
    let unknown = post(&case.running, &case.carol, "/v1/pending/99/withdraw", &json!({}));
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "pending.unknown"));
    // There is room for another one.
    let again = case.proposed(&case.dan, 20, "wrong hour");
    let withdraw = format!("/v1/pending/{}/withdraw", proposed["id"]);
    assert_ne!(again["id"], proposed["id"]);
    assert_eq!(post(&case.running, &case.carol, &withdraw, &why).status, 200, "withdrawn before");
    case.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proposal_a_certificate_waits_so_that_nobody_lays_in_a_stock_of_them() {
    let case = Case::start().await;
    let first = case.proposed(&case.carol, 10, "wrong day");
    for (who, ago) in [(&case.carol, 20), (&case.dan, 10), (&case.dan, 30)] {
        let reply = case.propose(who, ago, "another");
        assert_eq!((reply.status, reply.code().as_str()), (409, "pending.another_waits"));
        let detail = reply.json()["detail"].as_str().expect("words").to_owned();
        assert!(detail.contains(&format!("proposal {}", first["id"])), "{detail}");
    }
    case.running.stop().await;
}
