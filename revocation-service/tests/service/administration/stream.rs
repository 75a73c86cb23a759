//! Thousands of certificates in one request, each with a line of its own in the answer.

use base64ct::{Base64, Encoding};
use countersign_signing::profile::Authority;
use serde_json::{Value, json};

use crate::{
    http::{Reply, send_tls_with},
    world::{World, serial},
};

const LINES: &str = "application/x-ndjson";

fn reports(reply: &Reply) -> Vec<Value> {
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(LINES)), "{reply:?}");
    String::from_utf8_lossy(&reply.body)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_certificate_of_a_stream_stands_for_itself() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let address = running.admin.expect("an admin listener");
    let [first, second] = [world.signer(), world.signer()];
    let foreign = world.ca.certificate(Authority::Timestamping);
    let line = |der: &[u8]| json!({ "certificate": Base64::encode_string(der) }).to_string();
    let body = [line(&first), "nonsense".to_owned(), line(foreign), line(&first), line(&second)];
    let headers = [("Content-Type", LINES)];
    let reply = send_tls_with(
        address,
        &admin,
        ("POST", "/v1/certificates"),
        &headers,
        body.join("\n").as_bytes(),
    );
    let reports = reports(&reply.expect("a reply"));
    let outcomes: Vec<_> = reports
        .iter()
        .map(|report| report["outcome"].as_str().or(report["error"]["code"].as_str()))
        .map(|outcome| outcome.expect("an outcome"))
        .collect();
    assert_eq!(
        outcomes,
        [
            "registered",
            "certificate.malformed",
            "certificate.issuer.unknown",
            "known",
            "registered"
        ]
    );
    assert_eq!((&reports[4]["line"], &reports[4]["serial"]), (&json!(5), &json!(serial(&second))));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_certificates_go_into_one_request() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let address = running.admin.expect("an admin listener");
    // A few of our own many times over: what is known is read and checked like what is new.
    let few: Vec<_> = (0..10).map(|_| world.signer()).collect();
    let body: Vec<u8> = few.iter().cycle().take(1_200).flatten().copied().collect();
    let reply =
        send_tls_with(address, &admin, ("POST", "/v1/certificates"), &[("Accept", LINES)], &body);
    let reports = reports(&reply.expect("a reply"));
    assert_eq!(reports.len(), 1_200);
    let new = reports.iter().filter(|report| report["outcome"] == "registered").count();
    assert_eq!(new, few.len());
    running.stop().await;
}
