//! CRLs (RFC 5280 §5, §6.3.3).

use base64ct::Encoding as _;
use countersign_core::{
    crl::RevocationReason, digest::HashAlgorithm, finding::FindingCode, oid, report::Verdict,
};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    ocsp::cert_id,
};
use countersign_tests::forge::{
    CRL_URL, Chain, CrlDraft, EntryDraft, ExtensionDraft, ForgeKey, NOW, OcspDraft, SingleDraft,
    key_usage, name,
};

use super::scene::{Scene, flag, list, unknown};

#[test]
fn refuses_lists_with_critical_extensions_that_are_not_known() {
    assert_eq!(list(|list| list.with(unknown(Critical))), Err(FindingCode::CRL_EXTENSION));
    assert_eq!(list(|list| list.with(unknown(NonCritical))), Ok(()));
    // §5.3: such an entry, even of another certificate, spoils the list.
    let entry = |extension| {
        let mut entry = EntryDraft::new(&[9], RevocationReason::Superseded, NOW);
        entry.extensions.push(extension);
        list(|list| list.revoking(entry))
    };
    assert_eq!(entry(unknown(Critical)), Err(FindingCode::CRL_EXTENSION));
    assert_eq!(entry(unknown(NonCritical)), Ok(()));
    let other_issuer = der::sequence(&[&der::context(4, &[&name("somebody else")])]);
    let certificate_issuer =
        ExtensionDraft::new(oid::CE_CERTIFICATE_ISSUER, Critical, other_issuer);
    assert_eq!(entry(certificate_issuer), Err(FindingCode::CRL_EXTENSION));
}

#[test]
fn refuses_lists_of_another_scope() {
    let scope = |url: &str, fields: &[&[u8]]| list(|list| list.with(CrlDraft::point(url, fields)));
    let another = "http://revocation.example/crl/another.crl";
    assert_eq!(scope(another, &[]), Err(FindingCode::CRL_SCOPE));
    assert_eq!(scope(CRL_URL, &[&flag(2)]), Err(FindingCode::CRL_SCOPE), "CA certificates only");
    assert_eq!(scope(CRL_URL, &[&flag(5)]), Err(FindingCode::CRL_SCOPE), "attributes only");
    assert_eq!(scope(CRL_URL, &[&flag(4)]), Err(FindingCode::CRL_SCOPE), "indirect");
    assert_eq!(scope(CRL_URL, &[&flag(1)]), Ok(()), "end entities only");
    let both = scope(CRL_URL, &[&flag(1), &flag(2)]);
    assert_eq!(both, Err(FindingCode::CRL_MALFORMED), "at most one restriction");
}

#[test]
fn a_list_for_some_reasons_never_passes_alone() {
    // [3] ReasonFlags: keyCompromise(1) and cACompromise(2).
    let some = CrlDraft::point(CRL_URL, &[&der::implicit(3, &[5, 0b0110_0000])]);
    assert_eq!(list(|list| list.with(some)), Err(FindingCode::CRL_SCOPE));
}

#[test]
fn unites_lists_for_some_reasons() {
    // §6.3.3 (e), (l): together they speak of every reason.
    let scene = Scene::new();
    let part =
        |flags: &[u8]| scene.list().with(CrlDraft::point(CRL_URL, &[&der::implicit(3, flags)]));
    let (compromise, others) = (part(&[5, 0b0110_0000]), part(&[7, 0b0001_1111, 0x80]));
    assert_eq!(scene.with_lists(&[compromise.clone(), others.clone()]), Ok(()));
    let revoked = others.revoking(scene.entry(RevocationReason::Superseded));
    assert_eq!(scene.with_lists(&[compromise, revoked]), Err(FindingCode::REVOKED));
}

