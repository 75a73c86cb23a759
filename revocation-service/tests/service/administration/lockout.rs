//! Who must not get in any more, or never should have: by a revoked key, a revoked certificate, a certificate
//! that ran out, a name of another kind.

use std::{fs, sync::Arc};

use countersign_core::{
    crl::RevocationReason::{CertificateHold, KeyCompromise, Superseded},
    x509::Certificate,
};
use countersign_revocation::{admin::Role, config::CompromiseScope};
use countersign_signing::profile::Authority;
use rustls::ClientConfig;
use serde_json::json;

use super::key_sha256;
use crate::world::{Running, World, openssl, text};

/// What a reader may, and the code of the refusal.
fn look(running: &Running, who: &Arc<ClientConfig>) -> Result<(), (u16, String)> {
    let reply = running.admin(who, "GET", "/v1/issuers", b"");
    if reply.status == 200 { Ok(()) } else { Err((reply.status, reply.code())) }
}

fn refused(code: &str) -> Result<(), (u16, String)> {
    Err((403, code.to_owned()))
}

/// F8: the key was in this service's own list of revoked keys, and its owner got in, since the issuer of
/// the certificate was no `[[issuer]]`.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_gets_nobody_in_whoever_issued_the_certificate() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let dave = world.with_person(&mut config, "dave", &[Role::Reader]);
    let running = world.start(config).await;
    let renewed = world.renewed_client("dave");
    for client in [&dave, &renewed] {
        assert_eq!(look(&running, client), Ok(()));
    }
    let order = json!({
        "key_sha256": key_sha256(&world.client_certificate("dave")), "reason": "keyCompromise",
        "compromised_since": world.now.to_string(),
    });
    assert_eq!(running.revoke(&admin, &order).status, 200);
    // A certificate that was never registered here, too.
    for client in [&dave, &renewed] {
        assert_eq!(look(&running, client), refused("actor.revoked"));
    }
    assert_eq!(look(&running, &admin), Ok(()));
    running.stop().await;
}

