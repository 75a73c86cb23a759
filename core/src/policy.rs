//! The policy: who may sign what, and what must be there. JSON; schema in `docs/policy.schema.json`.

mod form;

use alloc::{format, string::String, vec, vec::Vec};

use serde::Deserialize;

use self::form::{PolicyForm, SignerForm};
use crate::{
    digest::Digest,
    finding::{Finding, FindingCode},
    json::{self, JsonFault, strict},
    kind::FileKind,
    limits,
    pattern::Pattern,
};

/// The version of the form.
pub const POLICY_VERSION: u32 = 1;

/// Who may sign which files.
#[derive(Clone, Debug)]
pub struct Signer {
    /// File names; a file whose name was not given matches every signer.
    pub files: Vec<Pattern>,
    /// E-mail addresses or URIs.
    pub identities: Vec<Pattern>,
    /// Managed keys, by the SHA-256 of their `SubjectPublicKeyInfo`.
    pub keys: Vec<Digest>,
    /// Login providers that must have vouched for the identity. Without any, the certificate must
    /// not name one: a private authority vouches itself.
    pub oidc_issuers: Vec<Pattern>,
    /// What a signed statement must be about; without any, anything.
    pub predicate_types: Vec<String>,
    /// What the statement, which then must be provenance, must say.
    pub provenance: Option<ProvenanceRules>,
}

/// What provenance must say; if a list is empty, anything.
#[derive(Clone, Debug, Default)]
pub struct ProvenanceRules {
    /// Who built.
    pub builders: Vec<Pattern>,
    /// From which repository.
    pub sources: Vec<Pattern>,
    /// From which branch or tag.
    pub refs: Vec<Pattern>,
    /// How.
    pub build_types: Vec<Pattern>,
}

impl Signer {
    /// Every pattern with its field.
    fn patterns(&self) -> impl Iterator<Item = (&'static str, &Pattern)> {
        let rules = self.provenance.as_ref();
        let of_rules = rules.into_iter().flat_map(|rules| {
            named("provenance.builders", &rules.builders)
                .chain(named("provenance.sources", &rules.sources))
                .chain(named("provenance.refs", &rules.refs))
                .chain(named("provenance.build_types", &rules.build_types))
        });
        named("files", &self.files)
            .chain(named("identities", &self.identities))
            .chain(named("oidc_issuers", &self.oidc_issuers))
            .chain(of_rules)
    }

    /// Whether this signer may sign a file of that name.
    pub fn covers(&self, file: Option<&str>) -> bool {
        file.is_none_or(|name| self.files.iter().any(|pattern| pattern.matches(name)))
    }

    /// Whether this signer may sign a file of any name.
    pub fn covers_every_file(&self) -> bool {
        self.files.iter().any(|pattern| pattern.text() == "**")
    }
}

/// Whether revocation must be known for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "kebab-case")]
pub enum RevocationMode {
    /// It must be known; otherwise "not checked".
    Required,
    /// It counts if it is known.
    WhenAvailable,
    /// It is not looked at.
    Off,
}

/// What becomes of signatures made before a key was compromised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "kebab-case")]
pub enum Compromise {
    /// They stay valid, with a warning: the timestamp proves that they are older.
    #[default]
    Warn,
    /// They are rejected too.
    Reject,
}

/// What is known of a certificate after it has expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "kebab-case")]
pub enum AfterExpiry {
    /// That it is not listed counts while the issuer must still list it: in evidence from its
    /// validity, or in later evidence that says that it covers expired certificates.
    #[default]
    Listed,
    /// The last that was known within its validity counts too, with a warning.
    LastKnown,
}

/// When evidence that is out of date may still count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Offline {
    /// How old it may be, in seconds since its thisUpdate.
    pub max_age_seconds: u32,
    /// How long after the timestamp it must have been made, in seconds, so that a revocation
    /// that was on its way had arrived.
    #[serde(default = "one_day_in_seconds")]
    pub grace_seconds: u32,
}

