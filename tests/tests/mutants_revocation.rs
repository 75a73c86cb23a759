//! CRLs and OCSP responses, each wrong in one way and validly signed, through the one door: the
//! verifier's rows of docs/revocation.md with their codes, by both fillers alike.
//!
//! The signature under test carries no timestamp and the policy demands none, so that the
//! evidence alone decides.

use countersign_core::{
    Artifact, Evidence,
    crl::RevocationReason,
    crypto::{CryptoProvider, aws_lc::AwsLc, rustcrypto::RustCrypto},
    digest::{HashAlgorithm, digest},
    finding::FindingCode,
    oid,
    policy::Policy,
    report::{Report, Verdict},
    trust::{Authority, Logs, TrustRoot, Window},
    verify,
};
use countersign_signing::{
    bundle::{self, Bundle},
    der::{
        self,
        Criticality::{self, Critical, NonCritical},
    },
    key::Signer as _,
    ocsp::cert_id,
};
use countersign_tests::forge::{
    CRL_URL, CertificateDraft, Chain, CrlDraft, DAY, EntryDraft, ExtensionDraft, ForgeKey,
    IDENTITY, NOW, OcspDraft, SignedChain, SingleDraft, WhoAnswers, key_usage, name, usages,
};

const FILE: &[u8] = b"the published program";

/// What was decided: a pass, or the code that leads.
type Outcome = Result<(), FindingCode>;

/// A signed file whose signer's revocation is asked about.
struct Scene {
    chain: Chain,
    signed: SignedChain,
    bundle: Vec<u8>,
    trust: TrustRoot,
}

impl Scene {
    fn new() -> Self {
        Self::of(Chain::code_signing())
    }

    fn of(chain: Chain) -> Self {
        let signed = chain.sign();
        let digest = digest(&AwsLc, HashAlgorithm::Sha384, FILE);
        let evidence = bundle::Evidence { certificate: &signed.leaf, timestamps: &[] };
        let signature = chain.leaf_key.signature(FILE);
        let bundle = Bundle::message_signature(&digest, &signature, evidence);
        let authorities = vec![signed.authority.clone(), signed.root.clone()];
        let authority = Authority::from_chain("http://ca.example", authorities, Window::default());
        let trust = TrustRoot {
            certificate_authorities: vec![authority.expect("an authority")],
            timestamp_authorities: Vec::new(),
            logs: Logs::None,
        };
        Self { bundle: bundle.to_json().expect("JSON").into(), chain, signed, trust }
    }

    #[track_caller]
    fn report(&self, crls: &[Vec<u8>], ocsp: &[Vec<u8>]) -> Report {
        let policy = format!(
            r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}],
                "timestamps":{{"required":0}}}}"#
        );
        let policy = Policy::decode(policy.as_bytes()).expect("a policy");
        let digests = [digest(&AwsLc, HashAlgorithm::Sha384, FILE)];
        let crls: Vec<&[u8]> = crls.iter().map(Vec::as_slice).collect();
        let ocsp: Vec<&[u8]> = ocsp.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            artifact: Artifact { name: None, size: None, digests: &digests },
            bundle: &self.bundle,
            crls: &crls,
            ocsp_responses: &ocsp,
        };
        let by = |crypto: &dyn CryptoProvider| verify(&evidence, &self.trust, &policy, crypto, NOW);
        let native = by(&AwsLc);
        assert_eq!(native, by(&RustCrypto), "rustcrypto differs");
        native
    }

    #[track_caller]
    fn outcome(&self, crls: &[Vec<u8>], ocsp: &[Vec<u8>]) -> Outcome {
        let report = self.report(crls, ocsp);
        match report.verdict() {
            Verdict::Verified => Ok(()),
            _ => Err(report.decisive().expect("a reason").code),
        }
    }

    fn serial(&self) -> &[u8] {
        &self.chain.leaf.serial
    }

    /// A list of the signing CA, all certificates and reasons.
    fn list(&self) -> CrlDraft {
        CrlDraft::new(&self.chain.authority.subject)
    }

    fn delta(&self, base: u64) -> CrlDraft {
        CrlDraft::delta(&self.chain.authority.subject, base)
    }

    fn entry(&self, reason: RevocationReason) -> EntryDraft {
        EntryDraft::new(self.serial(), reason, NOW.minus_seconds(DAY))
    }

    /// The outcome with these lists, all signed by the CA.
    #[track_caller]
    fn with_lists(&self, lists: &[CrlDraft]) -> Outcome {
        let lists: Vec<Vec<u8>> =
            lists.iter().map(|list| list.sign(&self.chain.authority_key)).collect();
        self.outcome(&lists, &[])
    }

    fn good(&self) -> SingleDraft {
        let id = cert_id(HashAlgorithm::Sha1, &self.signed.authority, self.serial());
        SingleDraft::good(&id.expect("a CertID"))
    }

    fn answer(&self) -> OcspDraft {
        OcspDraft::new(self.good())
    }

    /// A delegate of the signing CA.
    fn delegate(&self, key: &ForgeKey) -> CertificateDraft {
        let (issuer, issuer_key) = (&self.chain.authority.subject, &self.chain.authority_key);
        CertificateDraft::new(&name("OCSP"), key, issuer, issuer_key)
            .with(key_usage(&[0]))
            .with(usages(NonCritical, &[oid::KP_OCSP_SIGNING]))
            .with(no_check())
    }

    /// The outcome with an answer by a delegate with one change.
    #[track_caller]
    fn by_delegate(&self, change: impl FnOnce(CertificateDraft) -> CertificateDraft) -> Outcome {
        let key = ForgeKey::p384("delegate");
        let delegate = change(self.delegate(&key)).sign(&self.chain.authority_key);
        self.outcome(&[], &[self.answer().with_certificate(&delegate).sign(&key)])
    }
}