/// Where a compromise takes the named certificate alone, the key is stolen all the same; a certificate that
/// was replaced says nothing against its key.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_revoked_certificate_shares_counts_as_it_was_revoked() {
    let world = World::new();
    let delegate = world.delegate("delegate", Authority::Signing);
    let mut config = world.config_of(vec![
        world.issuer(Authority::Signing, Some(&delegate)),
        countersign_revocation::config::IssuerConfig {
            crl_url: Some(format!("{}/crl/service.crl", crate::world::BASE_URL)),
            ..world.issuer(Authority::Service, None)
        },
    ]);
    config.compromise_scope = CompromiseScope::Certificate;
    let admin = world.with_admin(&mut config);
    let dave = world.with_person(&mut config, "dave", &[Role::Reader]);
    let running = world.start(config).await;
    let renewed = world.renewed_client("dave");
    let first = world.client_certificate("dave");
    running.register(&admin, &[&first]);
    let serial = crate::world::serial(&first);
    let order = |reason: &str| {
        let since = world.now.to_string();
        json!({
            "issuer": "service", "serial": serial, "reason": reason, "compromised_since": since,
        })
    };
    assert_eq!(running.revoke(&admin, &order("superseded")).status, 200);
    assert_eq!(look(&running, &dave), refused("actor.revoked"));
    assert_eq!(look(&running, &renewed), Ok(()));
    assert_eq!(running.revoke(&admin, &order("keyCompromise")).status, 200);
    assert_eq!(look(&running, &renewed), refused("actor.revoked"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crl_of_the_clients_authority_locks_out_whom_it_lists() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    let dave = world.with_person(&mut config, "dave", &[Role::Reader]);
    let erin = world.with_person(&mut config, "erin", &[Role::Reader]);
    let (path, root_path) = (world.path("service.crl"), world.path("foreign.crl"));
    let certificate = |name: &str| world.client_certificate(name);
    let crl = |number, ago, revoked: &[(&[u8], _, _)]| {
        let this_update = world.now.minus_seconds(ago);
        world.crl_of(Authority::Service, (number, this_update), revoked)
    };
    let dates = world.now.minus_seconds(60);
    let (of_dave, of_erin) = (certificate("dave"), certificate("erin"));
    fs::write(&path, crl(1, 50, &[])).expect("written");
    config.admin_tls.as_mut().expect("TLS").client_crl = vec![path.clone()];
    let running = world.start(config.clone()).await;
    assert_eq!((look(&running, &dave), look(&running, &erin)), (Ok(()), Ok(())));

    // Read again when it changes; PEM as well.
    let write = |der: &[u8]| {
        let text = pem_rfc7468::encode_string("X509 CRL", pem_rfc7468::LineEnding::LF, der);
        fs::write(world.path("next"), text.expect("PEM")).expect("written");
        fs::rename(world.path("next"), &path).expect("renamed");
    };
    write(&crl(2, 40, &[(&*of_dave, Superseded, dates)]));
    running
        .wait("Dave to be locked out", || look(&running, &dave) == refused("actor.revoked"))
        .await;
    assert_eq!(look(&running, &erin), Ok(()));

    // Neither a forged list nor an older one lets him in again.
    let readiness = || {
        let body = crate::http::get(running.public, "/readyz").body;
        String::from_utf8(body).expect("text")
    };
    let mut damaged = crl(3, 30, &[(&*of_erin, Superseded, dates)]);
    *damaged.last_mut().expect("octets") ^= 1;
    for (bad, words) in
        [(damaged, "no certificate of client_ca signed it"), (crl(1, 50, &[]), "read before")]
    {
        write(&bad);
        running.wait(words, || readiness().contains(words)).await;
        assert_eq!(look(&running, &dave), refused("actor.revoked"));
        assert_eq!(look(&running, &erin), Ok(()));
    }
    let both = [(&*of_dave, Superseded, dates), (&*of_erin, KeyCompromise, dates)];
    write(&crl(4, 20, &both));
    running
        .wait("Erin to be locked out", || look(&running, &erin) == refused("actor.revoked"))
        .await;
    assert_eq!(look(&running, &dave), refused("actor.revoked"));
    running.stop().await;

    // A service that starts without the list would let in whom it locks out.
    let root = world.crl_of(Authority::Root, (1, world.now), &[]);
    fs::write(&root_path, root).expect("written");
    for (file, words) in [
        (world.path("missing.crl"), "missing.crl"),
        (root_path, "no certificate of client_ca signed it"),
    ] {
        config.admin_tls.as_mut().expect("TLS").client_crl = vec![file];
        let error = countersign_revocation::check(&config, &countersign_daemon::clock::SystemClock);
        let error = error.expect_err("refused").to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// D7: a shard, a list for other certificates, or one from which the entry was forgotten let in again who was locked
/// out; so did an older one after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn no_newer_list_lets_in_again_whom_it_does_not_list() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    let carol = world.with_person(&mut config, "carol", &[Role::Reader]);
    let held = world.with_person(&mut config, "held", &[Role::Reader]);
    let path = world.path("clients.crl");
    let (of_carol, of_held) = (world.client_certificate("carol"), world.client_certificate("held"));
    let at = |ago: i64| world.now.minus_seconds(ago);
    let crl = |number, ago, revoked: &[(&[u8], _, _)]| {
        world.crl_of(Authority::Service, (number, at(ago)), revoked)
    };
    let write = |der: &[u8]| {
        fs::write(world.path("next"), der).expect("written");
        fs::rename(world.path("next"), &path).expect("renamed");
    };
    let listed = (&*of_carol, KeyCompromise, at(600));
    let full = crl(2, 50, &[listed, (&*of_held, CertificateHold, at(600))]);
    write(&full);
    config.admin_tls.as_mut().expect("TLS").client_crl = vec![path.clone()];
    let running = world.start(config.clone()).await;
    for who in [&carol, &held] {
        assert_eq!(look(&running, who), refused("actor.revoked"));
    }
    let readiness = |running: &Running| {
        String::from_utf8(crate::http::get(running.public, "/readyz").body).expect("text")
    };
    let mut bad: Vec<(&str, Vec<u8>)> = crate::world::incomplete()
        .into_iter()
        // Where this authority's list is, is known from the one before.
        .filter(|(code, _)| *code != "revocation.crl.distribution-point")
        .map(|(code, extension)| {
            (code, world.crl_with(Authority::Service, (3, at(40)), &[], &[extension]))
        })
        .collect();
    let (_, elsewhere) = crate::world::incomplete().pop().expect("some");
    bad.extend([
        ("issuingDistributionPoint changed", {
            world.crl_with(Authority::Service, (3, at(40)), &[listed], &[elsewhere])
        }),
        ("lists what this one does not", crl(4, 40, &[])),
        ("lists for a graver reason", crl(5, 40, &[(&of_carol, Superseded, at(600))])),
        ("lists from an earlier date on", crl(6, 40, &[(&of_carol, KeyCompromise, at(599))])),
    ]);
    for (words, der) in &bad {
        write(der);
        running.wait(words, || readiness(&running).contains(words)).await;
        assert_eq!(look(&running, &carol), refused("actor.revoked"), "{words}");
        // What is wrong with one list is not said of the next.
        write(&full);
        running.wait("the mended file", || !readiness(&running).contains(words)).await;
    }
    // A hold may be lifted.
    write(&crl(7, 30, &[listed]));
    running.wait("the hold to be lifted", || look(&running, &held) == Ok(())).await;
    assert_eq!(look(&running, &carol), refused("actor.revoked"));
    running.stop().await;

    for (words, older) in [("read before", full), ("lists what this one does not", crl(8, 20, &[]))]
    {
        write(&older);
        let running = world.start(config.clone()).await;
        assert!(readiness(&running).contains(words), "{}", readiness(&running));
        assert_eq!(look(&running, &carol), refused("actor.revoked"));
        assert_eq!(look(&running, &held), Ok(()));
        running.stop().await;
    }
}

/// D12: who was on hold got in when the list that held them ran out; whoever delays the next one decided.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_ran_out_keeps_out_whom_it_has_on_hold() {
    let world = World::new();
    let mut config = world.config();
    let source = countersign_revocation::config::IssuerConfig {
        key: None,
        crl_upload: true,
        crl_url: Some(format!("{}/crl/service.crl", crate::world::BASE_URL)),
        ..world.issuer(Authority::Service, None)
    };
    config.issuer.push(source);
    let admin = world.with_admin(&mut config);
    let carol = world.with_person(&mut config, "carol", &[Role::Reader]);
    let running = world.start_unready(config).await;
    let of_carol = world.client_certificate("carol");
    // Whoever hands in the first list must get in.
    running.register(&admin, &[&of_carol, &world.client_certificate("admin")]);
    let hold = (&*of_carol, CertificateHold, world.now.minus_seconds(60));
    let upload = |number, now, entries: &[_]| {
        let der = world.crl_of(Authority::Service, (number, now), entries);
        running.admin(&admin, "POST", "/v1/issuers/service/crl", &der).status
    };
    assert_eq!(upload(1, world.now, &[hold]), 200);
    let ran_out = world.now.plus_seconds(31 * 86_400);
    for now in [world.now, ran_out] {
        running.set_clock(now);
        assert_eq!(look(&running, &carol), refused("actor.revoked"));
        assert_eq!(look(&running, &admin), Ok(()));
    }
    assert_eq!(upload(2, ran_out, &[]), 200);
    assert_eq!(look(&running, &carol), Ok(()));
    running.stop().await;
}

/// F9: TLS looks at the validity in the handshake, and a connection may last.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ran_out_meanwhile_is_refused() {
    let world = World::new();
    let mut config = world.config();
    let admin = world.with_admin(&mut config);
    let running = world.start(config).await;
    let der = world.client_certificate("admin");
    let not_after = Certificate::decode(&der).expect("a certificate").not_after;
    running.set_clock(not_after);
    assert_eq!(look(&running, &admin), Ok(()));
    running.set_clock(not_after.plus_seconds(1));
    assert_eq!(look(&running, &admin), refused("actor.expired"));
    running.stop().await;
}

