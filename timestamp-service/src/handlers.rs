//! From the bytes of a request to the bytes of its answer.
//!
//! What is offered is decided here, row by row; the bytes of a token are `countersign_signing`'s.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use countersign_core::tsp::{FailureInfo, RequestError, TimestampRequest};
use countersign_daemon::clock::unix_seconds;
use countersign_daemon::ledger::{AppendError, Appending};
use countersign_daemon::problem::Problem;
use countersign_daemon::request_id::RequestId;
use warp::reply::{Reply, Response};

use crate::audit::{Requester, TokenRecord};
use crate::issuer::{Issuer, Offer, Pace};
use crate::reply::{self, Refusal};
use crate::state::State;

/// What a client reads when the reason is ours alone; the log has it.
const INTERNAL: &str =
    "The authority failed; try again, and give this request number to its operator.";

/// When to come again while the disk cannot keep up with the records.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What a client reads while the clock is not to be trusted.
const NO_TIME: &str =
    "The authority's clock cannot be trusted now; try again later or use another authority.";

/// Who asks, and how the answer is to name the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) by: Requester,
    pub(crate) request_id: RequestId,
}

/// A token that was signed, and the wait for its record.
struct Issued {
    response: Vec<u8>,
    recording: Option<Appending>,
}

/// Answers one `TimeStampReq`.
pub(crate) async fn stamp(state: Arc<State>, body: Bytes, asked: Asked) -> Response {
    // Every request that has arrived takes its place in flight before the next one is signed: so
    // those that are too many are refused at once, and do not wait unseen in sockets.
    tokio::task::yield_now().await;
    let pace = state.issuer().pace();
    let issued = match pace {
        Pace::Prompt => sign_now(&state, &body, asked),
        Pace::Slow => sign_elsewhere(&state, body, asked).await,
    };
    let issued = match issued {
        Ok(issued) => issued,
        Err(refusal) => return refuse(&state, &refusal, asked.request_id),
    };
    match recorded(issued.recording, asked.request_id).await {
        Ok(()) => {
            state.figures.granted();
            reply::token(issued.response)
        }
        Err(Unrecorded::Overloaded) => {
            state.figures.overloaded();
            Problem::overloaded(RETRY_AFTER_SECONDS).into_response()
        }
        Err(Unrecorded::Failed) => {
            let refusal = Refusal::new(FailureInfo::SystemFailure, INTERNAL);
            refuse(&state, &refusal, asked.request_id)
        }
    }
}

/// The answer to a request that gets no token.
pub(crate) fn refuse(state: &State, refusal: &Refusal, request_id: RequestId) -> Response {
    state.figures.refused(refusal.failure);
    reply::refusal(refusal, request_id)
}

/// Why a token that was signed is not handed out.
enum Unrecorded {
    /// Too many records wait for the disk.
    Overloaded,
    /// The ledger failed.
    Failed,
}

/// Waits until the token's record is kept: no token leaves without one.
async fn recorded(recording: Option<Appending>, request_id: RequestId) -> Result<(), Unrecorded> {
    let Some(recording) = recording else { return Ok(()) };
    match recording.await {
        Ok(_) => Ok(()),
        Err(AppendError::Full) => Err(Unrecorded::Overloaded),
        Err(error) => {
            tracing::error!(%request_id, %error, "a token was not recorded, and not handed out");
            Err(Unrecorded::Failed)
        }
    }
}

/// Signs off the threads that serve connections, when there is a place.
async fn sign_elsewhere(state: &Arc<State>, body: Bytes, asked: Asked) -> Result<Issued, Refusal> {
    // What is refused takes no place.
    let now = state.clock().now();
    accept(state.keys().at(unix_seconds(now)), &decode(&body)?)?;
    let internal = || Refusal::new(FailureInfo::SystemFailure, INTERNAL);
    // The semaphore is never closed. Who waits here is bounded by the requests in flight and by
    // the request's time.
    let place = Arc::clone(&state.slow_signing).acquire_owned().await.map_err(|_| internal())?;
    let state = Arc::clone(state);
    let signing = tokio::task::spawn_blocking(move || {
        let _place = place;
        sign_now(&state, &body, asked)
    });
    signing.await.unwrap_or_else(|error| {
        tracing::error!(request_id = %asked.request_id, %error, "signing broke off");
        Err(internal())
    })
}

