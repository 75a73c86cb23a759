//! What `/readyz` looks at: the database, the clock, every CRL, every OCSP delegate, every key; and
//! what it shows besides.

mod key_trials;

use std::sync::Arc;

use countersign_core::time::{EARLIEST_SANE_NOW, UnixSeconds};
use countersign_daemon::{health::Readiness, ledger::Ledger};

use self::key_trials::KeyTrials;
use crate::{
    admin::client_crls::ClientCrls,
    publish::{CrlSource, Issuer, Publication},
    register::CrlForm,
    state::Service,
};

/// The checks of this service.
pub(crate) fn checks(
    service: &Arc<Service>,
    publication: &Publication,
    (ledger, client_crls): (Option<&Ledger>, Option<&Arc<ClientCrls>>),
) -> Readiness {
    let database = Arc::clone(service);
    let clock = Arc::clone(service);
    let crls = Arc::clone(service);
    let sources = Arc::clone(service);
    let client_crls = client_crls.cloned();
    let delegates = Arc::clone(service);
    let keys = Arc::clone(service);
    let publication = publication.clone();
    let ledger = ledger.cloned();
    let trials = Arc::new(KeyTrials::default());
    Readiness::builder()
        .check("database", move || {
            let service = Arc::clone(&database);
            async move { service.storage.ping().await.map_err(|error| error.to_string()) }
        })
        .check("clock", move || {
            let now = clock.now();
            async move {
                if now < EARLIEST_SANE_NOW { Err(format!("the clock shows {now}")) } else { Ok(()) }
            }
        })
        .check("crl", move || {
            let outcome = every_crl(&crls);
            async move { outcome }
        })
        .check("ocsp", move || {
            let outcome = every_delegate(&delegates);
            async move { outcome }
        })
        .check("keys", move || {
            let (service, trials) = (Arc::clone(&keys), Arc::clone(&trials));
            async move { trials.outcome(&service.issuers).await }
        })
        // Shown only: the list before is served, and whoever makes the next one must mend it.
        .notice("crl_elsewhere", move || {
            let outcome = every_source(&sources);
            async move { outcome }
        })
        .notice("admin_client_crl", move || {
            let fault = client_crls.as_ref().and_then(|crls| crls.fault());
            async move { fault.map_or(Ok(()), Err) }
        })
        // Shown only: this service answers as well as any other while a CDN's origin is gone.
        .notice("crl_publication", move || {
            let outcome = publication.ready();
            async move { outcome }
        })
        // Administration stops without its record; answers do not.
        .notice("audit", move || {
            let outcome = ledger.as_ref().map_or(Ok(()), Ledger::ready);
            async move { outcome }
        })
        .build()
}

/// Every issuer that has none that may be served, or lacks a newer one that is due.
fn every_crl(service: &Service) -> Result<(), String> {
    all_of(service.issuers.iter().filter_map(|issuer| crl_fault(issuer, service.now())))
}

fn crl_fault(issuer: &Issuer, now: UnixSeconds) -> Option<String> {
    let name = issuer.authority.name();
    let reason = match &issuer.crls {
        CrlSource::Elsewhere(crls) => crls.fault(),
        CrlSource::Publisher(_) => None,
    };
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let of_list = issuer.crl_lists().into_iter().find_map(|(list, crl)| match crl {
        // A first delta follows the first complete list.
        None if list.form == CrlForm::Delta => None,
        None => Some(format!("{name} has no CRL yet{reason}")),
        Some(crl) if crl.is_overdue(now) => {
            let next_update = crl.validity.next_update;
            Some(format!("the CRL of {name} ({list}) ran out at {next_update}{reason}"))
        }
        Some(_) => None,
    });
    let failing = || format!("no new CRL of {name} can be made; the log has the reason");
    of_list.or_else(|| issuer.is_failing().then(failing))
}

/// Every list made elsewhere that was not taken.
fn every_source(service: &Service) -> Result<(), String> {
    all_of(service.issuers.iter().filter_map(|issuer| match &issuer.crls {
        CrlSource::Elsewhere(crls) => {
            crls.fault().map(|fault| format!("{}: {fault}", issuer.authority.name()))
        }
        CrlSource::Publisher(_) => None,
    }))
}

fn all_of(faults: impl Iterator<Item = String>) -> Result<(), String> {
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

fn every_delegate(service: &Service) -> Result<(), String> {
    let now = service.now();
    all_of(service.issuers.iter().filter_map(|issuer| {
        let name = issuer.authority.name();
        let Some(delegate) = issuer.authority.delegate() else {
            let missing = issuer.authority.issues_delegates();
            return missing.then(|| format!("no OCSP delegate of {name} could be issued"));
        };
        let (from, until) = (delegate.not_before, delegate.not_after);
        (!delegate.is_valid_at(now))
            .then(|| format!("the OCSP delegate of {name} is valid from {from} to {until}"))
    }))
}