fn no_check() -> ExtensionDraft {
    ExtensionDraft::new(oid::OCSP_NO_CHECK, NonCritical, der::NULL.to_vec())
}

/// The outcome with one list that has one change.
#[track_caller]
fn list(change: impl FnOnce(CrlDraft) -> CrlDraft) -> Outcome {
    let scene = Scene::new();
    scene.with_lists(&[change(scene.list())])
}

/// The outcome with one answer of the CA itself that has one change.
#[track_caller]
fn answer(change: impl FnOnce(&Scene, &mut OcspDraft)) -> Outcome {
    let scene = Scene::new();
    let mut draft = scene.answer();
    change(&scene, &mut draft);
    scene.outcome(&[], &[draft.sign(&scene.chain.authority_key)])
}

/// A BOOLEAN TRUE of issuingDistributionPoint.
fn flag(number: u8) -> Vec<u8> {
    der::implicit(number, &[0xFF])
}

fn unknown(criticality: Criticality) -> ExtensionDraft {
    ExtensionDraft { criticality, ..ExtensionDraft::unknown_critical() }
}

#[test]
fn accepts_the_evidence_that_the_mutants_are_made_from() {
    assert_eq!(list(|list| list), Ok(()));
    assert_eq!(answer(|_, _| ()), Ok(()));
    assert_eq!(Scene::new().by_delegate(|delegate| delegate), Ok(()));
    assert_eq!(Scene::new().outcome(&[], &[]), Err(FindingCode::RevocationUnavailable));
}

// CRLs (RFC 5280 §5, §6.3.3).

#[test]
fn refuses_lists_with_critical_extensions_that_are_not_known() {
    assert_eq!(list(|list| list.with(unknown(Critical))), Err(FindingCode::CrlExtension));
    assert_eq!(list(|list| list.with(unknown(NonCritical))), Ok(()));
    // §5.3: such an entry, even of another certificate, spoils the list.
    let entry = |extension| {
        let mut entry = EntryDraft::new(&[9], RevocationReason::Superseded, NOW);
        entry.extensions.push(extension);
        list(|list| list.revoking(entry))
    };
    assert_eq!(entry(unknown(Critical)), Err(FindingCode::CrlExtension));
    assert_eq!(entry(unknown(NonCritical)), Ok(()));
    let other_issuer = der::sequence(&[&der::context(4, &[&name("somebody else")])]);
    let certificate_issuer =
        ExtensionDraft::new(oid::CE_CERTIFICATE_ISSUER, Critical, other_issuer);
    assert_eq!(entry(certificate_issuer), Err(FindingCode::CrlExtension));
}

