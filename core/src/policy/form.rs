//! The JSON form of a policy.

use alloc::{format, string::String, vec::Vec};

use serde::Deserialize;

use super::{
    Names, POLICY_VERSION, Policy, ProvenanceRules, Revocation, Signer, Transparency, fault,
};
use crate::{
    digest::{Digest, HashAlgorithm},
    finding::Finding,
    json::strict,
    pattern::{Form, Kind, Pattern},
};

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct PolicyForm {
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    version: u32,
    signers: Vec<SignerForm>,
    names: Option<Names>,
    #[serde(default)]
    timestamps: TimestampsForm,
    #[serde(default)]
    revocation: Revocation,
    #[serde(default)]
    transparency: Transparency,
    #[serde(default)]
    certificate_transparency: Transparency,
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
struct TimestampsForm {
    required: u8,
}

impl Default for TimestampsForm {
    fn default() -> Self {
        Self { required: 1 }
    }
}

#[derive(Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(super) struct SignerForm {
    files: Vec<String>,
    #[serde(default)]
    identities: Vec<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    oidc_issuers: Vec<String>,
    #[serde(default)]
    predicate_types: Vec<String>,
    provenance: Option<ProvenanceForm>,
}

#[derive(Default, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
struct ProvenanceForm {
    builders: Vec<String>,
    sources: Vec<String>,
    refs: Vec<String>,
    build_types: Vec<String>,
}

strict! {
    object PolicyForm;
    object TimestampsForm;
    object SignerForm;
    object ProvenanceForm;
}

impl PolicyForm {
    pub(super) fn decode(self) -> Result<Policy, Finding> {
        if self.version != POLICY_VERSION {
            return Err(fault("version", format!("{}", self.version)).expected("1"));
        }
        if self.signers.is_empty() {
            return Err(fault("signers", "none"));
        }
        let signers = self.signers.into_iter().enumerate();
        Ok(Policy {
            signers: signers
                .map(|(index, signer)| signer.decode(index))
                .collect::<Result<_, _>>()?,
            names: self.names,
            timestamps_required: self.timestamps.required,
            revocation: self.revocation,
            transparency: self.transparency,
            certificate_transparency: self.certificate_transparency,
        })
    }
}

impl SignerForm {
    /// Whoever has that identity may sign any file.
    pub(super) fn of_identity(identity: &str, oidc_issuer: Option<&str>) -> Self {
        Self {
            files: vec![String::from("**")],
            identities: vec![String::from(identity)],
            keys: Vec::new(),
            oidc_issuers: oidc_issuer.map(String::from).into_iter().collect(),
            predicate_types: Vec::new(),
            provenance: None,
        }
    }

    pub(super) fn decode(self, index: usize) -> Result<Signer, Finding> {
        let place = |field: &str| format!("signers[{index}].{field}");
        if self.files.is_empty() || self.files.iter().any(String::is_empty) {
            return Err(fault(&place("files"), "none; write [\"**\"] for every file"));
        }
        if self.identities.is_empty() && self.keys.is_empty() {
            return Err(fault(&place("identities"), "none, and no keys"));
        }
        let key = |text: &String| {
            let digest = Digest::parse(text);
            digest.filter(|digest| digest.algorithm() == HashAlgorithm::Sha256).ok_or_else(|| {
                fault(&place("keys"), text.as_str()).expected("sha256: and 64 hexadecimal digits")
            })
        };
        let keys = self.keys.iter().map(key).collect::<Result<_, _>>()?;
        let provenance =
            self.provenance.map(|form| form.decode(&place("provenance"))).transpose()?;
        Ok(Signer {
            provenance,
            identities: names(&place("identities"), &self.identities)?,
            keys,
            oidc_issuers: uris(&place("oidc_issuers"), &self.oidc_issuers)?,
            files: self.files.iter().map(|text| Pattern::new(text, Kind::FileName)).collect(),
            predicate_types: self.predicate_types,
        })
    }
}

/// Patterns of names, each of which says whose names it matches.
fn names(place: &str, texts: &[String]) -> Result<Vec<Pattern>, Finding> {
    let patterns: Vec<_> = texts.iter().map(|text| Pattern::new(text, Kind::Identity)).collect();
    for pattern in &patterns {
        let expected = if !pattern.names_a_host() {
            "a name, or a pattern with its host or domain written out"
        } else if pattern.runs_across_at() {
            "* in place of ** before @, once for each part: ** would match an @ too"
        } else {
            continue;
        };
        return Err(fault(place, pattern.text()).expected(expected));
    }
    Ok(patterns)
}

/// Patterns of what is always a URI; one of an e-mail address would match nothing that was meant.
fn uris(place: &str, texts: &[String]) -> Result<Vec<Pattern>, Finding> {
    let patterns = names(place, texts)?;
    match patterns.iter().find(|pattern| pattern.form() == Form::Email) {
        Some(pattern) => Err(fault(place, pattern.text())
            .expected("an address such as https://example.com, not an e-mail address")),
        None => Ok(patterns),
    }
}

impl ProvenanceForm {
    fn decode(self, place: &str) -> Result<ProvenanceRules, Finding> {
        let field = |name: &str| format!("{place}.{name}");
        let lists = [&self.builders, &self.sources, &self.refs, &self.build_types];
        if lists.iter().all(|list| list.is_empty()) {
            return Err(fault(place, "no expectation; leave it out"));
        }
        if self.refs.iter().any(String::is_empty) {
            return Err(fault(&field("refs"), "an empty name"));
        }
        // What is compared has lost it: see docs/policy.md.
        if let Some(source) = self.sources.iter().find(|source| source.starts_with("git+")) {
            return Err(fault(&field("sources"), source.as_str())
                .expected("the repository's address without git+"));
        }
        Ok(ProvenanceRules {
            builders: uris(&field("builders"), &self.builders)?,
            sources: uris(&field("sources"), &self.sources)?,
            // A * in a ref stays within its part, as in file names.
            refs: self.refs.iter().map(|text| Pattern::new(text, Kind::FileName)).collect(),
            build_types: uris(&field("build_types"), &self.build_types)?,
        })
    }
}
