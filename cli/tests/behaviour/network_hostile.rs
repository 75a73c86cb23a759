//! Networks that hang, forget or lie, and what was seen before.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use countersign_core::{ocsp::OcspRequest, time::UnixSeconds};
use countersign_signing::{
    key::{FileKey, Passphrase},
    ocsp::{Answer, CertificateStatus, OcspSigner, ResponseTerms},
    pem,
};

use crate::{
    http::{Reply, Request, hang},
    network::{Services, services},
    world::{PASSPHRASE, World},
};

const CAS: [&str; 3] = ["root", "signing", "timestamping"];

/// Makes the CRL of the signing CA with the signer revoked for this reason.
fn revoke(world: &World, reason: &str) {
    let list = world.json(&["ca", "list", "--dir", "ca"]).succeeds().json();
    let all = list["result"]["certificates"].as_array().expect("a list").clone();
    let signer = all.iter().find(|each| each["profile"] == "code-signer").expect("the signer");
    let serial = signer["serial"].as_str().expect("a serial");
    let text = format!(
        "ca crl --dir ca --ca signing --output signing.crl \
         --revoke {serial}:{reason}:2026-01-01T00:00:00Z"
    );
    world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
}

#[test]
fn a_service_that_hangs_is_asked_at_once_for_all_and_not_for_long() {
    let services = Services::signed();
    services.verify(&[]).succeeds();
    services.server.answer(hang);
    // What was kept answers in its place.
    let began = Instant::now();
    let run = services.verify(&[]).succeeds();
    assert!(run.stderr.contains("there was no answer, so the kept CRL of"), "{run:#?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // Without it nothing is known: eight seconds for each address, CRL and OCSP, and all three
    // certificates together. One after the other would take 48.
    let began = Instant::now();
    let run = services.verify(&["--no-cache"]).exits_with(3);
    assert_eq!(run.finding(), "revocation.unavailable");
    assert!(run.stderr.contains("no answer within 8 s"), "{run:#?}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn what_was_kept_serves_offline_unless_it_shall_not() {
    let services = Services::signed();
    services.verify(&[]).succeeds();
    let asked = services.server.asked().len();
    services.verify(&["--offline"]).succeeds();
    let run = services.verify(&["--offline", "--no-cache"]).exits_with(3);
    assert_eq!(run.finding(), "revocation.unavailable");
    assert_eq!(services.server.asked().len(), asked);
    // Nothing is kept where nothing shall be.
    let services = services_without_cache();
    services.verify(&["--no-cache"]).succeeds();
    services.verify(&["--offline"]).exits_with(3);
}

fn services_without_cache() -> Services {
    let services = services();
    services.world.write("app", "x");
    let url = services.server.url.clone();
    let more = ["app", "--timestamp-url", &url, "--no-revocation-check"];
    services.world.sign(&more).succeeds();
    services
}

/// Who stands between here and the service shows the list of before.
#[test]
fn an_older_crl_does_not_undo_what_was_seen() {
    let services = Services::signed();
    let old = fs::read(services.world.file("signing.crl")).expect("a CRL");
    revoke(&services.world, "keyCompromise");
    assert_eq!(services.verify(&[]).exits_with(14).finding(), "revocation.revoked");
    services.world.write("signing.crl", &old);
    assert_eq!(services.verify(&[]).exits_with(14).finding(), "revocation.revoked");
    // Nor does one that is handed in.
    let given = ["--offline", "--crl", "root.crl", "signing.crl", "timestamping.crl"];
    assert_eq!(services.verify(&given).exits_with(14).finding(), "revocation.revoked");
    services.verify(&["--no-cache"]).succeeds();
}

/// A list that the issuer did not sign says nothing, however new it is.
#[test]
fn what_is_not_authentic_is_not_kept() {
    let services = services_without_cache();
    let stranger = World::with_base_url(&services.server.url);
    let genuine = services.world.read("signing.crl");
    stranger
        .keyed(&["ca", "crl", "--dir", "ca", "--ca", "signing", "--output", "x.crl"])
        .succeeds();
    services.world.write("signing.crl", stranger.read("x.crl"));
    services.verify(&[]).exits_with(3);
    services.verify(&["--offline"]).exits_with(3);
    services.world.write("signing.crl", genuine);
    services.verify(&[]).succeeds();
    services.verify(&["--offline"]).succeeds();
}

#[test]
fn ocsp_is_asked_where_the_crl_cannot_be_had_or_does_not_help() {
    let services = services_without_cache();
    let world = &services.world;
    let mut signers = Vec::new();
    for ca in CAS {
        let text = format!(
            "ca issue --dir ca --profile ocsp --issuer {ca} --new-key {ca}.key --output {ca}.ocsp.pem"
        );
        world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
        let passphrase = Passphrase::new(PASSPHRASE).expect("a passphrase");
        let key = FileKey::open(&world.file(&format!("{ca}.key")), &passphrase).expect("a key");
        let delegate = pem::read_certificates(&world.file(&format!("{ca}.ocsp.pem"))).expect("PEM");
        let issuer = world.file(&format!("ca/{ca}/certificate.pem"));
        let issuer = pem::read_certificates(&issuer).expect("PEM");
        let signer = OcspSigner::new(Arc::new(key), &delegate[0], &issuer[0]).expect("a signer");
        signers.push((issuer[0].clone(), signer));
    }
    // Not there, something else, and of another authority.
    let stranger = world.read("root.crl");
    let lists: [Box<dyn Fn() -> Reply + Send + Sync>; 3] = [
        Box::new(|| Reply::status("404 Not Found")),
        Box::new(|| Reply::ok("<html>")),
        Box::new(move || Reply::ok(stranger.clone())),
    ];
    let signers = Arc::new(signers);
    for list in lists {
        let signers = Arc::clone(&signers);
        services.server.answer(move |request: &Request| match request.line.split(' ').nth(1) {
            Some(path) if path.starts_with("/crl/root") => Reply::status("404 Not Found"),
            Some(path) if path.starts_with("/crl/") => list(),
            _ => respond(&signers, request),
        });
        services.verify(&["--no-cache"]).succeeds();
    }
    services.server.answer(|_| Reply::status("404 Not Found"));
    services.verify(&["--no-cache"]).exits_with(3);
}

fn respond(signers: &[(Vec<u8>, OcspSigner)], request: &Request) -> Reply {
    let decoded = OcspRequest::decode(&request.body, 1).expect("a request");
    let asked = &decoded.certificates[0];
    let crypto = countersign_core::crypto::aws_lc::AwsLc;
    let issued = |issuer: &[u8]| {
        let issuer = countersign_core::x509::Certificate::decode(issuer).expect("a certificate");
        asked.is_issued_by(&issuer, &crypto)
    };
    let signer = signers.iter().find(|(issuer, _)| issued(issuer)).expect("an issuer of ours");
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = UnixSeconds::new(i64::try_from(since.as_secs()).expect("small"));
    let terms = ResponseTerms {
        produced_at: now,
        this_update: now,
        next_update: now.plus_seconds(3600),
        archive_cutoff: None,
        nonce: None,
    };
    let single = Answer { cert_id: asked.raw, status: CertificateStatus::Good };
    Reply::ok(signer.1.respond(&[single], &terms).expect("a response"))
}

#[test]
fn a_revoked_signer_signs_nothing_and_nothing_is_stamped() {
    let services = services();
    let (world, server) = (&services.world, &services.server);
    world.write("app", "x");
    for (reason, code) in
        [("certificateHold", "revocation.on-hold"), ("keyCompromise", "revocation.revoked")]
    {
        revoke(world, reason);
        let run = world.sign(&["app", "--timestamp-url", &server.url]).exits_with(14);
        assert_eq!(run.finding(), code);
        assert!(!world.names().contains(&"app.sigstore.json".to_owned()));
        assert!(!server.asked().iter().any(|line| line.starts_with("POST")), "nothing is stamped");
        fs::remove_dir_all(world.file(".cache")).expect("something was kept");
    }
    let before = server.asked().len();
    let run = world.sign(&["app", "--no-revocation-check"]).succeeds();
    assert!(run.stderr.contains("nobody was asked whether"), "{run:#?}");
    assert_eq!(server.asked().len(), before);
}

#[test]
fn a_signer_whose_revocation_nobody_tells_signs_with_a_warning() {
    let services = services();
    let (world, server) = (&services.world, &services.server);
    world.write("app", "x");
    world.write("other", "y");
    server.answer(|_| Reply::status("503 Service Unavailable"));
    let run = world.sign(&["app", "other"]).succeeds();
    assert_eq!(run.stderr.matches("nobody could say").count(), 1, "{run:#?}");
    assert!(run.stderr.contains("setup.service.answer"), "{run:#?}");
}
