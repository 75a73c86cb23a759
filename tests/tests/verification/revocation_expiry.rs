//! Certificates that have expired: authorities may drop them from their lists (RFC 5280 §3.3), so a
//! later list that does not name one clears it only if it says that it still covers it.

use countersign_core::{
    crl::RevocationReason as Reason,
    digest::HashAlgorithm,
    finding::{Finding, FindingCode as F},
    oid,
    report::{Report, Verdict},
    time::UnixSeconds,
    x509::Certificate,
};
use countersign_signing::{
    der::{self, Criticality::NonCritical},
    ocsp::cert_id,
    profile::Authority,
};
use countersign_tests::{
    forge::{
        CertificateDraft, Chain, CrlDraft, DAY, EntryDraft, ExtensionDraft, ForgeKey, NOW,
        OcspDraft, Proofs, Release, SingleDraft, WhoAnswers, key_usage, name, usages,
    },
    world::{self, Given, World},
};

/// The last second of every certificate of the forge.
const NOT_AFTER: UnixSeconds = NOW.plus_seconds(335 * DAY);

/// When everything is verified here.
const LATER: UnixSeconds = NOW.plus_seconds(400 * DAY);

const LAST_KNOWN: &str = r#","revocation":{"after_expiry":"last-known"}"#;

/// A list of the signing CA.
fn list(release: &Release) -> CrlDraft {
    list_of(&release.signing.authority.subject)
}

/// A fresh list, made long after the certificates expired.
fn list_of(issuer: &[u8]) -> CrlDraft {
    made(CrlDraft::new(issuer), LATER.minus_seconds(3_600))
}

/// The list as made then, for the next 100 days.
fn made(mut list: CrlDraft, at: UnixSeconds) -> CrlDraft {
    list.this_update = at;
    list.next_update = Some(at.plus_seconds(100 * DAY));
    list
}

/// The list as made then, out of date long since.
fn stale(list: CrlDraft, at: UnixSeconds) -> CrlDraft {
    let mut list = made(list, at);
    list.next_update = Some(at.plus_seconds(3_600));
    list
}

fn keeping(list: CrlDraft, since: UnixSeconds) -> CrlDraft {
    let since = der::generalized_time(since);
    list.with(ExtensionDraft::new(oid::CE_EXPIRED_CERTS_ON_CRL, NonCritical, since))
}

fn revoking(list: CrlDraft, release: &Release, reason: Reason) -> CrlDraft {
    let before = Release::SIGNED.minus_seconds(60);
    list.revoking(EntryDraft::new(&release.signing.leaf.serial, reason, before))
}

fn verified(release: &Release, crls: Vec<Vec<u8>>, ocsp: Vec<Vec<u8>>, rules: &str) -> Report {
    let proofs = Proofs { crls, ocsp, rules: rules.to_owned(), now: LATER };
    release.verify(&release.bundle(), &proofs)
}

fn outcome(report: &Report) -> Result<(), F> {
    match report.verdict() {
        Verdict::Verified => Ok(()),
        _ => Err(report.decisive().expect("a reason").code),
    }
}

fn finding(report: &Report, code: F) -> Option<&Finding> {
    report.findings().iter().find(|each| each.code == code)
}

/// The outcome with these lists of the signing CA.
#[track_caller]
fn with(lists: &[CrlDraft], rules: &str) -> Result<(), F> {
    let release = Release::new();
    let crls = lists.iter().map(|list| list.sign(&release.signing.authority_key)).collect();
    outcome(&verified(&release, crls, Vec::new(), rules))
}

