//! `countersign revoke` and `countersign revocation` against the running service: what they do there,
//! what they say, and with which exit code.

mod looking;
mod operations;
mod orders;
mod people;
mod refused;
mod site;
mod takeover;
mod terminal;
