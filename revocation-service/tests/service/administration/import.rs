//! Import of `openssl`'s own index, export, and import of the export elsewhere.

use std::{fs, process::Command};

use base64ct::{Base64, Encoding};
use countersign_core::crl::CertificateList;
use countersign_revocation::admin::Role;
use serde_json::{Value, json};

use super::order;
use crate::{
    http::get,
    world::{World, openssl, serial, text},
};

/// Runs `openssl ca` in the world's folder to issue and revoke, and gives its index.
fn openssl_index(world: &World, compromise: &str) -> String {
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
    ca(&["-revoke", &path("new/A2.pem"), "-crl_compromise", compromise]);
    fs::read_to_string(folder.join("index.txt")).expect("an index")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_of_an_openssl_ca_is_taken_over_with_dates_and_reasons() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let since = world.now.minus_seconds(200).to_string();
    let index = openssl_index(&world, &since.replace(['-', ':', 'T'], ""));
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
    assert_eq!(show("a2")["revocation"]["revocation_date"], since);
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
            // Whose word it is that they did is said, and that it is nothing more.
            line["evidence"] = "import".into();
            line["registered_by"] = "imported by admin@example.test: admin@example.test".into();
            if let Some(revocation) = line.get_mut("revocation") {
                revocation["recorded_by"] =
                    "imported by admin@example.test: admin@example.test".into();
            }
            line == known
        }));
        // The certificate itself proves that it is the same one.
        let again = elsewhere.admin(&admin, "POST", "/v1/certificates", signer);
        assert_eq!(again.status, 200, "{again:?}");
    }
    elsewhere.stop().await;
}

/// F14: Carol, who may import, had Bob revoke something and register something.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_does_not_speak_for_others() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    let roles = [Role::Registrar, Role::Revoker];
    let carol = world.with_person(&mut config, "carol", &roles);
    let running = world.start(config).await;
    let at = world.now.minus_seconds(200).to_string();
    let revocation = json!({
        "reason": "keyCompromise", "revocation_date": at, "recorded_at": at, "recorded_by": "bob",
    });
    let certificate = json!({
        "kind": "certificate", "issuer": "signing", "serial": "a7", "not_before": at,
        "not_after": "2049-01-01T00:00:00Z", "registered_at": at, "registered_by": "alice",
        "status": "revoked", "revocation": revocation,
    });
    let key = json!({ "kind": "key", "key_sha256": "ab".repeat(32), "revocation": revocation });
    let release = json!({
        "kind": "release", "bundle_sha256": "cd".repeat(32), "name": "App", "issuer": "signing",
        "serial": "a7", "key_sha256": "ab".repeat(32), "registered_at": at, "registered_by": "dan",
    });
    let head = json!({ "kind": "export", "format": 1 });
    let body = [&head, &certificate, &key, &release].map(Value::to_string).join("\n");
    for _ in 0..2 {
        let reply = running.admin(&carol, "POST", "/v1/import", body.as_bytes());
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["names"], json!(["alice", "bob", "dan"]));
    }
    let get = |path: &str| running.admin(&carol, "GET", path, b"").json();
    let shown = get("/v1/certificates/signing/a7");
    let by = |name: &str| json!(format!("imported by carol@example.test: {name}"));
    assert_eq!(shown["registered_by"], by("alice"));
    assert_eq!(shown["revocation"]["recorded_by"], by("bob"));
    assert_eq!(get("/v1/keys")["keys"][0]["revocation"]["recorded_by"], by("bob"));
    assert_eq!(get("/v1/releases")["releases"][0]["registered_by"], by("dan"));
    // What came from here is not told twice, and no name grows without end or writes between the lines.
    let again = body
        .replace("\"bob\"", "\"imported by carol@example.test: bob\"")
        .replace("a7", "a8")
        .replace(&"cd".repeat(32), &"ce".repeat(32));
    assert_eq!(running.admin(&carol, "POST", "/v1/import", again.as_bytes()).status, 200);
    let shown = get("/v1/certificates/signing/a8");
    assert_eq!(shown["revocation"]["recorded_by"], by("bob"));
    for name in ["x".repeat(513), "bob\\ncarol".to_owned()] {
        let body = body.replace("\"bob\"", &format!("\"{name}\""));
        let reply = running.admin(&carol, "POST", "/v1/import", body.as_bytes());
        assert_eq!((reply.status, reply.code().as_str()), (400, "import.malformed"));
    }
    running.stop().await;
    let record = super::ledger(&world);
    let digest = super::sha256_hex(body.as_bytes());
    let ordered = record.iter().find(|(kind, _)| kind == "import.ordered").expect("an order");
    assert_eq!(
        (&ordered.1["actor"], &ordered.1["order"]["sha256"]),
        (&json!("carol@example.test"), &json!(digest))
    );
    let done = record.iter().find(|(kind, _)| kind == "import.done").expect("done");
    assert_eq!(done.1["answer"]["sha256"], json!(digest));
    assert_eq!(done.1["answer"]["names"], json!(["alice", "bob", "dan"]));
}

