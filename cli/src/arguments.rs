//! What can be typed: the whole grammar of the command line, by clap.
//!
//! Shapes and help texts only. What a command does is in [`crate::commands`]; where a value comes
//! from when it was not typed is in [`crate::settings`].
#![allow(clippy::doc_markdown, reason = "these comments are the help texts that clap prints")]

mod audit;
mod authority;
mod evidence;
mod key;
mod revocation;
mod signing;
mod timestamp;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use countersign_core::time::UnixSeconds;
use url::Url;

use crate::fetch;

pub use self::{
    audit::{
        AuditCommand, AuditHeadArguments, AuditProveArguments, AuditShowArguments,
        AuditVerifyArguments, ExpectedHead, HeadSigning, LedgerArguments, plain_serial,
    },
    authority::{
        CaCommand, CaCrlArguments, CaFolder, CaInitArguments, CaIssueArguments, CaKey,
        CaListArguments, CaRenewArguments, CaRevocation, CertificateOutput, IssuableProfile,
        KeyAlgorithmName, KeySource,
    },
    evidence::{
        AfterExpiryName, CompromiseName, PolicyCommand, PolicyInitArguments, PolicyLintArguments,
        RevocationModeName, TrustCommand, TrustInitArguments, TrustShowArguments, VerifyArguments,
    },
    key::{
        GeneratedAlgorithm, KeyCommand, KeyGenerateArguments, KeyRequestArguments,
        KeyShowArguments, KeyStoreCertificateArguments,
    },
    revocation::{
        AdminArguments, RevocationCommand, RevocationDecisionArguments, RevocationExportArguments,
        RevocationFetchArguments, RevocationImportArguments, RevocationListArguments,
        RevocationRegisterArguments, RevocationStatusArguments, RevocationWithdrawArguments,
        RevokeArguments,
    },
    signing::{KeyPassphrase, SignArguments},
    timestamp::{
        TimestampCommand, TimestampRequestArguments, TimestampTls, TimestampVerifyArguments,
    },
};

/// Sign files, timestamp them, verify them, revoke their signers.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, disable_help_subcommand = false)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: GlobalArguments,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArguments {
    /// Print the outcome as text or as one JSON object [env: COUNTERSIGN_FORMAT]
    #[arg(long, global = true, value_enum, value_name = "FORM")]
    pub format: Option<Format>,
    /// Print the outcome and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colours; NO_COLOR is heeded [env: COUNTERSIGN_COLOR]
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub color: Option<Color>,
    /// Ask no questions; if something is missing, that is an error
    #[arg(long, global = true)]
    pub no_input: bool,
    /// The settings file [env: COUNTERSIGN_CONFIG] [default: countersign/config.toml in $XDG_CONFIG_HOME]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Words.
    #[default]
    Text,
    /// One JSON object on one line.
    Json,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make and show keys, in files and in PKCS#11 tokens
    #[command(subcommand)]
    Key(KeyCommand),
    /// Run a certificate authority in a folder
    #[command(subcommand)]
    Ca(CaCommand),
    /// Say whom verifiers trust
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Say who may sign what
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Sign files; writes FILE.sigstore.json beside each
    Sign(SignArguments),
    /// Verify files, or digests of files, by their bundles
    Verify(VerifyArguments),
    /// Ask for timestamps, and verify them
    #[command(subcommand)]
    Timestamp(TimestampCommand),
    /// Revoke a certificate at the revocation service
    Revoke(RevokeArguments),
    /// Look up and prepare what is needed for revocation
    #[command(subcommand)]
    Revocation(RevocationCommand),
    /// Verify and read a service's audit ledger
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Show what is inside bundles, certificates, timestamps, CRLs, OCSP messages and trust roots
    Inspect(InspectArguments),
    /// Explain a finding by its code
    Explain(ExplainArguments),
    /// Check settings and the services' configurations
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completion(CompletionArguments),
    /// Print the manual page, or write the pages of all commands into a folder
    Man(ManArguments),
    /// Print the version
    Version(VersionArguments),
}

/// `version`.
#[derive(Debug, Args)]
pub struct VersionArguments {
    /// The same as --format json
    #[arg(long)]
    pub json: bool,
}

/// `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Files to look into: JSON, DER or PEM
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `explain`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct ExplainArguments {
    /// The code, as in `content.mismatch`
    #[arg(required_unless_present = "list")]
    pub code: Option<String>,
    /// List every code with its title
    #[arg(long, conflicts_with = "code")]
    pub list: bool,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a service's configuration (with its keys and certificates), or this program's settings
    Check(ConfigCheckArguments),
}

/// `config check`.
#[derive(Debug, Args)]
pub struct ConfigCheckArguments {
    /// The configuration file; without it, this program's own settings
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Whose configuration FILE is; its own program is run to check it
    #[arg(long, value_enum, value_name = "SERVICE", requires = "file")]
    pub service: Option<ServiceName>,
    /// The service's program, if it is not beside this one
    #[arg(long, value_name = "PROGRAM", requires = "service")]
    pub program: Option<PathBuf>,
}

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServiceName {
    /// countersign-timestamp.
    Timestamp,
    /// countersign-revocation.
    Revocation,
}

/// `completion`.
#[derive(Debug, Args)]
pub struct CompletionArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// A folder for the pages of all commands; made if it is missing
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Replace pages that exist
    #[arg(long, requires = "folder")]
    pub force: bool,
}

/// Reads the address of a service.
fn parse_address(text: &str) -> Result<Url, String> {
    fetch::address(text)
}

/// Reads a time as RFC 3339.
fn parse_time(text: &str) -> Result<UnixSeconds, String> {
    UnixSeconds::parse_rfc3339(text)
        .ok_or_else(|| "write the time as 2026-05-03T10:00:00Z (RFC 3339)".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        Arguments::command().debug_assert();
    }
}