/// The outcome with a list at [`CRL_URL`] of a certificate that has these distribution points,
/// each with its reasons; one without a point has none in its issuingDistributionPoint either.
fn list_of_points(
    points: &[(&str, Option<&[u8]>)],
    change: impl FnOnce(&Scene, CrlDraft) -> CrlDraft,
) -> Result<(), FindingCode> {
    let point = |(url, reasons): &(&str, Option<&[u8]>)| {
        let full_name = der::context(0, &[&der::implicit(6, url.as_bytes())]);
        let reasons = reasons.map(|reasons| der::implicit(1, reasons)).unwrap_or_default();
        der::sequence(&[&der::context(0, &[&full_name]), &reasons])
    };
    let points: Vec<Vec<u8>> = points.iter().map(point).collect();
    let points = der::sequence_of(&points);
    let mut chain = Chain::code_signing();
    chain.leaf =
        chain.leaf.with(ExtensionDraft::new(oid::CE_CRL_DISTRIBUTION_POINTS, NonCritical, points));
    let scene = Scene::of(chain);
    scene.with_lists(&[change(&scene, scene.list())])
}

#[test]
fn a_distribution_point_that_names_reasons_covers_those_alone() {
    // §6.3.3 (d): keyCompromise(1), cACompromise(2).
    const SOME: Option<&[u8]> = Some(&[5, 0b0110_0000]);
    const EVERY: Option<&[u8]> = Some(&[7, 0b0111_1111, 0x80]);
    const OTHER: &str = "http://revocation.example/crl/all.crl";
    let unnamed = |_: &Scene, mut list: CrlDraft| {
        list.extensions.retain(|each| each.id != oid::CE_ISSUING_DISTRIBUTION_POINT);
        list
    };
    let partial = Err(FindingCode::CRL_SCOPE);
    assert_eq!(list_of_points(&[(CRL_URL, None)], |_, list| list), Ok(()));
    assert_eq!(list_of_points(&[(CRL_URL, EVERY)], |_, list| list), Ok(()));
    assert_eq!(list_of_points(&[(CRL_URL, SOME)], |_, list| list), partial);
    assert_eq!(list_of_points(&[(CRL_URL, SOME)], unnamed), partial);
    // The other point's list is for every reason, but this one is not it.
    assert_eq!(list_of_points(&[(CRL_URL, SOME), (OTHER, None)], |_, list| list), partial);
    assert_eq!(list_of_points(&[(CRL_URL, SOME), (OTHER, None)], unnamed), Ok(()));
    // It revokes all the same.
    let revoked = list_of_points(&[(CRL_URL, SOME)], |scene, list| {
        list.revoking(scene.entry(RevocationReason::Superseded))
    });
    assert_eq!(revoked, Err(FindingCode::REVOKED));
    // Both words count: onlySomeReasons of the list too.
    let both = list_of_points(&[(CRL_URL, EVERY)], |_, list| {
        list.with(CrlDraft::point(CRL_URL, &[&der::implicit(3, &[5, 0b0110_0000])]))
    });
    assert_eq!(both, partial);
}

#[test]
fn a_reason_that_is_not_defined_revokes() {
    // 255 takes two octets: one alone would be -1.
    for code in [der::enumerated(7), der::enumerated(11), vec![0x0A, 2, 0, 0xFF]] {
        let scene = Scene::new();
        let mut entry = scene.entry(RevocationReason::Superseded);
        entry.extensions[0].value.clone_from(&code);
        let outcome = scene.with_lists(&[scene.list().revoking(entry)]);
        assert_eq!(outcome, Err(FindingCode::REVOKED), "{code:?}");
    }
}

