//! What the service refuses to start with, and what `--check` says of it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use countersign_core::{digest::HashAlgorithm, ocsp::OcspResponse};
use countersign_daemon::clock::SystemClock;
use countersign_revocation::{check, config::Config, publish::authority};
use countersign_signing::{
    ca::IssueRequest,
    key::KeyLocation,
    name::{DistinguishedName, SubjectName},
    ocsp::{cert_id, request},
    profile::{Authority, Profile},
};
use rustix::process::Signal;

use crate::{
    http::send,
    program::Program,
    world::{World, text},
};

fn refusal(config: &Config) -> String {
    check(config, &SystemClock).expect_err("refused").to_string()
}

#[test]
fn refuses_delegates_and_keys_that_are_not_what_they_should_be() {
    let world = World::new();
    let good = world.delegate("good", Authority::Signing);
    let other = world.delegate("other", Authority::Root);
    let server = world.tls_server("server");
    let mut asked =
        IssueRequest::new(Profile::CodeSigner, DistinguishedName::common_name("Signer"));
    asked.names = vec![SubjectName::Email("signer@example.test".to_owned())];
    let signer = world.issue_files("signer", &asked);
    let config = world.config_of(vec![world.issuer(Authority::Signing, Some(&good))]);
    check(&config, &SystemClock).expect("good");

    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = config.clone();
        change(&mut config);
        refusal(&config)
    };
    let message =
        with(&|config| config.issuer[0].ocsp_certificate = Some(other.certificate.clone()));
    assert!(message.contains("was not issued by"), "{message}");
    let message = with(&|config| {
        config.issuer[0].ocsp_certificate = Some(signer.certificate.clone());
        config.issuer[0].ocsp_key = Some(signer.key.clone().into());
    });
    assert!(
        message.contains("is no OCSP delegate's certificate") && message.contains("RFC 6960"),
        "{message}"
    );
    let message = with(&|config| config.issuer[0].ocsp_key = Some(server.key.clone().into()));
    assert!(message.contains("is not the key of"), "{message}");
    let message =
        with(&|config| config.issuer[0].key = Some(world.ca.key_path(Authority::Root).into()));
    assert!(message.contains("is not the key of"), "{message}");
    let message = with(&|config| config.issuer[0].certificate = signer.certificate.clone());
    assert!(message.contains("not a CA certificate"), "{message}");
    let message = with(&|config| config.issuer[0].key_passphrase_file = None);
    assert!(message.contains("key_passphrase_file"), "{message}");
    let message = with(&|config| {
        config.issuer[0].ocsp_certificate = None;
        config.issuer[0].ocsp_key = None;
    });
    assert!(message.contains("crl_url") && message.contains("public_url"), "{message}");
    let message = with(&|config| config.issuer[0].crl_file = Some(world.path("none.crl")));
    assert!(message.contains("one of key, crl_file and crl_upload"), "{message}");
    let message = with(&|config| {
        config.issuer[0].key = None;
        config.issuer[0].crl_file = Some(world.path("none.crl"));
    });
    assert!(message.contains("none.crl"), "{message}");

    fs::set_permissions(&good.key, fs::Permissions::from_mode(0o640)).expect("mode set");
    let message = refusal(&config);
    assert!(message.contains("chmod 600"), "{message}");
}

