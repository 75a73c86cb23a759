//! The program `countersign-revocation`: reads its configuration and runs the service.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Parser;
use countersign_daemon::{clock::SystemClock, logs, shutdown::Shutdown};
use countersign_revocation::{Listeners, check, config::Config, run};

/// Exit code for a wrong configuration, as everywhere in Countersign.
const EXIT_CONFIGURATION: u8 = 2;

/// OCSP responder and CRL publisher of Countersign.
#[derive(Debug, Parser)]
#[command(name = "countersign-revocation", version)]
struct Arguments {
    /// The configuration, TOML; `COUNTERSIGN_REVOCATION_*` of the environment goes over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the configuration, keys and certificates, and end.
    #[arg(long)]
    check: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("countersign-revocation: {}", with_causes(&error));
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}

/// The error and its causes, those left out that a message before has in it.
fn with_causes(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| {
        match (said.is_empty(), said.contains(&cause)) {
            (true, _) => cause,
            (false, true) => said,
            (false, false) => format!("{said}: {cause}"),
        }
    })
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let config = Config::load(arguments.config.as_deref())?;
    if arguments.check {
        check(&config, &SystemClock)?;
        println!("countersign-revocation: the configuration is good");
        return Ok(());
    }
    logs::init(&config.log)?;
    let shutdown = Shutdown::on_signals().context("signal handlers")?;
    let listeners = Listeners::bind(&config).await?;
    run(config, listeners, Arc::new(SystemClock), shutdown).await?;
    Ok(())
}
