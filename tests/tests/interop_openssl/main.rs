//! Interoperation with the real `openssl`, both ways: it accepts what we make, and core gives the
//! right answer on what it makes.
//!
//! Key files, requests, and one message against one message (a query and its response) are tested
//! where they are made, in signing and the services. Here it is whole evidence: bundles, chains,
//! timestamps, CRLs and OCSP responses as a verifier gets them.

mod authority;
mod bench;
mod command_line;
mod ours;
mod theirs;
mod theirs_refused;
