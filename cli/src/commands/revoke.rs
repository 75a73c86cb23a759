//! `revoke`.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use countersign_core::{bundle::Bundle, crl::RevocationReason, finding::quoted, x509::Certificate};
use serde_json::{Value, json};

use super::{admin::Admin, ca_issue::malformed, verify::bundle_path};
use crate::{
    arguments::RevokeArguments,
    failure::{Failure, Outcome},
    input,
    output::{Answer, Words},
    prompt::Confirmation,
    session::{Interaction, Session},
};

/// Revokes a certificate, or every certificate with a key. When this succeeds the service has it on
/// disk; what takes two people is proposed.
pub(super) fn run(arguments: &RevokeArguments, session: &Session) -> Outcome<Answer> {
    if arguments.reason == RevocationReason::KeyCompromise && arguments.compromised_since.is_none()
    {
        return Err(Failure::usage(
            "keyCompromise needs --compromised-since: signatures from then on are rejected",
        ));
    }
    let mut order = json!({ "reason": arguments.reason.name(), "comment": arguments.comment });
    let whom = target(arguments, &mut order)?;
    if let Some(since) = arguments.compromised_since {
        order["compromised_since"] = json!(since);
    }
    let question = question(arguments, &whom);
    let yes = if arguments.yes { Confirmation::Given } else { Confirmation::Needed };
    if session.interaction == Interaction::Nobody && !arguments.dry_run {
        // Where nobody can be asked, that is said before anything is sent.
        session.confirm(&question, yes)?;
    }
    let admin = Admin::open(&arguments.admin, session)?;
    let send = |order: &Value| {
        admin.post("/v1/revocations", "application/json", &serde_json::to_vec(order)?)
    };
    if arguments.dry_run || !arguments.yes {
        order["dry_run"] = json!(true);
        let preview = send(&order)?;
        let text = in_words(&whom, &preview, "Would be revoked");
        if arguments.dry_run {
            return Answer::new(text, &preview);
        }
        session.output.say(text.trim_end());
        order["dry_run"] = json!(false);
    }
    session.confirm(&question, yes)?;
    let done = send(&order)?;
    Answer::new(in_words(&whom, &done, "Revoked"), &done)
}

fn question(arguments: &RevokeArguments, whom: &str) -> String {
    let since =
        arguments.compromised_since.map(|time| format!(", since {time}")).unwrap_or_default();
    match arguments.reason {
        RevocationReason::RemoveFromCrl => format!("Propose to lift the hold on {whom}?"),
        reason => format!("Revoke {whom} for {}{since}? It cannot be undone.", reason.name()),
    }
}

/// Puts into the order whom it is about, and says it in words.
fn target(arguments: &RevokeArguments, order: &mut Value) -> Outcome<String> {
    if let (Some(issuer), Some(serial)) = (&arguments.issuer, &arguments.serial) {
        order["issuer"] = json!(issuer);
        order["serial"] = json!(serial);
        return Ok(format!("serial {} of {}", quoted(serial.clone()), quoted(issuer.clone())));
    }
    let of_bundle = |path: &Path| -> Outcome<Vec<u8>> {
        let bundle = Bundle::decode(&input::bundle(path)?)?;
        Ok(input::signer_certificate(&bundle, path)?.to_vec())
    };
    let (path, der) = match arguments {
        RevokeArguments { certificate: Some(path), .. }
        | RevokeArguments { key_of: Some(path), .. } => (path.clone(), input::certificate(path)?),
        RevokeArguments { bundle: Some(path), .. } => (path.clone(), of_bundle(path)?),
        RevokeArguments { file: Some(file), .. } => {
            let path: PathBuf = bundle_path(file);
            let der = of_bundle(&path)?;
            (path, der)
        }
        _ => {
            let found =
                "say which: --certificate, --file, --bundle, --key-of, or --issuer with --serial";
            return Err(Failure::usage(found));
        }
    };
    let certificate =
        Certificate::decode(&der).map_err(|error| malformed(&path, &error.to_string()))?;
    let name = certificate.identity().map_or_else(|| certificate.subject_text(), str::to_owned);
    if arguments.key_of.is_some() {
        order["key"] = json!(Base64::encode_string(certificate.public_key.raw));
        return Ok(format!("every certificate with the key of {}", quoted(name)));
    }
    order["certificate"] = json!(Base64::encode_string(&der));
    Ok(format!("{} (serial {})", quoted(name), certificate.serial_text()))
}

/// What the service answered, in words.
fn in_words(whom: &str, answer: &Value, done: &str) -> String {
    let said = |value: &Value| quoted(value.as_str().unwrap_or("?").to_owned());
    let pending = &answer["pending"];
    if pending.is_object() {
        let waits = if answer["dry_run"] == true { "Would wait" } else { "Waits" };
        return format!(
            "{waits} for a second person: {whom}\n  proposal: {}\n  until:    {}\n  approve:  countersign revocation approve {}\n",
            pending["id"],
            said(&pending["expires_at"]),
            pending["id"],
        );
    }
    let mut text = format!(
        "{done}: {whom}\n  reason:  {}\n  from:    {}\n",
        said(&answer["reason"]),
        said(&answer["revocation_date"]),
    );
    if answer["dry_run"] != true {
        text.add(format_args!("  on disk: {}\n", said(&answer["recorded_at"])));
    }
    for certificate in answer["certificates"].as_array().into_iter().flatten() {
        let (issuer, serial) = (said(&certificate["issuer"]), said(&certificate["serial"]));
        text.add(format_args!(
            "  with that key: {issuer} {serial} ({})\n",
            said(&certificate["outcome"])
        ));
    }
    for release in answer["affected_releases"].as_array().into_iter().flatten() {
        let when = release["signed_at"].as_str().unwrap_or("at a time not known");
        text.add(format_args!("  affected release: {} signed {when}\n", said(&release["name"])));
    }
    text
}
