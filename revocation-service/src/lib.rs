//! The revocation service: an OCSP responder, a publisher of CRLs, and the administration of both.
//!
//! [`run`] is the whole service on listeners and a clock that the caller gives, so that tests run it
//! in process. There are four wings, and each uses only those before it: the [`register`] of what was
//! issued and revoked, [`publish`] with the issuers and their CRLs, `respond` with OCSP, and [`admin`],
//! where people change the register; between the last two lie the [`releases`], which are looked up in a
//! compromise, and `compromises`, which follows those that nobody ordered. Keys are used through `countersign_signing`; sockets are `countersign_daemon`'s.
//! Whether a signature is to be believed is not decided here: that is `countersign_core::verify`, on
//! the evidence this service hands out.

pub mod admin;
mod compromises;
pub mod config;
mod figures;
mod ledger;
mod maintenance;
mod public;
pub mod publish;
mod readiness;
pub mod register;
pub mod releases;
mod reply;
mod respond;
mod routes;
mod state;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use countersign_core::x509::Certificate;
use countersign_daemon::{
    clock::Clock,
    config::ConfigError,
    ledger::{Ledger, OpenError},
    limits::{LimitSettings, Limits},
    metrics::{Exporter, InstallError, before_each_render},
    server::Server,
    sha256::sha256,
    shutdown::{Shutdown, on_hangup},
    systemd,
    tls::{Tls, TlsError},
};
use countersign_signing::pem;
use tokio::net::TcpListener;

use crate::{
    admin::{
        Administration,
        client_crls::{ClientCrlError, ClientCrls, KnownIssuer},
    },
    config::{CompromiseScope, Config},
    publish::{
        CrlError, CrlSource, CrlTimes, CrlsElsewhere, Issuer, Publication, PublicationError,
        authority::{Authority, AuthorityError},
        refuse_loss,
    },
    register::storage::{CompromiseReach, DatabaseLocation, Storage, StorageError, look, sqlite},
    respond::{refresh_delegate, reload_delegates},
    state::Service,
};

pub use self::ledger::{LedgerError, replace_ledger};

/// The program's name, as it announces itself.
pub const PROGRAM: &str = "countersign-revocation";

/// How often denials are looked through whose minute is over, and the database is given the head of
/// a ledger that grew by what changes nothing: so much of it could be cut off unnoticed.
const RECORD_INTERVAL: Duration = Duration::from_secs(5);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An issuer's files are wrong.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// An issuer's CRL file is wrong, or its row in the database.
    #[error("issuer {issuer:?}: {fault}")]
    Issuer {
        /// The issuer's name.
        issuer: String,
        /// What is wrong.
        #[source]
        fault: Box<CrlError>,
    },
    /// The database cannot be used.
    #[error("{location}: {source}")]
    Storage {
        /// The database.
        location: DatabaseLocation,
        /// What is wrong.
        source: StorageError,
    },
    /// The audit ledger cannot be written, or is damaged.
    #[error("audit: {0}")]
    Audit(#[from] OpenError),
    /// The audit ledger is not what the database knows of it.
    #[error("audit: {0}")]
    Ledger(#[from] LedgerError),
    /// CRLs cannot be written to where the configuration says.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// A CRL for the admin listener's clients is wrong.
    #[error("admin_tls: {0}")]
    ClientCrl(#[from] ClientCrlError),
    /// The admin listener's TLS files are wrong.
    #[error("admin_tls: {0}")]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The figures.
    #[error(transparent)]
    Figures(#[from] InstallError),
    /// The system refused something else.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl StartError {
    /// Whether a setting or a file that it names must be changed; else the system refused or a token
    /// is away, and the same configuration may do another time.
    pub fn is_of_the_configuration(&self) -> bool {
        match self {
            Self::Authority(error) => !error.is_transient(),
            Self::Storage { .. }
            | Self::ClientCrl(ClientCrlError::Storage(_))
            | Self::Audit(_)
            | Self::Listen { .. }
            | Self::System(_) => false,
            _ => true,
        }
    }
}

/// The sockets of the service.
#[derive(Debug)]
pub struct Listeners {
    /// For the world: plain HTTP.
    pub public: TcpListener,
    /// For administrators: mutual TLS.
    pub admin: Option<TcpListener>,
    /// Where the figures are.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Listens on the configured addresses.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let bind = |address| async move {
            TcpListener::bind(address)
                .await
                .map_err(|source| StartError::Listen { address, source })
        };
        let perhaps = |address: Option<SocketAddr>| async move {
            match address {
                Some(address) => bind(address).await.map(Some),
                None => Ok(None),
            }
        };
        Ok(Self {
            public: bind(config.listen).await?,
            admin: perhaps(config.admin_listen).await?,
            metrics: perhaps(config.metrics_listen).await?,
        })
    }
}

/// Checks everything that can be checked without the database: ranges, keys, certificates, CRL
/// files, TLS files.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(config: &Config, clock: &dyn Clock) -> Result<(), StartError> {
    config.validate()?;
    let authorities = load_authorities(config)?;
    for authority in &authorities {
        if let Some(path) = authority.crl_file() {
            CrlsElsewhere::check(path, authority, clock.unix_now())
                .map_err(|fault| of_issuer(authority.name(), fault))?;
        }
    }
    open_publication(config)?;
    open_tls(config)?;
    if let Some(tls) = &config.admin_tls {
        let issuers = authorities.iter().map(|authority| KnownIssuer::of(authority, None));
        ClientCrls::check(&tls.client_ca, &tls.client_crl, issuers.collect())?;
    }
    if let Some(settings) = ledger::settings(config) {
        settings.check()?;
    }
    Ok(())
}

