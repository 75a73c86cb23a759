//! The decision table, row by row.

use super::{evidence::most_telling, *};
use crate::policy::{AfterExpiry, Offline};

const DAY: i64 = 86_400;
const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);
/// D of the table.
const DATE: UnixSeconds = NOW.minus_seconds(10 * DAY);
const BEFORE: Option<ProvenTime<'static>> = Some(ProvenTime::assumed(NOW.minus_seconds(20 * DAY)));
const AFTER: Option<ProvenTime<'static>> = Some(ProvenTime::assumed(NOW.minus_seconds(5 * DAY)));
const AT: Option<ProvenTime<'static>> = Some(ProvenTime::assumed(DATE));

use FindingCode as F;
use RevocationReason as R;

fn codes(
    revoked: Option<RevocationReason>,
    freshness: Freshness,
    subject: Subject,
    signed_by: Option<ProvenTime<'static>>,
    rules: &Revocation,
) -> Vec<FindingCode> {
    let revoked = revoked.map(|reason| (reason, DATE));
    let known = Known { revoked, as_of: NOW.minus_seconds(3 * DAY), freshness };
    decide(&known, subject, signed_by, rules, NOW).into_iter().map(|each| each.code).collect()
}

fn signer(reason: R, signed_by: Option<ProvenTime<'static>>) -> Vec<FindingCode> {
    codes(Some(reason), Freshness::Fresh, Subject::Signer, signed_by, &Revocation::default())
}

fn strict() -> Revocation {
    Revocation { compromise: Compromise::Reject, ..Revocation::default() }
}

#[test]
fn good_and_fresh_is_a_clean_pass() {
    for signed_by in [None, BEFORE, AFTER] {
        let found =
            codes(None, Freshness::Fresh, Subject::Signer, signed_by, &Revocation::default());
        assert_eq!(found, []);
    }
}

#[test]
fn revoked_without_a_timestamp_is_rejected_for_every_reason() {
    for reason in R::ALL {
        let expected = if reason == R::CertificateHold { F::REVOKED_ON_HOLD } else { F::REVOKED };
        assert_eq!(signer(reason, None), [expected], "{reason:?}");
    }
}

#[test]
fn signed_at_or_after_the_date_is_rejected_for_every_reason() {
    for reason in R::ALL {
        let expected = if reason == R::CertificateHold { F::REVOKED_ON_HOLD } else { F::REVOKED };
        assert_eq!(signer(reason, AT), [expected], "{reason:?}");
        assert_eq!(signer(reason, AFTER), [expected], "{reason:?}");
    }
}

#[test]
fn signed_before_a_harmless_revocation_is_noted() {
    for reason in
        [R::Superseded, R::CessationOfOperation, R::AffiliationChanged, R::CertificateHold]
    {
        assert_eq!(signer(reason, BEFORE), [F::REVOKED_AFTER_SIGNING], "{reason:?}");
        let found = codes(Some(reason), Freshness::Fresh, Subject::Signer, BEFORE, &strict());
        assert_eq!(found, [F::REVOKED_AFTER_SIGNING], "{reason:?}");
    }
}

#[test]
fn signed_before_a_compromise_warns_and_the_strict_policy_rejects() {
    for reason in [R::KeyCompromise, R::Unspecified, R::PrivilegeWithdrawn] {
        assert_eq!(signer(reason, BEFORE), [F::COMPROMISED_AFTER_SIGNING], "{reason:?}");
        let found = codes(Some(reason), Freshness::Fresh, Subject::Signer, BEFORE, &strict());
        assert_eq!(found, [F::REVOKED_COMPROMISE_STRICT], "{reason:?}");
    }
}

#[test]
fn a_compromised_authority_follows_the_same_rule() {
    let authority = |signed_by, rules: &Revocation| {
        codes(Some(R::CaCompromise), Freshness::Fresh, Subject::Authority, signed_by, rules)
    };
    assert_eq!(authority(BEFORE, &Revocation::default()), [F::AUTHORITY_COMPROMISED_AFTER_SIGNING]);
    assert_eq!(authority(BEFORE, &strict()), [F::REVOKED_COMPROMISE_STRICT]);
    assert_eq!(authority(AFTER, &Revocation::default()), [F::REVOKED_AUTHORITY]);
    assert_eq!(authority(None, &Revocation::default()), [F::REVOKED_AUTHORITY]);
}

#[test]
fn stale_evidence_that_lists_it_still_rejects() {
    for reason in [R::KeyCompromise, R::Superseded] {
        let found =
            codes(Some(reason), Freshness::Stale, Subject::Signer, AFTER, &Revocation::default());
        assert_eq!(found, [F::REVOKED]);
    }
}

