//! What goes on without being asked: CRLs and OCSP delegates are renewed before they run out, files
//! are looked at.

use std::{collections::HashMap, fmt::Display, sync::Arc, time::Duration};

use countersign_daemon::shutdown::Shutdown;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    admin::client_crls::ClientCrls,
    figures,
    publish::Issuer,
    respond::{DelegateError, refresh_delegate},
    state::Service,
};

/// How often everything is looked at: one small read and one `stat` an issuer.
const INTERVAL: Duration = Duration::from_secs(1);

/// What need not be looked at each time is every so many times: delegates live for hours at least.
const RARELY: u32 = 10;

/// What is maintained.
pub(crate) type Maintained = (Arc<Service>, Option<Arc<ClientCrls>>);

/// Renews CRLs and OCSP delegates until the stop is asked for.
///
/// What fails is tried again at the next look; the log says so when the reason changes. Not even a
/// panic ends it: a service whose CRLs run out one day is worse than one that restarts a loop.
pub(crate) async fn run(maintained: Maintained, shutdown: Shutdown) {
    while tokio::spawn(renew(maintained.clone(), shutdown.clone())).await.is_err() {
        tracing::error!("renewing CRLs panicked; going on");
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn renew((service, client_crls): Maintained, shutdown: Shutdown) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut faults = Faults::default();
    let mut ticked = 0_u32;
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            _ = ticks.tick() => {}
        }
        let is_rare = ticked.is_multiple_of(RARELY);
        ticked = ticked.wrapping_add(1);
        for issuer in &*service.issuers {
            let name = issuer.authority.name();
            let crl = issuer.refresh_crl(service.now()).await;
            faults.note(name, "the CRL was not renewed", crl.err());
            if is_rare || issuer.authority.delegate().is_none() {
                let delegate = renew_delegate(&service, issuer).await;
                faults.note(name, "the OCSP delegate was not renewed", delegate.err());
            }
        }
        if let Some(crls) = &client_crls {
            refresh_client_crls(crls, &service, &mut faults).await;
        }
        if is_rare && let Ok(count) = service.storage.pending_count(service.now()).await {
            figures::pending(count);
        }
    }
}

/// Reads CRLs of administrators again that changed, and says which ran out.
async fn refresh_client_crls(crls: &Arc<ClientCrls>, service: &Service, faults: &mut Faults) {
    for fault in crls.refresh().await {
        tracing::error!(%fault, "a CRL of administrators was not taken; the one before stays");
    }
    let run_out = crls.run_out(service.now());
    faults.note("admin_tls", "a CRL of administrators ran out", run_out);
}

async fn renew_delegate(service: &Service, issuer: &Issuer) -> Result<(), DelegateError> {
    let validity_seconds = service.delegate_validity_seconds;
    refresh_delegate(issuer, &service.storage, validity_seconds, service.now()).await
}

/// What failed at the last look: said once, until the reason changes.
#[derive(Default)]
struct Faults(HashMap<(String, &'static str), String>);

impl Faults {
    fn note(&mut self, issuer: &str, what: &'static str, fault: Option<impl Display>) {
        let key = (issuer.to_owned(), what);
        match fault.map(|fault| fault.to_string()) {
            None => {
                self.0.remove(&key);
            }
            Some(reason) => {
                if self.0.get(&key) != Some(&reason) {
                    tracing::error!(issuer, reason, "{what}");
                }
                self.0.insert(key, reason);
            }
        }
    }
}
