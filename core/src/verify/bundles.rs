//! Several bundles for one file: which of them are verified, and whose report is given.
//!
//! Whoever adds a bundle adds a candidate and nothing else: each is verified as if it were alone.
//! So a stranger's line never makes a file verified, and a line about another file never keeps
//! this one from it. Order and repetition change nothing.

use alloc::{format, vec::Vec};

use super::{Artifact, evidence_set::Part, opened::Opened, subject::Subjects};
use crate::{
    bundle::{Bundle, Content},
    finding::{Finding, FindingCode},
    limits,
    policy::Names,
    report::{Outcome, Question, Report, Verdict},
    tlog::InclusionProof,
};

/// How well a bundle fits a file before it is verified; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It has the file's digest.
    Digest,
    /// It has the file's name, and no digest is known to compare.
    Name,
    /// Nothing can be compared.
    Unknown,
    /// It is about another file, for this reason.
    Other(FindingCode),
}

/// The bundles that are to be verified, the best fitting first; more than one only if they fit
/// equally as far as one can tell. At least one of a list that is not empty.
///
/// # Errors
/// More than [`limits::BUNDLES_OF_ONE_FILE`] would have to be verified.
pub(super) fn candidates<'b, 'a>(
    bundles: &'b [Opened<'a>],
    artifact: &Artifact<'_>,
) -> Result<Vec<&'b Opened<'a>>, Finding> {
    let fitting = fitting(bundles, artifact);
    let found = fitting.len();
    if found > limits::BUNDLES_OF_ONE_FILE {
        return Err(Finding::new(FindingCode::BUNDLE_TOO_MANY_PARTS)
            .about("bundles for this file")
            .expected(format!("at most {}", limits::BUNDLES_OF_ONE_FILE))
            .found(format!("{found}")));
    }
    Ok(fitting)
}

fn fitting<'b, 'a>(bundles: &'b [Opened<'a>], artifact: &Artifact<'_>) -> Vec<&'b Opened<'a>> {
    if let [only] = bundles {
        return alloc::vec![only];
    }
    let fits = bundles.iter().map(|opened| (fit(opened.part, artifact), opened));
    let mut sorted: Vec<(Fit, &Opened<'a>)> = fits.collect();
    sorted.sort_by(|(fit, opened), (other_fit, other)| {
        let octets = |opened: &Opened<'a>| octets(&opened.part.bundle);
        fit.cmp(other_fit).then_with(|| octets(opened).cmp(&octets(other)))
    });
    sorted.dedup_by(|(_, opened), (_, other)| {
        octets(&opened.part.bundle) == octets(&other.part.bundle)
    });
    let possible = sorted.iter().take_while(|(fit, _)| !matches!(fit, Fit::Other(_))).count();
    // Of those about other files one will do, to say so.
    sorted.into_iter().take(possible.max(1)).map(|(_, opened)| opened).collect()
}

/// By what bundles are put in an order that does not depend on where they stood.
fn octets(bundle: &Bundle) -> impl Ord + '_ {
    let proof = |proof: &'_ InclusionProof| {
        let InclusionProof { leaf_index, tree_size, root_hash, hashes, checkpoint } = proof.clone();
        (leaf_index, tree_size, root_hash, hashes, checkpoint)
    };
    // All that is verified of an entry: a copy that differs in any of it is another bundle.
    let entries = bundle.log_entries.iter().map(move |entry| {
        let place = (&entry.log_id, entry.log_index, &entry.kind, &entry.version);
        let said = (entry.integrated_time, &entry.promise, entry.proof.as_ref().map(proof));
        (place, said, &entry.body)
    });
    let payload = match &bundle.content {
        Content::MessageSignature { digest, .. } => {
            (None, digest.as_ref().map(|digest| format!("{digest}")))
        }
        Content::Envelope(envelope) => (Some((&envelope.payload_type, &envelope.payload)), None),
    };
    (
        bundle.content.signature(),
        payload,
        bundle.certificate(),
        bundle.further_certificates(),
        &bundle.timestamps,
        entries.collect::<Vec<_>>(),
        bundle.version,
    )
}

fn fit(part: &Part, artifact: &Artifact<'_>) -> Fit {
    match (part.statement(), &part.bundle.content) {
        (None, Content::MessageSignature { digest: Some(signed), .. }) => {
            let mut own = artifact.digests.iter();
            match own.find(|own| own.algorithm() == signed.algorithm()) {
                None => Fit::Unknown,
                Some(own) if own == signed => Fit::Digest,
                Some(_) => Fit::Other(FindingCode::CONTENT_MISMATCH),
            }
        }
        (None, _) => Fit::Unknown,
        (Some(Err(finding)), _) => Fit::Other(finding.code),
        (Some(Ok(statement)), _) => {
            let subjects = Subjects::new(&statement.subjects, *artifact);
            match subjects.find(Some(Names::Noted)) {
                Ok(_) => Fit::Digest,
                Err(finding) if finding.code == FindingCode::CONTENT_DIGEST_NOT_SUPPLIED => {
                    if subjects.are_meant() {
                        Fit::Name
                    } else {
                        Fit::Unknown
                    }
                }
                Err(finding) => Fit::Other(finding.code),
            }
        }
    }
}

/// The report that counts: one that verifies, the one with least to say; else the one that says
/// most of this file.
pub(super) fn best(reports: impl Iterator<Item = Report>) -> Option<Report> {
    reports.min_by_key(|report| {
        let is_open = |question: Question| {
            let mut checks = report.checks.iter();
            checks.find(|check| check.question == question).map(|check| check.outcome)
                != Some(Outcome::Passed)
        };
        let first = report.findings().first().map(|finding| finding.code);
        let is_verified = report.verdict() == Verdict::Verified;
        (
            !is_verified,
            // What a verified file has are notes and warnings: the fewest.
            first.filter(|_| is_verified).map(FindingCode::class),
            is_open(Question::SameFile),
            is_open(Question::WhoSigned),
            first.map(FindingCode::rank),
        )
    })
}
