//! F6: a CRL that was made elsewhere takes nothing back of the one before it.

use std::fs;

use countersign_core::crl::{
    CertificateList,
    RevocationReason::{self, CaCompromise, CertificateHold, KeyCompromise, Superseded},
};
use countersign_core::time::UnixSeconds;
use countersign_revocation::config::{Config, IssuerConfig};
use countersign_signing::profile::Authority;

use crate::{
    http::{Reply, get},
    world::{Running, World, serial},
};

type Entries<'a> = Vec<(&'a [u8], RevocationReason, UnixSeconds)>;

fn config(world: &World, source: IssuerConfig) -> Config {
    let root = IssuerConfig { key: None, ..source };
    world.config_of(vec![root])
}

fn listed(running: &Running) -> usize {
    let reply = get(running.public, "/crl/root.crl");
    CertificateList::decode(&reply.body).expect("a CRL").entries().count()
}

/// One person, or one forgotten `--revoke`, brought every signature under a revoked CA back to life.
#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_list_forgets_lightens_and_moves_nothing() {
    let world = World::new();
    let source = IssuerConfig { crl_upload: true, ..world.issuer(Authority::Root, None) };
    let mut config = config(&world, source);
    let admin = world.with_admin(&mut config);
    let running = world.start_unready(config).await;
    let [signing, timestamping, service] =
        [Authority::Signing, Authority::Timestamping, Authority::Service]
            .map(|authority| world.ca.certificate(authority));
    let at = |ago: i64| world.now.minus_seconds(ago);
    let upload = |number: u64, this_update: UnixSeconds, entries: &Entries<'_>| -> Reply {
        let der = world.crl_of(Authority::Root, (number, this_update), entries);
        running.admin(&admin, "POST", "/v1/issuers/root/crl", &der)
    };
    let before: Entries<'_> = vec![
        (signing, CaCompromise, at(600)),
        (timestamping, Superseded, at(500)),
        (service, CertificateHold, at(400)),
    ];
    assert_eq!(upload(100, at(100), &before).status, 200);
    let without = |index: usize| {
        let mut entries = before.clone();
        entries.remove(index);
        entries
    };
    let with = |index: usize, reason, ago| {
        let mut entries = before.clone();
        entries[index] = (entries[index].0, reason, at(ago));
        entries
    };
    for (entries, code, named) in [
        (vec![], "crl.entry.forgotten", &[signing, timestamping][..]),
        (without(0), "crl.entry.forgotten", &[signing]),
        (without(1), "crl.entry.forgotten", &[timestamping]),
        (with(0, Superseded, 600), "crl.entry.lightened", &[signing]),
        (with(0, CertificateHold, 600), "crl.entry.lightened", &[signing]),
        (with(0, CaCompromise, 599), "crl.entry.moved_later", &[signing]),
        (with(1, KeyCompromise, 400), "crl.entry.moved_later", &[timestamping]),
    ] {
        let reply = upload(101, at(50), &entries);
        assert_eq!((reply.status, reply.code().as_str()), (409, code), "{entries:?}");
        let detail = reply.json()["detail"].as_str().expect("words").to_owned();
        for certificate in named {
            assert!(detail.contains(&serial(certificate)), "{detail}");
        }
        assert!(!detail.contains(&serial(service)), "{detail}");
        assert_eq!(listed(&running), 3);
    }
    let older = upload(101, at(101), &before);
    assert_eq!((older.status, older.code().as_str()), (409, "crl.this_update.goes_back"));

    // Stricter is allowed, and a hold may be lifted.
    let stricter = vec![(signing, KeyCompromise, at(700)), (timestamping, Superseded, at(500))];
    assert_eq!(upload(101, at(50), &stricter).status, 200);
    assert_eq!(listed(&running), 2);
    // A10b: a date to come says that the certificate is good until then.
    let ahead = world.now.plus_seconds(9_000);
    let to_come = [&stricter[..], &[(service, KeyCompromise, ahead)]].concat();
    let reply = upload(102, ahead, &to_come);
    assert_eq!((reply.status, reply.code().as_str()), (400, "crl.entry.future"));
    // A list that a clock made that was ahead stands in nobody's way.
    assert_eq!(upload(102, world.now.plus_seconds(9_000), &stricter).status, 200);
    assert_eq!(upload(103, at(0), &stricter).status, 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_forgets_changes_nothing_and_shows() {
    let world = World::new();
    let path = world.path("root.crl");
    let source =
        IssuerConfig { crl_file: Some(path.clone()), ..world.issuer(Authority::Root, None) };
    let config = config(&world, source);
    let signing = world.ca.certificate(Authority::Signing);
    let entry = (signing, CaCompromise, world.now.minus_seconds(600));
    let write = |number: u64, entries: &[_]| {
        let der = world.crl_of(Authority::Root, (number, world.now), entries);
        fs::write(world.path("next"), der).expect("written");
        fs::rename(world.path("next"), &path).expect("renamed");
    };
    write(100, &[entry]);
    let running = world.start(config.clone()).await;
    write(101, &[]);
    let readiness = || String::from_utf8(get(running.public, "/readyz").body).expect("text");
    running
        .wait("the fault to show", || readiness().contains("lists what this one does not"))
        .await;
    assert_eq!(listed(&running), 1, "the list before is served");
    running.stop().await;
    // Nor does a restart forget.
    let running = world.start_unready(config).await;
    assert_eq!(listed(&running), 1);
    let readiness = || String::from_utf8(get(running.public, "/readyz").body).expect("text");
    assert!(readiness().contains(&serial(signing)), "{}", readiness());
    write(102, &[entry]);
    running.wait("the mended file", || !readiness().contains("lists what this one does not")).await;
    running.stop().await;
}
