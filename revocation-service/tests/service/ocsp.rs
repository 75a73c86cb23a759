//! OCSP, row by row, by the octets of requests and answers.

use std::net::SocketAddr;

use base64ct::{Base64, Base64Unpadded, Encoding};
use countersign_core::{
    crl::RevocationReason,
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest, encode_hex},
    ocsp::{CertificateStatus, OcspResponse, OcspResponseStatus, ResponderId},
    oid,
    x509::Certificate,
};
use countersign_revocation::config::NeverIssued;
use countersign_signing::{
    der::{self, Criticality},
    ocsp::{cert_id, request},
    profile::Authority,
};
use serde_json::json;

use crate::{
    http::{self, Reply, send},
    world::{Running, World, serial},
};

const REQUEST: (&str, &str) = ("Content-Type", "application/ocsp-request");

fn post(address: SocketAddr, body: &[u8]) -> Reply {
    let reply = send(address, "POST", "/ocsp", &[REQUEST], body);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/ocsp-response"));
    reply
}

/// The status of the answer; refusals must not be kept by caches.
fn status(reply: &Reply) -> OcspResponseStatus {
    let status = OcspResponse::decode(&reply.body).expect("an OCSP response").status;
    if status != OcspResponseStatus::Successful {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("etag"), None);
    }
    status
}

fn statuses(reply: &Reply) -> Vec<CertificateStatus> {
    let response = OcspResponse::decode(&reply.body).expect("an OCSP response");
    let basic = response.basic.expect("an answer");
    basic.responses.iter().map(|response| response.status).collect()
}

fn nonce(reply: &Reply) -> Option<Vec<u8>> {
    let response = OcspResponse::decode(&reply.body).expect("an OCSP response");
    response.basic.expect("an answer").nonce.map(<[u8]>::to_vec)
}

/// The DER of a `CertID` with chosen hash parameters.
fn cert_id_with(issuer: &[u8], hash: HashAlgorithm, parameters: &[u8], serial: &[u8]) -> Vec<u8> {
    let issuer = Certificate::decode(issuer).expect("a certificate");
    let hashed = |octets: &[u8]| der::octet_string(digest(&AwsLc, hash, octets).octets());
    der::sequence(&[
        &der::sequence(&[&der::oid(&hash.oid()), parameters]),
        &hashed(issuer.subject),
        &hashed(issuer.public_key.bits),
        &der::integer_verbatim(serial),
    ])
}

