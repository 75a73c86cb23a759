//! `verify`, `trust` and `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use countersign_core::time::UnixSeconds;

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Files, digests as sha256:HEX, sha384:HEX or sha512:HEX, or - for standard input
    #[arg(required = true, value_name = "FILE|DIGEST")]
    pub artifacts: Vec<PathBuf>,
    /// The bundle, or a file with several [default: FILE.sigstore.json, FILE.sigstore.jsonl]
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Whom to trust; not needed with --key [env: COUNTERSIGN_TRUSTED_ROOT]
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// Who may sign what, and what else is required [env: COUNTERSIGN_POLICY]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["certificate_identity", "certificate_oidc_issuer"])]
    pub policy: Option<PathBuf>,
    /// The expected signer, an e-mail address or URI [env: COUNTERSIGN_CERTIFICATE_IDENTITY]
    #[arg(long, value_name = "IDENTITY")]
    pub certificate_identity: Option<String>,
    /// The login provider that vouched for the signer; without it, the certificate must name none
    /// [env: COUNTERSIGN_CERTIFICATE_OIDC_ISSUER]
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    pub certificate_oidc_issuer: Option<String>,
    /// The key that must have signed, if the bundle contains no certificate: a public key, PEM or
    /// DER. Without --policy, or a policy that is set, it may sign any file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["certificate_identity", "certificate_oidc_issuer"])]
    pub key: Option<PathBuf>,
    /// CRLs, DER or PEM; takes several, so put it after the files to verify
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub crl: Vec<PathBuf>,
    /// OCSP responses, DER
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub ocsp: Vec<PathBuf>,
    /// Open no connection; CRLs that were kept earlier are still used
    #[arg(long)]
    pub offline: bool,
    /// Do not use CRLs that were kept earlier, and keep none
    #[arg(long)]
    pub no_cache: bool,
    /// Check for this time, RFC 3339, instead of now
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    pub at: Option<UnixSeconds>,
}

/// `trust`.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Write a trust root from a certificate authority's folder, or pin one that you were given
    Init(TrustInitArguments),
    /// Show whom a trust root trusts
    Show(TrustShowArguments),
}

/// `trust init`.
#[derive(Debug, Args)]
pub struct TrustInitArguments {
    /// The authority's folder; its timestamp authorities that are valid are included
    #[arg(
        long = "dir",
        value_name = "DIR",
        required_unless_present = "from_file",
        conflicts_with = "from_file"
    )]
    pub folder: Option<PathBuf>,
    /// A trust root to check and copy
    #[arg(long, value_name = "FILE")]
    pub from_file: Option<PathBuf>,
    /// A further timestamp authority: PEM, its own certificate first, the root last. Files with a key or a
    /// root's name in common are one authority, and so are files with the same NAME
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "from_file")]
    pub timestamp_authority: Vec<PathBuf>,
    /// The new trust root
    #[arg(long, short, value_name = "FILE", default_value = "trusted_root.json")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// `trust show`.
#[derive(Debug, Args)]
pub struct TrustShowArguments {
    /// The trust root [env: COUNTERSIGN_TRUSTED_ROOT]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The trust root
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub trusted_root: Option<PathBuf>,
}

/// `policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Write a policy
    Init(Box<PolicyInitArguments>),
    /// Check a policy
    Lint(PolicyLintArguments),
}

/// `policy init`.
#[derive(Debug, Args)]
pub struct PolicyInitArguments {
    /// Who may sign: an e-mail address or URI; `*` and `**` as in docs/policy.md
    #[arg(long, value_name = "IDENTITY", required_unless_present = "key")]
    pub identity: Vec<String>,
    /// A public key that may sign without a certificate, PEM or DER; the policy holds its
    /// fingerprint
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// The login provider that must have vouched for the identity
    #[arg(long, value_name = "URL")]
    pub oidc_issuer: Vec<String>,
    /// Which files, by name [default: all]
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub files: Vec<String>,
    /// What a signed statement must be about; repeat for several
    #[arg(long, value_name = "URI")]
    pub predicate_type: Vec<String>,
    /// Who must have built the file, as its provenance says (builder.id)
    #[arg(long, value_name = "PATTERN")]
    pub builder: Vec<String>,
    /// The repository that the file must have been built from, without git+
    #[arg(long, value_name = "PATTERN")]
    pub source: Vec<String>,
    /// The branch or tag that the file must have been built from, as refs/tags/v*
    #[arg(long = "ref", value_name = "PATTERN")]
    pub reference: Vec<String>,
    /// How the file must have been built (buildType)
    #[arg(long, value_name = "PATTERN")]
    pub build_type: Vec<String>,
    /// How many trusted timestamps there must be
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u8).range(0..=8))]
    pub timestamps: u8,
    /// Whether it must be known that the signer is not revoked
    #[arg(long, value_enum, value_name = "MODE", default_value = "required")]
    pub revocation: RevocationModeName,
    /// What happens to signatures that are older than their key's compromise
    #[arg(long, value_enum, value_name = "RULE", default_value = "warn")]
    pub compromise: CompromiseName,
    /// What counts as known of a certificate that has expired
    #[arg(long, value_enum, value_name = "RULE", default_value = "listed")]
    pub after_expiry: AfterExpiryName,
    /// The new policy
    #[arg(long, short, value_name = "FILE", default_value = "policy.json")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// Whether revocation must be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RevocationModeName {
    /// It must be known
    Required,
    /// It counts if it is known
    WhenAvailable,
    /// Revocation is not checked
    Off,
}

/// What happens to signatures that are older than their key's compromise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompromiseName {
    /// They pass with a warning
    Warn,
    /// They are rejected
    Reject,
}

/// What counts as known of a certificate that has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AfterExpiryName {
    /// Fresh evidence from its validity, and later evidence that still covers it
    Listed,
    /// The last evidence from before it expired, too, with a warning
    LastKnown,
}

/// `policy lint`.
#[derive(Debug, Args)]
pub struct PolicyLintArguments {
    /// The policy
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
