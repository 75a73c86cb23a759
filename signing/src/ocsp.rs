//! OCSP (RFC 6960, RFC 9654): responses of a delegate, error responses, and clients' requests.
//!
//! It encodes and signs what it is told. Which certificate has which status, which nonces are
//! answered, and HTTP are the service's.

mod cert_id;
mod response;

use countersign_core::oid;

use crate::der::{self, Criticality::NonCritical};

pub use self::{
    cert_id::{cert_id, cert_id_of},
    response::{CertificateStatus, OcspSigner, ResponseTerms, SingleResponse},
};

/// `OCSPResponseStatus` other than successful (RFC 6960 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcspResponseStatus {
    /// The request is not one that we understand.
    MalformedRequest,
    /// Something is wrong with us.
    InternalError,
    /// Come back later.
    TryLater,
    /// The request must be signed; we never ask for that.
    SignatureRequired,
    /// We are no responder for these certificates.
    Unauthorized,
}

impl OcspResponseStatus {
    const fn code(self) -> u8 {
        match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SignatureRequired => 5,
            Self::Unauthorized => 6,
        }
    }
}

/// DER of an `OCSPResponse` that says why there is no answer; not signed.
pub fn error_response(status: OcspResponseStatus) -> Vec<u8> {
    der::sequence(&[&der::enumerated(status.code())])
}

/// DER of an `OCSPRequest` for certificates named by [`cert_id`]s, with a nonce of 1 to 128 octets
/// if one is given (RFC 9654 asks for 32).
pub fn request<T: AsRef<[u8]>>(cert_ids: &[T], nonce: Option<&[u8]>) -> Vec<u8> {
    let requests: Vec<Vec<u8>> =
        cert_ids.iter().map(|cert_id| der::sequence(&[cert_id.as_ref()])).collect();
    let extensions = match nonce {
        Some(nonce) => der::context(2, &[&der::sequence(&[&nonce_extension(nonce)])]),
        None => Vec::new(),
    };
    let tbs = der::sequence(&[&der::sequence_of(&requests), &extensions]);
    der::sequence(&[&tbs])
}

/// RFC 9654 §2.1: the extension's value is itself an OCTET STRING.
fn nonce_extension(nonce: &[u8]) -> Vec<u8> {
    der::extension(&oid::OCSP_NONCE, NonCritical, &der::octet_string(nonce))
}