fn one_day_in_seconds() -> u32 {
    24 * 60 * 60
}

/// What must be known about revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct Revocation {
    /// Of the signer's certificate.
    pub signer: RevocationMode,
    /// Of the CA certificates above it, the root excepted.
    pub authorities: RevocationMode,
    /// Of the timestamp authority's certificates, the root excepted.
    pub timestamp_authorities: RevocationMode,
    /// How old evidence may be, in seconds since its thisUpdate, even before its nextUpdate.
    pub max_age_seconds: Option<u32>,
    /// When stale evidence may count; never without this.
    pub offline: Option<Offline>,
    /// What becomes of signatures made before a compromise.
    pub compromise: Compromise,
    /// What is known of certificates that have expired.
    pub after_expiry: AfterExpiry,
}

impl Default for Revocation {
    fn default() -> Self {
        Self {
            signer: RevocationMode::Required,
            authorities: RevocationMode::WhenAvailable,
            timestamp_authorities: RevocationMode::WhenAvailable,
            max_age_seconds: None,
            offline: None,
            compromise: Compromise::Warn,
            after_expiry: AfterExpiry::Listed,
        }
    }
}

/// Whether something must be in a public log: a signature, or a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "kebab-case")]
pub enum Transparency {
    /// Where the trust root lists logs.
    #[default]
    WhenListed,
    /// Always.
    Required,
    /// Never, and entries are not looked at.
    Off,
}

/// What becomes of a file that carries another name than the one under which it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "kebab-case")]
pub enum Names {
    /// It passes, with a warning: people rename files.
    Noted,
    /// It is rejected: an old release under a new name would be taken for the new one.
    Exact,
}

strict! {
    string RevocationMode;
    string Compromise;
    string AfterExpiry;
    string Transparency;
    string Names;
    object Offline;
    object Revocation;
}

/// What is demanded of a file.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who may sign.
    pub signers: Vec<Signer>,
    /// What becomes of a file under another name; `None` leaves it to the caller, and without a
    /// caller's choice it is noted.
    pub names: Option<Names>,
    /// How many authorities of the trust root must have vouched for the time of signing.
    pub timestamps_required: u8,
    /// What must be known about revocation.
    pub revocation: Revocation,
    /// Whether a log entry is demanded.
    pub transparency: Transparency,
    /// Whether a certificate log must have seen the signer's certificate.
    pub certificate_transparency: Transparency,
}

