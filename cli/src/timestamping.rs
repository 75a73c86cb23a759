//! A timestamp by an authority over HTTP (RFC 3161 §3.4): ask, and hold the answer against the
//! question before anyone keeps it.
//!
//! Several authorities are asked in turn. What may pass is tried again after a pause, so many times
//! as the question says; a refusal of the request itself is not.

mod setback;

use std::{
    hash::{BuildHasher, RandomState},
    thread,
    time::Duration,
};

use const_oid::ObjectIdentifier;
use countersign_core::{
    cms::SignedData,
    crypto::aws_lc::AwsLc,
    digest::{Digest, encode_hex},
    finding::{Finding, FindingCode},
    limits,
    time::UnixSeconds,
    trust::Authority,
    tsp::{self, CertificateRequest, Stamped, TimestampRequest, TimestampResponse, TstInfo},
};
use countersign_signing::tsp::TimestampRequestBuilder;

use crate::{
    artifact::Waiting,
    failure::{Failure, Outcome},
    fetch::HttpClient,
    session::Session,
};

use setback::{Hope, Setback, pause_after};
use ureq::http::StatusCode;

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is to be stamped. An authority that does not accept the algorithm of the first is
    /// asked with the next.
    pub imprints: Vec<Digest>,
    /// The policy, if a certain one is wanted.
    pub policy: Option<ObjectIdentifier>,
    /// Whether the answer must be a new one.
    pub nonce: Nonce,
    /// Whether the authority's certificates are to be in the token.
    pub certificates: CertificateRequest,
    /// How often all of them are asked again while there is hope.
    pub retries: u32,
}

/// Asking twice again gets over a restart, and no build waits long for it.
pub const USUAL_RETRIES: u32 = 2;

/// Whether a nonce is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce {
    /// A random one: the answer cannot be an old one.
    Random,
    /// None.
    None,
}

/// What an answer is held against beside the question.
#[derive(Clone, Copy, Debug)]
pub enum Believed<'a> {
    /// These authorities, now.
    Authorities(&'a [Authority], UnixSeconds),
    /// Nobody: the token's signature is not looked at.
    Unverified,
}

/// An answer that fits the question.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The whole `TimeStampResp`, DER.
    pub response: Vec<u8>,
    /// genTime, as the token says it.
    pub time: String,
    /// The policy of the token.
    pub policy: String,
    /// The token's serial number, in hexadecimal.
    pub serial: String,
    /// The authority that answered.
    pub url: String,
    /// What was stamped.
    pub imprint: Digest,
    /// How many requests were sent for it, this one included.
    pub requests: u32,
}

impl Question {
    /// A question with a nonce, no policy, the authority's certificates, and the usual retries.
    pub fn new(imprint: Digest) -> Self {
        Self {
            imprints: vec![imprint],
            policy: None,
            nonce: Nonce::Random,
            certificates: CertificateRequest::Include,
            retries: USUAL_RETRIES,
        }
    }

    /// Asks the authorities at `urls` in turn until one answers; a refusal by one is no reason not
    /// to ask the next. When none does, those whose trouble may pass are asked again after a pause.
    /// Each failure before the answer is told on stderr.
    ///
    /// # Errors
    /// The most telling failure.
    pub fn ask(
        &self,
        session: &Session,
        urls: &[String],
        believed: Believed<'_>,
    ) -> Outcome<Stamp> {
        let mut asking = Asking { client: HttpClient::public(), session, believed, requests: 0 };
        let mut open: Vec<&String> = urls.iter().collect();
        let mut told = None;
        for round in 0..=self.retries {
            let (mut hopeful, mut wished) = (Vec::new(), None);
            let count = open.len();
            for (index, url) in open.into_iter().enumerate() {
                let setback = match self.ask_one(&mut asking, url) {
                    Ok(stamp) => return Ok(stamp),
                    Err(setback) => setback,
                };
                if let Hope::Later(pause) = setback.hope {
                    wished = wished.max(pause);
                    hopeful.push(url);
                }
                if index + 1 < count {
                    let warning = format!("warning: {}; trying the next", setback.failure);
                    session.output.say(&warning);
                }
                told = Some(setback.or_more_telling(told));
            }
            open = hopeful;
            if open.is_empty() || round == self.retries {
                break;
            }
            let pause = pause_after(round, wished, jitter());
            if let Some(failure) = &told {
                session.output.say(&format!("warning: {failure}; again in {pause:.1?}"));
            }
            thread::sleep(pause);
        }
        let none = || Failure::usage("no timestamp authority is named (--timestamp-url)");
        Err(told.unwrap_or_else(none))
    }