#[test]
fn stale_evidence_is_never_a_pass_by_itself() {
    let rules = Revocation::default();
    assert_eq!(
        codes(None, Freshness::Stale, Subject::Signer, BEFORE, &rules),
        [F::REVOCATION_STALE]
    );
    assert_eq!(codes(None, Freshness::Stale, Subject::Signer, None, &rules), [F::REVOCATION_STALE]);
    assert_eq!(
        codes(Some(R::Superseded), Freshness::Stale, Subject::Signer, BEFORE, &rules),
        [F::REVOCATION_STALE, F::REVOKED_AFTER_SIGNING]
    );
}

#[test]
fn stale_evidence_passes_where_the_policy_allows_offline_use() {
    let offline = |max_age_days: u32, grace_days: u32| Revocation {
        offline: Some(Offline {
            max_age_seconds: max_age_days * 86_400,
            grace_seconds: grace_days * 86_400,
        }),
        ..Revocation::default()
    };
    let stale = |signed_by, rules: &Revocation| {
        codes(None, Freshness::Stale, Subject::Signer, signed_by, rules)
    };
    // The evidence is three days old; the timestamp twenty days, or five.
    assert_eq!(stale(BEFORE, &offline(30, 1)), [F::STALE_ACCEPTED]);
    assert_eq!(stale(BEFORE, &offline(2, 1)), [F::REVOCATION_STALE], "over its maximum age");
    assert_eq!(stale(AFTER, &offline(30, 2)), [F::STALE_ACCEPTED]);
    assert_eq!(stale(AFTER, &offline(30, 3)), [F::REVOCATION_STALE], "within the grace");
    assert_eq!(stale(None, &offline(30, 1)), [F::REVOCATION_STALE], "no proven time");
}

#[test]
fn the_last_that_was_known_before_the_expiry_passes_only_where_the_policy_takes_it() {
    let rules = Revocation { after_expiry: AfterExpiry::LastKnown, ..Revocation::default() };
    let last = |revoked, signed_by, rules: &Revocation| {
        codes(revoked, Freshness::LastKnown, Subject::Signer, signed_by, rules)
    };
    // The evidence is three days old.
    let yesterday = Some(ProvenTime::assumed(NOW.minus_seconds(DAY)));
    let then = Some(ProvenTime::assumed(NOW.minus_seconds(3 * DAY)));
    assert_eq!(last(None, BEFORE, &rules), [F::LAST_KNOWN_ACCEPTED]);
    assert_eq!(last(None, then, &rules), [F::LAST_KNOWN_ACCEPTED]);
    assert_eq!(last(None, yesterday, &rules), [F::REVOCATION_STALE], "from before the signature");
    assert_eq!(last(None, None, &rules), [F::REVOCATION_STALE], "no proven time");
    assert_eq!(last(None, BEFORE, &Revocation::default()), [F::REVOCATION_STALE]);
    assert_eq!(last(Some(R::KeyCompromise), AFTER, &rules), [F::REVOKED]);
    let superseded = last(Some(R::Superseded), BEFORE, &rules);
    assert_eq!(superseded, [F::LAST_KNOWN_ACCEPTED, F::REVOKED_AFTER_SIGNING]);
    let stale = codes(None, Freshness::Stale, Subject::Signer, BEFORE, &rules);
    assert_eq!(stale, [F::REVOCATION_STALE], "a certificate that is valid still");
}

#[test]
fn a_compromised_timestamp_authority_proves_nothing() {
    let authority = |reason, signed_by| {
        let rules = Revocation::default();
        codes(Some(reason), Freshness::Fresh, Subject::TimestampAuthority, signed_by, &rules)
    };
    for reason in [R::KeyCompromise, R::Unspecified, R::CaCompromise] {
        assert_eq!(authority(reason, BEFORE), [F::TIMESTAMP_AUTHORITY_REVOKED], "{reason:?}");
    }
    for reason in [R::Superseded, R::CessationOfOperation, R::AffiliationChanged] {
        assert_eq!(authority(reason, BEFORE), [], "{reason:?}");
        assert_eq!(authority(reason, AFTER), [F::TIMESTAMP_AUTHORITY_REVOKED], "{reason:?}");
    }
}

#[test]
fn revocation_for_good_is_not_undone_by_other_evidence() {
    let known = |revoked, days| Known {
        revoked: Option::map(revoked, |reason| (reason, DATE)),
        as_of: NOW.minus_seconds(days * DAY),
        freshness: Freshness::Fresh,
    };
    let good = known(None, 1);
    let revoked = known(Some(R::Superseded), 2);
    let held = known(Some(R::CertificateHold), 2);
    assert_eq!(most_telling(&[good, revoked]), Some(revoked));
    assert_eq!(most_telling(&[good, held]), Some(good), "a suspension is lifted by newer evidence");
    assert_eq!(most_telling(&[known(None, 3), held]), Some(held));
    let worse = known(Some(R::KeyCompromise), 1);
    assert_eq!(most_telling(&[revoked, worse]), Some(worse));
    assert_eq!(most_telling(&[]), None);
}
