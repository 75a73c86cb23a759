//! Certificate policies (RFC 5280 §6.1.2 to §6.1.5) where any policy will do.
//!
//! Inputs: the user-initial-policy-set is any-policy; no explicit policy, no inhibition and no ban on
//! mappings is asked for at the start. So the outcome depends on one thing only: whether a policy
//! is left if a CA demands one (policyConstraints, requireExplicitPolicy). Which node of the
//! `valid_policy_tree` led to a policy makes no difference to that, and each level is kept as the set
//! of expected policies, as RFC 9618 §3 does: a tree grows exponentially (CVE-2023-0464).

use alloc::{format, vec::Vec};

use const_oid::ObjectIdentifier;

use super::validate::malformed_in;
use crate::{
    asn1::{Asn1Error, Cursor, context_primitive, unsigned},
    finding::{Finding, FindingCode},
    limits, oid,
    x509::Certificate,
};

type Policies = Vec<ObjectIdentifier>;

/// Whether anyPolicy still means any policy (§6.1.3 (d) (2)).
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnyPolicy {
    Stands,
    Inhibited,
}

/// §6.1.2 (a), (d) to (f): the state on the way from the anchor to the leaf.
struct State {
    /// The expected policies of the deepest level; none are left if the tree is NULL.
    expected: Policies,
    explicit_policy: u64,
    policy_mapping: u64,
    inhibit_any_policy: u64,
}

/// Holds the policies of the path's certificates against each other; the anchor's own count for
/// nothing (§6.1.1).
pub(super) fn inspect(leaf: &Certificate<'_>, issuers: &[&Certificate<'_>]) -> Result<(), Finding> {
    let intermediates = issuers.split_last().map_or(&[][..], |(_, below)| below);
    let count = u64::try_from(intermediates.len()).unwrap_or(u64::MAX).saturating_add(1);
    let never = count.saturating_add(1);
    let mut state = State {
        expected: Vec::from([oid::ANY_POLICY]),
        explicit_policy: never,
        policy_mapping: never,
        inhibit_any_policy: never,
    };
    for issuer in intermediates.iter().rev() {
        let any_policy =
            if issuer.is_self_issued() { AnyPolicy::Stands } else { state.any_policy() };
        state.enter(issuer, any_policy)?;
        state.prepare(issuer).map_err(|error| malformed_in(issuer, &error))?;
    }
    state.enter(leaf, state.any_policy())?;
    state.wrap_up(leaf)
}

impl State {
    fn any_policy(&self) -> AnyPolicy {
        if self.inhibit_any_policy > 0 { AnyPolicy::Stands } else { AnyPolicy::Inhibited }
    }

    /// §6.1.3 (d) to (f).
    fn enter(
        &mut self,
        certificate: &Certificate<'_>,
        any_policy: AnyPolicy,
    ) -> Result<(), Finding> {
        let policies = read_policies(certificate)?;
        let mut next: Policies = Vec::new();
        let any_expected = self.expected.contains(&oid::ANY_POLICY);
        for policy in policies.iter().filter(|policy| **policy != oid::ANY_POLICY) {
            if any_expected || self.expected.contains(policy) {
                next.push(*policy);
            }
        }
        if any_policy == AnyPolicy::Stands && policies.contains(&oid::ANY_POLICY) {
            let others: Policies =
                self.expected.iter().copied().filter(|policy| !next.contains(policy)).collect();
            next.extend(others);
        }
        self.expected = next;
        if self.explicit_policy == 0 && self.expected.is_empty() {
            return Err(Self::broken(certificate));
        }
        Ok(())
    }

    /// §6.1.4 (a), (b), (h) to (j).
    fn prepare(&mut self, issuer: &Certificate<'_>) -> Result<(), Asn1Error> {
        let extensions = &issuer.extensions;
        if let Some(value) = extensions.policy_mappings {
            self.map(&read_mappings(value)?);
        }
        if !issuer.is_self_issued() {
            for counter in
                [&mut self.explicit_policy, &mut self.policy_mapping, &mut self.inhibit_any_policy]
            {
                *counter = counter.saturating_sub(1);
            }
        }
        if let Some(value) = extensions.policy_constraints {
            let (require, inhibit) = read_constraints(value)?;
            self.explicit_policy =
                require.map_or(self.explicit_policy, |n| n.min(self.explicit_policy));
            self.policy_mapping =
                inhibit.map_or(self.policy_mapping, |n| n.min(self.policy_mapping));
        }
        if let Some(value) = extensions.inhibit_any_policy {
            const FIELD: &str = "inhibitAnyPolicy";
            let mut field = Cursor::new(value);
            let skip = field.unsigned(FIELD)?;
            field.finish(FIELD)?;
            self.inhibit_any_policy = self.inhibit_any_policy.min(skip);
        }
        Ok(())
    }

    /// §6.1.4 (b): what the issuer's policies are called below; or, where mappings are inhibited,
    /// that those that it maps end here.
    fn map(&mut self, mappings: &[(ObjectIdentifier, ObjectIdentifier)]) {
        let any = self.expected.contains(&oid::ANY_POLICY);
        let is_mapped = |policy: &ObjectIdentifier| mappings.iter().any(|(from, _)| from == policy);
        let mut next: Policies =
            self.expected.iter().copied().filter(|policy| !is_mapped(policy)).collect();
        for (from, to) in mappings.iter().filter(|_| self.policy_mapping > 0) {
            if (any || self.expected.contains(from)) && !next.contains(to) {
                next.push(*to);
            }
        }
        self.expected = next;
    }

