//! The accept loop as a client sees it.

mod connections;
mod drain;
mod floods;
mod pressure;
mod requests;
mod rig;
mod tls;
