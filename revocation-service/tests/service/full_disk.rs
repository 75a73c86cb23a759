//! A disk with no room left, under the database or under the ledger: what cannot be written is refused
//! and not done, everything that was goes on being answered, and when there is room again it goes on
//! without a restart.

use std::{fs, io::Write, path::Path, sync::Arc};

use countersign_core::{
    crl::CertificateList,
    digest::HashAlgorithm,
    ocsp::{CertificateStatus, OcspResponse},
    x509::{Certificate, certificate::serial_text},
};
use countersign_daemon::ledger::{Expectation, verify};
use countersign_signing::{
    ocsp::{cert_id, request},
    profile::Authority,
};
use rustls::ClientConfig;
use serde_json::json;

use crate::{
    http::{Reply, get, send, send_tls},
    program::Program,
    world::{World, serial, text},
};

/// Orders, until one is refused that changed nothing: what is left of a file's last page takes some.
const ORDERS: usize = 12;

struct Site {
    world: World,
    client: Arc<ClientConfig>,
    signers: Vec<Vec<u8>>,
}

impl Site {
    fn new(database: &str) -> Self {
        let world = World::new();
        let mut config = world.config();
        let client = world.with_admin(&mut config);
        config.database = world.path(database).into();
        Program::configure(&world, &config);
        let signers = (0..=ORDERS).map(|_| world.signer()).collect();
        Self { world, client, signers }
    }

    fn register(&self, program: &Program) {
        let body = self.signers.concat();
        let reply = send_tls(program.admin, &self.client, "POST", "/v1/certificates", &body);
        assert_eq!(reply.expect("a reply").status, 201);
    }

    fn revoke(&self, program: &Program, certificate: &[u8]) -> Reply {
        let serial = serial(certificate);
        let order = json!({"issuer": "signing", "serial": serial, "reason": "superseded"});
        let body = order.to_string();
        send_tls(program.admin, &self.client, "POST", "/v1/revocations", body.as_bytes())
            .expect("a reply")
    }

    /// Whether OCSP says revoked; it must answer.
    fn is_revoked(&self, program: &Program, certificate: &[u8]) -> bool {
        let issuer = self.world.ca.certificate(Authority::Signing);
        let serial = Certificate::decode(certificate).expect("a certificate").serial;
        let id = cert_id(HashAlgorithm::Sha256, issuer, serial).expect("a CertID");
        let header = ("Content-Type", "application/ocsp-request");
        // With a nonce: nothing that was kept.
        let asked = request(&[&id], Some(&[7; 16]));
        let reply = send(program.public, "POST", "/ocsp", &[header], &asked);
        let answer = OcspResponse::decode(&reply.body).expect("an answer");
        match &answer.basic.expect("an answer").responses[0].status {
            CertificateStatus::Good => false,
            CertificateStatus::Revoked { .. } => true,
            CertificateStatus::Unknown => panic!("it is registered"),
        }
    }

    /// Gives orders on a full disk, until one is refused and not done: those that were acknowledged,
    /// and the one refused.
    fn order_until_refused(&self, program: &Program, codes: &[&str]) -> (Vec<&[u8]>, &[u8]) {
        let mut acknowledged: Vec<&[u8]> = Vec::new();
        for signer in &self.signers[1..] {
            let reply = self.revoke(program, signer);
            if reply.status == 200 {
                acknowledged.push(signer);
                continue;
            }
            assert_eq!(reply.status, 503, "{reply:?}");
            let code = reply.code();
            assert!(codes.contains(&code.as_str()), "{reply:?}");
            if !self.is_revoked(program, signer) {
                return (acknowledged, signer);
            }
        }
        panic!("{ORDERS} orders were taken on a full disk");
    }

    /// All of those are revoked, in OCSP and in the CRL.
    fn all_are_revoked(&self, program: &Program, certificates: &[&[u8]]) {
        let reply = get(program.public, "/crl/signing.crl");
        assert_eq!(reply.status, 200, "{reply:?}");
        let list = CertificateList::decode(&reply.body).expect("a CRL");
        let listed: Vec<_> =
            list.entries().map(|entry| serial_text(entry.expect("good").serial)).collect();
        for certificate in certificates {
            assert!(listed.contains(&serial(certificate)), "{listed:?}");
            assert!(self.is_revoked(program, certificate));
        }
    }
}

/// Leaves no room on the disk that holds `folder`.
fn fill(folder: &Path) {
    let mut ballast = fs::File::create(folder.join("ballast")).expect("a file");
    for block in [vec![0; 65_536], vec![0; 4096], vec![0; 1]] {
        while ballast.write_all(&block).is_ok() {}
    }
}

fn make_room(folder: &Path) {
    fs::remove_file(folder.join("ballast")).expect("removed");
}

#[test]
fn without_room_for_the_database_nothing_is_acknowledged_and_answers_go_on() {
    let site = Site::new("data/revocation.db");
    let ledger = site.world.path("ledger");
    let environment = [("COUNTERSIGN_REVOCATION_AUDIT__FOLDER", text(&ledger))];
    let folder = site.world.path("data");
    let program = Program::start_on_disk(&site.world, &folder, 8192, &environment);
    site.register(&program);
    assert_eq!(site.revoke(&program, &site.signers[0]).status, 200);

    let disk = program.sees(&folder);
    fill(&disk);
    // Recorded without a new CRL is no acknowledgement either: the order is to be repeated.
    let codes = ["service.storage", "crl.not_published"];
    let (mut acknowledged, refused) = site.order_until_refused(&program, &codes);
    acknowledged.push(&site.signers[0]);
    site.all_are_revoked(&program, &acknowledged);
    assert!(!site.is_revoked(&program, refused));

    make_room(&disk);
    let reply = site.revoke(&program, refused);
    assert_eq!(reply.status, 200, "{reply:?}");
    acknowledged.push(refused);
    site.all_are_revoked(&program, &acknowledged);
    assert_eq!(get(program.public, "/readyz").status, 200);
    verify(&ledger, &Expectation::default()).expect("a whole ledger");
    program.kill();
}

#[test]
fn without_room_for_the_ledger_no_order_is_carried_out_and_answers_go_on() {
    let site = Site::new("revocation.db");
    let ledger = site.world.path("ledger");
    let environment = [("COUNTERSIGN_REVOCATION_AUDIT__FOLDER", text(&ledger))];
    let program = Program::start_on_disk(&site.world, &ledger, 1024, &environment);
    site.register(&program);
    assert_eq!(site.revoke(&program, &site.signers[0]).status, 200);

    let disk = program.sees(&ledger);
    fill(&disk);
    let (mut acknowledged, refused) = site.order_until_refused(&program, &["service.audit"]);
    acknowledged.push(&site.signers[0]);
    site.all_are_revoked(&program, &acknowledged);
    let ready = get(program.public, "/readyz");
    assert_eq!(ready.status, 200, "{ready:?}");
    let checks = ready.json()["checks"].clone();
    let audit = checks.as_array().expect("checks").iter().find(|check| check["name"] == "audit");
    assert_eq!(audit.expect("the notice")["ready"], false);

    make_room(&disk);
    let reply = site.revoke(&program, refused);
    assert_eq!(reply.status, 200, "{reply:?}");
    acknowledged.push(refused);
    site.all_are_revoked(&program, &acknowledged);
    verify(&disk, &Expectation::default()).expect("a whole ledger");
    program.kill();
}
