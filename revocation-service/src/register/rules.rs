//! What may become of a revocation: pure decisions, called by every storage inside its
//! transaction.
//!
//! One person can only make a revocation stricter: its date D may move earlier. Moving it later and
//! lifting a hold bring signatures back to life, which takes two people. Nobody weakens a reason or
//! undoes any other revocation.

use countersign_core::{crl::RevocationReason, time::UnixSeconds};

/// A revocation as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Why.
    pub reason: RevocationReason,
    /// From when on signatures are worth nothing: the D of the decision table.
    pub revocation_date: UnixSeconds,
    /// When this state was written here.
    pub recorded_at: UnixSeconds,
    /// Who asked for it: a name of their client certificate.
    pub actor: String,
}

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
    /// How many gave it.
    pub people: People,
}

/// How many people gave an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum People {
    /// Whoever gave it.
    One,
    /// Another one has approved it.
    Two,
}

/// What an allowed order means for what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write this.
    Write(Revocation),
    /// Write that the hold is lifted: a revocation for removeFromCRL, which is none.
    Release(Revocation),
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
        "the certificate is revoked from {stored} on; moving that to {asked} revives signatures and takes two people"
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
    /// A hold would be lifted.
    #[error("the certificate is on hold; lifting that takes two people")]
    HoldRelease,
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
            Self::HoldRelease => "revocation.hold.release",
            Self::Undo => "revocation.undo",
        }
    }

    /// Whether the same order is allowed once another person approved it.
    pub const fn takes_two_people(&self) -> bool {
        matches!(self, Self::DateLater { .. } | Self::HoldRelease)
    }
}

/// Decides on an order for a certificate valid from `not_before`, given what is `stored`. While
/// only an import says when its validity begins, there is no `not_before`: a false one would keep
/// the true date of a compromise from being recorded.
///
/// Without `compromised_since` a first revocation dates from now and a repeated one keeps its
/// date. `compromised_since` before `not_before` is refused, not clamped: what is stored and
/// published is what the person wrote, or nothing.
///
/// # Errors
/// A [`Refusal`].
pub fn decide(
    not_before: Option<UnixSeconds>,
    stored: Option<&Revocation>,
    order: &RevocationOrder,
) -> Result<Change, Refusal> {
    if order.reason == RevocationReason::RemoveFromCrl {
        return release(stored, order);
    }
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
    if date > stored.revocation_date && order.people == People::One {
        return Err(Refusal::DateLater { stored: stored.revocation_date, asked: date });
    }
    if order.reason != stored.reason && order.reason.weight() < stored.reason.weight() {
        return Err(Refusal::ReasonLowered { stored: stored.reason, asked: order.reason });
    }
    if order.reason == stored.reason && date == stored.revocation_date {
        return Ok(Change::None(stored.clone()));
    }
    Ok(Change::Write(written(date)))
}

/// Decides what an order against a *key* means for one of its certificates: the graver reason, and the
/// earlier date, which is not before the certificate's validity, as far as that is proven. What is stricter
/// already stays.
pub fn decide_for_key(
    not_before: Option<UnixSeconds>,
    stored: Option<&Revocation>,
    order: &RevocationOrder,
) -> Change {
    // A validity that has not begun: from now on, since a date to come would say it is good until then.
    let since = order.compromised_since.unwrap_or(order.now);
    let since = not_before.map_or(since, |not_before| since.max(not_before)).min(order.now);
    let ordered = Revocation {
        reason: order.reason,
        revocation_date: since,
        recorded_at: order.now,
        actor: order.actor.clone(),
    };
    stricter(stored, ordered)
}

/// The stricter of what is stored and another revocation of the same certificate: the graver reason
/// and the earlier date.
pub fn stricter(stored: Option<&Revocation>, other: Revocation) -> Change {
    let Some(stored) = stored else { return Change::Write(other) };
    let graver = other.reason.weight() > stored.reason.weight();
    let reason = if graver { other.reason } else { stored.reason };
    let revocation_date = other.revocation_date.min(stored.revocation_date);
    if reason == stored.reason && revocation_date == stored.revocation_date {
        return Change::None(stored.clone());
    }
    Change::Write(Revocation { reason, revocation_date, ..other })
}

/// Checks what an order against a key says, before any certificate is looked at.
///
/// # Errors
/// A [`Refusal`]: no date of the compromise, or one to come; a key is not put on hold.
pub fn refuse_key_order(order: &RevocationOrder) -> Result<(), Refusal> {
    match order.reason {
        RevocationReason::RemoveFromCrl | RevocationReason::CertificateHold => Err(Refusal::Undo),
        _ => refuse_malformed(None, order),
    }
}

