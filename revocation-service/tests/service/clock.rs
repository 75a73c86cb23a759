//! Clocks that were wrong and are set right: nothing stays broken, and nothing looks older than it is.

use countersign_core::{
    asn1,
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

/// The date from which on OCSP says that a certificate is revoked.
fn ocsp_date(world: &World, running: &Running, der: &[u8]) -> UnixSeconds {
    let issuer = world.ca.certificate(Authority::Signing);
    let serial = Certificate::decode(der).expect("a certificate").serial;
    let id = cert_id(HashAlgorithm::Sha256, issuer, serial).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    let reply = send(running.public, "POST", "/ocsp", &[header], &request(&[&id], None));
    let answer = OcspResponse::decode(&reply.body).expect("an answer").basic.expect("an answer");
    match answer.responses[0].status {
        CertificateStatus::Revoked { revocation_time, .. } => revocation_time,
        other => panic!("not revoked: {other:?}"),
    }
}

fn number(running: &Running) -> u64 {
    let list = get(running.public, PATH).body;
    let list = CertificateList::decode(&list).expect("a CRL");
    asn1::unsigned(list.extensions.number.expect("a number"), "number").expect("a number")
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
    assert_eq!(ocsp_date(&world, &running, &early), world.now);
    running.stop().await;
}

/// A10b: it moved later with every list and answer until the day that was recorded.
#[tokio::test(flavor = "multi_thread")]
async fn a_date_recorded_while_the_clock_was_ahead_is_published_once_and_does_not_move() {
    let world = World::new();
    let mut config = world.config();
    config.ocsp_max_age_seconds = 0;
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [early, late] = [world.signer(), world.signer()];
    running.register(&admin, &[&early, &late]);
    let order =
        |der: &[u8]| json!({"issuer": "signing", "serial": serial(der), "reason": "superseded"});
    running.set_clock(world.now.plus_seconds(30 * 86_400));
    assert_eq!(running.revoke(&admin, &order(&early)).status, 200);
    running.set_clock(world.now);
    // Either of the two may be the first to say a date.
    assert_eq!(ocsp_date(&world, &running, &early), world.now);
    running.wait("a CRL of today", || dates(&running).0 == world.now).await;
    assert_eq!(dates(&running).1, [world.now]);

    let later = world.now.plus_seconds(600);
    running.set_clock(later);
    assert_eq!(running.revoke(&admin, &order(&late)).status, 200);
    let (this_update, mut listed) = dates(&running);
    listed.sort_unstable();
    assert_eq!((this_update, listed), (later, vec![world.now, later]));
    assert_eq!(ocsp_date(&world, &running, &early), world.now);
    let path = format!("/v1/certificates/signing/{}", serial(&early));
    let shown = running.admin(&admin, "GET", &path, b"").json();
    assert_eq!(shown["revocation"]["revocation_date"], world.now.to_string());
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

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_a_clock_a_little_behind_dates_no_crl_before_the_last_one() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config.clone()).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let (before, _) = dates(&running);
    let first = number(&running);
    running.stop().await;

    let behind = world.now.minus_seconds(240);
    let running = world.start_at(config, behind).await;
    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);
    assert_eq!(dates(&running), (before, vec![behind]));
    assert!(number(&running) > first);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_grow_whatever_the_clock_does() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let mut running = world.start(config.clone()).await;
    let day = 86_400;
    let clocks = [0, 30 * day, 29 * day, day, 60 * day, day / 2, 0];
    let signers: Vec<_> = clocks.iter().map(|_| world.signer()).collect();
    running.register(&admin, &signers.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut numbers = vec![number(&running)];
    for (step, (ahead, signer)) in clocks.into_iter().zip(&signers).enumerate() {
        let now = world.now.plus_seconds(ahead);
        if step % 2 == 0 {
            running.set_clock(now);
        } else {
            running.stop().await;
            running = world.start_unready_at(config.clone(), now).await;
        }
        let order = json!({"issuer": "signing", "serial": serial(signer), "reason": "superseded"});
        let reply = running.revoke(&admin, &order);
        assert_eq!(reply.status, 200, "{reply:?}");
        numbers.push(number(&running));
        let (this_update, listed) = dates(&running);
        assert_eq!((this_update, listed.len()), (now, step + 1));
    }
    assert!(numbers.is_sorted_by(|before, after| before < after), "{numbers:?}");
    running.stop().await;
}
