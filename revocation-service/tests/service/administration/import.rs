//! Import of `openssl`'s own index, export, and import of the export elsewhere.

use std::{fs, process::Command};

use countersign_core::crl::CertificateList;
use serde_json::{Value, json};

use super::order;
use crate::{
    http::get,
    world::{World, openssl, serial, text},
};

/// Runs `openssl ca` in the world's folder to issue and revoke, and gives its index.
fn openssl_index(world: &World) -> String {
    let folder = world.path("openssl");
    fs::create_dir_all(folder.join("new")).expect("made");
    let config = format!(
        "[ca]\ndefault_ca=own\n[own]\ndir={0}\ndatabase={0}/index.txt\nnew_certs_dir={0}/new\n\
         serial={0}/serial\ndefault_md=sha256\ndefault_days=30\npolicy=any\nprivate_key={0}/key.pem\n\
         certificate={0}/ca.pem\nunique_subject=no\n[any]\ncommonName=supplied\n",
        text(&folder)
    );
    fs::write(folder.join("ca.cnf"), config).expect("written");
    fs::write(folder.join("index.txt"), "").expect("written");
    fs::write(folder.join("serial"), "00A1\n").expect("written");
    let path = |name: &str| text(&folder.join(name)).to_owned();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
    let request = |subject: &str, key_file: &str, more: &[&str]| {
        let (key_file, start) = (path(key_file), ["req", "-subj", subject]);
        openssl(&[&start[..], &key[..], &["-keyout", &key_file][..], more].concat());
    };
    request("/CN=CA", "key.pem", &["-x509", "-out", &path("ca.pem")]);
    let ca = |more: &[&str]| {
        let config = path("ca.cnf");
        openssl(&[&["ca", "-batch", "-config", &config][..], more].concat())
    };
    for number in 1..=3 {
        let file = path("request.pem");
        request(&format!("/CN=Signer {number}"), "signer.pem", &["-new", "-out", &file]);
        ca(&["-in", &file, "-notext"]);
    }
    ca(&["-revoke", &path("new/A1.pem"), "-crl_reason", "superseded"]);
    ca(&["-revoke", &path("new/A2.pem"), "-crl_compromise", "20260101000000Z"]);
    fs::read_to_string(folder.join("index.txt")).expect("an index")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_of_an_openssl_ca_is_taken_over_with_dates_and_reasons() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let index = openssl_index(&world);
    // Its own clock, by which it revoked.
    running.set_clock(world.now.plus_seconds(600));
    let reply = running.admin(&admin, "POST", "/v1/import/signing", index.as_bytes());
    assert_eq!(reply.status, 200, "{index}{reply:?}");
    let imported = reply.json();
    assert_eq!((&imported["certificates"], &imported["revocations"]), (&json!(3), &json!(2)));
    let show = |serial: &str| {
        running.admin(&admin, "GET", &format!("/v1/certificates/signing/{serial}"), b"").json()
    };
    assert_eq!(show("a1")["revocation"]["reason"], "superseded");
    assert_eq!(show("a2")["revocation"]["revocation_date"], "2026-01-01T00:00:00Z");
    assert_eq!(show("a3")["status"], "good");
    let crl = get(running.public, "/crl/signing.crl");
    assert_eq!(CertificateList::decode(&crl.body).expect("a CRL").entries().count(), 2);
    let again = running.admin(&admin, "POST", "/v1/import/signing", index.as_bytes()).json();
    assert_eq!((&again["certificates"], &again["known"]), (&json!(0), &json!(3)));
    for (path, body, status, code) in [
        ("/v1/import/nobody", index.as_str(), 404, "issuer.unknown"),
        ("/v1/import/signing", "V\tx\n", 400, "import.malformed"),
        ("/v1/import", "{}\n", 400, "import.malformed"),
        ("/v1/import", "{\"kind\":\"export\",\"format\":2}\n", 400, "import.malformed"),
        (
            "/v1/import/signing",
            "R\t490603100000Z\t490503100000Z\t77\tunknown\t/CN=x\n",
            400,
            "import.future",
        ),
    ] {
        let reply = running.admin(&admin, "POST", path, body.as_bytes());
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{path} {body}");
    }
    running.stop().await;
    assert!(Command::new("openssl").arg("version").output().is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_read_by_pages_is_the_same_service_elsewhere() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config.clone()).await;
    let signers: Vec<_> = (0..5).map(|_| world.signer()).collect();
    let all: Vec<&[u8]> = signers.iter().map(Vec::as_slice).collect();
    running.register(&admin, &all);
    assert_eq!(running.revoke(&admin, &order(&signers[0], "superseded", &json!({}))).status, 200);

    let mut lines = vec![json!({ "kind": "export", "format": 1 }).to_string()];
    let mut after = String::new();
    loop {
        let path = format!("/v1/certificates/signing?limit=2{after}");
        let page = running.admin(&admin, "GET", &path, b"").json();
        for certificate in page["certificates"].as_array().expect("a list") {
            let mut line: Value = certificate.clone();
            line["kind"] = "certificate".into();
            lines.push(line.to_string());
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(lines.len(), 6);
    let revoked =
        running.admin(&admin, "GET", "/v1/certificates/signing?status=revoked", b"").json();
    assert_eq!(revoked["certificates"][0]["serial"], serial(&signers[0]));
    running.stop().await;

    config.database = world.path("elsewhere.db").into();
    let elsewhere = world.start(config).await;
    let reply = elsewhere.admin(&admin, "POST", "/v1/import", lines.join("\n").as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}");
    for signer in &signers {
        let path = format!("/v1/certificates/signing/{}", serial(signer));
        let known = elsewhere.admin(&admin, "GET", &path, b"").json();
        assert!(lines.iter().any(|line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            line.as_object_mut().expect("an object").remove("kind");
            line == known
        }));
        // The certificate itself proves that it is the same one.
        let again = elsewhere.admin(&admin, "POST", "/v1/certificates", signer);
        assert_eq!(again.status, 200, "{again:?}");
    }
    elsewhere.stop().await;
}
