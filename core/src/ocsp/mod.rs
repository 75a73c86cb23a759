//! OCSP (RFC 6960): requests as a responder reads them, responses as a verifier reads them.

mod request;
mod response;

pub use request::{
    CertId, Nonce, NonceKind, OcspRequest, OcspRequestError, cert_id, request, request_of,
};
pub use response::{
    BasicResponse, CertificateStatus, OcspResponse, OcspResponseStatus, ResponderId, SingleResponse,
};
