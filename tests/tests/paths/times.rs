//! The chain is judged at the earliest proven time; later times at which it does not hold are named.

use countersign_core::{digest::HashAlgorithm, finding::FindingCode, report::Verdict};
use countersign_tests::forge::{NOW, Proofs, Release, TokenDraft};

fn stamped(release: &Release, signature: &[u8], gen_time: &str) -> Vec<u8> {
    let mut draft = TokenDraft::new(HashAlgorithm::Sha384, signature);
    gen_time.clone_into(&mut draft.info.gen_time);
    draft.sign(&release.stamping.leaf_key, &release.stamping.sign().leaf)
}

/// Two timestamps, an hour and ten minutes before now; the signer's certificate ends that many
/// seconds before now.
fn notes(ended_seconds_ago: i64) -> Vec<String> {
    let mut release = Release::new();
    release.signing.leaf.not_after = NOW.minus_seconds(ended_seconds_ago);
    let signature = release.signature(&release.signing.leaf_key);
    let early = stamped(&release, &signature, "20261123110000Z");
    let late = stamped(&release, &signature, "20261123115000Z");
    let off = r#","revocation":{"signer":"off","authorities":"off","timestamp_authorities":"off"}"#;
    let proofs = Proofs { rules: off.to_owned(), ..Proofs::default() };
    let report = release.verify(&release.bundle_with(&signature, &[late, early]), &proofs);
    assert_eq!(report.verdict(), Verdict::Verified, "{:?}", report.findings());
    let is_note = |code| code == FindingCode::TIMESTAMP_OUTSIDE_CHAIN;
    let named = report.findings().iter().filter(|finding| is_note(finding.code));
    named.map(|finding| finding.found.clone().unwrap_or_default()).collect()
}

#[test]
fn a_later_timestamp_outside_the_chains_validity_is_named() {
    assert_eq!(notes(1_800), ["2026-11-23T11:50:01Z"]);
}

#[test]
fn a_later_timestamp_within_the_chains_validity_is_not() {
    assert_eq!(notes(-60), Vec::<String>::new());
    assert_eq!(notes(599), Vec::<String>::new());
}
