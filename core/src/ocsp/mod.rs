//! OCSP (RFC 6960): requests as a responder reads them, responses as a verifier reads them.

mod request;
mod response;

pub use request::{CertId, Nonce, NonceKind, OcspRequest, OcspRequestFault, request};
pub use response::{
    BasicResponse, CertificateStatus, OcspResponse, OcspResponseStatus, ResponderId, SingleResponse,
};
