//! What `openssl` makes of us.

use std::{fs, path::Path, process::Command};

use base64ct::{Base64, Encoding};
use countersign_signing::profile::Authority;
use serde_json::json;

use crate::{
    http::{get, send_http10},
    world::{Running, World, openssl, serial, text, write_pem},
};

#[tokio::test(flavor = "multi_thread")]
async fn openssl_agrees_on_ocsp_and_crl() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [good, revoked, strange] = [world.signer(), world.signer(), world.signer()];
    running.register(&admin, &[&good, &revoked]);
    let order = json!({"issuer": "signing", "serial": serial(&revoked), "reason": "superseded"});
    assert_eq!(running.revoke(&admin, &order).status, 200);

    let files = ["good.pem", "revoked.pem", "strange.pem"].map(|name| world.path(name));
    for (path, certificate) in files.iter().zip([&good, &revoked, &strange]) {
        write_pem(path, &[certificate]);
    }
    let [good, revoked, strange] = &files;
    let [root, issuer] = [world.path("root.pem"), world.path("issuer.pem")];
    write_pem(&root, &[world.ca.certificate(Authority::Root)]);
    write_pem(&issuer, &[world.ca.certificate(Authority::Signing)]);

    let url = format!("http://{}/ocsp", running.public);
    let trust = ["-CAfile", text(&root), "-verify_other", text(&issuer)];
    for hash in ["-sha1", "-sha256", "-sha384"] {
        for nonce in ["-nonce", "-no_nonce"] {
            let mut arguments = vec!["ocsp", nonce, hash, "-issuer", text(&issuer)];
            arguments.extend(["-cert", text(good), "-cert", text(revoked), "-cert", text(strange)]);
            arguments.extend(["-url", &url]);
            arguments.extend(trust);
            let output = openssl(&arguments);
            assert!(output.contains("Response verify OK"), "{output}");
            assert!(output.contains("good.pem: good"), "{output}");
            assert!(output.contains("revoked.pem: revoked"), "{output}");
            assert!(output.contains("Reason: superseded"), "{output}");
            assert!(output.contains("strange.pem: unknown"), "{output}");
            assert!(!output.contains("WARNING"), "the nonce comes back: {output}");
        }
    }

    answers_its_request_by_get(&world, &running, good, &issuer, &trust);
    checks_the_crl(&world, &running, [good, revoked], [&root, &issuer]);
    running.stop().await;
}

/// Its request by GET over HTTP/1.0, our answer read by it again.
fn answers_its_request_by_get(
    world: &World,
    running: &Running,
    good: &Path,
    issuer: &Path,
    trust: &[&str],
) {
    let [asked, answer] = [world.path("request.der"), world.path("answer.der")];
    openssl(&[
        "ocsp",
        "-no_nonce",
        "-issuer",
        text(issuer),
        "-cert",
        text(good),
        "-reqout",
        text(&asked),
    ]);
    let body = fs::read(&asked).expect("a request");
    let path = format!("/ocsp/{}", Base64::encode_string(&body));
    let reply = send_http10(running.public, "GET", &path, &[], b"");
    assert_eq!(reply.status, 200);
    fs::write(&answer, &reply.body).expect("written");
    let mut arguments =
        vec!["ocsp", "-respin", text(&answer), "-issuer", text(issuer), "-cert", text(good)];
    arguments.extend(trust);
    let output = openssl(&arguments);
    assert!(output.contains("good.pem: good") && output.contains("Response verify OK"), "{output}");
}

/// The CRL: its signature, its text, and what it does to a chain.
fn checks_the_crl(
    world: &World,
    running: &Running,
    [good, revoked]: [&Path; 2],
    [root, issuer]: [&Path; 2],
) {
    let crl = world.path("signing.crl.pem");
    let der = world.path("signing.crl");
    fs::write(&der, get(running.public, "/crl/signing.crl").body).expect("written");
    let output = openssl(&[
        "crl",
        "-inform",
        "DER",
        "-in",
        text(&der),
        "-CAfile",
        text(issuer),
        "-text",
        "-out",
        text(&crl),
    ]);
    assert!(output.contains("verify OK"), "{output}");
    let printed = fs::read_to_string(&crl).expect("text and PEM");
    for part in [
        "X509v3 CRL Number",
        "X509v3 Issuing Distribution Point: critical",
        "Superseded",
        "Invalidity Date",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let verify = |leaf: &Path| {
        let output = Command::new("openssl")
            .args(["verify", "-crl_check", "-CAfile", text(root), "-untrusted", text(issuer)])
            .args(["-CRLfile", text(&crl), text(leaf)])
            .output()
            .expect("openssl is installed");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    assert!(verify(good).contains("good.pem: OK"), "{}", verify(good));
    assert!(verify(revoked).contains("certificate revoked"), "{}", verify(revoked));
}
