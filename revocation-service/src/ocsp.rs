//! OCSP (RFC 6960, RFC 9654, RFC 9919): from the octets of a request to the octets of an answer.
//!
//! What everybody may be given is signed once and kept for a while ([`kept`]); an answer with a
//! nonce, or to several questions, is signed when it is asked for ([`responder`]). The database is
//! the authority on every one of them ([`status`]). HTTP is the routes' business.

mod kept;
mod responder;
mod status;

use std::sync::Arc;

use bytes::Bytes;
use countersign_core::ocsp::{NonceKind, OcspRequest};
use countersign_signing::ocsp::OcspResponseStatus;

pub(crate) use self::{
    kept::KeptAnswers,
    responder::SignedAnswer,
    status::{Reader, StatusMemory, status},
};
use crate::{
    figures::Outcome, register::storage::StorageError, signing_queue::QueueFault, state::Service,
};

/// An answer.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A signed one for whoever asks the same.
    ForAnyone(Arc<SignedAnswer>),
    /// A signed one with the asker's nonce in it, DER, and what it came to.
    ForAsker(Bytes, Outcome),
    /// An unsigned refusal.
    Refusal(OcspResponseStatus),
}

/// Why there is no signed answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Malformed,
    Unauthorized,
    Busy,
    NoDelegate,
    /// There is no valid CRL of those made elsewhere, which decide.
    StaleCrl,
    Storage(Arc<StorageError>),
    /// The token with the delegate's key is away.
    KeyAway,
    Signing,
}

impl Fault {
    fn status(&self) -> OcspResponseStatus {
        match self {
            Self::Malformed => OcspResponseStatus::MalformedRequest,
            Self::Unauthorized => OcspResponseStatus::Unauthorized,
            Self::Busy | Self::NoDelegate | Self::StaleCrl | Self::KeyAway => {
                OcspResponseStatus::TryLater
            }
            Self::Storage(_) | Self::Signing => OcspResponseStatus::InternalError,
        }
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Storage(Arc::new(error))
    }
}

impl From<QueueFault> for Fault {
    fn from(fault: QueueFault) -> Self {
        match fault {
            QueueFault::Full => Self::Busy,
            QueueFault::Abandoned => Self::Signing,
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(service: &Arc<Service>, request: &[u8]) -> Answer {
    let answer = respond(service, request).await.unwrap_or_else(|fault| {
        if let Fault::Storage(error) = &fault {
            tracing::error!(%error, cause = ?std::error::Error::source(error), "no OCSP answer");
        }
        Answer::Refusal(fault.status())
    });
    service.figures().answered(match &answer {
        Answer::ForAnyone(signed) => signed.outcome,
        Answer::ForAsker(_, outcome) => *outcome,
        Answer::Refusal(status) => Outcome::Refused(*status),
    });
    answer
}

async fn respond(service: &Arc<Service>, request: &[u8]) -> Result<Answer, Fault> {
    let request = OcspRequest::decode(request, service.settings().ocsp_max_certificates)
        .map_err(|_| Fault::Malformed)?;
    // RFC 9654 §2.1: 16–32 octets are echoed, of other lengths the answer may leave the nonce out.
    let nonce = request.nonce.filter(|_| request.nonce_kind() == Some(NonceKind::Echo));
    let nonce = nonce.map(|nonce| nonce.value);
    match (&request.certificates[..], nonce) {
        ([id], None) => {
            let kept = service.kept_answers().answer(service, id).await?;
            Ok(Answer::ForAnyone(kept))
        }
        (ids, None) => {
            let unsigned = responder::prepare(service, ids, service.now()).await?;
            let signed = responder::sign(service, unsigned).await?;
            Ok(Answer::ForAnyone(Arc::new(signed)))
        }
        (ids, Some(nonce)) => {
            let unsigned = responder::prepare(service, ids, service.now()).await?;
            let outcome = unsigned.outcome();
            let der = responder::sign_for(service, unsigned, nonce).await?;
            Ok(Answer::ForAsker(der, outcome))
        }
    }
}
