//! `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_core::time::UnixSeconds;
use countersign_ledger::Hash;

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify a service's audit ledger: that no line was changed, removed, added or reordered
    Verify(AuditVerifyArguments),
    /// Print lines of an audit ledger, verifying it meanwhile
    Show(AuditShowArguments),
}

/// `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyArguments {
    /// The ledger and what it must hold.
    #[command(flatten)]
    pub ledger: LedgerArguments,
}

/// `audit show`.
#[derive(Debug, Args)]
pub struct AuditShowArguments {
    /// The ledger and what it must hold.
    #[command(flatten)]
    pub ledger: LedgerArguments,
    /// Only lines of this kind; several are possible
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only lines written at this time or later (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    pub since: Option<UnixSeconds>,
    /// Only lines written before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    pub until: Option<UnixSeconds>,
    /// Only lines whose record names this serial number, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = parse_serial)]
    pub serial: Option<String>,
    /// Only so many lines, the latest
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub last: usize,
}

/// A ledger and what it must hold.
#[derive(Debug, Args)]
pub struct LedgerArguments {
    /// The ledger's folder; its service may be writing to it
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The hash of a line that must be there: a head noted earlier
    #[arg(long, value_name = "HASH")]
    pub expect_head: Option<Hash>,
    /// The hash of the line after which this part of the ledger begins, when older files were archived
    #[arg(long, value_name = "HASH")]
    pub after: Option<Hash>,
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