#[test]
fn refuses_lists_of_another_scope() {
    let scope = |url: &str, fields: &[&[u8]]| list(|list| list.with(CrlDraft::point(url, fields)));
    let another = "http://revocation.example/crl/another.crl";
    assert_eq!(scope(another, &[]), Err(FindingCode::CrlScope));
    assert_eq!(scope(CRL_URL, &[&flag(2)]), Err(FindingCode::CrlScope), "CA certificates only");
    assert_eq!(scope(CRL_URL, &[&flag(5)]), Err(FindingCode::CrlScope), "attributes only");
    assert_eq!(scope(CRL_URL, &[&flag(4)]), Err(FindingCode::CrlScope), "indirect");
    assert_eq!(scope(CRL_URL, &[&flag(1)]), Ok(()), "end entities only");
    let both = scope(CRL_URL, &[&flag(1), &flag(2)]);
    assert_eq!(both, Err(FindingCode::CrlMalformed), "at most one restriction");
}

#[test]
fn a_list_for_some_reasons_never_passes_alone() {
    // [3] ReasonFlags: keyCompromise(1) and cACompromise(2).
    let some = CrlDraft::point(CRL_URL, &[&der::implicit(3, &[5, 0b0110_0000])]);
    assert_eq!(list(|list| list.with(some)), Err(FindingCode::CrlScope));
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
    assert_eq!(at(|list| list.next_update = None), Err(FindingCode::RevocationStale));
    let past = at(|list| list.next_update = Some(NOW.minus_seconds(1)));
    assert_eq!(past, Err(FindingCode::RevocationStale));
    let future = at(|list| list.this_update = NOW.plus_seconds(3_600));
    assert_eq!(future, Err(FindingCode::RevocationStale));
}

#[test]
fn refuses_lists_that_another_signed() {
    let scene = Scene::new();
    let stranger = scene.list().sign(&ForgeKey::p384("a stranger"));
    assert_eq!(scene.outcome(&[stranger], &[]), Err(FindingCode::CrlSignature));
    let leaf = scene.list().sign(&scene.chain.leaf_key);
    assert_eq!(scene.outcome(&[leaf], &[]), Err(FindingCode::CrlSignature));
    let elsewhere = CrlDraft::new(&name("somebody else"));
    let outcome = scene.with_lists(&[elsewhere]);
    assert_eq!(outcome, Err(FindingCode::RevocationUnavailable));
    let mut chain = Chain::code_signing();
    chain.authority = chain.authority.with(key_usage(&[5]));
    let scene = Scene::of(chain);
    let outcome = scene.with_lists(&[scene.list()]);
    assert_eq!(outcome, Err(FindingCode::CrlNotAuthorised), "no cRLSign");
}

#[test]
fn refuses_extensions_in_a_list_of_version_1() {
    // §5.1.2.1: "When extensions are used … this field MUST be present and MUST specify version 2".
    let first = |mut list: CrlDraft| {
        list.version.clear();
        list
    };
    assert_eq!(list(first), Err(FindingCode::CrlMalformed));
}

#[test]
fn refuses_an_entry_extension_that_stands_twice() {
    let scene = Scene::new();
    let mut entry = scene.entry(RevocationReason::KeyCompromise);
    let value = der::enumerated(RevocationReason::CertificateHold.code());
    entry.extensions.push(ExtensionDraft::new(oid::CE_CRL_REASONS, NonCritical, value));
    let outcome = scene.with_lists(&[scene.list().revoking(entry)]);
    assert_eq!(outcome, Err(FindingCode::CrlMalformed));
}

#[test]
fn believes_a_revocation_whatever_its_reason() {
    for reason in RevocationReason::ALL {
        let scene = Scene::new();
        let outcome = scene.with_lists(&[scene.list().revoking(scene.entry(reason))]);
        let expected = match reason {
            RevocationReason::CertificateHold => FindingCode::RevokedOnHold,
            _ => FindingCode::Revoked,
        };
        assert_eq!(outcome, Err(expected), "{}", reason.name());
    }
}

#[test]
fn a_stale_list_still_revokes() {
    let scene = Scene::new();
    let mut stale = scene.list().revoking(scene.entry(RevocationReason::KeyCompromise));
    stale.next_update = Some(NOW.minus_seconds(1));
    assert_eq!(scene.with_lists(&[stale.clone()]), Err(FindingCode::Revoked));
    // A newer list that dropped the entry does not undo it.
    assert_eq!(scene.with_lists(&[stale, scene.list()]), Err(FindingCode::Revoked));
}

