//! What the requests share: the keys, and the time that may be stamped.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::{ArcSwap, Guard};
use countersign_core::time::UnixSeconds;
use countersign_daemon::clock::Clock;
use countersign_daemon::health::Readiness;
use tokio::sync::Semaphore;

use crate::issuer::Issuer;
use crate::keys::Keys;
use crate::time::{ClockFault, StampClock};

/// The state of a running authority.
#[derive(Debug)]
pub struct State {
    keys: ArcSwap<Keys>,
    clock: StampClock,
    /// Places for signatures that take their time.
    pub(crate) slow_signing: Arc<Semaphore>,
}

impl State {
    /// The state of an authority that has stamped nothing yet; `max_signing` as the configuration
    /// has it.
    pub fn new(keys: Keys, clock: Arc<dyn Clock>, max_signing: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let places = if max_signing == 0 { processors } else { max_signing };
        Self {
            keys: ArcSwap::from_pointee(keys),
            clock: StampClock::new(clock),
            slow_signing: Arc::new(Semaphore::new(places)),
        }
    }

    /// The keys in use.
    pub fn keys(&self) -> Guard<Arc<Keys>> {
        self.keys.load()
    }

    /// Signs with other keys, and under other policies, from the next token on.
    pub fn replace_keys(&self, keys: Keys) {
        let keys = Arc::new(keys);
        self.keys.store(Arc::clone(&keys));
        let issuer = keys.at(self.now());
        tracing::info!(certificate = issuer.subject(), key_id = issuer.key_id(), not_after = %issuer.not_after(), "signing key replaced");
    }

    /// What the clock says, in whole seconds.
    pub fn now(&self) -> UnixSeconds {
        unix_seconds(self.clock.now())
    }

    /// The key whose turn it is.
    pub fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(self.keys().at(self.now()))
    }

    /// The clock that tokens are stamped by.
    pub fn clock(&self) -> &StampClock {
        &self.clock
    }

    /// Whether a token could be stamped now under the policy that asks least of the clock.
    ///
    /// # Errors
    /// Why not.
    pub fn check_clock(&self) -> Result<SystemTime, ClockFault> {
        let issuer = self.issuer();
        let widest = issuer.offers().iter().map(|offer| offer.policy.clock_allowance()).max();
        self.clock.check(&issuer, widest.unwrap_or(Duration::ZERO))
    }
}

/// The seconds of `time`, rounded down; 1970 for anything earlier.
pub(crate) fn unix_seconds(time: SystemTime) -> UnixSeconds {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::new(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}

/// The checks of `/readyz`: `clock` (with the certificate's validity) and `key`.
pub(crate) fn readiness(state: &Arc<State>) -> Readiness {
    let (clock, key) = (Arc::clone(state), Arc::clone(state));
    Readiness::builder()
        .check("clock", move || {
            std::future::ready(clock.check_clock().map(drop).map_err(|fault| fault.to_string()))
        })
        .check("key", move || {
            let issuer = key.issuer();
            async move {
                match tokio::task::spawn_blocking(move || issuer.probe()).await {
                    Ok(Ok(())) => Ok(()),
                    _ => Err("the signing key does not sign".to_owned()),
                }
            }
        })
        .build()
}
