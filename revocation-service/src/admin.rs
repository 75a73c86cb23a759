//! What administrators may do: register certificates, revoke them, look one up.
//!
//! Each takes the [`Actor`] that TLS made known, and answers with JSON or a problem. Nothing is
//! acknowledged before it is on disk.

mod certificates;
mod revocations;

pub(crate) use certificates::{register, show};
pub(crate) use revocations::revoke;

pub(crate) use crate::actor::Actor;
