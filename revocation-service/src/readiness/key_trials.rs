//! Trying the keys, for `/readyz`: each issuer's and each OCSP delegate's signs something that nobody
//! reads. A key in a token may be gone while nothing else is wrong.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_signing::key;
use tokio::sync::Mutex;

use crate::publish::Issuers;

/// How long the outcome of a trial counts while all is well: anyone may ask `/readyz`, and must not
/// make the issuers' keys sign as often as they ask.
const WHEN_WELL: Duration = Duration::from_secs(30);

/// The same once a key failed, here or at its work: what is back is to be noticed soon.
const WHEN_FAILING: Duration = Duration::from_secs(2);

/// The last trial of all keys.
#[derive(Debug, Default)]
pub(crate) struct KeyTrials(Mutex<Option<Trial>>);

#[derive(Debug)]
struct Trial {
    at: Instant,
    outcome: Result<(), String>,
}

impl KeyTrials {
    /// Whether every key signs; which one does not.
    pub(crate) async fn outcome(&self, issuers: &Arc<Issuers>) -> Result<(), String> {
        let mut last = self.0.lock().await;
        if let Some(trial) = &*last {
            let is_well = trial.outcome.is_ok() && !is_any_failing(issuers);
            if trial.at.elapsed() < (if is_well { WHEN_WELL } else { WHEN_FAILING }) {
                return trial.outcome.clone();
            }
        }
        let issuers = Arc::clone(issuers);
        let tried = tokio::task::spawn_blocking(move || try_all(&issuers));
        let faults = tried.await.unwrap_or_else(|_| vec![Fault::default()]);
        let said: Vec<_> = faults.iter().map(|fault| fault.said.as_str()).collect();
        let outcome = if said.is_empty() { Ok(()) } else { Err(said.join("; ")) };
        if last.as_ref().map_or(outcome.is_err(), |last| last.outcome != outcome) {
            for Fault { said, reason } in &faults {
                tracing::error!(reason, "{said}");
            }
        }
        *last = Some(Trial { at: Instant::now(), outcome: outcome.clone() });
        outcome
    }
}

/// A key that does not sign: what everybody may hear of it, and what is for the log.
#[derive(Debug)]
struct Fault {
    said: String,
    reason: String,
}

impl Default for Fault {
    fn default() -> Self {
        Self { said: "the keys could not be tried".to_owned(), reason: "a panic".to_owned() }
    }
}

/// Whether a key failed at its work.
fn is_any_failing(issuers: &Issuers) -> bool {
    issuers.iter().any(|issuer| {
        issuer.is_failing()
            || issuer.authority.delegate().is_some_and(|delegate| delegate.is_failing())
    })
}

fn try_all(issuers: &Issuers) -> Vec<Fault> {
    let mut faults = Vec::new();
    for issuer in issuers {
        let name = issuer.authority.name();
        if let Some(Err(error)) = issuer.authority.key().map(|key| key::try_out(key.as_ref())) {
            let said = format!("the key of {name} does not sign");
            faults.push(Fault { said, reason: error.to_string() });
        }
        if let Some(Err(error)) = issuer.authority.delegate().map(|delegate| delegate.try_key()) {
            let said = format!("the key of {name}'s OCSP delegate does not sign");
            faults.push(Fault { said, reason: error.to_string() });
        }
    }
    faults
}
