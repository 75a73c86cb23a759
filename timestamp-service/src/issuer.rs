//! The authority's key with its certificates, checked to fit before it may sign.
//!
//! A certificate that breaks the profile, is out of its validity, or is another key's is refused
//! at the start and not at the first client. Revocation is not looked at: an operator whose
//! certificate is revoked stops the service.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_core::finding::Finding;
use countersign_core::time::UnixSeconds;
use countersign_core::tsp::TimestampRequest;
use countersign_core::x509::Certificate;
use countersign_core::x509::profile::{Role, inspect};
use countersign_daemon::config::ConfigError;
use countersign_daemon::private_file::{PrivateFileError, read_passphrase};
use countersign_signing::key::{FileKey, KeyError, Passphrase, PassphraseError, SignError, Signer};
use countersign_signing::pem::{self, PemError};
use countersign_signing::tsp::{Accuracy, TimestampPolicy, TimestampSigner};

use crate::config::Config;

/// Why key and certificates cannot issue.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// A value of the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The passphrase file cannot be used.
    #[error(transparent)]
    PassphraseFile(#[from] PrivateFileError),
    /// The passphrase file names no passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// There is no passphrase for an encrypted key.
    #[error("key `key_passphrase_file` is missing: {} is an encrypted key, and only encrypted keys are used", path.display())]
    NoPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// The key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate file cannot be read.
    #[error("{}: {source}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PemError,
    },
    /// A certificate of the chain does not decode.
    #[error("certificate {position} of the chain does not decode: {detail}")]
    Decode {
        /// Which one, the first being 1.
        position: usize,
        /// What is wrong.
        detail: String,
    },
    /// A certificate of the chain was not issued by the next.
    #[error("certificate {position} of the chain was not issued by certificate {}; write the authority's first, then each one's issuer", position + 1)]
    Order {
        /// Which one, the first being 1.
        position: usize,
    },
    /// The authority's certificate breaks the profile of a timestamp authority.
    #[error("the certificate of {subject} is no timestamp authority's: {}", rules.join("; "))]
    Profile {
        /// Whose certificate it is.
        subject: String,
        /// Each rule that it breaks, with the clause.
        rules: Vec<String>,
    },
    /// The clock is not within the certificate's validity.
    #[error(
        "the certificate of {subject} is valid from {not_before} to {not_after}, and the clock says {now}"
    )]
    Validity {
        /// Whose certificate it is.
        subject: String,
        /// Its first second.
        not_before: UnixSeconds,
        /// Its last second.
        not_after: UnixSeconds,
        /// The clock.
        now: UnixSeconds,
    },
    /// Key and certificate do not fit, or the key does not sign.
    #[error("{0}")]
    Sign(#[from] SignError),
}

/// What signs tokens.
#[derive(Debug)]
pub struct Issuer {
    signer: TimestampSigner,
    subject: String,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
}

impl Issuer {
    /// Opens the key and reads the certificates of `config`, and makes a token that is thrown
    /// away, to see that the whole path works.
    ///
    /// # Errors
    /// A file cannot be used; the first certificate breaks its profile, is not valid at `now`, or
    /// is another key's; or the chain is out of order.
    pub fn open(config: &Config, now: SystemTime) -> Result<Self, IssuerError> {
        let policy =
            TimestampPolicy { policy: config.default_policy()?, accuracy: accuracy(config)? };
        let chain = pem::read_certificates(&config.certificate_chain).map_err(|source| {
            IssuerError::Certificates { path: config.certificate_chain.clone(), source }
        })?;
        Self::new(Arc::new(open_key(config)?), chain, policy, now)
    }

    /// As [`open`](Self::open), with a key that the caller has, wherever that is kept. `chain` is
    /// DER, the authority's certificate first.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for files.
    pub fn new(
        key: Arc<dyn Signer>,
        chain: Vec<Vec<u8>>,
        policy: TimestampPolicy,
        now: SystemTime,
    ) -> Result<Self, IssuerError> {
        let (subject, not_before, not_after) = inspect_chain(&chain, unix_seconds(now))?;
        let signer = TimestampSigner::new(key, chain, policy)?;
        let issuer = Self { signer, subject, not_before, not_after };
        issuer.probe(now)?;
        Ok(issuer)
    }

