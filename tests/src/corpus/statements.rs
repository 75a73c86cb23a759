//! Envelopes with in-toto statements.

use countersign_core::digest::HashAlgorithm;
use countersign_signing::bundle::{self, Bundle, pre_authentication_encoding};

use super::{
    Case,
    private::{case, release, stamp},
};
use crate::forge::Release;

/// An envelope around `payload`, rightly signed and stamped.
pub(super) fn envelope(release: &Release, payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let signed = pre_authentication_encoding(payload_type, payload);
    sealed(release, payload_type, payload, &signed)
}

/// An envelope whose signature is over `signed`.
fn sealed(release: &Release, payload_type: &str, payload: &[u8], signed: &[u8]) -> Vec<u8> {
    let signature = release.signing.leaf_key.signature(signed);
    let timestamps = [stamp(release, &signature)];
    let certificate = release.signing.sign().leaf;
    let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
    Bundle::dsse(payload_type, payload, &signature, evidence).to_json().expect("JSON").into()
}

/// A statement about a file of that name and SHA-256, with that predicate.
pub(super) fn statement(name: &str, sha256: &str, predicate_type: &str, predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"{predicate_type}","predicate":{predicate},"subject":[{{"name":"{name}","digest":{{"sha256":"{sha256}"}}}}]}}"#
    )
}

/// The file's SHA-256.
pub(super) fn right() -> String {
    let digests = Release::digests();
    let sha256 = digests.iter().find(|each| each.algorithm() == HashAlgorithm::Sha256);
    sha256.expect("a SHA-256").hex()
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let release = release();
    let (right, wrong) = (right(), "00".repeat(32));
    let of = |name: &str, digest: &str| statement(name, digest, "https://example.com/p", "{}");
    let genuine = of("app", &right);
    let in_toto = bundle::IN_TOTO_PAYLOAD_TYPE;
    let payloads: [(&str, String); 10] = [
        ("genuine", genuine.clone()),
        ("other-digest", of("app", &wrong)),
        ("other-name", of("lib", &right)),
        ("other-file", of("lib", &wrong)),
        ("short-digest", of("app", "00")),
        ("no-subject", genuine.replace("\"subject\":[", "\"subject\":[],\"x\":[")),
        ("other-type", genuine.replace("Statement/v1", "Statement/v9")),
        ("repeated-key", genuine.replacen('{', r#"{"_type":"x","#, 1)),
        ("sha1-only", genuine.replace("sha256", "sha1")),
        ("no-json", "a letter".to_owned()),
    ];
    let mut cases: Vec<Case> = payloads
        .iter()
        .map(|(name, payload)| {
            let bundle = envelope(&release, in_toto, payload.as_bytes());
            case(&format!("statement-{name}"), &release, bundle)
        })
        .collect();
    let text = envelope(&release, "text/plain", genuine.as_bytes());
    cases.push(case("statement-as-text", &release, text));
    let bare = sealed(&release, in_toto, genuine.as_bytes(), genuine.as_bytes());
    cases.push(case("statement-signed-bare", &release, bare));
    let elsewhere = pre_authentication_encoding("text/plain", genuine.as_bytes());
    let elsewhere = sealed(&release, in_toto, genuine.as_bytes(), &elsewhere);
    cases.push(case("statement-signed-as-text", &release, elsewhere));
    cases
}
