//! `ca`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use countersign_signing::{
    key::{KeyLocation, NewKey, TokenUri},
    profile::{Authority, Profile},
};

use super::{KeyPassphrase, key::key_location};

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyAlgorithmName {
    /// ECDSA P-384 with SHA-384
    P384,
    /// ECDSA P-256 with SHA-256, which every Sigstore client reads
    P256,
    /// RSA of 3072 bits with SHA-256
    Rsa3072,
}

impl From<KeyAlgorithmName> for NewKey {
    fn from(name: KeyAlgorithmName) -> Self {
        match name {
            KeyAlgorithmName::P384 => Self::P384,
            KeyAlgorithmName::P256 => Self::P256,
            KeyAlgorithmName::Rsa3072 => Self::Rsa3072,
        }
    }
}

/// `ca`.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Make a certificate authority: a root, and below it CAs for signers, timestamps and services
    Init(CaInitArguments),
    /// Issue a certificate
    Issue(Box<CaIssueArguments>),
    /// Issue a certificate again, with a validity that starts now
    Renew(CaRenewArguments),
    /// List what was issued
    List(CaListArguments),
    /// Sign a CRL where the CA's key is, for the revocation service to serve (`crl_file`)
    Crl(CaCrlArguments),
}

/// Where the authority is, and the passphrase of its keys.
#[derive(Clone, Debug, Args)]
pub struct CaFolder {
    /// The authority's folder
    #[arg(long = "dir", value_name = "DIR")]
    pub folder: PathBuf,
    /// The passphrase.
    #[command(flatten)]
    pub passphrase: CaPassphrase,
}

/// Where the passphrase of the authority's keys comes from.
#[derive(Clone, Debug, Args)]
pub struct CaPassphrase {
    /// A file whose first line is the passphrase of the authority's keys, or the PIN if the key
    /// is in a token [env: COUNTERSIGN_CA_PASSPHRASE has the passphrase itself]
    #[arg(id = "ca_passphrase_file", long = "ca-passphrase-file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `ca init`.
#[derive(Debug, Args)]
pub struct CaInitArguments {
    /// The new folder
    #[arg(value_name = "DIR", required_unless_present = "dir", conflicts_with = "dir")]
    pub folder: Option<PathBuf>,
    /// The new folder
    #[arg(long = "dir", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The organisation in the CAs' names
    #[arg(long, alias = "organization", value_name = "NAME")]
    pub organisation: String,
    /// Where CRLs, OCSP and CA certificates will be served; it is written into every certificate
    #[arg(long, value_name = "URL")]
    pub base_url: String,
    /// The kind of the CAs' keys
    #[arg(long, value_enum, default_value = "p384")]
    pub algorithm: KeyAlgorithmName,
    /// A CA's key in a PKCS#11 token, made before; may be repeated. CAs that are not named get new
    /// keys in encrypted files
    #[arg(long, value_name = "CA=pkcs11:URI", value_parser = parse_ca_key)]
    pub ca_key: Vec<CaKey>,
    /// Cut CRLs into this many shards; certificates name theirs. The revocation service needs it too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub crl_shards: Option<u32>,
    /// Name delta CRLs in certificates (freshestCRL). The revocation service must make them
    #[arg(long)]
    pub crl_deltas: bool,
    /// The passphrase of the CAs' keys.
    #[command(flatten)]
    pub ca_passphrase: CaPassphrase,
    /// Taken if there is none for the CA.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
}

/// Which CA has which key.
#[derive(Clone, Debug)]
pub struct CaKey {
    /// The CA.
    pub authority: Authority,
    /// Where its key is.
    pub uri: TokenUri,
}

fn parse_ca_key(text: &str) -> Result<CaKey, String> {
    let form = "write CA=pkcs11:URI, as in root=pkcs11:token=CA;object=root";
    let (authority, location) = text.split_once('=').ok_or(form)?;
    let authority = parse_authority(authority)?;
    match KeyLocation::parse(location).map_err(|error| error.to_string())? {
        KeyLocation::Token(uri) => Ok(CaKey { authority, uri: *uri }),
        KeyLocation::File(_) => Err(form.to_owned()),
    }
}

/// A kind of certificate that can be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IssuableProfile {
    /// A signer of files, named by --email or --uri
    CodeSigner,
    /// A timestamp authority
    #[value(alias = "timestamp-authority")]
    Tsa,
    /// A responder that answers OCSP for --issuer
    #[value(alias = "ocsp-delegate")]
    Ocsp,
    /// A TLS server, named by --dns and --ip
    TlsServer,
    /// A TLS client, named by --email or --uri
    TlsClient,
}

impl From<IssuableProfile> for Profile {
    fn from(profile: IssuableProfile) -> Self {
        match profile {
            IssuableProfile::CodeSigner => Self::CodeSigner,
            IssuableProfile::Tsa => Self::TimestampAuthority,
            IssuableProfile::Ocsp => Self::OcspDelegate,
            IssuableProfile::TlsServer => Self::TlsServer,
            IssuableProfile::TlsClient => Self::TlsClient,
        }
    }
}

