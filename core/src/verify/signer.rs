//! Who signed? The signer's certificate path, and whether the policy knows the signer.

use alloc::{format, string::String, vec::Vec};
use core::cmp::Reverse;

use base64ct::{Base64, Base64Unpadded, Encoding};

use super::{Context, Run};
use crate::{
    bundle::Bundle,
    digest::Digest,
    finding::{Finding, FindingCode},
    pattern::{Form, Pattern},
    policy::Signer,
    time::UnixSeconds,
    trust::{Authority, lacks},
    x509::{Certificate, GeneralName, Purpose, VerifiedPath, path},
};

impl<'a> Context<'a> {
    /// Every path of a bundle's certificate to one of the trust root's certificate authorities, valid at
    /// `at`; at least one.
    pub(super) fn signer_paths(
        &self,
        bundle: &'a Bundle,
        leaf: &Certificate<'a>,
        at: UnixSeconds,
    ) -> Result<Vec<VerifiedPath<'a>>, Finding> {
        let mut paths = Vec::new();
        let mut refused: Option<Finding> = None;
        for authority in &self.trust.certificate_authorities {
            match self.paths_under(bundle, leaf, authority, at) {
                Ok(found) => paths.extend(found),
                Err(finding) => {
                    if refused.as_ref().is_none_or(|other| telling(other) < telling(&finding)) {
                        refused = Some(finding);
                    }
                }
            }
        }
        if paths.is_empty() {
            return Err(refused.unwrap_or_else(|| lacks("certificateAuthorities")));
        }
        Ok(paths)
    }

    fn paths_under(
        &self,
        bundle: &'a Bundle,
        leaf: &Certificate<'a>,
        authority: &'a Authority,
        at: UnixSeconds,
    ) -> Result<Vec<VerifiedPath<'a>>, Finding> {
        let further = bundle.further_certificates().iter().map(Vec::as_slice);
        let intermediates: Vec<&[u8]> = authority.intermediates().chain(further).collect();
        let anchors: Vec<&[u8]> = authority.anchors().collect();
        let purpose = Purpose::CodeSigning;
        let paths = path::verify_all_by(self.means(), leaf, &intermediates, &anchors, at, purpose)?;
        if authority.window.contains(at) {
            return Ok(paths);
        }
        Err(Finding::new(FindingCode::CERTIFICATE_UNKNOWN_ISSUER)
            .about(format!("authority {}", authority.uri))
            .expected(format!("a signature made {}", authority.window))
            .found(format!("{at}")))
    }
}

