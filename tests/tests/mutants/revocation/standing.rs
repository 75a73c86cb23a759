//! What the evidence says of one certificate, before a policy judges it: ages to the second, sizes
//! to the octet, and which of several pieces counts.

use countersign_core::{
    crl::RevocationReason as Reason,
    crypto::aws_lc::AwsLc,
    finding::FindingCode,
    limits, oid,
    policy::Revocation,
    revocation::{Freshness, RevocationEvidence, Standing},
    time::UnixSeconds,
    x509::{Certificate, VerifiedLink},
};
use countersign_signing::{
    der::{self, Criticality::NonCritical},
    key::Signer as _,
};
use countersign_tests::forge::{CrlDraft, DAY, ExtensionDraft, ForgeKey, NOW, SignedChain};

use super::scene::Scene;

fn decoded(bytes: &[u8]) -> Certificate<'_> {
    Certificate::decode(bytes).expect("a certificate of ours decodes")
}

/// What these pieces say of the signer in `chain`.
fn standing_in(
    chain: &SignedChain,
    crls: &[Vec<u8>],
    ocsp: &[Vec<u8>],
    rules: &Revocation,
) -> Standing {
    let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
    let ocsp: Vec<&[u8]> = ocsp.iter().map(Vec::as_slice).collect();
    let mut evidence = RevocationEvidence::decode(&crls, &ocsp).expect("not too many");
    let (leaf, issuer) = (decoded(&chain.leaf), decoded(&chain.authority));
    let link = VerifiedLink::verify(&leaf, &issuer, &AwsLc).expect("a link");
    evidence.standing(link, rules, &AwsLc, NOW)
}

fn faults(standing: &Standing) -> Vec<FindingCode> {
    standing.faults.iter().chain(&standing.unreadable).map(|fault| fault.code).collect()
}

/// How fresh a list with one change is, or why it is not used.
fn age_of(
    rules: &Revocation,
    change: impl FnOnce(&mut CrlDraft),
) -> Result<Freshness, Vec<FindingCode>> {
    let scene = Scene::new();
    let mut draft = scene.list();
    change(&mut draft);
    let standing =
        standing_in(&scene.signed, &[draft.sign(&scene.chain.authority_key)], &[], rules);
    standing.known.map(|known| known.freshness).ok_or_else(|| faults(&standing))
}

#[test]
fn a_list_ends_with_the_second_of_its_next_update() {
    let ends = |at: UnixSeconds| age_of(&Revocation::default(), |list| list.next_update = Some(at));
    assert_eq!(ends(NOW.plus_seconds(1)), Ok(Freshness::Fresh));
    assert_eq!(ends(NOW), Ok(Freshness::Stale));
}

#[test]
fn a_list_from_the_future_is_borne_with_as_far_as_clocks_differ() {
    let made = |at: UnixSeconds| age_of(&Revocation::default(), |list| list.this_update = at);
    let farthest = NOW.plus_seconds(limits::CLOCK_SKEW_SECONDS);
    assert_eq!(made(farthest), Ok(Freshness::Fresh));
    assert_eq!(made(farthest.plus_seconds(1)), Err(vec![FindingCode::REVOCATION_STALE]));
}

#[test]
fn a_list_is_as_old_as_the_policy_allows_and_no_older() {
    // The lists of the forge are an hour old.
    let within = |max_age_seconds| {
        let rules = Revocation { max_age_seconds: Some(max_age_seconds), ..Revocation::default() };
        age_of(&rules, |_| ())
    };
    assert_eq!(within(3_601), Ok(Freshness::Fresh));
    assert_eq!(within(3_600), Ok(Freshness::Fresh));
    assert_eq!(within(3_599), Ok(Freshness::Stale));
    assert_eq!(within(60), Ok(Freshness::Stale));
    let endless = |max_age_seconds| {
        let rules = Revocation { max_age_seconds, ..Revocation::default() };
        age_of(&rules, |list| list.next_update = None)
    };
    assert_eq!(endless(None), Ok(Freshness::Endless));
    assert_eq!(endless(Some(3_600)), Ok(Freshness::Fresh));
    assert_eq!(endless(Some(3_599)), Ok(Freshness::Stale));
}

#[test]
fn an_answer_is_fresh_through_the_last_second_of_its_delegate() {
    let scene = Scene::new();
    let until = |not_after: UnixSeconds| {
        let key = ForgeKey::p384("delegate");
        let mut delegate = scene.delegate(&key);
        delegate.not_after = not_after;
        let delegate = delegate.sign(&scene.chain.authority_key);
        let answer = scene.answer().with_certificate(&delegate).sign(&key);
        let standing = standing_in(&scene.signed, &[], &[answer], &Revocation::default());
        standing.known.map(|known| known.freshness)
    };
    assert_eq!(until(NOW.plus_seconds(1)), Some(Freshness::Fresh));
    assert_eq!(until(NOW), Some(Freshness::Fresh));
    assert_eq!(until(NOW.minus_seconds(1)), Some(Freshness::Stale));
    assert_eq!(until(NOW.minus_seconds(600)), Some(Freshness::Stale));
}

