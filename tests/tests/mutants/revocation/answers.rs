//! OCSP responses (RFC 6960 §3.2, §4.2).

use countersign_core::{
    crl::RevocationReason, digest::HashAlgorithm, finding::FindingCode, limits, oid,
    report::Verdict,
};
use countersign_signing::{
    der::{
        self,
        Criticality::{Critical, NonCritical},
    },
    key::Signer as _,
    ocsp::cert_id,
};
use countersign_tests::forge::{
    CertificateDraft, Chain, CrlDraft, DAY, EntryDraft, ExtensionDraft, ForgeKey, NOW,
    NoExtensions, WhoAnswers, key_usage, usages,
};

use super::scene::{Scene, answer, unknown};

#[test]
fn accepts_answers_by_key_by_name_and_by_every_hash() {
    let by_name = answer(|scene, draft| {
        draft.responder = WhoAnswers::ByName(scene.chain.authority.subject.clone());
    });
    assert_eq!(by_name, Ok(()));
    for hash in HashAlgorithm::STRONG {
        let outcome = answer(|scene, draft| {
            let id = cert_id(hash, &scene.signed.authority, scene.serial());
            draft.responses[0].cert_id = id.expect("a CertID");
        });
        assert_eq!(outcome, Ok(()), "{hash}");
    }
}

#[test]
fn passes_over_answers_about_other_certificates() {
    let other_serial = answer(|scene, draft| {
        let id = cert_id(HashAlgorithm::Sha1, &scene.signed.authority, &[9]);
        draft.responses[0].cert_id = id.expect("a CertID");
    });
    assert_eq!(other_serial, Err(FindingCode::REVOCATION_UNAVAILABLE));
    let other_issuer = answer(|scene, draft| {
        let id = cert_id(HashAlgorithm::Sha1, &scene.signed.root, scene.serial());
        draft.responses[0].cert_id = id.expect("a CertID");
    });
    assert_eq!(other_issuer, Err(FindingCode::REVOCATION_UNAVAILABLE));
    // The right name, another key: a CA renewed under its name.
    let mut renewed = Chain::code_signing();
    renewed.authority_key = ForgeKey::p384("renewed CA");
    renewed.authority.spki = renewed.authority_key.spki().to_vec();
    let renewed = renewed.sign();
    let other_key = answer(|scene, draft| {
        let id = cert_id(HashAlgorithm::Sha256, &renewed.authority, scene.serial());
        draft.responses[0].cert_id = id.expect("a CertID");
    });
    assert_eq!(other_key, Err(FindingCode::REVOCATION_UNAVAILABLE));
}

#[test]
fn refuses_answers_with_critical_extensions_that_are_not_known() {
    let response = answer(|_, draft| draft.extensions.push(unknown(Critical)));
    assert_eq!(response, Err(FindingCode::OCSP_EXTENSION));
    let single = answer(|_, draft| draft.responses[0].extensions.push(unknown(Critical)));
    assert_eq!(single, Err(FindingCode::OCSP_EXTENSION));
    let neither = answer(|_, draft| {
        draft.extensions.push(unknown(NonCritical));
        draft.responses[0].extensions.push(unknown(NonCritical));
    });
    assert_eq!(neither, Ok(()));
}

#[test]
fn refuses_answers_out_of_their_time() {
    let past = answer(|_, draft| draft.responses[0].next_update = Some(NOW.minus_seconds(1)));
    assert_eq!(past, Err(FindingCode::REVOCATION_STALE));
    let future = answer(|_, draft| draft.responses[0].this_update = NOW.plus_seconds(3_600));
    assert_eq!(future, Err(FindingCode::REVOCATION_STALE));
}

#[test]
fn an_answer_without_next_update_counts_for_a_day() {
    let aged = |age_seconds: i64| {
        answer(|_, draft| {
            draft.responses[0].next_update = None;
            draft.responses[0].this_update = NOW.minus_seconds(age_seconds);
        })
    };
    assert_eq!(aged(300), Ok(()));
    assert_eq!(aged(limits::OCSP_WITHOUT_NEXT_UPDATE_SECONDS), Ok(()));
    let older = aged(limits::OCSP_WITHOUT_NEXT_UPDATE_SECONDS + 1);
    assert_eq!(older, Err(FindingCode::REVOCATION_STALE));
}

