//! RFC 3161 timestamps: requests, responses, tokens, and the verification of tokens.

mod attributes;
mod ber;
mod ess;
mod info;
#[cfg(feature = "ber")]
mod legacy;
mod request;
mod response;
mod verify;

#[cfg(feature = "ber")]
pub use ber::normalised;
pub use ber::{BerForm, first as first_ber};
pub use info::{Accuracy, GenTime, MessageImprint, TstInfo};
#[cfg(feature = "ber")]
pub use legacy::LegacyTimestamp;
pub use request::{CertificateRequest, RequestError, TimestampRequest};
pub use response::{FailureInfo, PkiStatus, TimestampResponse, token};
pub(crate) use verify::verify_by;
#[cfg(feature = "ber")]
pub use verify::verify_legacy;
#[cfg(feature = "ber")]
pub(crate) use verify::verify_legacy_by;
pub use verify::{Stamped, VerifiedTimestamp, verify, verify_answer};

/// In which encoding timestamps are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenForm {
    /// In DER, as RFC 3161 §2.4.2 has it for the content and nearly everybody for the rest.
    #[default]
    Der,
    /// In BER too, as [`LegacyTimestamp`] reads it.
    #[cfg(feature = "ber")]
    BerToo,
}
