//! `config check`: this program's settings, or a service's configuration by the service itself.

use std::{
    env,
    ffi::{OsStr, OsString},
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
        (Some(file), Some(service)) => check_service(file, service),
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

fn check_service(file: &Path, service: ServiceName) -> Outcome<Answer> {
    let name = match service {
        ServiceName::Timestamp => "countersign-timestamp",
        ServiceName::Revocation => "countersign-revocation",
    };
    if file.is_dir() {
        return Err(Failure::folder(file));
    }
    let program = program(name);
    let mut command = Command::new(&program);
    command.arg("--config").arg(file).arg("--check");
    for (variable, value) in env::vars_os() {
        if is_withheld(&variable, &value, (name, &program)) {
            command.env_remove(variable);
        }
    }
    let run = command.output();
    let output = run.map_err(|error| {
        let finding = Finding::new(FindingCode::INPUT_UNREADABLE).about(name);
        Failure::from(
            finding.expected("the program beside this one, or in PATH").found(error.to_string()),
        )
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

/// Whether a variable is not for the service's program, which may be whatever PATH has: passphrases and
/// PINs, and every value with a secret in it, as addresses of proxies have. Its own settings are for
/// the program that lies beside this one.
fn is_withheld(variable: &OsStr, value: &OsStr, (name, program): (&str, &OsStr)) -> bool {
    let variable = variable.to_string_lossy().to_ascii_uppercase();
    if [prompt::KEY_VARIABLE, prompt::CA_VARIABLE, PIN_VARIABLE].contains(&variable.as_str()) {
        return true;
    }
    let own = format!("{}_", name.to_ascii_uppercase().replace('-', "_"));
    if variable.starts_with(&own) && Path::new(program).is_absolute() {
        return false;
    }
    let value = value.to_string_lossy();
    // A proxy's address needs no scheme.
    holds_secret(&value) || (variable.ends_with("_PROXY") && value.contains('@'))
}

/// The program beside this one, else whatever PATH has.
fn program(name: &str) -> OsString {
    let beside = env::current_exe().ok().map(|own| own.with_file_name(name));
    beside
        .filter(|path| path.is_file())
        .map_or_else(|| OsString::from(name), PathBuf::into_os_string)
}
