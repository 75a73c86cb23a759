//! The timestamp authority: RFC 3161 over HTTP.
//!
//! `POST /` takes a `TimeStampReq` and answers a `TimeStampResp`, a refusal included. What is
//! signed with is [`issuer`]'s, which key's turn it is [`keys`]', what time it is [`time`]'s; sockets
//! are `countersign_daemon`'s.

pub mod audit;
pub mod config;
mod handlers;
pub mod issuer;
mod json;
pub mod keys;
mod metrics;
pub mod policy;
mod reload;
mod reply;
mod routes;
pub mod state;
pub mod time;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use countersign_daemon::clock::{Clock, unix_seconds};
use countersign_daemon::clock_monitor::ClockMonitor;
use countersign_daemon::config::ConfigError;
use countersign_daemon::ledger::{AuditSettings, OpenError};
use countersign_daemon::metrics::{Exporter, InstallError, before_each_render};
use countersign_daemon::server::{Drained, Server};
use countersign_daemon::shutdown::{self, Shutdown};
use countersign_daemon::systemd;
use countersign_daemon::tls::{Tls, TlsError};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::issuer::IssuerError;
use crate::keys::{Keys, KeysError};
use crate::reload::Reloading;
use crate::state::State;
use crate::time::StampClock;

/// The program's name in the lines it prints.
pub const PROGRAM: &str = "countersign-timestamp";

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys, their certificates, or their fit.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The listener's TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The audit ledger.
    #[error("[audit]: {0}")]
    Audit(#[from] OpenError),
    /// A value of the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The figures.
    #[error(transparent)]
    Figures(#[from] InstallError),
    /// The handler of SIGHUP.
    #[error("cannot handle signals: {0}")]
    Signals(#[from] io::Error),
}

impl StartError {
    /// Whether the same start may succeed later without anybody changing anything: the token with a
    /// key is away.
    pub fn is_transient(&self) -> bool {
        let Self::Keys(KeysError::Issuer(error) | KeysError::Next(error)) = self else {
            return false;
        };
        match error {
            IssuerError::Key(error) => error.is_transient(),
            IssuerError::Sign(error) => error.is_transient(),
            _ => false,
        }
    }
}

/// The sockets of a service, bound and not yet served.
#[derive(Debug)]
pub struct Listeners {
    /// Where timestamps are asked for.
    pub public: TcpListener,
    /// Where the figures are.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Binds the addresses of the configuration.
    ///
    /// # Errors
    /// The address, and why it cannot be had.
    pub async fn bind(config: &Config) -> Result<Self, (SocketAddr, io::Error)> {
        let bind =
            async |address| TcpListener::bind(address).await.map_err(|error| (address, error));
        let public = bind(config.listen).await?;
        let metrics = match config.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { public, metrics })
    }
}

/// Everything that can be wrong before a socket is needed; opens and closes the keys. The ledger is
/// not opened, since the service that runs may hold it.
///
/// # Errors
/// As [`run`], but for signals and what only opening the ledger can tell.
pub fn check(config: &Config, clock: &dyn Clock) -> Result<(), StartError> {
    Keys::open(config, clock.unix_now())?;
    config.tls.clone().map(Tls::open).transpose()?;
    config.audit.as_ref().map_or(Ok(()), AuditSettings::check)?;
    Ok(())
}

/// Serves on `listeners` until `shutdown`, then drains. SIGHUP reads configuration, keys, certificates
/// and TLS files again.
///
/// # Errors
/// The key, a certificate or the ledger cannot be used, or signals cannot be handled. After the
/// start nothing ends the service but `shutdown`.
pub async fn run(
    config: Config,
    listeners: Listeners,
    clock: Arc<dyn Clock>,
    shutdown: Shutdown,
) -> Result<Drained, StartError> {
    // Before any figure is counted.
    let exporter = listeners.metrics.is_some().then(Exporter::install).transpose()?;
    let monitor = ClockMonitor::start(&config.clock, shutdown.clone())?;
    serve(config, listeners, exporter, StampClock::new(clock, Some(monitor)), shutdown).await
}

/// As [`run`], with a clock monitor of the caller's; for tests.
///
/// # Errors
/// As [`run`].
pub async fn run_watched(
    config: Config,
    listeners: Listeners,
    clock: Arc<dyn Clock>,
    monitor: ClockMonitor,
    shutdown: Shutdown,
) -> Result<Drained, StartError> {
    let exporter = listeners.metrics.is_some().then(Exporter::install).transpose()?;
    serve(config, listeners, exporter, StampClock::new(clock, Some(monitor)), shutdown).await
}

async fn serve(
    config: Config,
    listeners: Listeners,
    exporter: Option<Exporter>,
    clock: StampClock,
    shutdown: Shutdown,
) -> Result<Drained, StartError> {
    let tls = config.tls.clone().map(Tls::open).transpose()?;
    let state = open(&config, clock)?;
    let server = Server::new(PROGRAM, "public")
        .with_limits(config.limits)
        .with_rate(config.rate)
        .with_trusted_proxies(config.trusted_proxies.clone())
        .with_tls(tls.clone())
        .with_path_classes(routes::path_class);
    let reloading = Reloading::new(config, Arc::clone(&state), tls);
    shutdown::on_hangup(shutdown.clone(), move || reloading.reload())?;
    systemd::ready();
    let figures = async {
        if let (Some(exporter), Some(listener)) = (exporter, listeners.metrics) {
            exporter.serve(PROGRAM, listener, shutdown.clone()).await;
        }
    };
    let serving = server.serve(listeners.public, routes::routes(state), shutdown.clone());
    let (drained, ()) = tokio::join!(serving, figures);
    Ok(drained)
}

/// Opens the keys and the ledger.
fn open(config: &Config, clock: StampClock) -> Result<Arc<State>, StartError> {
    let keys = Keys::open(config, unix_seconds(clock.now()))?;
    for issuer in keys.all() {
        tracing::info!(certificate = issuer.subject(), key_id = issuer.key_id(), not_after = %issuer.not_after(), "signing key opened");
        for rule in issuer.departures() {
            tracing::warn!(
                certificate = issuer.subject(),
                rule,
                "the certificate departs from the usual profile"
            );
        }
    }
    let ledger = match &config.audit {
        Some(audit) => audit.open(audit::LEDGER, clock.source())?,
        None => None,
    };
    let state = Arc::new(State::new(keys, clock, ledger, config.max_signing));
    let weak = Arc::downgrade(&state);
    before_each_render(move || {
        let state = weak.upgrade()?;
        state.figures.keys(state.key_times());
        Some(())
    });
    Ok(state)
}
