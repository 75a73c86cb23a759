//! A hold that two people lift: the delta says removeFromCRL, and who has the complete list before
//! and that delta takes the certificate again.

use std::{fs, path::PathBuf, process::Command};

use countersign_core::{
    asn1,
    crl::{CertificateList, RevocationReason},
    time::UnixSeconds,
};
use countersign_revocation::admin::Role;
use countersign_signing::{
    ca::{CrlPublication, Deltas},
    profile::Authority,
};
use serde_json::json;

use crate::{
    administration::{decision, order},
    http::get,
    world::{Running, World, openssl, text, write_pem},
};

const COMPLETE: &str = "/crl/signing.crl";
const DELTA: &str = "/crl/signing.delta.crl";

/// Number, base and reasons of a list.
fn said(der: &[u8]) -> (u64, Option<u64>, Vec<RevocationReason>) {
    let list = CertificateList::decode(der).expect("a CRL");
    let number = |octets| asn1::unsigned(octets, "number").expect("a number");
    let reasons = list.entries().map(|entry| entry.expect("an entry").reason).collect();
    (
        number(list.extensions.number.expect("a number")),
        list.extensions.delta_base.map(number),
        reasons,
    )
}

fn list(running: &Running, path: &str) -> Vec<u8> {
    let reply = get(running.public, path);
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.body
}

/// What `openssl verify` says at `now` with those lists.
fn openssl_says(world: &World, signer: &[u8], lists: &[&[u8]], now: UnixSeconds) -> String {
    let paths = ["root.pem", "issuer.pem", "leaf.pem"].map(|name| world.path(name));
    let authorities = [Authority::Root, Authority::Signing].map(|each| world.ca.certificate(each));
    for (path, certificate) in paths.iter().zip([authorities[0], authorities[1], signer]) {
        write_pem(path, &[certificate]);
    }
    let [root, issuer, leaf] = &paths;
    let pem = |(index, der): (usize, &&[u8])| -> PathBuf {
        let [from, to] = ["der", "pem"].map(|end| world.path(&format!("list{index}.{end}")));
        fs::write(&from, der).expect("written");
        openssl(&["crl", "-inform", "DER", "-in", text(&from), "-out", text(&to)]);
        to
    };
    let mut command = Command::new("openssl");
    // Without -extended_crl it takes a delta that is newer than the complete list for that list.
    command.args(["verify", "-x509_strict", "-crl_check", "-use_deltas", "-extended_crl"]);
    command.args(["-attime", &now.seconds().to_string()]);
    command.args(["-CAfile", text(root), "-untrusted", text(issuer)]);
    for path in lists.iter().enumerate().map(pem) {
        command.args(["-CRLfile", text(&path)]);
    }
    let output = command.arg(leaf).output().expect("openssl is installed");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_lifted_by_two_people_is_removed_by_the_delta() {
    let world = World::with_crls(CrlPublication { shards: 1, deltas: Deltas::Named });
    let mut config = world.config();
    config.delta_crl_validity_seconds = 86_400;
    // One list, the whole one: the certificates' own.
    config.issuer[0].crl_shards = vec![1];
    world.with_admin(&mut config);
    let roles = [Role::Registrar, Role::Revoker, Role::Approver];
    let alice = world.with_person(&mut config, "alice", &roles);
    let bob = world.with_person(&mut config, "bob", &[Role::Approver]);
    let running = world.start(config).await;
    let [complete, delta] = [COMPLETE, DELTA].map(|path| path.replace("signing", "signing/1/0"));
    running.wait("a delta", || get(running.public, &delta).status == 200).await;
    let signer = world.signer();
    running.register(&alice, &[&signer]);

    let before = list(&running, &complete);
    let hold = order(&signer, "certificateHold", &json!({}));
    assert_eq!(running.revoke(&alice, &hold).status, 200);
    let (number, base, reasons) = said(&list(&running, &delta));
    assert_eq!((base, reasons), (Some(said(&before).0), vec![RevocationReason::CertificateHold]));
    let lists = [before.as_slice(), &list(&running, &delta)];
    let answer = openssl_says(&world, &signer, &lists, world.now);
    assert!(answer.contains("certificate revoked"), "{answer}");

    // The scheduled list has the hold in it, and deltas are counted from it.
    let now = world.now.plus_seconds(4 * 86_400);
    running.set_clock(now);
    let counted_from = || said(&list(&running, &delta)).1;
    running.wait("a scheduled list", || said(&list(&running, &complete)).0 > number).await;
    let scheduled = list(&running, &complete);
    running.set_clock(now.plus_seconds(43_200));
    running.wait("a delta since it", || counted_from() == Some(said(&scheduled).0)).await;
    let now = now.plus_seconds(43_200);
    assert_eq!(said(&scheduled).2, [RevocationReason::CertificateHold]);

    let release = order(&signer, "removeFromCRL", &json!({ "comment": "the token was found" }));
    let reply = running.revoke(&alice, &release);
    assert_eq!(reply.status, 202, "{reply:?}");
    let pending = reply.json()["pending"].clone();
    let approve = format!("/v1/pending/{}/approve", pending["id"]);
    let decision = decision(&pending, "the token was found").to_string();
    let approve = |by| running.admin(by, "POST", &approve, decision.as_bytes());
    assert_eq!(approve(&alice).code(), "pending.same_person");
    assert!(said(&list(&running, &delta)).2.is_empty(), "one person lifts nothing");
    let answer = openssl_says(&world, &signer, &[&scheduled, &list(&running, &delta)], now);
    assert!(answer.contains("certificate revoked"), "{answer}");

    assert_eq!(approve(&bob).status, 200);
    let lifted = list(&running, &delta);
    let (number, base, reasons) = said(&lifted);
    assert_eq!((base, reasons), (Some(said(&scheduled).0), vec![RevocationReason::RemoveFromCrl]));
    let (complete_number, _, entries) = said(&list(&running, &complete));
    assert_eq!((complete_number, entries), (number, vec![]));
    let answer = openssl_says(&world, &signer, &[&scheduled], now);
    assert!(answer.contains("certificate revoked"), "{answer}");
    let answer = openssl_says(&world, &signer, &[&scheduled, &lifted], now);
    assert!(answer.contains("leaf.pem: OK"), "{answer}");
    running.stop().await;
}
