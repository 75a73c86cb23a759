//! One path against all rules (RFC 5280 §6.1), signatures and names excepted: the search verified
//! those.
//!
//! The order of the checks is RFC 5280's within a certificate. Which fault is reported, if there are
//! several, is a matter of rank: what is certainly wrong goes before what could not be checked.

use alloc::{format, string::String, vec::Vec};

use const_oid::ObjectIdentifier;

use super::{build::Terms, constraints, malformed, policies};
use crate::{
    finding::{Finding, FindingCode},
    oid,
    time::UnixSeconds,
    x509::{Certificate, KeyUsage, Usages, algorithm},
};

/// An issuer's place in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Intermediate,
    Anchor,
}

/// The faults of one path, of which the gravest is kept; of equals, the first.
#[derive(Default)]
struct Faults {
    gravest: Option<Finding>,
}

impl Faults {
    fn take(&mut self, outcome: Result<(), Finding>) {
        let Err(finding) = outcome else { return };
        if self.gravest.as_ref().is_none_or(|known| finding.code.rank() < known.code.rank()) {
            self.gravest = Some(finding);
        }
    }
}

/// Whether that path holds; `issuers` ends with the anchor. The leaf's fitness for the purpose was
/// looked at before. `comparisons` is how many names may still be compared.
pub(super) fn inspect(
    leaf: &Certificate<'_>,
    issuers: &[&Certificate<'_>],
    terms: Terms<'_>,
    comparisons: &mut usize,
) -> Result<(), Finding> {
    let mut faults = Faults::default();
    faults.take(inspect_extensions(leaf));
    faults.take(inspect_validity(leaf, terms.time));
    let anchor_index = issuers.len().saturating_sub(1);
    // How many CAs that are not self-issued stand below the one looked at (§6.1.4 (l)).
    let mut below: u64 = 0;
    for (index, issuer) in issuers.iter().enumerate() {
        let place = if index == anchor_index { Place::Anchor } else { Place::Intermediate };
        // §6.1.1 (d): of an anchor, name and key are given. Its critical extensions are its
        // publisher's matter, who was trusted by hand.
        if place == Place::Intermediate {
            faults.take(inspect_extensions(issuer));
        }
        faults.take(inspect_key(issuer));
        faults.take(inspect_validity(issuer, terms.time));
        faults.take(inspect_authority(issuer, place));
        faults.take(inspect_path_length(issuer, below));
        faults.take(inspect_usage(issuer, place, terms));
        if !issuer.is_self_issued() {
            below = below.saturating_add(1);
        }
    }
    faults.take(constraints::inspect(leaf, issuers, comparisons));
    faults.take(policies::inspect(leaf, issuers));
    faults.gravest.map_or(Ok(()), Err)
}

/// §6.1.4 (o), §6.1.5 (f): every critical extension is one that is processed. RFC 5280 wants
/// versions and extensions of one kind in all but the anchor: version 3.
fn inspect_extensions(certificate: &Certificate<'_>) -> Result<(), Finding> {
    let unsupported = |expected: &str, found: String| {
        Err(Finding::new(FindingCode::CERTIFICATE_CONSTRAINT_NOT_SUPPORTED)
            .about(certificate.display_name())
            .expected(expected)
            .found(found))
    };
    if certificate.version != 3 {
        return unsupported("version 3", format!("version {}", certificate.version));
    }
    let unknown = certificate
        .extensions
        .present
        .iter()
        .find(|(id, critical)| critical.is_set() && !is_processed(*id));
    match unknown {
        Some((id, _)) => unsupported("critical extensions that are known", extension_text(*id)),
        None => Ok(()),
    }
}

/// Those that this module and its neighbours act upon. RFC 5280 wants identifiers of keys and
/// access to authorities never to be critical, so that whoever marks one means something else.
fn is_processed(id: ObjectIdentifier) -> bool {
    matches!(
        id,
        oid::CE_BASIC_CONSTRAINTS
            | oid::CE_KEY_USAGE
            | oid::CE_EXT_KEY_USAGE
            | oid::CE_SUBJECT_ALT_NAME
            | oid::CE_NAME_CONSTRAINTS
            | oid::CE_CERTIFICATE_POLICIES
            | oid::CE_POLICY_MAPPINGS
            | oid::CE_POLICY_CONSTRAINTS
            | oid::CE_INHIBIT_ANY_POLICY
            | oid::CE_CRL_DISTRIBUTION_POINTS
            | oid::EMBEDDED_SCTS
    )
}

/// The extension's name, if it has one here, and its number.
fn extension_text(id: ObjectIdentifier) -> String {
    let name = match id {
        oid::CE_SUBJECT_KEY_IDENTIFIER => "subjectKeyIdentifier",
        oid::CE_AUTHORITY_KEY_IDENTIFIER => "authorityKeyIdentifier",
        oid::PE_AUTHORITY_INFO_ACCESS => "authorityInfoAccess",
        oid::CE_FRESHEST_CRL => "freshestCRL",
        oid::CE_PRIVATE_KEY_USAGE_PERIOD => "privateKeyUsagePeriod",
        oid::OCSP_NO_CHECK => "id-pkix-ocsp-nocheck",
        _ => return format!("critical extension {id}"),
    };
    format!("critical extension {name} ({id})")
}

/// §6.1.3 (a) (2); of the anchor too, which RFC 5280 leaves open.
fn inspect_validity(certificate: &Certificate<'_>, time: UnixSeconds) -> Result<(), Finding> {
    if certificate.is_valid_at(time) {
        return Ok(());
    }
    let (code, expected) = if time < certificate.not_before {
        (FindingCode::CERTIFICATE_NOT_YET_VALID, format!("not before {}", certificate.not_before))
    } else {
        (
            FindingCode::CERTIFICATE_EXPIRED_WHEN_SIGNED,
            format!("not after {}", certificate.not_after),
        )
    };
    let finding = Finding::new(code).about(certificate.display_name());
    Err(finding.expected(expected).found(format!("{time}")))
}

/// Whether the key is strong enough to be believed.
pub(super) fn inspect_key(certificate: &Certificate<'_>) -> Result<(), Finding> {
    if certificate.public_key.algorithm.is_acceptable() {
        return Ok(());
    }
    Err(Finding::new(FindingCode::CERTIFICATE_KEY_TOO_WEAK)
        .about(certificate.display_name())
        .expected("P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits")
        .found(algorithm::key_text(&certificate.public_key)))
}

/// §6.1.4 (k), (n): a CA that may sign certificates.
fn inspect_authority(issuer: &Certificate<'_>, place: Place) -> Result<(), Finding> {
    let extensions = &issuer.extensions;
    let broken = |expected: &str, found: String| {
        Err(Finding::new(FindingCode::CERTIFICATE_NOT_CA)
            .about(issuer.display_name())
            .expected(expected)
            .found(found))
    };
    if !extensions.is_ca() {
        return broken("basicConstraints with cA", String::from("an end-entity certificate"));
    }
    match extensions.key_usage {
        Some((_, usage)) if usage.contains(KeyUsage::KEY_CERT_SIGN) => Ok(()),
        Some((_, usage)) => broken("keyUsage with keyCertSign", usage.names().join(", ")),
        // Roots older than the rule have none; they were trusted by hand.
        None if place == Place::Anchor => Ok(()),
        None => broken("keyUsage with keyCertSign", String::from("no keyUsage")),
    }
}

/// §6.1.4 (l), (m); §4.2.1.9 does not count self-issued certificates.
fn inspect_path_length(issuer: &Certificate<'_>, below: u64) -> Result<(), Finding> {
    let constraints = issuer.extensions.basic_constraints;
    match constraints.and_then(|(_, constraints)| constraints.path_length) {
        Some(limit) if below > limit => Err(Finding::new(FindingCode::CERTIFICATE_PATH_CONSTRAINT)
            .about(issuer.display_name())
            .expected(format!("pathLenConstraint {limit} kept"))
            .found(format!("{below} CAs below it"))),
        _ => Ok(()),
    }
}

/// extKeyUsage of CAs, as CA/B's rules and Windows read it: a CA that names uses issues for those.
fn inspect_usage(issuer: &Certificate<'_>, place: Place, terms: Terms<'_>) -> Result<(), Finding> {
    let Some((_, usages)) = &issuer.extensions.extended_key_usage else { return Ok(()) };
    let wanted = terms.purpose.usage();
    if usages.contains(wanted) || (place == Place::Anchor && usages.contains(oid::KP_ANY)) {
        return Ok(());
    }
    Err(Finding::new(FindingCode::CERTIFICATE_WRONG_USE)
        .about(issuer.display_name())
        .expected(Usages(Vec::from([wanted])).text())
        .found(usages.text()))
}

/// The finding for an extension of `certificate` that cannot be read.
pub(super) fn malformed_in(
    certificate: &Certificate<'_>,
    error: &crate::asn1::Asn1Error,
) -> Finding {
    malformed(error).about(certificate.display_name())
}
