//! RFC 3161 timestamps: requests, responses, tokens, and the verification of tokens.

mod info;
mod request;
mod response;
mod verify;

pub use info::{Accuracy, GenTime, MessageImprint, TstInfo};
pub use request::{CertificateRequest, RequestFault, TimestampRequest};
pub use response::{FailureInfo, PkiStatus, TimestampResponse};
pub use verify::{Stamped, VerifiedTimestamp, verify, verify_answer};