/// `ca issue`.
#[derive(Debug, Args)]
pub struct CaIssueArguments {
    /// The authority.
    #[command(flatten)]
    pub ca: CaFolder,
    /// The kind of certificate
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub profile: IssuableProfile,
    /// The CA that an OCSP delegate answers for: root, signing, timestamping or service
    #[arg(long, value_name = "CA", value_parser = parse_authority)]
    pub issuer: Option<Authority>,
    /// The e-mail address that names a signer or TLS client
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// The URI that names a signer or TLS client
    #[arg(long, value_name = "URI", conflicts_with = "email")]
    pub uri: Option<String>,
    /// A host name of a TLS server
    #[arg(long, value_name = "NAME")]
    pub dns: Vec<String>,
    /// An IP address of a TLS server
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Vec<String>,
    /// The login provider that vouched for a signer's identity
    #[arg(long, value_name = "URL")]
    pub oidc_issuer: Option<String>,
    /// The common name [default: by the profile]
    #[arg(long, value_name = "NAME")]
    pub common_name: Option<String>,
    /// The organisation [default: the authority's]
    #[arg(long, alias = "organization", value_name = "NAME")]
    pub organisation: Option<String>,
    /// How long it is valid, in days [default: by the profile]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_525))]
    pub days: Option<u32>,
    /// Whose key.
    #[command(flatten)]
    pub key: KeySource,
    /// Where it goes.
    #[command(flatten)]
    pub output: CertificateOutput,
}

/// Where the public key of a certificate comes from.
#[derive(Clone, Debug, Args)]
pub struct KeySource {
    /// A certification request (PKCS #10), which proves that its sender has the key
    #[arg(long, value_name = "FILE", group = "key_source")]
    pub csr: Option<PathBuf>,
    /// An encrypted key file, or the pkcs11: URI of a key; the certificate is for its public key
    #[arg(long, value_name = "KEY", group = "key_source", value_parser = key_location())]
    pub key: Option<KeyLocation>,
    /// Make a new key in this file
    #[arg(long, value_name = "FILE", group = "key_source")]
    pub new_key: Option<PathBuf>,
    /// The kind of the new key [default: as the authority's]
    #[arg(long, value_enum, requires = "new_key")]
    pub algorithm: Option<KeyAlgorithmName>,
    /// The key's passphrase.
    #[command(flatten)]
    pub passphrase: KeyPassphrase,
}

/// Where a certificate goes.
#[derive(Clone, Debug, Args)]
pub struct CertificateOutput {
    /// The new PEM file: the certificate, then its issuer's (without the root)
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// `ca renew`.
#[derive(Debug, Args)]
pub struct CaRenewArguments {
    /// The authority.
    #[command(flatten)]
    pub ca: CaFolder,
    /// The serial number of the certificate, in hexadecimal
    #[arg(long, value_name = "HEX", group = "renewed", required_unless_present_any = ["certificate", "authority"])]
    pub serial: Option<String>,
    /// The certificate
    #[arg(long, value_name = "FILE", group = "renewed")]
    pub certificate: Option<PathBuf>,
    /// The certificate of a CA of the authority: root, signing, timestamping or service. Its key
    /// and all that it issued stay; the folder has the new certificate, and --output a copy
    #[arg(
        long = "ca",
        value_name = "CA",
        value_parser = parse_authority,
        group = "renewed",
        conflicts_with = "key_source"
    )]
    pub authority: Option<Authority>,
    /// How long the new one is valid, in days [default: by the profile]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_525))]
    pub days: Option<u32>,
    /// Whose key; the old certificate's if nothing is said.
    #[command(flatten)]
    pub key: KeySource,
    /// Where it goes.
    #[command(flatten)]
    pub output: CertificateOutput,
}

/// `ca list`.
#[derive(Debug, Args)]
pub struct CaListArguments {
    /// The authority's folder
    #[arg(long = "dir", value_name = "DIR")]
    pub folder: PathBuf,
}

/// `ca crl`.
#[derive(Debug, Args)]
pub struct CaCrlArguments {
    /// The authority.
    #[command(flatten)]
    pub ca: CaFolder,
    /// Whose CRL: root, signing, timestamping or service
    #[arg(long = "ca", value_name = "CA", value_parser = parse_authority)]
    pub authority: Authority,
    /// The new DER file; an earlier CRL of the same authority is replaced, anything else is kept
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// A revoked certificate; everything on the last list stays listed
    #[arg(long, value_name = "SERIAL:REASON:DATE", value_parser = parse_revocation)]
    pub revoke: Vec<CaRevocation>,
    /// A certificate on hold (certificateHold) that is good again; nothing else can be undone
    #[arg(long, value_name = "SERIAL")]
    pub release: Vec<String>,
    /// How long until the next CRL, in days
    #[arg(long, value_name = "DAYS", default_value = "90", value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub days: u32,
    /// The CRL's number, which must grow [default: the seconds since 1970]
    #[arg(long, value_name = "N")]
    pub number: Option<u64>,
}

/// One entry of a CRL.
#[derive(Clone, Debug)]
pub struct CaRevocation {
    /// The serial number in lower-case hexadecimal.
    pub serial: String,
    /// Why.
    pub reason: RevocationReason,
    /// From when on.
    pub date: UnixSeconds,
}

fn parse_authority(text: &str) -> Result<Authority, String> {
    Authority::parse(text).ok_or_else(|| "choose root, signing, timestamping or service".to_owned())
}

fn parse_revocation(text: &str) -> Result<CaRevocation, String> {
    let form = || "write SERIAL:REASON:DATE, as in 1f2e:superseded:2026-05-03T10:00:00Z".to_owned();
    let (serial, rest) = text.split_once(':').ok_or_else(form)?;
    let (reason, date) = rest.split_once(':').ok_or_else(form)?;
    Ok(CaRevocation {
        serial: serial.to_ascii_lowercase(),
        reason: super::revocation::parse_reason(reason)?,
        date: super::parse_time(date)?,
    })
}
