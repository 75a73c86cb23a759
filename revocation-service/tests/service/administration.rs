//! Administration by several people: roles, two pairs of eyes, keys, releases, streams, import and
//! export, repeated requests, and the audit record of it all.

mod access;
mod compromise;
mod compromise_on_record;
mod import;
mod import_as_a_whole;
mod keys;
mod lockout;
mod outdated;
mod pages;
mod record;
mod renamed;
mod stream;
mod two_people;
mod waiting;

pub(crate) use lockout::forged_client;

use std::sync::Arc;

use countersign_core::x509::Certificate;
use countersign_daemon::ledger::{Expectation, verify};
use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::{
    http::Reply,
    world::{Running, World, serial},
};

/// An order against a certificate of the signing CA.
pub(crate) fn order(der: &[u8], reason: &str, more: &Value) -> Value {
    let mut order = json!({ "issuer": "signing", "serial": serial(der), "reason": reason });
    for (name, value) in more.as_object().expect("an object") {
        order[name] = value.clone();
    }
    order
}

/// SHA-256 of a certificate's `SubjectPublicKeyInfo`, hexadecimal.
pub(crate) fn key_sha256(der: &[u8]) -> String {
    sha256_hex(Certificate::decode(der).expect("a certificate").public_key.raw)
}

fn sha256_hex(octets: &[u8]) -> String {
    let digest = countersign_core::digest::digest(
        &countersign_core::crypto::aws_lc::AwsLc,
        countersign_core::digest::HashAlgorithm::Sha256,
        octets,
    );
    countersign_core::digest::encode_hex(digest.octets())
}

/// What whoever was shown a proposal decides on it.
pub(crate) fn decision(proposal: &Value, comment: &str) -> Value {
    json!({ "proposal_sha256": proposal["proposal_sha256"], "comment": comment })
}

fn post(running: &Running, client: &Arc<ClientConfig>, path: &str, body: &Value) -> Reply {
    running.admin(client, "POST", path, body.to_string().as_bytes())
}

/// Kind and record of each line of the ledger beside the database, which is whole.
fn ledger(world: &World) -> Vec<(String, Value)> {
    let folder = world.path("revocation.db.audit");
    verify(&folder, &Expectation::default()).expect("whole");
    let texts = countersign_ledger::texts(&folder).expect("whole");
    texts
        .iter()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            (line["kind"].as_str().expect("a kind").to_owned(), line["record"].take())
        })
        .collect()
}
