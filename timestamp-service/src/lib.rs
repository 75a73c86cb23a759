//! The timestamp authority: RFC 3161 over HTTP.
//!
//! `POST /` takes a `TimeStampReq` and answers a `TimeStampResp`, a refusal included. What is
//! signed with is [`issuer`]'s, which key's turn it is [`keys`]', what time it is [`time`]'s; sockets
//! are `countersign_daemon`'s.

pub mod config;
mod handlers;
pub mod issuer;
mod json;
pub mod keys;
pub mod policy;
mod reload;
mod reply;
mod routes;
pub mod state;
pub mod time;

use std::io;
use std::sync::Arc;

use countersign_daemon::clock::Clock;
use countersign_daemon::server::{Drained, Server};
use countersign_daemon::shutdown::{self, Shutdown};
use countersign_daemon::tls::{Tls, TlsError};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::keys::{Keys, KeysError};
use crate::reload::Reloading;
use crate::state::{State, unix_seconds};

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
    /// The handler of SIGHUP.
    #[error("cannot handle signals: {0}")]
    Signals(#[from] io::Error),
}

/// Everything that can be wrong before a socket is needed; opens and closes the key.
///
/// # Errors
/// As [`run`], but for signals.
pub fn check(config: &Config, clock: &dyn Clock) -> Result<(), StartError> {
    Keys::open(config, unix_seconds(clock.now()))?;
    config.tls.clone().map(Tls::open).transpose()?;
    Ok(())
}

/// Serves on `listener` until `shutdown`, then drains. SIGHUP reads configuration, keys, certificates
/// and TLS files again.
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
    let keys = Keys::open(&config, unix_seconds(clock.now()))?;
    for issuer in keys.all() {
        tracing::info!(certificate = issuer.subject(), key_id = issuer.key_id(), not_after = %issuer.not_after(), "signing key opened");
    }
    let state = Arc::new(State::new(keys, clock, config.max_signing));
    let limits = config.limits;
    let reloading = Reloading::new(config, Arc::clone(&state), tls.clone());
    shutdown::on_hangup(shutdown.clone(), move || reloading.reload())?;
    let server = Server::new(PROGRAM, "public")
        .with_limits(limits)
        .with_tls(tls)
        .with_path_classes(routes::path_class);
    Ok(server.serve(listener, routes::routes(state), shutdown).await)
}
