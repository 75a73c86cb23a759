//! The decision table of docs/revocation.md, row by row, through the one door: T is the proven
//! time of signing, D the date from which the certificate is not to be relied on.

use countersign_core::{
    crl::RevocationReason as Reason,
    finding::FindingCode,
    oid,
    report::{Report, Verdict},
    time::UnixSeconds,
};
use countersign_signing::{
    der::{self, Criticality::NonCritical},
    ocsp::cert_id,
};
use countersign_tests::forge::{
    Chain, CrlDraft, DAY, EntryDraft, ExtensionDraft, NOW, OcspDraft, Proofs, Release, SingleDraft,
};

const T: UnixSeconds = Release::SIGNED;
const STRICT: &str = r#","revocation":{"compromise":"reject"}"#;
const UNSTAMPED: &str = r#","timestamps":{"required":0}"#;

/// Reasons after which the key may be in other hands.
const COMPROMISES: [Reason; 5] = [
    Reason::KeyCompromise,
    Reason::Unspecified,
    Reason::PrivilegeWithdrawn,
    Reason::CaCompromise,
    Reason::AaCompromise,
];

/// Reasons that leave the key in its owner's hands.
const ORDERLY: [Reason; 3] =
    [Reason::Superseded, Reason::CessationOfOperation, Reason::AffiliationChanged];

/// A list of the CA below the root of `chain`.
fn list(chain: &Chain, entries: &[EntryDraft]) -> CrlDraft {
    let mut list = CrlDraft::new(&chain.authority.subject);
    list.entries = entries.to_vec();
    list
}

fn signed(chain: &Chain, list: &CrlDraft) -> Vec<u8> {
    list.sign(&chain.authority_key)
}

/// The signer's certificate revoked.
fn signer(release: &Release, reason: Reason, date: UnixSeconds) -> EntryDraft {
    EntryDraft::new(&release.signing.leaf.serial, reason, date)
}

#[track_caller]
fn report(release: &Release, list: &CrlDraft, rules: &str) -> Report {
    let crls = vec![signed(&release.signing, list)];
    release
        .verify(&release.bundle(), &Proofs { crls, rules: rules.to_owned(), ..Proofs::default() })
}

#[track_caller]
fn assert_rejected(report: &Report, code: FindingCode) {
    assert_eq!(report.decisive().map(|finding| finding.code), Some(code));
    assert_ne!(report.verdict(), Verdict::Verified);
}

#[track_caller]
fn assert_verified_with(report: &Report, code: FindingCode) {
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert!(report.findings().iter().any(|finding| finding.code == code), "{}", code.code());
}

#[test]
fn good_and_fresh_is_valid() {
    let release = Release::new();
    let report = report(&release, &list(&release.signing, &[]), "");
    assert_eq!(report.verdict(), Verdict::Verified, "{:#?}", report.findings());
    assert_eq!(report.signed_by(), Some(T));
}

#[test]
fn revoked_without_a_timestamp_is_rejected_for_every_reason() {
    let release = Release::new();
    let bundle = release.bundle_with(&release.signature(&release.signing.leaf_key), &[]);
    for reason in Reason::ALL {
        let entry = signer(&release, reason, NOW.minus_seconds(60));
        let crls = vec![signed(&release.signing, &list(&release.signing, &[entry]))];
        let proofs = Proofs { crls, rules: UNSTAMPED.to_owned(), ..Proofs::default() };
        let expected = match reason {
            Reason::CertificateHold => FindingCode::REVOKED_ON_HOLD,
            _ => FindingCode::REVOKED,
        };
        assert_rejected(&release.verify(&bundle, &proofs), expected);
    }
}

#[test]
fn revoked_at_or_before_the_proven_time_is_rejected() {
    let release = Release::new();
    for reason in COMPROMISES.into_iter().chain(ORDERLY) {
        for date in [T, T.minus_seconds(1), T.minus_seconds(30 * DAY)] {
            let list = list(&release.signing, &[signer(&release, reason, date)]);
            assert_rejected(&report(&release, &list, ""), FindingCode::REVOKED);
        }
    }
}

