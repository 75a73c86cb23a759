//! The ledger's metrics; handles are made once.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::appending::AppendError;
use super::queue::Status;

/// Handles of one ledger's metrics, labelled with its name.
pub(super) struct Figures {
    records: Counter,
    refused_full: Counter,
    refused_io: Counter,
    refused_stopped: Counter,
    refused_unfit: Counter,
    batch_records: Histogram,
    commit_seconds: Histogram,
    wait_seconds: Histogram,
    queued: Gauge,
    lag_seconds: Gauge,
    ready: Gauge,
    head: Gauge,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

impl Figures {
    pub(super) fn new(ledger: &'static str) -> Self {
        let refused = |reason| counter!("countersign_audit_refused_total", "ledger" => ledger, "reason" => reason);
        Self {
            records: counter!("countersign_audit_records_total", "ledger" => ledger),
            refused_full: refused("full"),
            refused_io: refused("io"),
            refused_stopped: refused("stopped"),
            refused_unfit: refused("unfit"),
            batch_records: histogram!("countersign_audit_batch_records", "ledger" => ledger),
            commit_seconds: histogram!("countersign_audit_commit_seconds", "ledger" => ledger),
            wait_seconds: histogram!("countersign_audit_wait_seconds", "ledger" => ledger),
            queued: gauge!("countersign_audit_queued_records", "ledger" => ledger),
            lag_seconds: gauge!("countersign_audit_lag_seconds", "ledger" => ledger),
            ready: gauge!("countersign_audit_ready", "ledger" => ledger),
            head: gauge!("countersign_audit_head_sequence", "ledger" => ledger),
        }
    }

    /// A batch was kept: how many, how long the commit took, how long its oldest record waited.
    pub(super) fn committed(&self, records: usize, commit: Duration, oldest: Duration) {
        self.records.increment(records as u64);
        self.batch_records.record(count(records));
        self.commit_seconds.record(commit);
        self.wait_seconds.record(oldest);
    }

    pub(super) fn refused(&self, error: &AppendError, records: u64) {
        let counter = match error {
            AppendError::Full => &self.refused_full,
            AppendError::Io(_) => &self.refused_io,
            AppendError::Stopped => &self.refused_stopped,
            AppendError::Unfit(_) => &self.refused_unfit,
        };
        counter.increment(records);
    }

    pub(super) fn status(&self, status: &Status) {
        self.queued.set(count(status.queued));
        self.lag_seconds.set(status.lag.as_secs_f64());
        self.ready.set(if status.ready().is_ok() { 1.0 } else { 0.0 });
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        self.head.set(status.head.sequence as f64);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a histogram takes floats")]
fn count(number: usize) -> f64 {
    number as f64
}
