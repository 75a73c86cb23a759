//! What goes on without being asked: CRLs are renewed before they run out, files are looked at.

use std::{collections::HashMap, sync::Arc, time::Duration};

use countersign_daemon::shutdown::Shutdown;
use tokio::time::{MissedTickBehavior, interval};

use crate::state::Service;

/// How often everything is looked at: one small read and one `stat` an issuer.
const INTERVAL: Duration = Duration::from_secs(1);

/// Renews CRLs until the stop is asked for.
///
/// What fails is tried again at the next look; the log says so when the reason changes. Not even a
/// panic ends it: a service whose CRLs run out one day is worse than one that restarts a loop.
pub(crate) async fn run(service: Arc<Service>, shutdown: Shutdown) {
    while tokio::spawn(renew(Arc::clone(&service), shutdown.clone())).await.is_err() {
        tracing::error!("renewing CRLs panicked; going on");
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn renew(service: Arc<Service>, shutdown: Shutdown) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut logged = HashMap::new();
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            _ = ticks.tick() => {}
        }
        for issuer in service.issuers() {
            let name = issuer.authority.name();
            let fault =
                issuer.refresh_crl(service.now()).await.err().map(|error| error.to_string());
            if let Some(error) = &fault
                && logged.get(name) != Some(error)
            {
                tracing::error!(issuer = name, error, "the CRL was not renewed");
            }
            match fault {
                Some(error) => logged.insert(name.to_owned(), error),
                None => logged.remove(name),
            };
        }
    }
}

/// Reads every OCSP delegate again: after SIGHUP.
pub(crate) fn reload_delegates(service: &Service) {
    for issuer in service.issuers() {
        match issuer.authority.reload_delegate(service.now()) {
            Ok(()) => tracing::info!(issuer = issuer.authority.name(), "OCSP delegate read again"),
            Err(error) => tracing::error!(%error, "the OCSP delegate in use stays"),
        }
    }
}
