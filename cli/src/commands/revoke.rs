//! `revoke`.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use countersign_core::{bundle::Bundle, crl::RevocationReason, finding::quoted, x509::Certificate};
use serde_json::{Value, json};

use super::{admin::Admin, ca_issue::malformed, verify::bundle_path};
use crate::{
    arguments::RevokeArguments,
    codes,
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
    let mut done = send(&order)?;
    let text = in_words(&whom, &done, "Revoked");
    if !done["pending"].is_object() {
        return Answer::new(text, &done);
    }
    // Not all that was ordered is done: whoever looks at nothing but the exit code must not think so.
    let code = codes::REVOCATION_PENDING;
    done["code"] = json!(code.code());
    done["title"] = json!(code.title());
    done["explanation"] = json!(why_it_waits(&done["pending"]));
    Ok(Answer { exit_code: code.exit_code(), ..Answer::new(text, &done)? })
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
        return waiting_in_words(whom, answer);
    }
    let head = match answer["warning"].as_str() {
        // An order against a key that no registered certificate has.
        Some(warning) => format!("{}\n  about:   {whom}", quoted(warning.to_owned())),
        None => format!("{done}: {whom}"),
    };
    let mut text = format!(
        "{head}\n  reason:  {}\n  from:    {}\n",
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

/// Why one person's order is not carried out, and what would be.
fn why_it_waits(pending: &Value) -> String {
    let said = |value: &Value| quoted(value.as_str().unwrap_or("?").to_owned());
    let was = &pending["was"];
    let since = said(&was["revocation_date"]);
    match pending["reason"].as_str() {
        Some("removeFromCRL") => {
            format!("on hold since {since}; lifting that takes a second person")
        }
        _ => format!(
            "already revoked since {since} ({}); a later date takes a second person, an earlier or equal \
             --compromised-since takes effect at once",
            said(&was["reason"])
        ),
    }
}

/// A proposal, in words: what was done at once of an order for a compromise, or that nothing was done; then
/// what waits.
fn waiting_in_words(whom: &str, answer: &Value) -> String {
    let said = |value: &Value| quoted(value.as_str().unwrap_or("?").to_owned());
    let (at_once, pending) = (&answer["at_once"], &answer["pending"]);
    let why = why_it_waits(pending);
    let what = if at_once.is_object() {
        format!("that the revocation date of {whom} moves later")
    } else {
        whom.to_owned()
    };
    if answer["dry_run"] == true {
        let done = at_once.is_object().then(|| in_words(whom, at_once, "Would be revoked"));
        let done = done.unwrap_or_default();
        return format!("{done}Would wait for a second person: {what}\n  why:      {why}\n");
    }
    let head = if at_once.is_object() {
        let done = in_words(whom, at_once, "Revoked");
        format!("{done}Waits for a second person: {what}")
    } else {
        format!("Nothing has changed yet; it takes a second person: {what}")
    };
    let (id, digest) = (&pending["id"], said(&pending["proposal_sha256"]));
    format!(
        "{head}\n  why:      {why}\n  \
         proposal: {id}\n  comment:  {}\n  until:    {}\n  \
         approve:  countersign revocation approve {id} --sha256 {digest}\n  \
         withdraw: countersign revocation withdraw {id}\n  code:     {}\n",
        said(&pending["comment"]),
        said(&pending["expires_at"]),
        codes::REVOCATION_PENDING,
    )
}
