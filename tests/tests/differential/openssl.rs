//! openssl: tokens (`ts -verify`), lists (`verify -crl_check`) and OCSP responses (`ocsp -respin`).

use std::{fs, path::Path, process::Command};

use base64ct::{Base64, Encoding};
use countersign_core::{
    bundle::Bundle,
    crypto::aws_lc::AwsLc,
    finding::Class,
    trust::TrustRoot,
    tsp::{self, Stamped},
};
use countersign_tests::{
    corpus::{Case, cases},
    forge::Release,
};
use serde_json::Value;
use tempfile::TempDir;

use super::{Says, compare, ours};

/// A folder with what openssl reads of a case.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn put(&self, name: &str, octets: &[u8]) {
        fs::write(self.folder.path().join(name), octets).expect("written");
    }

    /// Certificates as PEM.
    fn put_certificates(&self, name: &str, certificates: &[Vec<u8>]) {
        let of = |der: &Vec<u8>| {
            let text = Base64::encode_string(der);
            let lines: Vec<&str> = text
                .as_bytes()
                .chunks(64)
                .map(|line| str::from_utf8(line).expect("ASCII"))
                .collect();
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                lines.join("\n")
            )
        };
        self.put(name, certificates.iter().map(of).collect::<String>().as_bytes());
    }

    /// Whether openssl succeeds, and all that it says.
    fn openssl(&self, arguments: &[&str]) -> (bool, String) {
        let run = Command::new("openssl").args(arguments).current_dir(self.path()).output();
        let run = run.expect("openssl (scripts/setup test)");
        let text = [run.stdout, run.stderr].concat();
        (run.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The certificates of the first authority of a kind in the case's trust root, DER.
fn authority(case: &Case, kind: &str) -> Vec<Vec<u8>> {
    let root: Value = serde_json::from_slice(&case.trusted_root).expect("JSON");
    let list = root[kind][0]["certChain"]["certificates"].as_array().expect("a chain").clone();
    let raw = |each: &Value| Base64::decode_vec(each["rawBytes"].as_str().expect("base64"));
    list.iter().map(|each| raw(each).expect("base64")).collect()
}

#[test]
fn agrees_with_openssl_on_tokens_but_where_it_is_written() {
    let desk = Desk::new();
    let mut pairs = Vec::new();
    for case in cases().iter().filter(|case| case.name.starts_with("token-")) {
        let bundle = Bundle::decode(&case.bundle).expect("a bundle");
        let [token] = bundle.timestamps.as_slice() else { continue };
        let signature = bundle.content.signature();
        let trust = TrustRoot::decode(&case.trusted_root).expect("a trust root");
        let authorities = &trust.timestamp_authorities;
        let stamped = Stamped::Message(signature);
        let verified = tsp::verify(token, stamped, authorities, &AwsLc, case.now);
        let chain = authority(case, "timestampAuthorities");
        let (root, rest) = chain.split_last().expect("a root");
        desk.put("token.tsr", token);
        desk.put("data", signature);
        desk.put_certificates("root.pem", std::slice::from_ref(root));
        desk.put_certificates("untrusted.pem", rest);
        let at = Release::SIGNED.seconds().to_string();
        let (accepts, _) = desk.openssl(&[
            "ts",
            "-verify",
            "-in",
            "token.tsr",
            "-data",
            "data",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "untrusted.pem",
            "-attime",
            &at,
        ]);
        pairs.push((case.name.clone(), Says::of(verified.is_ok()), Says::of(accepts)));
    }
    assert!(pairs.len() > 40, "{}", pairs.len());
    compare("openssl-ts", &pairs);
}

#[test]
fn agrees_with_openssl_on_lists_but_where_it_is_written() {
    let desk = Desk::new();
    let mut pairs = Vec::new();
    for case in cases().iter().filter(|case| case.name.starts_with("crl-")) {
        let [list] = case.crls.as_slice() else { continue };
        let bundle = Bundle::decode(&case.bundle).expect("a bundle");
        let chain = authority(case, "certificateAuthorities");
        let (root, rest) = chain.split_last().expect("a root");
        desk.put_certificates("root.pem", std::slice::from_ref(root));
        desk.put_certificates("untrusted.pem", rest);
        desk.put_certificates("leaf.pem", &[bundle.certificate().expect("a certificate").to_vec()]);
        desk.put("list.der", list);
        let (_, _) =
            desk.openssl(&["crl", "-inform", "DER", "-in", "list.der", "-out", "list.pem"]);
        let at = case.now.seconds().to_string();
        let (accepts, _) = desk.openssl(&[
            "verify",
            "-crl_check",
            "-CRLfile",
            "list.pem",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "untrusted.pem",
            "-attime",
            &at,
            "-purpose",
            "any",
            "leaf.pem",
        ]);
        let _ = fs::remove_file(desk.path().join("list.pem"));
        pairs.push((case.name.clone(), ours(case), Says::of(accepts)));
    }
    assert!(pairs.len() > 30, "{}", pairs.len());
    compare("openssl-crl", &pairs);
}

#[test]
fn agrees_with_openssl_on_ocsp_responses_but_where_it_is_written() {
    let desk = Desk::new();
    let mut pairs = Vec::new();
    for case in cases().iter().filter(|case| case.name.starts_with("ocsp-")) {
        let [response] = case.ocsp.as_slice() else { continue };
        let bundle = Bundle::decode(&case.bundle).expect("a bundle");
        let chain = authority(case, "certificateAuthorities");
        let (root, rest) = chain.split_last().expect("a root");
        desk.put_certificates("root.pem", std::slice::from_ref(root));
        desk.put_certificates("issuer.pem", rest);
        desk.put_certificates("leaf.pem", &[bundle.certificate().expect("a certificate").to_vec()]);
        desk.put("response.der", response);
        let at = case.now.seconds().to_string();
        // The thisUpdate and nextUpdate checks of this command read the clock, which -attime does
        // not set: faketime does.
        let now = case.now.to_string().replace('T', " ");
        let run = Command::new("faketime")
            .arg(now.trim_end_matches('Z'))
            .args(["openssl", "ocsp", "-respin", "response.der", "-issuer", "issuer.pem"])
            .args(["-sha256", "-cert", "leaf.pem", "-CAfile", "root.pem"])
            .args(["-verify_other", "issuer.pem", "-no_nonce", "-attime", &at])
            .env("TZ", "UTC")
            .current_dir(desk.path())
            .output()
            .expect("faketime (scripts/setup test)");
        let text = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
        let accepts = text.contains("Response verify OK")
            && text.contains("leaf.pem: good")
            && !text.contains("WARNING");
        println!("{}: {text}", case.name);
        pairs.push((case.name.clone(), ours(case), Says::of(accepts)));
    }
    assert!(pairs.len() > 10, "{}", pairs.len());
    compare("openssl-ocsp", &pairs);
}

/// A verdict of "not checked" or "rejected" counts as a refusal; nothing else is compared.
#[test]
fn refusals_of_lists_have_a_reason_of_ours() {
    for case in cases().iter().filter(|case| case.name.starts_with("crl-")) {
        let report = case.verify(&AwsLc);
        if let Some(finding) = report.decisive() {
            assert!(matches!(finding.code.class(), Class::Danger | Class::NotChecked));
        }
    }
}
