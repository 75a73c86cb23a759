//! RFC 3161: timestamp tokens, refusals, and the requests of clients.
//!
//! It answers a request that was found acceptable. What is acceptable (hashes, policies, whether
//! the clock can be trusted) is the service's to decide, and HTTP is the service's altogether.

mod refusal;
mod request;
mod signer;

pub use countersign_core::tsp::Accuracy;

pub use self::{
    refusal::refusal,
    request::TimestampRequestBuilder,
    signer::{TimestampPolicy, TimestampSigner},
};
