//! Everything of Countersign that touches a private key: keys in files and in PKCS#11 tokens,
//! certificates and the authority that issues them, timestamp tokens, OCSP responses, CRLs, and Sigstore bundles.
//!
//! It builds and signs. It does not decide whether anything may be believed (that is
//! `countersign_core`), it opens no socket, and it has no clock: every time is handed in.

pub mod bundle;
pub mod ca;
pub mod certificate;
mod cms;
pub mod concealed;
pub mod crl;
pub mod csr;
pub mod dumps;
pub mod files;
pub mod key;
pub mod name;
pub mod ocsp;
pub mod pem;
pub mod profile;
pub mod secret_file;
pub mod statement;
pub mod toml_fault;
pub mod trust;
pub mod tsp;

pub use countersign_core::asn1::write as der;