impl<'a> Run<'a> {
    /// The rules of the policy that allow a managed key for this file name; none with a finding,
    /// or if the policy asks for nobody: then the key that was given is who is expected.
    pub(super) fn inspect_managed_key(&mut self, fingerprint: &Digest) -> Vec<&'a Signer> {
        let crate::bundle::Verifier::PublicKey { hint } = &self.bundle.verifier else {
            return Vec::new();
        };
        if !is_hint_at(hint, fingerprint) {
            let finding = Finding::new(FindingCode::KEY_HINT_DIFFERS);
            self.findings.push(finding.expected(format!("{fingerprint}")).found(hint.clone()));
        }
        if self.context.policy.signers.is_empty() {
            return Vec::new();
        }
        let rules = self.covering_rules().and_then(|covering| {
            let names_key = |rule: &&'a Signer| rule.keys.contains(fingerprint);
            let rules: Vec<&'a Signer> = covering.iter().copied().filter(names_key).collect();
            if rules.is_empty() {
                return Err(Finding::new(FindingCode::KEY_NOT_ALLOWED)
                    .expected(expected_signers(&covering))
                    .found(format!("key {fingerprint}")));
            }
            Ok(rules)
        });
        self.taken(rules)
    }

    /// The rules that allow the signer; none, and a finding, if there are none.
    fn taken(&mut self, rules: Result<Vec<&'a Signer>, Finding>) -> Vec<&'a Signer> {
        match rules {
            Ok(rules) => {
                self.note_files_not_compared(&rules);
                rules
            }
            Err(finding) => {
                self.findings.push(finding);
                Vec::new()
            }
        }
    }

    /// The rules for this file name.
    fn covering_rules(&self) -> Result<Vec<&'a Signer>, Finding> {
        let artifact = self.artifact;
        let name = artifact.known_as();
        let covers = |signer: &&'a Signer| {
            if artifact.has_odd_name() { signer.covers_every_file() } else { signer.covers(name) }
        };
        let covering: Vec<&'a Signer> = self.context.policy.signers.iter().filter(covers).collect();
        if covering.is_empty() {
            let name = name.unwrap_or("a file whose name is not Unicode");
            return Err(Finding::new(FindingCode::POLICY_NO_SIGNER).about(name));
        }
        Ok(covering)
    }

    /// That nothing was compared with the `files` of the rules, if each of them is for certain files.
    fn note_files_not_compared(&mut self, rules: &[&'a Signer]) {
        let artifact = self.artifact;
        let is_open = artifact.known_as().is_none() && !artifact.has_odd_name();
        if is_open && !rules.is_empty() && !rules.iter().any(|rule| rule.covers_every_file()) {
            let files = texts(rules, |rule| &rule.files);
            let finding = Finding::new(FindingCode::POLICY_FILES_NOT_COMPARED);
            self.findings.push(finding.expected(format!("a file named {files}")).found("no name"));
        }
    }

    /// The rules of the policy that allow this signer for this file name; none with a finding.
    pub(super) fn inspect_signer(&mut self, path: &VerifiedPath<'a>) -> Vec<&'a Signer> {
        let rules = self.signer_rules(path.leaf());
        self.taken(rules)
    }

    /// The rules that allow the owner of that certificate, whoever issued it.
    pub(super) fn signer_rules(&self, leaf: &Certificate<'a>) -> Result<Vec<&'a Signer>, Finding> {
        let extensions = &leaf.extensions;
        let identities: Vec<&str> = leaf.identities().collect();
        if identities.is_empty() {
            let subject = leaf.subject_text();
            return Err(Finding::new(FindingCode::CERTIFICATE_IDENTITY_ABSENT).about(subject));
        }
        let covering = self.covering_rules()?;
        let is_expected = |signer: &&'a Signer| {
            let mut names = extensions.subject_alt_names.iter();
            names.any(|name| signer.identities.iter().any(|pattern| is_named(pattern, name)))
        };
        let expected: Vec<&'a Signer> = covering.iter().copied().filter(is_expected).collect();
        if expected.is_empty() {
            return Err(Finding::new(FindingCode::CERTIFICATE_UNEXPECTED_IDENTITY)
                .expected(expected_signers(&covering))
                .found(identities.join(", ")));
        }
        let vouched = |signer: &&'a Signer| match extensions.oidc_issuer {
            Some(issuer) => signer.oidc_issuers.iter().any(|each| each.matches(issuer)),
            // A private authority vouches itself and names nobody.
            None => signer.oidc_issuers.is_empty(),
        };
        let rules: Vec<&'a Signer> = expected.into_iter().filter(vouched).collect();
        if rules.is_empty() {
            let wanted = texts(&covering, |signer| &signer.oidc_issuers);
            let wanted = if wanted.is_empty() { String::from("none") } else { wanted };
            return Err(Finding::new(FindingCode::CERTIFICATE_UNEXPECTED_OIDC_ISSUER)
                .expected(wanted)
                .found(extensions.oidc_issuer.unwrap_or("none")));
        }
        Ok(rules)
    }
}

/// A pattern of e-mail addresses matches e-mail addresses only, one of URIs only URIs.
fn is_named(pattern: &Pattern, name: &GeneralName<'_>) -> bool {
    let other = match name {
        GeneralName::Email(_) => Form::Uri,
        GeneralName::Uri(_) => Form::Email,
        _ => return false,
    };
    pattern.form() != other && name.identity().is_some_and(|text| pattern.matches(text))
}

/// How much a refusal tells: "unknown issuer" is what every other authority says, and of the rest
/// the mildest is what would have to be mended.
fn telling(finding: &Finding) -> impl Ord + use<> {
    let known = finding.code != FindingCode::CERTIFICATE_UNKNOWN_ISSUER;
    (known, Reverse(finding.code.class()), Reverse(finding.code))
}

/// Whether a hint names the key with that SHA-256, in one of the ways that are in use: base64
/// (Sigstore's clients), `SHA256:` before it without padding (npm's registry), hexadecimal. No hint
/// is none at another key.
fn is_hint_at(hint: &str, fingerprint: &Digest) -> bool {
    let octets = fingerprint.octets();
    hint.is_empty()
        || hint == Base64::encode_string(octets)
        || hint.strip_prefix("SHA256:") == Some(Base64Unpadded::encode_string(octets).as_str())
        || hint.eq_ignore_ascii_case(&fingerprint.hex())
}

/// Identities and keys that would do, for people.
fn expected_signers(signers: &[&Signer]) -> String {
    let keys = signers.iter().flat_map(|signer| &signer.keys);
    let mut all: Vec<String> = keys.map(|key| format!("key {key}")).collect();
    let identities = texts(signers, |signer| &signer.identities);
    if !identities.is_empty() {
        all.insert(0, identities);
    }
    all.join(" or ")
}

fn texts(signers: &[&Signer], list: impl Fn(&Signer) -> &Vec<Pattern>) -> String {
    let texts: Vec<&str> =
        signers.iter().flat_map(|signer| list(signer).iter().map(Pattern::text)).collect();
    texts.join(" or ")
}
