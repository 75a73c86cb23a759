//! `revoke`.

use base64ct::{Base64, Encoding};
use countersign_core::{crl::RevocationReason, finding::quoted, x509::Certificate};
use serde_json::json;

use super::{admin::Admin, ca_issue::malformed};
use crate::{
    arguments::RevokeArguments,
    failure::{Failure, Outcome},
    input,
    output::Answer,
    prompt::Confirmation,
    session::Session,
};

/// Revokes a certificate. When this succeeds the service has it on disk.
pub(super) fn run(arguments: &RevokeArguments, session: &Session) -> Outcome<Answer> {
    if arguments.reason == RevocationReason::KeyCompromise && arguments.compromised_since.is_none()
    {
        return Err(Failure::usage(
            "keyCompromise needs --compromised-since: signatures from then on are rejected",
        ));
    }
    let mut order = json!({ "reason": arguments.reason.name() });
    let whom = match (&arguments.certificate, &arguments.issuer, &arguments.serial) {
        (Some(path), _, _) => {
            let der = input::certificate(path)?;
            let certificate =
                Certificate::decode(&der).map_err(|error| malformed(path, &error.to_string()))?;
            order["certificate"] = json!(Base64::encode_string(&der));
            let name =
                certificate.identity().map_or_else(|| certificate.subject_text(), str::to_owned);
            format!("{} (serial {})", quoted(name), certificate.serial_text())
        }
        (None, Some(issuer), Some(serial)) => {
            order["issuer"] = json!(issuer);
            order["serial"] = json!(serial);
            format!("serial {} of {}", quoted(serial.clone()), quoted(issuer.clone()))
        }
        _ => return Err(Failure::usage("say which: --certificate, or --issuer with --serial")),
    };
    if let Some(since) = arguments.compromised_since {
        order["compromised_since"] = json!(since);
    }
    let since =
        arguments.compromised_since.map(|time| format!(", since {time}")).unwrap_or_default();
    let question =
        format!("Revoke {whom} for {}{since}? It cannot be undone.", arguments.reason.name());
    let yes = if arguments.yes { Confirmation::Given } else { Confirmation::Needed };
    session.confirm(&question, yes)?;

    let admin = Admin::open(&arguments.admin, session)?;
    let body = serde_json::to_vec(&order)?;
    let done = admin.post("/v1/revocations", "application/json", &body)?;
    let said = |name: &str| quoted(done[name].as_str().unwrap_or("?").to_owned());
    let text = format!(
        "Revoked: {whom}\n  reason:  {}\n  from:    {}\n  on disk: {}\n",
        said("reason"),
        said("revocation_date"),
        said("recorded_at"),
    );
    Answer::new(text, &done)
}
