//! What may become of a revocation: pure decisions, called by every storage inside its
//! transaction.
//!
//! A revocation only ever gets stricter. Its date D may move earlier; moving it later, undoing it
//! or weakening its reason would bring signatures back to life, which needs two people: that is
//! not offered here, so it is refused.

use countersign_core::{crl::RevocationReason, time::UnixSeconds};

use crate::storage::Revocation;

/// An order to revoke, as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationOrder {
    /// Why.
    pub reason: RevocationReason,
    /// From when on the key was in other hands; the revocation date when given.
    pub compromised_since: Option<UnixSeconds>,
    /// When the order came in.
    pub now: UnixSeconds,
    /// Who gave it.
    pub actor: String,
}

/// What an allowed order means for what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write this.
    Write(Revocation),
    /// It is so already.
    None(Revocation),
}

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A compromise without a date.
    #[error("{} needs compromised_since: the time from which on the key may have been in other hands", .reason.name())]
    CompromisedSinceMissing {
        /// The reason given.
        reason: RevocationReason,
    },
    /// A compromise that has not happened yet.
    #[error("compromised_since {compromised_since} lies in the future (it is {now})")]
    CompromisedSinceFuture {
        /// The date given.
        compromised_since: UnixSeconds,
        /// The service's clock.
        now: UnixSeconds,
    },
    /// A compromise before the certificate was valid.
    #[error(
        "compromised_since {compromised_since} is before the certificate's notBefore {not_before}; give {not_before} to withdraw everything it signed"
    )]
    CompromisedSinceBeforeValidity {
        /// The date given.
        compromised_since: UnixSeconds,
        /// When the certificate's validity starts.
        not_before: UnixSeconds,
    },
    /// The date would move later.
    #[error(
        "the certificate is revoked from {stored} on; moving that to {asked} would revive signatures and takes two people, which is not offered"
    )]
    DateLater {
        /// The date on record.
        stored: UnixSeconds,
        /// The date asked for.
        asked: UnixSeconds,
    },
    /// The reason would be weakened.
    #[error("the certificate is revoked for {}; that cannot be weakened to {}", .stored.name(), .asked.name())]
    ReasonLowered {
        /// The reason on record.
        stored: RevocationReason,
        /// The reason asked for.
        asked: RevocationReason,
    },
    /// A revocation would be undone.
    #[error("a revocation cannot be undone; issue a new certificate")]
    Undo,
}

impl Refusal {
    /// The problem code, dotted.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CompromisedSinceMissing { .. } => "revocation.compromised_since.missing",
            Self::CompromisedSinceFuture { .. } => "revocation.compromised_since.future",
            Self::CompromisedSinceBeforeValidity { .. } => {
                "revocation.compromised_since.before_validity"
            }
            Self::DateLater { .. } => "revocation.date.later",
            Self::ReasonLowered { .. } => "revocation.reason.lowered",
            Self::Undo => "revocation.undo",
        }
    }
}

/// Decides on an order for a certificate valid from `not_before`, given what is `stored`.
///
/// Without `compromised_since` a first revocation dates from now and a repeated one keeps its
/// date. `compromised_since` before `not_before` is refused, not clamped: what is stored and
/// published is what the person wrote, or nothing.
///
/// # Errors
/// A [`Refusal`].
pub fn decide(
    not_before: UnixSeconds,
    stored: Option<&Revocation>,
    order: &RevocationOrder,
) -> Result<Change, Refusal> {
    refuse_malformed(not_before, order)?;
    let written = |revocation_date| Revocation {
        reason: order.reason,
        revocation_date,
        recorded_at: order.now,
        actor: order.actor.clone(),
    };
    let Some(stored) = stored else {
        return Ok(Change::Write(written(order.compromised_since.unwrap_or(order.now))));
    };
    let date = order.compromised_since.unwrap_or(stored.revocation_date);
    if date > stored.revocation_date {
        return Err(Refusal::DateLater { stored: stored.revocation_date, asked: date });
    }
    if order.reason != stored.reason && weight(order.reason) < weight(stored.reason) {
        return Err(Refusal::ReasonLowered { stored: stored.reason, asked: order.reason });
    }
    if order.reason == stored.reason && date == stored.revocation_date {
        return Ok(Change::None(stored.clone()));
    }
    Ok(Change::Write(written(date)))
}

fn refuse_malformed(not_before: UnixSeconds, order: &RevocationOrder) -> Result<(), Refusal> {
    if order.reason == RevocationReason::RemoveFromCrl {
        return Err(Refusal::Undo);
    }
    let Some(compromised_since) = order.compromised_since else {
        return match order.reason {
            RevocationReason::KeyCompromise | RevocationReason::CaCompromise => {
                Err(Refusal::CompromisedSinceMissing { reason: order.reason })
            }
            _ => Ok(()),
        };
    };
    if compromised_since > order.now {
        return Err(Refusal::CompromisedSinceFuture { compromised_since, now: order.now });
    }
    if compromised_since < not_before {
        return Err(Refusal::CompromisedSinceBeforeValidity { compromised_since, not_before });
    }
    Ok(())
}

