//! What administrators may do, each by their roles: register, revoke, approve, look up, take copies.
//!
//! Every request takes the `Actor` that TLS made known, and is answered with JSON or a problem.
//! Nothing is acknowledged before it is on disk, in the database and in the audit ledger. What is
//! about people and permission is `countersign_daemon::admin`'s: names and roles, denials, proposals,
//! idempotency keys, the record. Here is what each order does.

mod backup;
mod certificates;
pub(crate) mod client_crls;
mod compromise;
mod config;
mod crl;
mod encoded;
mod import;
mod import_batch;
mod lockout;
mod openssl_index;
mod proposals;
mod proposer;
mod revocations;
mod routes;
mod shown;
mod stream;
mod target;

use std::{path::PathBuf, sync::Arc};

use countersign_core::time::UnixSeconds;
pub(crate) use countersign_daemon::admin::Which;
use countersign_daemon::{
    admin::{self, Record},
    clock::Clock,
    ledger::Ledger,
};

use self::client_crls::ClientCrls;
pub(crate) use self::routes::{filter, path_class, reception};
pub use self::{
    config::{AdminTls, AdministratorConfig, CompromiseScope, Role},
    import_batch::{ImportBatch, ImportTaken},
    routes::{Order, ROUTES},
};
use crate::{
    compromises::Compromises, publish::Issuers, register::storage::Storage, releases::Releases,
    respond::Responder,
};

/// An administrator.
pub(crate) type Actor = admin::Actor<Role>;

/// What an endpoint requires of its caller.
pub type Needs = admin::Needs<Role>;

/// What is administered.
#[derive(Clone, Debug)]
pub(crate) struct Administered {
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) responder: Arc<Responder>,
}

/// The part of the configuration that orders need.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) administrators: Vec<AdministratorConfig>,
    pub(crate) pending_expiry_seconds: i64,
    pub(crate) compromise_scope: CompromiseScope,
    pub(crate) backup_folder: Option<PathBuf>,
}

/// The administration of a running service.
#[derive(Debug)]
pub(crate) struct Administration {
    issuers: Arc<Issuers>,
    storage: Arc<Storage>,
    clock: Arc<dyn Clock>,
    responder: Arc<Responder>,
    releases: Releases,
    client_crls: Option<Arc<ClientCrls>>,
    compromises: Arc<Compromises>,
    record: Record,
    settings: Settings,
}

impl Administration {
    pub(crate) fn new(
        of: Administered,
        client_crls: Option<Arc<ClientCrls>>,
        compromises: Arc<Compromises>,
        ledger: Option<Ledger>,
        settings: Settings,
    ) -> Self {
        let Administered { issuers, storage, clock, responder } = of;
        Self {
            releases: Releases::new(Arc::clone(&issuers), Arc::clone(&storage)),
            issuers,
            storage,
            clock,
            responder,
            client_crls,
            compromises,
            record: Record::new(ledger),
            settings,
        }
    }

    /// Puts on record what was denied since and is summed up, where its minute is over.
    pub(crate) async fn sum_up_denials(&self, which: Which) {
        self.record.sum_up_denials(which, self.now()).await;
    }

    fn now(&self) -> UnixSeconds {
        self.clock.unix_now()
    }
}
