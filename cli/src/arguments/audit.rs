//! `audit`.

use std::path::PathBuf;

use clap::{
    Args, Subcommand,
    builder::{OsStringValueParser, TypedValueParser},
};
use countersign_core::time::UnixSeconds;
use countersign_ledger::{Hash, Head, InvalidHash};
use countersign_signing::key::KeyLocation;
use url::Url;

use super::{KeyPassphrase, TimestampTls, key::key_location};

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify a service's audit ledger, or the proof of one record: that nothing was changed, removed,
    /// added or reordered
    Verify(AuditVerifyArguments),
    /// Print records of an audit ledger, and verify it at the same time
    Show(AuditShowArguments),
    /// Write the proof that one record is in an audit ledger, for those who do not have the ledger
    Prove(AuditProveArguments),
    /// Print the head of an audit ledger, or sign it into a file to be kept elsewhere
    Head(Box<AuditHeadArguments>),
}

/// `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyArguments {
    /// The ledger and what it must hold.
    #[command(flatten)]
    pub ledger: LedgerArguments,
}

/// `audit prove`.
#[derive(Debug, Args)]
pub struct AuditProveArguments {
    /// The ledger and what it must hold.
    #[command(flatten)]
    pub ledger: LedgerArguments,
    /// The number of the record
    #[arg(long, value_name = "NUMBER")]
    pub record: u64,
    /// The new file for the proof; `audit verify FILE --expect-head HEAD` verifies it
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// `audit show`.
#[derive(Debug, Args)]
pub struct AuditShowArguments {
    /// The ledger and what it must hold.
    #[command(flatten)]
    pub ledger: LedgerArguments,
    /// Only records of this kind; several are possible
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only records written at this time or later (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    pub since: Option<UnixSeconds>,
    /// Only records written before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    pub until: Option<UnixSeconds>,
    /// Only records that name this serial number, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = parse_serial)]
    pub serial: Option<String>,
    /// Only so many records, the latest
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub last: usize,
}

/// `audit head`.
#[derive(Debug, Args)]
pub struct AuditHeadArguments {
    /// The ledger and what it must hold.
    #[command(flatten)]
    pub ledger: LedgerArguments,
    /// Sign the head into this new file; the bundle goes beside it, FILE.sigstore.json
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Who signs.
    #[command(flatten)]
    pub signing: HeadSigning,
}

/// Who signs a head, and when; as `sign` has it.
#[derive(Debug, Args)]
pub struct HeadSigning {
    /// The signer's encrypted key file, or its pkcs11: URI [env: COUNTERSIGN_KEY]
    #[arg(long, value_name = "KEY", value_parser = key_location(), requires = "output")]
    pub key: Option<KeyLocation>,
    /// The key's passphrase.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
    /// The signer's certificate, PEM or DER; further certificates in it are ignored
    /// [env: COUNTERSIGN_CERTIFICATE]
    #[arg(long, value_name = "FILE", requires = "output")]
    pub certificate: Option<PathBuf>,
    /// The trust root that verifiers use; a signature that it does not verify is not written
    /// [env: COUNTERSIGN_TRUSTED_ROOT]
    #[arg(long, value_name = "FILE", requires = "output")]
    pub trusted_root: Option<PathBuf>,
    /// A timestamp authority; the first that answers is used [env: COUNTERSIGN_TSA_URLS, by commas]
    #[arg(long, value_name = "URL", value_parser = super::parse_address, requires = "output")]
    pub timestamp_url: Vec<Url>,
    /// How TLS is spoken with it.
    #[command(flatten)]
    pub timestamp_tls: TimestampTls,
    /// Sign without a timestamp even if the settings name an authority
    #[arg(long, conflicts_with = "timestamp_url", requires = "output")]
    pub no_timestamp: bool,
    /// Do not ask whether the signer's certificate is revoked; a revoked one is refused otherwise
    #[arg(long, requires = "output")]
    pub no_revocation_check: bool,
    /// Replace the file and the bundle if they exist
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// A head noted earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedHead {
    /// By its hash.
    Hash(Hash),
    /// In a file that `audit head` wrote.
    File(PathBuf),
}

/// A ledger and what it must hold.
#[derive(Debug, Args)]
pub struct LedgerArguments {
    /// The ledger's folder; its service may be writing to it. For `verify`, also a file that `audit
    /// prove` wrote
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// A head noted earlier that must still be there: its hash, or the file that `audit head` wrote
    #[arg(long, value_name = "HEAD", value_parser = expected_head())]
    pub expect_head: Option<ExpectedHead>,
    /// The line after which the ledger begins, if older files of format 1 were archived: its number and
    /// its hash, as `audit head` prints them
    #[arg(long, value_name = "NUMBER:HASH", value_parser = parse_head)]
    pub after: Option<Head>,
    /// Bundles of records may be missing because they were archived: the tiles prove what was in them
    #[arg(long)]
    pub archived: bool,
    /// Neither compare with the head that was seen here last, nor remember this one
    #[arg(long)]
    pub no_memory: bool,
}

/// Reads a hash, or the name of a file that is there.
fn expected_head() -> impl TypedValueParser<Value = ExpectedHead> {
    OsStringValueParser::new().try_map(|text| {
        let hash = text.to_str().ok_or(InvalidHash).and_then(str::parse);
        let path = PathBuf::from(text);
        match hash {
            Ok(hash) => Ok(ExpectedHead::Hash(hash)),
            Err(_) if path.exists() => Ok(ExpectedHead::File(path)),
            Err(error) => Err(format!("{error}, and there is no file of this name")),
        }
    })
}

/// Reads `NUMBER:HASH`.
fn parse_head(text: &str) -> Result<Head, String> {
    let head = text.split_once(':').and_then(|(sequence, hash)| {
        Some(Head { sequence: sequence.parse().ok()?, hash: hash.parse().ok()? })
    });
    head.ok_or_else(|| {
        "write the line's number, a colon, and its hash of 64 hexadecimal digits".to_owned()
    })
}

/// Hexadecimal digits as records have them, or with colons, upper case or leading zeros.
fn parse_serial(text: &str) -> Result<String, String> {
    let serial = plain_serial(text);
    if !text.is_empty() && serial.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(serial)
    } else {
        Err("write the serial number in hexadecimal".to_owned())
    }
}

/// A serial number in lower case, without colons and leading zeros.
pub fn plain_serial(text: &str) -> String {
    let serial = text.replace(':', "").to_ascii_lowercase();
    serial.trim_start_matches('0').to_owned()
}
