//! The register: what was issued and revoked, and the rules by which that may change.
//!
//! It is the lowest wing: it signs nothing, publishes nothing and knows nobody who asks. What
//! becomes of its entries is [`crate::publish`]'s and `respond`'s; who may change them,
//! [`crate::admin`]'s.

mod crl_list;
pub mod rules;
pub(crate) mod serial_number;
pub mod storage;

pub use self::crl_list::{CrlForm, CrlList, CrlScope};
