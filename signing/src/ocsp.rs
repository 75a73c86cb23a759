//! OCSP (RFC 6960, RFC 9654): responses of a delegate, error responses, and clients' requests.
//!
//! It encodes and signs what it is given. Which certificate has which status, which nonces are
//! answered, and HTTP are the service's.

mod cert_id;
mod response;

pub use countersign_core::ocsp::{
    CertificateStatus, OcspResponseStatus, cert_id as cert_id_of, request_of as request,
};

use crate::der;

pub use self::{
    cert_id::cert_id,
    response::{Answer, OcspSigner, ResponseTerms},
};

/// DER of an `OCSPResponse` that says why there is no answer; not signed.
pub fn error_response(status: OcspResponseStatus) -> Vec<u8> {
    der::sequence(&[&der::enumerated(status.code())])
}