/// Checks what takes the database, reading alone, beside a service that may be using it: that it has what each
/// issuer whose key is here revoked while its key was elsewhere. A database that is not there yet lacks nothing.
///
/// # Errors
/// [`StartError::Issuer`]; [`StartError::Storage`]: the database cannot be read.
pub async fn check_database(config: &Config) -> Result<(), StartError> {
    let of_storage = |source| StartError::Storage { location: config.database.clone(), source };
    for authority in load_authorities(config)? {
        if authority.key().is_none() {
            continue;
        }
        let known = look(&config.database, authority.spki_sha256()).await.map_err(of_storage)?;
        if let Some((stored, recorded)) = known {
            refuse_loss(&stored, &recorded).map_err(|fault| of_issuer(authority.name(), fault))?;
        }
    }
    Ok(())
}

/// Forgets the CRLs of administrators that were taken, so that the next start takes them as they are: for an
/// authority that leaves out entries of expired certificates, or whose list has another address now. Gives how many there were.
///
/// # Errors
/// [`StartError::Storage`]; a `SQLite` database that a service is using, too.
pub async fn forget_client_crls(config: &Config) -> Result<u64, StartError> {
    let of_storage = |source| StartError::Storage { location: config.database.clone(), source };
    let storage = Storage::open(&config.database).await.map_err(of_storage)?;
    let forgotten = storage.forget_client_crls().await.map_err(of_storage)?;
    storage.close().await;
    Ok(forgotten)
}

/// Copies the database at `location` into the new file `copy`; a service may be using it.
///
/// # Errors
/// [`StartError::Storage`]: it is not there, is PostgreSQL (which has `pg_dump`), or `copy` exists or
/// cannot be written.
pub async fn back_up(
    location: &DatabaseLocation,
    copy: &std::path::Path,
) -> Result<(), StartError> {
    let copied = match location {
        DatabaseLocation::File(path) => sqlite::back_up(path, copy).await,
        DatabaseLocation::Postgres(_) => Err(StorageError::BackupElsewhere),
    };
    copied.map_err(|source| StartError::Storage { location: location.clone(), source })
}

