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
use reqwest::StatusCode;
use url::Url;

use crate::{
    arguments::{KeyPassphrase, TimestampTls},
    artifact::Waiting,
    failure::{Failure, Outcome},
    fetch::{Authorities, ClientCertificate, HttpClient, Patience, Tls, shown},
    input,
    prompt::Purpose,
    session::Session,
};

use setback::{Hope, Setback, pause_after};

/// A client for timestamp authorities: what was typed, else what is set, else as any public
/// service is asked.
///
/// # Errors
/// When a file that is named cannot be used.
pub fn client(typed: &TimestampTls, session: &Session) -> Outcome<HttpClient> {
    let settings = &session.settings;
    let authorities = match typed.timestamp_ca.as_ref().or(settings.timestamp_ca.as_ref()) {
        Some(path) => {
            let certificates = input::certificates(path)?;
            Authorities::Only { certificates, flag: "--timestamp-ca" }
        }
        None => Authorities::System,
    };
    let certificate =
        typed.timestamp_certificate.as_ref().or(settings.timestamp_certificate.as_ref());
    let key = typed.timestamp_key.as_ref().or(settings.timestamp_key.as_ref());
    let certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let file = typed.timestamp_key_passphrase_file.clone();
            let file = file.or_else(|| settings.timestamp_key_passphrase_file.clone());
            let passphrase = session.key_passphrase(&KeyPassphrase { file }, key, Purpose::Open)?;
            Some(ClientCertificate::open(&input::certificates(certificate)?, key, &passphrase)?)
        }
        (None, None) => None,
        (Some(_), None) => {
            return Err(Failure::usage("--timestamp-certificate needs --timestamp-key, too"));
        }
        (None, Some(_)) => {
            return Err(Failure::usage("--timestamp-key needs --timestamp-certificate, too"));
        }
    };
    HttpClient::with(Tls { authorities, certificate })
}

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
    /// Each failure before the answer is reported on stderr.
    ///
    /// # Errors
    /// The most telling failure.
    pub fn ask(
        &self,
        session: &Session,
        client: &HttpClient,
        urls: &[Url],
        believed: Believed<'_>,
    ) -> Outcome<Stamp> {
        let mut asking = Asking { client, session, believed, requests: 0 };
        let mut open: Vec<&Url> = urls.iter().collect();
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
                session
                    .output
                    .say(&format!("warning: {failure}; again in {:.1} s", pause.as_secs_f32()));
            }
            thread::sleep(pause);
        }
        let none = || Failure::usage("no timestamp authority is named (--timestamp-url)");
        Err(told.unwrap_or_else(none))
    }

    /// Asks one authority, with one hash after the other while it wants another.
    fn ask_one(&self, asking: &mut Asking<'_>, url: &Url) -> Result<Stamp, Setback> {
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
        url: &Url,
        imprint: &Digest,
    ) -> Result<Stamp, Setback> {
        asking.requests += 1;
        let _waiting =
            Waiting::begin(asking.session, &format!("Asking {} for a timestamp", shown(url)));
        let request = self.encode(imprint).map_err(Setback::lasting)?;
        let media_type = "application/timestamp-query";
        let reply = asking
            .client
            .post(url, media_type, &request, limits::TIMESTAMP_BYTES, Patience::Small)
            .map_err(Setback::of_transport)?;
        if reply.status != StatusCode::OK {
            return Err(Setback::of_status(&reply, url));
        }
        let about = |mut setback: Setback| {
            setback.failure = setback.failure.about(shown(url));
            setback
        };
        let info =
            info_of(&reply.body).map_err(|setback| match setback.failure.finding().code {
                // Something else than a timestamp says nothing against the authority's timestamps.
                FindingCode::TIMESTAMP_MALFORMED if !reply.is("application/timestamp-reply") => {
                    Setback::lasting(reply.not(url, "a timestamp"))
                }
                _ => about(setback),
            })?;
        self.check(imprint, &request, &reply.body, &info, asking.believed)
            .map_err(|failure| about(Setback::lasting(failure)))?;
        Ok(Stamp {
            time: info.gen_time.to_string(),
            policy: info.policy.to_string(),
            serial: encode_hex(info.serial),
            url: shown(url),
            imprint: imprint.clone(),
            requests: asking.requests,
            response: reply.body,
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
            return Err(Finding::new(FindingCode::TIMESTAMP_IMPRINT_MISMATCH)
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
    client: &'a HttpClient,
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
        lasting(Finding::new(FindingCode::TIMESTAMP_MALFORMED).found(error.to_string()))
    })?;
    TstInfo::decode(signed.content).map_err(lasting)
}

/// A number from 0 to 1 that differs from run to run: who was refused together shall not come back
/// together.
fn jitter() -> f64 {
    let random = RandomState::new().hash_one(Duration::ZERO);
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
