//! The OCSP delegate of an issuer: what RFC 6960 §4.2.2.2 asks of it, and when it may be replaced.

use countersign_core::{
    crypto::aws_lc::AwsLc,
    time::UnixSeconds,
    x509::{
        Certificate,
        profile::{self, Role},
    },
};
use countersign_signing::ocsp::OcspSigner;

use super::{AuthorityFault, decode, read_certificate, read_key, rules};
use crate::config::IssuerConfig;

/// The OCSP delegate of an issuer.
#[derive(Debug)]
pub struct Delegate {
    /// Signs answers.
    pub signer: OcspSigner,
    /// The delegate's certificate is valid from then on.
    pub not_before: UnixSeconds,
    /// And until then.
    pub not_after: UnixSeconds,
}

impl Delegate {
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
    let (Some(path), Some(key_path)) = (&config.ocsp_certificate, &config.ocsp_key) else {
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
    let findings = profile::inspect(&certificate, Role::OcspDelegate);
    if !findings.is_empty() {
        return Err(AuthorityFault::DelegateProfile {
            path: path.clone(),
            rules: rules(&findings),
        });
    }
    let key = read_key(
        key_path,
        (config.ocsp_key_passphrase_file.as_deref(), "ocsp_key_passphrase_file"),
        (path, &certificate),
    )?;
    let crl_url = certificate.extensions.crl_urls.first().map(|url| (*url).to_owned());
    let (not_before, not_after) = (certificate.not_before, certificate.not_after);
    let signer = OcspSigner::new(key, &der, issuer.raw).map_err(AuthorityFault::Delegate)?;
    Ok(Some((Delegate { signer, not_before, not_after }, crl_url)))
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