/// Accepts, signs and queues the record, on this thread.
fn sign_now(state: &State, body: &[u8], asked: Asked) -> Result<Issued, Refusal> {
    let request_id = asked.request_id;
    let request = decode(body)?;
    let now = state.clock().now();
    let keys = state.keys();
    let issuer = keys.at(unix_seconds(now));
    let offer = accept(issuer, &request)?;
    let allowance = offer.policy.clock_allowance();
    let gen_time = state.clock().stamp(now, issuer, allowance).map_err(|fault| {
        Refusal::new(FailureInfo::TimeNotAvailable, NO_TIME).because(fault.to_string())
    })?;
    let failed = || Refusal::new(FailureInfo::SystemFailure, INTERNAL);
    let started = Instant::now();
    // Unwind safety: a key that panicked is asked again at the next request, which is as good as
    // not; nothing else is shared.
    let signed = match catch_unwind(AssertUnwindSafe(|| offer.respond(&request, gen_time))) {
        Ok(Ok(signed)) => signed,
        Ok(Err(error)) => {
            tracing::error!(%request_id, %error, "signing failed");
            return Err(failed());
        }
        Err(_) => {
            tracing::error!(%request_id, "signing panicked");
            return Err(failed());
        }
    };
    state.figures.signed_in(started.elapsed());
    let recording = match (state.ledger(), request.message_imprint.algorithm) {
        (Some(ledger), Some(hash_algorithm)) => {
            let record = TokenRecord {
                serial: &signed.serial,
                hash_algorithm,
                imprint: request.message_imprint.digest,
                policy: offer.policy.oid,
                gen_time,
                key_id: issuer.key_id(),
                requester: asked.by,
            };
            Some(record.append(ledger))
        }
        _ => None,
    };
    Ok(Issued { response: signed.response, recording })
}

fn decode(body: &[u8]) -> Result<TimestampRequest<'_>, Refusal> {
    TimestampRequest::decode(body).map_err(|fault: RequestError| {
        Refusal::new(fault.failure(), format!("Send a correct TimeStampReq: {fault}."))
    })
}

/// The offer that the request takes up, when it is one that this authority answers with a token
/// (RFC 3161 §2.4.2).
fn accept<'a>(issuer: &'a Issuer, request: &TimestampRequest<'_>) -> Result<&'a Offer, Refusal> {
    let Some(offer) = issuer.offer(request.policy) else {
        let asked = request.policy.map(|policy| policy.to_string()).unwrap_or_default();
        let offered = join(issuer.offers().iter().map(|offer| offer.policy.oid));
        let text = format!("The policy {asked} is not offered; ask for {offered}, or for none.");
        return Err(Refusal::new(FailureInfo::UnacceptedPolicy, text));
    };
    accept_hash(offer, request)?;
    if let Some(extension) = request.extension {
        let text = format!(
            "The extension {extension} is not known here; send the request without extensions."
        );
        return Err(Refusal::new(FailureInfo::UnacceptedExtension, text));
    }
    Ok(offer)
}

fn accept_hash(offer: &Offer, request: &TimestampRequest<'_>) -> Result<(), Refusal> {
    let imprint = &request.message_imprint;
    let accepted = &offer.policy.hashes;
    if imprint.algorithm.is_some_and(|algorithm| accepted.contains(&algorithm)) {
        return Ok(());
    }
    let found = match imprint.algorithm {
        Some(algorithm) => algorithm.name().to_owned(),
        None => imprint.identifier.oid.to_string(),
    };
    let accepted = join(accepted.iter().map(|algorithm| algorithm.name()));
    let text = format!("The hash algorithm {found} is not accepted; use {accepted}.");
    Err(Refusal::new(FailureInfo::BadAlg, text))
}

