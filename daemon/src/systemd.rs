//! What systemd hears of a service of `Type=notify-reload`: ready, reloading, stopping, alive.
//!
//! Without systemd (no `NOTIFY_SOCKET`) nothing here does anything. [`ready`] is the service's to
//! call, once everything listens; [`crate::shutdown`] reports the rest.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

/// Says that the service answers now, and from now on that it is alive, when systemd wants to know
/// (`WatchdogSec=`): a runtime that hangs is restarted. Must be called within a tokio runtime.
pub fn ready() {
    tell(&[NotifyState::Ready]);
    // Half the time: one late sign of life does no harm.
    let period = sd_notify::watchdog_enabled().map(|period| period / 2);
    if let Some(period) = period.filter(|period| *period > Duration::ZERO) {
        tokio::spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        });
    }
}

/// Keys and certificates are being read again.
pub(crate) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// They have been read.
pub(crate) fn reloaded() {
    tell(&[NotifyState::Ready]);
}

/// The service drains.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}
