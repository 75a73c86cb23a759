//! `revocation register`: certificates that were issued, releases that were signed.

use std::path::Path;

use base64ct::{Base64, Encoding};
use countersign_core::{
    bundle::Bundle,
    cms::SignedData,
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest, encode_hex},
    finding::{FindingCode, quoted},
    time::UnixSeconds,
    tsp::{self, TstInfo},
    x509::Certificate,
};
use serde_json::{Value, json};

use super::{admin::Admin, ca_issue::malformed};
use crate::{
    arguments::RevocationRegisterArguments,
    failure::{Outcome, path_text},
    input,
    output::{Answer, Words},
    session::Session,
};

/// Makes certificates known to the service.
pub(super) fn run(arguments: &RevocationRegisterArguments, session: &Session) -> Outcome<Answer> {
    let admin = Admin::open(&arguments.admin, session)?;
    let mut text = String::new();
    let (mut registered, mut failed) = (Vec::new(), Vec::new());
    let mut worst: Option<FindingCode> = None;
    // One that is refused keeps no other from being registered.
    for path in &arguments.certificates {
        match register_one(path, &admin) {
            Ok(done) => {
                for each in done["certificates"].as_array().into_iter().flatten() {
                    let said = |name: &str| quoted(each[name].as_str().unwrap_or("?").to_owned());
                    let (issuer, serial) = (said("issuer"), said("serial"));
                    text.add(format_args!("{issuer} {serial}: {}\n", outcome(&each["outcome"])));
                    registered.push(each.clone());
                }
            }
            Err(failure) => {
                let finding = failure.finding();
                let graver = worst.is_none_or(|worst| finding.code.rank() < worst.rank());
                worst = if graver { Some(finding.code) } else { worst };
                text.add(format_args!("{}: {failure}\n", path_text(path)));
                failed.push(json!({ "file": path_text(path), "error": finding }));
            }
        }
    }
    let mut releases = Vec::new();
    for path in &arguments.bundle {
        match register_release(path, &admin) {
            Ok(done) => {
                let said = |value: &Value| quoted(value.as_str().unwrap_or("?").to_owned());
                let name = said(&done["release"]["name"]);
                text.add(format_args!("{name}: {}\n", outcome(&done["outcome"])));
                releases.push(done);
            }
            Err(failure) => {
                let finding = failure.finding();
                let graver = worst.is_none_or(|worst| finding.code.rank() < worst.rank());
                worst = if graver { Some(finding.code) } else { worst };
                text.add(format_args!("{}: {failure}\n", path_text(path)));
                failed.push(json!({ "file": path_text(path), "error": finding }));
            }
        }
    }
    let result = json!({ "certificates": registered, "releases": releases, "failed": failed });
    let mut answer = Answer::new(text, &result)?;
    answer.exit_code = worst.map_or(0, FindingCode::exit_code);
    Ok(answer)
}

/// What the service says became of it, in words: `known` alone would not say to whom.
fn outcome(said: &Value) -> String {
    match said.as_str().unwrap_or("?") {
        "known" => "already registered".to_owned(),
        other => quoted(other.to_owned()),
    }
}

fn register_one(path: &Path, admin: &Admin) -> Outcome<Value> {
    let certificate = input::certificate(path)?;
    Certificate::decode(&certificate).map_err(|error| malformed(path, &error.to_string()))?;
    admin.post("/v1/certificates", "application/pkix-cert", &certificate)
}

/// What was signed, with which certificate and when: asked for when the key turns out to be
/// compromised.
fn register_release(path: &Path, admin: &Admin<'_>) -> Outcome<Value> {
    let octets = input::bundle(path)?;
    let bundle = Bundle::decode(&octets)?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let file = file.unwrap_or_default();
    let mut release = json!({
        "bundle_sha256": encode_hex(digest(&AwsLc, HashAlgorithm::Sha256, &octets).octets()),
        "name": file.strip_suffix(".sigstore.json").unwrap_or(&file),
        "certificate": Base64::encode_string(input::signer_certificate(&bundle, path)?),
    });
    if let Some(signed_at) = signed_at(&bundle) {
        release["signed_at"] = json!(signed_at);
    }
    admin.post("/v1/releases", "application/json", &serde_json::to_vec(&release)?)
}

/// The latest time that a timestamp in the bundle says, by its own word: whoever registers has
/// verified what they signed.
fn signed_at(bundle: &Bundle) -> Option<UnixSeconds> {
    let times = bundle.timestamps.iter().filter_map(|timestamp| {
        let signed = SignedData::decode(tsp::token(timestamp).ok()?).ok()?;
        TstInfo::decode(signed.content).ok().map(|info| info.latest())
    });
    times.max()
}
