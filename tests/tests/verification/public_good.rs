//! Bundles that are really out there, under the trust roots that they were made for. Where they
//! come from says `tests/data/public-good/README.md`.

use countersign_core::{
    bundle::{Bundle, Content},
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    finding::FindingCode,
    report::{Outcome, Question, Report, Verdict},
};
use countersign_tests::corpus::{
    Case,
    public_good::{
        CONDA, COSIGN, GITHUB, Known, NO_CHECKPOINT, NPM, OTHER_CERTIFICATE_LOG, PUBLISHED,
        Published, STAGING_ENVELOPE, STAGING_MESSAGE, WHEEL, changed, read,
    },
};
use serde_json::{Value, json};

fn verify(published: &Published) -> Report {
    published.case("").verify(&AwsLc)
}

fn verify_as(published: &Published, change: impl FnOnce(&mut Case)) -> Report {
    let mut case = published.case("");
    change(&mut case);
    case.verify(&AwsLc)
}

/// The same with one change to the bundle.
fn verify_bundle(published: &Published, change: impl FnOnce(&mut Value)) -> Report {
    verify_as(published, |case| case.bundle = changed(&case.bundle, change))
}

/// The same with one change to the trust root.
fn verify_under(published: &Published, change: impl FnOnce(&mut Value)) -> Report {
    verify_as(published, |case| case.trusted_root = changed(&case.trusted_root, change))
}

/// The same with one change to the policy.
fn verify_by(published: &Published, change: impl FnOnce(&mut Value)) -> Report {
    verify_as(published, |case| case.policy = changed(&case.policy, change))
}

#[track_caller]
fn assert_code(report: &Report, code: FindingCode) {
    let decisive = report.decisive().map(|finding| finding.code);
    assert_eq!(decisive, Some(code), "{:#?}", report.findings());
}

#[test]
fn real_bundles_verify() {
    for (name, published) in PUBLISHED {
        for crypto in [&AwsLc as &dyn CryptoProvider, &RustCrypto] {
            let report = published.case(name).verify(crypto);
            assert_eq!(report.verdict(), Verdict::Verified, "{name}: {:#?}", report.findings());
            let logged =
                report.checks.iter().find(|each| each.question == Question::PubliclyLogged);
            let expected =
                if published.issuer.is_some() { Outcome::Passed } else { Outcome::NotRequired };
            assert_eq!(logged.map(|check| check.outcome), Some(expected), "{name}");
            assert!(report.signed_by().is_some());
        }
    }
}

#[test]
fn kinds_of_entries_and_bundles_are_all_among_them() {
    let mut kinds: Vec<String> = PUBLISHED
        .iter()
        .filter(|(_, published)| published.issuer.is_some())
        .map(|(_, published)| {
            let bundle = Bundle::decode(&read(published.bundle)).expect("a bundle");
            let entry = bundle.log_entries.first().expect("an entry");
            let content = match bundle.content {
                Content::MessageSignature { .. } => "message",
                Content::Envelope(_) => "envelope",
            };
            format!("{} {} {content}", entry.kind, entry.version)
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "dsse 0.0.1 envelope",
            "hashedrekord 0.0.1 message",
            "hashedrekord 0.0.2 envelope",
            "hashedrekord 0.0.2 message",
            "intoto 0.0.2 envelope",
        ]
    );
}

#[test]
fn strangers_and_other_files_are_refused() {
    for (name, published) in PUBLISHED {
        let stranger = Published { identity: "stranger@example.com", ..published.clone() };
        assert_code(&verify(&stranger), FindingCode::CERTIFICATE_UNEXPECTED_IDENTITY);
        let provider = Published { issuer: Some("https://login.example"), ..published.clone() };
        assert_code(&verify(&provider), FindingCode::CERTIFICATE_UNEXPECTED_OIDC_ISSUER);
        let other = Published { artifact: Known::File("trusted_root.json"), ..published.clone() };
        let report = verify(&other);
        let code = report.decisive().map(|finding| finding.code);
        assert!(
            matches!(code, Some(FindingCode::CONTENT_MISMATCH | FindingCode::CONTENT_OTHER_FILE)),
            "{name}: {:#?}",
            report.findings()
        );
    }
}

#[test]
fn another_bundles_entry_is_refused() {
    for (published, other) in [(COSIGN, WHEEL), (CONDA, NPM), (STAGING_MESSAGE, STAGING_ENVELOPE)] {
        let other: Value = serde_json::from_slice(&read(other.bundle)).expect("JSON");
        let report = verify_bundle(&published, |bundle| {
            bundle["verificationMaterial"]["tlogEntries"] =
                other["verificationMaterial"]["tlogEntries"].clone();
        });
        assert_code(&report, FindingCode::LOG_ENTRY_MISMATCH);
    }
}

#[test]
fn the_logs_time_counts_only_with_its_promise() {
    // v0.1 to v0.3 without a timestamp: the promise is the proven time.
    for published in [CONDA, NPM, WHEEL] {
        let report = verify_bundle(&published, |bundle| {
            let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
            entry.as_object_mut().expect("an entry").remove("inclusionPromise");
        });
        assert_code(&report, FindingCode::TIMESTAMP_ABSENT);
    }
}

#[test]
fn a_proof_without_a_checkpoint_is_refused_from_version_0_2_on() {
    assert_code(&verify(&NO_CHECKPOINT), FindingCode::LOG_PROOF_ABSENT);
}

#[test]
fn the_certificate_logs_timestamp_is_checked() {
    let without_key = verify_under(&COSIGN, |root| {
        // The name of the right log with the key of another.
        root["ctlogs"][1]["publicKey"]["rawBytes"] =
            root["ctlogs"][0]["publicKey"]["rawBytes"].clone();
    });
    assert_code(&without_key, FindingCode::SCT_INVALID);
    let other_log = verify_under(&COSIGN, |root| {
        root["ctlogs"].as_array_mut().expect("logs").remove(1);
    });
    assert_code(&other_log, FindingCode::SCT_LOG_NOT_TRUSTED);
    let closed = verify_under(&COSIGN, |root| {
        root["ctlogs"][1]["publicKey"]["validFor"]["end"] = json!("2023-01-01T00:00:00Z");
    });
    assert_code(&closed, FindingCode::SCT_WINDOW);

    // GitHub's own instance has no certificate log.
    let report =
        verify_by(&GITHUB, |policy| policy["certificate_transparency"] = json!("required"));
    assert_code(&report, FindingCode::SCT_ABSENT);
    let report = verify_by(&GITHUB, |policy| {
        policy["certificate_transparency"] = json!("off");
        policy["transparency"] = json!("required");
    });
    assert_code(&report, FindingCode::LOG_ENTRY_ABSENT);
}

#[test]
fn a_trust_root_with_another_certificate_log_key_is_refused() {
    let report = verify(&OTHER_CERTIFICATE_LOG);
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
    for published in [COSIGN, STAGING_MESSAGE] {
        let report = verify_under(&published, closed("2024-01-01T00:00:00Z"));
        assert_code(&report, FindingCode::LOG_WINDOW);
    }
    let report = verify_under(&STAGING_MESSAGE, |root| {
        root["tlogs"].as_array_mut().expect("logs").truncate(1);
    });
    assert_code(&report, FindingCode::LOG_NOT_TRUSTED);
}
