//! Is the signer still trusted? Revocation of each certificate on a path.

use alloc::{format, string::String, vec::Vec};

use super::{ProvenTime, Run, opened::Told};
use crate::{
    finding::{Finding, FindingCode},
    policy::RevocationMode,
    revocation::{Standing, Subject, decide},
    time::UnixSeconds,
    x509::{Certificate, VerifiedLink, VerifiedPath},
};

/// What was found about the certificates of a path.
pub(super) struct PathStanding {
    pub(super) findings: Vec<Finding>,
    /// The oldest thisUpdate that a pass rests on; `None` if nothing was known.
    pub(super) as_of: Option<UnixSeconds>,
}

/// Whose certificate is at that place of a path: the leaf's owner, then CAs. A timestamp
/// authority's CAs count as the authority's.
pub(super) fn subject_at(leaf: Subject, index: usize) -> Subject {
    match (leaf, index) {
        (Subject::Signer, 1..) => Subject::Authority,
        (subject, _) => subject,
    }
}

impl<'a> Run<'a> {
    /// Judges each certificate of the signer's path but the anchor.
    pub(super) fn inspect_revocation(
        &mut self,
        path: &VerifiedPath<'a>,
        signed_by: Option<ProvenTime<'_>>,
    ) -> Option<UnixSeconds> {
        let standing = self.judge_path(path, Subject::Signer, signed_by);
        self.findings.extend(standing.findings);
        standing.as_of
    }

    /// That a caller who asked where to look up revocation was told so of this bundle too.
    ///
    /// What the caller knew of the file then may have been too little to find the bundle among others. What
    /// was fetched says nothing of its certificates, and an older list that was handed in would decide.
    pub(super) fn inspect_asking(&mut self) {
        let rules = &self.context.policy.revocation;
        let is_off = [Subject::Signer, Subject::Authority, Subject::TimestampAuthority]
            .iter()
            .all(|subject| subject.mode(rules) == RevocationMode::Off);
        if self.told == Told::No && !is_off {
            let found = "the sources were asked for before this bundle was known to be the file's";
            let finding = Finding::new(FindingCode::REVOCATION_UNAVAILABLE).found(found);
            self.findings.push(match &self.leaf {
                Some(leaf) => finding.about(leaf.subject_text()),
                None => finding,
            });
        }
    }

    /// A note for each piece of evidence that was given and of no use, if no finding says it.
    pub(super) fn note_unused_evidence(&mut self) {
        for fault in self.revocation.unused() {
            if !self.findings.contains(&fault) {
                self.findings.push(ignored(&fault));
            }
        }
    }

    pub(super) fn judge_path(
        &mut self,
        path: &VerifiedPath<'a>,
        leaf: Subject,
        signed_by: Option<ProvenTime<'_>>,
    ) -> PathStanding {
        let mut standing = PathStanding { findings: Vec::new(), as_of: None };
        for (index, link) in path.links().enumerate() {
            self.judge(link, subject_at(leaf, index), signed_by, &mut standing);
        }
        standing
    }

    fn judge(
        &mut self,
        link: VerifiedLink<'_, 'a>,
        subject: Subject,
        signed_by: Option<ProvenTime<'_>>,
        result: &mut PathStanding,
    ) {
        let certificate = link.certificate();
        let rules = self.context.policy.revocation;
        let mode = subject.mode(&rules);
        if mode == RevocationMode::Off {
            self.revocation.relate(link, &*self.context.evidence_crypto);
            result.findings.push(not_required(certificate));
            return;
        }
        let (crypto, now) = (&*self.context.evidence_crypto, self.context.now);
        let Standing { known, faults, unreadable } =
            self.revocation.standing(link, &rules, crypto, now);
        let Some(known) = known else {
            let unreadable = unreadable
                .into_iter()
                .filter(|fault| !self.findings.contains(fault) && !result.findings.contains(fault));
            let unreadable = unreadable.collect();
            result.findings.extend(unknown(certificate, mode, faults, unreadable));
            return;
        };
        let about = |finding: Finding| finding.about(certificate.subject_text());
        let decided = decide(&known, subject, signed_by, &rules, now).into_iter().map(about);
        let stale_only = |finding: &Finding| finding.code == FindingCode::REVOCATION_STALE;
        match mode {
            // Where knowledge is not demanded, knowledge that is out of date is as good as none.
            RevocationMode::WhenAvailable => {
                for finding in decided {
                    let stale = stale_only(&finding);
                    result.findings.push(if stale { not_required(certificate) } else { finding });
                }
            }
            RevocationMode::Required | RevocationMode::Off => result.findings.extend(decided),
        }
        result.findings.extend(faults.iter().map(ignored).map(about));
        if subject == Subject::Signer || result.as_of.is_some() {
            let earlier = result.as_of.unwrap_or(known.as_of);
            result.as_of = Some(earlier.min(known.as_of));
        }
    }
}

/// The note on a piece that was not used, with the reason.
fn ignored(fault: &Finding) -> Finding {
    let code = fault.code.code();
    let note = Finding::new(FindingCode::EVIDENCE_IGNORED).found(match &fault.found {
        Some(found) => format!("{code}: {found}"),
        None => String::from(code),
    });
    Finding { subject: fault.subject.clone(), ..note }
}

fn not_required(certificate: &Certificate<'_>) -> Finding {
    Finding::new(FindingCode::REVOCATION_NOT_REQUIRED).about(certificate.subject_text())
}

/// Nothing usable is known: why, or where it could be looked up.
fn unknown(
    certificate: &Certificate<'_>,
    mode: RevocationMode,
    faults: Vec<Finding>,
    unreadable: Vec<Finding>,
) -> Vec<Finding> {
    if mode != RevocationMode::Required {
        // What was there and could not be used is said, so that nobody takes it for a clearance.
        let ignored = |fault: &Finding| ignored(fault).about(certificate.subject_text());
        return core::iter::once(not_required(certificate))
            .chain(faults.iter().map(ignored))
            .collect();
    }
    let faults = [faults, unreadable].concat();
    if !faults.is_empty() {
        return faults;
    }
    let extensions = &certificate.extensions;
    let sources: Vec<&str> =
        extensions.crl_urls.iter().chain(&extensions.ocsp_urls).copied().collect();
    let finding = match sources.first() {
        None => Finding::new(FindingCode::REVOCATION_NO_SOURCE),
        Some(_) => Finding::new(FindingCode::REVOCATION_UNAVAILABLE)
            .expected(format!("a CRL or OCSP response from {}", sources.join(" or "))),
    };
    alloc::vec![finding.about(certificate.subject_text())]
}
