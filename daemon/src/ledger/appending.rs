//! What a caller gets for a record: a wait, then a receipt or the reason why there is none.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_ledger::Head;
use tokio::sync::oneshot;

/// Where a record is in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its number, from 0, without a gap.
    pub sequence: u64,
    /// The ledger's head when it was kept, with those that were kept at once with it.
    pub head: Head,
}

/// Why a record is not in the ledger.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Too many records wait for the disk.
    #[error("too many audit records wait for the disk")]
    Full,
    /// The disk refused the record; the next may go through.
    #[error("the audit record cannot be written: {0}")]
    Io(Arc<io::Error>),
    /// The ledger stopped after an error of the disk, or was closed: start the service again.
    #[error("the audit ledger has stopped")]
    Stopped,
    /// The record is not a JSON object, or longer than a record may be, or its kind is not one.
    #[error("not a record for an audit ledger: {0}")]
    Unfit(&'static str),
}

/// The wait for a receipt; the record is queued already.
#[derive(Debug)]
#[must_use = "without waiting, nobody knows whether the record is kept"]
pub struct Appending(State);

#[derive(Debug)]
enum State {
    Refused(AppendError),
    Queued(oneshot::Receiver<Result<Receipt, AppendError>>),
}

impl Appending {
    pub(super) fn refused(error: AppendError) -> Self {
        Self(State::Refused(error))
    }

    pub(super) fn queued(reply: oneshot::Receiver<Result<Receipt, AppendError>>) -> Self {
        Self(State::Queued(reply))
    }

    /// Waits on a thread that may block; panics within an asynchronous task.
    ///
    /// # Errors
    /// As awaiting it.
    pub fn wait(self) -> Result<Receipt, AppendError> {
        match self.0 {
            State::Refused(error) => Err(error),
            State::Queued(reply) => reply.blocking_recv().unwrap_or(Err(AppendError::Stopped)),
        }
    }
}

impl Future for Appending {
    type Output = Result<Receipt, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Refused(error) => Poll::Ready(Err(error.clone())),
            // A writer that is gone has stopped.
            State::Queued(reply) => Pin::new(reply)
                .poll(context)
                .map(|answer| answer.unwrap_or(Err(AppendError::Stopped))),
        }
    }
}
