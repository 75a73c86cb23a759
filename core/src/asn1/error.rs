//! Why DER cannot be read.

use core::fmt;

/// Why bytes are not the DER that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asn1Error {
    /// Not DER: a length that is not minimal, a value out of its type's form, or too few bytes.
    Malformed {
        /// The field being read.
        field: &'static str,
    },
    /// The indefinite length form, which is BER and never DER (X.690 §10.1).
    IndefiniteLength {
        /// The field being read.
        field: &'static str,
    },
    /// An OCTET STRING in pieces, which is BER and never DER (X.690 §10.2).
    StringInPieces {
        /// The field being read.
        field: &'static str,
    },
    /// There is another type here than the specification demands.
    UnexpectedType {
        /// The field being read.
        field: &'static str,
    },
    /// Bytes follow after the last field.
    TrailingBytes {
        /// The structure that should have ended.
        field: &'static str,
    },
    /// DER of the right type, with a value that the specification does not have there.
    UnexpectedValue {
        /// The field being read.
        field: &'static str,
    },
    /// A list is longer than is looked at ([`limits`](crate::limits)).
    TooMany {
        /// The list being read.
        field: &'static str,
    },
}

impl Asn1Error {
    /// The field at which reading stopped.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Malformed { field }
            | Self::IndefiniteLength { field }
            | Self::StringInPieces { field }
            | Self::UnexpectedType { field }
            | Self::TrailingBytes { field }
            | Self::UnexpectedValue { field }
            | Self::TooMany { field } => field,
        }
    }
}

impl fmt::Display for Asn1Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { field } => write!(f, "{field} is not valid DER"),
            Self::IndefiniteLength { field } => {
                write!(f, "{field} uses BER's indefinite length, which DER forbids")
            }
            Self::StringInPieces { field } => {
                write!(f, "{field} is in pieces as in BER, which DER forbids")
            }
            Self::UnexpectedType { field } => write!(f, "{field} has an unexpected ASN.1 type"),
            Self::TrailingBytes { field } => write!(f, "bytes follow after {field}"),
            Self::UnexpectedValue { field } => {
                write!(f, "{field} has a value that its specification does not allow")
            }
            Self::TooMany { field } => write!(f, "{field} has more entries than are looked at"),
        }
    }
}

impl core::error::Error for Asn1Error {}

/// The result of reading DER.
pub type Result<T> = core::result::Result<T, Asn1Error>;
