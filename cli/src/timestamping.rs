//! A timestamp by an authority over HTTP (RFC 3161 §3.4): ask, and hold the answer against the
//! question before anyone keeps it.

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

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is to be stamped.
    pub imprint: Digest,
    /// The policy, if a certain one is wanted.
    pub policy: Option<ObjectIdentifier>,
    /// Whether the answer must be a new one.
    pub nonce: Nonce,
    /// Whether the authority's certificates are to be in the token.
    pub certificates: CertificateRequest,
}

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
}

impl Question {
    /// A question with a nonce, no policy, and the authority's certificates.
    pub fn new(imprint: Digest) -> Self {
        Self {
            imprint,
            policy: None,
            nonce: Nonce::Random,
            certificates: CertificateRequest::Include,
        }
    }

    /// Asks the authorities at `urls` in turn until one answers; a refusal by one is no reason not
    /// to ask the next. Those that failed before one answered are told on stderr.
    ///
    /// # Errors
    /// The last one's failure.
    pub fn ask(
        &self,
        session: &Session,
        urls: &[String],
        believed: Believed<'_>,
    ) -> Outcome<Stamp> {
        let client = HttpClient::public();
        let mut last = Failure::usage("no timestamp authority is named (--timestamp-url)");
        for (index, url) in urls.iter().enumerate() {
            match self.ask_one(session, &client, url, believed) {
                Ok(stamp) => return Ok(stamp),
                Err(failure) => {
                    if index + 1 < urls.len() {
                        session.output.say(&format!("warning: {failure}; trying the next"));
                    }
                    last = failure;
                }
            }
        }
        Err(last)
    }

    fn ask_one(
        &self,
        session: &Session,
        client: &HttpClient,
        url: &str,
        believed: Believed<'_>,
    ) -> Outcome<Stamp> {
        let _waiting = Waiting::begin(session, &format!("Asking {url} for a timestamp"));
        let request = self.encode()?;
        let media_type = "application/timestamp-query";
        let reply = client.post(url, media_type, &request, limits::TIMESTAMP_BYTES)?;
        let response = reply.success(url)?;
        self.check(&request, &response, believed).map_err(|failure| failure.about(url))?;
        let info = info_of(&response)?;
        Ok(Stamp {
            time: info.gen_time.to_string(),
            policy: info.policy.to_string(),
            serial: encode_hex(info.serial),
            url: url.to_owned(),
            response,
        })
    }

    fn encode(&self) -> Outcome<Vec<u8>> {
        let mut builder =
            TimestampRequestBuilder::new(self.imprint.clone()).certificates(self.certificates);
        if let Some(policy) = self.policy {
            builder = builder.policy(policy);
        }
        if self.nonce == Nonce::Random {
            builder = builder.random_nonce()?;
        }
        Ok(builder.build())
    }

    fn check(&self, request: &[u8], response: &[u8], believed: Believed<'_>) -> Outcome<()> {
        let request = TimestampRequest::decode(request)
            .map_err(|fault| Failure::internal(format!("our own request: {fault:?}")))?;
        let info = info_of(response)?;
        if info.message_imprint.to_digest().as_ref() != Some(&self.imprint) {
            return Err(Finding::new(FindingCode::TimestampImprintMismatch)
                .expected(self.imprint.hex())
                .found(encode_hex(info.message_imprint.digest))
                .into());
        }
        tsp::verify_answer(&info, request.nonce, self.policy)?;
        if let Believed::Authorities(authorities, now) = believed {
            let digests = [self.imprint.clone()];
            tsp::verify(response, Stamped::Digests(&digests), authorities, &AwsLc, now)?;
        }
        Ok(())
    }
}

/// What the token of a response says; its signature is not looked at.
fn info_of(response: &[u8]) -> Outcome<TstInfo<'_>> {
    let decoded = TimestampResponse::decode(response)?;
    let Some(token) = decoded.token else {
        let refused = Finding::new(FindingCode::TimestampRefused);
        return Err(refused.found(decoded.refusal_text()).into());
    };
    let signed = SignedData::decode(token)
        .map_err(|error| Finding::new(FindingCode::TimestampMalformed).found(error.to_string()))?;
    Ok(TstInfo::decode(signed.content)?)
}
