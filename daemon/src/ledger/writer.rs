//! The one thread that writes: takes what waits, commits it, answers.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::oneshot;

use super::appending::{AppendError, Receipt};
use super::queue::{Queue, Waiting};
use super::store::Store;

/// Relaxed records are flushed this often.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// The log tells of failing commits at most this often: a full disk must not fill it as well.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// While commits fail, this often one is tried without anybody asking: a service that is not ready
/// is asked nothing, and must become ready again all the same.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Serves `queue` until it is closed and empty, or the store stops.
pub(super) fn run(store: Store, queue: &Queue) {
    // However the thread ends, callers are told.
    let _stopping = StopAtEnd(queue);
    Writer { store, queue, failing: None, flushed: Instant::now() }.run();
}

struct Writer<'a> {
    store: Store,
    queue: &'a Queue,
    failing: Option<Failing>,
    flushed: Instant,
}

/// Commits that fail.
#[derive(Debug)]
struct Failing {
    refused_records: u64,
    told: Instant,
}

/// The record of a time in which records were refused.
#[derive(Serialize)]
struct Resumed {
    refused_records: u64,
}

impl Writer<'_> {
    fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            let goes_on = self.queue.take(&mut batch, self.patience());
            if !batch.is_empty() || self.failing.is_some() {
                self.commit(&mut batch);
            }
            if self.store.is_stopped() {
                return;
            }
            if !goes_on || self.flushed.elapsed() >= FLUSH_INTERVAL {
                self.flushed = Instant::now();
                let is_behind = self.store.has_unflushed();
                match self.store.flush() {
                    Ok(()) if is_behind => self.queue.report_on_disk(self.store.head()),
                    Ok(()) => {}
                    Err(error) => {
                        tracing::error!(%error, "audit records may be lost in a power failure");
                    }
                }
            }
            if !goes_on {
                return;
            }
        }
    }

    fn patience(&self) -> Option<Duration> {
        if self.failing.is_some() {
            return Some(RETRY_INTERVAL);
        }
        self.store.has_unflushed().then(|| FLUSH_INTERVAL.saturating_sub(self.flushed.elapsed()))
    }

    fn commit(&mut self, batch: &mut Vec<Waiting>) {
        let started = Instant::now();
        let callers = batch.len() as u64;
        if let Some(failing) = &self.failing {
            batch.insert(0, resumed(failing.refused_records));
        }
        let figures = self.queue.figures();
        match self.store.commit(batch) {
            Ok(receipts) => {
                let oldest = batch.iter().map(|waiting| waiting.since).min().unwrap_or(started);
                figures.committed(batch.len(), started.elapsed(), oldest.elapsed());
                self.queue.report(Ok(self.store.head()));
                if !self.store.has_unflushed() {
                    // Before the receipts: who has one may count on it.
                    self.queue.report_on_disk(self.store.head());
                }
                if self.failing.take().is_some() {
                    tracing::info!("the audit ledger can be written again");
                }
                answer(batch, receipts.into_iter().map(Ok));
            }
            Err(error) => {
                self.complain(&error, callers);
                figures.refused(&error, callers);
                self.queue.report(Err(error.to_string()));
                if self.store.is_stopped() {
                    self.queue.stop();
                }
                answer(batch, std::iter::repeat_with(|| Err(error.clone())));
            }
        }
    }

    fn complain(&mut self, error: &AppendError, refused_records: u64) {
        let now = Instant::now();
        let is_news = self.failing.is_none();
        let failing = self.failing.get_or_insert(Failing { refused_records: 0, told: now });
        failing.refused_records += refused_records;
        if is_news || failing.told.elapsed() >= COMPLAINT_INTERVAL {
            failing.told = now;
            let refused_records = failing.refused_records;
            tracing::error!(%error, refused_records, "the audit ledger cannot be written");
        }
    }
}

/// A record of the ledger's own; nobody waits for it.
fn resumed(refused_records: u64) -> Waiting {
    let record = serde_json::to_string(&Resumed { refused_records }).unwrap_or_default();
    let (reply, _) = oneshot::channel();
    Waiting { kind: "ledger.resumed".into(), record, since: Instant::now(), reply }
}

fn answer(batch: &mut Vec<Waiting>, answers: impl Iterator<Item = Result<Receipt, AppendError>>) {
    for (waiting, answer) in batch.drain(..).zip(answers) {
        // Who no longer waits need not be told.
        let _ = waiting.reply.send(answer);
    }
}

/// Stops the queue when dropped.
struct StopAtEnd<'a>(&'a Queue);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