/// Runs the service until `shutdown`, then drains its listeners and closes the database.
///
/// # Errors
/// When it cannot start; nothing was served then.
pub async fn run(
    config: Config,
    listeners: Listeners,
    clock: Arc<dyn Clock>,
    shutdown: Shutdown,
) -> Result<(), StartError> {
    config.validate()?;
    // Before any figure is counted.
    let exporter = listeners.metrics.is_some().then(Exporter::install).transpose()?;
    let tls = open_tls(&config)?;
    let publication = open_publication(&config)?;
    let (service, storage, ledger) = start(&config, clock).await?;
    let client_crls = open_client_crls(&config, &service).await?.map(Arc::new);
    reload_on_hangup(&service, tls.clone(), shutdown.clone())?;
    warn_of_who_cannot_be_revoked(&config, &service, client_crls.as_deref());
    let maintained = (Arc::clone(&service), client_crls.clone());
    let maintenance = tokio::spawn(maintenance::run(maintained, shutdown.clone()));
    let compromises = Arc::new(service.compromises(ledger.clone()));
    let following = tokio::spawn(Arc::clone(&compromises).run(shutdown.clone()));
    let collected = publication.clone();
    before_each_render(move || {
        figures::collect_publication(&collected);
        Some(())
    });
    let readiness =
        readiness::checks(&service, &publication, (ledger.as_ref(), client_crls.as_ref()));
    let publishing = {
        let (issuers, clock) = (Arc::clone(&service.issuers), Arc::clone(&service.clock));
        tokio::spawn(publication.clone().run(issuers, clock, shutdown.clone()))
    };

    let server = |name| {
        Server::new(PROGRAM, name).with_limits(config.limits).with_path_classes(routes::path_class)
    };
    let public = server("public")
        .with_rate(config.rate)
        .with_trusted_proxies(config.trusted_proxies.clone())
        .serve(listeners.public, routes::public(Arc::clone(&service), readiness), shutdown.clone());
    let admin = async {
        // Never without TLS: who cannot be named may not administer.
        if let (Some(listener), Some(tls)) = (listeners.admin, tls) {
            let max_body_bytes = usize::try_from(config.admin_max_body_bytes).unwrap_or(usize::MAX);
            let limits = LimitSettings { max_body_bytes, ..config.limits };
            let age = Duration::from_secs(u64::from(config.admin_max_connection_seconds));
            let limits = Limits { max_connection_age: Some(age), ..limits.into() };
            let (administered, settings) = (service.administered(), config.admin_settings());
            let administration =
                Administration::new(administered, client_crls, compromises, ledger, settings);
            let administration = Arc::new(administration);
            let routes = admin::filter(Arc::clone(&administration));
            let reception = admin::reception(Arc::clone(&administration), max_body_bytes);
            let server =
                server("admin").with_limits(limits).with_tls(tls).with_reception(reception);
            let serving =
                server.with_rate(config.admin_rate).serve(listener, routes, shutdown.clone());
            tokio::join!(serving, tend_record(&administration, &storage, &shutdown));
            administration.sum_up_denials(admin::Which::All).await;
            ledger::note_head(&storage).await;
        }
    };
    let figures = async {
        if let (Some(exporter), Some(listener)) = (exporter, listeners.metrics) {
            exporter.serve(PROGRAM, listener, shutdown.clone()).await;
        }
    };
    systemd::ready();
    tokio::join!(public, admin, figures);
    // An error is a panic, which was logged.
    let _ = tokio::join!(maintenance, publishing, following);
    publication.finish(&service.issuers).await;
    storage.close().await;
    Ok(())
}

async fn start(
    config: &Config,
    clock: Arc<dyn Clock>,
) -> Result<(Arc<Service>, Arc<Storage>, Option<Ledger>), StartError> {
    let authorities = {
        let config = config.clone();
        // Opening keys takes scrypt's time each.
        tokio::task::spawn_blocking(move || load_authorities(&config))
            .await
            .map_err(io::Error::other)??
    };
    let storage = Storage::open(&config.database)
        .await
        .map_err(|source| StartError::Storage { location: config.database.clone(), source })?;
    let storage = Arc::new(storage);
    let now = clock.unix_now();
    let times = CrlTimes {
        validity_seconds: config.crl_validity_seconds,
        delta_validity_seconds: config.delta_crl_validity_seconds,
    };
    let mut issuers = Vec::with_capacity(authorities.len());
    for authority in authorities {
        let name = authority.name().to_owned();
        let issuer = Issuer::open(authority, &storage, times, now)
            .await
            .map_err(|fault| of_issuer(&name, fault))?;
        if let CrlSource::Elsewhere(crls) = &issuer.crls
            && let Some(fault) = crls.fault()
        {
            tracing::error!(issuer = name, fault, "the CRL file was not taken");
        }
        issuers.push(issuer);
    }
    storage.limit_compromises(reach_of_compromises(config.compromise_scope, &issuers));
    // After the database, which is this service's own, as its issuers show: the ledger makes its
    // folder, and a mistyped path of the database would be made with it, or another service's
    // database would take our ledger for its own. Before anything is issued.
    let ledger = ledger::open(config, &storage, Arc::clone(&clock)).await?;
    for issuer in &issuers {
        let name = issuer.authority.name();
        let delegate =
            refresh_delegate(issuer, &storage, config.ocsp_delegate_validity_seconds, now).await;
        if let Err(error) = delegate {
            tracing::error!(issuer = name, %error, "there is no OCSP delegate");
        }
        // A CRL before the first request; a failure is tried again, and shows in `/readyz`.
        if let Err(error) = issuer.refresh_crl(now).await {
            tracing::error!(issuer = name, %error, "there is no current CRL");
        }
    }
    let service = Arc::new(Service::new(issuers, Arc::clone(&storage), clock, config));
    let weak = Arc::downgrade(&service);
    before_each_render(move || weak.upgrade().map(|service| figures::collect(&service)));
    figures::pending(0);
    Ok((service, storage, ledger))
}

