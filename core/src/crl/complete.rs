//! Whether a list is complete: whether a serial number that it lacks is not revoked.
//!
//! A delta, or a list for some of the certificates or some of the reasons, is as genuine as a complete one, and
//! mostly shorter. Whoever takes it for the whole list takes what it leaves out for good. What a *verifier*
//! makes of such lists is [`crate::revocation`]'s; here is what a list must be to stand alone.

use alloc::{string::String, vec::Vec};

use super::{CertificateList, Covers, IssuingDistributionPoint};
use crate::{
    finding::{Finding, FindingCode},
    x509::name,
};

/// A list that has everything which is revoked at its distribution point, for whatever reason. Only
/// [`of`](Self::of) makes one. Its signature is not looked at.
#[derive(Clone, Debug)]
pub struct CompleteList<'a>(CertificateList<'a>);

impl<'a> CompleteList<'a> {
    /// Takes a list that is complete. A list that names no distribution point is about everything that its
    /// issuer issued (RFC 5280 §5.2.5); one that does must have one of `points` among its names, which are
    /// names of the same list.
    ///
    /// # Errors
    /// [`FindingCode::CRL_DELTA`], [`FindingCode::CRL_RESTRICTED`],
    /// [`FindingCode::CRL_DISTRIBUTION_POINT`].
    pub fn of(list: CertificateList<'a>, points: &[&str]) -> Result<Self, Finding> {
        let about = |code| Finding::new(code).about(name::text(list.issuer));
        // RFC 5280 §5.2.4: a delta lists changes alone.
        if list.extensions.delta_base.is_some() {
            let finding = about(FindingCode::CRL_DELTA);
            return Err(finding.expected("no deltaCRLIndicator").found("a delta"));
        }
        // RFC 5280 §5.2.5: each of these leaves something out, or brings in what is another's.
        if let Some((_, point)) = &list.extensions.issuing_distribution_point {
            if let Some(restriction) = restriction(point) {
                let finding = about(FindingCode::CRL_RESTRICTED);
                return Err(finding
                    .expected("all certificates and all reasons in one list")
                    .found(restriction));
            }
            if point.is_named && !point.urls.iter().any(|url| points.contains(url)) {
                let expected = match points {
                    [] => String::from("no distribution point: none is configured"),
                    points => points.join(", "),
                };
                return Err(about(FindingCode::CRL_DISTRIBUTION_POINT)
                    .expected(expected)
                    .found(names(point)));
            }
        }
        Ok(Self(list))
    }

    /// The list.
    pub fn list(&self) -> &CertificateList<'a> {
        &self.0
    }
}

fn restriction(point: &IssuingDistributionPoint<'_>) -> Option<&'static str> {
    match point.covers {
        Covers::All => {}
        Covers::UserCertificates => return Some("onlyContainsUserCerts"),
        Covers::CaCertificates => return Some("onlyContainsCACerts"),
        Covers::AttributeCertificates => return Some("onlyContainsAttributeCerts"),
    }
    match point {
        _ if point.only_some_reasons.is_some() => Some("onlySomeReasons"),
        _ if point.indirect => Some("indirectCRL"),
        _ => None,
    }
}

fn names(point: &IssuingDistributionPoint<'_>) -> String {
    let directories = point.directory_names.iter().map(|name| name::text(name));
    let names: Vec<String> =
        point.urls.iter().map(|url| String::from(*url)).chain(directories).collect();
    if names.is_empty() { String::from("a name that is no URI") } else { names.join(", ") }
}
