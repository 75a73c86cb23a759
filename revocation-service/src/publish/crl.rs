//! A CRL that may be served, and why one may not.
//!
//! Every CRL passes here, whether it was made here or elsewhere. How one is built is `build`'s.

use std::collections::HashMap;

use bytes::Bytes;
use countersign_core::{
    crl::{self, CertificateList, CompleteList, Revival, RevocationReason},
    crypto::aws_lc::AwsLc,
    finding::Finding,
    time::UnixSeconds,
};
use countersign_daemon::sha256::sha256;

use super::{
    authority::{self, Authority},
    caching::Validity,
};
use crate::register::{CrlForm, storage::StorageError};

/// A CRL that passed every check and may be served.
#[derive(Clone, Debug)]
pub struct PublishedCrl {
    /// The CRL, DER.
    pub der: Bytes,
    /// Its `CRLNumber`.
    pub number: u64,
    /// The storage revision it was built from; 0 for one made elsewhere.
    pub revision: i64,
    /// Times and digest, for caches.
    pub validity: Validity,
    /// expiredCertsOnCRL: since when it covers certificates that expired, if it says so.
    pub expired_certificates_since: Option<UnixSeconds>,
    pub(super) url: Option<String>,
    /// Complete or a delta.
    pub(super) form: CrlForm,
}

/// Serial number (content octets), reason and date of each entry of a CRL.
pub type RevokedSerials = HashMap<Vec<u8>, (RevocationReason, UnixSeconds)>;

/// Why there is no new CRL.
#[derive(Debug, thiserror::Error)]
pub enum CrlError {
    /// It is not a CRL.
    #[error("the CRL cannot be read: {0}")]
    Malformed(String),
    /// It breaks a rule for CRLs.
    #[error("the CRL breaks the rules: {0}")]
    Rules(String),
    /// It leaves something out, or is about something else: what it does not list may be revoked.
    #[error("the CRL cannot stand for everything of this issuer: {}", authority::rules(std::slice::from_ref(.0)))]
    Incomplete(Finding),
    /// The CRL in the database cannot be used at all.
    #[error(
        "the CRL in the database: {fault}. It says what is revoked: restore the certificate in `certificate`, or the database, that belong to it"
    )]
    Stored {
        /// What is wrong.
        #[source]
        fault: Box<CrlError>,
    },
    /// The issuer's key came here, and its CRL that was made elsewhere revokes what the database does not.
    #[error(
        "CRL {published}, which was made elsewhere, revokes what the database does not, or for a lighter reason or from a later date on: {serials}. Import its revocations first: go back to crl_upload or crl_file, and use `countersign revocation import`"
    )]
    NotImported {
        /// The CRL's number.
        published: u64,
        /// Serial numbers, hexadecimal; the first of many.
        serials: String,
    },
    /// It is another issuer's, or its signature is false.
    #[error("the CRL is not signed by this issuer")]
    Signature,
    /// Its `CRLNumber` is missing or over 2^63.
    #[error("the CRL has no CRLNumber of at most 63 bits")]
    Number,
    /// Its `CRLNumber` does not grow.
    #[error("CRLNumber {number} is not greater than {published}, which was published")]
    NumberDoesNotGrow {
        /// The new number.
        number: u64,
        /// The number of the CRL before.
        published: u64,
    },
    /// Its distribution point is not the one before.
    #[error("the issuingDistributionPoint changed from {published:?} to {found:?}")]
    UrlChanged {
        /// The URL of the CRL before.
        published: Option<String>,
        /// The URL found.
        found: Option<String>,
    },
    /// It brings signatures back to life that the CRL before took away.
    #[error(
        "CRL {published}, which is published, {how}: {serials}. A CRL takes nothing back but a hold"
    )]
    Revives {
        /// The number of the CRL before.
        published: String,
        /// What it does.
        revival: Revival,
        /// The same in words.
        how: &'static str,
        /// Serial numbers, hexadecimal; the first of many.
        serials: String,
    },
    /// It was made before the one that it should replace.
    #[error("its thisUpdate {found} is before {published}, that of the CRL which is published")]
    ThisUpdateGoesBack {
        /// What it says.
        found: UnixSeconds,
        /// What the CRL before says.
        published: UnixSeconds,
    },
    /// It revokes from a time to come on.
    #[error(
        "it lists {serial} from {date} on, which is still to come (it is {now}); a clock was ahead where it was made"
    )]
    DateToCome {
        /// The serial number, hexadecimal.
        serial: String,
        /// The date in the list.
        date: UnixSeconds,
        /// The service's clock.
        now: UnixSeconds,
    },
    /// It ran out already.
    #[error("the CRL ran out at {next_update}")]
    Overdue {
        /// Its nextUpdate.
        next_update: UnixSeconds,
    },
    /// The issuer's certificate ran out: nobody would believe its CRLs.
    #[error("the issuer's certificate ran out at {not_after}")]
    IssuerExpired {
        /// Its last second.
        not_after: UnixSeconds,
    },
    /// The clock is wrong, or the certificate is not for use yet.
    #[error("the clock says {now}, and the issuer's certificate is valid from {not_before}")]
    ClockBehindIssuer {
        /// The clock.
        now: UnixSeconds,
        /// Its first second.
        not_before: UnixSeconds,
    },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] countersign_signing::files::FileError),
    /// The database failed or refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] countersign_signing::key::SignError),
    /// The work was abandoned: it panicked, or the service is stopping.
    #[error("the work was abandoned")]
    Abandoned,
}