#[test]
fn a_list_made_after_the_expiry_clears_only_what_it_says_that_it_keeps() {
    let release = Release::new();
    let after = list(&release);
    assert_eq!(with(std::slice::from_ref(&after), ""), Err(F::REVOCATION_AFTER_EXPIRY));
    let since = |since| with(&[keeping(after.clone(), since)], "");
    assert_eq!(since(NOT_AFTER.plus_seconds(1)), Err(F::REVOCATION_AFTER_EXPIRY));
    assert_eq!(since(NOT_AFTER), Ok(()));
    assert_eq!(since(NOW), Ok(()));
    // To the second: the list of the certificate's last second covers it.
    assert_eq!(with(&[made(after.clone(), NOT_AFTER)], ""), Ok(()));
    let next = made(after, NOT_AFTER.plus_seconds(1));
    assert_eq!(with(&[next], ""), Err(F::REVOCATION_AFTER_EXPIRY));
}

#[test]
fn a_revocation_counts_whenever_it_is_listed() {
    let release = Release::new();
    let after = list(&release);
    for list in
        [after.clone(), keeping(after.clone(), NOT_AFTER.plus_seconds(DAY)), keeping(after, NOW)]
    {
        let revoked = revoking(list, &release, Reason::KeyCompromise);
        for rules in ["", LAST_KNOWN] {
            assert_eq!(with(std::slice::from_ref(&revoked), rules), Err(F::REVOKED));
        }
    }
}

#[test]
fn a_list_that_dropped_the_entry_does_not_undo_it() {
    let release = Release::new();
    let before = stale(list(&release), NOT_AFTER.minus_seconds(DAY));
    for reason in [Reason::KeyCompromise, Reason::CertificateHold] {
        let revoked = revoking(before.clone(), &release, reason);
        let expected =
            if reason == Reason::CertificateHold { F::REVOKED_ON_HOLD } else { F::REVOKED };
        for rules in ["", LAST_KNOWN] {
            assert_eq!(with(&[revoked.clone(), list(&release)], rules), Err(expected));
        }
    }
}

#[test]
fn the_last_that_was_known_counts_if_the_policy_takes_it_and_the_verdict_says_as_of_when() {
    let release = Release::new();
    let made_at = NOT_AFTER.minus_seconds(DAY);
    let last = stale(list(&release), made_at);
    assert_eq!(with(std::slice::from_ref(&last), ""), Err(F::REVOCATION_STALE));
    assert_eq!(with(&[last.clone(), list(&release)], ""), Err(F::REVOCATION_STALE));
    let key = &release.signing.authority_key;
    let crls = vec![last.sign(key), list(&release).sign(key)];
    let report = verified(&release, crls, Vec::new(), LAST_KNOWN);
    assert_eq!(outcome(&report), Ok(()), "{:#?}", report.findings());
    let said = finding(&report, F::LAST_KNOWN_ACCEPTED).expect("a warning");
    assert_eq!(said.found.as_deref(), Some(format!("as of {made_at}").as_str()));
    // The other list is named.
    let ignored = finding(&report, F::EVIDENCE_IGNORED).expect("a note");
    let why = ignored.found.as_deref().expect("a reason");
    assert!(why.starts_with(F::REVOCATION_AFTER_EXPIRY.code()), "{why}");
    // From before the signature it says nothing of the time of signing.
    let signed = |at| with(&[stale(list(&release), at)], LAST_KNOWN);
    assert_eq!(signed(Release::SIGNED), Ok(()));
    assert_eq!(signed(Release::SIGNED.minus_seconds(1)), Err(F::REVOCATION_STALE));
    // Out of date after the expiry is not the last of the validity.
    let late = stale(keeping(list(&release), NOW), NOT_AFTER.plus_seconds(1));
    assert_eq!(with(&[late], LAST_KNOWN), Err(F::REVOCATION_STALE));
}

#[test]
fn the_last_that_was_known_of_a_valid_certificate_is_out_of_date() {
    let release = Release::new();
    let old = stale(list(&release), Release::SIGNED.plus_seconds(60));
    let proofs = Proofs {
        crls: vec![old.sign(&release.signing.authority_key)],
        rules: LAST_KNOWN.to_owned(),
        now: NOT_AFTER,
        ..Proofs::default()
    };
    let report = release.verify(&release.bundle(), &proofs);
    assert_eq!(outcome(&report), Err(F::REVOCATION_STALE));
}

