//! OCSP answers that are kept: signed once, and never given after what they say has changed.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use countersign_core::{
    digest::HashAlgorithm,
    ocsp::{CertificateStatus, OcspResponse, OcspResponseStatus},
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
    world::{World, serial},
};

fn ask(address: SocketAddr, body: &[u8]) -> Vec<u8> {
    let header = ("Content-Type", "application/ocsp-request");
    send(address, "POST", "/ocsp", &[header], body).body
}

fn question(world: &World, hash: HashAlgorithm, certificate: &[u8]) -> Vec<u8> {
    let serial = Certificate::decode(certificate).expect("a certificate").serial;
    let issuer = world.ca.certificate(Authority::Signing);
    request(&[cert_id(hash, issuer, serial).expect("a CertID")], None)
}

fn first(answer: &[u8]) -> (CertificateStatus, UnixSeconds) {
    let basic = OcspResponse::decode(answer).expect("an OCSP response").basic.expect("an answer");
    (basic.responses[0].status, basic.responses[0].this_update)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_signed_once_until_it_ages_or_changes() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    let sha1 = question(&world, HashAlgorithm::Sha1, &signer);
    let ask = || ask(running.public, &sha1);

    // Never issued so far; registered, the very next answer is good.
    assert_eq!(first(&ask()).0, CertificateStatus::Unknown);
    running.register(&admin, &[&signer]);
    let good = ask();
    assert_eq!(first(&good), (CertificateStatus::Good, world.now));
    // ECDSA signatures are random: the same octets are the same signature.
    assert_eq!(ask(), good);
    let sha256 = question(&world, HashAlgorithm::Sha256, &signer);
    assert_ne!(self::ask(running.public, &sha256), good);

    // A change of something else costs a reading, not a signature.
    running.register(&admin, &[&world.signer()]);
    assert_eq!(ask(), good);

    // Signed anew before max-age (300 seconds) is over, behind the back of who asks then.
    running.set_clock(world.now.plus_seconds(209));
    assert_eq!(ask(), good);
    running.set_clock(world.now.plus_seconds(271));
    ask();
    let fresh = || first(&ask()).1 == world.now.plus_seconds(271);
    running.wait("a fresh answer", fresh).await;

    // Too old, or from a clock that was set back: not given at all.
    running.set_clock(world.now.plus_seconds(271 + 300));
    assert_eq!(first(&ask()).1, world.now.plus_seconds(571));
    running.set_clock(world.now.plus_seconds(10));
    assert_eq!(first(&ask()).1, world.now.plus_seconds(10));

    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);
    assert!(matches!(first(&ask()).0, CertificateStatus::Revoked { .. }));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_share_one_signature() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let body = question(&world, HashAlgorithm::Sha1, &signer);
    let answers: Vec<_> = thread::scope(|scope| {
        let asking: Vec<_> = (0..16).map(|_| scope.spawn(|| ask(running.public, &body))).collect();
        asking.into_iter().map(|each| each.join().expect("an answer")).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_after_the_acknowledgement_is_told_under_load() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signers: Vec<_> = (0..6).map(|_| world.signer()).collect();
    running.register(&admin, &signers.iter().map(Vec::as_slice).collect::<Vec<_>>());
    for signer in &signers {
        let body = question(&world, HashAlgorithm::Sha256, signer);
        let is_over = AtomicBool::new(false);
        let (acknowledged, answers) = thread::scope(|scope| {
            let asking: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut answers = Vec::new();
                        while !is_over.load(Ordering::Acquire) {
                            let asked = Instant::now();
                            answers.push((asked, first(&ask(running.public, &body)).0));
                        }
                        let asked = Instant::now();
                        answers.push((asked, first(&ask(running.public, &body)).0));
                        answers
                    })
                })
                .collect();
            let order =
                json!({"issuer": "signing", "serial": serial(signer), "reason": "superseded"});
            assert_eq!(running.revoke(&admin, &order).status, 200);
            let acknowledged = Instant::now();
            is_over.store(true, Ordering::Release);
            let answers: Vec<_> =
                asking.into_iter().flat_map(|each| each.join().expect("answers")).collect();
            (acknowledged, answers)
        });
        let late = answers.iter().filter(|(asked, _)| *asked >= acknowledged);
        let wrong = late.filter(|(_, status)| *status == CertificateStatus::Good).count();
        assert_eq!(wrong, 0, "of {} answers", answers.len());
    }
    running.stop().await;
}

/// Each such question and its answer, which repeats it twice, took a quarter of a megabyte that was never given back.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_of_questions_as_long_as_a_request_may_be() {
    let world = World::new();
    let mut config = world.config();
    config.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let running = world.start(config).await;
    let issuer = world.ca.certificate(Authority::Signing);
    let figure = |name: &str| -> usize {
        let figures = get(running.metrics.expect("a listener"), "/metrics");
        let text = String::from_utf8(figures.body).expect("text");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("{name}\n{text}"))
    };
    for number in 0_u16..50 {
        let serial = [vec![1], number.to_be_bytes().to_vec(), vec![1; 60_000]].concat();
        let id = cert_id(HashAlgorithm::Sha1, issuer, &serial).expect("a CertID");
        let answer = ask(running.public, &request(&[id], None));
        let status = OcspResponse::decode(&answer).expect("an OCSP response").status;
        assert_eq!(status, OcspResponseStatus::MalformedRequest, "{number}");
    }
    assert_eq!(figure("countersign_ocsp_kept_bytes"), 0);

    // What is kept is weighed, the question included.
    let id = cert_id(HashAlgorithm::Sha1, issuer, &[1]).expect("a CertID");
    let answer = ask(running.public, &request(&[id], None));
    let kept = figure("countersign_ocsp_kept_bytes");
    assert!(kept >= answer.len() && kept < 4096, "{kept} octets for an answer of {}", answer.len());
    running.stop().await;
}