#[test]
fn the_program_checks_its_configuration() {
    let world = World::new();
    let delegate = world.delegate("delegate", Authority::Signing);
    let file = world.path("revocation.toml");
    let issuer = world.issuer(Authority::Signing, Some(&delegate));
    let passphrase = world.path("passphrase");
    let good = format!(
        "listen = '127.0.0.1:0'\ndatabase = '{}'\n[[issuer]]\nname = 'signing'\ncertificate = '{}'\nkey = '{}'\n\
         key_passphrase_file = '{passphrase}'\nocsp_certificate = '{}'\nocsp_key = '{}'\nocsp_key_passphrase_file = '{passphrase}'\n",
        text(&world.path("revocation.db")),
        text(&issuer.certificate),
        text(issuer.key.as_ref().and_then(KeyLocation::file).expect("a key file")),
        text(&delegate.certificate),
        text(&delegate.key),
        passphrase = text(&passphrase),
    );
    for (content, code, words) in [
        (good.clone(), 0, "the configuration is good"),
        (format!("{good}colour = 'blue'\n"), 2, "colour"),
        (good.replace("issuer]]\nname", "issuer]]\ncrl_file = 'x'\nname"), 2, "crl_file"),
    ] {
        fs::write(&file, content).expect("written");
        let output = Command::new(env!("CARGO_BIN_EXE_countersign-revocation"))
            .args(["--check", "--config", text(&file)])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
    // Checking makes no database.
    assert!(!world.path("revocation.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn says_when_a_database_belongs_to_another_ca() {
    let [world, other] = [World::new(), World::new()];
    world.start(world.config()).await.stop().await;
    let mut config = other.config();
    config.database = world.path("revocation.db").into();
    let listeners = countersign_revocation::Listeners::bind(&config).await.expect("listening");
    let (_trigger, shutdown) = countersign_daemon::shutdown::Shutdown::manual();
    let clock = Arc::new(SystemClock);
    let error =
        countersign_revocation::run(config, listeners, clock, shutdown).await.expect_err("refused");
    assert!(error.to_string().contains("is bound to another key"), "{error}");
}

#[test]
fn the_program_reads_its_delegate_again_at_sighup_and_stops_at_sigterm() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    Program::configure(&world, &config);
    let program = Program::start(&world);
    let issuer = world.ca.certificate(Authority::Signing);
    let id = cert_id(HashAlgorithm::Sha1, issuer, &[1]).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    let delegate = || {
        let reply = send(program.public, "POST", "/ocsp", &[header], &request(&[&id], None));
        let response = OcspResponse::decode(&reply.body).expect("an OCSP response");
        response.basic.expect("an answer").certificates[0].to_vec()
    };
    let first = delegate();
    assert_eq!(delegate(), first);

    let renewed = world.delegate("renewed", Authority::Signing);
    let in_use = config.issuer[0].clone();
    fs::rename(&renewed.certificate, in_use.ocsp_certificate.expect("a file")).expect("renamed");
    // Certificate and key do not fit together for a moment: the delegate in use stays.
    program.signal(Signal::HUP);
    assert_eq!(delegate(), first);
    fs::rename(&renewed.key, in_use.ocsp_key.as_ref().and_then(KeyLocation::file).expect("a file"))
        .expect("renamed");
    program.signal(Signal::HUP);
    let deadline = Instant::now() + Duration::from_secs(10);
    while delegate() == first {
        assert!(Instant::now() < deadline, "the new delegate is not used");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(program.stop(), Some(0));
}

#[test]
fn what_the_system_refuses_is_3_and_not_2() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    Program::configure(&world, &config);
    let run = |name: &str, value: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign-revocation"))
            .args(["--config", text(&world.path("revocation.toml"))])
            .env(format!("COUNTERSIGN_REVOCATION_{name}"), value)
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    for name in ["LISTEN", "ADMIN_LISTEN"] {
        let (code, said) = run(name, &address);
        assert!(code == Some(3) && said.contains(&address), "{code:?} {said}");
    }
    let absent = world.path("absent/revocation.db");
    let (code, said) = run("DATABASE", text(&absent));
    assert!(code == Some(3) && said.contains("absent"), "{code:?} {said}");
    let (code, said) = run("NEVER_ISSUED", "good");
    assert!(code == Some(2) && said.contains("NEVER_ISSUED"), "{code:?} {said}");

    let program = Program::start(&world);
    let (code, said) = run("LISTEN", "127.0.0.1:0");
    assert!(code == Some(3) && said.contains("another process"), "{code:?} {said}");
    assert_eq!(program.stop(), Some(0));
}

#[test]
fn a_new_delegate_that_is_not_valid_now_does_not_replace_one_that_is() {
    let mut world = World::new();
    let old = world.delegate("old", Authority::Signing);
    world.now = world.now.plus_seconds(30 * 86_400);
    let in_use = world.delegate("in-use", Authority::Signing);
    let config = world.issuer(Authority::Signing, Some(&in_use));
    let authority = authority::Authority::load(&config, None).expect("loaded");
    let end = || authority.delegate().expect("a delegate").not_after;
    let before = end();

    fs::rename(&old.certificate, &in_use.certificate).expect("renamed");
    fs::rename(&old.key, &in_use.key).expect("renamed");
    let error = authority.reload_delegate(world.now).expect_err("refused").to_string();
    assert!(error.contains("in-use.pem is valid from"), "{error}");
    assert_eq!(end(), before);
    // Where neither is valid, the files are right.
    authority.reload_delegate(before.plus_seconds(1)).expect("replaced");
    assert!(end() < before);
}
