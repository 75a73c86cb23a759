//! From the bytes of a request to the bytes of its answer.
//!
//! What is offered is decided here, row by row; the bytes of a token are `countersign_signing`'s.

use std::sync::Arc;

use bytes::Bytes;
use countersign_core::tsp::{FailureInfo, TimestampRequest};
use countersign_daemon::request_id::RequestId;
use warp::reply::Response;

use crate::reply::{self, Refusal};
use crate::state::State;

/// What a client reads when the reason is ours alone; the log has it.
const INTERNAL: &str =
    "The authority failed; try again, and give this request number to its operator.";

/// Answers one `TimeStampReq`.
pub(crate) async fn stamp(state: Arc<State>, body: Bytes, request_id: RequestId) -> Response {
    let outcome = match accept(&state, &body) {
        Err(refusal) => Err(refusal),
        Ok(()) => sign(state, body, request_id).await,
    };
    reply::answer(outcome, request_id)
}

/// Whether the request is one that this authority answers with a token (RFC 3161 §2.4.2).
fn accept(state: &State, body: &[u8]) -> Result<(), Refusal> {
    let request = TimestampRequest::decode(body).map_err(|fault| {
        Refusal::new(fault.failure(), format!("Send a correct TimeStampReq: {fault}."))
    })?;
    accept_hash(state, &request)?;
    if let Some(policy) = request.policy
        && !state.offered_policies.contains(&policy)
    {
        let offered = join(state.offered_policies.iter());
        let text = format!("The policy {policy} is not offered; ask for {offered}, or for none.");
        return Err(Refusal::new(FailureInfo::UnacceptedPolicy, text));
    }
    if let Some(extension) = request.extension {
        let text = format!(
            "The extension {extension} is not known here; send the request without extensions."
        );
        return Err(Refusal::new(FailureInfo::UnacceptedExtension, text));
    }
    Ok(())
}

fn accept_hash(state: &State, request: &TimestampRequest<'_>) -> Result<(), Refusal> {
    let imprint = &request.message_imprint;
    if imprint.algorithm.is_some_and(|algorithm| state.offered_hashes.contains(&algorithm)) {
        return Ok(());
    }
    let found = match imprint.algorithm {
        Some(algorithm) => algorithm.name().to_owned(),
        None => imprint.identifier.oid.to_string(),
    };
    let offered = join(state.offered_hashes.iter().map(|algorithm| algorithm.name()));
    let text = format!("The hash algorithm {found} is not accepted; use {offered}.");
    Err(Refusal::new(FailureInfo::BadAlg, text))
}

fn join(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// Signs off the threads that serve connections, when there is a place.
async fn sign(state: Arc<State>, body: Bytes, request_id: RequestId) -> Result<Vec<u8>, Refusal> {
    let internal = || Refusal::new(FailureInfo::SystemFailure, INTERNAL);
    // The semaphore is never closed. Who waits here is bounded by the requests in flight and by
    // the request's time.
    let place = Arc::clone(&state.signing).acquire_owned().await.map_err(|_| internal())?;
    let signing = tokio::task::spawn_blocking(move || {
        let _place = place;
        sign_now(&state, &body, request_id)
    });
    signing.await.unwrap_or_else(|error| {
        tracing::error!(%request_id, %error, "signing broke off");
        Err(internal())
    })
}

fn sign_now(state: &State, body: &[u8], request_id: RequestId) -> Result<Vec<u8>, Refusal> {
    // Decoded again, since what was decoded borrows: it costs a microsecond beside the signature.
    let request = TimestampRequest::decode(body).map_err(|fault| {
        Refusal::new(fault.failure(), format!("Send a correct TimeStampReq: {fault}."))
    })?;
    let issuer = state.issuer();
    let gen_time = state.next_gen_time(&issuer).map_err(|fault| {
        tracing::error!(%request_id, %fault, "no time to stamp");
        let text = "The authority's clock cannot be trusted now; try again later or use another authority.";
        Refusal::new(FailureInfo::TimeNotAvailable, text)
    })?;
    issuer.respond(&request, gen_time).map_err(|error| {
        tracing::error!(%request_id, %error, "signing failed");
        Refusal::new(FailureInfo::SystemFailure, INTERNAL)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    use countersign_core::crypto::SignatureScheme;
    use countersign_core::digest::Digest;
    use countersign_core::tsp::{PkiStatus, TimestampResponse};
    use countersign_daemon::clock::FixedClock;
    use countersign_signing::ca::{CertificateAuthority, InitOptions, IssueRequest, SubjectKey};
    use countersign_signing::key::{FileKey, KeyAlgorithm, Passphrase, SignError, Signer};
    use countersign_signing::name::DistinguishedName;
    use countersign_signing::profile::Profile;
    use countersign_signing::tsp::{Accuracy, TimestampPolicy, TimestampRequestBuilder};
    use http_body_util::BodyExt;

    use super::*;
    use crate::config::Config;
    use crate::issuer::{Issuer, unix_seconds};
    use crate::state::readiness;

    /// A key that can be made to refuse, or to panic.
    #[derive(Debug)]
    struct FickleKey {
        key: FileKey,
        refuses: AtomicBool,
        panics: AtomicBool,
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
                self.key.sign(message)
            }
        }

        fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SignError> {
            assert!(!self.panics.load(Ordering::SeqCst), "as asked");
            if self.refuses.load(Ordering::SeqCst) {
                Err(SignError::Refused)
            } else {
                self.key.sign_digest(digest)
            }
        }
    }

    fn authority() -> (Arc<FickleKey>, Arc<State>) {
        let folder = tempfile::tempdir().expect("folder");
        let options = InitOptions {
            organisation: "Example".to_owned(),
            base_url: "http://ca.example".to_owned(),
            algorithm: KeyAlgorithm::P256,
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
        let granted = ca
            .issue(&request, SubjectKey::New(KeyAlgorithm::P256), unix_seconds(now))
            .expect("issued");
        let key = Arc::new(FickleKey {
            key: granted.key.expect("a key"),
            refuses: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        });
        let path = folder.path().join("timestamp.toml");
        std::fs::write(&path, "key = \"k\"\ncertificate_chain = \"c\"\npolicy = \"1.2.3\"\n")
            .expect("written");
        let config = Config::load(Some(&path)).expect("a configuration");
        let policy = TimestampPolicy {
            policy: config.default_policy().expect("a policy"),
            accuracy: Accuracy::from_millis(1000).expect("an accuracy"),
        };
        let issuer =
            Issuer::new(Arc::clone(&key) as _, granted.chain, policy, now).expect("an issuer");
        (key, Arc::new(State::new(&config, issuer, Arc::new(FixedClock::new(now)))))
    }

    async fn ask(state: &Arc<State>) -> (PkiStatus, Option<FailureInfo>, String) {
        let digest = Digest::parse(&format!("sha256:{}", "ab".repeat(32))).expect("a digest");
        let query = Bytes::from(TimestampRequestBuilder::new(digest).build());
        let response = stamp(Arc::clone(state), query, RequestId::next()).await;
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let response = TimestampResponse::decode(&body).expect("a TimeStampResp");
        (response.status, response.failure, response.status_text.join(" "))
    }

    #[tokio::test]
    async fn a_key_that_refuses_or_panics_is_a_system_failure_and_not_ready() {
        let (key, state) = authority();
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
}
