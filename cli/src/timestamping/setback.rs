//! Why an authority gave no timestamp, and whether asking it again may help.

use std::time::Duration;

use countersign_core::{
    finding::{Finding, FindingCode},
    tsp::{FailureInfo, TimestampResponse},
};
use reqwest::StatusCode;
use url::Url;

use crate::{failure::Failure, fetch::Reply};

/// The longest that an authority's wish for a pause is followed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The first pause, when nobody wished for another; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Setback {
    pub(super) failure: Failure,
    pub(super) hope: Hope,
}

/// What may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hope {
    /// To ask the same again, after that pause if one was wished for.
    Later(Option<Duration>),
    /// Another hash algorithm.
    OtherHash,
    /// Nothing: this authority does not answer this question.
    None,
}

impl Setback {
    /// One that the same question will always meet.
    pub(super) fn lasting(failure: Failure) -> Self {
        Self { failure, hope: Hope::None }
    }

    /// No answer. A connection that was not there may come; whom TLS or a redirect led astray, they
    /// always will.
    pub(super) fn of_transport(failure: Failure) -> Self {
        let passes = failure.finding().code == FindingCode::SERVICE_UNREACHABLE;
        Self { failure, hope: if passes { Hope::Later(None) } else { Hope::None } }
    }

    /// A refusal in the protocol. The authority's own troubles pass; the others are the request's.
    pub(super) fn of_refusal(response: &TimestampResponse<'_>) -> Self {
        let hope = match response.failure {
            Some(FailureInfo::TimeNotAvailable | FailureInfo::SystemFailure) => Hope::Later(None),
            Some(FailureInfo::BadAlg) => Hope::OtherHash,
            _ => Hope::None,
        };
        let refused = Finding::new(FindingCode::TIMESTAMP_REFUSED);
        Self { failure: refused.found(response.refusal_text()).into(), hope }
    }

    /// An answer by HTTP that is no success.
    pub(super) fn of_status(reply: &Reply, url: &Url) -> Self {
        let failure = reply.refused(url);
        let passes = matches!(
            reply.status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::INTERNAL_SERVER_ERROR
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        let hope = if passes { Hope::Later(reply.retry_after) } else { Hope::None };
        Self { failure, hope }
    }

    /// The more telling of two: an authority's words say more than a connection that was not.
    pub(super) fn or_more_telling(self, earlier: Option<Failure>) -> Failure {
        let unreachable = |failure: &Failure| {
            matches!(
                failure.finding().code,
                FindingCode::SERVICE_UNREACHABLE | FindingCode::SERVICE_ANSWER
            )
        };
        match earlier {
            Some(earlier) if unreachable(&self.failure) && !unreachable(&earlier) => earlier,
            _ => self.failure,
        }
    }
}

/// How long to wait before the round after that many: twice as long each time, or as long as was
/// wished for, and a little apart from everybody else who met the same trouble.
pub(super) fn pause_after(rounds: u32, wished: Option<Duration>, jitter: f64) -> Duration {
    let own = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(rounds).unwrap_or(u32::MAX));
    let pause = own.max(wished.unwrap_or_default()).min(LONGEST_PAUSE);
    pause.mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_follow_wishes_and_end_somewhere() {
        let millis = |rounds, wished, jitter| pause_after(rounds, wished, jitter).as_millis();
        assert_eq!([0, 1, 2].map(|round| millis(round, None, 0.0)), [500, 1000, 2000]);
        assert_eq!(millis(0, Some(Duration::from_secs(3)), 0.0), 3000);
        assert_eq!(millis(3, Some(Duration::from_secs(1)), 0.0), 4000);
        assert_eq!(millis(0, Some(Duration::from_hours(1)), 0.0), 30_000);
        assert_eq!(millis(60, None, 1.0), 37_500);
    }
}