fn answer_of(release: &Release, change: impl FnOnce(&mut OcspDraft)) -> Vec<u8> {
    let issuer = release.signing.sign().authority;
    let id = cert_id(HashAlgorithm::Sha256, &issuer, &release.signing.leaf.serial);
    let mut single = SingleDraft::good(&id.expect("a CertID"));
    single.this_update = LATER.minus_seconds(3_600);
    single.next_update = Some(LATER.plus_seconds(DAY));
    let mut draft = OcspDraft::new(single);
    draft.produced_at = LATER.minus_seconds(3_600);
    change(&mut draft);
    draft.sign(&release.signing.authority_key)
}

#[test]
fn an_answer_after_the_expiry_clears_only_what_it_says_that_it_keeps() {
    let release = Release::new();
    let answer = |change: &dyn Fn(&mut OcspDraft)| {
        let response = answer_of(&release, change);
        outcome(&verified(&release, Vec::new(), vec![response], ""))
    };
    let cutoff = |since: UnixSeconds| {
        ExtensionDraft::new(oid::OCSP_ARCHIVE_CUTOFF, NonCritical, der::generalized_time(since))
    };
    let late = NOT_AFTER.plus_seconds(1);
    assert_eq!(answer(&|_| ()), Err(F::REVOCATION_AFTER_EXPIRY));
    for (since, expected) in
        [(late, Err(F::REVOCATION_AFTER_EXPIRY)), (NOT_AFTER, Ok(())), (NOW, Ok(()))]
    {
        assert_eq!(answer(&|draft| draft.responses[0].extensions.push(cutoff(since))), expected);
        // Where some responders put it.
        assert_eq!(answer(&|draft| draft.extensions.push(cutoff(since))), expected);
    }
    // Made within the validity, and made later from what was known then.
    let within = |draft: &mut OcspDraft| {
        draft.responses[0].this_update = NOT_AFTER;
        draft.produced_at = NOT_AFTER;
    };
    assert_eq!(answer(&within), Ok(()));
    let produced_later = answer(&|draft| {
        within(draft);
        draft.produced_at = late;
    });
    assert_eq!(produced_later, Err(F::REVOCATION_AFTER_EXPIRY));
    let revoked = answer(&|draft| {
        let single = draft.responses[0].clone();
        draft.responses[0] = single.revoked(Reason::Superseded, Release::SIGNED);
    });
    assert_eq!(revoked, Err(F::REVOKED));
}

#[test]
fn the_same_holds_for_timestamp_authorities_and_for_cas() {
    let release = Release::new();
    let required = r#","revocation":{"signer":"off","timestamp_authorities":"required"}"#;
    let lists = |change: &dyn Fn(CrlDraft) -> CrlDraft| {
        let of = |chain: &Chain| {
            let leafs = change(list_of(&chain.authority.subject)).sign(&chain.authority_key);
            let cas = change(list_of(&chain.root.subject)).sign(&chain.root_key);
            [leafs, cas]
        };
        [of(&release.signing), of(&release.stamping)].concat()
    };
    let authorities = r#","revocation":{"signer":"off","authorities":"required"}"#;
    for rules in [required, authorities] {
        let report = |crls| outcome(&verified(&release, crls, Vec::new(), rules));
        assert_eq!(report(lists(&|list| list)), Err(F::REVOCATION_AFTER_EXPIRY), "{rules}");
        assert_eq!(report(lists(&|list| keeping(list, NOT_AFTER))), Ok(()), "{rules}");
        let last = |list| stale(list, NOT_AFTER.minus_seconds(DAY));
        assert_eq!(report(lists(&last)), Err(F::REVOCATION_STALE), "{rules}");
        let rules = rules.replace("{\"signer\"", "{\"after_expiry\":\"last-known\",\"signer\"");
        let report = verified(&release, lists(&last), Vec::new(), &rules);
        assert_eq!(outcome(&report), Ok(()), "{rules}");
        assert!(finding(&report, F::LAST_KNOWN_ACCEPTED).is_some(), "{rules}");
    }
}

