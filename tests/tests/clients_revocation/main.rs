//! Clients of OCSP and CRLs in use, against the running service: each must take a good certificate for
//! good and a revoked one for revoked, by its own means.

mod java;
mod native;
mod python;
mod site;