#[test]
fn says_what_was_given_in_place_of_der() {
    let scene = Scene::new();
    let list = scene.list().sign(&scene.chain.authority_key);
    let utf16: Vec<u8> = "\u{FEFF}text".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (given, form) in [
        (base64ct::Base64::encode_string(&list).into_bytes(), "Base64 text"),
        (b"-----BEGIN X509 CRL-----\n".to_vec(), "PEM text"),
        (utf16, "UTF-16 text"),
        (b"<!DOCTYPE html>".to_vec(), "a web page"),
        (b"not here".to_vec(), "text"),
        (Vec::new(), "an empty file"),
    ] {
        let report = scene.report(&[given], &[]);
        let finding = report.decisive().expect("a reason");
        assert_eq!(finding.code, FindingCode::CRL_MALFORMED);
        assert_eq!(finding.found.as_deref(), Some(form));
    }
}

#[test]
fn what_was_given_and_not_used_is_named_once() {
    let scene = Scene::new();
    let good = scene.list().sign(&scene.chain.authority_key);
    let notes = |crls: &[Vec<u8>], ocsp: &[Vec<u8>]| {
        let report = scene.report(crls, ocsp);
        let notes = report.findings().iter();
        let notes = notes.filter(|each| each.code == FindingCode::EVIDENCE_IGNORED);
        let notes: Vec<String> =
            notes.map(|each| format!("{:?} {:?}", each.subject, each.found)).collect();
        (report.verdict(), notes)
    };
    assert_eq!(notes(std::slice::from_ref(&good), &[]), (Verdict::Verified, vec![]));
    let elsewhere = CrlDraft::new(&name("somebody else")).sign(&ForgeKey::p384("somebody"));
    let stranger = scene.delta(10).sign(&ForgeKey::p384("a stranger"));
    // It changes a list that is newer than the one that is there.
    let lonely = scene.delta(11).sign(&scene.chain.authority_key);
    for (index, unused) in
        [elsewhere, b"no list".to_vec(), stranger, lonely].into_iter().enumerate()
    {
        let (verdict, notes) = notes(&[good.clone(), unused], &[]);
        assert_eq!((verdict, notes.len()), (Verdict::Verified, 1), "{index}: {notes:?}");
    }
    let id = cert_id(HashAlgorithm::Sha1, &scene.signed.authority, &[9]).expect("a CertID");
    let other = OcspDraft::new(SingleDraft::good(&id)).sign(&scene.chain.authority_key);
    for unused in [other, b"no answer".to_vec()] {
        let (verdict, notes) = notes(std::slice::from_ref(&good), &[unused]);
        assert_eq!((verdict, notes.len()), (Verdict::Verified, 1), "{notes:?}");
    }
    // What is the reason of the verdict is not a note besides.
    let (verdict, notes) = notes(&[b"no list".to_vec()], &[]);
    assert_eq!((verdict, notes), (Verdict::NotChecked, vec![]));
}

#[test]
fn matches_one_of_several_distribution_points() {
    let mut chain = Chain::code_signing();
    let point = |url: &str| {
        let full_name = der::context(0, &[&der::implicit(6, url.as_bytes())]);
        der::sequence(&[&der::context(0, &[&full_name])])
    };
    let points = der::sequence(&[&point("http://revocation.example/1.crl"), &point(CRL_URL)]);
    let points = ExtensionDraft::new(oid::CE_CRL_DISTRIBUTION_POINTS, NonCritical, points);
    chain.leaf = chain.leaf.with(points);
    let scene = Scene::of(chain);
    assert_eq!(scene.with_lists(&[scene.list()]), Ok(()));
}

#[test]
fn refuses_lists_out_of_their_time() {
    let at = |change: fn(&mut CrlDraft)| {
        list(|mut list| {
            change(&mut list);
            list
        })
    };
    assert_eq!(at(|list| list.next_update = None), Err(FindingCode::REVOCATION_STALE));
    let scene = Scene::new();
    let mut endless = scene.list().revoking(scene.entry(RevocationReason::KeyCompromise));
    endless.next_update = None;
    assert_eq!(scene.with_lists(&[endless]), Err(FindingCode::REVOKED), "it revokes all the same");
    let past = at(|list| list.next_update = Some(NOW.minus_seconds(1)));
    assert_eq!(past, Err(FindingCode::REVOCATION_STALE));
    let future = at(|list| list.this_update = NOW.plus_seconds(3_600));
    assert_eq!(future, Err(FindingCode::REVOCATION_STALE));
}