#[test]
fn a_delta_after_the_expiry_leaves_the_list_before_it_as_it_is() {
    let release = Release::new();
    let key = &release.signing.authority_key;
    let delta = |since: Option<UnixSeconds>| {
        let delta = CrlDraft::delta(&release.signing.authority.subject, 10);
        let delta = made(delta, LATER.minus_seconds(60));
        since.map_or(delta.clone(), |since| keeping(delta, since)).sign(key)
    };
    let report = |base: &CrlDraft, delta: Vec<u8>| {
        outcome(&verified(&release, vec![base.sign(key), delta], Vec::new(), ""))
    };
    let within = made(list(&release), NOT_AFTER);
    assert_eq!(report(&within, delta(None)), Ok(()), "the base covers it");
    assert_eq!(report(&list(&release), delta(Some(NOW))), Err(F::REVOCATION_AFTER_EXPIRY));
    assert_eq!(report(&keeping(list(&release), NOW), delta(Some(NOW))), Ok(()));
    let held = revoking(within, &release, Reason::CertificateHold);
    assert_eq!(report(&held, delta(None)), Err(F::REVOKED_ON_HOLD));
}

#[test]
fn a_list_that_dropped_an_expired_delegate_does_not_clear_it() {
    let release = Release::new();
    let issuer = &release.signing.authority;
    let issuer_key = &release.signing.authority_key;
    let key = ForgeKey::p384("delegate");
    let delegate = CertificateDraft::new(&name("OCSP"), &key, &issuer.subject, issuer_key)
        .with(key_usage(&[0]))
        .with(usages(NonCritical, &[oid::KP_OCSP_SIGNING]))
        .sign(issuer_key);
    let id = cert_id(
        HashAlgorithm::Sha256,
        &release.signing.sign().authority,
        &release.signing.leaf.serial,
    );
    let mut single = SingleDraft::good(&id.expect("a CertID"));
    (single.this_update, single.next_update) = (NOT_AFTER, Some(LATER.plus_seconds(DAY)));
    // So that what is believed shows.
    let mut draft = OcspDraft::new(single.revoked(Reason::KeyCompromise, Release::SIGNED));
    draft.responder = WhoAnswers::ByKey;
    draft.produced_at = NOT_AFTER;
    let response = draft.with_certificate(&delegate).sign(&key);
    let report = |list: CrlDraft| {
        outcome(&verified(&release, vec![list.sign(issuer_key)], vec![response.clone()], ""))
    };
    assert_eq!(report(keeping(list(&release), NOW)), Err(F::REVOKED));
    assert_eq!(report(list(&release)), Err(F::REVOCATION_AFTER_EXPIRY));
}

#[test]
fn what_our_own_authority_lists_stays_checkable_after_the_expiry() {
    // The lists of `ca crl`, long after everything has expired.
    let world = World::new();
    let later = world::NOW.plus_seconds(3_000 * DAY);
    let signed = world::NOW.minus_seconds(3_600);
    let leaf = Certificate::decode(&world.signer.certificate).expect("a certificate");
    assert!(leaf.not_after < later, "the signer's certificate has expired");
    let bundle = world.sign(b"content", Some(signed));
    let with = |revoked: &[(Vec<u8>, Reason, UnixSeconds)]| {
        let crl = world.crl(Authority::Signing, later.minus_seconds(60), revoked);
        let given = Given { crls: vec![crl], now: later, ..world.given(b"content") };
        outcome(&world.verify(&bundle, &given))
    };
    assert_eq!(with(&[]), Ok(()));
    let revoked = |date| [(world.signer.serial(), Reason::KeyCompromise, date)];
    assert_eq!(with(&revoked(signed.minus_seconds(1))), Err(F::REVOKED));
    assert_eq!(with(&revoked(signed.plus_seconds(60))), Ok(()), "signed before");
}
