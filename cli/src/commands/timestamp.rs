//! `timestamp`.

use countersign_core::{
    cms::SignedData,
    crypto::aws_lc::AwsLc,
    digest::{Digest, HashAlgorithm, encode_hex},
    limits,
    pem::Kind,
    trust::{self, Authority},
    tsp::{self, CertificateRequest, LegacyTimestamp, Stamped},
};
use countersign_signing::files::FileMode;
use serde_json::json;

use crate::{
    arguments::{TimestampRequestArguments, TimestampVerifyArguments},
    artifact::Artifact,
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, style, styled},
    session::Session,
    timestamping::{self, Believed, Nonce, Question},
    writing::{Existing, prepare, write},
};

/// Asks for a timestamp and keeps the answer.
pub(super) fn request(arguments: &TimestampRequestArguments, session: &Session) -> Outcome<Answer> {
    let existing = Existing::of(arguments.force);
    prepare(&arguments.output, existing)?;
    let urls = match arguments.timestamp_url.as_slice() {
        [] => &session.settings.timestamp_urls,
        typed => typed,
    };
    let imprints = match (&arguments.digest, &arguments.file) {
        (Some(digest), _) => vec![digest.clone()],
        (None, Some(file)) => {
            let mut algorithms: Vec<HashAlgorithm> = Vec::new();
            for algorithm in arguments.hash.iter().copied() {
                if !algorithms.contains(&algorithm) {
                    algorithms.push(algorithm);
                }
            }
            Artifact::open(file)?.hash(session, &algorithms)?.0
        }
        (None, None) => return Err(Failure::usage("say what is to be stamped: FILE or --digest")),
    };
    let first = imprints.first().cloned().ok_or_else(|| Failure::internal("no digest"))?;
    let mut question = Question::new(first);
    question.imprints = imprints;
    question.retries = arguments.retries;
    question.policy = arguments.policy_oid;
    if arguments.no_nonce {
        question.nonce = Nonce::None;
    }
    if arguments.no_certificates {
        question.certificates = CertificateRequest::Omit;
    }
    let trusted = arguments.trusted_root.as_ref().or(session.settings.trusted_root.as_ref());
    let root = trusted.map(|path| input::trust_root(path)).transpose()?.map(|(root, _)| root);
    let believed = match &root {
        Some(root) => Believed::Authorities(&root.timestamp_authorities, session.now()),
        None => Believed::Unverified,
    };
    let client = timestamping::client(&arguments.tls, session)?;
    let stamp = question.ask(session, &client, urls, believed)?;
    write(&arguments.output, &stamp.response, FileMode::Public, existing)?;
    let output = path_text(&arguments.output);
    let verified = root.is_some();
    let remark = if verified { "" } else { "\n  not verified: no trust root was given" };
    let text = format!("{output}: {} by {}{remark}\n", stamp.time, path_text(stamp.url.as_ref()));
    let result = json!({
        "timestamp": output,
        "time": stamp.time,
        "policy": stamp.policy,
        "serial": stamp.serial,
        "url": stamp.url,
        "imprint": stamp.imprint.to_string(),
        "requests": stamp.requests,
        "verified": verified,
    });
    Answer::new(text, &result)
}

/// Verifies a timestamp. Revocation of the authority is not looked at: there is nothing here that
/// the answer could be held against later.
pub(super) fn verify(arguments: &TimestampVerifyArguments, session: &Session) -> Outcome<Answer> {
    let authorities = authorities(arguments, session)?;
    let timestamp = input::object(&arguments.token, Kind::Any, limits::TIMESTAMP_BYTES)?;
    let legacy = LegacyTimestamp::decode(&timestamp);
    let digests = match (&arguments.digest, &arguments.data) {
        (Some(digest), _) => vec![digest.clone()],
        (None, Some(file)) => {
            let algorithm = imprint_algorithm(&timestamp, legacy.as_ref())?;
            Artifact::open(file)?.hash(session, &[algorithm])?.0
        }
        (None, None) => return Err(Failure::usage("say what was stamped: --data or --digest")),
    };
    let now = arguments.at.unwrap_or_else(|| session.now());
    let about = |failure: Failure| match failure.finding().subject {
        Some(_) => failure,
        None => failure.about(path_text(&arguments.token)),
    };
    let stamped = Stamped::Digests(&digests);
    let verified = match &legacy {
        Some(legacy) => tsp::verify_legacy(legacy, stamped, &authorities, &AwsLc, now),
        None => tsp::verify(&timestamp, stamped, &authorities, &AwsLc, now),
    }
    .map_err(|finding| about(finding.into()))?;
    let info = verified.info();
    let authority = verified.path().leaf().summary();
    let text = format!(
        "{} The data existed by {}.\n  stamped:   {}\n  by:        {}\n  policy:    {}\n  serial:    {}\n",
        styled(style::GOOD, "✔ Verified."),
        verified.time().time(),
        info.gen_time,
        authority.subject,
        info.policy,
        encode_hex(info.serial),
    );
    let result = json!({
        "time": verified.time().time(),
        "gen_time": info.gen_time.to_string(),
        "policy": info.policy.to_string(),
        "serial": encode_hex(info.serial),
        "imprint": digests.first().map(Digest::to_string),
        "authority": authority,
        "checked_at": now,
    });
    Answer::new(text, &result)
}

fn authorities(arguments: &TimestampVerifyArguments, session: &Session) -> Outcome<Vec<Authority>> {
    let Some(file) = &arguments.ca_file else {
        let root = session.trust_root(arguments.trusted_root.as_ref())?;
        if root.timestamp_authorities.is_empty() {
            return Err(trust::lacks("timestampAuthorities").into());
        }
        return Ok(root.timestamp_authorities);
    };
    let mut untrusted = Vec::new();
    for path in &arguments.untrusted {
        untrusted.extend(input::certificates(path)?);
    }
    let anchors = input::certificates(file)?;
    Ok(anchors
        .into_iter()
        .map(|anchor| Authority::from_anchor(anchor, untrusted.clone()))
        .collect())
}

/// The hash that the token was made over; SHA-384 if that cannot be read, so that the core says
/// what is wrong.
fn imprint_algorithm(timestamp: &[u8], legacy: Option<&LegacyTimestamp>) -> Outcome<HashAlgorithm> {
    let info = match legacy {
        Some(legacy) => legacy.info().ok(),
        None => SignedData::decode(tsp::token(timestamp)?)
            .ok()
            .and_then(|signed| tsp::TstInfo::decode(signed.content).ok()),
    };
    let algorithm = info.and_then(|info| info.message_imprint.algorithm);
    Ok(algorithm
        .filter(|algorithm| *algorithm != HashAlgorithm::Sha1)
        .unwrap_or(HashAlgorithm::Sha384))
}
