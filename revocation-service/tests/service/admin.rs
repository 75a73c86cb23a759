//! Administration: who may, what is taken, what is refused and with which code.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use countersign_core::time::UnixSeconds;
use countersign_revocation::config::IssuerConfig;
use countersign_signing::{pem, profile::Authority};
use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::{
    http::send_tls,
    world::{BASE_URL, Running, World, serial},
};

#[tokio::test(flavor = "multi_thread")]
async fn registers_shows_and_revokes_by_the_rules() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [first, second, third] = [world.signer(), world.signer(), world.signer()];

    registers_what_its_issuers_signed(&world, &running, &admin, &first, &second);
    let path = format!("/v1/certificates/signing/{}", serial(&first));
    let shown = running.admin(&admin, "GET", &path, b"").json();
    assert_eq!(
        (&shown["status"], &shown["registered_by"]),
        (&json!("good"), &json!("admin@example.test"))
    );

    // By certificate; the date is now. Again: the same answer, a later clock notwithstanding.
    let order = json!({"certificate": Base64::encode_string(&first), "reason": "superseded"});
    let reply = running.revoke(&admin, &order);
    assert_eq!(reply.status, 200, "{reply:?}");
    let acknowledged = reply.json();
    assert_eq!(
        acknowledged,
        json!({
            "issuer": "signing", "serial": serial(&first), "reason": "superseded",
            "revocation_date": world.now.to_string(), "recorded_at": world.now.to_string(),
            "affected_releases": [],
        })
    );
    running.set_clock(world.now.plus_seconds(90));
    assert_eq!(running.revoke(&admin, &order).json(), acknowledged);
    let shown = running
        .admin(
            &admin,
            "GET",
            &path.to_uppercase().replace("/V1/CERTIFICATES/SIGNING", "/v1/certificates/signing"),
            b"",
        )
        .json();
    assert_eq!(shown["status"], "revoked");
    assert_eq!(shown["revocation"]["recorded_by"], "admin@example.test");

    for (order, status, code) in refused_orders(world.now, &serial(&first), &third) {
        let reply = running.revoke(&admin, &order);
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{order}");
    }
    // Stricter is allowed.
    let since = world.now.minus_seconds(120).to_string();
    let order = json!({
        "issuer": "signing", "serial": serial(&first),
        "reason": "keyCompromise", "compromised_since": since,
    });
    let reply = running.revoke(&admin, &order);
    assert_eq!((reply.status, &reply.json()["revocation_date"]), (200, &json!(since)));

    for (method, path, status) in [
        ("GET", "/v1/revocations", 405),
        ("DELETE", path.as_str(), 405),
        ("GET", "/", 404),
        ("GET", "/crl/signing.crl", 404),
    ] {
        assert_eq!(running.admin(&admin, method, path, b"").status, status, "{method} {path}");
    }
    let huge = running.admin(&admin, "POST", "/v1/certificates", &vec![0x30; (16 << 20) + 1]);
    assert_eq!(huge.status, 413);
    running.stop().await;
}