    /// §6.1.5 (a), (b), (g).
    fn wrap_up(mut self, leaf: &Certificate<'_>) -> Result<(), Finding> {
        self.explicit_policy = self.explicit_policy.saturating_sub(1);
        if let Some(value) = leaf.extensions.policy_constraints {
            let read = read_constraints(value).map_err(|error| malformed_in(leaf, &error))?;
            if let (Some(0), _) = read {
                self.explicit_policy = 0;
            }
        }
        if self.explicit_policy == 0 && self.expected.is_empty() {
            return Err(Self::broken(leaf));
        }
        Ok(())
    }

    fn broken(certificate: &Certificate<'_>) -> Finding {
        Finding::new(FindingCode::CERTIFICATE_PATH_CONSTRAINT)
            .about(certificate.display_name())
            .expected(
                "a certificate policy that its issuers have too: policyConstraints demand one",
            )
            .found("none")
    }
}

/// certificatePolicies: the policies' identifiers; none without the extension. Where it is critical,
/// a qualifier has to be understood (§4.2.1.4): those of RFC 5280 say nothing about the path.
fn read_policies(certificate: &Certificate<'_>) -> Result<Policies, Finding> {
    const FIELD: &str = "certificatePolicies";
    let Some((critical, value)) = certificate.extensions.certificate_policies else {
        return Ok(Vec::new());
    };
    let malformed = |error: Asn1Error| malformed_in(certificate, &error);
    let mut list = Cursor::over_sequence(value, FIELD).map_err(malformed)?;
    let mut policies: Policies = Vec::new();
    while !list.is_empty() {
        let (policy, unknown) = read_policy(&mut list, FIELD).map_err(malformed)?;
        if let Some(qualifier) = unknown.filter(|_| critical.is_set()) {
            return Err(Finding::new(FindingCode::CERTIFICATE_CONSTRAINT_NOT_SUPPORTED)
                .about(certificate.display_name())
                .expected("critical certificatePolicies with qualifiers of RFC 5280")
                .found(format!("qualifier {qualifier}")));
        }
        policies.push(policy);
        if policies.len() > limits::CERTIFICATE_POLICIES {
            return Err(Finding::new(FindingCode::CERTIFICATE_CHAIN_TOO_LONG)
                .about(certificate.display_name())
                .expected(format!("at most {} policies", limits::CERTIFICATE_POLICIES))
                .found("more"));
        }
    }
    if policies.is_empty() {
        return Err(malformed(Asn1Error::Malformed { field: FIELD }));
    }
    Ok(policies)
}

/// One `PolicyInformation`, and a qualifier that RFC 5280 does not define.
fn read_policy(
    list: &mut Cursor<'_>,
    field: &'static str,
) -> crate::asn1::Result<(ObjectIdentifier, Option<ObjectIdentifier>)> {
    let mut information = list.sequence(field)?;
    let policy = information.oid(field)?;
    let mut unknown = None;
    if !information.is_empty() {
        let mut qualifiers = information.sequence(field)?;
        while !qualifiers.is_empty() {
            let id = qualifiers.sequence(field)?.oid(field)?;
            if !matches!(id, oid::QT_CPS | oid::QT_USER_NOTICE) {
                unknown = Some(id);
            }
        }
    }
    information.finish(field)?;
    Ok((policy, unknown))
}

/// policyMappings: issuerDomainPolicy and subjectDomainPolicy. §4.2.1.5: "Policies MUST NOT be
/// mapped either to or from the special value anyPolicy".
fn read_mappings(value: &[u8]) -> crate::asn1::Result<Vec<(ObjectIdentifier, ObjectIdentifier)>> {
    const FIELD: &str = "policyMappings";
    let mut list = Cursor::over_sequence(value, FIELD)?;
    let mut mappings = Vec::new();
    while !list.is_empty() {
        let mut fields = list.sequence(FIELD)?;
        let mapping = (fields.oid(FIELD)?, fields.oid(FIELD)?);
        fields.finish(FIELD)?;
        if mapping.0 == oid::ANY_POLICY || mapping.1 == oid::ANY_POLICY {
            return Err(Asn1Error::Malformed { field: "policyMappings of anyPolicy" });
        }
        mappings.push(mapping);
        if mappings.len() > limits::CERTIFICATE_POLICIES {
            return Err(Asn1Error::Malformed { field: "policyMappings (over 64)" });
        }
    }
    Ok(mappings)
}

/// policyConstraints: requireExplicitPolicy and inhibitPolicyMapping. §4.2.1.11: not an empty
/// sequence.
fn read_constraints(value: &[u8]) -> crate::asn1::Result<(Option<u64>, Option<u64>)> {
    const FIELD: &str = "policyConstraints";
    let mut fields = Cursor::over_sequence(value, FIELD)?;
    let mut number = |tag| match fields.optional(context_primitive(tag), FIELD)? {
        Some(tlv) => unsigned(tlv.value, FIELD).map(Some),
        None => Ok(None),
    };
    let read = (number(0)?, number(1)?);
    fields.finish(FIELD)?;
    if read == (None, None) {
        return Err(Asn1Error::Malformed { field: FIELD });
    }
    Ok(read)
}
