//! `revocation status`, `list` and `fetch`.

use std::{fs, path::Path};

use countersign_tests::{programs::Programs, scenario::Shell};
use serde_json::Value;

use crate::site::Site;

#[test]
fn status_is_the_same_by_ocsp_and_by_the_admin_listener() {
    let site = Site::start();
    site.add_signer("other");
    site.succeed("countersign revoke --certificate other.pem --reason superseded --yes");
    let [good, revoked] = ["signer.pem", "other.pem"].map(|file| site.serial(file));
    for (file, serial, exit_code, status) in
        [("signer.pem", &good, 0, "good"), ("other.pem", &revoked, 14, "revoked")]
    {
        for whom in [
            format!("--certificate {file}"),
            format!("--certificate {file} --issuer-certificate ca/signing/certificate.pem"),
            format!("--certificate {file} --issuer signing"),
            format!("--issuer signing --serial {serial}"),
        ] {
            let ran = site.run(&format!("countersign --format json revocation status {whom}"));
            assert_eq!(ran.exit_code, exit_code, "{whom}: {}", ran.said());
            let value: Value = serde_json::from_str(&ran.stdout).expect("JSON");
            assert_eq!(value["result"]["status"], status, "{whom}: {value}");
            assert_eq!(value["result"]["serial"], serial.as_str(), "{whom}: {value}");
        }
    }
    let unknown = "countersign revocation status --issuer signing --serial 0102";
    site.refused(unknown, 3, "revocation.unknown");
    let not_below = "countersign revocation status --certificate signer.pem \
                     --issuer-certificate ca/timestamping/certificate.pem";
    assert_eq!(site.run(not_below).exit_code, 12);
    let all = site.succeed("countersign revocation list --issuer signing --all").stdout;
    assert!(all.contains(&format!("{good} good CN=release@example.org")), "{all}");
    assert!(all.contains(&format!("{revoked} superseded from ")), "{all}");
    let found =
        site.refused("countersign revocation list --issuer nobody", 2, "setup.service.refused");
    assert!(found.contains("there are: signing, timestamping, root"), "{found}");
}

#[test]
fn what_is_fetched_verifies_offline_until_it_is_fetched_anew() {
    let site = Site::start();
    let timestamp = site.founded.start_timestamp().expect("started");
    site.succeed("echo program > app");
    let sign = "countersign sign app --key signer.key --certificate signer.pem \
                --trusted-root trusted_root.json --timestamp-url";
    site.succeed(&format!("{sign} {}", timestamp.url("public")));
    let fetch = "countersign revocation fetch app --trusted-root trusted_root.json";
    site.succeed(&format!("{fetch} --output-dir evidence"));
    let verify = "countersign verify app --trusted-root trusted_root.json --policy policy.json \
                  --offline --crl evidence/*.crl";
    site.succeed(verify);
    // Revoked, and what was fetched before does not say so; fetched anew, it does.
    site.succeed("countersign revoke --file app --reason keyCompromise --compromised-since \"$(date -u -d '-4 minutes' +%Y-%m-%dT%H:%M:%SZ)\" --yes");
    site.succeed(verify);
    // Not unasked over what is there, and then not one of the files.
    fs::remove_file(site.founded.shell.folder().join("evidence/root.crl")).expect("removed");
    let before = site.read_octets("evidence/signing.crl");
    site.refused(&format!("{fetch} --output-dir evidence"), 3, "setup.output.unwritable");
    assert_eq!(site.read_octets("evidence/signing.crl"), before);
    assert!(!site.founded.shell.folder().join("evidence/root.crl").exists());
    site.succeed(&format!("{fetch} --output-dir evidence --force"));
    assert_eq!(site.run(verify).exit_code, 14);

    drop(timestamp);
}

/// A bundle of cosign's by a bare key; its timestamp's authority names no CRL.
#[test]
fn for_a_bare_key_there_is_nothing_to_fetch_which_is_said() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/public-good");
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = fs::read(data.join("managed-key/bundle.sigstore.json")).expect("a bundle");
    let mut bare: Value = serde_json::from_slice(&bundle).expect("JSON");
    bare["verificationMaterial"]["timestampVerificationData"] = Value::Null;
    fs::write(folder.path().join("bare.json"), bare.to_string()).expect("written");
    fs::write(folder.path().join("stamped.json"), bundle).expect("written");
    let shell = Shell::new(folder.path(), Programs::find().expect("the programs"));
    let data = data.display();
    let fetch = |more: &str| {
        let line = format!(
            "countersign revocation fetch --trusted-root {data}/trusted_root.json \
             --output-dir none {more}"
        );
        shell.run(&line).expect("a shell")
    };
    let key = format!("--key {data}/managed-key/key.pub");
    for more in ["--bundle bare.json".to_owned(), format!("--bundle stamped.json {key}")] {
        let ran = fetch(&more);
        assert_eq!(ran.exit_code, 0, "{}", ran.said());
        assert!(ran.stdout.starts_with("Nothing to fetch: "), "{}", ran.said());
        assert!(ran.stdout.contains("No CRL or OCSP speaks of one"), "{}", ran.said());
    }
    // What its timestamp's authority needs is found by the key alone.
    let ran = fetch("--bundle stamped.json");
    assert_eq!(ran.exit_code, 3, "{}", ran.said());
    assert!(ran.stderr.contains("signature.key.not-given"), "{}", ran.said());
    assert!(!folder.path().join("none").exists());
}
