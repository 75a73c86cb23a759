//! The crate `sigstore-verify`: bundles under a trust root. It knows no revocation, no patterns and
//! no policy but identity and issuer; a log is demanded of it where the trust root lists one.

use std::{collections::BTreeMap, process::Command};

use countersign_core::{bundle::Bundle as OurBundle, digest::HashAlgorithm};
use countersign_tests::{
    corpus::{Case, cases},
    forge::NOW,
};
use serde_json::Value;
use sigstore_verify::{
    PublicKeyVerificationPolicy, VerificationPolicy, Verifier,
    trust_root::TrustedRoot,
    types::{Artifact, ArtifactDigest, Bundle, DerPublicKey, HashAlgorithm as TheirHash},
};

use super::{Says, compare, ours};

const PEER: &str = "sigstore-verify";

/// Set for the process that runs at the corpus's time.
const CHILD: &str = "COUNTERSIGN_TESTS_PEER";

/// What it is asked: neither revocation, nor what it takes no policy for.
fn is_asked(case: &Case) -> bool {
    // It reads one bundle in its one spelling; what stands in the place of one it is not asked.
    let areas = ["crl-", "ocsp-", "provenance-", "private-rules-", "presented-"];
    case.now == NOW && !areas.iter().any(|area| case.name.starts_with(area))
}

fn judge(case: &Case) -> Result<(), String> {
    let text =
        |octets: &[u8]| String::from_utf8(octets.to_vec()).map_err(|error| error.to_string());
    let fault = |error: &dyn std::fmt::Display| error.to_string();
    let root = TrustedRoot::from_json(&text(&case.trusted_root)?).map_err(|error| fault(&error))?;
    let bundle = Bundle::from_json(&text(&case.bundle)?).map_err(|error| fault(&error))?;
    let verifier = Verifier::new(&root).map_err(|error| fault(&error))?;
    let artifact = artifact(case).ok_or("no digest")?;
    let listed: Value = serde_json::from_slice(&case.trusted_root).expect("JSON");
    let lists = |name: &str| listed[name].as_array().is_some_and(|list| !list.is_empty());
    let outcome = if let Some(key) = &case.key {
        let mut policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.clone()));
        if !lists("tlogs") {
            policy = policy.skip_tlog_unsafe();
        }
        verifier.verify(artifact, &bundle, &policy)
    } else {
        let mut policy = expected_signer(&serde_json::from_slice(&case.policy).expect("JSON"));
        if !lists("tlogs") {
            policy = policy.skip_tlog_unsafe();
        }
        if !lists("ctlogs") {
            policy = policy.skip_sct();
        }
        verifier.verify(artifact, &bundle, &policy)
    };
    outcome.map(|_| ()).map_err(|error| fault(&error))
}

/// The file where the case has it, else the digest that the bundle wants.
fn artifact(case: &Case) -> Option<Artifact<'_>> {
    if let Some(content) = &case.content {
        return Some(Artifact::Blob(content));
    }
    let wanted = OurBundle::decode(&case.bundle).map(|bundle| bundle.artifact_algorithms());
    let wanted = wanted.unwrap_or_default();
    let fits = |each: &&countersign_core::digest::Digest| wanted.contains(&each.algorithm());
    let digest = case.digests.iter().find(fits).or_else(|| case.digests.first())?;
    let algorithm = match digest.algorithm() {
        HashAlgorithm::Sha384 => TheirHash::Sha2384,
        HashAlgorithm::Sha512 => TheirHash::Sha2512,
        HashAlgorithm::Sha1 | HashAlgorithm::Sha256 => TheirHash::Sha2256,
    };
    Some(Artifact::Digest(ArtifactDigest::new(algorithm, digest.octets().to_vec()).ok()?))
}

/// The one identity and issuer of a policy, where they are no patterns.
fn expected_signer(policy: &Value) -> VerificationPolicy {
    let signer = &policy["signers"][0];
    let exact = |name: &str| signer[name][0].as_str().filter(|text| !text.contains('*'));
    let mut expected = VerificationPolicy::any_identity();
    if let Some(identity) = exact("identities") {
        expected = expected.require_identity(identity);
    }
    if let Some(issuer) = exact("oidc_issuers") {
        expected = expected.require_issuer(issuer);
    }
    expected
}

#[test]
fn agrees_with_sigstore_verify_but_where_it_is_written() {
    if std::env::var_os(CHILD).is_some() {
        for case in cases().iter().filter(|case| is_asked(case)) {
            match judge(case) {
                Ok(()) => println!("verdict {} accepts", case.name),
                Err(error) => {
                    println!("verdict {} refuses {}", case.name, error.replace('\n', " "));
                }
            }
        }
        return;
    }
    let mut command = Command::new("faketime");
    command.arg(NOW.to_string().replace('T', " ").trim_end_matches('Z'));
    command.arg(std::env::current_exe().expect("this program"));
    let name = "sigstore::agrees_with_sigstore_verify_but_where_it_is_written";
    command.args(["--exact", name, "--nocapture"]).env(CHILD, "1").env("TZ", "UTC");
    // Nextest would otherwise be told of a test that it did not start.
    let output = command.output().expect("faketime (scripts/setup test)");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let said: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once("verdict ")?.1.split_once(' ')).collect();
    let mut pairs = Vec::new();
    for case in cases().iter().filter(|case| is_asked(case)) {
        let verdict = said.get(case.name.as_str()).unwrap_or_else(|| panic!("{text}"));
        pairs.push((case.name.clone(), ours(case), Says::of(*verdict == "accepts")));
    }
    assert!(pairs.len() > 150, "{}", pairs.len());
    // Why it refuses, for whoever has to write a reason.
    print!("{text}");
    compare(PEER, &pairs);
}
