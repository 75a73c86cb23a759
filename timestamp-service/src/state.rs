//! What the requests share: the keys, the time that may be stamped, the ledger, the figures.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::{ArcSwap, Guard};
use countersign_core::time::UnixSeconds;
use countersign_daemon::clock::unix_seconds;
use countersign_daemon::health::Readiness;
use countersign_daemon::ledger::Ledger;
use tokio::sync::Semaphore;

use crate::issuer::Issuer;
use crate::keys::Keys;
use crate::metrics::{Figures, KeyTimes};
use crate::time::{ClockError, StampClock};

/// The state of a running authority.
#[derive(Debug)]
pub struct State {
    keys: ArcSwap<Keys>,
    clock: StampClock,
    ledger: Option<Ledger>,
    pub(crate) figures: Figures,
    /// Places for signatures that take their time.
    pub(crate) slow_signing: Arc<Semaphore>,
}

impl State {
    /// The state of an authority that has stamped nothing yet. `max_signing` is as in the
    /// configuration; without a ledger no token is recorded.
    pub fn new(keys: Keys, clock: StampClock, ledger: Option<Ledger>, max_signing: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let places = if max_signing == 0 { processors } else { max_signing };
        Self {
            keys: ArcSwap::from_pointee(keys),
            clock,
            ledger,
            figures: Figures::new(),
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

    /// Where tokens are recorded.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// When certificates end and keys change.
    pub(crate) fn key_times(&self) -> KeyTimes {
        let (keys, now) = (self.keys(), self.now());
        let next =
            keys.next_after(now).map(|(at, next)| (next.not_after().seconds(), at.seconds()));
        KeyTimes { current_not_after: keys.at(now).not_after().seconds(), next }
    }

    /// The clock that tokens are stamped by.
    pub fn clock(&self) -> &StampClock {
        &self.clock
    }

    /// Whether a token could be stamped now under the default policy.
    ///
    /// # Errors
    /// Why not.
    pub fn check_clock(&self) -> Result<SystemTime, ClockError> {
        let issuer = self.issuer();
        let default = issuer.offer(None).map(|offer| offer.policy.clock_allowance());
        self.clock.check(&issuer, default.unwrap_or(Duration::ZERO))
    }
}

/// The checks of `/readyz`: `clock` (with the certificate's validity), `key`, and `audit` if there
/// is a ledger.
pub(crate) fn readiness(state: &Arc<State>) -> Readiness {
    let (clock, key) = (Arc::clone(state), Arc::clone(state));
    let builder = Readiness::builder()
        .check("clock", move || {
            std::future::ready(clock.check_clock().map(drop).map_err(|fault| fault.to_string()))
        })
        .check("key", move || {
            let issuer = key.issuer();
            async move {
                match tokio::task::spawn_blocking(move || issuer.try_key()).await {
                    Ok(Ok(())) => Ok(()),
                    _ => Err("the signing key does not sign".to_owned()),
                }
            }
        });
    match state.ledger().cloned() {
        Some(ledger) => builder.check("audit", move || std::future::ready(ledger.ready())).build(),
        None => builder.build(),
    }
}
