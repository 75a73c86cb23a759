//! A bound on the answers being made: a limited number is read up, waits for its signature or is
//! signed, the others are asked to come again later. Without it a flood of requests would make every client
//! wait until all of them give up.
//!
//! A key that signs in a tenth of a millisecond does so on the thread that serves: handing the work
//! over would cost as much again. Others, and keys in tokens, sign on threads of their own, as many as
//! there are cores.

use std::{num::NonZeroUsize, sync::Arc, thread::available_parallelism};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::publish::authority::Pace;

/// The places for answers being made.
#[derive(Debug)]
pub(crate) struct SigningQueue {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Why a piece of work has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueueError {
    /// All places are taken.
    #[error("too many answers are being signed")]
    Full,
    /// The work panicked, or the service is stopping.
    #[error("the work was abandoned")]
    Abandoned,
}

impl SigningQueue {
    /// A queue with `places` places.
    pub(crate) fn new(places: usize) -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        Self { places: Arc::new(Semaphore::new(places)), cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`QueueError::Full`] at once, without waiting, when there is none.
    pub(crate) fn enter(&self) -> Result<Place, QueueError> {
        let permit = Arc::clone(&self.places).try_acquire_owned();
        permit.map(|permit| Place { _permit: permit }).map_err(|_| QueueError::Full)
    }

    /// How many places are taken.
    pub(crate) fn taken(&self, of: usize) -> usize {
        of.saturating_sub(self.places.available_permits())
    }

    /// Runs `work`, and gives the place that it `holds` back.
    ///
    /// # Errors
    /// [`QueueError::Abandoned`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        holds: Place,
        pace: Pace,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QueueError> {
        if pace == Pace::Prompt {
            let result = work();
            drop(holds);
            return Ok(result);
        }
        let core =
            Arc::clone(&self.cores).acquire_owned().await.map_err(|_| QueueError::Abandoned)?;
        // The permits go with the work: a client that hangs up does not make room for more work
        // than there are threads.
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop((core, holds));
            result
        })
        .await
        .map_err(|_| QueueError::Abandoned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn refuses_work_beyond_its_places_and_takes_more_afterwards() {
        let queue = Arc::new(SigningQueue::new(1));
        let (release, held) = mpsc::channel::<()>();
        let (started, starting) = tokio::sync::oneshot::channel();
        let first = {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                let place = queue.enter().expect("a place");
                let work = move || {
                    let _ = started.send(());
                    held.recv().is_ok()
                };
                queue.run(place, Pace::Slow, work).await
            })
        };
        starting.await.expect("the first piece of work started");
        assert_eq!(queue.enter().err(), Some(QueueError::Full));
        release.send(()).expect("the work waits");
        assert_eq!(first.await.expect("joined"), Ok(true));
        for pace in [Pace::Slow, Pace::Prompt] {
            let place = queue.enter().expect("a place");
            assert_eq!(queue.run(place, pace, || 7).await, Ok(7));
        }
        assert_eq!(queue.taken(1), 0);
    }

    #[tokio::test]
    async fn outlives_work_that_panics() {
        let queue = SigningQueue::new(1);
        let place = queue.enter().expect("a place");
        let outcome = queue.run(place, Pace::Slow, || panic!("bad work")).await;
        assert_eq!(outcome, Err::<(), _>(QueueError::Abandoned));
        let place = queue.enter().expect("a place");
        assert_eq!(queue.run(place, Pace::Slow, || 7).await, Ok(7));
    }
}
