//! What takes two people: the order of one becomes a proposal, on which another one decides.
//!
//! The second person approves or rejects it before its time is over, or the first one withdraws it.
//! Whoever decides names the digest of what they were shown. A proposal is void as soon as what it
//! was to change is changed by something else. Which orders take two people, what a proposal says
//! and where it is kept are the service's: it asks here, inside its transaction, what may become of
//! one.

use countersign_core::time::UnixSeconds;
use http::StatusCode;
use serde::Deserialize;

use super::paging::digest;
use super::person::Person;
use crate::{json_body, problem::Problem};

/// The longest comment, and the longest that comments added to one proposal make together.
pub const MAX_COMMENT_OCTETS: usize = 2000;

/// Proposals of one person that wait: a list of them all can be read by a second one.
pub const MAX_WAITING: i64 = 1000;

/// Between the comments of one proposal.
const SEPARATOR: &str = "; ";

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Carry it out.
    Approve,
    /// Turn it down.
    Reject,
}

/// Who decided on a proposal, when, and what they said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The second person.
    pub actor: Person,
    /// When.
    pub at: UnixSeconds,
    /// What they said.
    pub comment: String,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingState {
    /// It waits.
    Waiting,
    /// Nobody approved it in time.
    Expired,
    /// What it was to change was changed by something else.
    Outdated,
    /// Whoever proposed it took it back.
    Withdrawn(Verdict),
    /// It was carried out.
    Approved(Verdict),
    /// It was turned down.
    Rejected(Verdict),
}

/// A proposal, as far as it matters who may do what with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed<'a> {
    /// The first person.
    pub by: &'a Person,
    /// What it is to change, in a word for people: a `revocation`.
    pub changes: &'static str,
    /// What became of it.
    pub state: &'a PendingState,
}

/// What is to be done if a decision is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It takes effect.
    Now,
    /// The same person decided the same before: nothing is to be done.
    Before,
}

/// Why a proposal cannot be decided on, or not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PendingError {
    /// There is none of that number.
    #[error("there is no proposal of that number")]
    Unknown,
    /// Its time is over.
    #[error("nobody approved that proposal in time; propose it again")]
    Expired,
    /// It takes two people.
    #[error("whoever proposed it cannot approve it: it takes two people")]
    SamePerson,
    /// Only the person who proposed it can take it back.
    #[error("another person proposed that; an approver can reject it")]
    AnotherPersons,
    /// It is not what the deciding person was shown.
    #[error(
        "that is not the proposal as it stands: something was added to it; look at it again (GET /v1/pending)"
    )]
    NotAsShown,
    /// What it was to change was changed since.
    #[error(
        "the {changes} was changed after this was proposed; look at how it stands, and propose again"
    )]
    Outdated {
        /// What it was to change.
        changes: &'static str,
    },
    /// Who proposed it was locked out since.
    #[error(
        "who proposed it was locked out since; reject it, and have it proposed again if it is right"
    )]
    ProposerLockedOut,
    /// It was decided on already, otherwise or by somebody else.
    #[error("that proposal was {outcome} already, by {by} at {at}")]
    Decided {
        /// What became of it.
        outcome: &'static str,
        /// Who decided.
        by: String,
        /// When.
        at: UnixSeconds,
    },
    /// Another proposal for the same thing waits.
    #[error(
        "proposal {id} for this {about} waits; it must be approved, rejected or withdrawn first"
    )]
    AnotherWaits {
        /// Its number.
        id: i64,
        /// What it is about.
        about: &'static str,
    },
    /// Too many proposals of the same person wait.
    #[error(
        "a thousand of your proposals wait; have some approved or rejected, or withdraw some, before you propose more"
    )]
    TooManyWait,
    /// The comments are too long.
    #[error(
        "with the comments before, this one is too long; withdraw the proposal and propose again"
    )]
    CommentTooLong,
}