/// F20: whoever may have a host name certified has no e-mail address by that.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_another_kind_is_nobodys() {
    let world = World::new();
    let mut config = world.config();
    world.with_admin(&mut config);
    let forged: Vec<_> = ["email", "DNS", "URI"]
        .iter()
        .map(|kind| (*kind, forged_client(&world, &format!("{kind}:admin@example.test"), 1)))
        .collect();
    let running = world.start(config).await;
    // openssl made them by its own clock, a little later than the service's.
    running.set_clock(world.now.plus_seconds(3_600));
    for (kind, client) in &forged {
        let want = if *kind == "email" { Ok(()) } else { refused("actor.unknown") };
        assert_eq!(look(&running, client), want, "{kind}");
    }
    running.stop().await;
}

/// A client certificate with that subjectAltName, whatever our CA thinks of it.
pub(crate) fn forged_client(world: &World, name: &str, days: u32) -> Arc<ClientConfig> {
    let path = |file: &str| text(&world.path(file)).to_owned();
    let extensions =
        format!("extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nsubjectAltName={name}\n");
    fs::write(world.path("forged.ext"), extensions).expect("written");
    let (key, request, certificate) = (path("forged.key"), path("forged.csr"), path("forged.pem"));
    let start = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
    openssl(&[&start[..], &["-keyout", &key, "-out", &request, "-subj", "/CN=forged"]].concat());
    let authority = path("ca/service/certificate.pem");
    let authority_key = path("ca/service/key.pem");
    let passphrase = format!("file:{}", path("passphrase"));
    openssl(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &authority,
        "-CAkey",
        &authority_key,
        "-passin",
        &passphrase,
        "-days",
        &days.to_string(),
        "-extfile",
        &path("forged.ext"),
        "-out",
        &certificate,
    ]);
    // The authority is below the root, which the service's client_ca does not have to know.
    world.client_with(&world.path("forged.pem"), &world.path("forged.key"))
}
