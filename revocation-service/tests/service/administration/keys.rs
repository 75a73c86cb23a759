//! A compromised key: every certificate with it, now and later, and the releases since.

use base64ct::{Base64, Encoding};
use countersign_core::{crl::CertificateList, x509::Certificate};
use countersign_revocation::config::CompromiseScope;
use countersign_signing::{pem, profile::Authority};
use serde_json::{Value, json};

use super::{key_sha256, order, post};
use crate::{
    http::get,
    world::{Running, World, serial},
};

fn listed(running: &Running) -> usize {
    let reply = get(running.public, "/crl/signing.crl");
    CertificateList::decode(&reply.body).expect("a CRL").entries().count()
}

fn release(der: &[u8], bundle: &str, signed_at: Option<String>) -> Value {
    let mut release = json!({
        "bundle_sha256": bundle.repeat(32), "name": format!("App-{bundle}.tar.gz"),
        "certificate": Base64::encode_string(der),
    });
    if let Some(signed_at) = signed_at {
        release["signed_at"] = signed_at.into();
    }
    release
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromise_takes_the_key_its_certificates_to_come_and_names_the_releases() {
    let world = World::new();
    let mut config = world.config();
    config.compromise_scope = CompromiseScope::Key;
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    // Two with one key, and one with another.
    let [first, second, late] = [world.signer(), world.signer(), world.signer()];
    let other = world.delegate("other", Authority::Signing).certificate;
    let other = pem::read_certificates(&other).expect("readable").swap_remove(0);
    running.register(&admin, &[&first, &second, &other]);
    let since = world.now.minus_seconds(60);
    for (bundle, der, signed_at) in [
        ("01", &first, Some(since.minus_seconds(1).to_string())),
        ("02", &first, Some(since.to_string())),
        ("03", &second, None),
        ("04", &other, Some(since.to_string())),
    ] {
        let reply = post(&running, &admin, "/v1/releases", &release(der, bundle, signed_at));
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    let since = json!({ "compromised_since": since.to_string() });
    let mut asked = order(&first, "keyCompromise", &since);
    asked["dry_run"] = true.into();
    let preview = running.revoke(&admin, &asked).json();
    assert_eq!(preview["certificates"].as_array().expect("a list").len(), 2);
    assert_eq!(listed(&running), 0);

    asked["dry_run"] = false.into();
    let done = running.revoke(&admin, &asked);
    assert_eq!(done.status, 200, "{done:?}");
    let done = done.json();
    assert_eq!(done["key_sha256"], key_sha256(&first));
    let outcomes: Vec<_> = done["certificates"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| each["outcome"].as_str().expect("text"))
        .collect();
    assert_eq!(outcomes, ["revoked", "revoked"]);
    let affected: Vec<_> = done["affected_releases"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| each["name"].as_str().expect("text"))
        .collect();
    assert_eq!(affected, ["App-02.tar.gz", "App-03.tar.gz"]);
    assert_eq!(listed(&running), 2);

    // One that is registered later is in the very next CRL.
    let reply = running.admin(&admin, "POST", "/v1/certificates", &late);
    assert_eq!(reply.json()["certificates"][0]["outcome"], "registered_revoked");
    assert_eq!(listed(&running), 3);
    let keys = running.admin(&admin, "GET", "/v1/keys", b"").json();
    assert_eq!(keys["keys"][0]["key_sha256"], key_sha256(&first));
    let found = running.admin(
        &admin,
        "GET",
        &format!("/v1/releases?key_sha256={}", key_sha256(&first)),
        b"",
    );
    assert_eq!(found.json()["releases"].as_array().expect("a list").len(), 3);
    running.stop().await;
}

/// B5: all keys, and all releases of a key, came in one answer.
#[tokio::test(flavor = "multi_thread")]
async fn keys_and_the_releases_of_a_key_are_listed_page_by_page() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let first = world.signer();
    let other = world.delegate("other", Authority::Signing).certificate;
    let other = pem::read_certificates(&other).expect("readable").swap_remove(0);
    for (bundle, der) in [("01", &first), ("02", &first), ("03", &first), ("04", &other)] {
        let reply = post(&running, &admin, "/v1/releases", &release(der, bundle, None));
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    let of_key = format!("/v1/releases?limit=2&key_sha256={}", key_sha256(&first));
    let page = running.admin(&admin, "GET", &of_key, b"").json();
    assert_eq!(page["releases"].as_array().expect("a list").len(), 2);
    let after = page["next"].as_str().expect("there are more");
    let page = running.admin(&admin, "GET", &format!("{of_key}&after={after}"), b"").json();
    assert_eq!(page["releases"][0]["bundle_sha256"], "03".repeat(32));
    assert_eq!(
        (page["releases"].as_array().expect("a list").len(), &page["next"]),
        (1, &Value::Null)
    );
    for digest in ["ff", "ab"] {
        let order = json!({ "key_sha256": digest.repeat(32), "reason": "superseded" });
        assert_eq!(running.revoke(&admin, &order).status, 200);
    }
    let mut digests = Vec::new();
    let mut after = String::new();
    loop {
        let page = running.admin(&admin, "GET", &format!("/v1/keys?limit=1{after}"), b"").json();
        let keys = page["keys"].as_array().expect("a list");
        digests.extend(keys.iter().map(|key| key["key_sha256"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(digests, ["ab".repeat(32), "ff".repeat(32)]);
    for query in ["limit=0", "limit=1001", "after=ab", "page=2"] {
        for path in ["/v1/keys", "/v1/releases"] {
            let reply = running.admin(&admin, "GET", &format!("{path}?{query}"), b"");
            assert_eq!((reply.status, reply.code().as_str()), (400, "query.malformed"), "{query}");
        }
    }
    running.stop().await;
}

/// A9: a release that was registered first as signed long before was left out of what a theft concerns; D9: so was
/// one that was registered first under another signer's certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_registered_again_keeps_its_latest_time() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [first, second] = [world.signer(), world.signer()];
    running.register(&admin, &[&first]);
    let register = |der: &[u8], ago: i64| {
        let signed_at = Some(world.now.minus_seconds(ago).to_string());
        post(&running, &admin, "/v1/releases", &release(der, "01", signed_at))
    };
    for (der, ago, status, said) in [
        (&second, 900, 201, "registered"),
        (&first, 900, 201, "registered"),
        (&first, 5, 200, "corrected"),
        (&first, 5, 200, "known"),
        (&first, 900, 200, "known"),
    ] {
        let reply = register(der, ago);
        let outcome = reply.json()["outcome"].as_str().map_or_else(|| reply.code(), str::to_owned);
        assert_eq!((reply.status, outcome.as_str()), (status, said), "{ago}");
    }
    let on_record = register(&first, 900).json()["release"]["signed_at"].clone();
    assert_eq!(on_record, world.now.minus_seconds(5).to_string());
    let since = world.now.minus_seconds(60).to_string();
    let order = order(&first, "keyCompromise", &json!({ "compromised_since": since }));
    let affected = running.revoke(&admin, &order).json()["affected_releases"].clone();
    assert_eq!(affected.as_array().expect("a list").len(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_revoked_by_itself_and_offline_issuers_are_told() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let spki = Certificate::decode(&signer).expect("a certificate").public_key.raw;
    let by_key = json!({ "key": Base64::encode_string(spki), "reason": "cessationOfOperation" });
    let done = running.revoke(&admin, &by_key);
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.json()["certificates"][0]["serial"], serial(&signer));
    assert_eq!(
        (&done.json()["certificate_count"], &done.json()["warning"]),
        (&json!(1), &Value::Null)
    );
    // The same by digest changes nothing; a key nobody has is revoked all the same.
    for digest in [key_sha256(&signer), "ab".repeat(32)] {
        let order = json!({ "key_sha256": digest, "reason": "cessationOfOperation" });
        assert_eq!(running.revoke(&admin, &order).status, 200);
    }
    let nobodys = json!({ "key_sha256": "cd".repeat(32), "reason": "cessationOfOperation" });
    let done = running.revoke(&admin, &nobodys).json();
    assert_eq!(done["certificate_count"], 0);
    let warning = done["warning"].as_str().expect("a warning");
    assert!(warning.starts_with("No certificate with this key is registered"), "{warning}");
    for (order, status, code) in [
        (json!({ "key": "!", "reason": "superseded" }), 400, "key.malformed"),
        (json!({ "key_sha256": "ab", "reason": "superseded" }), 400, "key.malformed"),
        (
            json!({ "key_sha256": "ab".repeat(32), "reason": "keyCompromise" }),
            400,
            "revocation.compromised_since.missing",
        ),
        (
            json!({ "key_sha256": "ab".repeat(32), "reason": "certificateHold" }),
            409,
            "revocation.undo",
        ),
        (
            json!({ "key_sha256": "ab".repeat(32), "serial": "01", "reason": "superseded" }),
            400,
            "revocation.target",
        ),
    ] {
        let reply = running.revoke(&admin, &order);
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{order}");
    }
    running.stop().await;
}
