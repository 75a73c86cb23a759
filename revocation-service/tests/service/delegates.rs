//! OCSP delegates that the service issues to itself, and the figures that tell of them.

use std::net::SocketAddr;

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::HashAlgorithm,
    ocsp::{CertificateStatus, OcspResponse},
    x509::{
        Certificate,
        profile::{self, Profile},
    },
};
use countersign_revocation::config::{Config, DelegateSource};
use countersign_signing::{
    ocsp::{cert_id, request},
    profile::Authority,
};
use serde_json::json;

use crate::{
    http::{get, send},
    world::{BASE_URL, World, serial},
};

const WEEK_SECONDS: i64 = 7 * 86_400;

fn automatic(world: &World) -> Config {
    let mut config = world.config_of(vec![world.issuer(Authority::Signing, None)]);
    config.issuer[0].ocsp_delegate = DelegateSource::Automatic;
    config.public_url = Some(BASE_URL.to_owned());
    config
}

fn ask(world: &World, address: SocketAddr, certificate: &[u8]) -> Vec<u8> {
    let serial = Certificate::decode(certificate).expect("a certificate").serial;
    let issuer = world.ca.certificate(Authority::Signing);
    let id = cert_id(HashAlgorithm::Sha1, issuer, serial).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    send(address, "POST", "/ocsp", &[header], &request(&[id], None)).body
}

/// The delegate's certificate in an answer that its key signed.
fn delegate(answer: &[u8]) -> Vec<u8> {
    let basic = OcspResponse::decode(answer).expect("an OCSP response").basic.expect("an answer");
    let [der] = basic.certificates[..] else { panic!("one certificate") };
    let key = Certificate::decode(der).expect("a certificate").public_key;
    assert!(key.verifies(&AwsLc, &basic.signature_algorithm, basic.tbs, basic.signature));
    der.to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn delegates_are_issued_here_and_renewed_long_before_they_expire() {
    let world = World::new();
    let mut config = automatic(&world);
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let first = delegate(&ask(&world, running.public, &signer));
    let certificate = Certificate::decode(&first).expect("a certificate");
    let issuer = world.ca.certificate(Authority::Signing);
    assert!(certificate.is_signed_by(&Certificate::decode(issuer).expect("a CA"), &AwsLc));
    assert_eq!(profile::inspect(&certificate, Profile::OcspDelegate), []);
    assert!(certificate.extensions.ocsp_no_check);
    assert_eq!(certificate.not_after, world.now.plus_seconds(WEEK_SECONDS));

    // It is registered like every certificate: it can be found, and revoked.
    let answer = ask(&world, running.public, &first);
    let basic = OcspResponse::decode(&answer).expect("an answer").basic.expect("an answer");
    assert_eq!(basic.responses[0].status, CertificateStatus::Good);
    let order = json!({"issuer": "signing", "serial": serial(&first), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);

    // Not before 45 of a hundred parts of its life, and not after 55.
    running.set_clock(world.now.plus_seconds(WEEK_SECONDS * 44 / 100));
    assert_eq!(delegate(&ask(&world, running.public, &signer)), first);
    running.set_clock(world.now.plus_seconds(WEEK_SECONDS * 56 / 100));
    let renewed = || delegate(&ask(&world, running.public, &signer)) != first;
    running.wait("the next delegate", renewed).await;
    assert_eq!(get(running.public, "/readyz").status, 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_tell_of_answers_lists_and_delegates() {
    let world = World::new();
    let mut config = automatic(&world);
    config.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    for _ in 0..3 {
        ask(&world, running.public, &signer);
    }
    let figures = get(running.metrics.expect("a listener"), "/metrics");
    assert_eq!(figures.status, 200);
    let text = String::from_utf8(figures.body).expect("text");
    let expiry = world.now.plus_seconds(WEEK_SECONDS).seconds();
    for line in [
        "countersign_ocsp_answers_total{status=\"good\"} 3".to_owned(),
        "countersign_ocsp_kept_total{outcome=\"miss\"} 1".to_owned(),
        "countersign_ocsp_kept_answers 1".to_owned(),
        "countersign_crl_failing{issuer=\"signing\"} 0".to_owned(),
        format!(
            "countersign_ocsp_delegate_expiry_timestamp_seconds{{issuer=\"signing\"}} {expiry}"
        ),
        format!(
            "countersign_crl_this_update_timestamp_seconds{{issuer=\"signing\",list=\"whole\"}} {}",
            world.now.seconds()
        ),
        "countersign_revocation_pending_approvals 0".to_owned(),
    ] {
        assert!(text.lines().any(|each| each == line), "{line}\n{text}");
    }
    running.stop().await;
}
