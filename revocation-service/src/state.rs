//! The running service: the wings, wired together.
//!
//! Nothing is decided here. Each part is shared by those that need it.

use std::sync::Arc;

use countersign_core::time::UnixSeconds;
use countersign_daemon::{clock::Clock, ledger::Ledger};

use crate::{
    admin::Administered,
    compromises::Compromises,
    config::Config,
    publish::{Issuer, Issuers, caching::MaxAge},
    register::storage::Storage,
    respond::{Responder, Settings},
};

/// The running service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) responder: Arc<Responder>,
    /// Validity of OCSP delegates that are issued here.
    pub(crate) delegate_validity_seconds: u32,
    /// `max-age` of OCSP answers.
    pub(crate) ocsp_max_age: MaxAge,
    /// `max-age` of CRLs.
    pub(crate) crl_max_age: MaxAge,
}

impl Service {
    /// A service for `issuers`.
    pub(crate) fn new(
        issuers: Vec<Issuer>,
        storage: Arc<Storage>,
        clock: Arc<dyn Clock>,
        config: &Config,
    ) -> Self {
        let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        let issuers = Arc::new(Issuers::new(issuers));
        let settings = Settings {
            ocsp_max_in_flight: count(config.ocsp_max_in_flight),
            never_issued: config.never_issued,
            ocsp_validity_seconds: config.ocsp_validity_seconds,
            ocsp_max_certificates: count(config.ocsp_max_certificates),
            ocsp_max_age_seconds: config.ocsp_max_age_seconds,
        };
        let shared = (Arc::clone(&issuers), Arc::clone(&storage), Arc::clone(&clock));
        Self {
            responder: Arc::new(Responder::new(shared.0, shared.1, shared.2, settings)),
            issuers,
            storage,
            clock,
            delegate_validity_seconds: config.ocsp_delegate_validity_seconds,
            ocsp_max_age: MaxAge::new(config.ocsp_max_age_seconds),
            crl_max_age: MaxAge::new(config.crl_max_age_seconds),
        }
    }

    /// What administration works on.
    pub(crate) fn administered(&self) -> Administered {
        Administered {
            issuers: Arc::clone(&self.issuers),
            storage: Arc::clone(&self.storage),
            clock: Arc::clone(&self.clock),
            responder: Arc::clone(&self.responder),
        }
    }

    /// What follows compromises that nobody ordered.
    pub(crate) fn compromises(&self, ledger: Option<Ledger>) -> Compromises {
        let shared = (Arc::clone(&self.issuers), Arc::clone(&self.storage));
        Compromises::new(shared, Arc::clone(&self.clock), ledger)
    }

    /// The time, whole seconds.
    pub(crate) fn now(&self) -> UnixSeconds {
        self.clock.unix_now()
    }
}