impl Proposed<'_> {
    /// What a decision of `by` leads to. Deciding again as before changes nothing.
    ///
    /// # Errors
    /// [`PendingError`]: expired, void, proposed by the same person, or decided otherwise or by
    /// somebody else.
    pub fn decide(&self, decision: Decision, by: &Person) -> Result<Step, PendingError> {
        match (self.state, decision) {
            (PendingState::Approved(before), Decision::Approve)
            | (PendingState::Rejected(before), Decision::Reject)
                if before.actor.is(by) =>
            {
                Ok(Step::Before)
            }
            (PendingState::Waiting, Decision::Approve) if self.by.may_be(by) => {
                Err(PendingError::SamePerson)
            }
            _ => self.refuse_closed(),
        }
    }

    /// What a withdrawal by `by` leads to. Withdrawing again changes nothing.
    ///
    /// # Errors
    /// [`PendingError`]: expired, void, another person's, or decided.
    pub fn withdraw(&self, by: &Person) -> Result<Step, PendingError> {
        match self.state {
            PendingState::Waiting if !self.by.is(by) => Err(PendingError::AnotherPersons),
            PendingState::Withdrawn(before) if before.actor.is(by) => Ok(Step::Before),
            _ => self.refuse_closed(),
        }
    }

    fn refuse_closed(&self) -> Result<Step, PendingError> {
        let (outcome, verdict) = match self.state {
            PendingState::Waiting => return Ok(Step::Now),
            PendingState::Expired => return Err(PendingError::Expired),
            PendingState::Outdated => return Err(PendingError::Outdated { changes: self.changes }),
            PendingState::Approved(verdict) => ("approved", verdict),
            PendingState::Rejected(verdict) => ("rejected", verdict),
            PendingState::Withdrawn(verdict) => ("withdrawn", verdict),
        };
        Err(PendingError::Decided { outcome, by: verdict.actor.name().to_owned(), at: verdict.at })
    }
}

impl PendingError {
    /// The answer to the person who asked for it.
    pub fn problem(&self) -> Problem {
        let (status, code) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "pending.unknown"),
            Self::Expired => (StatusCode::CONFLICT, "pending.expired"),
            Self::SamePerson => (StatusCode::FORBIDDEN, "pending.same_person"),
            Self::AnotherPersons => (StatusCode::FORBIDDEN, "pending.another_persons"),
            Self::NotAsShown => (StatusCode::CONFLICT, "pending.not_as_shown"),
            Self::Outdated { .. } => (StatusCode::CONFLICT, "pending.outdated"),
            Self::ProposerLockedOut => (StatusCode::CONFLICT, "pending.proposer_locked_out"),
            Self::Decided { .. } => (StatusCode::CONFLICT, "pending.decided"),
            Self::AnotherWaits { .. } => (StatusCode::CONFLICT, "pending.another_waits"),
            Self::TooManyWait => (StatusCode::CONFLICT, "pending.too_many"),
            Self::CommentTooLong => (StatusCode::BAD_REQUEST, "comment.too_long"),
        };
        Problem::new(status, code, self.to_string())
    }
}

/// The comments of a proposal with `said` added; `None` if it was said before.
///
/// # Errors
/// [`PendingError::CommentTooLong`].
pub fn add_comment(before: &str, said: &str) -> Result<Option<String>, PendingError> {
    if before.split(SEPARATOR).any(|each| each == said) || before == said {
        return Ok(None);
    }
    let together = format!("{before}{SEPARATOR}{said}");
    if together.len() > MAX_COMMENT_OCTETS {
        return Err(PendingError::CommentTooLong);
    }
    Ok(Some(together))
}

/// Refuses a comment that is too long.
///
/// # Errors
/// 400.
pub fn refuse_long_comment(comment: &str) -> Result<(), Problem> {
    if comment.len() <= MAX_COMMENT_OCTETS {
        return Ok(());
    }
    let detail = format!("A comment has at most {MAX_COMMENT_OCTETS} octets.");
    Err(Problem::bad_request("comment.too_long", detail))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    /// What is decided on, as the listing has it.
    proposal_sha256: String,
    #[serde(default)]
    comment: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithdrawalBody {
    #[serde(default)]
    comment: String,
}

/// The number in a proposal's path.
///
/// # Errors
/// 400.
pub fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| malformed("The path has the proposal's number."))
}

