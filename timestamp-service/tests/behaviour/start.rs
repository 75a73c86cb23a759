//! What the service refuses to start with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
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
