//! D6, D11, D15: a CRL made elsewhere counts as what it is; nothing that it revokes is good because of a list that
//! leaves it out, because of another replica, or because the key came here.

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use countersign_core::{
    crl::{
        CertificateList,
        RevocationReason::{self, CaCompromise, CertificateHold, KeyCompromise, Superseded},
    },
    digest::HashAlgorithm,
    ocsp::{CertificateStatus, OcspResponse},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_daemon::{clock::FixedClock, shutdown::Shutdown};
use countersign_revocation::{
    Listeners, check_database,
    config::{Config, IssuerConfig},
    publish::authority,
    register::{
        CrlList,
        storage::{Storage, StoredCrl},
    },
    run,
};
use countersign_signing::{
    ocsp::{cert_id, request},
    profile::Authority,
};
use serde_json::json;

use crate::{
    http::{get, send},
    postgres::Postgres,
    world::{Running, World, incomplete, serial},
};

type Entries<'a> = Vec<(&'a [u8], RevocationReason, UnixSeconds)>;

/// The root, whose key is elsewhere, with an OCSP delegate here.
fn root(world: &World) -> IssuerConfig {
    let delegate = world.delegate("root-delegate", Authority::Root);
    IssuerConfig { key: None, crl_upload: true, ..world.issuer(Authority::Root, Some(&delegate)) }
}

/// What OCSP says; nothing for a refusal.
fn ocsp(world: &World, public: SocketAddr, certificate: &[u8]) -> Option<CertificateStatus> {
    let serial = Certificate::decode(certificate).expect("a certificate").serial;
    let issuer = world.ca.certificate(Authority::Root);
    let id = cert_id(HashAlgorithm::Sha256, issuer, serial).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    let body = send(public, "POST", "/", &[header], &request(&[&id], None)).body;
    let answer = OcspResponse::decode(&body).expect("an answer").basic?;
    Some(answer.responses[0].status)
}

fn is_revoked(status: Option<CertificateStatus>) -> bool {
    matches!(status, Some(CertificateStatus::Revoked { .. }))
}

fn listed(running: &Running) -> usize {
    let reply = get(running.public, "/crl/root.crl");
    CertificateList::decode(&reply.body).expect("a CRL").entries().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_leaves_something_out_is_refused_with_what_it_is() {
    let world = World::new();
    let mut config = world.config_of(vec![root(&world)]);
    let admin = world.with_admin(&mut config);
    let running = world.start_unready(config).await;
    let [signing, service] =
        [Authority::Signing, Authority::Service].map(|name| world.ca.certificate(name));
    running.register(&admin, &[signing, service]);
    let at = |ago: i64| world.now.minus_seconds(ago);
    let upload = |der: &[u8]| running.admin(&admin, "POST", "/v1/issuers/root/crl", der);
    let refuse_all = |number: u64| {
        for (code, extension) in incomplete() {
            let der = world.crl_with(Authority::Root, (number, at(50)), &[], &[extension]);
            let reply = upload(&der);
            assert_eq!((reply.status, reply.code().as_str()), (400, code), "{reply:?}");
        }
    };
    // Not even the first list.
    refuse_all(1);
    assert_eq!(ocsp(&world, running.public, signing), None);
    let entries: Entries<'_> =
        vec![(signing, CertificateHold, at(600)), (service, KeyCompromise, at(600))];
    assert_eq!(upload(&world.crl_of(Authority::Root, (1, at(100)), &entries)).status, 200);
    refuse_all(2);
    assert!(is_revoked(ocsp(&world, running.public, signing)));
    assert_eq!(listed(&running), 2);
    running.stop().await;
}

/// Where its CRL is, as the configuration says.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_at_the_configured_address_is_whole_and_one_at_another_is_not() {
    let world = World::new();
    let path = world.path("service.crl");
    let source = IssuerConfig {
        key: None,
        crl_file: Some(path.clone()),
        ..world.issuer(Authority::Service, None)
    };
    fs::write(&path, world.crl_of(Authority::Service, (1, world.now), &[])).expect("written");
    let check = |url: &str| {
        let source = IssuerConfig { crl_url: Some(url.to_owned()), ..source.clone() };
        let config = world.config_of(vec![source]);
        countersign_revocation::check(&config, &FixedClock::new(std::time::SystemTime::now()))
    };
    check(&format!("{}/crl/service.crl", crate::world::BASE_URL)).expect("good");
    let error = check("http://other.example/service.crl").expect_err("refused").to_string();
    assert!(error.contains("revocation.crl.distribution-point"), "{error}");
}

