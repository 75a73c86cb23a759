//! Envelopes with in-toto statements.

use countersign_core::{
    crypto::rustcrypto::RustCrypto,
    digest::{HashAlgorithm, digest},
};
use countersign_signing::{
    bundle::{self, Bundle, pre_authentication_encoding},
    key::Signer as _,
};

use super::{
    Case,
    private::{case, release, stamp},
    public_good::changed,
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

/// Provenance as GitHub's workflows make it.
pub const PROVENANCE_V1: &str = r#"{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"ref":"refs/tags/v1.2","repository":"https://github.com/org/app","path":".github/workflows/release.yml"}},"resolvedDependencies":[{"uri":"git+https://github.com/org/app@refs/tags/v1.2","digest":{"gitCommit":"f0b49a04e5a62250e0f60fb128004a73110fe311"}}]},"runDetails":{"builder":{"id":"https://github.com/actions/runner/github-hosted"},"metadata":{"surprise":[]}}}"#;

/// The same in the older form.
pub const PROVENANCE_V02: &str = r#"{"builder":{"id":"https://github.com/actions/runner/github-hosted"},"buildType":"https://github.com/npm/cli/gha/v2","invocation":{"configSource":{"uri":"git+https://github.com/org/app@refs/tags/v1.2","digest":{"sha1":"29cff3dd65f780c3601bd457acb6fe4e5931c825"},"entryPoint":"release"}},"materials":[{"uri":"git+https://github.com/org/app@refs/tags/v1.2"}]}"#;

/// What a policy may demand of both.
pub const EXPECTATIONS: &str = r#"{"builders":["https://github.com/actions/runner/*"],"sources":["https://github.com/org/app"],"refs":["refs/tags/v*"],"build_types":["https://actions.github.io/buildtypes/workflow/v1","https://github.com/npm/cli/gha/*"]}"#;

/// The case of provenance under a policy with those expectations.
///
/// # Panics
/// When the expectations are not JSON.
pub fn provenance_case(name: &str, version: &str, predicate: &str, expectations: &str) -> Case {
    let release = release();
    let predicate_type = format!("https://slsa.dev/provenance/{version}");
    let payload = statement("app", &right(), &predicate_type, predicate);
    let bundle = envelope(&release, bundle::IN_TOTO_PAYLOAD_TYPE, payload.as_bytes());
    let mut case = case(&format!("provenance-{name}"), &release, bundle);
    case.policy = changed(&case.policy, |policy| {
        policy["signers"][0]["provenance"] =
            serde_json::from_str(expectations).expect("expectations");
    });
    case
}

/// Changes of one fact.
fn provenance() -> Vec<Case> {
    let mut cases = Vec::new();
    let builder = r#""https://github.com/actions/runner/github-hosted""#;
    for (version, predicate) in [("v1", PROVENANCE_V1), ("v0.2", PROVENANCE_V02)] {
        let nowhere = predicate.replace("git+https", "https").replace(r#""repository""#, r#""x""#);
        let facts = [
            ("genuine", predicate.to_owned()),
            ("other-builder", predicate.replace("actions/runner/", "org/runner/")),
            ("other-source", predicate.replace("org/app", "stranger/app")),
            ("other-ref", predicate.replace("refs/tags/v1.2", "refs/heads/main")),
            ("other-build-type", predicate.replace(r#"buildType":"https"#, r#"buildType":"http"#)),
            ("no-builder", predicate.replace(r#""id""#, r#""name""#)),
            ("builder-number", predicate.replace(builder, "7")),
            ("no-source", nowhere.replace("configSource", "y")),
            ("no-object", "[]".to_owned()),
        ];
        for (name, predicate) in facts {
            let name = format!("{}-{name}", version.replace('.', ""));
            cases.push(provenance_case(&name, version, &predicate, EXPECTATIONS));
        }
    }
    cases.push(provenance_case("other-predicate", "v9", PROVENANCE_V1, EXPECTATIONS));
    cases
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
    cases.push(as_file(&release, &pre_authentication_encoding(in_toto, genuine.as_bytes())));
    cases.extend(provenance());
    cases
}

/// What is signed for a statement, signed as a file.
fn as_file(release: &Release, octets: &[u8]) -> Case {
    let signature = release.signing.leaf_key.signature(octets);
    let timestamps = [stamp(release, &signature)];
    let certificate = release.signing.sign().leaf;
    let evidence = bundle::Evidence { certificate: &certificate, timestamps: &timestamps };
    let hash = release.signing.leaf_key.scheme().hash_algorithm().expect("a hash");
    let digests = [digest(&RustCrypto, hash, octets)];
    let bundle = Bundle::message_signature(&digests[0], &signature, evidence);
    let mut case = case("statement-as-file", release, bundle.to_json().expect("JSON").into());
    case.digests = digests.to_vec();
    case.size = Some(octets.len() as u64);
    case.content = Some(octets.to_vec());
    case
}
