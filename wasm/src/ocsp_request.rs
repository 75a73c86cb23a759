//! The OCSP request that a page sends where a certificate names no CRL (RFC 6960 §4.1).
//!
//! One certificate, no nonce: browsers can then ask by GET (RFC 6960 appendix A.1), which needs no
//! CORS preflight and may be cached.

use alloc::vec::Vec;

use countersign_core::{
    crypto::rustcrypto::RustCrypto,
    digest::{HashAlgorithm, digest},
    x509::Certificate,
};

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const INTEGER: u8 = 0x02;
/// `AlgorithmIdentifier` of SHA-1 with NULL: what every responder indexes by; it only names the
/// issuer.
const SHA1_IDENTIFIER: [u8; 11] = [0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0];

/// DER of a request about `certificate`; nothing when either is no certificate.
pub(crate) fn build(certificate: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::decode(certificate).ok()?;
    let issuer = Certificate::decode(issuer).ok()?;
    let hash = |octets: &[u8]| digest(&RustCrypto, HashAlgorithm::Sha1, octets);
    let cert_id = [
        SHA1_IDENTIFIER.to_vec(),
        element(OCTET_STRING, hash(issuer.subject).octets())?,
        element(OCTET_STRING, hash(issuer.public_key.bits).octets())?,
        element(INTEGER, certificate.serial)?,
    ]
    .concat();
    // CertID in Request in requestList in TBSRequest in OCSPRequest.
    (0..5).try_fold(cert_id, |content, _| element(SEQUENCE, &content))
}

/// A DER element in the short form, up to 127 octets: five nested around a serial number of at most
/// 20 octets (RFC 5280 §4.1.2.2) stay below.
fn element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 0x80)?;
    let mut encoded = alloc::vec![tag, length];
    encoded.extend_from_slice(content);
    Some(encoded)
}