#[test]
fn reads_what_old_responders_send() {
    let nonce = |value: &[u8]| {
        let value = value.to_vec();
        answer(|_, draft| {
            draft.extensions.push(ExtensionDraft::new(oid::OCSP_NONCE, NonCritical, value));
        })
    };
    assert_eq!(nonce(&der::octet_string(&[7; 16])), Ok(()));
    assert_eq!(nonce(&[7; 16]), Ok(()), "RFC 2560: no OCTET STRING");
    assert_eq!(nonce(&[4; 16]), Ok(()), "what begins like one");
    assert_eq!(nonce(&[]), Ok(()));
    let empty = answer(|_, draft| draft.no_extensions = NoExtensions::EmptyList);
    assert_eq!(empty, Ok(()));
    for fraction in [".5", ".000", ".123456789"] {
        assert_eq!(answer(|_, draft| draft.fraction = fraction), Ok(()), "{fraction}");
    }
    for fraction in [".", ",5", "5", ".5x"] {
        let outcome = answer(|_, draft| draft.fraction = fraction);
        assert_eq!(outcome, Err(FindingCode::OCSP_MALFORMED), "{fraction}");
    }
}

#[test]
fn a_reason_that_is_not_defined_revokes() {
    let outcome = answer(|_, draft| {
        let reason = der::context(0, &[&der::enumerated(7)]);
        let date = der::generalized_time(NOW.minus_seconds(DAY));
        draft.responses[0].status = der::context(1, &[&date, &reason]);
    });
    assert_eq!(outcome, Err(FindingCode::REVOKED));
}

#[test]
fn looks_at_the_signature_before_the_status() {
    let scene = Scene::new();
    let mut draft = scene.answer();
    draft.responses[0] =
        scene.good().revoked(RevocationReason::KeyCompromise, NOW.minus_seconds(DAY));
    let revoked = draft.sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[], &[revoked]), Err(FindingCode::REVOKED));
    draft.responder = WhoAnswers::ByName(scene.chain.authority.subject.clone());
    let forged = draft.sign(&ForgeKey::p384("a stranger"));
    assert_eq!(scene.outcome(&[], &[forged]), Err(FindingCode::OCSP_SIGNATURE));
    // A status other than successful carries no answer.
    let mut contradiction = scene.answer();
    contradiction.status = 3;
    let contradiction = contradiction.sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[], &[contradiction]), Err(FindingCode::OCSP_MALFORMED));
    let unknown = answer(|_, draft| draft.responses[0].status = der::implicit(2, &[]));
    assert_eq!(unknown, Err(FindingCode::REVOCATION_UNKNOWN));
}

#[test]
fn of_two_answers_the_revocation_counts() {
    let scene = Scene::new();
    let mut draft = scene.answer();
    let revoked = scene.good().revoked(RevocationReason::Superseded, NOW.minus_seconds(DAY));
    draft.responses.push(revoked);
    let response = draft.sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[], std::slice::from_ref(&response)), Err(FindingCode::REVOKED));
    let list = scene.list().sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[list], &[response]), Err(FindingCode::REVOKED));
}

#[test]
fn refuses_delegates_that_are_none() {
    let refused = Err(FindingCode::OCSP_NOT_AUTHORISED);
    let scene = Scene::new();
    let use_of =
        |list: &[_]| scene.by_delegate(|delegate| delegate.with(usages(NonCritical, list)));
    assert_eq!(use_of(&[oid::KP_CODE_SIGNING]), refused);
    assert_eq!(use_of(&[oid::KP_ANY]), refused, "any use is not this use");
    let without = scene.by_delegate(|delegate| delegate.without(oid::CE_EXT_KEY_USAGE));
    assert_eq!(without, refused);
    let unfit = scene.by_delegate(|delegate| delegate.with(key_usage(&[2])));
    assert_eq!(unfit, refused, "no digitalSignature");
    let checked = scene.by_delegate(|delegate| delegate.without(oid::OCSP_NO_CHECK));
    assert_eq!(checked, refused, "nobody says that the delegate is not revoked");
    // The signer's own certificate.
    let key = &scene.chain.leaf_key;
    let response = scene.answer().with_certificate(&scene.signed.leaf).sign(key);
    assert_eq!(scene.outcome(&[], &[response]), refused);
    // No certificate at all.
    let response = scene.answer().sign(&ForgeKey::p384("delegate"));
    assert_eq!(scene.outcome(&[], &[response]), refused);
}

#[test]
fn refuses_delegates_outside_their_validity() {
    let refused = Err(FindingCode::OCSP_NOT_AUTHORISED);
    let scene = Scene::new();
    let dates = |not_before, not_after| {
        scene.by_delegate(|mut delegate| {
            delegate.not_before = not_before;
            delegate.not_after = not_after;
            delegate
        })
    };
    assert_eq!(dates(NOW.minus_seconds(30 * DAY), NOW.minus_seconds(DAY)), refused);
    assert_eq!(dates(NOW.minus_seconds(60), NOW.plus_seconds(DAY)), refused);
}

