//! Timestamp clients in use, against the running service: each must be served, with each kind of
//! key, and verify what it got by its own means.

mod java;
mod openssl;
mod osslsigncode;
mod portable_executable;
mod python;
mod service;
mod token_away;
