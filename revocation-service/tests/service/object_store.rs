//! CRLs in a bucket: what lies there is what is served, whole and never older, whatever becomes of the
//! store.

use std::{fs, os::unix::fs::PermissionsExt};

use countersign_core::{asn1, crl::CertificateList, x509::Certificate};
use countersign_daemon::clock::SystemClock;
use countersign_revocation::{check, config::PublicationConfig};
use countersign_signing::{
    ca::{CrlPublication, Deltas},
    profile::Authority,
};
use serde_json::json;

use crate::{
    http::get,
    s3::{S3, SECRET, secret_file, with_figures},
    world::{BASE_URL, Running, World, openssl, serial, text, write_pem},
};

const LISTS: [&str; 3] = ["signing.crl", "signing/2/0.crl", "signing/2/1.crl"];

fn served(running: &Running, path: &str) -> Vec<u8> {
    get(running.public, &format!("/crl/{path}")).body
}

fn number(der: &[u8]) -> u64 {
    let list = CertificateList::decode(der).expect("a CRL");
    asn1::unsigned(list.extensions.number.expect("a number"), "number").expect("a number")
}

/// What `/readyz` says of the publication: whether all is well, and that it is ready all the same.
fn is_well(running: &Running) -> bool {
    let reply = get(running.public, "/readyz");
    assert_eq!(reply.status, 200, "{reply:?}");
    let checks = reply.json()["checks"].clone();
    let checks = checks.as_array().expect("checks");
    let found = checks.iter().find(|check| check["name"] == "crl_publication");
    found.expect("the notice")["ready"].as_bool().expect("a boolean")
}

