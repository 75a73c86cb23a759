//! `BasicOCSPResponse` (RFC 6960 §4.2) by a responder to which the CA delegated.

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason, crypto::aws_lc::AwsLc, ocsp::CertificateStatus, oid, time::UnixSeconds,
    x509::Certificate,
};

use crate::{
    certificate::ocsp_key_hash,
    cms::signature_algorithm,
    der::{self, Criticality::NonCritical},
    key::{SignError, Signer},
};

/// What is answered about one certificate.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The `CertID` as the request has it: DER of the whole SEQUENCE, never encoded anew.
    pub cert_id: &'a [u8],
    /// Its status.
    pub status: CertificateStatus,
}

/// What holds for all answers of a response.
#[derive(Clone, Copy, Debug)]
pub struct ResponseTerms<'a> {
    /// When the response is signed.
    pub produced_at: UnixSeconds,
    /// The latest time at which the status was known to be right.
    pub this_update: UnixSeconds,
    /// When newer information is there at the latest; always sent.
    pub next_update: UnixSeconds,
    /// Since when revocation information is kept past expiry (RFC 6960 §4.4.4); nothing leaves
    /// the extension out.
    pub archive_cutoff: Option<UnixSeconds>,
    /// The request's nonce to echo: the extension's value as the request has it, since clients of
    /// RFC 2560 send no OCTET STRING.
    pub nonce: Option<&'a [u8]>,
}

/// Signs responses for one issuer.
#[derive(Debug)]
pub struct OcspSigner {
    signer: Arc<dyn Signer>,
    responder_id: Vec<u8>,
    algorithm: Vec<u8>,
    certificates: Vec<u8>,
}

impl OcspSigner {
    /// Prepares what is the same in every response. The delegate's certificate goes into each,
    /// unless it is the issuer's own, which every client has.
    ///
    /// # Errors
    /// When a certificate does not decode, the delegate's is for another key
    /// ([`SignError::KeyMismatch`]), or it was not issued by `issuer_certificate`
    /// ([`SignError::WrongIssuer`]). The delegate's profile and validity are not looked at.
    pub fn new(
        signer: Arc<dyn Signer>,
        delegate_certificate: &[u8],
        issuer_certificate: &[u8],
    ) -> Result<Self, SignError> {
        let decode = |position, certificate| {
            Certificate::decode(certificate)
                .map_err(|error| SignError::Certificate { position, detail: error.to_string() })
        };
        let delegate = decode(1, delegate_certificate)?;
        let issuer = decode(2, issuer_certificate)?;
        if delegate.public_key.raw != signer.spki() {
            return Err(SignError::KeyMismatch);
        }
        let is_issuer = delegate_certificate == issuer_certificate;
        if !is_issuer && !delegate.is_signed_by(&issuer, &AwsLc) {
            return Err(SignError::WrongIssuer);
        }
        let key_hash = der::octet_string(&ocsp_key_hash(delegate.public_key.bits));
        Ok(Self {
            // ResponderID byKey [2] EXPLICIT KeyHash.
            responder_id: der::context(2, &[&key_hash]),
            algorithm: signature_algorithm(signer.scheme()),
            certificates: if is_issuer {
                Vec::new()
            } else {
                der::context(0, &[&der::sequence(&[delegate_certificate])])
            },
            signer,
        })
    }

    /// DER of a whole `OCSPResponse` with the answers in the order given; makes one signature.
    ///
    /// # Errors
    /// When the key refuses.
    pub fn respond(
        &self,
        answers: &[Answer<'_>],
        terms: &ResponseTerms<'_>,
    ) -> Result<Vec<u8>, SignError> {
        let encoded: Vec<Vec<u8>> =
            answers.iter().map(|answer| single_response(answer, terms)).collect();
        let data = der::sequence(&[
            &self.responder_id,
            &der::generalized_time(terms.produced_at),
            &der::sequence_of(&encoded),
            &response_extensions(answers, terms),
        ]);
        let signature = self.signer.sign(&data)?;
        let basic = der::sequence(&[
            &data,
            &self.algorithm,
            &der::bit_string(&signature),
            &self.certificates,
        ]);
        let bytes = der::sequence(&[&der::oid(&oid::OCSP_BASIC), &der::octet_string(&basic)]);
        // successful(0)
        Ok(der::sequence(&[&der::enumerated(0), &der::context(0, &[&bytes])]))
    }
}

fn response_extensions(answers: &[Answer<'_>], terms: &ResponseTerms<'_>) -> Vec<u8> {
    let nonce = terms.nonce.map(|value| der::extension(&oid::OCSP_NONCE, NonCritical, value));
    let nonce = nonce.unwrap_or_default();
    let never_issued =
        answers.iter().any(|answer| answer.status == CertificateStatus::NEVER_ISSUED);
    // RFC 6960 §4.4.8: the value is NULL.
    let extended_revoke = if never_issued {
        der::extension(&oid::OCSP_EXTENDED_REVOKE, NonCritical, der::NULL)
    } else {
        Vec::new()
    };
    if nonce.is_empty() && extended_revoke.is_empty() {
        return Vec::new();
    }
    der::context(1, &[&der::sequence(&[&nonce, &extended_revoke])])
}

fn single_response(answer: &Answer<'_>, terms: &ResponseTerms<'_>) -> Vec<u8> {
    let extensions = terms.archive_cutoff.map(|since| {
        let since = der::generalized_time(since);
        let cutoff = der::extension(&oid::OCSP_ARCHIVE_CUTOFF, NonCritical, &since);
        der::context(1, &[&der::sequence(&[&cutoff])])
    });
    der::sequence(&[
        answer.cert_id,
        &status(answer.status),
        &der::generalized_time(terms.this_update),
        &der::context(0, &[&der::generalized_time(terms.next_update)]),
        &extensions.unwrap_or_default(),
    ])
}

fn status(status: CertificateStatus) -> Vec<u8> {
    match status {
        CertificateStatus::Good => der::implicit(0, &[]),
        CertificateStatus::Unknown => der::implicit(2, &[]),
        CertificateStatus::Revoked { revocation_time, reason } => {
            // `unspecified` is left out (RFC 5280 §5.3.1).
            let reason = match reason {
                RevocationReason::Unspecified => Vec::new(),
                reason => der::context(0, &[&der::enumerated(reason.code())]),
            };
            der::context(1, &[&der::generalized_time(revocation_time), &reason])
        }
    }
}
