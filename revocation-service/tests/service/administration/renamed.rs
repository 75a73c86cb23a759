//! People are known by what their certificates prove: a name in the configuration that is changed while a
//! proposal waits makes nobody a second person.

use std::sync::Arc;

use countersign_revocation::{admin::Role, config::Config};
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::{decision, order, post};
use crate::world::{Running, World};

const ROLES: [Role; 3] = [Role::Registrar, Role::Revoker, Role::Approver];

/// Alice's proposal to lift a hold, and the configuration in which she made it.
async fn proposed(world: &World) -> (Config, Arc<ClientConfig>, Value) {
    let mut config = world.config();
    world.with_admin(&mut config);
    let alice = world.with_person(&mut config, "alice", &ROLES);
    let running = world.start(config.clone()).await;
    let held = world.signer();
    running.register(&alice, &[&held]);
    assert_eq!(running.revoke(&alice, &order(&held, "certificateHold", &json!({}))).status, 200);
    let release = order(&held, "removeFromCRL", &json!({ "comment": "the token was found" }));
    let reply = running.revoke(&alice, &release);
    assert_eq!(reply.status, 202, "{reply:?}");
    running.stop().await;
    (config, alice, reply.json()["pending"].clone())
}

fn decide(
    running: &Running,
    who: &Arc<ClientConfig>,
    verb: &str,
    proposal: &Value,
) -> (u16, String) {
    let path = format!("/v1/pending/{}/{verb}", proposal["id"]);
    let body = if verb == "withdraw" { json!({}) } else { decision(proposal, "") };
    let reply = post(running, who, &path, &body);
    let code = if reply.status == 200 { String::new() } else { reply.code() };
    (reply.status, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_another_name_cannot_approve_their_own() {
    let world = World::new();
    let (mut config, alice, proposal) = proposed(&world).await;
    config.administrator.last_mut().expect("alice").name = Some("Alicia".to_owned());
    let running = world.start(config).await;
    let same = (403, "pending.same_person".to_owned());
    assert_eq!(decide(&running, &alice, "approve", &proposal), same);
    assert_eq!(decide(&running, &alice, "withdraw", &proposal), (200, String::new()));
    running.stop().await;
}

/// A second certificate that proves another address, under the name that proposed.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_another_address_and_the_same_name_cannot_approve_their_own() {
    let world = World::new();
    let (mut config, _, proposal) = proposed(&world).await;
    config.administrator.pop();
    let other = world.with_person(&mut config, "a.liddell", &ROLES);
    let name = proposal["proposed_by"].as_str().map(ToOwned::to_owned);
    config.administrator.last_mut().expect("just added").name = name;
    let running = world.start(config).await;
    // Who proposed is no administrator any more.
    let locked_out = (409, "pending.proposer_locked_out".to_owned());
    assert_eq!(decide(&running, &other, "approve", &proposal), locked_out);
    // The name alone does not take back what somebody else may have proposed.
    let others = (403, "pending.another_persons".to_owned());
    assert_eq!(decide(&running, &other, "withdraw", &proposal), others);
    running.stop().await;
}

/// The certificate is the same, and proves what the new entry asks for; name and identity of the entry are new.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_listed_by_another_name_of_the_same_certificate_cannot_approve_their_own() {
    let world = World::new();
    let (mut config, alice, proposal) = proposed(&world).await;
    let entry = config.administrator.last_mut().expect("alice");
    entry.name = Some("Alicia".to_owned());
    entry.identity.clear();
    entry.subject = Some("CN=alice".to_owned());
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let same = (403, "pending.same_person".to_owned());
    assert_eq!(decide(&running, &alice, "approve", &proposal), same);
    assert_eq!(decide(&running, &bob, "approve", &proposal), (200, String::new()));
    running.stop().await;
}
