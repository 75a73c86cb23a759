//! When to stop, and when to read keys and certificates again.
//!
//! SIGTERM and SIGINT ask every listener to drain; how long that may take is the listener's limit.
//! systemd is notified of both.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::systemd;

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
        // Until `on_hangup` listens, SIGHUP must not end the process: keys take their time to open.
        drop(signal(SignalKind::hangup())?);
        let (trigger, shutdown) = Self::manual();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "stopping");
            systemd::stopping();
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

/// Calls `reload` at every SIGHUP until the stop is asked for, on a thread where it may block, and
/// never twice at once: a slow reading of old files must not end after a quick one of new files.
/// Signals that come while it runs are one more call. Must be called within a tokio runtime.
///
/// # Errors
/// The signal handler cannot be installed.
pub fn on_hangup(shutdown: Shutdown, reload: impl Fn() + Send + Sync + 'static) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let reload = Arc::new(reload);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                received = hangup.recv() => {
                    if received.is_none() {
                        return;
                    }
                    tracing::info!(signal = "SIGHUP", "reading keys and certificates again");
                    systemd::reloading();
                    let reload = Arc::clone(&reload);
                    if tokio::task::spawn_blocking(move || reload()).await.is_err() {
                        tracing::error!("reading keys and certificates again panicked");
                    }
                    systemd::reloaded();
                }
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_hangup_during_a_reload_is_another_one_after_it() {
        let (_trigger, shutdown) = Shutdown::manual();
        let (says, told) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        on_hangup(shutdown, move || {
            // Whoever finds the gate taken runs beside another.
            let gate = gate.try_lock();
            says.send(if gate.is_ok() { "begun" } else { "two at once" }).expect("told");
            gate.expect("alone").recv().expect("released");
            says.send("ended").expect("told");
        })
        .expect("installed");
        let next = || told.recv_timeout(Duration::from_secs(8)).expect("in time");
        let hangup = || kill_process(getpid(), Signal::HUP).expect("sent");
        hangup();
        assert_eq!(next(), "begun");
        hangup();
        for _ in 0..2 {
            release.send(()).expect("it waits");
        }
        assert_eq!([next(), next(), next()], ["ended", "begun", "ended"]);
    }

    #[tokio::test]
    async fn a_hangup_before_anything_is_there_to_reload_ends_nothing() {
        let shutdown = Shutdown::on_signals().expect("installed");
        kill_process(getpid(), Signal::HUP).expect("sent");
        assert!(!shutdown.is_requested());
    }

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