    /// The certificate's subject, for people.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The first second of the certificate's validity.
    pub fn not_before(&self) -> UnixSeconds {
        self.not_before
    }

    /// The last second of the certificate's validity.
    pub fn not_after(&self) -> UnixSeconds {
        self.not_after
    }

    /// DER of a whole `TimeStampResp` with a token for `request`; blocks while the key signs.
    ///
    /// # Errors
    /// The key refuses, or there are no random numbers for the serial.
    pub fn respond(
        &self,
        request: &TimestampRequest<'_>,
        gen_time: SystemTime,
    ) -> Result<Vec<u8>, SignError> {
        let serial = countersign_signing::key::random_serial()?;
        self.signer.respond(request, gen_time, serial)
    }

    /// Makes a token over nothing and drops it: the readiness check of the key.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    pub fn probe(&self, now: SystemTime) -> Result<(), SignError> {
        let Ok(request) = TimestampRequest::decode(PROBE_REQUEST) else {
            return Err(SignError::Refused);
        };
        self.respond(&request, now).map(drop)
    }
}

/// A `TimeStampReq` over a SHA-256 of 32 zero octets, which is no known data's.
const PROBE_REQUEST: &[u8] = &[
    0x30, 0x36, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// The seconds of `time`, rounded down; 1970 for anything earlier.
pub(crate) fn unix_seconds(time: SystemTime) -> UnixSeconds {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::new(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}

fn accuracy(config: &Config) -> Result<Accuracy, ConfigError> {
    Accuracy::from_millis(config.accuracy_millis).ok_or_else(|| ConfigError::Range {
        key: "accuracy_millis".to_owned(),
        value: config.accuracy_millis.to_string(),
        expected: "1–60000".to_owned(),
    })
}

fn open_key(config: &Config) -> Result<FileKey, IssuerError> {
    let Some(file) = &config.key_passphrase_file else {
        return Err(IssuerError::NoPassphrase { path: config.key.clone() });
    };
    let passphrase = Passphrase::new(read_passphrase(file)?.as_slice())?;
    Ok(FileKey::open(&config.key, &passphrase)?)
}

/// The leaf's subject and validity, when the chain is one of a timestamp authority.
fn inspect_chain(
    chain: &[Vec<u8>],
    now: UnixSeconds,
) -> Result<(String, UnixSeconds, UnixSeconds), IssuerError> {
    let decoded = chain
        .iter()
        .enumerate()
        .map(|(index, der)| {
            Certificate::decode(der).map_err(|error| IssuerError::Decode {
                position: index + 1,
                detail: error.to_string(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let leaf = decoded.first().ok_or(SignError::NoCertificate)?;
    let subject = leaf.subject_text();
    let broken = inspect(leaf, Role::TimestampAuthority);
    if !broken.is_empty() {
        return Err(IssuerError::Profile {
            subject,
            rules: broken.iter().map(rule_text).collect(),
        });
    }
    if !leaf.is_valid_at(now) {
        let (not_before, not_after) = (leaf.not_before, leaf.not_after);
        return Err(IssuerError::Validity { subject, not_before, not_after, now });
    }
    for (index, pair) in decoded.windows(2).enumerate() {
        if let [issued, issuer] = pair
            && !issued.is_signed_by(issuer, &AwsLc)
        {
            return Err(IssuerError::Order { position: index + 1 });
        }
    }
    Ok((subject, leaf.not_before, leaf.not_after))
}

fn rule_text(finding: &Finding) -> String {
    let expected = finding.expected.as_deref().unwrap_or(finding.code.title());
    let found = finding.found.as_deref().unwrap_or("something else");
    format!("{expected}, found {found}")
}