/// What a compromise takes with it: certificates of the issuers whose CRLs are made here.
fn reach_of_compromises(scope: CompromiseScope, issuers: &[Issuer]) -> CompromiseReach {
    let is_ours = |issuer: &&Issuer| matches!(issuer.crls, CrlSource::Publisher(_));
    match scope {
        CompromiseScope::Certificate => CompromiseReach::Certificate,
        CompromiseScope::Key => CompromiseReach::Issuers(
            issuers.iter().filter(is_ours).map(|issuer| issuer.id).collect(),
        ),
    }
}

fn load_authorities(config: &Config) -> Result<Vec<Authority>, AuthorityError> {
    config
        .issuer
        .iter()
        .map(|issuer| Authority::load(issuer, config.public_url.as_deref()))
        .collect()
}

fn open_tls(config: &Config) -> Result<Option<Tls>, TlsError> {
    config.admin_tls.as_ref().map(|settings| Tls::open(settings.listener())).transpose()
}

fn open_publication(config: &Config) -> Result<Publication, PublicationError> {
    Publication::open(&config.publication(), config.crl_max_age_seconds)
}

async fn open_client_crls(
    config: &Config,
    service: &Service,
) -> Result<Option<ClientCrls>, ClientCrlError> {
    let tls = config.admin_tls.as_ref().filter(|settings| !settings.client_crl.is_empty());
    let Some(tls) = tls else { return Ok(None) };
    let issuers = service.issuers.iter();
    let issuers = issuers.map(|issuer| KnownIssuer::of(&issuer.authority, Some(issuer.id)));
    let files = (tls.client_ca.as_path(), tls.client_crl.as_slice());
    ClientCrls::open(files, issuers.collect(), Arc::clone(&service.storage)).await.map(Some)
}

/// Puts on record what was denied and summed up, and the ledger's head into the database, until the
/// stop.
async fn tend_record(administration: &Administration, storage: &Arc<Storage>, shutdown: &Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            () = tokio::time::sleep(RECORD_INTERVAL) => {}
        }
        administration.sum_up_denials(admin::Which::Over).await;
        ledger::note_head(storage).await;
    }
}

/// An administrator who leaves, or whose laptop does, must be locked out by more than a line of the
/// configuration: the one that somebody forgets.
fn warn_of_who_cannot_be_revoked(
    config: &Config,
    service: &Service,
    client_crls: Option<&ClientCrls>,
) {
    let Some(settings) = &config.admin_tls else { return };
    for authority in pem::read_certificates(&settings.client_ca).unwrap_or_default() {
        let Ok(authority) = Certificate::decode(&authority) else { continue };
        let key = sha256(authority.public_key.raw);
        let mut issuers = service.issuers.iter();
        let is_issuer = issuers.any(|issuer| issuer.authority.spki_sha256() == key);
        if !is_issuer && !client_crls.is_some_and(|crls| crls.is_of(&key)) {
            tracing::warn!(
                authority = authority.subject_text(),
                "certificates of administrators that this authority issued cannot be revoked here: \
                 make it an [[issuer]], or give its CRL in admin_tls.client_crl"
            );
        }
    }
}

fn reload_on_hangup(
    service: &Arc<Service>,
    tls: Option<Tls>,
    shutdown: Shutdown,
) -> io::Result<()> {
    let service = Arc::clone(service);
    on_hangup(shutdown, move || {
        reload_delegates(&service.issuers, service.now());
        if let Some(Err(error)) = tls.as_ref().map(Tls::reload) {
            tracing::error!(%error, "the admin listener's certificate in use stays");
        }
    })
}

fn of_issuer(name: &str, fault: CrlError) -> StartError {
    StartError::Issuer { issuer: name.to_owned(), fault: Box::new(fault) }
}