/// What an earlier version took is not forgotten, nor taken for the whole list.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_list_that_is_not_complete_proves_what_it_lists_and_no_more() {
    let world = World::new();
    let mut config = world.config_of(vec![root(&world)]);
    let admin = world.with_admin(&mut config);
    let [signing, service] =
        [Authority::Signing, Authority::Service].map(|name| world.ca.certificate(name));
    let at = |ago: i64| world.now.minus_seconds(ago);
    let entry = (signing, CaCompromise, at(600));
    let (_, delta) = incomplete().remove(0);
    let delta = world.crl_with(Authority::Root, (7, at(100)), &[entry], &[delta]);
    {
        let storage = Storage::open_file(&world.path("revocation.db")).await.expect("opened");
        let root = authority::Authority::load(&config.issuer[0], None).expect("loaded");
        let issuer = storage.bind_issuer("root", root.spki_sha256()).await.expect("bound");
        let stored = StoredCrl { number: 7, revision: 0, der: delta };
        storage.store_crl(issuer, CrlList::WHOLE, &stored).await.expect("stored");
        storage.close().await;
    }
    let running = world.start_unready(config).await;
    running.register(&admin, &[signing, service]);
    assert!(is_revoked(ocsp(&world, running.public, signing)));
    assert_eq!(ocsp(&world, running.public, service), None);
    assert_eq!(get(running.public, "/crl/root.crl").status, 503);
    let readiness = String::from_utf8(get(running.public, "/readyz").body).expect("text");
    assert!(readiness.contains("revocation.crl.delta"), "{readiness}");
    let upload = |number, entries: &Entries<'_>| {
        let der = world.crl_of(Authority::Root, (number, at(50)), entries);
        let reply = running.admin(&admin, "POST", "/v1/issuers/root/crl", &der);
        (reply.status, if reply.status == 200 { String::new() } else { reply.code() })
    };
    let refused = |code: &str| (409, code.to_owned());
    assert_eq!(upload(8, &vec![]), refused("crl.entry.forgotten"));
    assert_eq!(upload(7, &vec![entry]), refused("crl.number.not_greater"));
    assert_eq!(upload(8, &vec![entry]).0, 200);
    assert_eq!(ocsp(&world, running.public, service), Some(CertificateStatus::Good));
    assert!(is_revoked(ocsp(&world, running.public, signing)));
    running.stop().await;
}

/// D11: a replica that a list was not uploaded to went on signing "good", and took lists that forget.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_uploaded_at_one_replica_counts_at_the_other() {
    let server = Postgres::start().await;
    let world = World::new();
    let mut config = world.config_of(vec![root(&world)]);
    let admin = world.with_admin(&mut config);
    let file = world.path("clients.crl");
    fs::write(&file, world.crl_of(Authority::Service, (1, world.now), &[])).expect("written");
    config.admin_tls.as_mut().expect("TLS").client_crl = vec![file];
    config.database = server.database().await;
    let replica = |name: &str| {
        let settings = countersign_daemon::ledger::AuditSettings::in_folder(&world.path(name));
        Config { audit: Some(settings), ..config.clone() }
    };
    let first = world.start_unready(replica("first")).await;
    let second = world.start_unready(replica("second")).await;
    let signing = world.ca.certificate(Authority::Signing);
    first.register(&admin, &[signing]);
    let at = |ago: i64| world.now.minus_seconds(ago);
    let upload = |to: &Running, number, entries: &Entries<'_>| {
        let der = world.crl_of(Authority::Root, (number, at(50)), entries);
        to.admin(&admin, "POST", "/v1/issuers/root/crl", &der)
    };
    assert_eq!(upload(&first, 6, &vec![]).status, 200);
    second
        .wait("the first list", || {
            ocsp(&world, second.public, signing) == Some(CertificateStatus::Good)
        })
        .await;
    let started = Instant::now();
    assert_eq!(upload(&first, 7, &vec![(signing, KeyCompromise, at(600))]).status, 200);
    // At once, before it can have heard of it by itself, and afterwards.
    let reply = upload(&second, 8, &vec![]);
    assert_eq!((reply.status, reply.code().as_str()), (409, "crl.entry.forgotten"));
    second.wait("the revocation", || is_revoked(ocsp(&world, second.public, signing))).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(listed(&second), 1);
    // A CRL of administrators, which the database keeps too.
    let admin_certificate = world.client_certificate("admin");
    let entry = (&*admin_certificate, KeyCompromise, at(600));
    let newer = world.crl_of(Authority::Service, (2, world.now), &[entry]);
    fs::write(world.path("next"), newer).expect("written");
    fs::rename(world.path("next"), world.path("clients.crl")).expect("renamed");
    for replica in [&first, &second] {
        let status = || replica.admin(&admin, "GET", "/v1/issuers", b"").status;
        replica.wait("the administrator to be locked out", || status() == 403).await;
    }
    first.stop().await;
    second.stop().await;
}

