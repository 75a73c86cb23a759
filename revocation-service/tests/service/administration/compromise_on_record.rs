//! No order has to come: a compromise that is on record takes its key, and so does one that the CRL of an issuer
//! says whose key is elsewhere.

use std::{fs, sync::Arc};

use countersign_core::{
    crl::RevocationReason::{self, KeyCompromise, Superseded},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_revocation::config::{CompromiseScope, Config, IssuerConfig};
use countersign_signing::{
    ca::{IssueRequest, SubjectKey},
    name::{DistinguishedName, SubjectName},
    profile::{Authority, Profile},
};
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::{
    compromise::{revoked_by, since},
    key_sha256, ledger, order,
};
use crate::world::{Running, World, serial};

/// A service of two issuers: the signing CA, whose key is elsewhere, and the service CA.
fn two_issuers(world: &World, signing: IssuerConfig) -> (Config, Arc<ClientConfig>) {
    let delegates = [Authority::Signing, Authority::Service]
        .map(|authority| world.delegate(&format!("{}-delegate", authority.name()), authority));
    let of = |authority, index: usize| world.issuer(authority, Some(&delegates[index]));
    let signing = IssuerConfig {
        key: None,
        crl_file: signing.crl_file,
        crl_upload: signing.crl_upload,
        ..of(Authority::Signing, 0)
    };
    let mut config = world.config_of(vec![signing, of(Authority::Service, 1)]);
    config.compromise_scope = CompromiseScope::Key;
    let admin = world.with_admin(&mut config);
    (config, admin)
}

fn by_upload(world: &World) -> (Config, Arc<ClientConfig>) {
    let signing = world.issuer(Authority::Signing, None);
    two_issuers(world, IssuerConfig { crl_upload: true, ..signing })
}

/// A certificate of the service CA for the key of `signer`.
fn with_key_of(world: &World, signer: &[u8]) -> Vec<u8> {
    let signer = Certificate::decode(signer).expect("a certificate");
    let mut request =
        IssueRequest::new(Profile::TlsClient, DistinguishedName::common_name("machine"));
    request.names = vec![SubjectName::Email("machine@example.test".to_owned())];
    let key = SubjectKey::PublicKey(signer.public_key.raw.to_vec());
    world.ca.issue(&request, key, world.now).expect("issued").certificate
}

fn upload(
    (world, running, admin): (&World, &Running, &Arc<ClientConfig>),
    number: u64,
    entries: &[(&[u8], RevocationReason)],
) {
    let entries: Vec<_> =
        entries.iter().map(|(der, reason)| (*der, *reason, world.now.minus_seconds(100))).collect();
    let this_update = world.now.minus_seconds(50);
    let der = world.crl_of(Authority::Signing, (number, this_update), &entries);
    let reply = running.admin(admin, "POST", "/v1/issuers/signing/crl", &der);
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn keys(running: &Running, admin: &Arc<ClientConfig>) -> Vec<Value> {
    let keys = running.admin(admin, "GET", "/v1/keys", b"").json();
    keys["keys"].as_array().expect("a list").clone()
}

fn lines(world: &World, kind: &str) -> Vec<Value> {
    ledger(world).into_iter().filter(|(of, _)| of == kind).map(|(_, record)| record).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromise_in_an_uploaded_list_takes_the_key_once() {
    let world = World::new();
    let (config, admin) = by_upload(&world);
    let running = world.start_unready(config).await;
    let [named, unregistered] = [world.signer(), world.signer()];
    let [other, later] = [with_key_of(&world, &named), with_key_of(&world, &named)];
    running.register(&admin, &[&named, &other]);
    let place = (&world, &running, &admin);
    // Another reason, and a certificate of which nothing but the serial number is known: no key.
    upload(place, 100, &[(&named, Superseded), (&unregistered, KeyCompromise)]);
    assert_eq!(revoked_by("service", &running, &admin, &other), None);
    assert!(keys(&running, &admin).is_empty());

    upload(place, 101, &[(&named, KeyCompromise), (&unregistered, KeyCompromise)]);
    let (reason, _) = revoked_by("service", &running, &admin, &other).expect("revoked");
    assert_eq!(reason, "keyCompromise");
    let [key] = &keys(&running, &admin)[..] else { panic!("one key") };
    assert_eq!(
        (&key["key_sha256"], &key["revocation"]["recorded_by"]),
        (&json!(key_sha256(&named)), &json!("CRL 101 of signing"))
    );
    assert_eq!(key["revocation"]["revocation_date"], since(&world, 100));
    let reply = running.admin(&admin, "POST", "/v1/certificates", &later);
    assert_eq!(reply.json()["certificates"][0]["outcome"], "registered_revoked");
    // Nothing new in the next list.
    upload(place, 102, &[(&named, KeyCompromise), (&unregistered, KeyCompromise)]);
    running.stop().await;

    let ordered = lines(&world, "compromise.ordered");
    assert_eq!(ordered.len(), 2, "{ordered:?}");
    assert_eq!(ordered[1]["actor"], "CRL 101 of signing");
    assert_eq!(ordered[1]["certificates"][0]["serial"], serial(&named));
    let done = lines(&world, "compromise.done");
    assert_eq!((&done[0]["keys"], &done[0]["certificate_count"]), (&json!([]), &json!(0)));
    assert_eq!(done[1]["keys"], json!([key_sha256(&named)]));
    assert_eq!(done[1]["certificate_count"], 1);
}

/// The list knows its serial number alone, until the certificate comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_a_list_said_is_compromised_takes_its_key_when_it_is_registered() {
    let world = World::new();
    let (config, admin) = by_upload(&world);
    let running = world.start_unready(config).await;
    let named = world.signer();
    let other = with_key_of(&world, &named);
    running.register(&admin, &[&other]);
    upload((&world, &running, &admin), 100, &[(&named, KeyCompromise)]);
    assert_eq!(revoked_by("service", &running, &admin, &other), None);
    running.register(&admin, &[&named]);
    let (reason, _) = revoked_by("service", &running, &admin, &other).expect("revoked");
    assert_eq!(reason, "keyCompromise");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromise_in_the_file_of_an_issuer_takes_the_key_when_the_file_is_read() {
    let world = World::new();
    let file = world.path("signing.crl");
    let made = |number: u64, entries: &[(&[u8], RevocationReason)]| {
        let date = world.now.minus_seconds(100);
        let entries: Vec<_> = entries.iter().map(|(der, reason)| (*der, *reason, date)).collect();
        let this_update = world.now.minus_seconds(50);
        fs::write(&file, world.crl_of(Authority::Signing, (number, this_update), &entries))
            .expect("written");
    };
    let signing = world.issuer(Authority::Signing, None);
    let source = IssuerConfig { crl_file: Some(file.clone()), ..signing };
    let (config, admin) = two_issuers(&world, source);
    made(100, &[]);
    let running = world.start(config.clone()).await;
    let named = world.signer();
    let other = with_key_of(&world, &named);
    running.register(&admin, &[&named, &other]);
    let is_revoked = |running: &Running| revoked_by("service", running, &admin, &other).is_some();
    made(101, &[(&named, KeyCompromise)]);
    running.wait("the key to be taken", || is_revoked(&running)).await;
    running.stop().await;
    // At every start the list is looked at again, and nothing is new.
    let running = world.start(config).await;
    assert!(is_revoked(&running));
    running.stop().await;
    assert_eq!(lines(&world, "compromise.ordered").len(), 1);
}

/// As an earlier version left them: revoked for keyCompromise, and the key not taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_compromise_on_record_takes_its_key_at_the_next_start() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config.clone()).await;
    let [named, other] = [world.signer(), world.signer()];
    running.register(&admin, &[&named, &other]);
    let stolen = json!({ "compromised_since": since(&world, 100) });
    assert_eq!(running.revoke(&admin, &order(&named, "keyCompromise", &stolen)).status, 200);
    let is_revoked = |running: &Running| revoked_by("signing", running, &admin, &other).is_some();
    assert!(!is_revoked(&running));
    running.stop().await;

    config.compromise_scope = CompromiseScope::Key;
    // A clock that lost its time would have every signature void: nothing is done by it.
    let running = world.start_unready_at(config.clone(), UnixSeconds::new(1_000)).await;
    running.set_clock(world.now);
    running.wait("the key to be taken", || is_revoked(&running)).await;
    let (_, date) = revoked_by("signing", &running, &admin, &other).expect("revoked");
    assert!(date >= world.now.minus_seconds(100), "{date}");
    running.stop().await;
    for _ in 0..2 {
        let running = world.start(config.clone()).await;
        running.wait("the key to be taken", || is_revoked(&running)).await;
        let [key] = &keys(&running, &admin)[..] else { panic!("one key") };
        assert_eq!(key["key_sha256"], key_sha256(&named));
        assert_eq!(key["revocation"]["recorded_by"], "admin@example.test");
        running.stop().await;
    }
    let ordered = lines(&world, "compromise.ordered");
    assert_eq!(ordered.len(), 1, "{ordered:?}");
    assert_eq!(ordered[0]["certificates"][0]["serial"], serial(&named));
}
