//! Sharded and delta CRLs: each certificate's own list is current, `openssl` uses base and delta, and
//! lists whose entries did not change stay as they are.

use std::{fs, path::Path, process::Command};

use countersign_core::{
    asn1,
    crl::{CertificateList, RevocationReason},
    x509::Certificate,
};
use countersign_signing::{
    ca::{CrlPublication, Deltas},
    profile::Authority,
};
use serde_json::json;

use crate::{
    http::get,
    world::{BASE_URL, Running, World, openssl, serial, text, write_pem},
};

const SHARDS: u32 = 4;

/// The path of a certificate's list, and of its deltas.
fn paths(certificate: &[u8]) -> (String, String) {
    let certificate = Certificate::decode(certificate).expect("a certificate");
    let [url] = certificate.extensions.crl_urls[..] else { panic!("one CRL") };
    let path = url.strip_prefix(BASE_URL).expect("below the base URL").to_owned();
    let delta = path.replace(".crl", ".delta.crl");
    (path, delta)
}

/// Number, base number, and serial numbers with their reasons.
type Said = (u64, Option<u64>, Vec<(String, RevocationReason)>);

fn said(der: &[u8]) -> Said {
    let list = CertificateList::decode(der).expect("a CRL");
    let number = |octets| asn1::unsigned(octets, "number").expect("a number");
    let entries = list.entries().map(|entry| {
        let entry = entry.expect("an entry");
        (countersign_core::x509::certificate::serial_text(entry.serial), entry.reason)
    });
    (
        number(list.extensions.number.expect("a number")),
        list.extensions.delta_base.map(number),
        entries.collect(),
    )
}

fn list(running: &Running, path: &str) -> Vec<u8> {
    let reply = get(running.public, path);
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.body
}

