//! `countersign revoke`: every way to say whom, and what it answers.

use crate::site::Site;

/// A signed release of `NAME`, registered.
fn release(site: &Site, file: &str, signer: &str) {
    site.succeed(&format!("echo {file} > {file}"));
    // It verifies before it is written; no timestamp service is needed for that.
    site.succeed(&format!(
        "countersign sign {file} --key {signer}.key --certificate {signer}.pem \
         --trusted-root trusted_root.json"
    ));
    site.succeed(&format!("countersign revocation register --bundle {file}.sigstore.json"));
}

#[test]
fn revokes_by_certificate_serial_number_file_and_bundle() {
    let site = Site::start();
    for name in ["serial", "file", "bundle"] {
        site.add_signer(name);
    }
    release(&site, "a.bin", "file");
    release(&site, "b.bin", "bundle");
    let serial = site.serial("serial.pem");
    for (whom, of) in [
        ("--certificate signer.pem".to_owned(), "signer.pem"),
        (format!("--issuer signing --serial {serial}"), "serial.pem"),
        ("--file a.bin".to_owned(), "file.pem"),
        ("--bundle b.bin.sigstore.json".to_owned(), "bundle.pem"),
    ] {
        let preview = site.json(&format!("revoke {whom} --reason superseded --dry-run"));
        assert_eq!(preview["dry_run"], true);
        let serial = site.serial(of);
        assert!(!site.revoked().iter().any(|(each, _)| *each == serial), "a dry run revokes");
        let done = site.json(&format!("revoke {whom} --reason superseded --yes"));
        assert_eq!(done["reason"], "superseded", "{done}");
        assert!(done["recorded_at"].is_string(), "{done}");
        assert!(site.revoked().contains(&(serial, "superseded".to_owned())), "{whom}");
        let status = format!("countersign revocation status --certificate {of}");
        let by_ocsp = site.run(&status);
        assert_eq!(by_ocsp.exit_code, 14, "{}", by_ocsp.said());
        assert!(by_ocsp.stdout.contains("(superseded)"), "{}", by_ocsp.said());
    }
    // The same again is no new revocation, and no failure: what was asked for is so.
    let again = site.json("revoke --certificate signer.pem --reason superseded --yes");
    assert_eq!(again["reason"], "superseded");
    assert_eq!(site.revoked().len(), 4);
}

#[test]
fn a_compromised_key_takes_its_certificates_and_names_the_releases() {
    let site = Site::start();
    site.add_signer("first");
    site.succeed(
        "countersign ca renew --dir ca --certificate first.pem --output second-of-key.pem \
         && countersign revocation register second-of-key.pem",
    );
    release(&site, "app", "first");
    let whom = "revoke --key-of first.pem --reason keyCompromise";
    let found = site.refused(&format!("countersign {whom} --yes"), 2, "setup.usage.invalid");
    assert!(found.contains("--compromised-since"), "{found}");
    let since = "--compromised-since \"$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)\"";
    let text = site.succeed(&format!("countersign {whom} {since} --yes")).stdout;
    let [first, second] = ["first.pem", "second-of-key.pem"].map(|file| site.serial(file));
    for serial in [&first, &second] {
        assert!(text.contains(&format!("with that key: signing {serial} ")), "{text}");
        assert!(site.revoked().contains(&(serial.clone(), "keyCompromise".to_owned())), "{text}");
    }
    assert!(text.contains("affected release: app"), "{text}");
    // What is issued for that key later is revoked as it is registered.
    site.succeed(
        "countersign ca renew --dir ca --certificate first.pem --output third-of-key.pem \
         && countersign revocation register third-of-key.pem",
    );
    assert_eq!(site.revoked().len(), 3);
}

#[test]
fn says_what_is_wrong_with_an_order() {
    let site = Site::start();
    site.succeed("countersign ca issue --dir ca --profile code-signer --email b@example.org --new-key b.key --output b.pem");
    let unregistered = site.serial("b.pem");
    for (arguments, exit_code, code, words) in [
        (
            "revoke --certificate b.pem --reason superseded --yes",
            3,
            "revocation.unknown",
            &*unregistered,
        ),
        (
            "revoke --certificate second.pem --reason superseded --yes",
            2,
            "setup.service.refused",
            "No issuer of this service",
        ),
        (
            "revoke --certificate missing.pem --reason superseded --yes",
            3,
            "setup.input.unreadable",
            "No such file",
        ),
        (
            "revoke --certificate trusted_root.json --reason superseded --yes",
            3,
            "setup.input.malformed",
            "it holds no certificate",
        ),
        (
            "revoke --issuer nobody --serial 01 --reason superseded --yes",
            2,
            "setup.service.refused",
            "there are: ",
        ),
        (
            "revoke --issuer signing --serial xyz --reason superseded --yes",
            2,
            "setup.service.refused",
            "hexadecimal",
        ),
        ("revoke --file missing --reason superseded --yes", 3, "bundle.not-found", ""),
        (
            "revoke --certificate signer.pem --reason removeFromCRL --yes",
            2,
            "setup.service.refused",
            "cannot be undone",
        ),
        // Nobody is there to be asked.
        (
            "revoke --certificate signer.pem --reason superseded",
            2,
            "setup.confirmation.missing",
            "",
        ),
    ] {
        let found = site.refused(&format!("countersign {arguments}"), exit_code, code);
        assert!(found.contains(words), "{arguments}: {found}");
    }
    for arguments in [
        "revoke --certificate signer.pem",
        "revoke --reason superseded",
        "revoke --certificate signer.pem --reason because",
        "revoke --certificate signer.pem --issuer signing --serial 01 --reason superseded",
    ] {
        assert_eq!(site.run(&format!("countersign {arguments}")).exit_code, 2, "{arguments}");
    }
    assert_eq!(site.revoked(), []);
}
