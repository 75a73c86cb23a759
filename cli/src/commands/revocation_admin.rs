//! `revocation list`, `pending`, `approve`, `reject`, `withdraw`, `import`, `export`, `backup`.

use std::fmt::Write as _;

use countersign_core::finding::quoted;
use countersign_signing::files::FileMode;
use serde_json::{Value, json};

use super::admin::Admin;
use crate::{
    arguments::{
        AdminArguments, RevocationDecisionArguments, RevocationExportArguments,
        RevocationImportArguments, RevocationListArguments, RevocationWithdrawArguments,
    },
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, Words},
    prompt::Confirmation,
    session::{Interaction, Session},
    writing::{Existing, write},
};

/// The largest file that is imported: what the service's largest `admin_max_body_bytes` takes.
const MAXIMUM_IMPORT_OCTETS: usize = 64 << 20;

fn said(value: &Value) -> String {
    quoted(value.as_str().unwrap_or("?").to_owned())
}

/// Lists an issuer's revocations, or all its certificates.
pub(super) fn list(arguments: &RevocationListArguments, session: &Session) -> Outcome<Answer> {
    let admin = Admin::open(&arguments.admin, session)?;
    let status = if arguments.all { "any" } else { "revoked" };
    let certificates = certificates(&admin, &arguments.issuer, status)?;
    let mut text = String::new();
    for certificate in &certificates {
        let revocation = &certificate["revocation"];
        let state = if revocation.is_object() {
            let date = said(&revocation["revocation_date"]);
            format!("{} from {date}", said(&revocation["reason"]))
        } else {
            said(&certificate["status"])
        };
        let subject = certificate["subject"].as_str().unwrap_or("").to_owned();
        text.add(format_args!("{} {state} {}\n", said(&certificate["serial"]), quoted(subject)));
    }
    Answer::new(text, &json!({ "certificates": certificates }))
}

/// All certificates of an issuer, page by page.
fn certificates(admin: &Admin<'_>, issuer: &str, status: &str) -> Outcome<Vec<Value>> {
    let legal = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    if issuer.is_empty() || !issuer.bytes().all(legal) {
        return Err(Failure::usage("an issuer's name is of a–z, 0–9 and -"));
    }
    pages(admin, &format!("/v1/certificates/{issuer}?status={status}"), "certificates")
}

/// The entries called `member` of every page that begins at `path`.
fn pages(admin: &Admin<'_>, path: &str, member: &str) -> Outcome<Vec<Value>> {
    let mut entries = Vec::new();
    let mut next = String::new();
    loop {
        let mut page = admin.get(&format!("{path}{next}"))?;
        if let Value::Array(found) = page[member].take() {
            entries.extend(found);
        }
        let Some(after) = page["next"].as_str() else { return Ok(entries) };
        let separator = if path.contains('?') { '&' } else { '?' };
        next = format!("{separator}after={after}");
    }
}

/// Lists what waits for a second person.
pub(super) fn pending(arguments: &AdminArguments, session: &Session) -> Outcome<Answer> {
    let answer = Admin::open(arguments, session)?.get("/v1/pending")?;
    let mut text = String::new();
    for proposal in answer["pending"].as_array().into_iter().flatten() {
        text.push_str(&proposal_text(proposal));
    }
    if text.is_empty() {
        text.push_str("Nothing waits.\n");
    }
    Answer::new(text, &answer)
}

fn proposal_text(proposal: &Value) -> String {
    let what = match proposal["reason"].as_str() {
        Some("removeFromCRL") => "lift the hold on".to_owned(),
        _ => format!("move to {} the revocation of", said(&proposal["compromised_since"])),
    };
    let mut text = format!(
        "{}: {}: {what} {} {}\n",
        proposal["id"],
        said(&proposal["state"]),
        said(&proposal["issuer"]),
        said(&proposal["serial"]),
    );
    let was = &proposal["was"];
    if was.is_object() {
        text.add(format_args!(
            "  was:      {} from {}, recorded {} by {}\n",
            said(&was["reason"]),
            said(&was["revocation_date"]),
            said(&was["recorded_at"]),
            said(&was["recorded_by"]),
        ));
    }
    text.add(format_args!(
        "  becomes:  {}\n  proposed: {} by {}: {}\n  until:    {}\n  sha256:   {}\n",
        becomes(proposal),
        said(&proposal["proposed_at"]),
        said(&proposal["proposed_by"]),
        said(&proposal["comment"]),
        said(&proposal["expires_at"]),
        said(&proposal["proposal_sha256"]),
    ));
    if proposal["decided_by"].is_string() {
        text.add(format_args!(
            "  decided:  {} by {}: {}\n",
            said(&proposal["decided_at"]),
            said(&proposal["decided_by"]),
            said(&proposal["decision_comment"]),
        ));
    }
    text
}

/// The state that an approval leads to.
fn becomes(proposal: &Value) -> String {
    match proposal["reason"].as_str() {
        Some("removeFromCRL") => "good".to_owned(),
        _ => {
            format!("{} from {}", said(&proposal["reason"]), said(&proposal["compromised_since"]))
        }
    }
}

