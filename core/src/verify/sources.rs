//! Where the revocation of the certificates can be looked up, and whether it needs to be.

use alloc::{string::String, vec::Vec};

use super::{Opened, Run, standing, vouched::vouched};
use crate::{
    ocsp,
    policy::RevocationMode,
    revocation::{RevocationEvidence, Subject},
    tsp::VerifiedTimestamp,
    x509::{Certificate, VerifiedPath},
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
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its issuer's certificate, DER.
    pub issuer: Vec<u8>,
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
        let at = run.judged_at(vouched(&timestamps, &run.verified_entries(), required).time);
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
        for (index, (certificate, issuer)) in path.links().enumerate() {
            let subject = standing::subject_at(leaf, index);
            let known = self.found.iter().any(|source| source.certificate == certificate.raw);
            if known || subject.mode(rules) == RevocationMode::Off {
                continue;
            }
            let source = RevocationSource {
                subject,
                is_required: subject.mode(rules) == RevocationMode::Required,
                is_covered: self.covers(certificate, issuer, run),
                certificate: certificate.raw.to_vec(),
                issuer: issuer.raw.to_vec(),
                crl_urls: owned(&certificate.extensions.crl_urls),
                ocsp_urls: owned(&certificate.extensions.ocsp_urls),
                ocsp_request: ocsp::request(certificate, issuer, run.context.crypto),
            };
            self.found.push(source);
        }
    }

    fn covers(
        &mut self,
        certificate: &Certificate<'e>,
        issuer: &Certificate<'e>,
        run: &Run<'e>,
    ) -> bool {
        let Some(given) = &mut self.given else { return false };
        let (rules, crypto, now) =
            (&run.context.policy.revocation, run.context.crypto, run.context.now);
        let known = given.standing(certificate, issuer, rules, crypto, now).known;
        known.is_some_and(|known| known.is_fresh())
    }
}

fn owned(urls: &[&str]) -> Vec<String> {
    urls.iter().map(|url| String::from(*url)).collect()
}
