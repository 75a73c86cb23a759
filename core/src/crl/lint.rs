//! The lint that a CRL passes before it is published: every rule of its profile.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{CertificateList, Covers, RevocationReason};
use crate::{
    asn1::Flag,
    finding::{Finding, FindingCode},
};

/// Every rule of our profile (RFC 5280 §5; `docs/revocation.md`) that `crl` breaks. Empty when it
/// may be published. Its signature is not looked at.
pub fn inspect(crl: &CertificateList<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut demand = |holds: bool, expected: &str, found: &str| {
        if !holds {
            findings.push(
                Finding::new(FindingCode::CRL_PROFILE)
                    .about(crate::x509::name::text(crl.issuer))
                    .expected(expected)
                    .found(found),
            );
        }
    };
    let extensions = &crl.extensions;
    demand(crl.version == 2, "RFC 5280 §5.1.2.1: version 2", "version 1");
    demand(crl.next_update.is_some(), "RFC 5280 §5.1.2.5: nextUpdate", "absent");
    demand(
        crl.next_update.is_none_or(|next| next > crl.this_update),
        "RFC 5280 §5.1.2.5: nextUpdate after thisUpdate",
        "not after",
    );
    let key = extensions.authority_key_identifier.is_some_and(|key| !key.is_empty());
    demand(key, "RFC 5280 §5.2.1: authorityKeyIdentifier with a key identifier", "absent");
    match extensions.number {
        None => demand(false, "RFC 5280 §5.2.3: cRLNumber", "absent"),
        Some(number) => {
            let negative = number.first().is_some_and(|octet| *octet >= 0x80);
            let fits = number.len() <= 20 && !negative;
            demand(fits, "RFC 5280 §5.2.3: cRLNumber of at most 20 octets", "longer or negative");
        }
    }
    if let (Some(base), Some(number)) = (extensions.delta_base, extensions.number) {
        let critical = extensions.delta_indicator_critical.is_some_and(Flag::is_set);
        demand(critical, "RFC 5280 §5.2.4: critical deltaCRLIndicator", "not critical");
        let below = (base.len(), base) < (number.len(), number);
        demand(below, "RFC 5280 §5.2.4: BaseCRLNumber below cRLNumber", "not below");
        let names = extensions.names_deltas;
        demand(!names, "RFC 5280 §5.2.6: freshestCRL in complete lists only", "in a delta");
    }
    if let Some((critical, point)) = &extensions.issuing_distribution_point {
        demand(
            critical.is_set(),
            "RFC 5280 §5.2.5: critical issuingDistributionPoint",
            "not critical",
        );
        let all = point.covers == Covers::All;
        demand(all, "docs/revocation.md: all kinds of certificates in one list", "some kinds");
        demand(!point.indirect, "docs/revocation.md: no indirect CRLs", "indirectCRL");
        demand(
            point.only_some_reasons.is_none(),
            "docs/revocation.md: all reasons in one list",
            "onlySomeReasons",
        );
    }
    let unknown = extensions.unknown_critical.map(|id| format!("{id}"));
    demand(
        unknown.is_none(),
        "RFC 5280 §5.2: no critical extension of another kind",
        unknown.as_deref().unwrap_or(""),
    );
    demand(
        crl.entries != Some(&[]),
        "RFC 5280 §5.1.2.6: revokedCertificates absent when empty",
        "an empty list",
    );
    findings.extend(inspect_entries(crl));
    findings
}

fn inspect_entries(crl: &CertificateList<'_>) -> Vec<Finding> {
    let broken = |expected: &str, found: String| {
        Finding::new(FindingCode::CRL_PROFILE)
            .about(crate::x509::name::text(crl.issuer))
            .expected(expected)
            .found(found)
    };
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    let is_delta = crl.extensions.delta_base.is_some();
    for entry in crl.entries() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                findings.push(broken(
                    "RFC 5280 §5.1.2.6: entries that can be read",
                    format!("{error}"),
                ));
                break;
            }
        };
        let serial = || crate::x509::certificate::serial_text(entry.serial);
        if !seen.insert(entry.serial) {
            findings.push(broken("each serial number once", serial()));
        }
        if entry.reason == RevocationReason::RemoveFromCrl && !is_delta {
            findings.push(broken("RFC 5280 §5.3.1: removeFromCRL in deltas only", serial()));
        }
        if let Some(code) = entry.undefined_reason {
            findings.push(broken(
                "RFC 5280 §5.3.1: a reasonCode that is defined",
                format!("{code}, of {}", serial()),
            ));
        }
        if entry.invalidity_date.is_some_and(|date| date != entry.revocation_date) {
            findings.push(broken(
                "docs/revocation.md: invalidityDate equal to revocationDate",
                serial(),
            ));
        }
        if let Some(id) = entry.unknown_critical {
            findings.push(broken(
                "RFC 5280 §5.3: no critical entry extension of another kind",
                format!("{id}"),
            ));
        }
        if entry.revocation_date > crl.this_update {
            findings.push(broken("a revocationDate not after thisUpdate", serial()));
        }
    }
    findings
}
