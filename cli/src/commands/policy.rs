//! `policy`.

use countersign_core::{
    pattern::Pattern,
    policy::{Compromise, POLICY_VERSION, Policy, RevocationMode, Transparency},
};
use countersign_signing::files::FileMode;
use serde_json::{Value, json};

use crate::{
    arguments::{CompromiseName, PolicyInitArguments, PolicyLintArguments, RevocationModeName},
    failure::{Outcome, path_text},
    input,
    output::{Answer, style, styled},
    writing::{Existing, write},
};

/// Writes a policy, after the core has read it.
pub(super) fn init(arguments: &PolicyInitArguments) -> Outcome<Answer> {
    let every_file = ["**".to_owned()];
    let files = if arguments.files.is_empty() { &every_file[..] } else { &arguments.files };
    let mut signer = json!({ "files": files, "identities": arguments.identity });
    if !arguments.oidc_issuer.is_empty() {
        signer["oidc_issuers"] = json!(arguments.oidc_issuer);
    }
    let compromise = match arguments.compromise {
        CompromiseName::Warn => "warn",
        CompromiseName::Reject => "reject",
    };
    let revocation = match arguments.revocation {
        RevocationModeName::Required => json!({ "signer": "required", "compromise": compromise }),
        RevocationModeName::WhenAvailable => {
            json!({ "signer": "when-available", "compromise": compromise })
        }
        RevocationModeName::Off => json!({
            "signer": "off", "authorities": "off", "timestamp_authorities": "off",
            "compromise": compromise,
        }),
    };
    let policy = json!({
        "version": POLICY_VERSION,
        "signers": [signer],
        "timestamps": { "required": arguments.timestamps },
        "revocation": revocation,
    });
    let content = serde_json::to_string_pretty(&policy)? + "\n";
    let decoded = Policy::decode(content.as_bytes())?;
    write(&arguments.output, content.as_bytes(), FileMode::Public, Existing::of(arguments.force))?;
    let output = path_text(&arguments.output);
    let text = format!("{output}: written\n{}", remarks_text(&decoded));
    Answer::new(text, &json!({ "policy": output, "remarks": remarks(&decoded) }))
}

/// Checks a policy.
pub(super) fn lint(arguments: &PolicyLintArguments) -> Outcome<Answer> {
    let policy = input::policy(&arguments.file)?;
    let file = path_text(&arguments.file);
    let text = format!(
        "{file}: good; {} signers, {} timestamps required\n{}",
        policy.signers.len(),
        policy.timestamps_required,
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

fn signer_value(signer: &countersign_core::policy::Signer) -> Value {
    fn texts(patterns: &[Pattern]) -> Vec<&str> {
        patterns.iter().map(Pattern::text).collect()
    }
    json!({
        "files": texts(&signer.files),
        "identities": texts(&signer.identities),
        "keys": signer.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "oidc_issuers": texts(&signer.oidc_issuers),
        "predicate_types": signer.predicate_types,
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
            "Revocation of the signer need not be known: a withdrawn key may go unnoticed.",
        ),
        (
            policy.timestamps_required > 0 && revocation.compromise == Compromise::Warn,
            "Signatures made before a key was compromised stay valid, with a warning.",
        ),
        (
            policy.transparency == Transparency::Off,
            "No public log is asked for, even if there is one.",
        ),
    ];
    said.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words).collect()
}

fn remarks_text(policy: &Policy) -> String {
    let line = |words: &'static str| format!("  {} {words}\n", styled(style::STRONG, "note:"));
    remarks(policy).into_iter().map(line).collect()
}
