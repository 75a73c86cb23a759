//! How OCSP names a certificate (RFC 6960 §4.1.1).

use aws_lc_rs::digest;
use countersign_core::{asn1, digest::HashAlgorithm, ocsp, x509::Certificate};

/// DER of the `CertID` of the certificate with the serial number `serial` (INTEGER content octets)
/// that `issuer_certificate` (DER) issued. SHA-1 is what most responders index by; it only names.
///
/// # Errors
/// When `issuer_certificate` does not decode.
pub fn cert_id(
    hash: HashAlgorithm,
    issuer_certificate: &[u8],
    serial: &[u8],
) -> asn1::Result<Vec<u8>> {
    let issuer = Certificate::decode(issuer_certificate)?;
    let algorithm = match hash {
        HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    };
    let hashed = |octets: &[u8]| digest::digest(algorithm, octets);
    let (name, key) = (hashed(issuer.subject), hashed(issuer.public_key.bits));
    Ok(ocsp::cert_id(hash, name.as_ref(), key.as_ref(), serial))
}
