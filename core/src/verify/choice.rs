//! Which path counts, if several hold: revocation chooses.
//!
//! A CA that was renewed with its key has two certificates, and the old one is often revoked as
//! superseded. The path over the other one holds all the same, in whatever order the trust root
//! lists them. That does not go for a key that was lost: every certificate of it is as bad.

use alloc::vec::Vec;

use super::{ProvenTime, Run, standing::subject_at};
use crate::{
    finding::{Class, Finding},
    policy::RevocationMode,
    revocation::{Subject, is_compromise},
    tsp::VerifiedTimestamp,
    x509::{Certificate, VerifiedPath},
};

impl<'a> Run<'a> {
    /// The path against which revocation has least; of equals, the first. `None` for no paths.
    pub(super) fn best_of(
        &mut self,
        paths: Vec<VerifiedPath<'a>>,
        leaf: Subject,
        signed_by: Option<ProvenTime<'_>>,
    ) -> Option<VerifiedPath<'a>> {
        if paths.len() < 2 {
            return paths.into_iter().next();
        }
        let lost = self.lost_keys(&paths, leaf);
        let mut best: Option<(Grade, VerifiedPath<'a>)> = None;
        for path in paths {
            let findings = self.judge_path(&path, leaf, signed_by).findings;
            let evades = path.links().skip(1).any(|link| lost.evades(link.certificate()));
            let grade = Grade { evades, gravest: gravest(&findings) };
            if best.as_ref().is_none_or(|(other, _)| grade < *other) {
                best = Some((grade, path));
            }
        }
        best.map(|(_, path)| path)
    }

    /// The timestamp with the best of its authority's paths.
    pub(super) fn with_best_path(
        &mut self,
        timestamp: VerifiedTimestamp<'a>,
    ) -> VerifiedTimestamp<'a> {
        let paths: Vec<VerifiedPath<'a>> = timestamp.paths().cloned().collect();
        let time = Some(timestamp.time());
        match self.best_of(paths, Subject::TimestampAuthority, time) {
            Some(path) => timestamp.resting_on(path),
            None => timestamp,
        }
    }

    /// CAs on these paths whose certificate was revoked because its key was lost.
    fn lost_keys(&mut self, paths: &[VerifiedPath<'a>], leaf: Subject) -> LostKeys<'a> {
        let rules = self.context.policy.revocation;
        let mut lost = LostKeys { certificates: Vec::new() };
        for (index, link) in paths.iter().flat_map(|path| path.links().enumerate()) {
            if index == 0 || subject_at(leaf, index).mode(&rules) == RevocationMode::Off {
                continue;
            }
            let (crypto, now) = (&*self.context.evidence_crypto, self.context.now);
            let standing = self.revocation.standing(link, &rules, crypto, now);
            let revoked = standing.known.and_then(|known| known.revoked);
            if revoked.is_some_and(|(reason, _)| is_compromise(reason)) {
                let certificate = link.certificate();
                lost.certificates.push((certificate.public_key.raw, certificate.raw));
            }
        }
        lost
    }
}

/// Keys that were lost, each with the certificate that says so.
struct LostKeys<'a> {
    certificates: Vec<(&'a [u8], &'a [u8])>,
}

impl LostKeys<'_> {
    /// Whether it is another certificate of a lost key.
    fn evades(&self, authority: &Certificate<'_>) -> bool {
        let of_key = |(key, _): &&(&[u8], &[u8])| *key == authority.public_key.raw;
        let mut others = self.certificates.iter().filter(of_key).peekable();
        others.peek().is_some() && others.all(|(_, certificate)| *certificate != authority.raw)
    }
}

/// Less is better.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Grade {
    evades: bool,
    gravest: Option<Class>,
}

fn gravest(findings: &[Finding]) -> Option<Class> {
    findings.iter().map(|finding| finding.code.class()).max()
}
