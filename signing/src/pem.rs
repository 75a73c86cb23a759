//! Certificates to and from PEM (RFC 7468 §5). Keys are [`crate::key`]'s.

use std::path::Path;

use pem_rfc7468::LineEnding;

use crate::files::{self, FileError, FileMode};

const LABEL: &str = "CERTIFICATE";
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// No chain of ours comes near: a P-384 certificate has about one kilobyte.
const MAXIMUM_FILE_OCTETS: u64 = 1 << 20;

/// Why a text holds no certificates.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no `BEGIN CERTIFICATE` line.
    #[error("no PEM certificate (a line {BEGIN}) is in it")]
    NoCertificate,
    /// One of them is not PEM.
    #[error("PEM certificate {position} is damaged: {source}")]
    Damaged {
        /// Which one, the first being 1.
        position: usize,
        /// What is wrong.
        source: pem_rfc7468::Error,
    },
    /// It has a beginning and no end.
    #[error("PEM certificate {position} has no line {END}")]
    Unterminated {
        /// Which one, the first being 1.
        position: usize,
    },
}

/// The DER of every certificate in `text`, in order; text around them is ignored, as RFC 7468 §2
/// allows.
///
/// # Errors
/// When there is none, or one is damaged.
pub fn decode_certificates(text: &str) -> Result<Vec<Vec<u8>>, PemError> {
    let mut certificates = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let position = certificates.len() + 1;
        let block = &rest[start..];
        let end = block.find(END).ok_or(PemError::Unterminated { position })? + END.len();
        let (_, der) = pem_rfc7468::decode_vec(&block.as_bytes()[..end])
            .map_err(|source| PemError::Damaged { position, source })?;
        certificates.push(der);
        rest = &block[end..];
    }
    if certificates.is_empty() { Err(PemError::NoCertificate) } else { Ok(certificates) }
}

/// The certificates of a PEM file, or the one of a DER file, which begins with a SEQUENCE.
///
/// # Errors
/// When the file cannot be read, is over a megabyte, or holds no certificate.
pub fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, PemError> {
    let content = files::read_bounded(path, MAXIMUM_FILE_OCTETS)?;
    if content.starts_with(&[0x30]) {
        return Ok(vec![content]);
    }
    decode_certificates(&String::from_utf8_lossy(&content))
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
        let read = decode_certificates(&text).expect("two certificates");
        assert_eq!(read, [vec![0x30, 0x00], vec![7; 100]]);
    }

    #[test]
    fn rejects_damaged_and_missing_certificates() {
        assert!(matches!(decode_certificates("hello"), Err(PemError::NoCertificate)));
        let text = format!("{BEGIN}\nMAA=\n");
        assert!(matches!(decode_certificates(&text), Err(PemError::Unterminated { position: 1 })));
        let text = format!("{BEGIN}\nM!A=\n{END}\n");
        assert!(matches!(decode_certificates(&text), Err(PemError::Damaged { position: 1, .. })));
    }
}
