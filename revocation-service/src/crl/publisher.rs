//! CRLs of an issuer whose key is here: rebuilt at every revocation and before they run out.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use countersign_core::{limits, time::UnixSeconds};
use countersign_signing::{
    crl::{CrlBuilder, CrlTerms, RevokedCertificate},
    key::{SignError, Signer},
};
use tokio::sync::Mutex;

use super::{CrlFault, PublishedCrl};
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
        let stored = match storage.stored_crl(issuer).await? {
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
        })
    }

    /// The CRL to serve.
    pub fn current(&self) -> Option<Arc<PublishedCrl>> {
        self.current.load_full()
    }

    /// Makes sure that what is served contains storage revision `revision`.
    ///
    /// # Errors
    /// When a new CRL could not be made; the one before stays.
    pub async fn publish_revision(&self, revision: i64, now: UnixSeconds) -> Result<(), CrlFault> {
        self.publish_unless(now, |crl| crl.revision >= revision).await
    }

    /// Makes a new CRL if there is none, half of its time is over, or storage has moved on.
    ///
    /// # Errors
    /// When a new CRL could not be made; the one before stays.
    pub async fn refresh(&self, now: UnixSeconds) -> Result<(), CrlFault> {
        let revision = self.storage.revision(self.issuer).await?;
        self.publish_unless(now, |crl| crl.revision >= revision && now < renewal_time(crl)).await
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
        let not_after = self.authority.certificate().not_after;
        if now > not_after {
            return Err(CrlFault::IssuerExpired { not_after });
        }
        // On disk before it is signed: whatever happens from here on, this number never comes back.
        let number = self.storage.reserve_crl_number(self.issuer).await?;
        let list = self.storage.revocations(self.issuer).await?;
        let revision = list.revision;
        let entries = list.entries.len();
        let der = self.sign(number, list, now, not_after).await?;
        let crl = PublishedCrl::inspect(&der.into(), revision, &self.authority)?;
        if let Some(published) = self.current.load().as_deref() {
            crl.succeed(published)?;
        }
        let stored = StoredCrl { number, revision, der: crl.der.to_vec() };
        self.storage.store_crl(self.issuer, &stored).await?;
        self.current.store(Some(Arc::new(crl)));
        tracing::info!(issuer = self.authority.name(), number, entries, "CRL published");
        Ok(())
    }

    async fn sign(
        &self,
        number: u64,
        list: RevocationList,
        now: UnixSeconds,
        not_after: UnixSeconds,
    ) -> Result<Vec<u8>, CrlFault> {
        let (authority, key) = (Arc::clone(&self.authority), Arc::clone(&self.key));
        let this_update = this_update(&list, now);
        let terms = CrlTerms {
            number,
            this_update,
            next_update: this_update.plus_seconds(self.validity_seconds).min(not_after),
            distribution_point: authority.crl_url().unwrap_or_default().to_owned(),
            // No entry is ever dropped.
            expired_certificates_since: Some(authority.certificate().not_before),
        };
        let signed = tokio::task::spawn_blocking(move || {
            let mut builder = CrlBuilder::new(authority.certificate_der(), terms)?;
            for (serial, revocation) in &list.entries {
                builder.revoke(&RevokedCertificate {
                    serial,
                    revocation_date: revocation.revocation_date,
                    reason: revocation.reason,
                });
            }
            builder.build(key.as_ref())
        });
        let der: Result<Vec<u8>, SignError> = signed.await.map_err(|_| QueueFault::Abandoned)?;
        Ok(der?)
    }
}

/// Now, or the latest revocation's date where the clock was set back a little since: no CRL lists
/// what lies after its thisUpdate.
fn this_update(list: &RevocationList, now: UnixSeconds) -> UnixSeconds {
    let latest = list.entries.iter().map(|(_, revocation)| revocation.revocation_date).max();
    let tolerated = now.plus_seconds(limits::CLOCK_SKEW_SECONDS);
    latest.filter(|latest| (now..=tolerated).contains(latest)).unwrap_or(now)
}

/// Half of the CRL's time: late enough to be quiet, early enough to survive a failing disk or key
/// for a while.
fn renewal_time(crl: &PublishedCrl) -> UnixSeconds {
    let validity = &crl.validity;
    validity.this_update.plus_seconds(validity.next_update.seconds_since(validity.this_update) / 2)
}
