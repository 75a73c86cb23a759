//! How much each client takes of something that all share, so that none takes all of it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts what each client has taken; clones share the counts.
///
/// Bounded by what is shared: a client that holds nothing is not counted.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    most: usize,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self { most: self.most, taken: Arc::clone(&self.taken) }
    }
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// Nobody may take more than `most`.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A share of `client` that holds nothing yet.
    pub(crate) fn of(&self, client: K) -> Share<K> {
        Share { client, held: 0, shares: self.clone() }
    }

    /// Nothing panics with the lock held.
    fn taken(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.taken().is_empty()
    }
}

/// What one holder has taken on a client's account, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share<K: Eq + Hash + Clone> {
    client: K,
    held: usize,
    shares: Shares<K>,
}

impl<K: Eq + Hash + Clone> Share<K> {
    /// Takes `amount` more; returns whether the client may have it.
    pub(crate) fn take(&mut self, amount: usize) -> bool {
        let mut taken = self.shares.taken();
        let before = taken.get(&self.client).copied().unwrap_or_default();
        let fits = before.checked_add(amount).is_some_and(|after| after <= self.shares.most);
        if fits && amount > 0 {
            taken.insert(self.client.clone(), before + amount);
            self.held += amount;
        }
        fits
    }
}

impl<K: Eq + Hash + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        if self.held == 0 {
            return;
        }
        let mut taken = self.shares.taken();
        if let Some(count) = taken.get_mut(&self.client) {
            *count -= self.held;
            if *count == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_takes_no_more_than_its_share_and_gives_it_back() {
        let shares = Shares::new(10);
        let (mut one, mut another) = (shares.of("a"), shares.of("a"));
        assert!(one.take(6) && another.take(4));
        assert!(!one.take(1) && one.take(0));
        assert!(shares.of("b").take(10));
        drop(another);
        assert!(one.take(4) && !one.take(usize::MAX));
        drop(one);
        assert!(shares.is_empty());
    }
}
