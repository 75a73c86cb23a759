//! Delta CRLs (RFC 5280 §5.2.4).

use countersign_core::{crl::RevocationReason, finding::FindingCode, oid};
use countersign_signing::der::{
    self,
    Criticality::{Critical, NonCritical},
};
use countersign_tests::forge::{CrlDraft, ExtensionDraft, ForgeKey, name};

use super::scene::{Scene, unknown};

#[test]
fn lays_a_right_delta_over_its_base() {
    let scene = Scene::new();
    for base in [9, 10] {
        let delta = scene.delta(base).revoking(scene.entry(RevocationReason::KeyCompromise));
        let outcome = scene.with_lists(&[scene.list(), delta]);
        assert_eq!(outcome, Err(FindingCode::REVOKED), "on base {base}");
    }
    let held = scene.list().revoking(scene.entry(RevocationReason::CertificateHold));
    let lifted = scene.delta(10).revoking(scene.entry(RevocationReason::RemoveFromCrl));
    assert_eq!(scene.with_lists(&[held, lifted]), Ok(()));
}

#[test]
fn does_not_use_a_delta_that_is_not_for_its_base() {
    let scene = Scene::new();
    let revoking = |delta: CrlDraft| delta.revoking(scene.entry(RevocationReason::KeyCompromise));
    let number =
        |number| ExtensionDraft::new(oid::CE_CRL_NUMBER, NonCritical, der::integer(number));
    let another = CrlDraft::point("http://revocation.example/crl/another.crl", &[]);
    let deltas = [
        ("a base that comes later", revoking(scene.delta(11))),
        ("not newer than the base", revoking(scene.delta(9)).with(number(10))),
        ("older than the base", revoking(scene.delta(8)).with(number(9))),
        ("another scope", revoking(scene.delta(10)).with(another)),
        ("another issuer", {
            let mut delta = revoking(scene.delta(10));
            delta.issuer = name("somebody else");
            delta
        }),
    ];
    for (what, delta) in deltas {
        assert_eq!(scene.with_lists(&[scene.list(), delta]), Ok(()), "{what}");
    }
    let stranger = revoking(scene.delta(10)).sign(&ForgeKey::p384("a stranger"));
    let base = scene.list().sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[base, stranger], &[]), Ok(()), "another's signature");
}

#[test]
fn a_delta_alone_is_no_evidence() {
    let scene = Scene::new();
    let outcome = scene.with_lists(&[scene.delta(10)]);
    assert_eq!(outcome, Err(FindingCode::CRL_SCOPE));
}

#[test]
fn a_delta_with_an_unknown_critical_extension_is_not_passed_over() {
    let scene = Scene::new();
    let outcome = scene.with_lists(&[scene.list(), scene.delta(10).with(unknown(Critical))]);
    assert_eq!(outcome, Err(FindingCode::CRL_EXTENSION));
}

#[test]
fn a_delta_lifts_nothing_but_a_suspension() {
    // §5.3.1: removeFromCRL also stands for a certificate that expired; its revocation stands.
    let scene = Scene::new();
    let revoked = scene.list().revoking(scene.entry(RevocationReason::KeyCompromise));
    let removed = scene.delta(10).revoking(scene.entry(RevocationReason::RemoveFromCrl));
    assert_eq!(scene.with_lists(&[revoked, removed]), Err(FindingCode::REVOKED));
}