/// What a list says of its entries; memory grows with them. What a delta takes off the list is not among them.
///
/// # Errors
/// [`CrlError::Malformed`].
pub(crate) fn revoked_in(list: &CertificateList<'_>) -> Result<RevokedSerials, CrlError> {
    list.entries()
        .filter(|entry| {
            !entry.as_ref().is_ok_and(|entry| entry.reason == RevocationReason::RemoveFromCrl)
        })
        .map(|entry| {
            entry.map(|entry| (entry.serial.to_vec(), (entry.reason, entry.effective_date())))
        })
        .collect::<Result<_, _>>()
        .map_err(|error| CrlError::Malformed(error.to_string()))
}

/// The first address that a list says it is at.
pub(crate) fn url_of(list: &CertificateList<'_>) -> Option<String> {
    let (_, point) = list.extensions.issuing_distribution_point.as_ref()?;
    point.urls.first().map(|url| (*url).to_owned())
}

fn decode(der: &[u8]) -> Result<CertificateList<'_>, CrlError> {
    CertificateList::decode(der).map_err(|error| CrlError::Malformed(error.to_string()))
}

impl PublishedCrl {
    /// Reads a CRL and lets it through only if the lint of `core` finds nothing and `issuer`
    /// signed it. It may be complete, a delta, or a shard.
    ///
    /// # Errors
    /// [`CrlError`] names the rule.
    pub fn inspect(der: &Bytes, revision: i64, issuer: &Authority) -> Result<Self, CrlError> {
        let findings = crl::inspect(&decode(der)?);
        if !findings.is_empty() {
            return Err(CrlError::Rules(authority::rules(&findings)));
        }
        Self::signed(der, revision, issuer)
    }

    /// The same for one that was made elsewhere, and is to stand for everything that `issuer` revoked.
    ///
    /// # Errors
    /// [`CrlError::Incomplete`], or as [`inspect`](Self::inspect).
    pub fn inspect_complete(der: &Bytes, issuer: &Authority) -> Result<Self, CrlError> {
        let expected = issuer.crl_url();
        CompleteList::of(decode(der)?, expected.as_slice()).map_err(CrlError::Incomplete)?;
        Self::inspect(der, 0, issuer)
    }

    /// Reads a CRL that `issuer` signed, whatever else is wrong with it.
    ///
    /// # Errors
    /// [`CrlError`].
    pub(super) fn signed(der: &Bytes, revision: i64, issuer: &Authority) -> Result<Self, CrlError> {
        let list = decode(der)?;
        if !list.is_by(&issuer.certificate(), &AwsLc) {
            return Err(CrlError::Signature);
        }
        let number = list
            .extensions
            .number
            .and_then(|octets| countersign_core::asn1::unsigned(octets, "CRLNumber").ok())
            .filter(|number| i64::try_from(*number).is_ok())
            .ok_or(CrlError::Number)?;
        let next_update =
            list.next_update.ok_or_else(|| CrlError::Rules("nextUpdate is missing".to_owned()))?;
        let validity = Validity::new(&sha256(der), list.this_update, next_update);
        let is_delta = list.extensions.delta_base.is_some();
        Ok(Self {
            number,
            revision,
            validity,
            expired_certificates_since: list.extensions.expired_certificates_since,
            url: url_of(&list),
            form: if is_delta { CrlForm::Delta } else { CrlForm::Complete },
            der: der.clone(),
        })
    }

    /// What the CRL says of its entries; memory grows with them.
    ///
    /// # Errors
    /// [`CrlError::Malformed`]; not for one that [`inspect`](Self::inspect) let through.
    pub fn revoked_serials(&self) -> Result<RevokedSerials, CrlError> {
        revoked_in(&decode(&self.der)?)
    }

    /// Checks that this CRL may take the place of `published`.
    ///
    /// # Errors
    /// [`CrlError::NumberDoesNotGrow`], [`CrlError::UrlChanged`].
    pub fn succeed(&self, published: &Self) -> Result<(), CrlError> {
        self.outnumber(published)?;
        if self.url != published.url {
            return Err(CrlError::UrlChanged {
                published: published.url.clone(),
                found: self.url.clone(),
            });
        }
        Ok(())
    }

    /// Checks that its number is greater than that of `published`.
    ///
    /// # Errors
    /// [`CrlError::NumberDoesNotGrow`].
    pub(super) fn outnumber(&self, published: &Self) -> Result<(), CrlError> {
        let (number, published) = (self.number, published.number);
        if number > published {
            return Ok(());
        }
        Err(CrlError::NumberDoesNotGrow { number, published })
    }

    /// Whether its scope is the list at `url`. A root's lists name none.
    pub(super) fn is_at(&self, url: &str, authority: &Authority) -> bool {
        self.url.as_deref() == (!authority.is_root()).then_some(url)
    }

    /// Whether its time is over at `now`: such a CRL is not served.
    pub fn is_overdue(&self, now: UnixSeconds) -> bool {
        self.validity.is_over(now)
    }
}
