//! Clocks that were wrong and are set right: nothing stays broken, and nothing looks older than it is.

use countersign_core::{
    crl::CertificateList,
    digest::HashAlgorithm,
    ocsp::{CertificateStatus, OcspResponse},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_signing::{
    ocsp::{cert_id, request},
    profile::Authority,
};
use serde_json::json;

use crate::{
    http::{get, send},
    world::{Running, World, serial},
};

const PATH: &str = "/crl/signing.crl";

/// thisUpdate, and the revocation dates listed.
fn dates(running: &Running) -> (UnixSeconds, Vec<UnixSeconds>) {
    let reply = get(running.public, PATH);
    assert_eq!(reply.status, 200, "{reply:?}");
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    let dates = list.entries().map(|entry| entry.expect("a good entry").revocation_date).collect();
    (list.this_update, dates)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_while_the_clock_was_ahead_stops_no_crl_after_it_is_set_right() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [early, late] = [world.signer(), world.signer()];
    running.register(&admin, &[&early, &late]);
    let ahead = world.now.plus_seconds(30 * 86_400);
    running.set_clock(ahead);
    let order =
        |der: &[u8]| json!({"issuer": "signing", "serial": serial(der), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order(&early)).status, 200);
    assert_eq!(dates(&running), (ahead, vec![ahead]));

    // No client takes a CRL of next month: there is a new one, and revoking goes on.
    running.set_clock(world.now);
    running.wait("a CRL of today", || dates(&running).0 == world.now).await;
    assert_eq!(dates(&running).1, [world.now]);
    let reply = running.revoke(&admin, &order(&late));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(dates(&running), (world.now, vec![world.now; 2]));
    let issuer = world.ca.certificate(Authority::Signing);
    let serial = Certificate::decode(&early).expect("a certificate").serial;
    let id = cert_id(HashAlgorithm::Sha256, issuer, serial).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    let reply = send(running.public, "POST", "/ocsp", &[header], &request(&[&id], None));
    let answer = OcspResponse::decode(&reply.body).expect("an answer").basic.expect("an answer");
    assert!(
        matches!(answer.responses[0].status, CertificateStatus::Revoked { revocation_time, .. } if revocation_time == world.now),
        "{:?}",
        answer.responses[0]
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_crl_is_never_dated_before_an_older_one_for_a_small_step_back() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    running.set_clock(world.now.minus_seconds(20));
    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);
    assert_eq!(dates(&running), (world.now, vec![world.now.minus_seconds(20)]));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_lost_its_time_records_nothing() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    running.set_clock(UnixSeconds::new(1_000));
    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    let reply = running.revoke(&admin, &order);
    assert_eq!((reply.status, reply.code().as_str()), (503, "service.clock"));
    assert_eq!(get(running.public, "/readyz").status, 503);
    running.set_clock(world.now);
    running.wait("to be ready again", || get(running.public, "/readyz").status == 200).await;
    assert_eq!(running.revoke(&admin, &order).json()["revocation_date"], world.now.to_string());
    running.stop().await;
}
