//! Two replicas on one PostgreSQL: revocations made at either are seen at both, whichever is killed,
//! and whatever becomes of the database meanwhile.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::AtomicUsize},
    thread,
    time::{Duration, Instant},
};

use countersign_core::{
    crl::CertificateList,
    digest::HashAlgorithm,
    ocsp::{OcspResponse, OcspResponseStatus},
    x509::{Certificate, certificate::serial_text},
};
use countersign_signing::{
    ocsp::{cert_id, request},
    profile::Authority,
};
use rustls::ClientConfig;
use serde_json::json;

use crate::{
    crash::{Seen, stream},
    http::{get, send, send_tls},
    postgres::Postgres,
    program::Program,
    world::{World, serial},
};

const EACH: usize = 12;

/// A replica with an audit ledger of its own.
fn start(world: &World, name: &str) -> Program {
    let folder = world.path(&format!("audit-{name}"));
    let folder = folder.to_str().expect("UTF-8");
    Program::start_with(world, &[("COUNTERSIGN_REVOCATION_AUDIT__FOLDER", folder)])
}

fn listed(program: &Program) -> HashSet<String> {
    let reply = get(program.public, "/crl/signing.crl");
    let list = CertificateList::decode(&reply.body).expect("a CRL");
    list.entries().map(|entry| serial_text(entry.expect("good").serial)).collect()
}

fn wait(what: &str, limit: Duration, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What OCSP says to a question with a nonce, for which nothing is kept.
fn ocsp(world: &World, program: &Program, certificate: &[u8]) -> OcspResponseStatus {
    let issuer = world.ca.certificate(Authority::Signing);
    let serial = Certificate::decode(certificate).expect("a certificate").serial;
    let id = cert_id(HashAlgorithm::Sha256, issuer, serial).expect("a CertID");
    let header = ("Content-Type", "application/ocsp-request");
    let asked = request(&[&id], Some(&[7; 16]));
    let reply = send(program.public, "POST", "/ocsp", &[header], &asked);
    OcspResponse::decode(&reply.body).expect("an answer").status
}

struct Site {
    world: World,
    client: Arc<ClientConfig>,
    serials: Vec<String>,
}

/// The configuration of both, and certificates that are not registered yet.
async fn site(server: &Postgres) -> (Site, Vec<Vec<u8>>) {
    let world = World::new();
    let mut config = world.config();
    let client = world.with_admin(&mut config);
    config.database = server.database().await;
    Program::configure(&world, &config);
    let certificates: Vec<_> = (0..4 * EACH).map(|_| world.signer()).collect();
    let serials = certificates.iter().map(|der| serial(der)).collect();
    (Site { world, client, serials }, certificates)
}

#[tokio::test(flavor = "multi_thread")]
async fn either_replica_may_be_killed_and_nothing_acknowledged_is_lost() {
    let server = Postgres::start().await;
    let (site, certificates) = site(&server).await;
    let Site { world, client, serials } = &site;
    let (first, second) = (start(world, "first"), start(world, "second"));
    let reply = send_tls(first.admin, client, "POST", "/v1/certificates", &certificates.concat());
    assert_eq!(reply.expect("a reply").status, 201);
    let (seen, count) = (Seen::default(), AtomicUsize::new(0));
    let mut acknowledged: HashSet<String> = HashSet::new();
    let (killed, kept) = (first.admin, second.admin);
    thread::scope(|scope| {
        let streams: Vec<_> = serials
            .chunks(EACH)
            .enumerate()
            .map(|(number, serials)| {
                let admin = if number % 2 == 0 { killed } else { kept };
                let count = &count;
                scope.spawn(move || stream(admin, client, serials, count))
            })
            .collect();
        wait("some revocations", Duration::from_secs(30), || {
            seen.look(first.public);
            seen.look(second.public);
            count.load(std::sync::atomic::Ordering::SeqCst) >= EACH
        });
        first.kill();
        for stream in streams {
            acknowledged.extend(stream.join().expect("no panic"));
        }
    });
    // All that was asked of the one that lived, and what the other one had acknowledged.
    assert!(acknowledged.len() >= 2 * EACH);
    seen.look(second.public);
    let missing: Vec<_> = acknowledged.difference(&listed(&second)).cloned().collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    // It comes back, serves the same, and goes on.
    let first = start(world, "first");
    wait("the same list", Duration::from_secs(5), || listed(&first) == listed(&second));
    let left = serials.iter().find(|serial| !acknowledged.contains(*serial));
    if let Some(serial) = left {
        let order = json!({"issuer": "signing", "serial": serial, "reason": "superseded"});
        let body = order.to_string();
        let reply = send_tls(first.admin, client, "POST", "/v1/revocations", body.as_bytes());
        assert_eq!(reply.expect("a reply").status, 200);
        wait("the other replica", Duration::from_secs(3), || listed(&second).contains(serial));
    }
    seen.look(first.public);
    seen.look(second.public);
    first.kill();
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_gone_nothing_is_acknowledged_and_afterwards_all_goes_on() {
    let mut server = Postgres::start().await;
    let (site, certificates) = site(&server).await;
    let Site { world, client, serials } = &site;
    let program = start(world, "only");
    let send = |path: &str, body: &[u8]| {
        send_tls(program.admin, client, "POST", path, body).expect("a reply")
    };
    assert_eq!(send("/v1/certificates", &certificates.concat()).status, 201);
    let order = |serial: &String| {
        json!({"issuer": "signing", "serial": serial, "reason": "superseded"}).to_string()
    };
    assert_eq!(send("/v1/revocations", order(&serials[0]).as_bytes()).status, 200);
    let seen = Seen::default();
    let before = seen.look(program.public).expect("a CRL");
    server.stop();
    let refused = send("/v1/revocations", order(&serials[1]).as_bytes());
    assert_eq!((refused.status, refused.code().as_str()), (503, "service.storage"));
    wait("not ready", Duration::from_secs(10), || get(program.public, "/readyz").status == 503);
    // What was published goes on being served; what would have to be looked up is not called good.
    assert!(listed(&program).contains(&serials[0]));
    assert_eq!(seen.look(program.public), Some(before));
    assert_eq!(ocsp(world, &program, &certificates[1]), OcspResponseStatus::InternalError);
    server.resume().await;
    wait("ready again", Duration::from_secs(20), || get(program.public, "/readyz").status == 200);
    assert_eq!(send("/v1/revocations", order(&serials[1]).as_bytes()).status, 200);
    let list = listed(&program);
    assert!(list.contains(&serials[0]) && list.contains(&serials[1]));
    assert_eq!(list.len(), 2);
    assert!(seen.look(program.public).expect("a CRL") > before);
    assert_eq!(ocsp(world, &program, &certificates[1]), OcspResponseStatus::Successful);
    program.kill();
}
