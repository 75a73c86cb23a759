//! What does the statement say, and is it what the policy demands of this signer?

use alloc::{format, string::String, vec::Vec};

use super::{Run, evidence_set::Part};
use crate::{
    bundle::{Field, FieldFault, PROVENANCE_TYPES, Provenance},
    finding::{Finding, FindingCode},
    pattern::Pattern,
    policy::{ProvenanceRules, Signer},
};

impl Run<'_> {
    /// One of the signer's rules must allow what is said, as a whole: half of one and half of
    /// another is not enough. A bare signature says nothing, which meets no demand.
    pub(super) fn inspect_predicate(&mut self, rules: &[&Signer]) {
        let mut fewest: Option<Vec<Finding>> = None;
        for rule in rules {
            let faults = faults(rule, self.part);
            if fewest.as_ref().is_none_or(|fewest| faults.len() < fewest.len()) {
                fewest = Some(faults);
            }
        }
        self.findings.extend(fewest.unwrap_or_default());
    }
}

/// What keeps a rule from allowing it.
fn faults(rule: &Signer, said: &Part) -> Vec<Finding> {
    let predicate = said.predicate_type();
    let unexpected = |wanted: String| {
        let found = predicate.unwrap_or("no statement that can be read");
        alloc::vec![Finding::new(FindingCode::STATEMENT_PREDICATE).expected(wanted).found(found)]
    };
    let types = &rule.predicate_types;
    if !types.is_empty() && !types.iter().any(|allowed| predicate == Some(allowed.as_str())) {
        return unexpected(types.join(" or "));
    }
    let Some(rules) = &rule.provenance else { return Vec::new() };
    match said.provenance() {
        Some(Ok(Some(provenance))) => compare(rules, provenance),
        Some(Err(finding)) => alloc::vec![finding.clone()],
        Some(Ok(None)) | None => unexpected(PROVENANCE_TYPES.join(" or ")),
    }
}

fn compare(rules: &ProvenanceRules, provenance: &Provenance) -> Vec<Finding> {
    let pairs: [(&[Pattern], &Field, FindingCode); 4] = [
        (&rules.builders, &provenance.builder, FindingCode::PROVENANCE_BUILDER),
        (&rules.sources, &provenance.source, FindingCode::PROVENANCE_SOURCE),
        (&rules.refs, &provenance.reference, FindingCode::PROVENANCE_REF),
        (&rules.build_types, &provenance.build_type, FindingCode::PROVENANCE_BUILD_TYPE),
    ];
    let of = |(wanted, field, code): (&[Pattern], &Field, FindingCode)| {
        let expected: Vec<&str> = wanted.iter().map(Pattern::text).collect();
        let expected = expected.join(" or ");
        let finding = match field {
            _ if wanted.is_empty() => return None,
            Ok(text) if wanted.iter().any(|pattern| pattern.matches(text)) => return None,
            Ok(text) => Finding::new(code).found(text.clone()),
            Err(fault) => of_fault(fault),
        };
        Some(finding.expected(expected))
    };
    pairs.into_iter().filter_map(of).collect()
}

fn of_fault(fault: &FieldFault) -> Finding {
    let (code, place) = match fault {
        FieldFault::Missing(place) => (FindingCode::PROVENANCE_FIELD_MISSING, place),
        FieldFault::Malformed(place) => (FindingCode::PROVENANCE_FIELD_MALFORMED, place),
    };
    Finding::new(code).about(place.clone()).found(format!("{fault}"))
}
