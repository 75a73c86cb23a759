//! Where the state of each client is kept: a map of bounded size, and shared places beside it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

/// Clients without a place of their own share these: few enough to limit a flood from many
/// addresses, enough to leave most of the others alone.
pub(super) const SHARED_PLACES: usize = 4096;

/// Locks are taken for nanoseconds; a few of them keep threads apart.
const SHARDS: usize = 16;

/// Theoretical arrival times by client.
#[derive(Debug)]
pub(super) struct BoundedStore {
    max_clients: usize,
    clients: AtomicUsize,
    shards: Vec<Mutex<HashMap<IpAddr, Nanos>>>,
    shared: Vec<Mutex<Option<Nanos>>>,
    /// Keyed, so that nobody can choose addresses that share a place with somebody else's.
    hasher: RandomState,
}

impl BoundedStore {
    pub(super) fn new(max_clients: usize) -> Self {
        Self {
            max_clients,
            clients: AtomicUsize::new(0),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shared: (0..SHARED_PLACES).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    fn hash(&self, client: &IpAddr) -> usize {
        usize::try_from(self.hasher.hash_one(client) & u64::from(u32::MAX)).unwrap_or(0)
    }
}

/// Nothing panics with the lock held.
fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for BoundedStore {
    type Key = IpAddr;

    fn measure_and_replace<T, F, E>(&self, client: &IpAddr, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let hash = self.hash(client);
        let mut shard = lock(&self.shards[hash % SHARDS]);
        if let Some(state) = shard.get_mut(client) {
            let (outcome, next) = measure(Some(*state))?;
            *state = next;
            return Ok(outcome);
        }
        if self.clients.fetch_add(1, Ordering::Relaxed) < self.max_clients {
            let (outcome, next) = measure(None).inspect_err(|_| {
                self.clients.fetch_sub(1, Ordering::Relaxed);
            })?;
            shard.insert(*client, next);
            return Ok(outcome);
        }
        self.clients.fetch_sub(1, Ordering::Relaxed);
        drop(shard);
        let mut state = lock(&self.shared[hash / SHARDS % SHARED_PLACES]);
        let (outcome, next) = measure(*state)?;
        *state = Some(next);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<IpAddr> for BoundedStore {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let before = shard.len();
            shard.retain(|_, state| *state > drop_below);
            self.clients.fetch_sub(before - shard.len(), Ordering::Relaxed);
        }
    }

    fn len(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
