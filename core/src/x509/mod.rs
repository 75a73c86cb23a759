//! X.509 certificates (RFC 5280): decoding in place, names, profiles, paths.

pub(crate) mod algorithm;
pub mod certificate;
mod extensions;
mod link;
pub mod name;
pub mod path;
pub mod profile;

pub use certificate::{Certificate, PublicKey};
pub(crate) use extensions::DistributionPointName;
pub use extensions::{
    BasicConstraints, CrlDistributionPoint, Extensions, GeneralName, KeyUsage, Usages, general_name,
};
pub use link::{LinkOctets, VerifiedLink};
pub use path::{Purpose, VerifiedPath};