#[test]
fn refuses_lists_that_another_signed() {
    let scene = Scene::new();
    let stranger = scene.list().sign(&ForgeKey::p384("a stranger"));
    assert_eq!(scene.outcome(&[stranger], &[]), Err(FindingCode::CRL_SIGNATURE));
    let leaf = scene.list().sign(&scene.chain.leaf_key);
    assert_eq!(scene.outcome(&[leaf], &[]), Err(FindingCode::CRL_SIGNATURE));
    let elsewhere = CrlDraft::new(&name("somebody else"));
    let outcome = scene.with_lists(&[elsewhere]);
    assert_eq!(outcome, Err(FindingCode::REVOCATION_UNAVAILABLE));
    let mut chain = Chain::code_signing();
    chain.authority = chain.authority.with(key_usage(&[5]));
    let scene = Scene::of(chain);
    let outcome = scene.with_lists(&[scene.list()]);
    assert_eq!(outcome, Err(FindingCode::CRL_NOT_AUTHORISED), "no cRLSign");
}

#[test]
fn refuses_extensions_in_a_list_of_version_1() {
    // §5.1.2.1: "When extensions are used … this field MUST be present and MUST specify version 2".
    let first = |mut list: CrlDraft| {
        list.version.clear();
        list
    };
    assert_eq!(list(first), Err(FindingCode::CRL_MALFORMED));
}

#[test]
fn refuses_an_entry_extension_that_stands_twice() {
    let scene = Scene::new();
    let mut entry = scene.entry(RevocationReason::KeyCompromise);
    let value = der::enumerated(RevocationReason::CertificateHold.code());
    entry.extensions.push(ExtensionDraft::new(oid::CE_CRL_REASONS, NonCritical, value));
    let outcome = scene.with_lists(&[scene.list().revoking(entry)]);
    assert_eq!(outcome, Err(FindingCode::CRL_MALFORMED));
}

#[test]
fn believes_a_revocation_whatever_its_reason() {
    for reason in RevocationReason::ALL {
        let scene = Scene::new();
        let outcome = scene.with_lists(&[scene.list().revoking(scene.entry(reason))]);
        let expected = match reason {
            RevocationReason::CertificateHold => FindingCode::REVOKED_ON_HOLD,
            _ => FindingCode::REVOKED,
        };
        assert_eq!(outcome, Err(expected), "{}", reason.name());
    }
}

#[test]
fn a_stale_list_still_revokes() {
    let scene = Scene::new();
    let mut stale = scene.list().revoking(scene.entry(RevocationReason::KeyCompromise));
    stale.next_update = Some(NOW.minus_seconds(1));
    assert_eq!(scene.with_lists(&[stale.clone()]), Err(FindingCode::REVOKED));
    // A newer list that dropped the entry does not undo it.
    assert_eq!(scene.with_lists(&[stale, scene.list()]), Err(FindingCode::REVOKED));
}

#[test]
fn a_newer_list_lifts_a_suspension() {
    let scene = Scene::new();
    let mut held = scene.list().revoking(scene.entry(RevocationReason::CertificateHold));
    held.this_update = NOW.minus_seconds(7_200);
    assert_eq!(scene.with_lists(&[held, scene.list()]), Ok(()));
}

#[test]
fn a_later_entry_does_not_soften_an_earlier_one() {
    let scene = Scene::new();
    let revoked = scene.entry(RevocationReason::KeyCompromise);
    let held = scene.entry(RevocationReason::CertificateHold);
    let both = scene.list().revoking(revoked).revoking(held);
    assert_eq!(scene.with_lists(&[both]), Err(FindingCode::REVOKED));
}
