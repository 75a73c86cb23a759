//! `config check`: this program's settings, or a service's configuration by the service itself.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_core::finding::{Finding, FindingCode};
use countersign_signing::{concealed::holds_secret, key::PIN_VARIABLE};
use serde_json::json;

use crate::{
    arguments::{ConfigCheckArguments, ServiceName},
    codes,
    failure::{Failure, Outcome, path_text},
    input,
    output::Answer,
    prompt,
    session::Session,
    settings,
};

/// Checks a configuration.
pub(super) fn check(arguments: &ConfigCheckArguments, session: &Session) -> Outcome<Answer> {
    match (&arguments.file, arguments.service) {
        (Some(file), Some(service)) => check_service(file, service, arguments.program.as_deref()),
        (Some(file), None) => check_settings(&settings::load(Some(file))?),
        (None, _) => check_settings(&session.settings),
    }
}

/// The settings were understood when they were read; what they name must be there and readable.
fn check_settings(settings: &settings::Settings) -> Outcome<Answer> {
    if let Some(path) = &settings.trusted_root {
        input::trust_root(path)?;
    }
    if let Some(path) = &settings.policy {
        input::policy(path)?;
    }
    let certificates = [&settings.certificate, &settings.admin_certificate, &settings.admin_ca];
    for path in certificates.into_iter().flatten() {
        input::certificates(path)?;
    }
    let file = settings.file.as_deref().map(path_text);
    let text = match &file {
        Some(file) => format!("{file} is valid\n"),
        None => "there is no settings file; the environment is valid\n".to_owned(),
    };
    Answer::new(text, &json!({ "file": file }))
}

fn check_service(file: &Path, service: ServiceName, named: Option<&Path>) -> Outcome<Answer> {
    let name = match service {
        ServiceName::Timestamp => "countersign-timestamp",
        ServiceName::Revocation => "countersign-revocation",
    };
    if file.is_dir() {
        return Err(Failure::folder(file));
    }
    let program = program(name, named)?;
    let mut command = Command::new(&program);
    command.arg("--config").arg(file).arg("--check");
    for (variable, value) in env::vars_os() {
        if is_withheld(&variable, &value, name) {
            command.env_remove(variable);
        }
    }
    let run = command.output();
    let output = run.map_err(|error| {
        let finding = Finding::new(FindingCode::INPUT_UNREADABLE).about(path_text(&program));
        Failure::from(finding.expected(format!("the program {name}")).found(error.to_string()))
    })?;
    let lines = |octets: &[u8]| String::from_utf8_lossy(octets).trim().to_owned();
    if output.status.success() {
        let text = format!("{} is valid\n", path_text(file));
        return Answer::new(text, &json!({ "file": path_text(file), "service": name }));
    }
    let said = lines(&output.stderr);
    let found = if said.is_empty() { output.status.to_string() } else { said };
    Err(Finding::new(codes::CONFIGURATION_INVALID)
        .about(path_text(file))
        .expected(format!("a configuration of {name} (docs/operations.md)"))
        .found(found)
        .into())
}

/// Whether a variable is not for the service's program: passphrases and PINs, and every value with a secret in
/// it that is not one of its own settings, as addresses of proxies have.
fn is_withheld(variable: &OsStr, value: &OsStr, name: &str) -> bool {
    let variable = variable.to_string_lossy().to_ascii_uppercase();
    if [prompt::KEY_VARIABLE, prompt::CA_VARIABLE, PIN_VARIABLE].contains(&variable.as_str()) {
        return true;
    }
    let own = format!("{}_", name.to_ascii_uppercase().replace('-', "_"));
    if variable.starts_with(&own) {
        return false;
    }
    let value = value.to_string_lossy();
    // A proxy's address needs no scheme.
    holds_secret(&value) || (variable.ends_with("_PROXY") && value.contains('@'))
}

/// The program that was named, else the one beside this one: never one that PATH finds, which may be
/// anybody's.
fn program(name: &str, named: Option<&Path>) -> Outcome<PathBuf> {
    let path = match named {
        // Without a folder it would be looked up in PATH.
        Some(named) => {
            named.canonicalize().map_err(|error| Failure::unreadable(named, error.to_string()))?
        }
        None => env::current_exe()
            .and_then(|own| own.canonicalize())
            .map_err(|error| Failure::unreadable(Path::new(name), error.to_string()))?
            .with_file_name(name),
    };
    if path.is_file() {
        return Ok(path);
    }
    let finding = Finding::new(FindingCode::INPUT_UNREADABLE).about(path_text(&path));
    let expected =
        format!("{name} beside this program; or name the program with --program PROGRAM");
    Err(finding.expected(expected).found("no file of that name").into())
}
