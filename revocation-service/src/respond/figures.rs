//! Counters of OCSP answers by what they came to. The table of all figures is `crate::figures`'.

use countersign_signing::ocsp::OcspResponseStatus;
use metrics::{Counter, counter};

/// What an OCSP answer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Revoked,
    Unknown,
    Several,
    Refused(OcspResponseStatus),
}

/// Handles to what is counted, made once; counting is an atomic operation.
#[derive(Debug)]
pub(crate) struct Figures {
    good: Counter,
    revoked: Counter,
    unknown: Counter,
    several: Counter,
    malformed_request: Counter,
    internal_error: Counter,
    try_later: Counter,
    unauthorized: Counter,
}

impl Figures {
    pub(crate) fn new() -> Self {
        let answers =
            |status: &'static str| counter!("countersign_ocsp_answers_total", "status" => status);
        Self {
            good: answers("good"),
            revoked: answers("revoked"),
            unknown: answers("unknown"),
            several: answers("several"),
            malformed_request: answers("malformedRequest"),
            internal_error: answers("internalError"),
            try_later: answers("tryLater"),
            unauthorized: answers("unauthorized"),
        }
    }

    /// Counts one answer.
    pub(crate) fn answered(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Good => &self.good,
            Outcome::Revoked => &self.revoked,
            Outcome::Unknown => &self.unknown,
            Outcome::Several => &self.several,
            Outcome::Refused(OcspResponseStatus::MalformedRequest) => &self.malformed_request,
            Outcome::Refused(OcspResponseStatus::TryLater) => &self.try_later,
            Outcome::Refused(OcspResponseStatus::Unauthorized) => &self.unauthorized,
            Outcome::Refused(
                OcspResponseStatus::Successful
                | OcspResponseStatus::InternalError
                | OcspResponseStatus::SigRequired,
            ) => &self.internal_error,
        };
        counter.increment(1);
    }
}
