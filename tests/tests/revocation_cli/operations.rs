//! What docs/revocation-service.md tells operators to do, by its own commands: a CA with shards and
//! deltas, an issuer whose key is elsewhere, a copy made beside the running service and restored.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use countersign_tests::scenario::{Folder, Limits, Site as Founded};

use crate::site::Site;

/// Openssl's judgement by CRLs alone, which are still to be named.
const VERIFY: &str = "openssl verify -x509_strict -crl_check -CAfile ca/root/certificate.pem \
                      -untrusted ca/signing/certificate.pem";

/// A site with another `ca init`, and another configuration of the revocation service.
fn site_with(init: &str, configure: impl FnOnce(String) -> String) -> Site {
    let mut founded = Founded::new(Folder::Removed).expect("a folder");
    founded.make_passphrase().expect("a passphrase");
    for line in founded.founding_commands() {
        founded.shell.succeed(&line.replace("ca init ca", init)).expect("founded");
    }
    founded.configure(&Limits::Usual).expect("configured");
    let path = founded.shell.folder().join("revocation.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    fs::write(&path, configure(text)).expect("written");
    let service = founded.start_revocation().expect("it listens");
    founded.export_administration(&service);
    Site { founded, service }
}

/// The service stopped, `meanwhile` done, and the service started again.
fn restarted(site: Site, meanwhile: impl FnOnce(&Founded)) -> Site {
    let Site { mut founded, service } = site;
    service.stop().expect("it ends");
    meanwhile(&founded);
    let service = founded.start_revocation().expect("it listens again");
    founded.export_administration(&service);
    Site { founded, service }
}

/// Fetches the lists that a certificate names: the complete one, and its delta.
fn fetch_lists(site: &Site, certificate: &str) -> [String; 2] {
    let named = site.succeed(&format!(
        "openssl x509 -in {certificate} -noout -ext crlDistributionPoints,freshestCRL \
         | sed -n 's/^ *URI://p'"
    ));
    let urls: Vec<&str> = named.stdout.lines().collect();
    let [base, delta] = urls[..] else { panic!("{}", named.said()) };
    for (url, name) in [(base, "base"), (delta, "delta")] {
        site.succeed(&format!(
            "curl --silent --fail {url} | openssl crl -inform der -out {name}.pem"
        ));
    }
    [base.to_owned(), delta.to_owned()]
}

/// Waits until a command succeeds.
#[track_caller]
fn succeeds_soon(site: &Site, line: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while site.run(line).exit_code != 0 {
        assert!(Instant::now() < deadline, "{line}\n{}", site.run(line).said());
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_ca_with_shards_and_deltas_is_served_and_its_count_can_change() {
    let site = site_with("ca init ca --crl-shards 16 --crl-deltas", |text| {
        let text = text.replace("name = \"signing\"", "name = \"signing\"\ncrl_shards = [16]");
        format!("delta_crl_validity_seconds = 3600\n{text}")
    });
    site.succeed("countersign revocation register signer.pem");
    let [base, delta] = fetch_lists(&site, "signer.pem");
    assert!(base.contains("/crl/signing/16/") && base.ends_with(".crl"), "{base}");
    assert_eq!(base.replace(".crl", ".delta.crl"), delta);
    let verify = format!("{VERIFY} -CRLfile base.pem -CRLfile delta.pem");
    site.succeed(&format!("{verify} -use_deltas -extended_crl signer.pem"));
    // The complete list from before the revocation, the delta from after it.
    site.succeed("countersign revoke --certificate signer.pem --reason superseded --yes");
    site.succeed("mv base.pem old.pem");
    fetch_lists(&site, "signer.pem");
    site.succeed("mv old.pem base.pem");
    let ran = site.run(&format!("{verify} -use_deltas -extended_crl signer.pem"));
    assert!(ran.said().contains("certificate revoked"), "{}", ran.said());

    let site = restarted(site, |founded| {
        let change = "sed -i 's/^crl_shards = 16$/crl_shards = 32/' ca/ca.toml && \
                      sed -i 's/^crl_shards = \\[16\\]$/crl_shards = [16, 32]/' revocation.toml";
        founded.shell.succeed(change).expect("changed");
    });
    site.add_signer("later");
    let [base, _] = fetch_lists(&site, "later.pem");
    assert!(base.contains("/crl/signing/32/"), "{base}");
    site.succeed(&format!("{verify} -use_deltas -extended_crl later.pem"));
    // The one before keeps its list.
    fetch_lists(&site, "signer.pem");
    let ran = site.run(&format!("{VERIFY} -CRLfile base.pem signer.pem"));
    assert!(ran.said().contains("certificate revoked"), "{}", ran.said());
}

#[test]
fn an_issuer_whose_key_is_elsewhere_has_its_lists_uploaded_or_read_from_a_file() {
    let keys = "key = \"ca/signing/key.pem\"\nkey_passphrase_file = \"passphrase\"";
    let site = site_with("ca init ca", |text| text.replace(keys, "crl_upload = true"));
    site.succeed("countersign revocation register signer.pem");
    let public = site.founded.base_url();
    let ask = format!(
        "openssl ocsp -issuer ca/signing/certificate.pem -cert signer.pem -no_nonce \
         -CAfile ca/root/certificate.pem -url {public}/ocsp"
    );
    assert!(site.run(&ask).said().contains("trylater"), "no list says anything yet");
    let page = include_str!("../../../docs/revocation-service.md");
    let (_, upload) = page.split_once("```sh\ncurl --fail-with-body").expect("how to upload");
    let (upload, _) = upload.split_once("\n```").expect("the end of the command");
    // At a terminal, curl asks.
    let upload = format!("curl --fail-with-body --pass \"$(cat passphrase)\" {upload}");
    let make = "countersign ca crl --dir ca --ca signing --output signing.crl";
    site.succeed(&format!("{make} && {upload}"));
    assert!(site.succeed(&ask).said().contains("signer.pem: good"));
    let serial = site.serial("signer.pem");
    site.succeed(&format!("{make} --revoke {serial}:superseded:2026-05-03T10:00:00Z && {upload}"));
    assert!(site.succeed(&ask).said().contains("signer.pem: revoked"));
    let served = format!("curl --silent --fail {public}/crl");
    site.succeed(&format!("{served}/signing.crl | cmp - signing.crl"));
    // The root's list is a file, which is read again when it changes.
    site.succeed("countersign ca crl --dir ca --ca root --output root.crl");
    succeeds_soon(&site, &format!("{served}/root.crl | cmp - root.crl"));
}

#[test]
fn a_copy_made_beside_the_running_service_is_put_in_the_place_of_the_database() {
    let site = Site::start();
    site.succeed("countersign revoke --certificate signer.pem --reason superseded --yes");
    let said = site.succeed("countersign-revocation --config revocation.toml --backup copy.db");
    assert!(said.stdout.ends_with("revocation.db copied to copy.db\n"), "{}", said.said());
    assert_eq!(site.succeed("stat -c %a copy.db").stdout, "600\n");
    let again = site.run("countersign-revocation --config revocation.toml --backup copy.db");
    assert_ne!(again.exit_code, 0, "a copy is never written over: {}", again.said());
    site.add_signer("late");
    let site = restarted(site, |founded| {
        let restore = "cp copy.db revocation.db && rm -f revocation.db-wal revocation.db-shm";
        founded.shell.succeed(restore).expect("restored");
    });
    let serial = site.serial("signer.pem");
    assert_eq!(site.revoked(), [(serial, "superseded".to_owned())]);
    // What came after the copy is registered again.
    let status = "countersign revocation status --certificate late.pem --issuer signing";
    site.refused(status, 3, "revocation.unknown");
    site.succeed("countersign revocation register late.pem");
    site.succeed(status);
}
