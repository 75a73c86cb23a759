//! The verification core of Countersign.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

#[macro_use]
extern crate alloc;

pub mod asn1;
pub mod bundle;
pub mod cms;
pub mod crl;
pub mod crypto;
pub mod digest;
pub mod finding;
pub mod inspect;
pub mod json;
pub mod kind;
pub mod limits;
pub mod ocsp;
pub mod oid;
mod order;
pub mod pattern;
pub mod pem;
pub mod policy;
pub mod report;
pub mod revocation;
pub mod time;
pub mod tlog;
pub mod trust;
pub mod tsp;
mod verify;
pub mod x509;

pub use verify::{
    Artifact, Evidence, EvidenceSet, Keep, Plan, ProvenTime, RevocationSource, Unnamed,
    Verification, Voucher, verify,
};