#[test]
fn only_a_hold_since_1970_says_that_a_certificate_was_never_issued() {
    let scene = Scene::new();
    let reason = |reason, date| {
        let mut draft = scene.answer();
        draft.responses[0] = scene.good().revoked(reason, date);
        let answer = draft.sign(&scene.chain.authority_key);
        let standing = standing_in(&scene.signed, &[], &[answer], &Revocation::default());
        standing.known.and_then(|known| known.revoked).map(|(reason, _)| reason)
    };
    let (never, yesterday) = (UnixSeconds::new(0), NOW.minus_seconds(DAY));
    assert_eq!(reason(Reason::CertificateHold, never), Some(Reason::Unspecified));
    assert_eq!(reason(Reason::CertificateHold, yesterday), Some(Reason::CertificateHold));
    assert_eq!(reason(Reason::KeyCompromise, never), Some(Reason::KeyCompromise));
    assert_eq!(reason(Reason::KeyCompromise, yesterday), Some(Reason::KeyCompromise));
}

#[test]
fn of_several_deltas_the_newest_counts_in_whatever_order_they_come() {
    let scene = Scene::new();
    let delta = |number, age_seconds, reason| {
        let mut delta = scene.delta(10).revoking(scene.entry(reason));
        delta.this_update = NOW.minus_seconds(age_seconds);
        let number = der::integer(number);
        delta
            .with(ExtensionDraft::new(oid::CE_CRL_NUMBER, NonCritical, number))
            .sign(&scene.chain.authority_key)
    };
    let held = scene.list().revoking(scene.entry(Reason::CertificateHold));
    let held = held.sign(&scene.chain.authority_key);
    let lifted = delta(11, 1_800, Reason::RemoveFromCrl);
    let revoked = delta(12, 900, Reason::KeyCompromise);
    for deltas in [[lifted.clone(), revoked.clone()], [revoked, lifted]] {
        let crls = [&[held.clone()][..], &deltas].concat();
        let known =
            standing_in(&scene.signed, &crls, &[], &Revocation::default()).known.expect("known");
        assert_eq!(known.as_of, NOW.minus_seconds(900));
        assert_eq!(known.revoked.map(|(reason, _)| reason), Some(Reason::KeyCompromise));
    }
}

#[test]
fn a_list_is_checked_anew_against_another_key_of_the_same_name() {
    let scene = Scene::new();
    let list = scene.list().sign(&scene.chain.authority_key);
    let mut renewed = Scene::new().chain;
    renewed.authority_key = ForgeKey::p384("renewed CA");
    renewed.authority.spki = renewed.authority_key.spki().to_vec();
    let renewed = renewed.sign();
    let mut evidence = RevocationEvidence::decode(&[&list], &[]).expect("not too many");
    let rules = Revocation::default();
    for (chain, is_known) in
        [(&scene.signed, true), (&renewed, false), (&scene.signed, true), (&renewed, false)]
    {
        let (leaf, issuer) = (decoded(&chain.leaf), decoded(&chain.authority));
        let link = VerifiedLink::verify(&leaf, &issuer, &AwsLc).expect("a link");
        let standing = evidence.standing(link, &rules, &AwsLc, NOW);
        assert_eq!(standing.known.is_some(), is_known);
        let expected = if is_known { vec![] } else { vec![FindingCode::CRL_SIGNATURE] };
        assert_eq!(faults(&standing), expected);
    }
}

#[test]
fn looks_at_so_many_pieces_and_at_no_more() {
    let refused = |crls: usize, answers: usize| {
        let (crls, answers) = (vec![&b"no list"[..]; crls], vec![&b"no answer"[..]; answers]);
        RevocationEvidence::decode(&crls, &answers).err().map(|finding| finding.code)
    };
    assert_eq!(refused(limits::CRLS, limits::OCSP_RESPONSES), None);
    assert_eq!(refused(limits::CRLS + 1, 0), Some(FindingCode::EVIDENCE_TOO_LARGE));
    assert_eq!(refused(0, limits::OCSP_RESPONSES + 1), Some(FindingCode::EVIDENCE_TOO_LARGE));
    assert_eq!(refused(limits::CRLS + 2, 0), Some(FindingCode::EVIDENCE_TOO_LARGE));
    assert_eq!(refused(0, limits::OCSP_RESPONSES + 2), Some(FindingCode::EVIDENCE_TOO_LARGE));
}

#[test]
fn looks_at_lists_up_to_their_greatest_size() {
    let scene = Scene::new();
    let of_size = |length: usize| {
        faults(&standing_in(&scene.signed, &[vec![0; length]], &[], &Revocation::default()))
    };
    assert_eq!(of_size(limits::CRL_BYTES), [FindingCode::CRL_MALFORMED]);
    assert_eq!(of_size(limits::CRL_BYTES + 1), [FindingCode::EVIDENCE_TOO_LARGE]);
}

#[test]
fn nothing_is_asked_about_a_certificate_and_another_ones_issuer() {
    let scene = Scene::new();
    let mut renewed = Scene::new().chain;
    renewed.authority_key = ForgeKey::p384("renewed CA");
    renewed.authority.spki = renewed.authority_key.spki().to_vec();
    let renewed = renewed.sign();
    let (leaf, stranger) = (decoded(&scene.signed.leaf), decoded(&renewed.authority));
    // Only the name is right.
    let link = VerifiedLink::verify(&leaf, &stranger, &AwsLc).map(|_| ());
    assert_eq!(link.map_err(|finding| finding.code), Err(FindingCode::CERTIFICATE_UNKNOWN_ISSUER));
    let root = decoded(&scene.signed.root);
    assert!(VerifiedLink::verify(&leaf, &root, &AwsLc).is_err());
}
