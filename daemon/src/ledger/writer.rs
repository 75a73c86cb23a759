//! The one thread that writes: takes what waits, commits it, answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_ledger::{Appender, NewRecord, WriteError};
use serde::Serialize;
use tokio::sync::oneshot;

use super::appending::{AppendError, Receipt};
use super::queue::{Queue, Waiting};
use super::tiler::Tiler;
use crate::clock::Clock;

/// Relaxed records are flushed this often.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// The log tells of failing commits at most this often: a full disk must not fill it as well.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// While commits fail, this often one is tried without anybody asking: a service that is not ready
/// is asked nothing, and must become ready again all the same.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Records go onto tiles this long after the first of them was kept, or earlier.
const SEAL_INTERVAL: Duration = Duration::from_mins(1);

/// Serves `queue` until it is closed and empty, or the ledger stops.
pub(super) fn run(appender: Appender, tiler: Tiler, clock: Arc<dyn Clock>, queue: &Queue) {
    // However the thread ends, callers are told.
    let _stopping = StopAtEnd(queue);
    let (flushed, sealed) = (Instant::now(), Instant::now());
    let mut writer =
        Writer { appender, tiler, clock, queue, failing: None, flushed, unsealed: Some(sealed) };
    writer.run();
}

struct Writer<'a> {
    /// Before the appender, which holds the lock: fields are dropped in this order.
    tiler: Tiler,
    appender: Appender,
    clock: Arc<dyn Clock>,
    queue: &'a Queue,
    failing: Option<Failing>,
    flushed: Instant,
    /// Since when there are records that were not given to the tiler.
    unsealed: Option<Instant>,
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
    fn run(&mut self) {
        let mut batch = Vec::new();
        loop {
            let goes_on = self.queue.take(&mut batch, self.patience());
            if !batch.is_empty() || self.failing.is_some() {
                self.commit(&mut batch);
            }
            if self.appender.is_stopped() {
                return;
            }
            if !goes_on || self.flushed.elapsed() >= FLUSH_INTERVAL {
                self.flush();
            }
            if !goes_on || self.unsealed.is_some_and(|since| since.elapsed() >= SEAL_INTERVAL) {
                self.seal();
            }
            self.tiler.take(self.appender.take_sealed());
            if !goes_on {
                return;
            }
        }
    }

    /// How long to wait for records: until something else is to be done.
    fn patience(&self) -> Option<Duration> {
        let left = |since: &Instant, interval: Duration| interval.saturating_sub(since.elapsed());
        let retry = self.failing.is_some().then_some(RETRY_INTERVAL);
        let flush = self.appender.has_unflushed().then(|| left(&self.flushed, FLUSH_INTERVAL));
        let seal = self.unsealed.as_ref().map(|since| left(since, SEAL_INTERVAL));
        [retry, flush, seal].into_iter().flatten().min()
    }

    fn flush(&mut self) {
        self.flushed = Instant::now();
        let is_behind = self.appender.has_unflushed();
        match self.appender.flush() {
            Ok(()) if is_behind => self.queue.report_on_disk(self.appender.head()),
            Ok(()) => {}
            Err(error) => tracing::error!(%error, "audit records may be lost in a power failure"),
        }
    }

    /// Ends the write-ahead file, so that its records go onto tiles.
    fn seal(&mut self) {
        match self.appender.seal() {
            Ok(()) => self.unsealed = None,
            Err(error) => {
                // Tried again after as long; the records are kept all the same.
                self.unsealed = Some(Instant::now());
                tracing::error!(%error, "the audit ledger's write-ahead file cannot be ended");
            }
        }
    }

    fn commit(&mut self, batch: &mut Vec<Waiting>) {
        let started = Instant::now();
        let callers = batch.len() as u64;
        if let Some(failing) = &self.failing {
            batch.insert(0, resumed(failing.refused_records));
        }
        let figures = self.queue.figures();
        let records =
            batch.iter().map(|waiting| NewRecord { kind: &waiting.kind, record: &waiting.record });
        let first = self.appender.head().sequence + 1;
        match self.appender.append(records, self.clock.now()) {
            Ok(head) => {
                self.unsealed.get_or_insert_with(Instant::now);
                let oldest = batch.iter().map(|waiting| waiting.since).min().unwrap_or(started);
                figures.committed(batch.len(), started.elapsed(), oldest.elapsed());
                self.queue.report(Ok(head));
                if !self.appender.has_unflushed() {
                    // Before the receipts: who has one may count on it.
                    self.queue.report_on_disk(head);
                }
                if self.failing.take().is_some() {
                    tracing::info!("the audit ledger can be written again");
                }
                answer(batch, (first..).map(|sequence| Ok(Receipt { sequence, head })));
            }
            Err(error) => {
                let error = match error {
                    WriteError::Io(error) => AppendError::Io(Arc::new(error)),
                    WriteError::Stopped(error) => {
                        tracing::error!(%error, "the audit ledger stops");
                        AppendError::Stopped
                    }
                };
                self.complain(&error, callers);
                figures.refused(&error, callers);
                self.queue.report(Err(error.to_string()));
                if self.appender.is_stopped() {
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
