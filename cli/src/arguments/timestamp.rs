//! `timestamp`.

use std::path::PathBuf;

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use const_oid::ObjectIdentifier;
use countersign_core::{
    digest::{Digest, HashAlgorithm},
    time::UnixSeconds,
};

use url::Url;

use crate::timestamping::USUAL_RETRIES;

/// How TLS is spoken with timestamp authorities whose addresses are `https://`.
#[derive(Clone, Debug, Default, Args)]
pub struct TimestampTls {
    /// CA certificates that an https:// authority's TLS certificate must come from, PEM, in place
    /// of the system's [env: COUNTERSIGN_TSA_CA]
    #[arg(long, value_name = "FILE")]
    pub timestamp_ca: Option<PathBuf>,
    /// A TLS client certificate with its issuers, PEM, for authorities that want one
    /// [env: COUNTERSIGN_TSA_CERTIFICATE]
    #[arg(long, value_name = "FILE")]
    pub timestamp_certificate: Option<PathBuf>,
    /// Its encrypted key file [env: COUNTERSIGN_TSA_KEY]
    #[arg(long, value_name = "FILE")]
    pub timestamp_key: Option<PathBuf>,
    /// A file whose first line is that key's passphrase; without it, the passphrase of other keys is
    /// used [env: COUNTERSIGN_TSA_KEY_PASSPHRASE_FILE]
    #[arg(long, value_name = "FILE")]
    pub timestamp_key_passphrase_file: Option<PathBuf>,
}

/// `timestamp`.
#[derive(Debug, Subcommand)]
pub enum TimestampCommand {
    /// Ask a timestamp authority for a timestamp of a file (RFC 3161)
    Request(TimestampRequestArguments),
    /// Verify a timestamp
    Verify(TimestampVerifyArguments),
}

/// `timestamp request`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct TimestampRequestArguments {
    /// The file
    #[arg(value_name = "FILE", required_unless_present = "digest", conflicts_with = "digest")]
    pub file: Option<PathBuf>,
    /// Its digest instead: sha256:HEX, sha384:HEX or sha512:HEX
    #[arg(long, value_name = "DIGEST", value_parser = parse_digest)]
    pub digest: Option<Digest>,
    /// The authority; the first that answers is used [env: COUNTERSIGN_TSA_URLS, by commas]
    #[arg(long, value_name = "URL", value_parser = super::parse_address)]
    pub timestamp_url: Vec<Url>,
    /// How TLS is spoken with it.
    #[command(flatten)]
    pub tls: TimestampTls,
    /// The new file: a whole TimeStampResp, DER
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
    /// The hash of FILE that is stamped; if you give several, by commas, the next is used if an
    /// authority does not accept the one before
    #[arg(
        long,
        value_parser = hash_names(),
        value_delimiter = ',',
        default_value = "sha384",
        conflicts_with = "digest"
    )]
    pub hash: Vec<HashAlgorithm>,
    /// The policy to ask for, an object identifier
    #[arg(long, value_name = "OID", value_parser = parse_oid)]
    pub policy_oid: Option<ObjectIdentifier>,
    /// How often all authorities are asked again if the problem may pass: no connection,
    /// overload, timeNotAvailable, systemFailure
    #[arg(long, value_name = "NUMBER", default_value_t = USUAL_RETRIES,
          value_parser = clap::value_parser!(u32).range(..=10))]
    pub retries: u32,
    /// Ask without a nonce; the answer may then be an old one
    #[arg(long)]
    pub no_nonce: bool,
    /// Ask for a token without the authority's certificates
    #[arg(long)]
    pub no_certificates: bool,
    /// Verify the answer against this trust root before it is written
    /// [env: COUNTERSIGN_TRUSTED_ROOT]
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
}

/// `timestamp verify`.
#[derive(Debug, Args)]
pub struct TimestampVerifyArguments {
    /// The timestamp: a TimeStampResp or a bare token, DER
    #[arg(long, value_name = "FILE")]
    pub token: PathBuf,
    /// The file that was stamped
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "digest",
        conflicts_with = "digest"
    )]
    pub data: Option<PathBuf>,
    /// Its digest instead: sha256:HEX, sha384:HEX or sha512:HEX
    #[arg(long, value_name = "DIGEST", value_parser = parse_digest)]
    pub digest: Option<Digest>,
    /// Trust the timestamp authorities of this trust root [env: COUNTERSIGN_TRUSTED_ROOT]
    #[arg(long, value_name = "FILE", conflicts_with = "ca_file")]
    pub trusted_root: Option<PathBuf>,
    /// Trust these CA certificates, PEM or DER
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Certificates that may lead to a trusted one, PEM or DER
    #[arg(long, value_name = "FILE", requires = "ca_file")]
    pub untrusted: Vec<PathBuf>,
    /// Check for this time, RFC 3339, instead of now
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    pub at: Option<UnixSeconds>,
}

fn hash_names() -> impl TypedValueParser<Value = HashAlgorithm> {
    PossibleValuesParser::new(HashAlgorithm::STRONG.map(HashAlgorithm::name)).try_map(|name| {
        HashAlgorithm::parse(&name).ok_or_else(|| format!("{name} is no hash algorithm"))
    })
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| "write sha256:HEX, sha384:HEX or sha512:HEX".to_owned())
}

fn parse_oid(text: &str) -> Result<ObjectIdentifier, String> {
    ObjectIdentifier::new(text).map_err(|_| "write an object identifier, as in 1.2.3.4".to_owned())
}