/// A request with a nonce extension of that value, whatever it is.
fn request_with_nonce(id: &[u8], value: &[u8]) -> Vec<u8> {
    let nonce = der::extension(&oid::OCSP_NONCE, Criticality::NonCritical, value);
    let list = der::sequence(&[&der::sequence(&[id])]);
    der::sequence(&[&der::sequence(&[&list, &der::context(2, &[&der::sequence(&[&nonce])])])])
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_by_value_in_order_and_for_its_own_issuers_alone() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [good, revoked, strange] = [world.signer(), world.signer(), world.signer()];
    running.register(&admin, &[&good, &revoked]);
    let since = world.now.minus_seconds(60);
    let order = json!({
        "issuer": "signing", "serial": serial(&revoked),
        "reason": "keyCompromise", "compromised_since": since.to_string(),
    });
    assert_eq!(running.revoke(&admin, &order).status, 200);

    let issuer = world.ca.certificate(Authority::Signing);
    let serial_of = |der: &[u8]| Certificate::decode(der).expect("a certificate").serial.to_vec();
    let is_revoked = CertificateStatus::Revoked {
        revocation_time: since,
        reason: RevocationReason::KeyCompromise,
    };
    // Every hash, with its parameters absent or NULL.
    let strong = HashAlgorithm::STRONG.into_iter();
    for hash in strong.chain([HashAlgorithm::Sha1]) {
        for parameters in [&[][..], &[5, 0]] {
            let ids = [&good, &strange, &revoked]
                .map(|der| cert_id_with(issuer, hash, parameters, &serial_of(der)));
            let reply = post(running.public, &request(&ids, None));
            let want = [CertificateStatus::Good, CertificateStatus::Unknown, is_revoked];
            assert_eq!(statuses(&reply), want, "{hash}");
            let response = OcspResponse::decode(&reply.body).expect("an OCSP response");
            let basic = response.basic.expect("an answer");
            let echoed: Vec<_> = basic.responses.iter().map(|each| each.certificate.raw).collect();
            assert_eq!(echoed, ids, "the CertIDs as they were asked");
        }
    }
    // A CertID of another issuer: alone, unauthorized; among others, unknown.
    let root = world.ca.certificate(Authority::Root);
    let foreign = cert_id(HashAlgorithm::Sha1, root, &serial_of(&good)).expect("a CertID");
    let ours = cert_id(HashAlgorithm::Sha1, issuer, &serial_of(&good)).expect("a CertID");
    let reply = post(running.public, &request(&[&foreign], None));
    assert_eq!(status(&reply), OcspResponseStatus::Unauthorized);
    let reply = post(running.public, &request(&[&foreign, &ours], None));
    assert_eq!(statuses(&reply), [CertificateStatus::Unknown, CertificateStatus::Good]);
    // The right name with another key's hash is another issuer: never good.
    let [mut confused, mut unhashed] = [ours.clone(), ours.clone()];
    // 1.3.14.3.2.27 is no hash of ours; SHA-1 is …26.
    let sha1 = der::oid(&HashAlgorithm::Sha1.oid());
    let named = unhashed.windows(sha1.len()).position(|window| window == sha1).expect("SHA-1");
    unhashed[named + sha1.len() - 1] += 1;
    let at = confused.len() - serial_of(&good).len() - 3;
    confused[at] ^= 1;
    for id in [&confused, &unhashed] {
        let reply = post(running.public, &request(&[id], None));
        assert_eq!(status(&reply), OcspResponseStatus::Unauthorized);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_the_nonce_rules_and_refuses_what_it_cannot_read() {
    let world = World::new();
    let running = world.start(world.config()).await;
    let issuer = world.ca.certificate(Authority::Signing);
    let id = cert_id(HashAlgorithm::Sha1, issuer, &[1]).expect("a CertID");
    for (length, echoed) in
        [(1, false), (15, false), (16, true), (23, true), (32, true), (33, false), (128, false)]
    {
        let sent = vec![0xA5; length];
        let reply = post(running.public, &request(&[&id], Some(&sent)));
        assert_eq!(status(&reply), OcspResponseStatus::Successful, "{length}");
        assert_eq!(nonce(&reply), echoed.then_some(sent), "{length}");
        if echoed {
            assert_eq!(reply.header("cache-control"), Some("no-store"));
        }
    }
    // RFC 2560's form: the octets themselves in the extension, which come back as they came.
    for (length, echoed) in [(1, false), (16, true), (32, true), (128, false)] {
        let sent = vec![0xA5; length];
        let reply = post(running.public, &request_with_nonce(&id, &sent));
        assert_eq!(status(&reply), OcspResponseStatus::Successful, "{length}");
        let extension = der::extension(&oid::OCSP_NONCE, Criticality::NonCritical, &sent);
        let is_there = reply.body.windows(extension.len()).any(|window| window == extension);
        assert_eq!(is_there, echoed, "{length}");
        assert_eq!(nonce(&reply), echoed.then_some(sent), "{length}");
    }
    let whole = request(&[&id], None);
    let ids = |count| vec![id.clone(); count];
    let about = |serial: &[u8]| cert_id(HashAlgorithm::Sha1, issuer, serial).expect("a CertID");
    let malformed = [
        ("a nonce of no octets", request(&[&id], Some(&[]))),
        ("a nonce of 129 octets", request(&[&id], Some(&[1; 129]))),
        ("an old nonce of 129 octets", request_with_nonce(&id, &[0xA5; 129])),
        ("an old nonce of no octets", request_with_nonce(&id, &[])),
        ("nothing", Vec::new()),
        ("garbage", b"garbage".to_vec()),
        ("a trailing octet", [&whole[..], &[0]].concat()),
        ("a cut request", whole[..whole.len() - 1].to_vec()),
        ("no CertID", request::<Vec<u8>>(&[], None)),
        ("17 CertIDs", request(&ids(17), None)),
        ("a serial number of 22 octets", request(&[&about(&[1; 22])], None)),
        ("a serial number of 60,000 octets", request(&[&about(&vec![1; 60_000])], None)),
        ("a length that is not the shortest", [&[0x30, 0x81], &whole[1..]].concat()),
    ];
    for (what, body) in malformed {
        assert_eq!(
            status(&post(running.public, &body)),
            OcspResponseStatus::MalformedRequest,
            "{what}"
        );
    }
    assert_eq!(statuses(&post(running.public, &request(&ids(16), None))).len(), 16);

    // What is wrong in HTTP is answered in HTTP.
    let text = [("Content-Type", "text/plain")];
    for (method, path, headers, status, code) in [
        ("POST", "/ocsp", &text[..], 415, "request.media_type.unsupported"),
        ("POST", "/ocsp", &[], 415, "request.media_type.unsupported"),
        ("GET", "/ocsp", &[], 405, "request.method.not_allowed"),
        ("DELETE", "/crl/signing.crl", &[], 405, "request.method.not_allowed"),
        ("GET", "/favicon.ico", &[], 404, "request.path.unknown"),
        ("GET", "/crl/other.crl", &[], 404, "request.path.unknown"),
    ] {
        let reply = send(running.public, method, path, headers, &whole);
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{method} {path}");
    }
    assert_eq!(http::get(running.public, "/ocsp").header("allow"), Some("POST, OPTIONS"));
    let huge = send(running.public, "POST", "/ocsp", &[REQUEST], &vec![0; 100_000]);
    assert_eq!(huge.status, 413);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_answers_are_what_the_lightweight_profile_asks_for() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let good = world.signer();
    running.register(&admin, &[&good]);
    let certificate = Certificate::decode(&good).expect("a certificate");
    let issuer = world.ca.certificate(Authority::Signing);
    let id = |hash| cert_id(hash, issuer, certificate.serial).expect("a CertID");
    let [sha1, sha256] = [id(HashAlgorithm::Sha1), id(HashAlgorithm::Sha256)];

    for (asked, other) in [(&sha1, &sha256), (&sha256, &sha1)] {
        let reply = post(running.public, &request(&[asked], None));
        let response = OcspResponse::decode(&reply.body).expect("an OCSP response");
        let basic = response.basic.expect("an answer");
        // The answer asked for, then its twin under the other hash.
        let answered: Vec<_> = basic.responses.iter().map(|each| each.certificate.raw).collect();
        assert_eq!(answered, [&asked[..], &other[..]]);
        assert_eq!(statuses(&reply), [CertificateStatus::Good; 2]);

        let [delegate] = basic.certificates[..] else { panic!("one certificate: the delegate's") };
        let delegate = Certificate::decode(delegate).expect("a certificate");
        let key_hash = digest(&AwsLc, HashAlgorithm::Sha1, delegate.public_key.bits);
        assert_eq!(basic.responder, ResponderId::ByKey(key_hash.octets()));
        assert!(delegate.public_key.verifies(
            &AwsLc,
            &basic.signature_algorithm,
            basic.tbs,
            basic.signature
        ));

        let single = &basic.responses[0];
        assert_eq!(basic.produced_at, world.now);
        assert_eq!(single.this_update, world.now);
        assert_eq!(single.next_update, Some(world.now.plus_seconds(86_400)));

        let tag = format!(
            "\"{}\"",
            encode_hex(digest(&AwsLc, HashAlgorithm::Sha256, &reply.body).octets())
        );
        assert_eq!(reply.header("etag"), Some(tag.as_str()));
        assert!(reply.header("expires").expect("Expires").ends_with(" GMT"));
        assert!(reply.header("last-modified").expect("Last-Modified").ends_with(" GMT"));
        assert!(
            reply
                .header("cache-control")
                .expect("Cache-Control")
                .starts_with("max-age=300, public")
        );
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
    preflight_is_open(&running);
    answers_end_with_the_delegate(&world, &running, &sha1);
    running.stop().await;
}

fn preflight_is_open(running: &Running) {
    let preflight =
        [("Origin", "https://app.example.test"), ("Access-Control-Request-Method", "POST")];
    let reply = send(running.public, "OPTIONS", "/ocsp", &preflight, b"");
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    assert!(
        reply.header("access-control-allow-headers").expect("allowed").contains("Content-Type")
    );
}

fn answers_end_with_the_delegate(world: &World, running: &Running, id: &[u8]) {
    // A minute before the delegate runs out, answers end with it; afterwards there are none.
    let delegate_ends = world.now.plus_seconds(14 * 86_400);
    running.set_clock(delegate_ends.minus_seconds(60));
    let reply = post(running.public, &request(&[id], None));
    let response = OcspResponse::decode(&reply.body).expect("an OCSP response");
    let next_update = response.basic.expect("an answer").responses[0].next_update;
    assert_eq!(next_update, Some(delegate_ends));
    assert!(reply.header("cache-control").expect("Cache-Control").starts_with("max-age=59,"));
    running.set_clock(delegate_ends.plus_seconds(1));
    let reply = post(running.public, &request(&[id], None));
    assert_eq!(status(&reply), OcspResponseStatus::TryLater);
    let ready = http::get(running.public, "/readyz");
    assert_eq!(ready.status, 503);
    let failing = ready.json()["checks"].as_array().expect("checks").clone();
    assert!(
        failing.iter().any(|check| check["name"] == "ocsp" && check["ready"] == false),
        "{failing:?}"
    );
    assert_eq!(http::get(running.public, "/livez").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_requests_by_get_in_every_form() {
    let world = World::new();
    let mut config = world.config();
    config.never_issued = NeverIssued::Revoked;
    let running = world.start(config).await;
    let issuer = world.ca.certificate(Authority::Signing);
    // Requests are tried until one has every troublesome character in its base64.
    let body = (0..10_000_u32)
        .map(|number| {
            let serial = [&[1; 3][..=number as usize % 3], &number.to_be_bytes()].concat();
            request(&[cert_id(HashAlgorithm::Sha1, issuer, &serial).expect("a CertID")], None)
        })
        .find(|body| {
            let text = Base64::encode_string(body);
            ["+", "/", "="].iter().all(|character| text.contains(character))
        })
        .expect("one of ten thousand");
    let text = Base64::encode_string(&body);
    let encoded = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let unpadded = Base64Unpadded::encode_string(&body);
    let paths = [
        format!("/ocsp/{encoded}"),
        format!("/ocsp/{}", encoded.replace("%2B", "%2b").replace("%2F", "%2f")),
        format!("/ocsp/{text}"),
        format!("/ocsp//{text}"),
        format!("/ocsp/{unpadded}"),
        format!("/{encoded}"),
        format!("/{text}"),
        format!("//{text}"),
    ];
    let extended = CertificateStatus::Revoked {
        revocation_time: countersign_core::time::UnixSeconds::new(0),
        reason: RevocationReason::CertificateHold,
    };
    for path in &paths {
        for reply in [
            http::get(running.public, path),
            http::send_http10(running.public, "GET", path, &[], b""),
        ] {
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(statuses(&reply), [extended; 2], "{path}");
        }
    }
    // The extension that tells such an answer from a revocation, RFC 6960 §4.4.8.
    let reply = http::get(running.public, &paths[0]);
    let extended_revoke = der::oid(&countersign_core::oid::OCSP_EXTENDED_REVOKE);
    assert!(reply.body.windows(extended_revoke.len()).any(|window| window == extended_revoke));

    let any = [("If-None-Match", "*")];
    assert_eq!(send(running.public, "GET", &paths[0], &any, b"").status, 304);
    assert_eq!(send(running.public, "HEAD", &paths[0], &[], b"").status, 200);
    for path in ["/ocsp/garbage", "/ocsp/MA==", "/ocsp/%ff"] {
        assert_eq!(
            status(&http::get(running.public, path)),
            OcspResponseStatus::MalformedRequest,
            "{path}"
        );
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_database_is_said_in_the_protocol_and_in_readyz() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let database = world.path("revocation.db");
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let issuer = world.ca.certificate(Authority::Signing);
    let ask_about = |serial| {
        let id = cert_id(HashAlgorithm::Sha1, issuer, &[serial]).expect("a CertID");
        status(&post(running.public, &request(&[&id], None)))
    };
    // Never asked before: nothing is known of it without the database.
    let ask = || ask_about(2);
    assert_eq!(ask_about(1), OcspResponseStatus::Successful);

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opened");
    for table in ["ALTER TABLE revocations RENAME TO r", "ALTER TABLE issuers RENAME TO i"] {
        sqlx::query(table).execute(&pool).await.expect("renamed");
    }
    assert_eq!(ask(), OcspResponseStatus::InternalError);
    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    let reply = running.revoke(&admin, &order);
    assert_eq!((reply.status, reply.code().as_str()), (503, "service.storage"));
    assert_eq!(http::get(running.public, "/readyz").status, 503);
    // What is in memory is still served: nobody but this process changes the database.
    assert_eq!(ask_about(1), OcspResponseStatus::Successful);
    assert_eq!(http::get(running.public, "/crl/signing.crl").status, 200);

    for table in ["ALTER TABLE r RENAME TO revocations", "ALTER TABLE i RENAME TO issuers"] {
        sqlx::query(table).execute(&pool).await.expect("renamed back");
    }
    assert_eq!(ask(), OcspResponseStatus::Successful);
    assert_eq!(running.revoke(&admin, &order).status, 200);
    pool.close().await;
    running.stop().await;
}