/// How much a reason takes away from signatures older than D: the order of the decision table in
/// docs, with its row for timestamp authorities ("keyCompromise or no reason: the timestamp is
/// void") putting `unspecified` above the administrative reasons.
const fn weight(reason: RevocationReason) -> u8 {
    match reason {
        RevocationReason::CertificateHold | RevocationReason::RemoveFromCrl => 0,
        RevocationReason::AffiliationChanged
        | RevocationReason::Superseded
        | RevocationReason::CessationOfOperation => 1,
        RevocationReason::PrivilegeWithdrawn => 2,
        RevocationReason::Unspecified => 3,
        RevocationReason::CaCompromise | RevocationReason::AaCompromise => 4,
        RevocationReason::KeyCompromise => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RevocationReason::{
        CaCompromise, CertificateHold, CessationOfOperation, KeyCompromise, RemoveFromCrl,
        Superseded, Unspecified,
    };

    const NOT_BEFORE: UnixSeconds = UnixSeconds::new(1_000);

    fn order(reason: RevocationReason, since: Option<i64>) -> RevocationOrder {
        RevocationOrder {
            reason,
            compromised_since: since.map(UnixSeconds::new),
            now: UnixSeconds::new(9_000),
            actor: "admin@example.test".to_owned(),
        }
    }

    fn stored(reason: RevocationReason, date: i64) -> Revocation {
        Revocation {
            reason,
            revocation_date: UnixSeconds::new(date),
            recorded_at: UnixSeconds::new(8_000),
            actor: "before@example.test".to_owned(),
        }
    }

    fn decided(
        before: Option<(RevocationReason, i64)>,
        order: &RevocationOrder,
    ) -> Result<(RevocationReason, i64), &'static str> {
        let before = before.map(|(reason, date)| stored(reason, date));
        match decide(NOT_BEFORE, before.as_ref(), order) {
            Ok(Change::Write(revocation) | Change::None(revocation)) => {
                Ok((revocation.reason, revocation.revocation_date.seconds()))
            }
            Err(refusal) => Err(refusal.code()),
        }
    }

    #[test]
    fn a_first_revocation_dates_from_now_or_from_the_compromise() {
        assert_eq!(decided(None, &order(Superseded, None)), Ok((Superseded, 9_000)));
        assert_eq!(decided(None, &order(Superseded, Some(5_000))), Ok((Superseded, 5_000)));
        assert_eq!(decided(None, &order(KeyCompromise, Some(1_000))), Ok((KeyCompromise, 1_000)));
    }

    #[test]
    fn a_compromise_needs_a_date_in_the_certificates_past() {
        for reason in [KeyCompromise, CaCompromise] {
            assert_eq!(
                decided(None, &order(reason, None)),
                Err("revocation.compromised_since.missing")
            );
        }
        assert_eq!(
            decided(None, &order(KeyCompromise, Some(9_001))),
            Err("revocation.compromised_since.future")
        );
        assert_eq!(
            decided(None, &order(KeyCompromise, Some(999))),
            Err("revocation.compromised_since.before_validity")
        );
    }

    #[test]
    fn repeating_an_order_changes_nothing() {
        let before = stored(Superseded, 5_000);
        for since in [None, Some(5_000)] {
            let change = decide(NOT_BEFORE, Some(&before), &order(Superseded, since));
            assert_eq!(change, Ok(Change::None(before.clone())));
        }
    }

    #[test]
    fn the_date_moves_earlier_and_never_later() {
        assert_eq!(
            decided(Some((KeyCompromise, 5_000)), &order(KeyCompromise, Some(4_000))),
            Ok((KeyCompromise, 4_000))
        );
        assert_eq!(
            decided(Some((KeyCompromise, 5_000)), &order(KeyCompromise, Some(5_001))),
            Err("revocation.date.later")
        );
        assert_eq!(
            decided(Some((CertificateHold, 5_000)), &order(Superseded, Some(6_000))),
            Err("revocation.date.later")
        );
    }

    #[test]
    fn the_reason_is_raised_and_never_lowered() {
        assert_eq!(
            decided(Some((Superseded, 5_000)), &order(KeyCompromise, Some(5_000))),
            Ok((KeyCompromise, 5_000))
        );
        assert_eq!(
            decided(Some((Superseded, 5_000)), &order(CessationOfOperation, None)),
            Ok((CessationOfOperation, 5_000))
        );
        for weaker in [Superseded, Unspecified, CertificateHold] {
            assert_eq!(
                decided(Some((KeyCompromise, 5_000)), &order(weaker, Some(4_000))),
                Err("revocation.reason.lowered")
            );
        }
        assert_eq!(
            decided(Some((KeyCompromise, 5_000)), &order(CaCompromise, Some(4_000))),
            Err("revocation.reason.lowered")
        );
    }

    #[test]
    fn a_hold_is_replaced_but_not_lifted() {
        assert_eq!(
            decided(Some((CertificateHold, 5_000)), &order(Superseded, None)),
            Ok((Superseded, 5_000))
        );
        assert_eq!(
            decided(Some((CertificateHold, 5_000)), &order(RemoveFromCrl, None)),
            Err("revocation.undo")
        );
        assert_eq!(
            decided(Some((Superseded, 5_000)), &order(CertificateHold, None)),
            Err("revocation.reason.lowered")
        );
    }
}
