//! `revoke` and `revocation`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_core::{crl::RevocationReason, time::UnixSeconds};

use url::Url;

use super::KeyPassphrase;

/// How the revocation service's admin listener is reached (mutual TLS).
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Administration")]
pub struct AdminArguments {
    /// The revocation service's admin listener, https:// [env: COUNTERSIGN_ADMIN_URL]
    #[arg(long, value_name = "URL", value_parser = super::parse_address)]
    pub admin_url: Option<Url>,
    /// Your TLS client certificate with its issuers, PEM [env: COUNTERSIGN_ADMIN_CERTIFICATE]
    #[arg(long, value_name = "FILE")]
    pub admin_certificate: Option<PathBuf>,
    /// Its encrypted key file [env: COUNTERSIGN_ADMIN_KEY]
    #[arg(long, value_name = "FILE")]
    pub admin_key: Option<PathBuf>,
    /// The CA certificates that the service's certificate must come from, PEM
    /// [env: COUNTERSIGN_ADMIN_CA]
    #[arg(long, value_name = "FILE")]
    pub admin_ca: Option<PathBuf>,
    /// The key's passphrase.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
}

/// `revoke`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("target").required(true))]
pub struct RevokeArguments {
    /// The certificate, PEM or DER
    #[arg(long, value_name = "FILE", group = "target", conflicts_with = "issuer")]
    pub certificate: Option<PathBuf>,
    /// A file, whose bundle is FILE.sigstore.json: the certificate of its signer
    #[arg(long, value_name = "FILE", group = "target", conflicts_with = "issuer")]
    pub file: Option<PathBuf>,
    /// A bundle: the certificate of its signer
    #[arg(long, value_name = "FILE", group = "target", conflicts_with = "issuer")]
    pub bundle: Option<PathBuf>,
    /// A certificate, PEM or DER: every certificate with its key, now and later
    #[arg(long, value_name = "FILE", group = "target", conflicts_with = "issuer")]
    pub key_of: Option<PathBuf>,
    /// The issuer, by the name that the service has for it
    #[arg(long, value_name = "NAME", requires = "serial")]
    pub issuer: Option<String>,
    /// The serial number, in hexadecimal
    #[arg(long, value_name = "HEX", requires = "issuer", group = "target")]
    pub serial: Option<String>,
    /// Why: keyCompromise, superseded, cessationOfOperation, affiliationChanged,
    /// privilegeWithdrawn, certificateHold or unspecified; removeFromCRL proposes to lift a hold
    #[arg(long, value_name = "REASON", value_parser = parse_reason)]
    pub reason: RevocationReason,
    /// Since when the key may have been in other hands, RFC 3339; needed for keyCompromise
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    pub compromised_since: Option<UnixSeconds>,
    /// For the record, and for the second person if it takes two
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub comment: String,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// The service.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// `revocation`.
#[derive(Debug, Subcommand)]
pub enum RevocationCommand {
    /// Say whether a certificate is revoked, by OCSP or by the admin listener
    Status(RevocationStatusArguments),
    /// Download what verification of a bundle will need, for use without a network
    Fetch(RevocationFetchArguments),
    /// Register issued certificates, or signed releases, at the revocation service
    Register(RevocationRegisterArguments),
    /// List an issuer's revocations, or all its certificates
    List(RevocationListArguments),
    /// List the orders that wait for a second person, and what happened to others
    Pending(AdminArguments),
    /// Approve what another person proposed; it is then carried out
    Approve(RevocationDecisionArguments),
    /// Reject what was proposed
    Reject(RevocationDecisionArguments),
    /// Take back what you proposed
    Withdraw(RevocationWithdrawArguments),
    /// Import an export, or the index.txt of an openssl ca
    Import(RevocationImportArguments),
    /// Write everything that the service knows to a file, for import elsewhere
    Export(RevocationExportArguments),
    /// Have the service copy its SQLite database into its backup folder
    Backup(AdminArguments),
}

/// `revocation list`.
#[derive(Debug, Args)]
pub struct RevocationListArguments {
    /// The issuer, by the name that the service has for it
    #[arg(long, value_name = "NAME")]
    pub issuer: String,
    /// Certificates that are not revoked, too
    #[arg(long)]
    pub all: bool,
    /// The service.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// `revocation approve`, `revocation reject`.
#[derive(Debug, Args)]
pub struct RevocationDecisionArguments {
    /// The proposal's number, as `revocation pending` shows it
    #[arg(value_name = "ID")]
    pub id: u64,
    /// The proposal's digest, as `revocation pending` shows it [default: the proposal is shown, and
    /// you are asked]
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// For the record
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub comment: String,
    /// The service.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// `revocation withdraw`.
#[derive(Debug, Args)]
pub struct RevocationWithdrawArguments {
    /// The proposal's number, as `revocation pending` shows it
    #[arg(value_name = "ID")]
    pub id: u64,
    /// For the record
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub comment: String,
    /// The service.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// `revocation import`.
#[derive(Debug, Args)]
pub struct RevocationImportArguments {
    /// An export; with --issuer, the index.txt of an openssl ca
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The issuer whose index.txt FILE is, by the name that the service has for it
    #[arg(long, value_name = "NAME")]
    pub issuer: Option<String>,
    /// The service.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// `revocation export`.
#[derive(Debug, Args)]
pub struct RevocationExportArguments {
    /// The file, JSON Lines
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
    /// The service.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// `revocation status`.
#[derive(Debug, Args)]
pub struct RevocationStatusArguments {
    /// The certificate, PEM or DER; its issuer's may follow
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "serial",
        conflicts_with = "serial"
    )]
    pub certificate: Option<PathBuf>,
    /// The issuer's certificate, PEM or DER [default: the second in --certificate]
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub issuer_certificate: Option<PathBuf>,
    /// The OCSP responder [default: as the certificate says]
    #[arg(long, value_name = "URL", requires = "certificate", conflicts_with = "admin_url",
          value_parser = super::parse_address)]
    pub ocsp_url: Option<Url>,
    /// The issuer, by the name that the service has for it; asks the admin listener
    #[arg(long, value_name = "NAME")]
    pub issuer: Option<String>,
    /// The serial number, in hexadecimal; asks the admin listener
    #[arg(long, value_name = "HEX", requires = "issuer")]
    pub serial: Option<String>,
    /// The service; it is asked when --admin-url or --issuer is given.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// `revocation fetch`.
#[derive(Debug, Args)]
pub struct RevocationFetchArguments {
    /// The file, whose bundle is FILE.sigstore.json
    #[arg(value_name = "FILE", required_unless_present = "bundle", conflicts_with = "bundle")]
    pub file: Option<PathBuf>,
    /// The bundle
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// The public key of a bundle that holds no certificate, PEM or DER
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Whom to trust: only their addresses are asked [env: COUNTERSIGN_TRUSTED_ROOT]
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// The folder for CRLs (and OCSP responses if there is no CRL); made if it is missing
    #[arg(long, value_name = "DIR")]
    pub output_dir: PathBuf,
    /// Replace files of those names that exist
    #[arg(long)]
    pub force: bool,
}

/// `revocation register`.
#[derive(Debug, Args)]
pub struct RevocationRegisterArguments {
    /// Certificates, PEM or DER; the first in each file
    #[arg(required_unless_present = "bundle", value_name = "CERTIFICATE")]
    pub certificates: Vec<PathBuf>,
    /// A signed release's bundle (FILE.sigstore.json); may be repeated
    #[arg(long, value_name = "FILE")]
    pub bundle: Vec<PathBuf>,
    /// The service.
    #[command(flatten)]
    pub admin: AdminArguments,
}

/// Reads a reason by its name in RFC 5280.
pub(super) fn parse_reason(text: &str) -> Result<RevocationReason, String> {
    RevocationReason::parse(text).ok_or_else(|| {
        let names: Vec<_> = RevocationReason::ALL.iter().map(|each| each.name()).collect();
        format!("choose one of {}", names.join(", "))
    })
}
