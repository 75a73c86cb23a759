//! What administrators may do, each by their roles: register, revoke, approve, look up, take copies.
//!
//! Every request takes the `Actor` that TLS made known, and is answered with JSON or a problem.
//! Nothing is acknowledged before it is on disk, in the database and in the audit ledger.

mod answer;
mod audit;
mod backup;
mod certificates;
mod crl;
mod denials;
mod idempotency;
mod import;
mod openssl_index;
mod paging;
mod proposals;
mod releases;
mod revocations;
pub(crate) mod roles;
mod routes;
mod shown;
mod stream;
mod target;

use std::{path::PathBuf, sync::Arc};

use countersign_daemon::ledger::Ledger;

use self::denials::Denials;
pub(crate) use self::denials::Which;
pub use self::{
    roles::{Needs, Role},
    routes::{ROUTES, Route},
};
pub(crate) use crate::actor::Actor;
use crate::{
    client_crls::ClientCrls,
    config::{AdministratorConfig, CompromiseScope, Config},
    state::Service,
};

/// The administration of a running service.
#[derive(Debug)]
pub(crate) struct Administration {
    service: Arc<Service>,
    administrators: Vec<AdministratorConfig>,
    client_crls: Option<Arc<ClientCrls>>,
    denials: Denials,
    ledger: Option<Ledger>,
    pending_expiry_seconds: i64,
    compromise_scope: CompromiseScope,
    backup_folder: Option<PathBuf>,
}

impl Administration {
    pub(crate) fn new(
        service: Arc<Service>,
        client_crls: Option<Arc<ClientCrls>>,
        ledger: Option<Ledger>,
        config: &Config,
    ) -> Self {
        Self {
            service,
            administrators: config.administrator.clone(),
            client_crls,
            denials: Denials::default(),
            ledger,
            pending_expiry_seconds: i64::from(config.pending_expiry_seconds),
            compromise_scope: config.compromise_scope,
            backup_folder: config.backup_folder.clone(),
        }
    }
}

pub(crate) use self::routes::{filter, path_class, reception};
