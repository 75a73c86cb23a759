//! When to stop, and when to read keys and certificates again.
//!
//! SIGTERM and SIGINT ask every listener to drain; how long that may take is the listener's limit.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells its holders when the service is to stop; clones tell the same.
#[derive(Debug, Clone)]
pub struct Shutdown {
    requested: watch::Receiver<bool>,
}

/// Asks for the stop that a [`Shutdown`] tells of. Dropping it asks too, so that a service cannot
/// outlive what controls it.
#[derive(Debug)]
pub struct Trigger {
    requested: watch::Sender<bool>,
}

impl Trigger {
    /// Asks every holder of the [`Shutdown`] to stop.
    pub fn request(&self) {
        self.requested.send_replace(true);
    }
}

impl Shutdown {
    /// A stop that the returned [`Trigger`] asks for; for tests, and for programs that hold several services.
    pub fn manual() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (Trigger { requested: sender }, Self { requested: receiver })
    }

    /// A stop that SIGTERM or SIGINT asks for. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The signal handlers cannot be installed.
    pub fn on_signals() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (trigger, shutdown) = Self::manual();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "stopping");
            trigger.request();
        });
        Ok(shutdown)
    }

    /// Whether the stop has been asked for.
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow() || self.requested.has_changed().is_err()
    }

    /// Waits until the stop is asked for.
    pub async fn requested(&self) {
        // An error means that the trigger is gone, which asks for the stop as well.
        let _ = self.requested.clone().wait_for(|requested| *requested).await;
    }
}

/// Calls `reload` at every SIGHUP until the stop is asked for. Must be called within a tokio runtime.
///
/// # Errors
/// The signal handler cannot be installed.
pub fn on_hangup(shutdown: Shutdown, mut reload: impl FnMut() + Send + 'static) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                received = hangup.recv() => {
                    if received.is_none() {
                        return;
                    }
                    tracing::info!(signal = "SIGHUP", "reading keys and certificates again");
                    reload();
                }
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_and_a_dropped_trigger_both_stop() {
        let (trigger, shutdown) = Shutdown::manual();
        assert!(!shutdown.is_requested());
        trigger.request();
        shutdown.requested().await;
        assert!(shutdown.is_requested());

        let (trigger, shutdown) = Shutdown::manual();
        drop(trigger);
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }
}
