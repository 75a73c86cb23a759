//! The number that grows with every change of a status: what is kept in memory is good while it
//! stands still.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// See [`Storage::generation`](super::Storage::generation).
#[derive(Clone, Debug, Default)]
pub(super) struct Generation(Arc<AtomicU64>);

impl Generation {
    /// Its value now.
    pub(super) fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Something changed.
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts when what it gives goes.
    pub(super) fn count_on_drop(&self) -> CountOnDrop {
        CountOnDrop(self.clone())
    }
}

/// Counts when it goes.
pub(super) struct CountOnDrop(Generation);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.count();
    }
}
