//! The timestamp authority: RFC 3161 over HTTP.
//!
//! `POST /` takes a `TimeStampReq` and answers a `TimeStampResp`, a refusal included. What is
//! signed with is [`issuer`]'s, when it may be signed is [`state`]'s; sockets are
//! `countersign_daemon`'s. The service keeps nothing: no token and no request is stored.

pub mod config;
mod handlers;
pub mod issuer;
mod reply;
mod routes;
pub mod state;

use std::io;
use std::sync::Arc;

use countersign_daemon::clock::Clock;
use countersign_daemon::server::{Drained, Server};
use countersign_daemon::shutdown::{self, Shutdown};
use countersign_daemon::tls::{Tls, TlsError};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::issuer::{Issuer, IssuerError};
use crate::state::State;

/// The program's name in the lines it prints.
pub const PROGRAM: &str = "countersign-timestamp";

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key, its certificates, or their fit.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The listener's TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The handler of SIGHUP.
    #[error("cannot handle signals: {0}")]
    Signals(#[from] io::Error),
}

/// Everything that can be wrong before a socket is needed; opens and closes the key.
///
/// # Errors
/// As [`run`], but for signals.
pub fn check(config: &Config, clock: &dyn Clock) -> Result<(), StartError> {
    Issuer::open(config, clock.now())?;
    config.tls.clone().map(Tls::open).transpose()?;
    Ok(())
}

/// Serves on `listener` until `shutdown`, then drains. SIGHUP reads key, certificates and TLS files again.
///
/// # Errors
/// The key or a certificate cannot be used, or signals cannot be handled. After the start nothing
/// ends the service but `shutdown`.
pub async fn run(
    config: Config,
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    shutdown: Shutdown,
) -> Result<Drained, StartError> {
    let tls = config.tls.clone().map(Tls::open).transpose()?;
    let issuer = Issuer::open(&config, clock.now())?;
    tracing::info!(certificate = issuer.subject(), not_after = %issuer.not_after(), "signing key opened");
    let state = Arc::new(State::new(&config, issuer, Arc::clone(&clock)));
    let limits = config.limits;
    let reloading = Reloading { config, state: Arc::clone(&state), tls: tls.clone(), clock };
    shutdown::on_hangup(shutdown.clone(), move || reloading.reload())?;
    let server = Server::new(PROGRAM, "public")
        .with_limits(limits)
        .with_tls(tls)
        .with_path_classes(routes::path_class);
    Ok(server.serve(listener, routes::routes(state), shutdown).await)
}

/// What SIGHUP needs.
struct Reloading {
    config: Config,
    state: Arc<State>,
    tls: Option<Tls>,
    clock: Arc<dyn Clock>,
}

impl Reloading {
    /// Reads the files again; what cannot be used changes nothing.
    fn reload(&self) {
        match Issuer::open(&self.config, self.clock.now()) {
            Ok(issuer) => self.state.replace_issuer(issuer),
            Err(error) => tracing::error!(%error, "the signing key stays as it was"),
        }
        if let Some(Err(error)) = self.tls.as_ref().map(Tls::reload) {
            tracing::error!(%error, "the TLS certificate stays as it was");
        }
    }
}
