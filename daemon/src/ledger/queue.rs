//! Records that wait for the writer, and what the ledger tells of itself.

use std::fmt::Debug;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_ledger::{ENVELOPE_BYTES, Head, MAX_KIND_BYTES, MAX_RECORD_BYTES, is_kind};
use serde::Serialize;
use tokio::sync::oneshot;

use super::appending::{AppendError, Appending, Receipt};
use super::figures::Figures;
use crate::metrics;

/// What all waiting records may take: bounds memory when the disk stalls, and what is written at once,
/// of which a ledger takes twice as much.
const MAX_QUEUED_BYTES: usize = 32 * 1024 * 1024;

/// A record that waits longer makes the service unready.
const PATIENCE: Duration = Duration::from_secs(1);

/// A record on its way.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) kind: Box<str>,
    pub(super) record: String,
    pub(super) since: Instant,
    pub(super) reply: oneshot::Sender<Result<Receipt, AppendError>>,
}

/// How a ledger is.
#[derive(Debug, Clone)]
pub struct Status {
    /// The last record that is kept.
    pub head: Head,
    /// Records that wait.
    pub queued: usize,
    /// How long the oldest record has waited; zero when none waits.
    pub lag: Duration,
    /// Why the last commit failed, until one succeeds.
    pub failure: Option<String>,
    /// Whether nothing can be appended any more until the service is started again.
    pub stopped: bool,
}

impl Status {
    pub(super) fn ready(&self) -> Result<(), String> {
        if self.stopped {
            return Err("the audit ledger has stopped".to_owned());
        }
        if self.failure.is_some() {
            return Err("the audit ledger cannot be written".to_owned());
        }
        if self.lag > PATIENCE {
            return Err("the audit ledger waits for the disk".to_owned());
        }
        Ok(())
    }
}

/// The queue between callers and writer.
#[derive(Debug)]
pub(super) struct Queue {
    max_queued: usize,
    figures: Figures,
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// Since when the oldest record waits that the writer has taken and not answered.
    taken_since: Option<Instant>,
    head: Head,
    /// The last record that is flushed; behind the head only if the ledger is relaxed.
    on_disk: Head,
    failure: Option<String>,
    closed: bool,
    stopped: bool,
}

impl Queue {
    pub(super) fn new(max_queued: usize, head: Head, name: &'static str) -> Self {
        Self {
            max_queued,
            figures: Figures::new(name),
            state: Mutex::new(State {
                waiting: Vec::new(),
                waiting_bytes: 0,
                taken_since: None,
                head,
                // Opening flushes what it reads.
                on_disk: head,
                failure: None,
                closed: false,
                stopped: false,
            }),
            ready: Condvar::new(),
        }
    }

    /// Nothing here panics with the lock held, so a poisoned lock guards a sound state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn figures(&self) -> &Figures {
        &self.figures
    }

    pub(super) fn push(&self, kind: &str, record: &(impl Serialize + ?Sized)) -> Appending {
        match self.try_push(kind, record) {
            Ok(reply) => Appending::queued(reply),
            Err(error) => {
                self.figures.refused(&error, 1);
                Appending::refused(error)
            }
        }
    }

    fn try_push(
        &self,
        kind: &str,
        record: &(impl Serialize + ?Sized),
    ) -> Result<oneshot::Receiver<Result<Receipt, AppendError>>, AppendError> {
        if !is_kind(kind) {
            return Err(AppendError::Unfit("its kind has other characters or is too long"));
        }
        let record =
            serde_json::to_string(record).map_err(|_| AppendError::Unfit("it has no JSON"))?;
        if !record.starts_with('{') {
            return Err(AppendError::Unfit("it is not a JSON object"));
        }
        if record.len() + MAX_KIND_BYTES + ENVELOPE_BYTES > MAX_RECORD_BYTES {
            return Err(AppendError::Unfit("it is too long"));
        }
        let (reply, receiver) = oneshot::channel();
        let waiting = Waiting { kind: kind.into(), record, since: Instant::now(), reply };
        let mut state = self.lock();
        if state.stopped || state.closed {
            return Err(AppendError::Stopped);
        }
        let bytes =
            state.waiting_bytes + waiting.kind.len() + waiting.record.len() + ENVELOPE_BYTES;
        if state.waiting.len() >= self.max_queued || bytes > MAX_QUEUED_BYTES {
            return Err(AppendError::Full);
        }
        state.waiting_bytes = bytes;
        state.waiting.push(waiting);
        let is_first = state.waiting.len() == 1;
        drop(state);
        if is_first {
            self.ready.notify_one();
        }
        Ok(receiver)
    }

    /// Moves all that waits into `batch`, waiting for something: until `patience` is over, when
    /// there is one. `false` when the ledger is closed and nothing is left.
    pub(super) fn take(&self, batch: &mut Vec<Waiting>, patience: Option<Duration>) -> bool {
        let mut state = self.lock();
        let deadline = patience.map(|patience| Instant::now() + patience);
        while state.waiting.is_empty() && !state.closed {
            state = match deadline {
                None => self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return true;
                    }
                    let waited = self.ready.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        std::mem::swap(&mut state.waiting, batch);
        state.waiting_bytes = 0;
        state.taken_since = batch.first().map(|waiting| waiting.since);
        !(batch.is_empty() && state.closed)
    }

    pub(super) fn on_disk(&self) -> Head {
        self.lock().on_disk
    }

    /// Says that everything up to `head` is on the disk.
    pub(super) fn report_on_disk(&self, head: Head) {
        self.lock().on_disk = head;
    }

    /// Says how the last commit went.
    pub(super) fn report(&self, outcome: Result<Head, String>) {
        let mut state = self.lock();
        state.taken_since = None;
        match outcome {
            Ok(head) => (state.head, state.failure) = (head, None),
            Err(failure) => state.failure = Some(failure),
        }
    }

    /// Refuses everything from now on.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let waiting = std::mem::take(&mut state.waiting);
        state.waiting_bytes = 0;
        drop(state);
        for waiting in waiting {
            // Who no longer waits need not be told.
            let _ = waiting.reply.send(Err(AppendError::Stopped));
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_one();
    }

    pub(super) fn status(&self) -> Status {
        let state = self.lock();
        let oldest = state.taken_since.or(state.waiting.first().map(|waiting| waiting.since));
        Status {
            head: state.head,
            queued: state.waiting.len(),
            lag: oldest.map(|since| since.elapsed()).unwrap_or_default(),
            failure: state.failure.clone(),
            stopped: state.stopped,
        }
    }
}

/// Keeps the gauge of the lag current as long as the queue lives: a stalled disk must be seen while it stalls.
pub(super) fn report_lag(queue: &Arc<Queue>) {
    let queue = Arc::downgrade(queue);
    metrics::before_each_render(move || {
        let queue = queue.upgrade()?;
        queue.figures.status(&queue.status());
        Some(())
    });
}
