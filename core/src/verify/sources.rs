//! Where the revocation of the certificates can be looked up, and whether it needs to be.

use alloc::{string::String, vec::Vec};

use super::{Opened, Run, standing, vouched::vouched};
use crate::{
    ocsp,
    policy::RevocationMode,
    revocation::{RevocationEvidence, Subject},
    tsp::VerifiedTimestamp,
    x509::{LinkOctets, VerifiedLink, VerifiedPath},
};

/// Where the revocation of one certificate can be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationSource {
    /// Whose certificate it is.
    pub subject: Subject,
    /// Whether the policy demands that something is known of it.
    pub is_required: bool,
    /// Whether the evidence at hand says something authentic and recent of it, so that nobody need be
    /// asked. A stranger's list does not.
    pub is_covered: bool,
    /// The certificate and its issuer's.
    pub link: LinkOctets,
    /// Addresses of CRLs.
    pub crl_urls: Vec<String>,
    /// Addresses of OCSP responders.
    pub ocsp_urls: Vec<String>,
    /// What those are asked: an `OCSPRequest` about this certificate, DER, without a nonce.
    pub ocsp_request: Vec<u8>,
}

/// The sources that were found so far, each certificate once.
pub(super) struct Sources<'e> {
    /// The evidence at hand; `None` if there is more of it than is looked at.
    pub(super) given: Option<RevocationEvidence<'e>>,
    pub(super) found: Vec<RevocationSource>,
}

impl<'e> Sources<'e> {
    /// Adds those of a bundle's certificates that chain to the trust root.
    pub(super) fn add<'a: 'e>(&mut self, opened: &Opened<'a>, run: &Run<'e>) {
        let required = opened.context.policy.timestamps_required;
        let tokens = opened.tokens().iter().flatten().cloned();
        let timestamps: Vec<VerifiedTimestamp<'a>> = tokens.collect();
        let entries = run.verified_entries();
        let at = run.judged_at(vouched(&timestamps, &entries, required).time);
        // Which of the signer's paths is taken, revocation decides.
        for path in opened.paths_at(at).iter().flatten() {
            self.add_path(path, Subject::Signer, run);
        }
        for path in timestamps.iter().flat_map(VerifiedTimestamp::paths) {
            self.add_path(path, Subject::TimestampAuthority, run);
        }
    }

    fn add_path(&mut self, path: &VerifiedPath<'e>, leaf: Subject, run: &Run<'e>) {
        let rules = &run.context.policy.revocation;
        for (index, link) in path.links().enumerate() {
            let (certificate, issuer) = (link.certificate(), link.issuer());
            let subject = standing::subject_at(leaf, index);
            let is_certificates =
                |source: &RevocationSource| source.link.certificate() == certificate.raw;
            let known = self.found.iter().any(is_certificates);
            if known || subject.mode(rules) == RevocationMode::Off {
                continue;
            }
            let source = RevocationSource {
                subject,
                is_required: subject.mode(rules) == RevocationMode::Required,
                is_covered: self.covers(link, run),
                link: link.to_octets(),
                crl_urls: owned(&certificate.extensions.crl_urls),
                ocsp_urls: owned(&certificate.extensions.ocsp_urls),
                ocsp_request: ocsp::request(certificate, issuer, &*run.context.crypto),
            };
            self.found.push(source);
        }
    }

    fn covers(&mut self, link: VerifiedLink<'_, 'e>, run: &Run<'e>) -> bool {
        let Some(given) = &mut self.given else { return false };
        let (rules, now) = (&run.context.policy.revocation, run.context.now);
        let known = given.standing(link, rules, &*run.context.evidence_crypto, now).known;
        known.is_some_and(|known| known.is_fresh())
    }
}

fn owned(urls: &[&str]) -> Vec<String> {
    urls.iter().map(|url| String::from(*url)).collect()
}