impl Policy {
    /// The first pattern that was meant as a regular expression, which it never is. Looked for
    /// where policies are written; such a pattern matches nobody, so verifying stays safe.
    ///
    /// # Errors
    /// `setup.policy.malformed` with the place and what to write.
    pub fn refuse_regular_expressions(&self) -> Result<(), Finding> {
        for (index, signer) in self.signers.iter().enumerate() {
            for (field, pattern) in signer.patterns() {
                let Some(instead) = pattern.in_place_of_regular_expression() else { continue };
                return Err(fault(&format!("signers[{index}].{field}"), pattern.text()).expected(
                    format!(
                        "{instead}; patterns are no regular expressions: * stands for any run of \
                         characters within a part, ** for any run, and everything else for itself"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The policy of the command line's flags: one identity may sign any file, with the defaults
    /// for everything else. Stars in the identity are patterns.
    ///
    /// # Errors
    /// `setup.policy.malformed` when the identity would match anybody.
    pub fn for_identity(identity: &str, oidc_issuer: Option<&str>) -> Result<Self, Finding> {
        Ok(Self {
            signers: vec![SignerForm::of_identity(identity, oidc_issuer).decode(0)?],
            names: None,
            timestamps_required: 1,
            revocation: Revocation::default(),
            transparency: Transparency::default(),
            certificate_transparency: Transparency::default(),
        })
    }

    /// The policy for a managed key that the verifier gives: the key may sign any file.
    /// No timestamp is demanded, since a key never expires; a log entry is, if the trust root
    /// lists logs. No certificate satisfies this policy.
    pub fn for_given_key() -> Self {
        Self {
            signers: Vec::new(),
            names: None,
            timestamps_required: 0,
            revocation: Revocation::default(),
            transparency: Transparency::default(),
            certificate_transparency: Transparency::default(),
        }
    }

    /// Reads a policy of at most [`limits::POLICY_BYTES`].
    ///
    /// # Errors
    /// `setup.policy.malformed` with the place.
    pub fn decode(bytes: &[u8]) -> Result<Self, Finding> {
        if bytes.len() > limits::POLICY_BYTES {
            return Err(fault("the file", "over 1 MiB"));
        }
        let unread = |error: JsonFault| match error {
            JsonFault::Malformed { place, what } if !place.is_empty() => fault(&place, what),
            other => fault("JSON", format!("{other}")),
        };
        let text = json::text(bytes).map_err(unread)?;
        let form: PolicyForm = json::decode(&text).map_err(|error| {
            match FileKind::of(&text).filter(|kind| *kind != FileKind::Policy) {
                Some(kind) => Finding::new(FindingCode::POLICY_OTHER_KIND)
                    .expected("a policy")
                    .found(kind.words()),
                None => unread(error),
            }
        })?;
        form.decode()
    }
}

fn fault(place: &str, found: impl Into<String>) -> Finding {
    Finding::new(FindingCode::POLICY_MALFORMED).about(place).found(found)
}

fn named<'p>(
    field: &'static str,
    patterns: &'p [Pattern],
) -> impl Iterator<Item = (&'static str, &'p Pattern)> {
    patterns.iter().map(move |pattern| (field, pattern))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;

    fn decode(text: &str) -> Result<Policy, Finding> {
        Policy::decode(text.as_bytes())
    }

    #[test]
    fn a_short_policy_has_sound_defaults() {
        let policy = decode(
            r#"{"version":1,"signers":[{"files":["app-*"],"identities":["release@example.com"]}]}"#,
        )
        .unwrap();
        assert_eq!(policy.timestamps_required, 1);
        assert_eq!(policy.revocation.signer, RevocationMode::Required);
        assert_eq!(policy.revocation.compromise, Compromise::Warn);
        assert!(
            policy.signers[0].covers(Some("app-1.0")) && !policy.signers[0].covers(Some("other"))
        );
        assert!(policy.signers[0].covers(None));
    }

    #[test]
    fn refuses_policies_that_would_let_anybody_pass() {
        for text in [
            r#"{"version":1,"signers":[]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":[]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"keys":[]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{}}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{"refs":[""]}}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{"sources":["**"]}}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{"sources":["git+https://a/b"]}}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{"builders":["https://*"]}}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{"build_types":[""]}}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{"builder":["x"]}}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"keys":["sha256:00"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"keys":["*"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["*"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":[""]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["*@*"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["*@*.*"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["**e**"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["https://**"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["**://git.example/x"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["**@example.com"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["https://a/**@refs/heads/main"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a"],"oidc_issuers":["*@a"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"],"provenance":{"builders":["*@a"]}}]}"#,
            r#"{"version":1,"names":"both","signers":[{"files":["**"],"identities":["a@b"]}]}"#,
            r#"{"version":1,"signers":[{"files":[""],"identities":["a@b"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a"],"oidc_issuers":["**"]}]}"#,
            r#"{"version":1,"signers":[{"files":[],"identities":["a@b"]}]}"#,
            r#"{"version":2,"signers":[{"files":["**"],"identities":["a@b"]}]}"#,
            r#"{"version":1,"signers":[{"files":["**"],"identities":["a@b"]}],"revocaton":{}}"#,
            r#"{"version":1,"version":1,"signers":[{"files":["**"],"identities":["a@b"]}]}"#,
            r"{",
            "",
            "[]",
        ] {
            assert_eq!(decode(text).unwrap_err().code, FindingCode::POLICY_MALFORMED, "{text}");
        }
        assert!(Policy::for_identity("*", None).is_err());
    }
}