/// A figure of the bucket.
fn figure(running: &Running, name: &str) -> f64 {
    let reply = get(running.metrics.expect("figures"), "/metrics");
    let text = String::from_utf8(reply.body).expect("text");
    let line = text.lines().find_map(|line| {
        line.strip_prefix(name)?.strip_prefix("{target=\"bucket\"} ").map(ToOwned::to_owned)
    });
    line.unwrap_or_else(|| panic!("{name}: {text}")).parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_the_bucket_is_what_is_served_also_after_the_store_was_away() {
    let world = World::with_crls(CrlPublication { shards: 2, deltas: Deltas::Unnamed });
    let files = world.tls_server("store");
    let store = S3::start(&world, &files, 0);
    let mut config = world.config();
    config.issuer[0].crl_shards = vec![2];
    config.crl_publication = store.publication(&world, "not the secret");
    with_figures(&mut config);
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    running.wait("the store's refusal", || !is_well(&running)).await;
    assert_eq!(store.writes(), []);
    assert!(figure(&running, "countersign_crl_writing_failing_seconds") > 0.0);

    // The secret is set right under the running service.
    secret_file(&world, SECRET);
    for path in LISTS {
        running.wait(path, || store.get(path).body == served(&running, path)).await;
        let reply = store.get(path);
        assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
        let kept = reply.header("cache-control").expect("a header");
        assert!(kept.starts_with("max-age=300, public"), "{kept}");
    }
    running.wait("all to be well", || is_well(&running)).await;
    let signers = [world.signer(), world.signer()];
    running.register(&admin, &[&signers[0], &signers[1]]);
    let order =
        |der: &[u8]| json!({"issuer": "signing", "serial": serial(der), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order(&signers[0])).status, 200);
    let is_current = |store: &S3, path: &str| store.get(path).body == served(&running, path);
    let own = own_list(&signers[0]);
    running.wait("the new list", || is_current(&store, &own)).await;
    openssl_refuses(&world, &store.get(&own).body, &signers[0]);

    // While it is away, everything else goes on.
    let port = store.port();
    drop(store);
    assert_eq!(running.revoke(&admin, &order(&signers[1])).status, 200);
    running.wait("the failure to show", || !is_well(&running)).await;
    assert_eq!(get(running.public, "/crl/signing.crl").status, 200);
    // It comes back with nothing in it: all of it is written again, not only what changed.
    let store = S3::start(&world, &files, port);
    for path in LISTS {
        running.wait(path, || is_current(&store, path)).await;
    }
    openssl_refuses(&world, &store.get(&own_list(&signers[1])).body, &signers[1]);
    running.wait("all to be well", || is_well(&running)).await;
    assert!(figure(&running, "countersign_crl_writing_failing_seconds").abs() < f64::EPSILON);
    assert!(figure(&running, "countersign_crl_written_total") >= 7.0);
    running.stop().await;
}

/// The path of the list that a certificate names.
fn own_list(certificate: &[u8]) -> String {
    let certificate = Certificate::decode(certificate).expect("a certificate");
    let [url] = certificate.extensions.crl_urls[..] else { panic!("one CRL") };
    url.strip_prefix(BASE_URL)
        .and_then(|path| path.strip_prefix("/crl/"))
        .expect("a path")
        .to_owned()
}

/// `openssl` believes the list, and refuses the certificate by it.
fn openssl_refuses(world: &World, crl: &[u8], signer: &[u8]) {
    let [root, issuer] = [world.path("root.pem"), world.path("issuer.pem")];
    write_pem(&root, &[world.ca.certificate(Authority::Root)]);
    write_pem(&issuer, &[world.ca.certificate(Authority::Signing)]);
    let [der, pem, leaf] = [world.path("b.der"), world.path("b.pem"), world.path("leaf.pem")];
    fs::write(&der, crl).expect("written");
    let (der, pem) = (text(&der), text(&pem));
    let said =
        openssl(&["crl", "-inform", "DER", "-in", der, "-CAfile", text(&issuer), "-out", pem]);
    assert!(said.contains("verify OK"), "{said}");
    write_pem(&leaf, &[signer]);
    let output = std::process::Command::new("openssl")
        .args(["verify", "-crl_check", "-CAfile", text(&root), "-untrusted", text(&issuer)])
        .args(["-CRLfile", pem, text(&leaf)])
        .output()
        .expect("openssl is installed");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("certificate revoked"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_write_to_one_bucket_the_older_list_never_stands() {
    let world = World::new();
    let store = S3::start(&world, &world.tls_server("store"), 0);
    let mut config = world.config();
    config.crl_publication = store.publication(&world, SECRET);
    let admin = world.with_admin(&mut config);
    let behind = world.start(config.clone()).await;
    let list = || store.get("signing.crl").body;
    behind.wait("its list", || list() == served(&behind, "signing.crl")).await;
    let first = number(&list());

    // Another one, whose numbers are far ahead; the first does not know what it writes.
    config.database = world.path("ahead.db").into();
    config.audit = None;
    let ahead = world.start(config).await;
    ahead.set_clock(world.now.plus_seconds(4 * 86_400));
    ahead
        .wait("a list of that day", || number(&served(&ahead, "signing.crl")) > first + 86_400)
        .await;
    ahead.wait("its list", || list() == served(&ahead, "signing.crl")).await;
    let newest = list();

    let signer = world.signer();
    behind.register(&admin, &[&signer]);
    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    assert_eq!(behind.revoke(&admin, &order).status, 200);
    let tried = || store.writes().iter().any(|(_, status)| *status == 412);
    behind.wait("the store to refuse the older one", tried).await;
    assert!(number(&served(&behind, "signing.crl")) < number(&newest));
    assert_eq!(list(), newest);
    // That is no fault.
    assert!(is_well(&behind));
    behind.stop().await;
    ahead.stop().await;
}

#[test]
fn a_secret_that_others_may_read_is_refused_before_the_service_starts() {
    let world = World::new();
    let mut config = world.config();
    let secret = secret_file(&world, SECRET);
    config.crl_publication = PublicationConfig {
        url: Some("s3://crls".to_owned()),
        access_key_id: Some("somebody".to_owned()),
        secret_access_key_file: Some(secret.clone()),
        ..PublicationConfig::default()
    };
    check(&config, &SystemClock).expect("good");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("mode set");
    let error = check(&config, &SystemClock).expect_err("refused");
    assert!(error.to_string().contains("chmod 600"), "{error}");
    assert!(error.is_of_the_configuration());
    config.crl_publication.secret_access_key_file = None;
    let error = check(&config, &SystemClock).expect_err("refused").to_string();
    assert!(error.contains("crl_publication.access_key_id"), "{error}");
}
