//! `trust`.

use std::path::Path;

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest, encode_hex},
    finding::quoted,
    time::UnixSeconds,
    tlog::Log,
    trust::{Authority, TrustRoot},
    x509::Certificate,
};
use countersign_signing::{
    files::FileMode,
    profile::{self, Profile},
    trust::{self, TrustedAuthority},
};
use serde_json::{Value, json};

use super::ca;
use crate::{
    arguments::{TrustInitArguments, TrustShowArguments},
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, Words, style, styled},
    session::Session,
    writing::{Existing, prepare, write},
};

/// Writes a trust root.
pub(super) fn init(arguments: &TrustInitArguments, session: &Session) -> Outcome<Answer> {
    let existing = Existing::of(arguments.force);
    prepare(&arguments.output, existing)?;
    let content = match (&arguments.from_file, &arguments.folder) {
        (Some(file), _) => input::trust_root(file)?.1,
        (None, Some(folder)) => {
            let further = &arguments.timestamp_authority;
            of_authority(folder, further, session.now())?.into_bytes()
        }
        (None, None) => return Err(Failure::usage("say from what: --dir DIR or --from-file FILE")),
    };
    let root = TrustRoot::decode(&content)?;
    write(&arguments.output, &content, FileMode::Public, existing)?;
    shown(&arguments.output, &root, &content)
}

/// Shows a trust root.
pub(super) fn show(arguments: &TrustShowArguments, session: &Session) -> Outcome<Answer> {
    let typed = arguments.file.as_ref().or(arguments.trusted_root.as_ref());
    let path = input::required(typed, session.settings.trusted_root.as_ref(), "--trusted-root")?;
    let (root, content) = input::trust_root(&path)?;
    shown(&path, &root, &content)
}

/// The signing CA, and every timestamp authority of the folder whose certificate is valid.
fn of_authority(
    folder: &Path,
    further: &[std::path::PathBuf],
    now: UnixSeconds,
) -> Outcome<String> {
    let ca = ca::open_without_keys(folder)?;
    let url = ca.settings().base_url.clone();
    let signing = TrustedAuthority::new(url.clone(), ca.chain(profile::Authority::Signing));
    let mut stampers = Vec::new();
    for entry in ca.list()? {
        let ended = UnixSeconds::parse_rfc3339(&entry.not_after).is_some_and(|end| end < now);
        if entry.profile != Profile::TimestampAuthority || ended {
            continue;
        }
        let (_, certificate) = ca.issued(&entry.serial)?;
        let mut chain = vec![certificate];
        chain.extend(ca.chain(entry.ca));
        stampers.push(TrustedAuthority::new(url.clone(), chain));
    }
    for argument in further {
        let (name, path) = named(argument);
        let name = name.map_or_else(|| path_text(path), str::to_owned);
        stampers.push(TrustedAuthority::new(name, input::certificates(path)?));
    }
    trust::unite(&mut stampers);
    Ok(trust::build(&[signing], &stampers)?)
}

/// `NAME=FILE`, unless there is a file of that whole name.
fn named(argument: &Path) -> (Option<&str>, &Path) {
    let parts = argument.to_str().and_then(|text| text.split_once('='));
    match parts.filter(|(name, _)| !name.is_empty() && !argument.exists()) {
        Some((name, file)) => (Some(name), Path::new(file)),
        None => (None, argument),
    }
}

fn shown(path: &Path, root: &TrustRoot, content: &[u8]) -> Outcome<Answer> {
    let fingerprint = digest(&AwsLc, HashAlgorithm::Sha256, content).to_string();
    let file = path_text(path);
    let logs = if root.logs.is_empty() { "none" } else { "listed" };
    let text = format!(
        "{file}\n  {fingerprint}\n{}{}{}{}{}",
        section("Signers certified by", &root.certificate_authorities),
        section("Timestamps by", &root.timestamp_authorities),
        counted(&root.timestamp_authorities),
        logs_section("Signatures logged in", &root.logs),
        logs_section("Certificates logged in", &root.certificate_logs),
    );
    let values = |list: &[Authority]| list.iter().map(authority_value).collect::<Vec<_>>();
    let result = json!({
        "trusted_root": file,
        "fingerprint": fingerprint,
        "certificate_authorities": values(&root.certificate_authorities),
        "timestamp_authorities": values(&root.timestamp_authorities),
        "timestamp_authority_count": distinct(&root.timestamp_authorities),
        "logs": logs,
        "transparency_logs": root.logs.iter().map(log_value).collect::<Vec<_>>(),
        "certificate_logs": root.certificate_logs.iter().map(log_value).collect::<Vec<_>>(),
    });
    Answer::new(text, &result)
}

fn section(title: &str, authorities: &[Authority]) -> String {
    let mut text = format!("\n{}\n", styled(style::STRONG, title));
    if authorities.is_empty() {
        text.push_str("  nobody\n");
    }
    text.extend(authorities.iter().map(authority_text));
    text
}

/// For how many a policy's `timestamps.required` takes them, if that is not obvious.
fn counted(authorities: &[Authority]) -> String {
    if authorities.len() < 2 {
        return String::new();
    }
    let different = distinct(authorities);
    let number = match different {
        1 => "one authority".to_owned(),
        several => format!("{several} different authorities"),
    };
    format!("  They count as {number}: those with one address are one.\n")
}

fn distinct(authorities: &[Authority]) -> usize {
    let all = authorities.iter().enumerate();
    all.filter(|(index, one)| !authorities.iter().take(*index).any(|other| other.is_same(one)))
        .count()
}

/// Logs, if there are any; a private authority needs none.
fn logs_section(title: &str, logs: &[Log]) -> String {
    if logs.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", styled(style::STRONG, title));
    for log in logs {
        let url = quoted(log.base_url.clone());
        let id = encode_hex(&log.id);
        text.add(format_args!("  {url}, trusted {}\n    id {id}\n", log.window));
    }
    text
}

fn log_value(log: &Log) -> Value {
    json!({
        "base_url": quoted(log.base_url.clone()),
        "log_id": encode_hex(&log.id),
        "trusted_from": log.window.start,
        "trusted_until": log.window.end,
    })
}

fn certificates(authority: &Authority) -> Vec<Certificate<'_>> {
    authority.certificates().filter_map(|raw| Certificate::decode(raw).ok()).collect()
}

fn authority_text(authority: &Authority) -> String {
    let uri = quoted(authority.uri.clone());
    let mut text = format!("  {uri}, trusted {}\n", authority.window);
    for certificate in certificates(authority) {
        let summary = certificate.summary();
        text.add(format_args!(
            "    {}\n      serial {}, valid {} to {}\n",
            summary.subject, summary.serial, summary.not_before, summary.not_after,
        ));
    }
    text
}

fn authority_value(authority: &Authority) -> Value {
    let fingerprint = |raw: &[u8]| digest(&AwsLc, HashAlgorithm::Sha256, raw).to_string();
    let certificate = |certificate: Certificate<'_>| {
        let mut value = json!(certificate.summary());
        value["fingerprint"] = json!(fingerprint(certificate.raw));
        value
    };
    let certificates: Vec<Value> = certificates(authority).into_iter().map(certificate).collect();
    json!({
        "uri": quoted(authority.uri.clone()),
        "trusted_from": authority.window.start,
        "trusted_until": authority.window.end,
        "certificates": certificates,
    })
}