fn release(stored: Option<&Revocation>, order: &RevocationOrder) -> Result<Change, Refusal> {
    match stored {
        Some(stored) if stored.reason == RevocationReason::CertificateHold => {}
        _ => return Err(Refusal::Undo),
    }
    if order.people == People::One {
        return Err(Refusal::HoldRelease);
    }
    Ok(Change::Release(Revocation {
        reason: RevocationReason::RemoveFromCrl,
        revocation_date: order.now,
        recorded_at: order.now,
        actor: order.actor.clone(),
    }))
}

fn refuse_malformed(
    not_before: Option<UnixSeconds>,
    order: &RevocationOrder,
) -> Result<(), Refusal> {
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
    match not_before {
        Some(not_before) if compromised_since < not_before => {
            Err(Refusal::CompromisedSinceBeforeValidity { compromised_since, not_before })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RevocationReason::{
        CaCompromise, CertificateHold, CessationOfOperation, KeyCompromise, RemoveFromCrl,
        Superseded, Unspecified,
    };

    const NOT_BEFORE: Option<UnixSeconds> = Some(UnixSeconds::new(1_000));

    fn order(reason: RevocationReason, since: Option<i64>) -> RevocationOrder {
        RevocationOrder {
            reason,
            compromised_since: since.map(UnixSeconds::new),
            now: UnixSeconds::new(9_000),
            actor: "admin@example.test".to_owned(),
            people: People::One,
        }
    }

    fn by_two(reason: RevocationReason, since: Option<i64>) -> RevocationOrder {
        RevocationOrder { people: People::Two, ..order(reason, since) }
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
            Ok(
                Change::Write(revocation) | Change::Release(revocation) | Change::None(revocation),
            ) => Ok((revocation.reason, revocation.revocation_date.seconds())),
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
    fn the_date_moves_earlier_by_one_person_and_later_by_two() {
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
        assert_eq!(
            decided(Some((KeyCompromise, 5_000)), &by_two(KeyCompromise, Some(6_000))),
            Ok((KeyCompromise, 6_000))
        );
        assert_eq!(
            decided(Some((KeyCompromise, 5_000)), &by_two(Superseded, Some(6_000))),
            Err("revocation.reason.lowered")
        );
    }

    #[test]
    fn an_order_against_a_key_takes_the_graver_reason_and_the_earlier_date() {
        let order = order(KeyCompromise, Some(4_000));
        for (before, not_before, want) in [
            (None, 1_000, (KeyCompromise, 4_000)),
            (None, 6_000, (KeyCompromise, 6_000)),
            (None, 10_000, (KeyCompromise, 9_000)),
            (Some((Superseded, 3_000)), 1_000, (KeyCompromise, 3_000)),
            (Some((KeyCompromise, 2_000)), 1_000, (KeyCompromise, 2_000)),
        ] {
            let before = before.map(|(reason, date)| stored(reason, date));
            let not_before = Some(UnixSeconds::new(not_before));
            match decide_for_key(not_before, before.as_ref(), &order) {
                Change::Write(after) | Change::None(after) | Change::Release(after) => {
                    assert_eq!((after.reason, after.revocation_date.seconds()), want);
                }
            }
        }
        assert_eq!(
            refuse_key_order(&super::RevocationOrder { compromised_since: None, ..order }),
            Err(Refusal::CompromisedSinceMissing { reason: KeyCompromise })
        );
    }

    #[test]
    fn what_only_an_import_says_of_the_validity_bounds_no_date() {
        let early = order(KeyCompromise, Some(1));
        let written = stored(KeyCompromise, 1).revocation_date;
        for change in [decide(None, None, &early), Ok(decide_for_key(None, None, &early))] {
            let Ok(Change::Write(revocation)) = change else { panic!("{change:?}") };
            assert_eq!(revocation.revocation_date, written);
        }
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
    fn a_hold_is_replaced_by_one_person_and_lifted_by_two() {
        assert_eq!(
            decided(Some((CertificateHold, 5_000)), &order(Superseded, None)),
            Ok((Superseded, 5_000))
        );
        assert_eq!(
            decided(Some((CertificateHold, 5_000)), &order(RemoveFromCrl, None)),
            Err("revocation.hold.release")
        );
        assert_eq!(
            decided(Some((CertificateHold, 5_000)), &by_two(RemoveFromCrl, None)),
            Ok((RemoveFromCrl, 9_000))
        );
        for before in [None, Some((Superseded, 5_000))] {
            assert_eq!(decided(before, &by_two(RemoveFromCrl, None)), Err("revocation.undo"));
        }
        assert_eq!(
            decided(Some((Superseded, 5_000)), &order(CertificateHold, None)),
            Err("revocation.reason.lowered")
        );
    }
}
