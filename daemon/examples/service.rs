//! A service with everything this crate has, around a route that says hello: the order in which a
//! real service starts, and what its tests drive.
//!
//! `cargo run -p countersign-daemon --example service -- FILE.toml`, then `POST /hello`. Every
//! greeting is in the audit ledger before it is answered; none is given while the clock is doubtful.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use countersign_daemon::clock::SystemClock;
use countersign_daemon::clock_monitor::{ClockMonitor, ClockSettings};
use countersign_daemon::health::{self, Readiness};
use countersign_daemon::ledger::{AuditSettings, Ledger};
use countersign_daemon::limits::LimitSettings;
use countersign_daemon::logs::{self, LogSettings};
use countersign_daemon::metrics::Exporter;
use countersign_daemon::peer::{ClientAddress, TrustedProxies};
use countersign_daemon::problem::Problem;
use countersign_daemon::rate::RateSettings;
use countersign_daemon::server::Server;
use countersign_daemon::shutdown::{self, Shutdown};
use countersign_daemon::tls::{Tls, TlsSettings};
use countersign_daemon::{config, systemd};
use serde::Deserialize;
use tokio::net::TcpListener;
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

const PROGRAM: &str = "example";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    listen: SocketAddr,
    metrics_listen: Option<SocketAddr>,
    #[serde(default)]
    trusted_proxies: TrustedProxies,
    tls: Option<TlsSettings>,
    rate: Option<RateSettings>,
    audit: AuditSettings,
    #[serde(default)]
    clock: ClockSettings,
    #[serde(default)]
    limits: LimitSettings,
    #[serde(default)]
    log: LogSettings,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let config: Config = config::load(file.as_deref(), "EXAMPLE")?;
    config.limits.validate()?;
    config.audit.validate()?;
    config.rate.iter().try_for_each(RateSettings::validate)?;
    let _logging = logs::init(&config.log)?;
    let shutdown = Shutdown::on_signals()?;

    // Before anything that counts.
    let metrics = match config.metrics_listen {
        Some(address) => Some((Exporter::install()?, TcpListener::bind(address).await?)),
        None => None,
    };
    let tls = config.tls.map(Tls::open).transpose()?;
    let ledger = config.audit.open(PROGRAM, Arc::new(SystemClock))?;
    let clock = ClockMonitor::start(&config.clock, shutdown.clone())?;
    let listener = TcpListener::bind(config.listen).await?;

    if let Some(tls) = tls.clone() {
        shutdown::on_hangup(shutdown.clone(), move || {
            if let Err(error) = tls.reload() {
                tracing::error!(%error, "the TLS certificate stays as it was");
            }
        })?;
    }
    let metrics = metrics.map(|(exporter, listener)| {
        tokio::spawn(exporter.serve(PROGRAM, listener, shutdown.clone()))
    });
    let server = Server::new(PROGRAM, "public")
        .with_limits(config.limits)
        .with_tls(tls)
        .with_rate(config.rate)
        .with_trusted_proxies(config.trusted_proxies)
        .with_path_classes(|path| if path == "/hello" { "/hello" } else { "other" });
    systemd::ready();
    server.serve(listener, routes(ledger, clock), shutdown).await;
    if let Some(metrics) = metrics {
        metrics.await?;
    }
    Ok(())
}

fn routes(
    ledger: Option<Ledger>,
    clock: ClockMonitor,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    let (of_ledger, of_clock) = (ledger.clone(), clock.clone());
    let readiness = Readiness::builder()
        .check("audit", move || {
            let outcome = of_ledger.as_ref().map_or(Ok(()), Ledger::ready);
            async { outcome }
        })
        .check("clock", move || {
            let outcome = of_clock.ready();
            async { outcome }
        })
        .build();
    let hello = warp::path!("hello")
        .and(warp::post())
        .and(warp::ext::get::<ClientAddress>())
        .then(move |client: ClientAddress| greet(ledger.clone(), clock.clone(), client));
    hello.or(health::routes(readiness)).unify()
}

async fn greet(ledger: Option<Ledger>, clock: ClockMonitor, client: ClientAddress) -> Response {
    if let Err(untrusted) = clock.check() {
        tracing::warn!(reason = %untrusted, "no greeting");
        return Problem::overloaded(10).into_response();
    }
    let Some(ledger) = ledger else { return "hello".into_response() };
    match ledger.append("greeting", &serde_json::json!({ "client": client.0 })).await {
        Ok(receipt) => format!("hello {}", receipt.sequence).into_response(),
        Err(error) => {
            tracing::warn!(%error, "no greeting");
            Problem::overloaded(1).into_response()
        }
    }
}
