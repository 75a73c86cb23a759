//! What a CA's folder holds is evidence, not truth.
//!
//! Keys in it are encrypted; certificates and the index are not, and they travel in backups and
//! repositories. Whoever can write to them must not get a certificate for a name and a key of
//! their choice, so each is believed only as far as a CA's signature reaches.

use countersign_core::{crypto::aws_lc::AwsLc, digest::encode_hex, x509::profile::inspect};

use super::{CaError, Issuer, decode, index::IndexEntry};
use crate::{key::sha256, profile::Authority};

/// Whether each CA's certificate was signed by the root, and the root's by itself.
///
/// # Errors
/// [`CaError::Altered`] for the first that was not.
pub(super) fn verify_authorities(issuers: &[Issuer; 4]) -> Result<(), CaError> {
    let [root, ..] = issuers;
    let above = root.decode()?;
    for issuer in issuers {
        if !issuer.decode()?.is_signed_by(&above, &AwsLc) {
            return Err(CaError::Altered {
                what: format!("the {} CA's certificate", issuer.authority.name()),
                problem: match issuer.authority {
                    Authority::Root => "is not signed by its own key",
                    _ => "is not signed by the root CA",
                },
            });
        }
    }
    Ok(())
}

/// Whether `certificate` (DER) is the one of that line of the index: its serial number and digest,
/// signed by the CA that the line names, and of the profile that it names.
///
/// # Errors
/// [`CaError::Altered`] with what does not fit.
pub(super) fn verify_issued(
    certificate: &[u8],
    entry: &IndexEntry,
    issuer: &Issuer,
) -> Result<(), CaError> {
    let what = || format!("the certificate {}", entry.serial);
    let altered = |problem| Err(CaError::Altered { what: what(), problem });
    let decoded = decode(certificate, what)?;
    if decoded.serial_text() != entry.serial {
        return altered("has another serial number than the index says");
    }
    if encode_hex(sha256(certificate).as_ref()) != entry.sha256 {
        return altered("has another digest than the index says");
    }
    if !decoded.is_signed_by(&issuer.decode()?, &AwsLc) {
        return altered("is not signed by the CA that the index names");
    }
    if !inspect(&decoded, entry.profile).is_empty() {
        return altered("does not follow the profile that the index names");
    }
    Ok(())
}

/// Whether a serial number from the index can be the name of a file: lower-case hexadecimal, as it
/// is written there.
pub(super) fn is_serial(serial: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    // RFC 5280 §4.1.2.2: 20 octets.
    (1..=40).contains(&serial.len()) && serial.bytes().all(is_digit)
}