#[test]
fn a_newer_list_lifts_a_suspension() {
    let scene = Scene::new();
    let mut held = scene.list().revoking(scene.entry(RevocationReason::CertificateHold));
    held.this_update = NOW.minus_seconds(7_200);
    assert_eq!(scene.with_lists(&[held, scene.list()]), Ok(()));
}

// Deltas (RFC 5280 §5.2.4).

#[test]
fn lays_a_right_delta_over_its_base() {
    let scene = Scene::new();
    for base in [9, 10] {
        let delta = scene.delta(base).revoking(scene.entry(RevocationReason::KeyCompromise));
        let outcome = scene.with_lists(&[scene.list(), delta]);
        assert_eq!(outcome, Err(FindingCode::Revoked), "on base {base}");
    }
    let held = scene.list().revoking(scene.entry(RevocationReason::CertificateHold));
    let lifted = scene.delta(10).revoking(scene.entry(RevocationReason::RemoveFromCrl));
    assert_eq!(scene.with_lists(&[held, lifted]), Ok(()));
}

#[test]
fn does_not_use_a_delta_that_is_not_for_its_base() {
    let scene = Scene::new();
    let revoking =
        |delta: CrlDraft| delta.revoking(scene.entry(RevocationReason::KeyCompromise));
    let number = |number| {
        ExtensionDraft::new(oid::CE_CRL_NUMBER, NonCritical, der::integer(number))
    };
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
    assert_eq!(outcome, Err(FindingCode::RevocationUnavailable));
}

#[test]
fn a_delta_with_an_unknown_critical_extension_is_not_passed_over() {
    let scene = Scene::new();
    let outcome = scene.with_lists(&[scene.list(), scene.delta(10).with(unknown(Critical))]);
    assert_eq!(outcome, Err(FindingCode::CrlExtension));
}

#[test]
fn a_delta_lifts_nothing_but_a_suspension() {
    // §5.3.1: removeFromCRL also stands for a certificate that expired; its revocation stands.
    let scene = Scene::new();
    let revoked = scene.list().revoking(scene.entry(RevocationReason::KeyCompromise));
    let removed = scene.delta(10).revoking(scene.entry(RevocationReason::RemoveFromCrl));
    assert_eq!(scene.with_lists(&[revoked, removed]), Err(FindingCode::Revoked));
}

// OCSP (RFC 6960 §3.2, §4.2).

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
    assert_eq!(other_serial, Err(FindingCode::RevocationUnavailable));
    let other_issuer = answer(|scene, draft| {
        let id = cert_id(HashAlgorithm::Sha1, &scene.signed.root, scene.serial());
        draft.responses[0].cert_id = id.expect("a CertID");
    });
    assert_eq!(other_issuer, Err(FindingCode::RevocationUnavailable));
    // The right name, another key: a CA renewed under its name.
    let mut renewed = Chain::code_signing();
    renewed.authority_key = ForgeKey::p384("renewed CA");
    renewed.authority.spki = renewed.authority_key.spki().to_vec();
    let renewed = renewed.sign();
    let other_key = answer(|scene, draft| {
        let id = cert_id(HashAlgorithm::Sha256, &renewed.authority, scene.serial());
        draft.responses[0].cert_id = id.expect("a CertID");
    });
    assert_eq!(other_key, Err(FindingCode::RevocationUnavailable));
}

#[test]
fn refuses_answers_with_critical_extensions_that_are_not_known() {
    let response = answer(|_, draft| draft.extensions.push(unknown(Critical)));
    assert_eq!(response, Err(FindingCode::OcspExtension));
    let single = answer(|_, draft| draft.responses[0].extensions.push(unknown(Critical)));
    assert_eq!(single, Err(FindingCode::OcspExtension));
    let neither = answer(|_, draft| {
        draft.extensions.push(unknown(NonCritical));
        draft.responses[0].extensions.push(unknown(NonCritical));
    });
    assert_eq!(neither, Ok(()));
}

