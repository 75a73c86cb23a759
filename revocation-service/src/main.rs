//! The program `countersign-revocation`: reads its configuration and runs the service.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Parser;
use countersign_daemon::{clock::SystemClock, config::ConfigError, exit, logs, shutdown::Shutdown};
use countersign_revocation::{
    Listeners, StartError, back_up, check, check_database, config::Config, forget_client_crls,
    replace_ledger, run,
};

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
    /// Copy the configured `SQLite` database into this new file, beside the running service, and end.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    backup: Option<PathBuf>,
    /// Put the audit ledger in the configured folder, or a new one, in the place of the one with this
    /// number, on record in both the ledger and the database, and end.
    #[arg(long, value_name = "ID", conflicts_with_all = ["check", "backup"])]
    replace_ledger: Option<String>,
    /// Forget the CRLs of administrators (`client_crl`) that were taken before, so that the next start takes them
    /// as they are, whatever they leave out, and end.
    #[arg(long, conflicts_with_all = ["check", "backup", "replace_ledger"])]
    forget_client_crls: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    countersign_signing::dumps::refuse();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("countersign-revocation: {}", exit::reason(error.as_ref()));
            let unusable = error.is::<ConfigError>()
                || error
                    .downcast_ref::<StartError>()
                    .is_some_and(StartError::is_of_the_configuration);
            ExitCode::from(if unusable { exit::UNUSABLE } else { exit::CANNOT_RUN })
        }
    }
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let config = Config::load(arguments.config.as_deref())?;
    if arguments.check {
        check(&config, &SystemClock)?;
        match check_database(&config).await {
            Err(error @ StartError::Storage { .. }) => {
                let reason = exit::reason(&error);
                eprintln!("countersign-revocation: the database was not looked at: {reason}");
            }
            outcome => outcome?,
        }
        println!("countersign-revocation: the configuration is good");
        return Ok(());
    }
    if let Some(copy) = arguments.backup {
        back_up(&config.database, &copy).await?;
        println!("countersign-revocation: {} copied to {}", config.database, copy.display());
        return Ok(());
    }
    if let Some(replaced) = arguments.replace_ledger {
        let new = replace_ledger(&config, &replaced, Arc::new(SystemClock)).await?;
        println!("countersign-revocation: the audit ledger {new} took the place of {replaced}");
        return Ok(());
    }
    if arguments.forget_client_crls {
        let count = forget_client_crls(&config).await?;
        println!("countersign-revocation: {count} CRLs of administrators are forgotten");
        return Ok(());
    }
    let _logging = logs::init(&config.log)?;
    let shutdown = Shutdown::on_signals().context("signal handlers")?;
    let listeners = Listeners::bind(&config).await?;
    run(config, listeners, Arc::new(SystemClock), shutdown).await?;
    Ok(())
}
