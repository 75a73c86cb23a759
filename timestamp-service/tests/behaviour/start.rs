//! What the service refuses to start with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use countersign_daemon::clock::FixedClock;
use countersign_signing::pem;
use countersign_signing::profile::{Authority, Profile};

use crate::rig::{authorities, start_time, write_private};

/// The error of a start with this configuration, at `time` after the certificates were issued.
fn refused_at(configuration: &str, time: std::time::SystemTime) -> String {
    let config = authorities().config(configuration);
    countersign_timestamp::check(&config, &FixedClock::new(time)).expect_err("refused").to_string()
}

fn refused(configuration: &str) -> String {
    refused_at(configuration, start_time())
}

#[test]
fn refuses_a_certificate_of_another_profile_naming_the_rule() {
    authorities().issue("signer", Profile::CodeSigner);
    let error = refused(&authorities().configuration("signer"));
    assert!(error.contains("is no timestamp authority's") && error.contains("signer"), "{error}");
    assert!(error.contains("timeStamping") || error.contains("1.3.6.1.5.5.7.3.8"), "{error}");
}

/// A certificate as another authority may issue it, by its extensions, with key and passphrase.
fn issue_elsewhere(name: &str, extensions: &str) {
    let authorities = authorities();
    let text = format!(
        "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = extensions\n\
         [name]\nCN = {name}\n[extensions]\n{extensions}"
    );
    fs::write(authorities.path(&format!("{name}.cnf")), text).expect("written");
    let key = authorities.path(&format!("{name}.key"));
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(authorities.path(""))
            .output()
            .expect("openssl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let curve = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";
    openssl(&format!("genpkey {curve} -aes-256-cbc -pass file:passphrase -out {name}.key"));
    openssl(&format!(
        "req -x509 -key {name}.key -passin file:passphrase -days 30 -config {name}.cnf -out {name}.pem"
    ));
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("mode");
}

#[test]
fn starts_with_other_authorities_certificates_as_verifiers_accept_them() {
    let usage = "extendedKeyUsage = critical, timeStamping\n";
    for (name, extensions) in [
        ("plain", usage.to_owned()),
        ("committing", format!("{usage}keyUsage = critical, nonRepudiation\n")),
        ("both", format!("{usage}keyUsage = digitalSignature, nonRepudiation\n")),
    ] {
        issue_elsewhere(name, &extensions);
        let config = authorities().config(&authorities().configuration(name));
        // The certificate begins when openssl ran.
        let now = FixedClock::new(std::time::SystemTime::now() + Duration::from_secs(5));
        countersign_timestamp::check(&config, &now).expect(name);
    }
    for (name, extensions, rule) in [
        ("uncritical", "extendedKeyUsage = timeStamping\n", "not critical"),
        ("shared", "extendedKeyUsage = critical, timeStamping, codeSigning\n", "codeSigning"),
        (
            "unfit",
            "extendedKeyUsage = critical, timeStamping\nkeyUsage = keyAgreement\n",
            "keyAgreement",
        ),
        ("ca", "extendedKeyUsage = critical, timeStamping\nbasicConstraints = CA:TRUE\n", "a CA"),
    ] {
        issue_elsewhere(name, extensions);
        let error = refused(&authorities().configuration(name));
        assert!(error.contains("is no timestamp authority's") && error.contains(rule), "{error}");
    }
}

#[test]
fn refuses_a_certificate_out_of_its_validity() {
    authorities().issue("tsa", Profile::TimestampAuthority);
    let configuration = authorities().configuration("tsa");
    let config = authorities().config(&configuration);
    countersign_timestamp::check(&config, &FixedClock::new(start_time())).expect("usable");
    let day = Duration::from_hours(24);
    for time in [start_time() - day, start_time() + 30 * 365 * day] {
        let error = refused_at(&configuration, time);
        assert!(error.contains("is valid from") && error.contains("the clock says"), "{error}");
    }
}

#[test]
fn refuses_a_key_that_is_not_the_certificates() {
    let authorities = authorities();
    authorities.issue("one", Profile::TimestampAuthority);
    authorities.issue("two", Profile::TimestampAuthority);
    let mixed = authorities.configuration("one").replace("one.key", "two.key");
    let error = refused(&mixed);
    assert!(error.contains("public key is not this key's"), "{error}");
}

#[test]
fn refuses_a_chain_in_the_wrong_order() {
    let authorities = authorities();
    let chain = authorities.issue("tsa", Profile::TimestampAuthority);
    let root = authorities.ca.certificate(Authority::Root).to_vec();
    let service = authorities.ca.certificate(Authority::Service).to_vec();
    for wrong in
        [vec![chain[0].clone(), root.clone(), chain[1].clone()], vec![chain[0].clone(), service]]
    {
        fs::write(authorities.path("tsa.pem"), pem::encode_certificates(&wrong)).expect("written");
        let error = refused(&authorities.configuration("tsa"));
        assert!(
            error.contains("certificate 1 of the chain was not issued by certificate 2"),
            "{error}"
        );
    }
    let whole = [chain, vec![root]].concat();
    fs::write(authorities.path("tsa.pem"), pem::encode_certificates(&whole)).expect("written");
    let config = authorities.config(&authorities.configuration("tsa"));
    countersign_timestamp::check(&config, &FixedClock::new(start_time())).expect("usable");
}

#[test]
fn refuses_files_that_others_may_read_a_wrong_passphrase_and_missing_files() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let configuration = authorities.configuration("tsa");

    write_private(&authorities.path("wrong"), b"wrong\n");
    let error = refused(&configuration.replace("/passphrase\"", "/wrong\""));
    assert!(error.contains("wrong passphrase"), "{error}");

    let error = refused(&configuration.replace("/passphrase\"", "/none\""));
    assert!(error.contains("none"), "{error}");

    let without: String = configuration
        .lines()
        .filter(|line| !line.starts_with("key_passphrase"))
        .fold(String::new(), |text, line| text + line + "\n");
    let error = refused(&without);
    assert!(error.contains("key_passphrase_file"), "{error}");

    let loose = |name: &str| {
        fs::set_permissions(authorities.path(name), fs::Permissions::from_mode(0o644))
            .expect("mode");
        let error = refused(&configuration);
        assert!(error.contains(name) && error.contains("chmod"), "{error}");
        fs::set_permissions(authorities.path(name), fs::Permissions::from_mode(0o600))
            .expect("mode");
    };
    loose("passphrase");
    loose("tsa.key");

    fs::write(authorities.path("tsa.pem"), "no certificate").expect("written");
    let error = refused(&configuration);
    assert!(error.contains("tsa.pem"), "{error}");
}

#[test]
fn refuses_an_audit_folder_that_cannot_be_one() {
    let authorities = authorities();
    authorities.issue("tsa", Profile::TimestampAuthority);
    let with_folder = |folder: &str| {
        let table = format!("[audit]\nfolder = \"{}\"\n", authorities.path(folder).display());
        authorities.configuration("tsa") + &table
    };
    for folder in ["tsa.pem", "tsa.pem/audit/deeper"] {
        let error = refused(&with_folder(folder));
        assert!(error.contains("[audit]") && error.contains("tsa.pem"), "{error}");
    }
    let config = authorities.config(&with_folder("not/yet/there"));
    countersign_timestamp::check(&config, &FixedClock::new(start_time())).expect("usable");
    assert!(!authorities.path("not").exists(), "a check makes nothing");
}
