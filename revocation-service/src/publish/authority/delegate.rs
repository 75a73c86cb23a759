//! The OCSP delegate of an issuer: what RFC 6960 §4.2.2.2 asks of it, when it may be replaced, and
//! how one is issued here.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign_core::{
    crypto::{SignatureScheme, aws_lc::AwsLc},
    time::UnixSeconds,
    x509::{
        Certificate,
        profile::{self, Profile},
    },
};
use countersign_signing::{
    ca,
    certificate::Pointers,
    key::{self, KeyLocation, SignError, Signer},
    ocsp::OcspSigner,
};

use super::{AuthorityFault, IssuerConfig, decode, read_certificate, read_key, rules};

/// The OCSP delegate of an issuer.
#[derive(Debug)]
pub struct Delegate {
    /// Signs answers.
    pub signer: OcspSigner,
    /// The delegate's certificate is valid from then on.
    pub not_before: UnixSeconds,
    /// And until then.
    pub not_after: UnixSeconds,
    /// How long its key takes to sign.
    pub pace: Pace,
    /// When the next one is due, where delegates are issued here.
    pub renew_at: UnixSeconds,
    key: Arc<dyn Signer>,
    is_failing: AtomicBool,
}

/// How long a key takes to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A tenth of a millisecond or so, in this process.
    Prompt,
    /// Longer, or elsewhere.
    Slow,
}

/// A delegate that was issued here and is not in use yet.
#[derive(Debug)]
pub struct IssuedDelegate {
    /// To be used.
    pub delegate: Delegate,
    /// Its certificate, DER, to be registered first.
    pub certificate: Vec<u8>,
}

impl Delegate {
    fn new(
        key: Arc<dyn Signer>,
        der: &[u8],
        issuer: &[u8],
        (pace, renew_at): (Pace, UnixSeconds),
    ) -> Result<Self, AuthorityFault> {
        let certificate = Certificate::decode(der).map_err(|error| {
            AuthorityFault::Delegate(SignError::Certificate {
                position: 1,
                detail: error.to_string(),
            })
        })?;
        let (not_before, not_after) = (certificate.not_before, certificate.not_after);
        let signer = OcspSigner::new(Arc::clone(&key), der, issuer);
        let signer = signer.map_err(AuthorityFault::Delegate)?;
        let is_failing = AtomicBool::new(false);
        Ok(Self { signer, not_before, not_after, pace, renew_at, key, is_failing })
    }

    /// Has the key sign something that nobody reads.
    ///
    /// # Errors
    /// Why it does not.
    pub fn try_key(&self) -> Result<(), SignError> {
        let tried = key::try_out(self.key.as_ref());
        self.note(tried.as_ref().err());
        tried
    }

    /// Takes note of what came of signing: the log has a line when that changes, not one for each
    /// answer that a token owes while it is away.
    pub(crate) fn note(&self, error: Option<&SignError>) {
        let is_failing = error.is_some();
        if self.is_failing.load(Ordering::Relaxed) == is_failing
            || self.is_failing.swap(is_failing, Ordering::Relaxed) == is_failing
        {
            return;
        }
        if let Some(error) = error {
            tracing::error!(%error, "the OCSP delegate's key does not sign");
        } else {
            tracing::info!("the OCSP delegate's key signs again");
        }
    }

    /// Whether its key failed when it last was to sign.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Whether it may answer at `now`.
    pub fn is_valid_at(&self, now: UnixSeconds) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// The delegate that the configuration names, and the CRL URL that its certificate names.
///
/// # Errors
/// A file cannot be used, or the certificate is not this issuer's delegate's.
pub(super) fn read(
    config: &IssuerConfig,
    issuer: &Certificate<'_>,
) -> Result<Option<(Delegate, Option<String>)>, AuthorityFault> {
    let (Some(path), Some(key_location)) = (&config.ocsp_certificate, &config.ocsp_key) else {
        return Ok(None);
    };
    let der = read_certificate(path)?;
    let certificate = decode(path, &der)?;
    if !certificate.is_signed_by(issuer, &AwsLc) {
        return Err(AuthorityFault::DelegateIssuer {
            delegate: path.clone(),
            issuer: config.certificate.clone(),
        });
    }
    let findings = profile::inspect(&certificate, Profile::OcspDelegate);
    if !findings.is_empty() {
        return Err(AuthorityFault::DelegateProfile {
            path: path.clone(),
            rules: rules(&findings),
        });
    }
    let key = read_key(
        key_location,
        (config.ocsp_key_passphrase_file.as_deref(), "ocsp_key_passphrase_file"),
        (path, &certificate),
    )?;
    let crl_url = certificate.extensions.crl_urls.first().map(|url| (*url).to_owned());
    let pace = match key_location {
        KeyLocation::File(_) => pace(key.as_ref()),
        KeyLocation::Token(_) => Pace::Slow,
    };
    // Somebody else renews it.
    let never = UnixSeconds::new(i64::MAX);
    Delegate::new(key, &der, issuer.raw, (pace, never)).map(|delegate| Some((delegate, crl_url)))
}

/// ECDSA takes a tenth of a millisecond, RSA-3072 over one.
fn pace(key: &dyn Signer) -> Pace {
    match key.scheme() {
        SignatureScheme::EcdsaP256Sha256 | SignatureScheme::EcdsaP384Sha384 => Pace::Prompt,
        _ => Pace::Slow,
    }
}

/// A new delegate with a new key, valid for `validity_seconds` from `now`. It is due again after
/// about half of them: of many replicas, not all at once.
///
/// # Errors
/// The issuer's key does not sign, or its certificate is not valid now.
pub(super) fn issue(
    issuer: &[u8],
    issuer_key: &dyn Signer,
    pointers: &Pointers,
    (validity_seconds, now): (i64, UnixSeconds),
) -> Result<IssuedDelegate, AuthorityFault> {
    let (certificate, key) =
        ca::issue_delegate(issuer, issuer_key, pointers, (validity_seconds, now))
            .map_err(|error| AuthorityFault::Issue(Box::new(error)))?;
    let percent = 45 + RandomState::new().hash_one(now.seconds()) % 11;
    let life_seconds = validity_seconds.saturating_mul(i64::try_from(percent).unwrap_or(50)) / 100;
    let key: Arc<dyn Signer> = Arc::new(key);
    let pace = pace(key.as_ref());
    let delegate =
        Delegate::new(key, &certificate, issuer, (pace, now.plus_seconds(life_seconds)))?;
    Ok(IssuedDelegate { delegate, certificate })
}

/// Checks that `new` may take the place of the one `in_use`: an expired certificate, put there by
/// mistake, must not.
///
/// # Errors
/// [`AuthorityFault::DelegateValidity`] where only the one in use is valid at `now`.
pub(super) fn refuse_worse(
    new: &Delegate,
    in_use: Option<&Delegate>,
    config: &IssuerConfig,
    now: UnixSeconds,
) -> Result<(), AuthorityFault> {
    if new.is_valid_at(now) || !in_use.is_some_and(|in_use| in_use.is_valid_at(now)) {
        return Ok(());
    }
    Err(AuthorityFault::DelegateValidity {
        path: config.ocsp_certificate.clone().unwrap_or_default(),
        not_before: new.not_before,
        not_after: new.not_after,
        now,
    })
}
