//! What a caller has to do with the file before it is judged.

use alloc::vec::Vec;

use super::{Artifact, subject::Subjects};
use crate::{
    bundle::{Bundle, Content, IN_TOTO_PAYLOAD_TYPE, Presented, Statement},
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
    /// Do not read it: nothing that it contains changes the answer. [`verify`](super::verify) will
    /// find this finding, or a graver one, without digests.
    Decided(Finding),
}

/// The plan for a file of that name and size, as far as they are known, what was given as its
/// bundle, and the public key that is expected to have signed (DER), if one was given.
///
/// Of the digests that would do, the first of `preferred` is taken: which is fastest, the caller
/// knows. An algorithm that is not among `preferred` is never asked for.
pub fn plan(
    bundle: &[u8],
    artifact: &Artifact<'_>,
    key: Option<&[u8]>,
    preferred: &[HashAlgorithm],
) -> Plan {
    let presented = match Presented::decode(bundle) {
        Ok(presented) => presented,
        Err(finding) => return Plan::Decided(finding),
    };
    let plans = presented.bundles.iter().map(|bundle| of(bundle, artifact, key, preferred));
    let plan = plans.reduce(either);
    plan.unwrap_or_else(|| Plan::Decided(FindingCode::BundleEmpty.into()))
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

fn of(
    bundle: &Bundle,
    artifact: &Artifact<'_>,
    key: Option<&[u8]>,
    preferred: &[HashAlgorithm],
) -> Plan {
    let size = artifact.size.unwrap_or(0);
    let keep = if bundle.needs_content(key) && size <= limits::SIGNED_CONTENT_BYTES as u64 {
        Keep::Content
    } else {
        Keep::Digests
    };
    of_content(bundle, artifact, keep, preferred).unwrap_or_else(Plan::Decided)
}

fn of_content(
    bundle: &Bundle,
    artifact: &Artifact<'_>,
    keep: Keep,
    preferred: &[HashAlgorithm],
) -> Result<Plan, Finding> {
    let without_size = |algorithms| Plan::Read { algorithms, published_size: None, keep };
    match &bundle.content {
        Content::MessageSignature { digest: Some(digest), .. } => {
            Ok(without_size(alloc::vec![digest.algorithm()]))
        }
        Content::MessageSignature { digest: None, .. } => {
            // Any may be the one: all of them, in the order in which everybody gives them.
            let mut algorithms = preferred.to_vec();
            algorithms.sort_unstable();
            Ok(without_size(algorithms))
        }
        Content::Envelope(envelope) if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE => {
            Err(FindingCode::StatementType.into())
        }
        Content::Envelope(envelope) => {
            let statement = Statement::decode(&envelope.payload)?;
            let subjects = Subjects::new(&statement.subjects, *artifact);
            if let Some(finding) = subjects.cut_short() {
                return Err(finding);
            }
            let algorithms = subjects.algorithms(preferred);
            Ok(Plan::Read { algorithms, published_size: subjects.published_size(), keep })
        }
    }
}