#[test]
fn orderly_revocation_after_the_proven_time_is_noted() {
    let release = Release::new();
    for reason in ORDERLY {
        let entry = signer(&release, reason, T.plus_seconds(1));
        let list = list(&release.signing, &[entry]);
        for rules in ["", STRICT] {
            let report = report(&release, &list, rules);
            assert_verified_with(&report, FindingCode::REVOKED_AFTER_SIGNING);
        }
    }
}

#[test]
fn compromise_after_the_proven_time_warns_and_the_strict_policy_rejects() {
    let release = Release::new();
    for reason in COMPROMISES {
        let entry = signer(&release, reason, T.plus_seconds(1));
        let list = list(&release.signing, &[entry]);
        let lenient = report(&release, &list, "");
        assert_verified_with(&lenient, FindingCode::COMPROMISED_AFTER_SIGNING);
        assert_rejected(&report(&release, &list, STRICT), FindingCode::REVOKED_COMPROMISE_STRICT);
    }
}

#[test]
fn the_earlier_of_both_dates_counts() {
    let release = Release::new();
    let with = |revocation: UnixSeconds, invalidity: UnixSeconds| {
        let mut entry = signer(&release, Reason::KeyCompromise, revocation);
        let date = der::generalized_time(invalidity);
        entry.extensions.push(ExtensionDraft::new(oid::CE_INVALIDITY_DATE, NonCritical, date));
        report(&release, &list(&release.signing, &[entry]), "")
    };
    let (before, after) = (T.minus_seconds(60), T.plus_seconds(60));
    assert_rejected(&with(after, before), FindingCode::REVOKED);
    assert_rejected(&with(before, after), FindingCode::REVOKED);
    assert_verified_with(&with(after, after), FindingCode::COMPROMISED_AFTER_SIGNING);
}

#[test]
fn an_answers_invalidity_date_counts_as_a_lists() {
    let release = Release::new();
    let issuer = release.signing.sign().authority;
    let hash = countersign_core::digest::HashAlgorithm::Sha256;
    let id = cert_id(hash, &issuer, &release.signing.leaf.serial).expect("a CertID");
    let with = |invalidity: UnixSeconds| {
        let after = T.plus_seconds(60);
        let mut single = SingleDraft::good(&id).revoked(Reason::KeyCompromise, after);
        let date = der::generalized_time(invalidity);
        single.extensions.push(ExtensionDraft::new(oid::CE_INVALIDITY_DATE, NonCritical, date));
        let ocsp = vec![OcspDraft::new(single).sign(&release.signing.authority_key)];
        release.verify(&release.bundle(), &Proofs { ocsp, ..Proofs::default() })
    };
    assert_rejected(&with(T), FindingCode::REVOKED);
    assert_verified_with(&with(T.plus_seconds(1)), FindingCode::COMPROMISED_AFTER_SIGNING);
}

#[test]
fn a_compromised_issuing_ca_voids_what_came_later() {
    let release = Release::new();
    let chain = &release.signing;
    let with = |date: UnixSeconds, rules: &str| {
        let entry = EntryDraft::new(&chain.authority.serial, Reason::CaCompromise, date);
        let mut root = CrlDraft::new(&chain.root.subject);
        root.entries = vec![entry];
        let crls = vec![signed(chain, &list(chain, &[])), root.sign(&chain.root_key)];
        let proofs = Proofs { crls, rules: rules.to_owned(), ..Proofs::default() };
        release.verify(&release.bundle(), &proofs)
    };
    let after = T.plus_seconds(1);
    assert_verified_with(&with(after, ""), FindingCode::AUTHORITY_COMPROMISED_AFTER_SIGNING);
    assert_rejected(&with(after, STRICT), FindingCode::REVOKED_COMPROMISE_STRICT);
    assert_rejected(&with(T, ""), FindingCode::REVOKED_AUTHORITY);
}

