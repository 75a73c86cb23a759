//! `key`, and how keys are named.

use std::path::PathBuf;

use clap::{
    Args, Subcommand, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use countersign_signing::key::{KeyLocation, NewKey, TokenKeyAlgorithm};

use super::KeyPassphrase;

/// Reads a file's name or a `pkcs11:` URI.
pub(super) fn key_location() -> impl TypedValueParser<Value = KeyLocation> {
    OsStringValueParser::new().try_map(KeyLocation::try_from)
}

/// `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a private key, in an encrypted file that only its owner may read or in a PKCS#11 token
    Generate(KeyGenerateArguments),
    /// Show the public key that belongs to a private key, and that the key signs
    Show(KeyShowArguments),
    /// Make a certification request (PKCS #10) for a key, which another authority can answer
    Request(KeyRequestArguments),
    /// Store a certificate beside its key in a PKCS#11 token
    StoreCertificate(KeyStoreCertificateArguments),
}

/// `key generate`.
#[derive(Debug, Args)]
pub struct KeyGenerateArguments {
    /// The new key file, or the pkcs11: URI of the token with the new key's label
    #[arg(
        value_name = "KEY",
        required_unless_present_any = ["output", "key_option"],
        conflicts_with_all = ["output", "key_option"],
        value_parser = key_location()
    )]
    pub key: Option<KeyLocation>,
    /// The same as KEY
    #[arg(id = "key_option", long = "key", value_name = "KEY", conflicts_with = "output", value_parser = key_location())]
    pub key_option: Option<KeyLocation>,
    /// The new key file
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The kind of key
    #[arg(long, value_enum, default_value = "p384")]
    pub algorithm: GeneratedAlgorithm,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
}

/// A kind of key that is made in a file or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GeneratedAlgorithm {
    /// ECDSA P-384 with SHA-384
    P384,
    /// ECDSA P-256 with SHA-256, which every Sigstore client reads
    P256,
    /// RSA of 3072 bits with SHA-256
    Rsa3072,
    /// RSA of 2048 bits with SHA-256; only in tokens
    Rsa2048,
    /// RSA of 4096 bits with SHA-256; only in tokens
    Rsa4096,
    /// RSA of 3072 bits that signs with PSS and SHA-256 alone; only in tokens
    Rsa3072Pss,
    /// ECDSA P-521 with SHA-512; only in tokens
    P521,
    /// Ed25519, which signs whole files; only in tokens
    Ed25519,
}

impl From<GeneratedAlgorithm> for TokenKeyAlgorithm {
    fn from(name: GeneratedAlgorithm) -> Self {
        match name {
            GeneratedAlgorithm::P384 => Self::Usual(NewKey::P384),
            GeneratedAlgorithm::P256 => Self::Usual(NewKey::P256),
            GeneratedAlgorithm::Rsa3072 => Self::Usual(NewKey::Rsa3072),
            GeneratedAlgorithm::Rsa2048 => Self::Rsa2048,
            GeneratedAlgorithm::Rsa4096 => Self::Rsa4096,
            GeneratedAlgorithm::Rsa3072Pss => Self::Rsa3072Pss,
            GeneratedAlgorithm::P521 => Self::P521,
            GeneratedAlgorithm::Ed25519 => Self::Ed25519,
        }
    }
}

/// `key show`.
#[derive(Debug, Args)]
pub struct KeyShowArguments {
    /// The key file, or the key's pkcs11: URI [env: COUNTERSIGN_KEY]
    #[arg(long, value_name = "KEY", value_parser = key_location())]
    pub key: Option<KeyLocation>,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
    /// Write the public key (PEM) to this file, too
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// `key request`.
#[derive(Debug, Args)]
pub struct KeyRequestArguments {
    /// The key file, or the key's pkcs11: URI [env: COUNTERSIGN_KEY]
    #[arg(long, value_name = "KEY", value_parser = key_location())]
    pub key: Option<KeyLocation>,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
    /// The common name that is asked for
    #[arg(long, value_name = "NAME")]
    pub common_name: String,
    /// The organisation that is asked for
    #[arg(long, alias = "organization", value_name = "NAME")]
    pub organisation: Option<String>,
    /// The new PEM file
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// `key store-certificate`.
#[derive(Debug, Args)]
pub struct KeyStoreCertificateArguments {
    /// The key's pkcs11: URI [env: COUNTERSIGN_KEY]
    #[arg(long, value_name = "KEY", value_parser = key_location())]
    pub key: Option<KeyLocation>,
    /// The PIN.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
    /// The certificate, PEM or DER; the first of several
    #[arg(long, value_name = "FILE")]
    pub certificate: PathBuf,
}