#[tokio::test(flavor = "multi_thread")]
async fn each_certificate_finds_itself_in_its_own_shard_and_delta() {
    let world = World::with_crls(CrlPublication { shards: SHARDS, deltas: Deltas::Named });
    let mut config = world.config();
    config.issuer[0].crl_shards = vec![SHARDS];
    config.delta_crl_validity_seconds = 86_400;
    let admin = world.with_admin(&mut config);
    let running = world.start(config.clone()).await;
    let signers: Vec<_> = (0..6).map(|_| world.signer()).collect();
    running.register(&admin, &signers.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let revoked = &signers[0];
    let (path, delta_path) = paths(revoked);
    running.wait("the deltas", || get(running.public, &delta_path).status == 200).await;

    let others = (0..SHARDS).map(|index| format!("/crl/signing/{SHARDS}/{index}.crl"));
    let others: Vec<_> = others.filter(|other| *other != path).collect();
    let before: Vec<_> = others.iter().map(|other| list(&running, other)).collect();
    let base = list(&running, &path);
    assert_eq!(said(&base).2, []);
    let order = json!({"issuer": "signing", "serial": serial(revoked), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);

    let entry = vec![(serial(revoked), RevocationReason::Superseded)];
    let (number, _, entries) = said(&list(&running, &path));
    assert_eq!(entries, entry);
    // Complete list and delta of one round have one number and say the same.
    assert_eq!(said(&list(&running, &delta_path)), (number, Some(said(&base).0), entry.clone()));
    assert_eq!(said(&list(&running, "/crl/signing.crl")), (number, None, entry));
    let after: Vec<_> = others.iter().map(|other| list(&running, other)).collect();
    assert_eq!(after, before, "the other shards are as they were");
    scope_is_the_certificates(&list(&running, &path), revoked);
    openssl_uses_base_and_delta(&world, &base, &list(&running, &delta_path), &signers, &path);

    for path in ["/crl/signing/8/1.crl", "/crl/signing/4/4.crl", "/crl/signing/4/01.crl"] {
        assert_eq!(get(running.public, path).status, 404, "{path}");
    }

    // A restart serves the same lists.
    let [complete, delta] = [&path, &delta_path].map(|path| list(&running, path));
    running.stop().await;
    let running = world.start(config).await;
    assert_eq!([&path, &delta_path].map(|path| list(&running, path)), [complete, delta]);

    // Half of its time is over: a new delta, while the complete list stays.
    running.set_clock(world.now.plus_seconds(43_200));
    let fresh = || said(&list(&running, &delta_path)).0 > number;
    running.wait("a fresh delta", fresh).await;
    assert_eq!(said(&list(&running, &path)).0, number);
    // And of the complete list's: deltas begin anew with it.
    running.set_clock(world.now.plus_seconds(7 * 43_200));
    running.wait("a fresh list", || said(&list(&running, &path)).0 > number).await;
    let renewed = said(&list(&running, &path)).0;
    running.set_clock(world.now.plus_seconds(8 * 43_200));
    // The delta before ran out meanwhile, and is not served until the one of this round is there.
    let anew = || {
        let reply = get(running.public, &delta_path);
        if reply.status != 200 {
            return false;
        }
        let (_, base, entries) = said(&reply.body);
        base == Some(renewed) && entries.is_empty()
    };
    running.wait("a delta of the fresh list", anew).await;
    running.stop().await;
}

/// The CRL's issuingDistributionPoint is to the letter the certificate's distribution point.
fn scope_is_the_certificates(crl: &[u8], certificate: &[u8]) {
    let list = CertificateList::decode(crl).expect("a CRL");
    let (_, point) = list.extensions.issuing_distribution_point.expect("a scope");
    assert_eq!(
        point.urls,
        Certificate::decode(certificate).expect("a certificate").extensions.crl_urls
    );
}

fn openssl_uses_base_and_delta(
    world: &World,
    base: &[u8],
    delta: &[u8],
    signers: &[Vec<u8>],
    path: &str,
) {
    let root_crl = world.ca.crl(Authority::Root, 1, world.now, world.now.plus_seconds(86_400));
    let root_key = world.ca.signer(Authority::Root).expect("a key");
    let root_crl = root_crl.expect("a builder").build(root_key.as_ref()).expect("signed");
    let pem = |name: &str, der: &[u8]| {
        let [from, to] = [world.path(&format!("{name}.der")), world.path(name)];
        fs::write(&from, der).expect("written");
        openssl(&["crl", "-inform", "DER", "-in", text(&from), "-out", text(&to)]);
        to
    };
    let lists = [pem("root.crl", &root_crl), pem("base.crl", base), pem("delta.crl", delta)];
    let [root, issuer] = [world.path("root.pem"), world.path("issuer.pem")];
    write_pem(&root, &[world.ca.certificate(Authority::Root)]);
    write_pem(&issuer, &[world.ca.certificate(Authority::Signing)]);
    let verify = |certificate: &[u8], options: &[&str]| {
        let leaf = world.path("leaf.pem");
        write_pem(&leaf, &[certificate]);
        let mut command = Command::new("openssl");
        command.args(["verify", "-x509_strict", "-crl_check", "-crl_check_all"]).args(options);
        command.args(["-CAfile", text(&root), "-untrusted", text(&issuer)]);
        for crl in &lists {
            command.args([Path::new("-CRLfile"), crl]);
        }
        let output = command.arg(&leaf).output().expect("openssl is installed");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    // The base is older than the revocation; the delta tells.
    let said = verify(&signers[0], &[]);
    assert!(said.contains("leaf.pem: OK"), "{said}");
    let said = verify(&signers[0], &["-use_deltas"]);
    assert!(said.contains("certificate revoked"), "{said}");
    // Another certificate of that shard is cleared, one of another shard is not.
    for signer in &signers[1..] {
        let said = verify(signer, &["-use_deltas"]);
        if paths(signer).0 == path {
            assert!(said.contains("leaf.pem: OK"), "{said}");
        } else {
            assert!(said.contains("different CRL scope"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_for_others_to_serve_never_goes_back() {
    let world = World::with_crls(CrlPublication { shards: 2, deltas: Deltas::Unnamed });
    let mut config = world.config();
    config.issuer[0].crl_shards = vec![2];
    config.crl_folder = Some(world.path("published"));
    let admin = world.with_admin(&mut config);
    let running = world.start(config.clone()).await;
    let file = |path: &str| fs::read(world.path("published").join(path)).unwrap_or_default();
    let served = |path: &str| get(running.public, &format!("/crl/{path}")).body;
    for path in ["signing.crl", "signing/2/0.crl", "signing/2/1.crl"] {
        running.wait(path, || file(path) == served(path)).await;
    }
    let old = file("signing.crl");
    let signer = world.signer();
    running.register(&admin, &[&signer]);
    let order = json!({"issuer": "signing", "serial": serial(&signer), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);
    running.wait("the new list", || file("signing.crl") == served("signing.crl")).await;
    assert_ne!(file("signing.crl"), old);
    running.stop().await;

    // Somebody else was faster: what is there is newer than what this service has.
    let newer_of = |world: &World| {
        let next_update = world.now.plus_seconds(86_400);
        let number = said(&file("signing.crl")).0 + 1_000_000;
        let builder = world.ca.crl(Authority::Signing, number, world.now, next_update);
        let key = world.ca.signer(Authority::Signing).expect("a key");
        builder.expect("a builder").build(key.as_ref()).expect("signed")
    };
    let newer = newer_of(&world);
    fs::write(world.path("published/signing.crl"), &newer).expect("written");
    // Newer too, and another issuer's, or for another place: whoever put it there must not keep
    // ours out.
    fs::write(world.path("published/signing/2/1.crl"), &newer).expect("written");
    let damaged = world.path("published/signing/2/0.crl");
    fs::write(&damaged, b"garbage").expect("written");
    let running = world.start(config.clone()).await;
    let mended = || said_if_any(&fs::read(&damaged).expect("a file")).is_some();
    running.wait("what is no list to be replaced", mended).await;
    assert_eq!(fs::read(world.path("published/signing.crl")).expect("a file"), newer);
    let served = |path: &str| get(running.public, &format!("/crl/{path}")).body;
    let is_ours = || file("signing/2/1.crl") == served("signing/2/1.crl");
    running.wait("the list of another place to be replaced", is_ours).await;
    running.stop().await;
    // D6: so is a delta in the place of the complete list.
    let delta = {
        let next_update = world.now.plus_seconds(86_400);
        let number = said(&newer).0 + 1_000_000;
        let builder = world.ca.crl(Authority::Signing, number, world.now, next_update);
        let key = world.ca.signer(Authority::Signing).expect("a key");
        builder.expect("a builder").as_delta_since(1).build(key.as_ref()).expect("signed")
    };
    for (what, bad) in [("another issuer's list", newer_of(&World::new())), ("a delta", delta)] {
        fs::write(world.path("published/signing.crl"), &bad).expect("written");
        let running = world.start(config.clone()).await;
        let served = |path: &str| get(running.public, &format!("/crl/{path}")).body;
        let is_ours = || file("signing.crl") == served("signing.crl");
        running.wait(&format!("{what} to be replaced"), is_ours).await;
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_stop_lies_in_the_folder() {
    let world = World::new();
    let mut config = world.config();
    config.crl_folder = Some(world.path("published"));
    let admin = world.with_admin(&mut config);
    let signers = [world.signer(), world.signer(), world.signer()];
    let running = world.start(config.clone()).await;
    running.register(&admin, &signers.each_ref().map(Vec::as_slice));
    running.stop().await;
    for (revoked, signer) in signers.iter().enumerate() {
        let running = world.start(config.clone()).await;
        let order = json!({"issuer": "signing", "serial": serial(signer), "reason": "superseded"});
        assert_eq!(running.revoke(&admin, &order).status, 200);
        running.stop().await;
        let list = fs::read(world.path("published/signing.crl")).expect("a list");
        let list = CertificateList::decode(&list).expect("a list");
        assert_eq!(list.entries().count(), revoked + 1);
    }
}

fn said_if_any(der: &[u8]) -> Option<Said> {
    CertificateList::decode(der).is_ok().then(|| said(der))
}
