//! A certificate and its issuer's, bound by a signature that was verified.
//!
//! Revocation is judged on such links only. If anything could be paired, whoever hands in
//! evidence would choose whose lists count: an issuer is the one that signed, not the one that has
//! the right name. That the issuer is trusted, or may issue, is not said here; a
//! [`VerifiedPath`](super::VerifiedPath) says it of each of its links.

use alloc::{format, vec::Vec};

use super::Certificate;
use crate::{
    crypto::CryptoProvider,
    finding::{Finding, FindingCode},
};

/// A certificate with the one of its issuer, who signed it.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedLink<'p, 'a> {
    certificate: &'p Certificate<'a>,
    issuer: &'p Certificate<'a>,
}

impl<'p, 'a> VerifiedLink<'p, 'a> {
    /// Verifies that `certificate` names `issuer` and carries its signature (RFC 5280 §6.1.3 (a)
    /// (1), (4)).
    ///
    /// # Errors
    /// `certificate.unknown-issuer`.
    pub fn verify(
        certificate: &'p Certificate<'a>,
        issuer: &'p Certificate<'a>,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self, Finding> {
        if certificate.is_signed_by(issuer, crypto) {
            return Ok(Self { certificate, issuer });
        }
        Err(Finding::new(FindingCode::CERTIFICATE_UNKNOWN_ISSUER)
            .about(certificate.subject_text())
            .expected(format!("issued by {}", issuer.subject_text()))
            .found("not signed by it"))
    }

    /// A link of a path, whose signatures were verified when it was found.
    pub(super) fn of_path(certificate: &'p Certificate<'a>, issuer: &'p Certificate<'a>) -> Self {
        Self { certificate, issuer }
    }

    /// The certificate.
    pub fn certificate(self) -> &'p Certificate<'a> {
        self.certificate
    }

    /// Its issuer's certificate.
    pub fn issuer(self) -> &'p Certificate<'a> {
        self.issuer
    }

    /// The same with octets of its own.
    pub fn to_octets(self) -> LinkOctets {
        LinkOctets { certificate: self.certificate.raw.to_vec(), issuer: self.issuer.raw.to_vec() }
    }
}

/// The octets of a [`VerifiedLink`], for callers that keep it while they fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOctets {
    certificate: Vec<u8>,
    issuer: Vec<u8>,
}

impl LinkOctets {
    /// The certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its issuer's certificate, DER.
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// Decodes the link, which was verified before, and puts a question to it.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(VerifiedLink<'_, '_>) -> T) -> Option<T> {
        let certificate = Certificate::decode(&self.certificate).ok()?;
        let issuer = Certificate::decode(&self.issuer).ok()?;
        Some(question(VerifiedLink { certificate: &certificate, issuer: &issuer }))
    }
}
