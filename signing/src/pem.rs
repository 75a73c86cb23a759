//! Certificates and requests to and from PEM (RFC 7468); reading is the core's. Keys are
//! [`crate::key`]'s.

use std::path::Path;

use countersign_core::pem::{self, Kind, PemFault};
use pem_rfc7468::LineEnding;

use crate::files::{self, FileError, FileMode};

const LABEL: &str = "CERTIFICATE";

/// No chain of ours comes near: a P-384 certificate has about one kilobyte.
pub(crate) const MAXIMUM_FILE_OCTETS: u64 = 1 << 20;

/// Why a file or text holds no objects that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It holds none, or a block of it cannot be used.
    #[error(transparent)]
    Fault(#[from] PemFault),
}

/// The DER of every certificate of a text in PEM, in order; or of the one that `content` is.
///
/// # Errors
/// When there is none, or a block is damaged or holds something else.
pub fn decode_certificates(content: Vec<u8>) -> Result<Vec<Vec<u8>>, PemError> {
    Ok(pem::objects(content, Kind::Certificate)?)
}

/// The certificates of a PEM file, or the one of a DER file.
///
/// # Errors
/// When the file cannot be read, is over a megabyte, or holds no certificate.
pub fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, PemError> {
    decode_certificates(files::read_bounded(path, MAXIMUM_FILE_OCTETS)?)
}

/// PEM of the certificates, in order.
pub fn encode_certificates<T: AsRef<[u8]>>(certificates: &[T]) -> String {
    certificates.iter().map(|der| encode(LABEL, der.as_ref())).collect()
}

/// Writes certificates to a new PEM file with mode 0644.
///
/// # Errors
/// When the file exists, or cannot be written.
pub fn write_certificates<T: AsRef<[u8]>>(
    path: &Path,
    certificates: &[T],
) -> Result<(), FileError> {
    files::write_new(path, encode_certificates(certificates).as_bytes(), FileMode::Public)
}

/// PEM `PUBLIC KEY` of a `SubjectPublicKeyInfo` (RFC 7468 §13).
pub fn encode_public_key(spki: &[u8]) -> String {
    encode("PUBLIC KEY", spki)
}

/// PEM with that label and lines of 64 characters.
pub(crate) fn encode(label: &'static str, der: &[u8]) -> String {
    // Unwrap safety: encoding fails for a label with forbidden characters, and ours are constants,
    // or when the buffer is short, and the buffer grows.
    pem_rfc7468::encode_string(label, LineEnding::LF, der).expect("a constant label encodes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_with_text_around_it() {
        let written = encode_certificates(&[vec![0x30, 0x00], vec![7; 100]]);
        let text = format!("subject=CN = x\n{}trailing", written.replace('\n', "\r\n"));
        let read = decode_certificates(text.into_bytes()).expect("two certificates");
        assert_eq!(read, [vec![0x30, 0x00], vec![7; 100]]);
    }

    #[test]
    fn a_file_that_cannot_be_used_says_which_block() {
        let good = encode_certificates(&[vec![0x30, 0x00]]);
        let text = format!("{good}{}", good.replace("MAA=", "M!A="));
        let error = decode_certificates(text.into_bytes()).expect_err("damaged");
        assert!(error.to_string().starts_with("block 2: "), "{error}");
        decode_certificates(b"hello".repeat(20)).expect_err("Base64 alone");
    }
}