    /// Asks one authority, with one hash after the other while it wants another.
    fn ask_one(&self, asking: &mut Asking<'_>, url: &str) -> Result<Stamp, Setback> {
        let no_hash = || Setback::lasting(Failure::internal("no digest"));
        let mut outcome = Err(no_hash());
        for imprint in &self.imprints {
            outcome = self.ask_with(asking, url, imprint);
            match &outcome {
                Err(Setback { hope: Hope::OtherHash, .. }) => {}
                _ => break,
            }
        }
        outcome
    }

    fn ask_with(
        &self,
        asking: &mut Asking<'_>,
        url: &str,
        imprint: &Digest,
    ) -> Result<Stamp, Setback> {
        asking.requests += 1;
        let _waiting = Waiting::begin(asking.session, &format!("Asking {url} for a timestamp"));
        let request = self.encode(imprint).map_err(Setback::lasting)?;
        let media_type = "application/timestamp-query";
        let reply = asking
            .client
            .post(url, media_type, &request, limits::TIMESTAMP_BYTES)
            .map_err(|failure| {
                if HttpClient::speaks(url) {
                    Setback::of_transport(failure)
                } else {
                    Setback::lasting(failure)
                }
            })?;
        if reply.status != StatusCode::OK {
            return Err(Setback::of_status(&reply, url));
        }
        let about = |mut setback: Setback| {
            setback.failure = setback.failure.about(url);
            setback
        };
        let response = reply.body;
        let info = info_of(&response).map_err(about)?;
        self.check(imprint, &request, &response, &info, asking.believed)
            .map_err(|failure| about(Setback::lasting(failure)))?;
        Ok(Stamp {
            time: info.gen_time.to_string(),
            policy: info.policy.to_string(),
            serial: encode_hex(info.serial),
            url: url.to_owned(),
            imprint: imprint.clone(),
            requests: asking.requests,
            response,
        })
    }

    fn encode(&self, imprint: &Digest) -> Outcome<Vec<u8>> {
        let mut builder =
            TimestampRequestBuilder::new(imprint.clone()).certificates(self.certificates);
        if let Some(policy) = self.policy {
            builder = builder.policy(policy);
        }
        if self.nonce == Nonce::Random {
            builder = builder.random_nonce()?;
        }
        Ok(builder.build())
    }

    fn check(
        &self,
        imprint: &Digest,
        request: &[u8],
        response: &[u8],
        info: &TstInfo<'_>,
        believed: Believed<'_>,
    ) -> Outcome<()> {
        let request = TimestampRequest::decode(request)
            .map_err(|fault| Failure::internal(format!("our own request: {fault:?}")))?;
        if info.message_imprint.to_digest().as_ref() != Some(imprint) {
            return Err(Finding::new(FindingCode::TimestampImprintMismatch)
                .expected(imprint.hex())
                .found(encode_hex(info.message_imprint.digest))
                .into());
        }
        tsp::verify_answer(info, request.nonce, self.policy)?;
        if let Believed::Authorities(authorities, now) = believed {
            let digests = [imprint.clone()];
            tsp::verify(response, Stamped::Digests(&digests), authorities, &AwsLc, now)?;
        }
        Ok(())
    }
}

/// What stays the same while authorities are asked.
struct Asking<'a> {
    client: HttpClient,
    session: &'a Session,
    believed: Believed<'a>,
    /// How many requests were sent.
    requests: u32,
}

/// What the token of a response says; its signature is not looked at.
fn info_of(response: &[u8]) -> Result<TstInfo<'_>, Setback> {
    let lasting = |finding: Finding| Setback::lasting(finding.into());
    let decoded = TimestampResponse::decode(response).map_err(lasting)?;
    let Some(token) = decoded.token else { return Err(Setback::of_refusal(&decoded)) };
    let signed = SignedData::decode(token).map_err(|error| {
        lasting(Finding::new(FindingCode::TimestampMalformed).found(error.to_string()))
    })?;
    TstInfo::decode(signed.content).map_err(lasting)
}

/// A number from 0 to 1 that differs from run to run: who was refused together shall not come back
/// together.
fn jitter() -> f64 {
    let random = RandomState::new().hash_one(Duration::ZERO);
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
