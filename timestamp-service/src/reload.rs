//! What SIGHUP changes: the configuration's keys and policies, and the TLS certificate.
//!
//! All of it is read and checked before any of it is used, and requests under way end with what
//! they began with. Everything else in the configuration needs a restart, and the log says so.

use std::sync::Arc;

use countersign_daemon::tls::Tls;

use crate::config::Config;
use crate::keys::Keys;
use crate::metrics::Reload;
use crate::state::State;

/// What is needed to read everything again.
pub(crate) struct Reloading {
    started_with: Config,
    state: Arc<State>,
    tls: Option<Tls>,
}

impl Reloading {
    pub(crate) fn new(started_with: Config, state: Arc<State>, tls: Option<Tls>) -> Self {
        Self { started_with, state, tls }
    }

    /// Reads configuration and files again; what cannot be used changes nothing.
    pub(crate) fn reload(&self) {
        let outcome = match self.started_with.load_again() {
            Ok(config) => self.reload_keys(&config),
            Err(error) => {
                tracing::error!(%error, "the configuration cannot be used; keys and policies stay as they were");
                Reload::Refused
            }
        };
        self.state.figures.reloaded(outcome);
        if let Some(Err(error)) = self.tls.as_ref().map(Tls::reload) {
            tracing::error!(%error, "the TLS certificate stays as it was");
        }
    }

    fn reload_keys(&self, config: &Config) -> Reload {
        let fixed = self.started_with.fixed_keys_that_differ(config);
        if !fixed.is_empty() {
            let keys = fixed.join(", ");
            tracing::warn!(keys, "changed in the configuration, and in force after a restart");
        }
        match Keys::open(config, self.state.now()) {
            Ok(keys) => {
                self.state.replace_keys(keys);
                Reload::Loaded
            }
            Err(error) => {
                tracing::error!(%error, "signing keys and policies stay as they were");
                Reload::Refused
            }
        }
    }
}
