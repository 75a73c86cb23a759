//! The program `countersign-timestamp`: arguments and exit code.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use countersign_daemon::clock::SystemClock;
use countersign_daemon::config::ConfigError;
use countersign_daemon::shutdown::Shutdown;
use countersign_daemon::{exit, logs};
use countersign_timestamp::{Listeners, StartError, config::Config};

/// Timestamp authority (RFC 3161 over HTTP).
#[derive(Debug, Parser)]
#[command(version, name = countersign_timestamp::PROGRAM)]
struct Arguments {
    /// TOML file; `COUNTERSIGN_TIMESTAMP_*` variables go over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check configuration, key and certificates, and exit: 0 when they are usable, else 2.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    countersign_signing::dumps::refuse();
    let arguments = Arguments::parse();
    let Err(error) = act(&arguments) else { return ExitCode::SUCCESS };
    eprintln!("{}: {}", countersign_timestamp::PROGRAM, exit::reason(error.as_ref()));
    // A token that is away may come back: a service manager is to try again.
    let start = error.downcast_ref::<StartError>();
    let unusable = error.is::<ConfigError>() || start.is_some_and(|error| !error.is_transient());
    ExitCode::from(if unusable { exit::UNUSABLE } else { exit::CANNOT_RUN })
}

fn act(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Config::load(arguments.config.as_deref())?;
    if arguments.check {
        countersign_timestamp::check(&config, &SystemClock)?;
        println!("{}: the configuration is usable", countersign_timestamp::PROGRAM);
        return Ok(());
    }
    let _logging = logs::init(&config.log)?;
    serve(config)
}

#[tokio::main]
async fn serve(config: Config) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals().context("cannot handle signals")?;
    let listeners = Listeners::bind(&config).await.map_err(|(address, error)| {
        anyhow::Error::new(error).context(format!("cannot listen on {address}"))
    })?;
    countersign_timestamp::run(config, listeners, Arc::new(SystemClock), shutdown).await?;
    Ok(())
}
