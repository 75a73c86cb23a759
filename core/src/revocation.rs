//! Revocation: what the evidence says of a certificate, and what follows from it.
//!
//! [`decide`] is the decision table of `docs/revocation.md` and nothing else: revocation respects
//! proven time. [`RevocationEvidence`] holds CRLs and OCSP responses and finds what they say about one
//! verified link; each is believed only when the issuer, or a delegate directly issued by it,
//! signed it, and only for what it covers.

mod evidence;
mod question;
#[cfg(test)]
mod tests;

pub use evidence::{RevocationEvidence, Standing, known};

use alloc::{format, string::String, vec::Vec};

use crate::{
    crl::RevocationReason,
    finding::{Finding, FindingCode},
    policy::{AfterExpiry, Compromise, Revocation, RevocationMode},
    time::UnixSeconds,
    verify::ProvenTime,
};

/// Whether evidence is recent enough for a pass; of several, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Before its nextUpdate, and not older than the policy allows.
    Fresh,
    /// Out of date, but from the validity of a certificate that has expired since: its issuer need
    /// not have said anything later of it.
    LastKnown,
    /// A CRL without nextUpdate, and the policy does not say how old evidence may be.
    Endless,
    /// Out of date.
    Stale,
}

/// What authentic evidence says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether, why and since when it is revoked.
    pub revoked: Option<(RevocationReason, UnixSeconds)>,
    /// thisUpdate of the evidence.
    pub as_of: UnixSeconds,
    /// Whether the evidence is recent.
    pub freshness: Freshness,
}

impl Known {
    /// Whether it is recent enough for a pass, whatever the policy says of older evidence.
    pub fn is_fresh(&self) -> bool {
        self.freshness == Freshness::Fresh
    }
}

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The signer's.
    Signer,
    /// A CA's above the signer.
    Authority,
    /// A timestamp authority's, or a CA's above it.
    TimestampAuthority,
}

impl Subject {
    /// The policy's mode for it.
    pub fn mode(self, rules: &Revocation) -> RevocationMode {
        match self {
            Self::Signer => rules.signer,
            Self::Authority => rules.authorities,
            Self::TimestampAuthority => rules.timestamp_authorities,
        }
    }
}

/// The decision table: what follows from what is known, given the time by which the signature
/// certainly existed. Findings of class note or warning leave a pass; none at all is a clean one.
pub fn decide(
    known: &Known,
    subject: Subject,
    signed_by: Option<ProvenTime<'_>>,
    rules: &Revocation,
    now: UnixSeconds,
) -> Vec<Finding> {
    let Some((reason, date)) = known.revoked else {
        return decide_age(known, signed_by, rules, now).into_iter().collect();
    };
    let facts = |code: FindingCode| {
        let signed = signed_by.map(|time| format!(", signed by {}", time.time()));
        let signed = signed.unwrap_or_else(|| String::from(", no proven time of signing"));
        Finding::new(code).found(format!("{} since {date}{signed}", reason.name()))
    };
    let before = signed_by.is_some_and(|time| time.time() < date);
    if subject == Subject::TimestampAuthority {
        // Whoever holds the authority's key can date a token back, so no date saves it.
        let key_lost = is_compromise(reason);
        if key_lost || !before {
            return vec![facts(FindingCode::TIMESTAMP_AUTHORITY_REVOKED)];
        }
        return decide_age(known, signed_by, rules, now).into_iter().collect();
    }
    if !before {
        return vec![facts(match (subject, reason) {
            (_, RevocationReason::CertificateHold) => FindingCode::REVOKED_ON_HOLD,
            (Subject::Authority, _) => FindingCode::REVOKED_AUTHORITY,
            _ => FindingCode::REVOKED,
        })];
    }
    if is_compromise(reason) && rules.compromise == Compromise::Reject {
        return vec![facts(FindingCode::REVOKED_COMPROMISE_STRICT)];
    }
    // From here on it passes, so what is known must be recent.
    let aged = decide_age(known, signed_by, rules, now);
    let passing = facts(match (is_compromise(reason), subject) {
        (true, Subject::Authority) => FindingCode::AUTHORITY_COMPROMISED_AFTER_SIGNING,
        (true, _) => FindingCode::COMPROMISED_AFTER_SIGNING,
        (false, _) => FindingCode::REVOKED_AFTER_SIGNING,
    });
    aged.into_iter().chain(core::iter::once(passing)).collect()
}

/// Reasons after which the key may be in other hands, or of which nothing better is known.
pub(crate) fn is_compromise(reason: RevocationReason) -> bool {
    match reason {
        RevocationReason::KeyCompromise
        | RevocationReason::CaCompromise
        | RevocationReason::AaCompromise
        | RevocationReason::Unspecified
        | RevocationReason::RemoveFromCrl
        | RevocationReason::PrivilegeWithdrawn => true,
        RevocationReason::Superseded
        | RevocationReason::CessationOfOperation
        | RevocationReason::AffiliationChanged
        | RevocationReason::CertificateHold => false,
    }
}

/// Stale evidence passes only if the policy allows offline use, within its maximum age, and if it
/// was made long enough after the timestamp; or if it is the last of an expired certificate's
/// validity, from after the signature, and the policy takes that.
fn decide_age(
    known: &Known,
    signed_by: Option<ProvenTime<'_>>,
    rules: &Revocation,
    now: UnixSeconds,
) -> Option<Finding> {
    if known.freshness == Freshness::Fresh {
        return None;
    }
    let facts = |code: FindingCode| {
        let age = Finding::new(code).found(format!("as of {}", known.as_of));
        match known.freshness {
            Freshness::Endless => age.expected("a nextUpdate, or `max_age_seconds` in the policy"),
            _ => age,
        }
    };
    let is_last_known = known.freshness == Freshness::LastKnown
        && rules.after_expiry == AfterExpiry::LastKnown
        && signed_by.is_some_and(|time| known.as_of >= time.time());
    if is_last_known {
        return Some(facts(FindingCode::LAST_KNOWN_ACCEPTED));
    }
    let allowed = rules.offline.zip(signed_by).is_some_and(|(offline, time)| {
        let made_after = time.time().plus_seconds(i64::from(offline.grace_seconds));
        known.as_of >= made_after
            && now.seconds_since(known.as_of) <= i64::from(offline.max_age_seconds)
    });
    Some(facts(if allowed { FindingCode::STALE_ACCEPTED } else { FindingCode::REVOCATION_STALE }))
}