#[test]
fn refuses_answers_out_of_their_time() {
    let endless = answer(|_, draft| draft.responses[0].next_update = None);
    assert_eq!(endless, Err(FindingCode::RevocationStale));
    let past = answer(|_, draft| draft.responses[0].next_update = Some(NOW.minus_seconds(1)));
    assert_eq!(past, Err(FindingCode::RevocationStale));
    let future = answer(|_, draft| draft.responses[0].this_update = NOW.plus_seconds(3_600));
    assert_eq!(future, Err(FindingCode::RevocationStale));
}

#[test]
fn looks_at_the_signature_before_the_status() {
    let scene = Scene::new();
    let mut draft = scene.answer();
    draft.responses[0] =
        scene.good().revoked(RevocationReason::KeyCompromise, NOW.minus_seconds(DAY));
    let revoked = draft.sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[], &[revoked]), Err(FindingCode::Revoked));
    draft.responder = WhoAnswers::ByName(scene.chain.authority.subject.clone());
    let forged = draft.sign(&ForgeKey::p384("a stranger"));
    assert_eq!(scene.outcome(&[], &[forged]), Err(FindingCode::OcspSignature));
    // A status other than successful carries no answer.
    let mut contradiction = scene.answer();
    contradiction.status = 3;
    let contradiction = contradiction.sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[], &[contradiction]), Err(FindingCode::OcspMalformed));
    let unknown = answer(|_, draft| draft.responses[0].status = der::implicit(2, &[]));
    assert_eq!(unknown, Err(FindingCode::RevocationUnknown));
}

#[test]
fn of_two_answers_the_revocation_counts() {
    let scene = Scene::new();
    let mut draft = scene.answer();
    let revoked = scene.good().revoked(RevocationReason::Superseded, NOW.minus_seconds(DAY));
    draft.responses.push(revoked);
    let response = draft.sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[], &[response.clone()]), Err(FindingCode::Revoked));
    let list = scene.list().sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[list], &[response]), Err(FindingCode::Revoked));
}

#[test]
fn refuses_delegates_that_are_none() {
    let refused = Err(FindingCode::OcspNotAuthorised);
    let scene = Scene::new();
    let use_of = |list: &[_]| {
        scene.by_delegate(|delegate| delegate.with(usages(NonCritical, list)))
    };
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
    let refused = Err(FindingCode::OcspNotAuthorised);
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
    assert_eq!(outcome, Err(FindingCode::OcspNotAuthorised));
}

#[test]
fn refuses_delegates_of_another_issuer() {
    let scene = Scene::new();
    let key = ForgeKey::p384("delegate");
    let root = &scene.chain.root_key;
    let by_root = CertificateDraft { issuer: scene.chain.root.subject.clone(), ..scene.delegate(&key) };
    let forged = scene.delegate(&key);
    for delegate in [by_root.sign(root), forged.sign(root), forged.sign(&key)] {
        let response = scene.answer().with_certificate(&delegate).sign(&key);
        let outcome = scene.outcome(&[], &[response]);
        assert_eq!(outcome, Err(FindingCode::OcspNotAuthorised));
    }
}

#[test]
fn refuses_a_delegate_with_an_unknown_critical_extension() {
    // RFC 5280 §4.2: "A certificate-using system MUST reject the certificate if it encounters a
    // critical extension it does not recognize".
    let scene = Scene::new();
    let outcome = scene.by_delegate(|delegate| delegate.with(unknown(Critical)));
    assert_eq!(outcome, Err(FindingCode::OcspNotAuthorised));
}

#[test]
fn refuses_a_delegate_with_a_weak_key() {
    let scene = Scene::new();
    let key = ForgeKey::rsa_1024();
    let delegate = scene.delegate(&key).sign(&scene.chain.authority_key);
    let response = scene.answer().with_certificate(&delegate).sign(&key);
    assert_eq!(scene.outcome(&[], &[response]), Err(FindingCode::OcspSignature));
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
    let believed = scene.outcome(&[clear], &[response.clone()]);
    assert_eq!(believed, Err(FindingCode::Revoked));
    let entry = EntryDraft::new(&serial, RevocationReason::KeyCompromise, NOW);
    let revoked = scene.list().revoking(entry).sign(&scene.chain.authority_key);
    assert_eq!(scene.outcome(&[revoked], &[response]), Ok(()), "a revoked delegate says nothing");
}