/// The digest of the proposal as it is now, once a person has seen it and agreed.
fn agreed(
    admin: &Admin<'_>,
    arguments: &RevocationDecisionArguments,
    decision: &str,
    session: &Session,
) -> Outcome<String> {
    if let Some(digest) = &arguments.sha256 {
        return Ok(digest.clone());
    }
    if session.interaction == Interaction::Nobody {
        let found = "say which proposal you were shown: --sha256, as `revocation pending` has it";
        return Err(Failure::usage(found));
    }
    let listed = admin.get("/v1/pending")?;
    let mut proposals = listed["pending"].as_array().into_iter().flatten();
    let proposal = proposals.find(|proposal| proposal["id"] == arguments.id);
    let proposal = proposal.ok_or_else(|| {
        Failure::usage(format!("there is no proposal {} among the newest", arguments.id))
    })?;
    session.output.complain(proposal_text(proposal).trim_end());
    let question = match decision {
        "approve" => "Approve this?",
        _ => "Reject this?",
    };
    session.confirm(question, Confirmation::Needed)?;
    Ok(proposal["proposal_sha256"].as_str().unwrap_or_default().to_owned())
}

/// Approves or rejects a proposal.
pub(super) fn decide(
    arguments: &RevocationDecisionArguments,
    decision: &str,
    session: &Session,
) -> Outcome<Answer> {
    let admin = Admin::open(&arguments.admin, session)?;
    let digest = agreed(&admin, arguments, decision, session)?;
    let path = format!("/v1/pending/{}/{decision}", arguments.id);
    let body = json!({ "proposal_sha256": digest, "comment": arguments.comment });
    let done = admin.post(&path, "application/json", &serde_json::to_vec(&body)?)?;
    Answer::new(proposal_text(&done["pending"]), &done)
}

/// Takes a proposal of one's own back.
pub(super) fn withdraw(
    arguments: &RevocationWithdrawArguments,
    session: &Session,
) -> Outcome<Answer> {
    let admin = Admin::open(&arguments.admin, session)?;
    let path = format!("/v1/pending/{}/withdraw", arguments.id);
    let body = serde_json::to_vec(&json!({ "comment": arguments.comment }))?;
    let done = admin.post(&path, "application/json", &body)?;
    Answer::new(proposal_text(&done["pending"]), &done)
}

/// Takes over what another system knew.
pub(super) fn import(arguments: &RevocationImportArguments, session: &Session) -> Outcome<Answer> {
    let content = input::read(&arguments.file, MAXIMUM_IMPORT_OCTETS)?;
    let admin = Admin::open(&arguments.admin, session)?;
    let done = match &arguments.issuer {
        Some(issuer) => {
            admin.post(&format!("/v1/import/{issuer}"), "application/octet-stream", &content)?
        }
        None => admin.post("/v1/import", "application/x-ndjson", &content)?,
    };
    let text = format!(
        "{} certificates are new, {} were known; {} revocations, {} keys, {} releases.\n",
        done["certificates"], done["known"], done["revocations"], done["keys"], done["releases"]
    );
    Answer::new(text, &done)
}

/// Writes everything that the service knows, as JSON Lines.
pub(super) fn export(arguments: &RevocationExportArguments, session: &Session) -> Outcome<Answer> {
    let admin = Admin::open(&arguments.admin, session)?;
    let mut lines = json!({ "kind": "export", "format": 1 }).to_string();
    lines.push('\n');
    let mut counts = json!({});
    let mut add = |kind: &str, entries: Vec<Value>| {
        let known = counts[kind].as_u64().unwrap_or(0);
        counts[kind] = json!(known + entries.len() as u64);
        for mut entry in entries {
            entry["kind"] = json!(kind);
            // Writing to a String does not fail.
            let _ = writeln!(lines, "{entry}");
        }
    };
    add("key", pages(&admin, "/v1/keys", "keys")?);
    let issuers = admin.get("/v1/issuers")?;
    for issuer in issuers["issuers"].as_array().into_iter().flatten() {
        let name = issuer["name"].as_str().unwrap_or_default();
        add("certificate", certificates(&admin, name, "any")?);
    }
    add("release", pages(&admin, "/v1/releases", "releases")?);
    let existing = if arguments.force { Existing::Replace } else { Existing::Keep };
    write(&arguments.output, lines.as_bytes(), FileMode::Private, existing)?;
    let text = format!(
        "{}: {} certificates, {} keys, {} releases.\n",
        path_text(&arguments.output),
        counts["certificate"].as_u64().unwrap_or(0),
        counts["key"].as_u64().unwrap_or(0),
        counts["release"].as_u64().unwrap_or(0),
    );
    Answer::new(text, &json!({ "file": path_text(&arguments.output), "counts": counts }))
}

/// Has the service copy its database.
pub(super) fn backup(arguments: &AdminArguments, session: &Session) -> Outcome<Answer> {
    let done = Admin::open(arguments, session)?.post("/v1/backups", "application/json", b"{}")?;
    let text =
        format!("{} on the service's machine: {} bytes.\n", said(&done["path"]), done["octets"]);
    Answer::new(text, &done)
}