/// A4: Carol imported false facts about a certificate that was not registered yet. It could not be
/// registered any more, nor revoked for its true date.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_import_says_of_a_certificate_keeps_nobody_from_revoking_it() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let [by_itself, by_order, by_serial] = [world.signer(), world.signer(), world.signer()];
    let poison = |der: &[u8], digest: &str| {
        let at = world.now.minus_seconds(1).to_string();
        json!({
            "kind": "certificate", "issuer": "signing", "serial": serial(der), "subject_der": "MAA=",
            "sha256": digest.repeat(32), "key_sha256": digest.repeat(32), "not_before": at,
            "not_after": at, "registered_at": at, "registered_by": "bob", "status": "good",
        })
    };
    let head = json!({ "kind": "export", "format": 1 });
    let lines =
        [head.clone(), poison(&by_itself, "a1"), poison(&by_order, "a2"), poison(&by_serial, "a3")];
    let body = lines.map(|line| line.to_string()).join("\n");
    assert_eq!(running.admin(&admin, "POST", "/v1/import", body.as_bytes()).status, 200);

    let reply = running.admin(&admin, "POST", "/v1/certificates", &by_itself);
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.json()["certificates"][0]["outcome"], "corrected");
    let path = format!("/v1/certificates/signing/{}", serial(&by_itself));
    let known = running.admin(&admin, "GET", &path, b"").json();
    assert_eq!(
        (&known["evidence"], &known["registered_by"]),
        (&Value::Null, &json!("admin@example.test"))
    );
    assert_eq!(known["key_sha256"], super::key_sha256(&by_itself));

    let since = world.now.minus_seconds(100).to_string();
    let compromise = json!({ "reason": "keyCompromise", "compromised_since": since });
    let by_certificate = |der: &[u8]| {
        let mut order = compromise.clone();
        order["certificate"] = Base64::encode_string(der).into();
        order
    };
    let with_serial = order(&by_serial, "keyCompromise", &json!({ "compromised_since": since }));
    for (order, der) in [
        (by_certificate(&by_itself), &by_itself),
        (by_certificate(&by_order), &by_order),
        (with_serial, &by_serial),
    ] {
        let reply = running.revoke(&admin, &order);
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(
            (&reply.json()["serial"], &reply.json()["revocation_date"]),
            (&json!(serial(der)), &json!(since))
        );
    }
    // What the certificate said in an order is on record; a serial number proves nothing.
    for (der, evidence) in [(&by_order, Value::Null), (&by_serial, json!("import"))] {
        let path = format!("/v1/certificates/signing/{}", serial(der));
        let known = running.admin(&admin, "GET", &path, b"").json();
        assert_eq!(known["evidence"], evidence, "{known}");
    }
    let crl = get(running.public, "/crl/signing.crl");
    assert_eq!(CertificateList::decode(&crl.body).expect("a CRL").entries().count(), 3);
    // What is proven, no import contradicts.
    let body = [head, poison(&by_itself, "a1")].map(|line| line.to_string()).join("\n");
    let reply = running.admin(&admin, "POST", "/v1/import", body.as_bytes());
    assert_eq!((reply.status, reply.code().as_str()), (409, "certificate.conflict"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_to_come_and_dates_before_the_issuer_are_not_imported() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let (now, early, late) =
        (world.now.to_string(), "2001-01-01T00:00:00Z", "2200-01-01T00:00:00Z");
    let certificate = json!({
        "kind": "certificate", "issuer": "signing", "serial": "0a0b", "not_before": now, "not_after": late,
        "registered_at": now, "registered_by": "x", "status": "revoked", "revocation": {
            "reason": "superseded", "revocation_date": now, "recorded_at": now, "recorded_by": "x",
        },
    });
    let key = json!({
        "kind": "key", "key_sha256": "ab".repeat(32), "revocation": certificate["revocation"],
    });
    for (line, pointer, date, code) in [
        (&certificate, "/not_before", late, "import.future"),
        (&certificate, "/registered_at", late, "import.future"),
        (&certificate, "/revocation/revocation_date", late, "import.future"),
        (&certificate, "/not_before", early, "import.too_early"),
        (&certificate, "/registered_at", early, "import.too_early"),
        (&certificate, "/revocation/revocation_date", early, "import.too_early"),
        (&certificate, "/not_after", early, "import.malformed"),
        (&key, "/revocation/revocation_date", late, "import.future"),
    ] {
        let mut line = line.clone();
        *line.pointer_mut(pointer).expect("a member") = date.into();
        let body = format!("{}\n{line}", json!({ "kind": "export", "format": 1 }));
        let reply = running.admin(&admin, "POST", "/v1/import", body.as_bytes());
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{pointer} {date}");
    }
    let path = "/v1/certificates/signing/0a0b";
    assert_eq!(running.admin(&admin, "GET", path, b"").code(), "certificate.not_registered");
    running.stop().await;
}