/// PEM, DER, several at once; known ones are no fault; strangers are refused.
fn registers_what_its_issuers_signed(
    world: &World,
    running: &Running,
    admin: &Arc<ClientConfig>,
    first: &[u8],
    second: &[u8],
) {
    let reply = running.admin(
        admin,
        "POST",
        "/v1/certificates",
        pem::encode_certificates(&[first]).as_bytes(),
    );
    assert_eq!(reply.status, 201, "{reply:?}");
    let reply = running.admin(admin, "POST", "/v1/certificates", &[first, second].concat());
    assert_eq!(reply.status, 201);
    let outcomes = reply.json()["certificates"].clone();
    assert_eq!(outcomes[0]["outcome"], "known");
    assert_eq!(
        outcomes[1],
        json!({
            "issuer": "signing", "serial": serial(second), "outcome": "registered",
            "sha256": outcomes[1]["sha256"],
        })
    );
    assert_eq!(running.admin(admin, "POST", "/v1/certificates", first).status, 200);

    for (body, status, code) in [
        (b"garbage".to_vec(), 400, "certificate.malformed"),
        (Vec::new(), 400, "certificate.malformed"),
        (vec![0x30, 3, 1, 2, 3], 400, "certificate.malformed"),
        (first[..first.len() - 1].to_vec(), 400, "certificate.malformed"),
        (world.ca.certificate(Authority::Timestamping).to_vec(), 422, "certificate.issuer.unknown"),
        (
            first
                .iter()
                .enumerate()
                .map(|(at, octet)| octet ^ u8::from(at + 1 == first.len()))
                .collect(),
            422,
            "certificate.issuer.unknown",
        ),
    ] {
        let reply = running.admin(admin, "POST", "/v1/certificates", &body);
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
}

/// Orders against the certificate `revoked` (superseded at `now`, 90 s ago) and one that is not
/// registered; status and code of the refusal.
fn refused_orders(
    now: UnixSeconds,
    revoked: &str,
    unknown: &[u8],
) -> Vec<(Value, u16, &'static str)> {
    let at = |seconds: i64| now.plus_seconds(seconds).to_string();
    let named = |reason: &str, since: Option<String>| json!({"issuer": "signing", "serial": revoked, "reason": reason, "compromised_since": since});
    vec![
        (named("keyCompromise", None), 400, "revocation.compromised_since.missing"),
        (named("cACompromise", None), 400, "revocation.compromised_since.missing"),
        (named("keyCompromise", Some(at(91))), 400, "revocation.compromised_since.future"),
        (
            named("keyCompromise", Some(at(-4000))),
            400,
            "revocation.compromised_since.before_validity",
        ),
        (
            named("keyCompromise", Some("yesterday".to_owned())),
            400,
            "revocation.compromised_since.malformed",
        ),
        (named("superseded", Some(at(30))), 400, "comment.missing"),
        (named("certificateHold", None), 409, "revocation.reason.lowered"),
        (named("removeFromCRL", None), 409, "revocation.undo"),
        (named("boredom", None), 400, "revocation.reason.unknown"),
        (
            json!({"issuer": "signing", "serial": serial(unknown), "reason": "superseded"}),
            404,
            "certificate.not_registered",
        ),
        (
            json!({"certificate": Base64::encode_string(unknown), "reason": "superseded"}),
            404,
            "certificate.not_registered",
        ),
        (
            json!({"issuer": "nobody", "serial": "01", "reason": "superseded"}),
            404,
            "issuer.unknown",
        ),
        (
            json!({"issuer": "signing", "serial": "xyz", "reason": "superseded"}),
            400,
            "certificate.serial.malformed",
        ),
        (json!({"issuer": "signing", "reason": "superseded"}), 400, "revocation.target"),
        (json!({"certificate": "!", "reason": "superseded"}), 400, "certificate.malformed"),
        (
            json!({"serial": "01", "reason": "superseded", "unrevoke": true}),
            400,
            "revocation.malformed",
        ),
        (json!([]), 400, "revocation.malformed"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_known_administrators_get_anything() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let address = running.admin.expect("an admin listener");
    assert_eq!(running.admin(&admin, "GET", "/v1/certificates/signing/01", b"").status, 404);

    // Without a certificate the handshake fails: not one octet of HTTP comes back.
    let stranger = world.stranger();
    send_tls(address, &stranger, "GET", "/v1/certificates/signing/01", b"").expect_err("refused");

    // Nor does a certificate of somebody else's CA help.
    let other = World::new();
    let impostor = other.administrator_of(&world);
    send_tls(address, &impostor, "GET", "/v1/certificates/signing/01", b"").expect_err("refused");

    // The public listener has no administration.
    let reply = crate::http::send(running.public, "POST", "/v1/certificates", &[], b"");
    assert_eq!(reply.status, 404);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_administrator_may_nothing_more() {
    let world = World::new();
    let delegate = world.delegate("delegate", Authority::Signing);
    let mut config = world.config_of(vec![
        world.issuer(Authority::Signing, Some(&delegate)),
        IssuerConfig {
            crl_url: Some(format!("{BASE_URL}/crl/service.crl")),
            ..world.issuer(Authority::Service, None)
        },
    ]);
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let own = pem::read_certificates(&world.path("client-admin.pem")).expect("readable");
    let signer = world.signer();
    running.register(&admin, &[&own[0], &signer]);
    let order = json!({"issuer": "service", "serial": serial(&own[0]), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);

    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    for reply in [
        running.revoke(&admin, &order),
        running.admin(&admin, "POST", "/v1/certificates", &signer),
        running.admin(&admin, "GET", &format!("/v1/certificates/signing/{}", serial(&signer)), b""),
    ] {
        assert_eq!((reply.status, reply.code().as_str()), (403, "actor.revoked"));
    }
    running.stop().await;
}