fn join(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, SystemTime};

    use const_oid::ObjectIdentifier;
    use countersign_core::crypto::SignatureScheme;
    use countersign_core::digest::{Digest, HashAlgorithm};
    use countersign_core::tsp::{PkiStatus, TimestampResponse};
    use countersign_daemon::clock::FixedClock;
    use countersign_daemon::peer::ClientAddress;
    use countersign_signing::ca::{CertificateAuthority, InitOptions, IssueRequest, SubjectKey};
    use countersign_signing::key::{FileKey, NewKey, Passphrase, SignError, Signer};
    use countersign_signing::name::DistinguishedName;
    use countersign_signing::profile::Profile;
    use countersign_signing::tsp::TimestampRequestBuilder;
    use http_body_util::BodyExt;

    use super::*;
    use crate::issuer::When;
    use crate::keys::Keys;
    use crate::policy::OfferedPolicy;
    use crate::state::readiness;
    use crate::time::StampClock;

    /// A key that can be made to refuse, or to panic.
    #[derive(Debug)]
    struct FickleKey {
        key: FileKey,
        refuses: AtomicBool,
        panics: AtomicBool,
        /// What it signed; nothing of what it was given the digest of.
        signed: Mutex<Vec<Option<Vec<u8>>>>,
    }

    impl Signer for FickleKey {
        fn scheme(&self) -> SignatureScheme {
            self.key.scheme()
        }

        fn spki(&self) -> &[u8] {
            self.key.spki()
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            assert!(!self.panics.load(Ordering::SeqCst), "as asked");
            if self.refuses.load(Ordering::SeqCst) {
                Err(SignError::Refused)
            } else {
                self.signed.lock().expect("no panic").push(Some(message.to_vec()));
                self.key.sign(message)
            }
        }

        fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SignError> {
            assert!(!self.panics.load(Ordering::SeqCst), "as asked");
            if self.refuses.load(Ordering::SeqCst) {
                Err(SignError::Refused)
            } else {
                self.signed.lock().expect("no panic").push(None);
                self.key.sign_digest(digest)
            }
        }
    }

    fn authority(pace: Pace) -> (Arc<FickleKey>, Arc<State>) {
        let folder = tempfile::tempdir().expect("folder");
        let options = InitOptions {
            algorithm: NewKey::P256,
            ..InitOptions::new("Example", "http://ca.example")
        };
        let now = SystemTime::now();
        let passphrase = Passphrase::new("correct horse").expect("a passphrase");
        let ca = CertificateAuthority::init(
            &folder.path().join("ca"),
            &options,
            &passphrase,
            unix_seconds(now),
        )
        .expect("a certificate authority");
        let request =
            IssueRequest::new(Profile::TimestampAuthority, DistinguishedName::common_name("TSA"));
        let granted =
            ca.issue(&request, SubjectKey::New(NewKey::P256), unix_seconds(now)).expect("issued");
        let key = Arc::new(FickleKey {
            key: granted.key.expect("a key"),
            refuses: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            signed: Mutex::default(),
        });
        let policy = OfferedPolicy {
            oid: ObjectIdentifier::new_unwrap("1.2.3"),
            hashes: HashAlgorithm::STRONG.to_vec(),
            accuracy: Duration::from_secs(2),
        };
        let when = When::Now(unix_seconds(now));
        let signer: Arc<dyn Signer> = Arc::clone(&key) as _;
        let issuer = Issuer::new(&signer, pace, granted.chain, &[policy], when).expect("an issuer");
        let clock = Arc::new(FixedClock::new(now));
        (key, Arc::new(State::new(Keys::only(issuer), StampClock::new(clock, None), None, 1)))
    }

    async fn ask(state: &Arc<State>) -> (PkiStatus, Option<FailureInfo>, String) {
        let digest = Digest::parse(&format!("sha256:{}", "ab".repeat(32))).expect("a digest");
        let query = Bytes::from(TimestampRequestBuilder::new(digest).build());
        let by = ClientAddress([192, 0, 2, 1].into()).into();
        let asked = Asked { by, request_id: RequestId::next() };
        let response = stamp(Arc::clone(state), query, asked).await;
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let response = TimestampResponse::decode(&body).expect("a TimeStampResp");
        (response.status, response.failure, response.status_text.join(" "))
    }

    async fn refuses_and_goes_on(pace: Pace) {
        let (key, state) = authority(pace);
        let readiness = readiness(&state);
        assert_eq!(ask(&state).await.0, PkiStatus::Granted);
        for fault in [&key.refuses, &key.panics] {
            fault.store(true, Ordering::SeqCst);
            let (status, failure, text) = ask(&state).await;
            assert_eq!((status, failure), (PkiStatus::Rejection, Some(FailureInfo::SystemFailure)));
            assert!(text.contains("try again") && !text.contains("refused to sign"), "{text}");
            let failed = readiness
                .run()
                .await
                .into_iter()
                .find(|check| check.name == "key")
                .expect("the check");
            assert!(!failed.ready);
            fault.store(false, Ordering::SeqCst);
        }
        assert_eq!(ask(&state).await.0, PkiStatus::Granted, "every place is free again");
        assert!(readiness.run().await.iter().all(|check| check.ready));
    }

    #[tokio::test]
    async fn a_key_that_is_tried_signs_no_token() {
        let (key, state) = authority(Pace::Prompt);
        assert!(readiness(&state).run().await.iter().all(|check| check.ready));
        let signed = key.signed.lock().expect("no panic").clone();
        assert_eq!(signed.len(), 2, "at the start, and for the readiness check");
        for message in signed {
            let message = message.expect("a message, and no digest of one");
            assert!(message.starts_with(b"countersign: a trial of a key"), "{message:?}");
        }
    }

    #[tokio::test]
    async fn a_prompt_key_that_refuses_or_panics_is_a_system_failure_and_not_ready() {
        refuses_and_goes_on(Pace::Prompt).await;
    }

    #[tokio::test]
    async fn a_slow_key_that_refuses_or_panics_is_a_system_failure_and_not_ready() {
        refuses_and_goes_on(Pace::Slow).await;
    }
}
