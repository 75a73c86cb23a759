//! A bound on the answers being signed: work runs on as many threads as there are cores, a limited
//! number waits, the rest is told to come later. Without it a flood of requests would make
//! every client wait until all of them give up.

use std::{num::NonZeroUsize, sync::Arc, thread::available_parallelism};

use tokio::sync::Semaphore;

/// Runs signing off the threads that serve connections.
#[derive(Debug)]
pub struct SigningQueue {
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

/// Why a piece of work has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueFault {
    /// All places are taken.
    #[error("too many answers are being signed")]
    Full,
    /// The work panicked, or the service is stopping.
    #[error("the work was abandoned")]
    Abandoned,
}

impl SigningQueue {
    /// A queue with room for `places` pieces of work, running and waiting together.
    pub fn new(places: usize) -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        Self { places: Arc::new(Semaphore::new(places)), cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Runs `work` when it is its turn.
    ///
    /// # Errors
    /// [`QueueFault::Full`] at once, without waiting, when there is no place.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QueueFault> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| QueueFault::Full)?;
        let core =
            Arc::clone(&self.cores).acquire_owned().await.map_err(|_| QueueFault::Abandoned)?;
        // The permits go with the work: a client that hangs up does not make room for more work
        // than there are threads.
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop((core, place));
            result
        })
        .await
        .map_err(|_| QueueFault::Abandoned)
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
                queue
                    .run(move || {
                        let _ = started.send(());
                        held.recv().is_ok()
                    })
                    .await
            })
        };
        starting.await.expect("the first piece of work started");
        assert_eq!(queue.run(|| ()).await, Err(QueueFault::Full));
        release.send(()).expect("the work waits");
        assert_eq!(first.await.expect("joined"), Ok(true));
        assert_eq!(queue.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn outlives_work_that_panics() {
        let queue = SigningQueue::new(1);
        assert_eq!(queue.run(|| panic!("bad work")).await, Err::<(), _>(QueueFault::Abandoned));
        assert_eq!(queue.run(|| 7).await, Ok(7));
    }
}
