//! `policy`.

use std::path::Path;

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, digest},
    finding::{Finding, FindingCode},
    pattern::Pattern,
    policy::{
        AfterExpiry, Compromise, POLICY_VERSION, Policy, RevocationMode, Signer, Transparency,
    },
    x509::PublicKey,
};
use countersign_signing::files::FileMode;
use serde_json::{Map, Value, json};

use crate::{
    arguments::{
        AfterExpiryName, CompromiseName, PolicyInitArguments, PolicyLintArguments,
        RevocationModeName,
    },
    failure::{Outcome, path_text},
    input,
    output::{Answer, style, styled},
    writing::{Existing, write},
};

/// Writes a policy, after the core has read it.
pub(super) fn init(arguments: &PolicyInitArguments) -> Outcome<Answer> {
    let every_file = ["**".to_owned()];
    let files = if arguments.files.is_empty() { &every_file[..] } else { &arguments.files };
    let signer = signer(arguments, files)?;
    let compromise = match arguments.compromise {
        CompromiseName::Warn => "warn",
        CompromiseName::Reject => "reject",
    };
    let mut revocation = match arguments.revocation {
        RevocationModeName::Required => json!({ "signer": "required", "compromise": compromise }),
        RevocationModeName::WhenAvailable => {
            json!({ "signer": "when-available", "compromise": compromise })
        }
        RevocationModeName::Off => json!({
            "signer": "off", "authorities": "off", "timestamp_authorities": "off",
            "compromise": compromise,
        }),
    };
    if arguments.after_expiry == AfterExpiryName::LastKnown {
        revocation["after_expiry"] = json!("last-known");
    }
    let policy = json!({
        "version": POLICY_VERSION,
        "signers": [signer],
        "timestamps": { "required": arguments.timestamps },
        "revocation": revocation,
    });
    let content = serde_json::to_string_pretty(&policy)? + "\n";
    let decoded = Policy::decode(content.as_bytes())?;
    decoded.refuse_regular_expressions()?;
    write(&arguments.output, content.as_bytes(), FileMode::Public, Existing::of(arguments.force))?;
    let output = path_text(&arguments.output);
    let text = format!("{output}: written\n{}", remarks_text(&decoded));
    Answer::new(text, &json!({ "policy": output, "remarks": remarks(&decoded) }))
}

/// The one signer of a new policy, with the members that were asked for.
fn signer(arguments: &PolicyInitArguments, files: &[String]) -> Outcome<Value> {
    let keys: Vec<String> =
        arguments.key.iter().map(|path| fingerprint(path)).collect::<Outcome<_>>()?;
    let named = |lists: &[(&str, &[String])]| -> Map<String, Value> {
        let given = lists.iter().filter(|(_, list)| !list.is_empty());
        given.map(|(name, list)| ((*name).to_owned(), json!(list))).collect()
    };
    let mut signer = named(&[
        ("files", files),
        ("identities", &arguments.identity),
        ("keys", &keys),
        ("oidc_issuers", &arguments.oidc_issuer),
        ("predicate_types", &arguments.predicate_type),
    ]);
    let provenance = named(&[
        ("builders", &arguments.builder),
        ("sources", &arguments.source),
        ("refs", &arguments.reference),
        ("build_types", &arguments.build_type),
    ]);
    if !provenance.is_empty() {
        signer.insert("provenance".to_owned(), Value::Object(provenance));
    }
    Ok(Value::Object(signer))
}

/// The fingerprint of a public key's file.
fn fingerprint(path: &Path) -> Outcome<String> {
    let octets = input::public_key(path)?;
    let refused = |found: String| {
        Finding::new(FindingCode::PUBLIC_KEY_MALFORMED).about(path_text(path)).found(found)
    };
    let key = PublicKey::decode(&octets).map_err(|error| refused(error.to_string()))?;
    if !key.algorithm.is_acceptable() {
        return Err(refused(format!("a key that is not accepted: {}", key.algorithm.name())).into());
    }
    Ok(digest(&AwsLc, HashAlgorithm::Sha256, key.raw).to_string())
}

/// Checks a policy.
pub(super) fn lint(arguments: &PolicyLintArguments) -> Outcome<Answer> {
    let policy = input::policy(&arguments.file)?;
    policy
        .refuse_regular_expressions()
        .map_err(|finding| input::of_file(&arguments.file, finding))?;
    let file = path_text(&arguments.file);
    let text = format!(
        "{file} is valid: {}, {} required\n{}",
        counted(policy.signers.len(), "signer"),
        counted(usize::from(policy.timestamps_required), "timestamp"),
        remarks_text(&policy)
    );
    let result = json!({
        "file": file,
        "signers": policy.signers.iter().map(signer_value).collect::<Vec<_>>(),
        "timestamps_required": policy.timestamps_required,
        "remarks": remarks(&policy),
    });
    Answer::new(text, &result)
}

/// `1 signer`, `2 signers`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn signer_value(signer: &Signer) -> Value {
    fn texts(patterns: &[Pattern]) -> Vec<&str> {
        patterns.iter().map(Pattern::text).collect()
    }
    json!({
        "files": texts(&signer.files),
        "identities": texts(&signer.identities),
        "keys": signer.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "oidc_issuers": texts(&signer.oidc_issuers),
        "predicate_types": signer.predicate_types,
        "provenance": signer.provenance.as_ref().map(|rules| json!({
            "builders": texts(&rules.builders),
            "sources": texts(&rules.sources),
            "refs": texts(&rules.refs),
            "build_types": texts(&rules.build_types),
        })),
    })
}

/// What a policy does without, said plainly: it is allowed, and should be meant.
fn remarks(policy: &Policy) -> Vec<&'static str> {
    let revocation = &policy.revocation;
    let said = [
        (
            policy.timestamps_required == 0,
            "No timestamp is required: signatures end with their certificate, and any revocation \
             rejects them.",
        ),
        (
            revocation.signer != RevocationMode::Required,
            "Revocation of the signer is optional: a revoked certificate may go unnoticed.",
        ),
        (
            policy.timestamps_required > 0 && revocation.compromise == Compromise::Warn,
            "Signatures made before a key was compromised stay valid, with a warning.",
        ),
        (
            revocation.after_expiry == AfterExpiry::LastKnown,
            "What was known before a certificate expired counts after it: an older CRL may hide a \
             revocation that came between.",
        ),
        (
            policy.signers.iter().any(is_without_builder),
            "The source or ref of a build is demanded, but not its builder: any builder that the \
             signer vouches for may say it.",
        ),
        (
            policy.transparency == Transparency::Off,
            "No public log is required, even if there is one.",
        ),
    ];
    said.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words).collect()
}

/// Provenance is worth what its builder is.
fn is_without_builder(signer: &Signer) -> bool {
    let rules = signer.provenance.as_ref();
    rules.is_some_and(|rules| {
        rules.builders.is_empty() && !(rules.sources.is_empty() && rules.refs.is_empty())
    })
}

fn remarks_text(policy: &Policy) -> String {
    let line = |words: &'static str| format!("  {} {words}\n", styled(style::STRONG, "note:"));
    remarks(policy).into_iter().map(line).collect()
}