/// D15: the CRL's entries were dropped without a word, and OCSP said "good" at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_here_brings_what_its_list_revokes_or_nothing_starts() {
    let world = World::new();
    let mut config = world.config_of(vec![root(&world)]);
    let admin = world.with_admin(&mut config);
    let here = IssuerConfig {
        crl_upload: false,
        key: world.issuer(Authority::Root, None).key,
        crl_url: Some(format!("{}/crl/root.crl", crate::world::BASE_URL)),
        ..config.issuer[0].clone()
    };
    let here = Config { issuer: vec![here], ..config.clone() };
    let [signing, service] =
        [Authority::Signing, Authority::Service].map(|name| world.ca.certificate(name));
    let at = |ago: i64| world.now.minus_seconds(ago);
    let entries: Entries<'_> =
        vec![(signing, Superseded, at(250)), (service, CertificateHold, at(200))];
    let running = world.start_unready(config.clone()).await;
    running.register(&admin, &[signing, service]);
    let der = world.crl_of(Authority::Root, (7, at(100)), &entries);
    assert_eq!(running.admin(&admin, "POST", "/v1/issuers/root/crl", &der).status, 200);
    running.stop().await;

    let listeners = Listeners::bind(&here).await.expect("listening");
    let clock = std::sync::Arc::new(FixedClock::new(std::time::SystemTime::now()));
    let (_trigger, shutdown) = Shutdown::manual();
    let error = run(here.clone(), listeners, clock, shutdown).await.expect_err("refused");
    let checked = check_database(&here).await.expect_err("refused");
    for error in [error.to_string(), checked.to_string()] {
        assert!(error.contains("revocation import"), "{error}");
        for certificate in [signing, service] {
            assert!(error.contains(&serial(certificate)), "{error}");
        }
    }
    // What the service lists can be imported, and then the key may come.
    let running = world.start(config).await;
    let page = running.admin(&admin, "GET", "/v1/certificates/root?status=any", b"").json();
    let shown = page["certificates"].as_array().expect("certificates");
    let mut lines = vec![json!({ "kind": "export", "format": 1 }).to_string()];
    for shown in shown {
        let mut line = shown.clone();
        line["kind"] = "certificate".into();
        lines.push(line.to_string());
    }
    let reply = running.admin(&admin, "POST", "/v1/import", lines.join("\n").as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}");
    running.stop().await;
    check_database(&here).await.expect("good");
    let running = world.start(here).await;
    for certificate in [signing, service] {
        assert!(is_revoked(ocsp(&world, running.public, certificate)));
    }
    assert_eq!(listed(&running), 2);
    running.stop().await;
}

/// D10: lookups and lists said "good" of what OCSP and the CRL revoke.
#[tokio::test(flavor = "multi_thread")]
async fn lookups_and_lists_say_what_the_list_made_elsewhere_says() {
    let world = World::new();
    let mut config = world.config_of(vec![root(&world)]);
    let admin = world.with_admin(&mut config);
    let running = world.start_unready(config).await;
    let [signing, service, timestamping] =
        [Authority::Signing, Authority::Service, Authority::Timestamping]
            .map(|name| world.ca.certificate(name));
    running.register(&admin, &[signing, service, timestamping]);
    let status = |certificate: &[u8]| {
        let path = format!("/v1/certificates/root/{}", serial(certificate));
        let shown = running.admin(&admin, "GET", &path, b"").json();
        (
            shown["status"].as_str().expect("a status").to_owned(),
            shown["revocation"]["reason"].clone(),
        )
    };
    // Pages are in the order of the octets; a text does without the one that only carries the sign.
    let octets = |serial: &String| {
        format!("{}{serial}", if serial.as_bytes()[0] < b'8' { "" } else { "00" })
    };
    let list = |query: &str| -> Vec<String> {
        let path = format!("/v1/certificates/root?{query}");
        let page = running.admin(&admin, "GET", &path, b"").json();
        let certificates = page["certificates"].as_array().expect("certificates");
        let mut serials: Vec<_> = certificates
            .iter()
            .filter(|shown| shown["status"] == "revoked")
            .map(|shown| shown["serial"].as_str().expect("a serial number").to_owned())
            .collect();
        serials.sort_by_key(octets);
        serials
    };
    // Without a list, nothing is good.
    assert_eq!(status(signing).0, "unknown");
    let at = |ago: i64| world.now.minus_seconds(ago);
    let entries: Entries<'_> =
        vec![(signing, KeyCompromise, at(600)), (service, CertificateHold, at(500))];
    let der = world.crl_of(Authority::Root, (7, at(100)), &entries);
    assert_eq!(running.admin(&admin, "POST", "/v1/issuers/root/crl", &der).status, 200);
    let mut both = vec![serial(signing), serial(service)];
    both.sort_by_key(octets);
    for later in [0, 31 * 86_400] {
        running.set_clock(world.now.plus_seconds(later));
        assert_eq!(status(signing), ("revoked".to_owned(), json!("keyCompromise")));
        assert_eq!(status(service), ("revoked".to_owned(), json!("certificateHold")));
        let unlisted = if later == 0 { "good" } else { "unknown" };
        assert_eq!(status(timestamping).0, unlisted);
        assert_eq!(list("status=revoked"), both);
        assert_eq!(list("status=any"), both);
        assert_eq!(list("status=revoked&limit=1").len(), 1);
        assert_eq!(list(&format!("status=revoked&limit=1&after={}", both[0])), both[1..]);
    }
    running.stop().await;
}
