//! Publishing: the issuers, the CRLs of each, and where these are written to.
//!
//! An [`Issuer`] is what its files say ([`authority`]) with its row in the register and its CRLs.
//! [`Publisher`] builds and signs the CRLs of an issuer whose key is here; [`CrlsElsewhere`] serves
//! those that were made elsewhere, as far as each is [complete](countersign_core::crl::CompleteList). Both publish only what [`PublishedCrl::inspect`] lets through, and
//! `publication` writes it to where a CDN finds it. What is revoked is the register's to know; OCSP
//! is `respond`'s.

pub mod authority;
#[cfg(feature = "object-store")]
mod bucket;
mod build;
pub(crate) mod caching;
mod config;
mod crl;
mod due;
mod elsewhere;
pub(crate) mod file_state;
mod folder;
mod issuer;
mod publication;
mod publisher;
pub(crate) mod range;
mod series;
mod succession;
mod takeover;

pub use self::{
    config::{ConditionalWrites, PublicationConfig},
    crl::{CrlError, PublishedCrl, RevokedSerials},
    elsewhere::CrlsElsewhere,
    issuer::{CrlSource, Issuer, Issuers},
    publication::PublicationError,
    publisher::{CrlTimes, Publisher},
};
pub(crate) use self::{
    crl::{revoked_in, url_of},
    publication::Publication,
    succession::{Before, refuse_revival},
    takeover::refuse_loss,
};
