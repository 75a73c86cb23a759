//! Why a key cannot be used: each variant says what to do about it.

use std::path::PathBuf;

use aws_lc_rs::error::KeyRejected;

use super::{PassphraseError, SignError, TokenError};
use crate::{files::FileError, secret_file::SecretFileError};

/// Why a key cannot be opened, made or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Others than the owner may use the file, or it is a stranger's.
    #[error(transparent)]
    Secret(SecretFileError),
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key is not encrypted.
    #[error(
        "{} holds an unencrypted key. Encrypt it: \
         openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt -in {} -out NEW",
        path.display(),
        path.display()
    )]
    Unencrypted {
        /// The file.
        path: PathBuf,
    },
    /// The file is no PEM `ENCRYPTED PRIVATE KEY`.
    #[error("{} is not a PEM file with an ENCRYPTED PRIVATE KEY: {detail}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The way it is encrypted is not one that we read.
    #[error(
        "{} is encrypted in a way that is not supported ({detail}); PBES2 with scrypt or PBKDF2 \
         and AES is",
        path.display()
    )]
    UnsupportedEncryption {
        /// The file.
        path: PathBuf,
        /// What it uses.
        detail: String,
    },
    /// Deriving the key would cost more than any honest file asks for.
    #[error("{} asks for an absurd amount of work to decrypt it", path.display())]
    AbsurdCost {
        /// The file.
        path: PathBuf,
    },
    /// The file is encrypted, and no passphrase was given.
    #[error("{} is encrypted; give its passphrase as a file or an environment variable", path.display())]
    PassphraseNeeded {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is not that of the file.
    #[error("wrong passphrase for {}, or the file is damaged", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// It decrypts, and is no key that we use.
    #[error("{} holds a key that is not P-384, P-256 or RSA 3072", path.display())]
    UnsupportedKey {
        /// The file.
        path: PathBuf,
    },
    /// No key could be made.
    #[error("the cryptographic library could not make a key")]
    Generate,
    /// The key could not be encrypted.
    #[error("the key could not be encrypted")]
    Encrypt,
    /// No random number could be had.
    #[error(transparent)]
    Random(SignError),
    /// A key in a token cannot be opened, made or used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The PIN of a token cannot be read.
    #[error("the token's PIN: {0}")]
    Passphrase(PassphraseError),
    /// The certificate does not decode, or is another key's.
    #[error(transparent)]
    Certificate(SignError),
}

impl KeyError {
    /// Whether the same call may succeed later without anybody changing a setting.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_transient())
    }
}

impl From<SecretFileError> for KeyError {
    fn from(error: SecretFileError) -> Self {
        match error {
            SecretFileError::File(error) => Self::File(error),
            other => Self::Secret(other),
        }
    }
}

impl From<KeyRejected> for KeyError {
    fn from(_: KeyRejected) -> Self {
        Self::Generate
    }
}
