//! What is known of revocation: how old it is, what cannot be used, and where it can be looked up.

use countersign_core::{
    Artifact, EvidenceSet, RevocationSource, Verification,
    crypto::aws_lc::AwsLc,
    finding::FindingCode as F,
    policy::Policy,
    report::{Outcome, Question as Q, Report, Verdict},
    revocation::Subject,
    time::UnixSeconds,
    trust::TrustRoot,
    tsp::TokenForm,
};
use countersign_tests::forge::{CRL_URL, CrlDraft, DAY, ForgeKey, NOW, Release};

use super::{answer, case, genuine, verify};

/// What the standing of the signer rests on, with that mode for signer and authorities.
fn standing(crls: &[&CrlDraft], release: &Release, rules: &str) -> Report {
    let mut case = case(release, release.bundle(), rules);
    let sign = |list: &&CrlDraft| {
        let is_roots = list.issuer == release.signing.root.subject;
        let key = if is_roots { &release.signing.root_key } else { &release.signing.authority_key };
        list.sign(key)
    };
    case.crls = crls.iter().map(sign).collect();
    verify(&case)
}

#[test]
fn a_pass_is_as_old_as_the_oldest_evidence_and_rests_on_the_signers() {
    let release = Release::new();
    let of_signer = CrlDraft::new(&release.signing.authority.subject);
    let mut of_authority = CrlDraft::new(&release.signing.root.subject);
    of_authority.this_update = of_signer.this_update.minus_seconds(600);
    let optional = r#","revocation":{"signer":"when-available"}"#;
    let as_of = |time: UnixSeconds| format!("Yes, as of {time}.");
    let both = standing(&[&of_signer, &of_authority], &release, optional);
    let answered = answer(&both, Q::StillTrusted);
    assert_eq!(answered, (Outcome::Passed, as_of(of_authority.this_update).as_str()));
    // Of the authority alone: nothing is known of the signer.
    let authority = standing(&[&of_authority], &release, optional);
    assert_eq!(answer(&authority, Q::StillTrusted).0, Outcome::NotRequired);
    let not_required = |report: &Report| {
        let named = report.findings().iter().filter(|each| each.code == F::REVOCATION_NOT_REQUIRED);
        named.filter_map(|each| each.subject.clone()).collect::<Vec<_>>()
    };
    let leaf = "CN=signing leaf,O=Example".to_owned();
    assert!(not_required(&authority).contains(&leaf), "{:?}", not_required(&authority));
    assert!(!not_required(&both).contains(&leaf));
}

#[test]
fn stale_evidence_is_as_good_as_none_where_none_is_demanded() {
    let release = Release::new();
    let mut stale = CrlDraft::new(&release.signing.authority.subject);
    stale.this_update = NOW.minus_seconds(9 * DAY);
    stale.next_update = Some(NOW.minus_seconds(2 * DAY));
    let optional = standing(&[&stale], &release, r#","revocation":{"signer":"when-available"}"#);
    assert_eq!(optional.verdict(), Verdict::Verified, "{:#?}", optional.findings());
    let codes: Vec<F> = optional.findings().iter().map(|each| each.code).collect();
    assert!(codes.contains(&F::REVOCATION_NOT_REQUIRED) && !codes.contains(&F::REVOCATION_STALE));
    let demanded = standing(&[&stale], &release, "");
    assert_eq!(demanded.decisive().map(|each| each.code), Some(F::REVOCATION_STALE));
}

#[test]
fn unusable_evidence_is_said_and_leads_where_it_is_demanded() {
    let release = Release::new();
    let list = CrlDraft::new(&release.signing.authority.subject);
    let with = |rules: &str| {
        let mut case = case(&release, release.bundle(), rules);
        case.crls = vec![list.sign(&ForgeKey::p384("a stranger"))];
        verify(&case)
    };
    let demanded = with("");
    assert_eq!(demanded.decisive().map(|each| each.code), Some(F::CRL_SIGNATURE));
    let codes: Vec<_> = demanded.findings().iter().map(|each| each.code).collect();
    assert!(!codes.contains(&F::REVOCATION_UNAVAILABLE), "{codes:?}");
    let optional = with(r#","revocation":{"signer":"when-available"}"#);
    assert_eq!(optional.verdict(), Verdict::Verified, "{:#?}", optional.findings());
    let ignored = optional.findings().iter().find(|each| each.code == F::EVIDENCE_IGNORED);
    assert_eq!(ignored.and_then(|each| each.found.as_deref()), Some(F::CRL_SIGNATURE.code()));
    // Nothing at all: where it can be had is said.
    let absent = standing(&[], &release, "");
    let finding = absent.decisive().expect("a finding");
    assert_eq!(finding.code, F::REVOCATION_UNAVAILABLE);
    let from = format!("a CRL or OCSP response from {CRL_URL}");
    assert_eq!(finding.expected.as_deref(), Some(from.as_str()));
}

/// Where the revocation of a release's certificates is looked up.
fn sources(rules: &str) -> Vec<(Subject, Vec<u8>, Vec<u8>)> {
    let case = genuine(rules);
    let trust = TrustRoot::decode(&case.trusted_root).expect("a trust root");
    let policy = Policy::decode(&case.policy).expect("a policy");
    let set = EvidenceSet::decode(&case.bundle, TokenForm::Der);
    let verification = Verification::open(&set, &trust, &policy, &AwsLc, None, NOW);
    let sources = verification.sources(&Artifact::default(), &[], &[]);
    for source in &sources {
        assert_eq!(source.crl_urls, [CRL_URL]);
        assert!(source.ocsp_urls.is_empty());
    }
    let facts = |RevocationSource { subject, link, .. }| {
        (subject, link.certificate().to_vec(), link.issuer().to_vec())
    };
    sources.into_iter().map(facts).collect()
}

#[test]
fn names_where_each_certificate_that_the_policy_asks_of_can_be_looked_up() {
    let release = Release::new();
    let (signing, stamping) = (release.signing.sign(), release.stamping.sign());
    let signer = (Subject::Signer, signing.leaf, signing.authority.clone());
    let authority = (Subject::Authority, signing.authority, signing.root);
    let stampers = [
        (Subject::TimestampAuthority, stamping.leaf, stamping.authority.clone()),
        (Subject::TimestampAuthority, stamping.authority, stamping.root),
    ];
    assert_eq!(sources(""), [signer.clone(), authority, stampers[0].clone(), stampers[1].clone()]);
    let alone = r#","revocation":{"authorities":"off","timestamp_authorities":"off"}"#;
    assert_eq!(sources(alone), [signer]);
    let none =
        r#","revocation":{"signer":"off","authorities":"off","timestamp_authorities":"off"}"#;
    assert_eq!(sources(none), []);
}
