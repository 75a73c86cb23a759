//! `sign`.

use std::path::PathBuf;

use clap::Args;
use countersign_signing::key::KeyLocation;
use url::Url;

use super::{key::key_location, timestamp::TimestampTls};

/// Where the passphrase of a key file comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct KeyPassphrase {
    /// A file whose first line is the key's passphrase, or a token's PIN
    /// [env: COUNTERSIGN_KEY_PASSPHRASE or COUNTERSIGN_PKCS11_PIN has the secret itself]
    #[arg(id = "key_passphrase_file", long = "key-passphrase-file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `sign`.
#[derive(Debug, Args)]
pub struct SignArguments {
    /// Files to sign
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The signer's encrypted key file, or its pkcs11: URI [env: COUNTERSIGN_KEY]
    #[arg(long, value_name = "KEY", value_parser = key_location())]
    pub key: Option<KeyLocation>,
    /// The key's passphrase.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
    /// The signer's certificate, PEM or DER; further certificates in it are ignored
    /// [env: COUNTERSIGN_CERTIFICATE]
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The trust root that verifiers use; a signature that it does not verify is not written
    /// [env: COUNTERSIGN_TRUSTED_ROOT]
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// A timestamp authority; the first that answers is used [env: COUNTERSIGN_TSA_URLS, by commas]
    #[arg(long, value_name = "URL", value_parser = super::parse_address)]
    pub timestamp_url: Vec<Url>,
    /// How TLS is spoken with it.
    #[command(flatten)]
    pub timestamp_tls: TimestampTls,
    /// Sign without a timestamp even if the settings name an authority
    #[arg(long, conflicts_with = "timestamp_url")]
    pub no_timestamp: bool,
    /// Do not ask whether the signer's certificate is revoked; a revoked one is refused otherwise
    #[arg(long)]
    pub no_revocation_check: bool,
    /// Sign an in-toto statement about the file (DSSE); FILE, after an equals sign, holds its
    /// predicate, or the whole statement
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option, reason = "clap's form of a flag with an optional value")]
    pub statement: Option<Option<PathBuf>>,
    /// What the predicate is [default: an in-toto release]
    #[arg(long, value_name = "URI", requires = "statement")]
    pub predicate_type: Option<String>,
    /// Where the bundle goes, for one FILE [default: FILE.sigstore.json]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace bundles that exist
    #[arg(long)]
    pub force: bool,
}
