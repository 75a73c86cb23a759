//! Certificates, tokens, CRLs and OCSP responses that are wrong in exactly one way and otherwise
//! rightly made and signed.
//!
//! A draft is what a careful issuer would write; a test changes one field of it and signs. Keys,
//! serial numbers and times are fixed, and ECDSA nonces follow RFC 6979, so that a mutant has the
//! same bytes in every run (RSA-PSS salts excepted). Nothing here looks at what it makes.

mod ber;
mod certificate;
mod chain;
mod crl;
mod key;
mod ocsp;
mod release;
mod token;

pub use self::{
    ber::in_ber,
    certificate::{CertificateDraft, ExtensionDraft, basic_constraints, key_usage, usages},
    chain::{Chain, SignedChain},
    crl::{CrlDraft, EntryDraft},
    key::ForgeKey,
    ocsp::{NoExtensions, OcspDraft, SingleDraft, WhoAnswers},
    release::{Proofs, Release},
    token::{Ess, SignerName, TokenDraft, TstInfoDraft, other_revocation},
};

use countersign_core::{crypto::SignatureScheme, time::UnixSeconds};
use countersign_signing::{der, name::DistinguishedName};

/// When everything is verified: 2026-11-23T12:00:00Z.
pub const NOW: UnixSeconds = UnixSeconds::new(1_795_435_200);

/// A day in seconds.
pub const DAY: i64 = 86_400;

/// The address in certificates at which the CA's CRL is.
pub const CRL_URL: &str = "http://revocation.example/crl/signing.crl";

/// The signer's identity.
pub const IDENTITY: &str = "release@example.com";

/// DER of the whole `AlgorithmIdentifier` of a scheme.
pub fn algorithm(scheme: SignatureScheme) -> Vec<u8> {
    der::sequence(&[scheme.algorithm_identifier_content()])
}

/// DER of a `Name` with organisation Example and that common name.
///
/// # Panics
/// When the name is not one.
pub fn name(common_name: &str) -> Vec<u8> {
    DistinguishedName::new("Example", common_name).encode().expect("a name of ours encodes")
}
