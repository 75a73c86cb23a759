//! The thread that puts records onto tiles, beside the one that appends, so that no caller waits for it.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign_ledger::{Identity, Segment, integrate};

/// After a failure, this long passes before it is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// Takes write-ahead files that are written to their end. Dropping it waits until they are on tiles.
#[derive(Debug)]
pub(super) struct Tiler {
    sealed: Option<Sender<Vec<Segment>>>,
    thread: Option<JoinHandle<()>>,
}

impl Tiler {
    pub(super) fn start(folder: &Path, identity: &Identity) -> io::Result<Self> {
        let (sealed, taken) = channel();
        let (folder, identity) = (folder.to_owned(), identity.clone());
        let thread = std::thread::Builder::new()
            .name("audit-tiles".to_owned())
            .spawn(move || run(&folder, &identity, &taken))?;
        Ok(Self { sealed: Some(sealed), thread: Some(thread) })
    }

    /// Puts the records of these files onto tiles, soon.
    pub(super) fn take(&self, sealed: Vec<Segment>) {
        if let (false, Some(sender)) = (sealed.is_empty(), &self.sealed) {
            // A thread that is gone leaves the files for the next start.
            let _ = sender.send(sealed);
        }
    }
}

impl Drop for Tiler {
    fn drop(&mut self) {
        self.sealed = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn run(folder: &Path, identity: &Identity, taken: &Receiver<Vec<Segment>>) {
    let mut waiting: Vec<Segment> = Vec::new();
    loop {
        let next = if waiting.is_empty() {
            taken.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            taken.recv_timeout(RETRY_INTERVAL)
        };
        let is_last = matches!(next, Err(RecvTimeoutError::Disconnected));
        waiting.extend(next.into_iter().flatten());
        waiting.extend(taken.try_iter().flatten());
        if !waiting.is_empty() {
            match integrate(folder, identity, &waiting, None) {
                Ok(()) => waiting.clear(),
                // Nothing is lost: the records stay in the write-ahead files.
                Err(error) => {
                    tracing::error!(%error, "audit records cannot be put onto tiles");
                }
            }
        }
        if is_last {
            return;
        }
    }
}