/// The digest and the comment in the body of a decision.
///
/// # Errors
/// 400.
pub fn decision(body: &[u8]) -> Result<([u8; 32], String), Problem> {
    let body: DecisionBody = json_body::decode(body).map_err(|error| {
        malformed(format!(
            "Send a JSON object with proposal_sha256, as GET /v1/pending shows it, and perhaps a \
             comment: {error}."
        ))
    })?;
    let shown = digest(&body.proposal_sha256)
        .ok_or_else(|| malformed("proposal_sha256 is 64 hexadecimal digits."))?;
    refuse_long_comment(&body.comment)?;
    Ok((shown, body.comment))
}

/// The comment in the body of a withdrawal, which may be empty.
///
/// # Errors
/// 400.
pub fn withdrawal(body: &[u8]) -> Result<String, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let body: WithdrawalBody = json_body::decode(body).map_err(|error| {
        malformed(format!("Send a JSON object with a comment, or nothing: {error}."))
    })?;
    refuse_long_comment(&body.comment)?;
    Ok(body.comment)
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::bad_request("pending.malformed", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        Person::new(name, [format!("email:{name}@example.test")])
    }

    fn verdict(actor: &str) -> Verdict {
        Verdict { actor: person(actor), at: UnixSeconds::new(7), comment: String::new() }
    }

    /// Alice's proposal.
    struct OfAlice<'a>(Person, &'a PendingState);

    impl OfAlice<'_> {
        fn decide(&self, decision: Decision, by: &str) -> Result<Step, PendingError> {
            self.proposed().decide(decision, &person(by))
        }

        fn withdraw(&self, by: &str) -> Result<Step, PendingError> {
            self.proposed().withdraw(&person(by))
        }

        fn proposed(&self) -> Proposed<'_> {
            Proposed { by: &self.0, changes: "revocation", state: self.1 }
        }
    }

    fn of_alice(state: &PendingState) -> OfAlice<'_> {
        OfAlice(person("alice"), state)
    }

    #[test]
    fn nobody_approves_what_they_proposed() {
        let waits = PendingState::Waiting;
        assert_eq!(
            of_alice(&waits).decide(Decision::Approve, "alice"),
            Err(PendingError::SamePerson)
        );
        assert_eq!(of_alice(&waits).decide(Decision::Approve, "bob"), Ok(Step::Now));
        assert_eq!(of_alice(&waits).decide(Decision::Reject, "alice"), Ok(Step::Now));
        assert_eq!(of_alice(&waits).withdraw("bob"), Err(PendingError::AnotherPersons));
        assert_eq!(of_alice(&waits).withdraw("alice"), Ok(Step::Now));
    }

    #[test]
    fn what_was_decided_stands() {
        let approved = PendingState::Approved(verdict("bob"));
        assert_eq!(of_alice(&approved).decide(Decision::Approve, "bob"), Ok(Step::Before));
        for (decision, by) in [(Decision::Approve, "carol"), (Decision::Reject, "bob")] {
            let refused = of_alice(&approved).decide(decision, by).expect_err("decided");
            assert_eq!(refused.problem().code(), "pending.decided");
        }
        let withdrawn = PendingState::Withdrawn(verdict("alice"));
        assert_eq!(of_alice(&withdrawn).withdraw("alice"), Ok(Step::Before));
        for (state, code) in [
            (PendingState::Expired, "pending.expired"),
            (PendingState::Outdated, "pending.outdated"),
        ] {
            let refused = of_alice(&state).decide(Decision::Approve, "bob").expect_err(code);
            assert_eq!(refused.problem().code(), code);
        }
    }

    #[test]
    fn a_comment_is_added_once_and_not_without_end() {
        assert_eq!(add_comment("a; b", "b"), Ok(None));
        assert_eq!(add_comment("a; b", "a; b"), Ok(None));
        assert_eq!(add_comment("a", "c"), Ok(Some("a; c".to_owned())));
        let long = "x".repeat(MAX_COMMENT_OCTETS - 2);
        assert_eq!(add_comment(&long, "c"), Err(PendingError::CommentTooLong));
    }
}
