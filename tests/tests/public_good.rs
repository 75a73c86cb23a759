//! Bundles that are really out there, under the trust roots that they were made for. Where they
//! come from says `tests/data/public-good/README.md`.

use std::{fs, path::PathBuf};

use countersign_core::{
    Artifact, Evidence,
    bundle::Bundle,
    bundle::Content,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{Digest, HashAlgorithm, digest},
    finding::FindingCode,
    policy::Policy,
    report::{Outcome, Question, Report, Verdict},
    trust::TrustRoot,
    verify,
};
use countersign_tests::world::NOW;
use serde_json::{Value, json};

const ACTIONS: &str = "https://token.actions.githubusercontent.com";
const GITHUB_LOGIN: &str = "https://github.com/login/oauth";

fn read(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/public-good").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One bundle with everything that it is verified against.
#[derive(Clone)]
struct Case {
    bundle: &'static str,
    root: &'static str,
    identity: &'static str,
    issuer: Option<&'static str>,
    /// The file, or else its digest.
    artifact: Known,
}

#[derive(Clone, Copy)]
enum Known {
    File(&'static str),
    Digest(&'static str),
}

const COSIGN: Case = Case {
    bundle: "cosign-v3-blob.sigstore.json",
    root: "trusted_root.json",
    identity: "w.vollprecht@gmail.com",
    issuer: Some(GITHUB_LOGIN),
    artifact: Known::File("cosign-v3-blob.txt"),
};

const CONDA: Case = Case {
    bundle: "conda-attestation.sigstore.json",
    root: "trusted_root.json",
    identity: "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main",
    issuer: Some(ACTIONS),
    artifact: Known::File("signed-package-2.1.0-hb0f4dca_0.conda"),
};

const NPM: Case = Case {
    bundle: "sigstore.js@2.0.0-provenance.sigstore.json",
    root: "trusted_root.json",
    identity: "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
    issuer: Some(ACTIONS),
    artifact: Known::Digest(
        "sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c",
    ),
};

const WHEEL: Case = Case {
    bundle: "rfc8785-wheel-v0.2.sigstore",
    root: "trusted_root.json",
    identity: "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/*",
    issuer: Some(ACTIONS),
    artifact: Known::Digest(
        "sha256:c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201",
    ),
};

const STAGING_MESSAGE: Case = Case {
    bundle: "staging-rekor-v2.txt.sigstore.json",
    root: "staging_trusted_root.json",
    identity: "jku@goto.fi",
    issuer: Some(GITHUB_LOGIN),
    artifact: Known::File("staging-rekor-v2.txt"),
};

const STAGING_ENVELOPE: Case = Case {
    bundle: "a.dsse.staging-rekor-v2.txt.sigstore.json",
    root: "staging_trusted_root.json",
    identity: "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main",
    issuer: Some(ACTIONS),
    artifact: Known::Digest(
        "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf",
    ),
};

const GITHUB: Case = Case {
    bundle: "github-private-attestation.sigstore.json",
    root: "github_trusted_root.json",
    identity: "https://dotcom.releases.github.com",
    issuer: None,
    artifact: Known::Digest(
        "sha256:76f1fe8593bf227cca2c089e3c16dc95014a8d3e89c5dd220530469ca043c428",
    ),
};

impl Case {
    fn policy(&self) -> Value {
        json!({
            "version": 1,
            "signers": [{
                "files": ["**"],
                "identities": [self.identity],
                "oidc_issuers": self.issuer.iter().collect::<Vec<_>>(),
            }],
            "revocation": { "signer": "off", "authorities": "off", "timestamp_authorities": "off" },
        })
    }

    fn digests(&self) -> Vec<Digest> {
        match self.artifact {
            Known::File(name) => {
                let file = read(name);
                HashAlgorithm::STRONG.map(|algorithm| digest(&AwsLc, algorithm, &file)).to_vec()
            }
            Known::Digest(text) => vec![Digest::parse(text).expect("a digest")],
        }
    }

    fn verify(&self) -> Report {
        self.verify_as(&read(self.bundle), &read(self.root), &self.policy(), &AwsLc)
    }

    fn verify_as(
        &self,
        bundle: &[u8],
        root: &[u8],
        policy: &Value,
        crypto: &dyn CryptoProvider,
    ) -> Report {
        let digests = self.digests();
        let evidence = Evidence {
            artifact: Artifact { name: None, size: None, digests: &digests },
            bundle,
            crls: &[],
            ocsp_responses: &[],
        };
        let root = TrustRoot::decode(root).unwrap_or_else(|fault| panic!("{fault:?}"));
        let policy = Policy::decode(policy.to_string().as_bytes()).expect("a policy");
        verify(&evidence, &root, &policy, crypto, NOW)
    }

    /// The same with one change to the trust root.
    fn verify_under(&self, change: impl FnOnce(&mut Value)) -> Report {
        let mut root: Value = serde_json::from_slice(&read(self.root)).expect("JSON");
        change(&mut root);
        let root = root.to_string().into_bytes();
        self.verify_as(&read(self.bundle), &root, &self.policy(), &AwsLc)
    }
}

#[track_caller]
fn assert_code(report: &Report, code: FindingCode) {
    let decisive = report.decisive().map(|finding| finding.code);
    assert_eq!(decisive, Some(code), "{:#?}", report.findings());
}

#[test]
fn real_bundles_verify() {
    for case in [COSIGN, CONDA, NPM, WHEEL, STAGING_MESSAGE, STAGING_ENVELOPE, GITHUB] {
        let bundle = read(case.bundle);
        for crypto in [&AwsLc as &dyn CryptoProvider, &RustCrypto] {
            let report = case.verify_as(&bundle, &read(case.root), &case.policy(), crypto);
            assert_eq!(
                report.verdict(),
                Verdict::Verified,
                "{}: {:#?}",
                case.bundle,
                report.findings()
            );
            let logged =
                report.checks.iter().find(|each| each.question == Question::PubliclyLogged);
            let expected =
                if case.issuer.is_some() { Outcome::Passed } else { Outcome::NotRequired };
            assert_eq!(logged.map(|check| check.outcome), Some(expected), "{}", case.bundle);
            assert!(report.signed_by().is_some());
        }
    }
}

#[test]
fn kinds_of_entries_and_bundles_are_all_among_them() {
    let kinds: Vec<(String, String)> =
        [COSIGN, CONDA, NPM, STAGING_MESSAGE, STAGING_ENVELOPE, WHEEL]
            .iter()
            .map(|case| {
                let bundle = Bundle::decode(&read(case.bundle)).expect("a bundle");
                let entry = bundle.log_entries.first().expect("an entry");
                let content = match bundle.content {
                    Content::MessageSignature { .. } => "message",
                    Content::Envelope(_) => "envelope",
                };
                (format!("{} {}", entry.kind, entry.version), content.to_owned())
            })
            .collect();
    let kinds: Vec<(&str, &str)> =
        kinds.iter().map(|(kind, content)| (kind.as_str(), content.as_str())).collect();
    assert_eq!(
        kinds,
        [
            ("hashedrekord 0.0.1", "message"),
            ("dsse 0.0.1", "envelope"),
            ("intoto 0.0.2", "envelope"),
            ("hashedrekord 0.0.2", "message"),
            ("hashedrekord 0.0.2", "envelope"),
            ("hashedrekord 0.0.1", "message"),
        ]
    );
}

#[test]
fn strangers_and_other_files_are_refused() {
    for case in [COSIGN, CONDA, NPM, WHEEL, STAGING_MESSAGE, STAGING_ENVELOPE, GITHUB] {
        let stranger = Case { identity: "stranger@example.com", ..case.clone() };
        assert_code(&stranger.verify(), FindingCode::CertificateUnexpectedIdentity);
        let provider = Case { issuer: Some("https://login.example"), ..case.clone() };
        assert_code(&provider.verify(), FindingCode::CertificateUnexpectedOidcIssuer);
        let other = Case { artifact: Known::File("trusted_root.json"), ..case.clone() };
        let report = other.verify();
        let code = report.decisive().map(|finding| finding.code);
        assert!(
            matches!(code, Some(FindingCode::ContentMismatch | FindingCode::ContentOtherFile)),
            "{}: {:#?}",
            case.bundle,
            report.findings()
        );
    }
}

#[test]
fn another_bundles_entry_is_refused() {
    for (case, other) in [(COSIGN, WHEEL), (CONDA, NPM), (STAGING_MESSAGE, STAGING_ENVELOPE)] {
        let mut bundle: Value = serde_json::from_slice(&read(case.bundle)).expect("JSON");
        let other: Value = serde_json::from_slice(&read(other.bundle)).expect("JSON");
        bundle["verificationMaterial"]["tlogEntries"] =
            other["verificationMaterial"]["tlogEntries"].clone();
        let bundle = bundle.to_string().into_bytes();
        let report = case.verify_as(&bundle, &read(case.root), &case.policy(), &AwsLc);
        assert_code(&report, FindingCode::LogEntryMismatch);
    }
}

#[test]
fn the_logs_time_counts_only_with_its_promise() {
    // v0.1 to v0.3 without a timestamp: the promise is the proven time.
    for case in [CONDA, NPM, WHEEL] {
        let mut bundle: Value = serde_json::from_slice(&read(case.bundle)).expect("JSON");
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry.as_object_mut().expect("an entry").remove("inclusionPromise");
        let bundle = bundle.to_string().into_bytes();
        let report = case.verify_as(&bundle, &read(case.root), &case.policy(), &AwsLc);
        assert_code(&report, FindingCode::TimestampAbsent);
    }
}

#[test]
fn a_proof_without_a_checkpoint_is_refused_from_version_0_2_on() {
    let case = Case {
        bundle: "bundle_no_checkpoint.txt.sigstore",
        root: "staging_trusted_root.json",
        identity: "william@yossarian.net",
        issuer: Some(GITHUB_LOGIN),
        artifact: Known::Digest(
            "sha256:802dd60ff88333802f2585e73043bd21c341285e1992fe5b31755e1cadeae30e",
        ),
    };
    assert_code(&case.verify(), FindingCode::LogProofAbsent);
}

#[test]
fn the_certificate_logs_timestamp_is_checked() {
    let without_key = COSIGN.verify_under(|root| {
        // The name of the right log with the key of another.
        root["ctlogs"][1]["publicKey"]["rawBytes"] =
            root["ctlogs"][0]["publicKey"]["rawBytes"].clone();
    });
    assert_code(&without_key, FindingCode::SctInvalid);
    let other_log = COSIGN.verify_under(|root| {
        root["ctlogs"].as_array_mut().expect("logs").remove(1);
    });
    assert_code(&other_log, FindingCode::SctLogNotTrusted);
    let closed = COSIGN.verify_under(|root| {
        root["ctlogs"][1]["publicKey"]["validFor"]["end"] = json!("2023-01-01T00:00:00Z");
    });
    assert_code(&closed, FindingCode::SctWindow);

    // GitHub's own instance has no certificate log.
    let mut policy = GITHUB.policy();
    policy["certificate_transparency"] = json!("required");
    let report = GITHUB.verify_as(&read(GITHUB.bundle), &read(GITHUB.root), &policy, &AwsLc);
    assert_code(&report, FindingCode::SctAbsent);
    policy["certificate_transparency"] = json!("off");
    policy["transparency"] = json!("required");
    let report = GITHUB.verify_as(&read(GITHUB.bundle), &read(GITHUB.root), &policy, &AwsLc);
    assert_code(&report, FindingCode::LogEntryAbsent);
}

#[test]
fn a_trust_root_with_another_certificate_log_key_is_refused() {
    let case = Case {
        bundle: "invalid-ct-key/bundle.sigstore.json",
        root: "invalid-ct-key/trusted_root.json",
        identity: STAGING_ENVELOPE.identity,
        issuer: Some(ACTIONS),
        artifact: Known::Digest(
            "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf",
        ),
    };
    let report = case.verify();
    let code = report.decisive().map(|finding| finding.code.code());
    assert!(code.is_some_and(|code| code.starts_with("certificate.sct.")), "{report:#?}");
}

#[test]
fn the_logs_window_is_enforced() {
    let closed = |end: &'static str| {
        move |root: &mut Value| {
            for log in root["tlogs"].as_array_mut().expect("logs") {
                log["publicKey"]["validFor"]["end"] = json!(end);
            }
        }
    };
    for case in [COSIGN, STAGING_MESSAGE] {
        let report = case.verify_under(closed("2024-01-01T00:00:00Z"));
        assert_code(&report, FindingCode::LogWindow);
    }
    let report = STAGING_MESSAGE.verify_under(|root| {
        root["tlogs"].as_array_mut().expect("logs").truncate(1);
    });
    assert_code(&report, FindingCode::LogNotTrusted);
}
