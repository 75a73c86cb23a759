//! What a caller has to do with the file before it is judged.

use alloc::vec::Vec;

use super::{Artifact, evidence_set::Part, opened::Opened, subject::Subjects};
use crate::{
    bundle::Content,
    digest::HashAlgorithm,
    finding::{Finding, FindingCode},
    limits,
};

/// What is kept of a file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// Its digests and its size.
    Digests,
    /// Its octets too: the signature is over them and not over a digest.
    Content,
}

/// What to do with the file before it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Read it to its end.
    Read {
        /// The digests to compute.
        algorithms: Vec<HashAlgorithm>,
        /// Its size in bytes, if the statement says one; for showing, judging is the core's.
        published_size: Option<u64>,
        /// Whether its octets are wanted too.
        keep: Keep,
    },
    /// Do not read it: nothing that it contains changes the answer. the report will
    /// have this finding, or a graver one, without digests.
    Decided(Finding),
}

/// The plan for what was presented.
pub(super) fn of_all(
    bundles: &[Opened<'_>],
    artifact: &Artifact<'_>,
    preferred: &[HashAlgorithm],
) -> Plan {
    let plans = bundles.iter().map(|opened| of(opened, artifact, preferred));
    let plan = plans.reduce(either);
    plan.unwrap_or_else(|| Plan::Decided(FindingCode::BUNDLE_EMPTY.into()))
}

/// The plan for two bundles of which either may be the file's.
fn either(one: Plan, other: Plan) -> Plan {
    match (one, other) {
        (
            Plan::Read { mut algorithms, published_size: size, keep },
            Plan::Read { algorithms: further, published_size: other_size, keep: other_keep },
        ) => {
            algorithms.extend(further);
            algorithms.sort_unstable();
            algorithms.dedup();
            let published_size = size.filter(|_| size == other_size);
            Plan::Read { algorithms, published_size, keep: keep.max(other_keep) }
        }
        (read @ Plan::Read { .. }, Plan::Decided(_))
        | (Plan::Decided(_), read @ Plan::Read { .. }) => read,
        (Plan::Decided(one), Plan::Decided(other)) => {
            Plan::Decided(if other.code.rank() < one.code.rank() { other } else { one })
        }
    }
}

fn of(opened: &Opened<'_>, artifact: &Artifact<'_>, preferred: &[HashAlgorithm]) -> Plan {
    let size = artifact.size.unwrap_or(0);
    let needs_content = opened.part.bundle.needs_content(opened.context.key);
    let keep = if needs_content && size <= limits::SIGNED_CONTENT_BYTES as u64 {
        Keep::Content
    } else {
        Keep::Digests
    };
    of_content(opened.part, artifact, keep, preferred).unwrap_or_else(Plan::Decided)
}

fn of_content(
    part: &Part,
    artifact: &Artifact<'_>,
    keep: Keep,
    preferred: &[HashAlgorithm],
) -> Result<Plan, Finding> {
    let without_size = |algorithms| Plan::Read { algorithms, published_size: None, keep };
    let Some(statement) = part.statement() else {
        if let Content::MessageSignature { digest: Some(digest), .. } = &part.bundle.content {
            return Ok(without_size(alloc::vec![digest.algorithm()]));
        }
        // Any may be the one: all of them, in the order in which everybody gives them.
        let mut algorithms = preferred.to_vec();
        algorithms.sort_unstable();
        return Ok(without_size(algorithms));
    };
    let subjects = Subjects::new(&statement?.subjects, *artifact);
    if let Some(finding) = subjects.cut_short() {
        return Err(finding);
    }
    let algorithms = subjects.algorithms(preferred);
    Ok(Plan::Read { algorithms, published_size: subjects.published_size(), keep })
}
