//! CRLs of an issuer whose key is here: rebuilt at every revocation and before they run out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwapOption;
use countersign_core::{limits, time::UnixSeconds};
use countersign_signing::{
    crl::{CrlBuilder, CrlTerms, RevokedCertificate},
    key::Signer,
};
use tokio::sync::Mutex;

use super::{CrlFault, CrlList, PublishedCrl};
use crate::{
    authority::Authority,
    signing_queue::QueueFault,
    storage::{IssuerId, RevocationList, Storage, StoredCrl},
};

/// Builds, lints, stores and publishes the CRLs of one issuer.
#[derive(Debug)]
pub struct Publisher {
    authority: Arc<Authority>,
    key: Arc<dyn Signer>,
    issuer: IssuerId,
    storage: Arc<dyn Storage>,
    validity_seconds: i64,
    current: ArcSwapOption<PublishedCrl>,
    /// One build at a time; who waits here finds its revision published by the one before, more
    /// often than not.
    building: Mutex<()>,
    /// Whether the last look found a CRL due that could not be made.
    failing: AtomicBool,
}

impl Publisher {
    /// A publisher that takes up the CRL stored last.
    ///
    /// A stored CRL that no longer passes (a changed `crl_url`, for one) is not served; the next
    /// one replaces it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(
        authority: Arc<Authority>,
        key: Arc<dyn Signer>,
        issuer: IssuerId,
        storage: Arc<dyn Storage>,
        validity_seconds: u32,
    ) -> Result<Self, CrlFault> {
        let stored = match storage.stored_crl(issuer, CrlList::WHOLE).await? {
            None => None,
            Some(stored) => {
                match PublishedCrl::inspect(&stored.der.into(), stored.revision, &authority) {
                    Ok(crl) if crl.url.as_deref() == authority.crl_url() => Some(crl),
                    Ok(_) => {
                        tracing::warn!(
                            issuer = authority.name(),
                            "the stored CRL has another URL; making a new one"
                        );
                        None
                    }
                    Err(error) => {
                        tracing::warn!(issuer = authority.name(), %error, "the stored CRL is of no use; making a new one");
                        None
                    }
                }
            }
        };
        Ok(Self {
            authority,
            key,
            issuer,
            storage,
            validity_seconds: i64::from(validity_seconds),
            current: ArcSwapOption::from_pointee(stored),
            building: Mutex::new(()),
            failing: AtomicBool::new(false),
        })
    }

    /// The CRL to serve.
    pub fn current(&self) -> Option<Arc<PublishedCrl>> {
        self.current.load_full()
    }

    /// Whether a new CRL is due and could not be made: what is served may lack a revocation.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Makes sure that what is served contains storage revision `revision`.
    ///
    /// # Errors
    /// When a new CRL could not be made; the one before stays.
    pub async fn publish_revision(&self, revision: i64, now: UnixSeconds) -> Result<(), CrlFault> {
        self.publish_unless(now, |crl| crl.revision >= revision && !crl.is_overdue(now)).await
    }

    /// Makes a new CRL if there is none, half of its time is over, storage has moved on, or it is
    /// dated ahead of the clock, which was wrong then: no client would take that one yet.
    ///
    /// # Errors
    /// When a new CRL could not be made; the one before stays.
    pub async fn refresh(&self, now: UnixSeconds) -> Result<(), CrlFault> {
        let outcome = self.try_refresh(now).await;
        self.failing.store(outcome.is_err(), Ordering::Release);
        outcome
    }

    async fn try_refresh(&self, now: UnixSeconds) -> Result<(), CrlFault> {
        let revision = self.storage.revision(self.issuer).await?;
        self.publish_unless(now, |crl| {
            crl.revision >= revision && now < renewal_time(crl) && !is_ahead(crl, now)
        })
        .await
    }

    async fn publish_unless(
        &self,
        now: UnixSeconds,
        is_enough: impl Fn(&PublishedCrl) -> bool,
    ) -> Result<(), CrlFault> {
        let enough = || self.current.load().as_deref().is_some_and(&is_enough);
        if enough() {
            return Ok(());
        }
        let _building = self.building.lock().await;
        if enough() {
            return Ok(());
        }
        self.publish(now).await
    }

    async fn publish(&self, now: UnixSeconds) -> Result<(), CrlFault> {
        let (not_before, not_after) = (self.authority.not_before(), self.authority.not_after());
        if now > not_after {
            return Err(CrlFault::IssuerExpired { not_after });
        }
        if now < not_before {
            return Err(CrlFault::ClockBehindIssuer { now, not_before });
        }
        // On disk before it is signed: whatever happens from here on, this number never comes back.
        // Not below the clock: nor does it come back where the database is restored from a backup.
        let least = u64::try_from(now.seconds()).unwrap_or(0);
        let number = self.storage.reserve_crl_number(self.issuer, least).await?;
        let list = self.storage.revocations(self.issuer).await?;
        let (revision, entries) = (list.revision, list.entries.len());
        let published = self.current();
        let this_update = this_update(published.as_deref(), &list, now);
        let terms = CrlTerms {
            number,
            this_update,
            next_update: this_update.plus_seconds(self.validity_seconds).min(not_after),
            distribution_point: self.authority.crl_url().unwrap_or_default().to_owned(),
            // No entry is ever dropped.
            expired_certificates_since: Some(not_before),
        };
        let crl = self.build(list, terms).await?;
        if let Some(published) = published {
            crl.succeed(&published)?;
        }
        let stored = StoredCrl { number, revision, der: crl.der.to_vec() };
        self.storage.store_crl(self.issuer, CrlList::WHOLE, &stored).await?;
        self.current.store(Some(Arc::new(crl)));
        tracing::info!(issuer = self.authority.name(), number, entries, "CRL published");
        Ok(())
    }

    /// Signs and checks off the threads that serve connections: both grow with the entries.
    async fn build(&self, list: RevocationList, terms: CrlTerms) -> Result<PublishedCrl, CrlFault> {
        let (authority, key) = (Arc::clone(&self.authority), Arc::clone(&self.key));
        let built = tokio::task::spawn_blocking(move || {
            let this_update = terms.this_update;
            let mut builder = CrlBuilder::new(authority.certificate_der(), terms)?;
            for (serial, revocation) in &list.entries {
                builder.revoke(&RevokedCertificate {
                    serial,
                    // Recorded while the clock was ahead: a date to come would void the whole CRL,
                    // and an earlier one is the stricter.
                    revocation_date: revocation.revocation_date.min(this_update),
                    reason: revocation.reason,
                });
            }
            let der = builder.build(key.as_ref())?;
            PublishedCrl::inspect(&der.into(), list.revision, &authority)
        });
        built.await.map_err(|_| QueueFault::Abandoned)?
    }
}

/// Now; or, where the clock was set back a little since, the date of the CRL before or of the latest
/// revocation: a newer CRL with an older date would look like the older one.
fn this_update(
    published: Option<&PublishedCrl>,
    list: &RevocationList,
    now: UnixSeconds,
) -> UnixSeconds {
    let dates = list.entries.iter().map(|(_, revocation)| revocation.revocation_date);
    let tolerated = now.plus_seconds(limits::CLOCK_SKEW_SECONDS);
    dates
        .chain(published.map(|crl| crl.validity.this_update))
        .filter(|date| (now..=tolerated).contains(date))
        .max()
        .unwrap_or(now)
}

/// Whether clients would take the CRL for one that is not valid yet.
fn is_ahead(crl: &PublishedCrl, now: UnixSeconds) -> bool {
    crl.validity.this_update > now.plus_seconds(limits::CLOCK_SKEW_SECONDS)
}

/// Half of the CRL's time: late enough to be quiet, early enough to survive a failing disk or key
/// for a while.
fn renewal_time(crl: &PublishedCrl) -> UnixSeconds {
    let validity = &crl.validity;
    validity.this_update.plus_seconds(validity.next_update.seconds_since(validity.this_update) / 2)
}