#[test]
fn refuses_an_expired_delegate_that_dates_its_answer_back() {
    // producedAt is the delegate's own word: who holds the key of an expired delegate may write
    // any, so the answer's thisUpdate must lie in the delegate's validity as well.
    let scene = Scene::new();
    let key = ForgeKey::p384("delegate");
    let mut delegate = scene.delegate(&key);
    delegate.not_after = NOW.minus_seconds(10 * DAY);
    let delegate = delegate.sign(&scene.chain.authority_key);
    let mut answer = scene.answer().with_certificate(&delegate);
    answer.produced_at = NOW.minus_seconds(11 * DAY);
    let outcome = scene.outcome(&[], &[answer.sign(&key)]);
    assert_eq!(outcome, Err(FindingCode::OCSP_NOT_AUTHORISED));
}

#[test]
fn refuses_delegates_of_another_issuer() {
    let scene = Scene::new();
    let key = ForgeKey::p384("delegate");
    let root = &scene.chain.root_key;
    let by_root =
        CertificateDraft { issuer: scene.chain.root.subject.clone(), ..scene.delegate(&key) };
    let forged = scene.delegate(&key);
    for delegate in [by_root.sign(root), forged.sign(root), forged.sign(&key)] {
        let response = scene.answer().with_certificate(&delegate).sign(&key);
        let outcome = scene.outcome(&[], &[response]);
        assert_eq!(outcome, Err(FindingCode::OCSP_NOT_AUTHORISED));
    }
}

#[test]
fn refuses_a_delegate_with_an_unknown_critical_extension() {
    // RFC 5280 §4.2: "A certificate-using system MUST reject the certificate if it encounters a
    // critical extension it does not recognize".
    let scene = Scene::new();
    let outcome = scene.by_delegate(|delegate| delegate.with(unknown(Critical)));
    assert_eq!(outcome, Err(FindingCode::OCSP_NOT_AUTHORISED));
}

#[test]
fn refuses_a_delegate_with_a_weak_key() {
    let scene = Scene::new();
    let key = ForgeKey::rsa_1024();
    let delegate = scene.delegate(&key).sign(&scene.chain.authority_key);
    let response = scene.answer().with_certificate(&delegate).sign(&key);
    assert_eq!(scene.outcome(&[], &[response]), Err(FindingCode::OCSP_SIGNATURE));
}

#[test]
fn asks_the_list_about_a_delegate_without_nocheck() {
    let scene = Scene::new();
    let key = ForgeKey::p384("delegate");
    let delegate = scene.delegate(&key).without(oid::OCSP_NO_CHECK);
    let serial = delegate.serial.clone();
    let delegate = delegate.sign(&scene.chain.authority_key);
    let mut draft = scene.answer().with_certificate(&delegate);
    // The answer says "revoked", so that what is believed shows.
    draft.responses[0] = scene.good().revoked(RevocationReason::Superseded, NOW);
    let response = draft.sign(&key);
    let clear = scene.list().sign(&scene.chain.authority_key);
    let believed = scene.outcome(&[clear], std::slice::from_ref(&response));
    assert_eq!(believed, Err(FindingCode::REVOKED));
    let entry = EntryDraft::new(&serial, RevocationReason::KeyCompromise, NOW);
    let revoked = scene.list().revoking(entry).sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[revoked], &[response]), Ok(()), "a revoked delegate says nothing");
}

/// What is decided with an answer "good" by a delegate that these lists speak of; the lists keep
/// silent about the signer, so only the note on ignored evidence tells.
fn believes_the_delegate(lists: impl FnOnce(&Scene, EntryDraft) -> Vec<CrlDraft>) -> bool {
    let scene = Scene::new();
    let key = ForgeKey::p384("delegate");
    let delegate = scene.delegate(&key).without(oid::OCSP_NO_CHECK);
    let entry = EntryDraft::new(&delegate.serial, RevocationReason::KeyCompromise, NOW);
    let delegate = delegate.sign(&scene.chain.authority_key);
    let response = scene.answer().with_certificate(&delegate).sign(&key);
    let lists: Vec<Vec<u8>> =
        lists(&scene, entry).iter().map(|list| list.sign(&scene.chain.authority_key)).collect();
    let report = scene.report(&lists, &[response]);
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    !report.findings().iter().any(|finding| finding.code == FindingCode::EVIDENCE_IGNORED)
}

#[test]
fn believes_a_delegate_that_the_list_clears() {
    assert!(believes_the_delegate(|scene, _| vec![scene.list()]));
    assert!(!believes_the_delegate(|scene, entry| vec![scene.list().revoking(entry)]));
}

#[test]
fn an_older_list_does_not_clear_a_revoked_delegate() {
    let believed = believes_the_delegate(|scene, entry| {
        let mut older = scene.list();
        older.this_update = NOW.minus_seconds(7_200);
        vec![older, scene.list().revoking(entry)]
    });
    assert!(!believed);
}

#[test]
fn a_delta_revokes_a_delegate() {
    let believed =
        believes_the_delegate(|scene, entry| vec![scene.list(), scene.delta(10).revoking(entry)]);
    assert!(!believed);
}
