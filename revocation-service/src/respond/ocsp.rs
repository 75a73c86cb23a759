//! From the octets of a request to an answer, or to a refusal.
//!
//! What everybody may be given is signed once and kept for a while; an answer with a nonce, or to
//! several questions, is signed when it is asked for. HTTP is not known here.

use std::sync::Arc;

use bytes::Bytes;
use countersign_core::ocsp::{NonceKind, OcspRequest};
use countersign_signing::ocsp::OcspResponseStatus;

use super::{Fault, Outcome, Responder, SignedAnswer, signed};

/// An answer.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A signed one for everybody who asks the same.
    ForAnyone(Arc<SignedAnswer>),
    /// A signed one with the asker's nonce in it, DER, and what it came to.
    ForAsker(Bytes, Outcome),
    /// An unsigned refusal.
    Refusal(OcspResponseStatus),
}

/// Answers one request.
pub(crate) async fn answer(responder: &Arc<Responder>, request: &[u8]) -> Answer {
    let answer = respond(responder, request).await.unwrap_or_else(|fault| {
        if let Fault::Storage(error) = &fault {
            tracing::error!(%error, cause = ?std::error::Error::source(error), "no OCSP answer");
        }
        Answer::Refusal(fault.status())
    });
    responder.figures.answered(match &answer {
        Answer::ForAnyone(signed) => signed.outcome,
        Answer::ForAsker(_, outcome) => *outcome,
        Answer::Refusal(status) => Outcome::Refused(*status),
    });
    answer
}

async fn respond(responder: &Arc<Responder>, request: &[u8]) -> Result<Answer, Fault> {
    let request = OcspRequest::decode(request, responder.settings.ocsp_max_certificates)
        .map_err(|_| Fault::Malformed)?;
    // RFC 9654 §2.1: 16–32 octets are echoed, of other lengths the answer may leave the nonce out.
    let nonce = request.nonce.filter(|_| request.nonce_kind() == Some(NonceKind::Echo));
    let nonce = nonce.map(|nonce| nonce.value);
    match (&request.certificates[..], nonce) {
        ([id], None) => {
            let kept = responder.kept_answers.answer(responder, id).await?;
            Ok(Answer::ForAnyone(kept))
        }
        (ids, None) => {
            let unsigned = signed::prepare(responder, ids, responder.now()).await?;
            let signed = signed::sign(responder, unsigned).await?;
            Ok(Answer::ForAnyone(Arc::new(signed)))
        }
        (ids, Some(nonce)) => {
            let unsigned = signed::prepare(responder, ids, responder.now()).await?;
            let outcome = unsigned.outcome();
            let der = signed::sign_for(responder, unsigned, nonce).await?;
            Ok(Answer::ForAsker(der, outcome))
        }
    }
}
