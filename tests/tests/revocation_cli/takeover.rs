//! `revocation import`, `export`, `backup`: from openssl's authority, and from one service to another.

use std::fs;

use serde_json::Value;

use crate::site::Site;

/// An `openssl ca` with our signing CA's key: what somebody had before.
const OPENSSL_CONFIGURATION: &str = "[ca]\ndefault_ca = old\n[old]\ndatabase = index.txt\n\
    new_certs_dir = .\nserial = serial\ncertificate = ca/signing/certificate.pem\n\
    private_key = ca/signing/key.pem\ndefault_md = sha384\npolicy = any\nunique_subject = no\n\
    [any]\ncommonName = supplied\n";

#[test]
fn takes_over_what_openssl_kept() {
    let site = Site::start();
    site.write("openssl.cnf", OPENSSL_CONFIGURATION);
    site.write("index.txt", "");
    site.write("serial", "7001\n");
    for name in ["kept", "lost"] {
        site.succeed(&format!(
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout {name}.pk8 \
             -subj /CN={name} -out {name}.csr && openssl ca -config openssl.cnf -batch -days 30 \
             -passin file:passphrase -in {name}.csr -out {name}.pem -notext"
        ));
    }
    let since = site.succeed("date -u -d '-2 minutes' '+%Y%m%d%H%M%SZ %b %e %H:%M:%S %Y'").stdout;
    let (compromise, since) = since.trim().split_once(' ').expect("two forms");
    site.succeed(&format!(
        "openssl ca -config openssl.cnf -passin file:passphrase -revoke lost.pem \
         -crl_compromise {compromise}"
    ));
    let done = site.json("revocation import index.txt --issuer signing");
    assert_eq!((&done["certificates"], &done["revocations"]), (&2.into(), &1.into()), "{done}");
    assert_eq!(site.revoked(), [("7002".to_owned(), "keyCompromise".to_owned())]);
    let text = site.succeed("countersign revocation import index.txt --issuer signing").stdout;
    assert!(text.starts_with("0 certificates are new, 2 were known; "), "{text}");
    // openssl's own client now hears from the service what openssl's authority knew.
    let ask = |name: &str| {
        let responder = format!("{}/ocsp", site.service.url("public"));
        site.succeed(&format!(
            "openssl ocsp -issuer ca/signing/certificate.pem -cert {name}.pem -url {responder} \
             -CAfile ca/root/certificate.pem -no_nonce"
        ))
        .said()
    };
    assert!(ask("kept").contains("kept.pem: good"), "{}", ask("kept"));
    let lost = ask("lost");
    assert!(lost.contains("lost.pem: revoked") && lost.contains(since), "{lost}");
    // An index is no export, and is not taken for one.
    let found = site.refused("countersign revocation import index.txt", 2, "setup.service.refused");
    assert!(found.contains("import.malformed"), "{found}");
    site.refused("countersign revocation import missing", 3, "setup.input.unreadable");
}

#[test]
fn an_export_makes_another_service_know_the_same() {
    let site = Site::start();
    site.add_signer("other");
    site.succeed(
        "echo app > app && countersign sign app --key other.key --certificate other.pem \
         --trusted-root trusted_root.json",
    );
    site.succeed("countersign revocation register --bundle app.sigstore.json");
    site.succeed("countersign revoke --certificate signer.pem --reason superseded --yes");
    site.succeed(
        "countersign revoke --key-of other.pem --reason keyCompromise --yes \
         --compromised-since \"$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)\"",
    );
    let export = "revocation export --output known.jsonl";
    let counts = site.json(export)["counts"].clone();
    assert_eq!(counts["key"], 1, "{counts}");
    assert_eq!(counts["release"], 1, "{counts}");
    site.refused(&format!("countersign {export}"), 3, "setup.output.unwritable");
    site.succeed(&format!("countersign {export} --force"));
    let mode = site.succeed("stat -c %a known.jsonl").stdout;
    assert_eq!(mode, "600\n");

    let text = site.read("revocation.toml").replace("revocation.db", "other.db");
    let own = site.service.address("public").to_owned();
    site.write(
        "other.toml",
        &text.replace(&format!("listen = \"{own}\""), "listen = \"127.0.0.1:0\""),
    );
    let other = site.start_another("other.toml");
    let there = format!("--admin-url {}", other.url("admin"));
    let done = site.json(&format!("revocation import known.jsonl {there}"));
    assert_eq!(done["certificates"], counts["certificate"], "{done}");
    assert_eq!(done["revocations"], 2, "{done}");
    site.succeed(&format!("countersign revocation export --output there.jsonl {there}"));
    // Who registered it, and when, is each service's own; so is when it was recorded as revoked.
    let told = |name: &str| {
        let mut lines: Vec<Value> =
            site.read(name).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for line in &mut lines {
            let line = line.as_object_mut().expect("an object");
            line.retain(|key, _| !key.starts_with("registered_") && key != "evidence");
            if let Some(revocation) = line.get_mut("revocation").and_then(Value::as_object_mut) {
                revocation.remove("recorded_at");
                let by = revocation["recorded_by"].as_str().expect("a name");
                let by = by.strip_prefix("imported by admin@example.org: ").unwrap_or(by);
                let by = Value::from(by);
                revocation.insert("recorded_by".to_owned(), by);
            }
        }
        lines.sort_by_key(ToString::to_string);
        lines
    };
    assert_eq!(told("known.jsonl"), told("there.jsonl"));
    drop(other);
}

#[test]
fn a_backup_is_a_database_that_a_service_starts_from() {
    let site = Site::start_with("backup_folder = \"backups\"");
    fs::create_dir(site.founded.shell.folder().join("backups")).expect("made");
    site.succeed("countersign revoke --certificate signer.pem --reason superseded --yes");
    let done = site.json("revocation backup");
    let copy = done["path"].as_str().expect("a path").to_owned();
    // Revoked after the copy: not in it.
    site.add_signer("late");
    let text = site.read("revocation.toml").replace("revocation.db", &copy);
    let own = site.service.address("public").to_owned();
    site.write(
        "restored.toml",
        &text.replace(&format!("listen = \"{own}\""), "listen = \"127.0.0.1:0\""),
    );
    // The ledger goes along: without it, the database says that its ledger is gone.
    site.succeed(&format!("cp -r revocation.db.audit {copy}.audit"));
    let restored = site.start_another("restored.toml");
    let list =
        format!("revocation list --issuer signing --all --admin-url {}", restored.url("admin"));
    let listed = site.json(&list);
    let certificates = listed["certificates"].as_array().expect("a list");
    // The signer, and the OCSP delegate where one was registered; not the late one.
    let late = site.serial("late.pem");
    assert!(certificates.iter().all(|each| each["serial"] != late.as_str()), "{listed}");
    let signer = site.serial("signer.pem");
    let found = certificates.iter().find(|each| each["serial"] == signer.as_str());
    assert_eq!(found.expect("the signer")["revocation"]["reason"], "superseded");
    drop(restored);

    let without = Site::start();
    let found = without.refused("countersign revocation backup", 2, "setup.service.refused");
    assert!(found.contains("backup"), "{found}");
}