#[test]
fn a_suspension_counts_from_its_date() {
    let release = Release::new();
    let with = |date| {
        let entry = signer(&release, Reason::CertificateHold, date);
        report(&release, &list(&release.signing, &[entry]), "")
    };
    assert_rejected(&with(T), FindingCode::REVOKED_ON_HOLD);
    assert_eq!(with(T.plus_seconds(1)).verdict(), Verdict::Verified);
}

#[test]
fn stale_evidence_still_revokes() {
    let release = Release::new();
    for rules in ["", r#","revocation":{"offline":{"max_age_seconds":864000,"grace_seconds":0}}"#] {
        let mut list = list(&release.signing, &[signer(&release, Reason::Superseded, T)]);
        list.next_update = Some(NOW.minus_seconds(1));
        assert_rejected(&report(&release, &list, rules), FindingCode::REVOKED);
    }
}

#[test]
fn stale_good_passes_only_by_the_policys_leave_within_age_and_grace() {
    let release = Release::new();
    let with = |this_update: UnixSeconds, rules: &str| {
        let mut list = list(&release.signing, &[]);
        list.this_update = this_update;
        list.next_update = Some(NOW.minus_seconds(1));
        report(&release, &list, rules)
    };
    let offline = |age: i64, grace: i64| {
        format!(
            r#","revocation":{{"offline":{{"max_age_seconds":{age},"grace_seconds":{grace}}}}}"#
        )
    };
    let made = T.plus_seconds(600);
    let age = NOW.seconds_since(made);
    assert_verified_with(&with(made, &offline(age, 600)), FindingCode::STALE_ACCEPTED);
    assert_rejected(&with(made, ""), FindingCode::REVOCATION_STALE);
    assert_rejected(&with(made, &offline(age - 1, 600)), FindingCode::REVOCATION_STALE);
    assert_rejected(&with(made, &offline(age, 601)), FindingCode::REVOCATION_STALE);
}

/// The timestamp authority's certificate revoked.
fn with_revoked_authority(reason: Reason, date: UnixSeconds) -> Report {
    let release = Release::new();
    let chain = &release.stamping;
    let entry = EntryDraft::new(&chain.leaf.serial, reason, date);
    let crls = vec![
        signed(&release.signing, &list(&release.signing, &[])),
        signed(chain, &list(chain, &[entry])),
    ];
    release.verify(&release.bundle(), &Proofs { crls, ..Proofs::default() })
}

#[test]
fn a_compromised_timestamp_authority_proves_nothing() {
    for reason in COMPROMISES {
        for date in [T.minus_seconds(DAY), T, T.plus_seconds(1_800)] {
            let report = with_revoked_authority(reason, date);
            assert_rejected(&report, FindingCode::TIMESTAMP_AUTHORITY_REVOKED);
        }
    }
}

#[test]
fn an_orderly_revoked_timestamp_authority_keeps_its_earlier_timestamps() {
    for reason in ORDERLY {
        let later = with_revoked_authority(reason, T.plus_seconds(1));
        assert_eq!(later.verdict(), Verdict::Verified, "{:#?}", later.findings());
        let earlier = with_revoked_authority(reason, T);
        assert_rejected(&earlier, FindingCode::TIMESTAMP_AUTHORITY_REVOKED);
    }
}

#[test]
fn a_compromised_ca_of_the_timestamp_authority_voids_its_timestamps() {
    let release = Release::new();
    let chain = &release.stamping;
    let after = T.plus_seconds(1_800);
    let mut root = CrlDraft::new(&chain.root.subject);
    root.entries = vec![EntryDraft::new(&chain.authority.serial, Reason::CaCompromise, after)];
    let crls =
        vec![signed(&release.signing, &list(&release.signing, &[])), root.sign(&chain.root_key)];
    let report = release.verify(&release.bundle(), &Proofs { crls, ..Proofs::default() });
    assert_rejected(&report, FindingCode::TIMESTAMP_AUTHORITY_REVOKED);
}
