//! A client's `TimeStampReq` (RFC 3161 §2.4.1).

use const_oid::ObjectIdentifier;
use countersign_core::{digest::Digest, tsp::CertificateRequest};

use crate::{
    der,
    key::{SignError, random},
};

/// Builds a `TimeStampReq`. By default it asks for the certificates, names no policy, and has no
/// nonce.
#[derive(Clone, Debug)]
pub struct TimestampRequestBuilder {
    imprint: Digest,
    policy: Option<ObjectIdentifier>,
    nonce: Option<Vec<u8>>,
    certificates: CertificateRequest,
}

impl TimestampRequestBuilder {
    /// Asks for a timestamp over the data with this digest.
    pub fn new(imprint: Digest) -> Self {
        Self { imprint, policy: None, nonce: None, certificates: CertificateRequest::Include }
    }

    /// Asks for a policy; the authority must use it or refuse.
    #[must_use]
    pub fn policy(mut self, policy: ObjectIdentifier) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Sets a nonce: a positive number, most significant octet first.
    #[must_use]
    pub fn nonce(mut self, magnitude: &[u8]) -> Self {
        self.nonce = Some(der::unsigned_integer(magnitude));
        self
    }

    /// Sets a nonce of 128 random bits, so that an answer cannot be a replay.
    ///
    /// # Errors
    /// [`SignError::Random`] when there are no random numbers.
    pub fn random_nonce(self) -> Result<Self, SignError> {
        let mut magnitude: [u8; 16] = random()?;
        // No leading zero octet: every nonce has the same length.
        magnitude[0] = (magnitude[0] & 0x7F) | 0x40;
        Ok(self.nonce(&magnitude))
    }

    /// Says whether the certificates shall be in the token.
    #[must_use]
    pub fn certificates(mut self, certificates: CertificateRequest) -> Self {
        self.certificates = certificates;
        self
    }

    /// DER of the `TimeStampReq`.
    pub fn build(&self) -> Vec<u8> {
        // NULL parameters, as every client in use sends them; RFC 5754 §2 has servers take both.
        let algorithm = der::sequence(&[&der::oid(&self.imprint.algorithm().oid()), der::NULL]);
        let imprint = der::sequence(&[&algorithm, &der::octet_string(self.imprint.octets())]);
        let policy = self.policy.as_ref().map(der::oid).unwrap_or_default();
        let certificates = match self.certificates {
            CertificateRequest::Include => der::boolean_true(),
            CertificateRequest::Omit => Vec::new(),
        };
        der::sequence(&[
            &der::integer(1),
            &imprint,
            &policy,
            self.nonce.as_deref().unwrap_or_default(),
            &certificates,
        ])
    }
}
