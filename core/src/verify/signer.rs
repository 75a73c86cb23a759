//! Who signed? The signer's certificate path, and whether the policy knows the signer.

use alloc::{format, string::String, vec::Vec};

use super::Run;
use crate::{
    finding::{Finding, FindingCode},
    policy::Signer,
    time::ProvenTime,
    trust::Authority,
    x509::{Purpose, VerifiedPath, path},
};

impl<'a> Run<'a> {
    /// The path to one of the trust root's certificate authorities, valid at the proven time or,
    /// without one, now.
    pub(super) fn signer_path(
        &self,
        signed_by: Option<ProvenTime>,
    ) -> Result<VerifiedPath<'a>, Finding> {
        let mut best: Option<Finding> = None;
        for authority in &self.context.trust.certificate_authorities {
            match self.path_under(authority, signed_by) {
                Ok(path) => return Ok(path),
                Err(finding) => {
                    // "Unknown issuer" is what every other authority says; the rest tells more.
                    let tells = finding.code != FindingCode::CertificateUnknownIssuer;
                    if best.is_none() || tells {
                        best = Some(finding);
                    }
                }
            }
        }
        Err(best.unwrap_or_else(|| Finding::new(FindingCode::TrustRootEmpty)))
    }

    fn path_under(
        &self,
        authority: &'a Authority,
        signed_by: Option<ProvenTime>,
    ) -> Result<VerifiedPath<'a>, Finding> {
        let at = signed_by.map_or(self.context.now, ProvenTime::time);
        let further = self.bundle.further_certificates.iter().map(Vec::as_slice);
        let intermediates: Vec<&[u8]> = authority.intermediates().chain(further).collect();
        let anchors: Vec<&[u8]> = authority.anchors().collect();
        let crypto = self.context.crypto;
        let path =
            path::verify(self.leaf, &intermediates, &anchors, at, Purpose::CodeSigning, crypto)?;
        if authority.window.contains(at) {
            return Ok(path);
        }
        Err(Finding::new(FindingCode::CertificateUnknownIssuer)
            .about(format!("authority {}", authority.uri))
            .expected(format!("a signature made {}", authority.window))
            .found(format!("{at}")))
    }

    /// The rules of the policy that allow this signer for this file name; none with a finding.
    pub(super) fn inspect_signer(&mut self, path: &VerifiedPath<'a>) -> Vec<&'a Signer> {
        match self.signer_rules(path) {
            Ok(rules) => rules,
            Err(finding) => {
                self.findings.push(finding);
                Vec::new()
            }
        }
    }

    fn signer_rules(&self, path: &VerifiedPath<'a>) -> Result<Vec<&'a Signer>, Finding> {
        let extensions = &path.leaf().extensions;
        let identities: Vec<&str> = path.leaf().identities().collect();
        if identities.is_empty() {
            let subject = path.leaf().subject_text();
            return Err(Finding::new(FindingCode::CertificateIdentityAbsent).about(subject));
        }
        let name = self.context.evidence.artifact.name;
        let covering: Vec<&'a Signer> =
            self.context.policy.signers.iter().filter(|signer| signer.covers(name)).collect();
        if covering.is_empty() {
            let name = name.unwrap_or("a file without a name");
            return Err(Finding::new(FindingCode::PolicyNoSigner).about(name));
        }
        let is_expected = |signer: &&'a Signer| {
            signer.identities.iter().any(|each| identities.iter().any(|name| each.matches(name)))
        };
        let expected: Vec<&'a Signer> = covering.iter().copied().filter(is_expected).collect();
        if expected.is_empty() {
            return Err(Finding::new(FindingCode::CertificateUnexpectedIdentity)
                .expected(texts(&covering, |signer| &signer.identities))
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
            return Err(Finding::new(FindingCode::CertificateUnexpectedOidcIssuer)
                .expected(wanted)
                .found(extensions.oidc_issuer.unwrap_or("none")));
        }
        Ok(rules)
    }
}

fn texts(signers: &[&Signer], list: impl Fn(&Signer) -> &Vec<crate::pattern::Pattern>) -> String {
    let texts: Vec<&str> = signers
        .iter()
        .flat_map(|signer| list(signer).iter().map(crate::pattern::Pattern::text))
        .collect();
    texts.join(" or ")
}
