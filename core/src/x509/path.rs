//! Certificate paths: built and checked by rustls-webpki, then held against our profile.
//!
//! webpki checks signatures, names, validity, path lengths, name constraints and unknown critical
//! extensions, within a budget. What it leaves out, each a check here with a finding of its own:
//! that a CA has basicConstraints and keyCertSign, that the leaf's keyUsage and extKeyUsage fit,
//! everything about the anchor's own certificate, and the strength of keys. It does not look at
//! revocation.

use alloc::{format, string::String, vec::Vec};
use core::time::Duration;

use const_oid::ObjectIdentifier;
use pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error};

use super::{Certificate, GeneralName, KeyUsage, general_name};
use crate::{
    asn1::{Asn1Error, Cursor},
    crypto::{CryptoProvider, SignatureScheme},
    finding::{Finding, FindingCode},
    oid,
    time::UnixSeconds,
};

/// What the path's leaf must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sign artifacts: keyUsage digitalSignature, extKeyUsage codeSigning.
    CodeSigning,
    /// Sign timestamps: extKeyUsage critical and only timeStamping (RFC 3161 §2.3).
    TimeStamping,
}

impl Purpose {
    fn usage(self) -> &'static ObjectIdentifier {
        static CODE_SIGNING: ObjectIdentifier = oid::KP_CODE_SIGNING;
        static TIME_STAMPING: ObjectIdentifier = oid::KP_TIME_STAMPING;
        match self {
            Self::CodeSigning => &CODE_SIGNING,
            Self::TimeStamping => &TIME_STAMPING,
        }
    }
}

/// A path that was verified at one time for one purpose; only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedPath<'a> {
    leaf: Certificate<'a>,
    issuers: Vec<Certificate<'a>>,
}

impl<'a> VerifiedPath<'a> {
    /// The leaf.
    pub fn leaf(&self) -> &Certificate<'a> {
        &self.leaf
    }

    /// The leaf's issuer, its issuer and so on; the last is the trust anchor.
    pub fn issuers(&self) -> &[Certificate<'a>] {
        &self.issuers
    }

    /// Each certificate below the anchor with its issuer, the leaf first.
    pub fn links(&self) -> impl Iterator<Item = (&Certificate<'a>, &Certificate<'a>)> {
        core::iter::once(&self.leaf).chain(&self.issuers).zip(&self.issuers)
    }

    /// Leaf to anchor.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate<'a>> {
        core::iter::once(&self.leaf).chain(&self.issuers)
    }
}

/// Finds a path from `leaf` to one of `anchors`, valid at `time` and fit for `purpose`.
///
/// `intermediates` and `anchors` are DER certificates; an anchor is trusted for its name and key
/// and must itself be valid at `time`.
///
/// # Errors
/// The most telling finding, with the certificate it is about.
pub fn verify<'a>(
    leaf: &Certificate<'a>,
    intermediates: &[&'a [u8]],
    anchors: &[&'a [u8]],
    time: UnixSeconds,
    purpose: Purpose,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedPath<'a>, Finding> {
    // The leaf's own fitness first: "wrong use" tells more than "no path for that use".
    inspect_leaf(leaf, purpose)?;
    let path = build(leaf, intermediates, anchors, time, purpose, crypto)
        .map_err(|finding| refined(finding, leaf, intermediates, anchors))?;
    inspect_policies(&path)?;
    inspect_issuers(&path, time, purpose)?;
    Ok(path)
}

fn build<'a>(
    leaf: &Certificate<'a>,
    intermediates: &[&'a [u8]],
    anchors: &[&'a [u8]],
    time: UnixSeconds,
    purpose: Purpose,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedPath<'a>, Finding> {
    let seconds = u64::try_from(time.seconds()).unwrap_or(0);
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let usage = purpose.usage();
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> = SignatureScheme::ALL
        .into_iter()
        .map(|scheme| crypto.verification_algorithm(scheme) as &dyn SignatureVerificationAlgorithm)
        .collect();
    let anchor_ders: Vec<CertificateDer<'_>> =
        anchors.iter().map(|anchor| CertificateDer::from(*anchor)).collect();
    // An anchor that cannot be read cannot be matched later: both lists keep the same order.
    let (usable, trust_anchors): (Vec<&'a [u8]>, Vec<TrustAnchor<'_>>) = anchors
        .iter()
        .zip(&anchor_ders)
        .filter_map(|(raw, der)| Some((*raw, webpki::anchor_from_trusted_cert(der).ok()?)))
        .unzip();
    let intermediate_ders: Vec<CertificateDer<'_>> =
        intermediates.iter().map(|each| CertificateDer::from(*each)).collect();
    let leaf_der = CertificateDer::from(leaf.raw);
    let fault = |error: Error| path_finding(leaf, time, &error);
    let end_entity = EndEntityCert::try_from(&leaf_der).map_err(fault)?;
    let verified = end_entity
        .verify_for_usage(
            &algorithms,
            &trust_anchors,
            &intermediate_ders,
            at,
            webpki::KeyUsage::required_if_present(usage.as_bytes()),
            None,
            None,
        )
        .map_err(fault)?;

    let mut issuers = Vec::new();
    for step in verified.intermediate_certificates() {
        let der = step.der();
        let raw = intermediates.iter().find(|raw| **raw == der.as_ref());
        issuers.push(decoded(raw.copied())?);
    }
    let anchor = trust_anchors
        .iter()
        .position(|candidate| core::ptr::eq(candidate, verified.anchor()))
        .and_then(|index| usable.get(index));
    issuers.push(decoded(anchor.copied())?);
    Ok(VerifiedPath { leaf: leaf.clone(), issuers })
}

/// Longest run of issuers that is followed by name for a better finding; webpki builds no longer
/// paths.
const ISSUERS_FOLLOWED: usize = 8;

/// Why no path was found, told from the certificates that bear the issuers' names: a key that is
/// too weak, or a constraint on names that webpki does not know, tells more than "no path".
fn refined(
    finding: Finding,
    leaf: &Certificate<'_>,
    intermediates: &[&[u8]],
    anchors: &[&[u8]],
) -> Finding {
    let vague = matches!(
        finding.code,
        FindingCode::CertificateUnknownIssuer | FindingCode::CertificatePathConstraint
    );
    if !vague {
        return finding;
    }
    let candidates: Vec<Certificate<'_>> = intermediates
        .iter()
        .chain(anchors)
        .filter_map(|raw| Certificate::decode(raw).ok())
        .collect();
    let mut name = leaf.issuer;
    for _ in 0..ISSUERS_FOLLOWED {
        let Some(issuer) = candidates.iter().find(|each| each.subject == name) else { break };
        if let Err(weak) = inspect_key(issuer) {
            return weak;
        }
        if issuer.extensions.name_constraints.is_some_and(constrains_other_names) {
            return Finding::new(FindingCode::CertificateConstraintNotSupported)
                .about(issuer.subject_text())
                .expected("nameConstraints on DNS names and IP addresses alone")
                .found("nameConstraints on other kinds of names");
        }
        if issuer.is_self_issued() {
            break;
        }
        name = issuer.issuer;
    }
    finding
}

/// Whether nameConstraints (DER) speak of other names than DNS names and IP addresses, which are
/// those that webpki compares (RFC 5280 §4.2.1.10). What cannot be read speaks of anything.
fn constrains_other_names(constraints: &[u8]) -> bool {
    const FIELD: &str = "nameConstraints";
    let others = || -> crate::asn1::Result<bool> {
        let mut fields = Cursor::over_sequence(constraints, FIELD)?;
        while !fields.is_empty() {
            let mut subtrees = fields.any(FIELD)?.content();
            while !subtrees.is_empty() {
                let base = general_name(subtrees.sequence(FIELD)?.any(FIELD)?)?;
                if !matches!(base, GeneralName::Dns(_) | GeneralName::Ip(_)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    };
    others().unwrap_or(true)
}

/// RFC 5280 §4.2 has applications recognise policyConstraints and inhibitAnyPolicy. Policies are
/// not processed here, so a certificate that constrains them is not supported, critical or not.
fn inspect_policies(path: &VerifiedPath<'_>) -> Result<(), Finding> {
    for (certificate, _) in path.links() {
        for id in [oid::CE_POLICY_CONSTRAINTS, oid::CE_INHIBIT_ANY_POLICY] {
            if certificate.extensions.has(id) {
                return Err(Finding::new(FindingCode::CertificateConstraintNotSupported)
                    .about(certificate.subject_text())
                    .expected("no constraints on certificate policies")
                    .found(format!("{id}")));
            }
        }
    }
    Ok(())
}

fn decoded(raw: Option<&[u8]>) -> Result<Certificate<'_>, Finding> {
    let raw = raw.ok_or_else(|| Finding::new(FindingCode::Internal))?;
    Certificate::decode(raw).map_err(|error| malformed(&error))
}

/// The finding for a certificate that cannot be decoded.
pub(crate) fn malformed(error: &Asn1Error) -> Finding {
    Finding::new(FindingCode::CertificateMalformed).found(format!("{error}"))
}

/// Whether `leaf` may be used for `purpose`, by the rules that verifiers hold everybody's certificates
/// against: what its key is, and the extensions that say what it is for. Its path, its time and
/// whether it was revoked are not looked at.
///
/// # Errors
/// The first rule that it breaks, with what was expected and what was found.
pub fn inspect_leaf(leaf: &Certificate<'_>, purpose: Purpose) -> Result<(), Finding> {
    let extensions = &leaf.extensions;
    let broken = |code: FindingCode, expected: &str, found: String| {
        Err(Finding::new(code).about(leaf.subject_text()).expected(expected).found(found))
    };
    inspect_key(leaf)?;
    let usages = extensions.extended_key_usage.as_ref();
    let usages_text = usages.map_or_else(|| String::from("none"), |(_, usages)| usages.text());
    match purpose {
        Purpose::CodeSigning => {
            if extensions.is_ca() {
                let code = FindingCode::CertificateWrongUse;
                return broken(code, "an end-entity certificate", String::from("a CA"));
            }
            // CA/B CSBR §7.1.2.3: digitalSignature, codeSigning, never anyExtendedKeyUsage.
            let allowed = usages.is_some_and(|(_, usages)| {
                usages.contains(oid::KP_CODE_SIGNING) && !usages.contains(oid::KP_ANY)
            });
            if !allowed {
                return broken(FindingCode::CertificateWrongUse, "codeSigning", usages_text);
            }
            let key_usage = extensions.key_usage.map(|(_, usage)| usage);
            if !key_usage.is_some_and(|usage| usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
                let found = key_usage
                    .map_or_else(|| String::from("no keyUsage"), |usage| usage.names().join(", "));
                return broken(FindingCode::CertificateWrongUse, "digitalSignature", found);
            }
        }
        Purpose::TimeStamping => {
            if extensions.is_ca() {
                let code = FindingCode::TimestampCertificateIsCa;
                return broken(code, "an end-entity certificate", String::from("a CA"));
            }
            // RFC 3161 §2.3: "MUST contain only one instance of the extended key usage field
            // extension with KeyPurposeID having value id-kp-timeStamping", and critical.
            let reserved = usages.is_some_and(|(critical, usages)| {
                critical.is_set() && usages.0 == [oid::KP_TIME_STAMPING]
            });
            if !reserved {
                let critical = usages.is_some_and(|(critical, _)| critical.is_set());
                let found =
                    if critical { usages_text } else { format!("{usages_text}, not critical") };
                return broken(FindingCode::TimestampEku, "timeStamping alone, critical", found);
            }
            let unfit = extensions.key_usage.is_some_and(|(_, usage)| {
                !usage.contains(KeyUsage::DIGITAL_SIGNATURE)
                    && !usage.contains(KeyUsage::CONTENT_COMMITMENT)
            });
            if unfit {
                let found = extensions.key_usage.map(|(_, usage)| usage.names().join(", "));
                let code = FindingCode::CertificateWrongUse;
                return broken(code, "digitalSignature", found.unwrap_or_default());
            }
        }
    }
    Ok(())
}

fn inspect_key(certificate: &Certificate<'_>) -> Result<(), Finding> {
    let key = certificate.public_key.algorithm;
    if key.is_acceptable() {
        return Ok(());
    }
    let found = match key {
        crate::crypto::KeyAlgorithm::Rsa { bits } => format!("RSA of {bits} bits"),
        other => String::from(other.name()),
    };
    Err(Finding::new(FindingCode::CertificateKeyTooWeak)
        .about(certificate.subject_text())
        .expected("P-384, P-256, P-521, Ed25519 or RSA of 2048 to 4096 bits")
        .found(found))
}

fn inspect_issuers(
    path: &VerifiedPath<'_>,
    time: UnixSeconds,
    purpose: Purpose,
) -> Result<(), Finding> {
    let anchor_index = path.issuers.len().saturating_sub(1);
    // How many CAs that are not self-issued stand below the one looked at (RFC 5280 §6.1.4 (l)).
    let mut below: u64 = 0;
    for (index, issuer) in path.issuers.iter().enumerate() {
        let is_anchor = index == anchor_index;
        inspect_key(issuer)?;
        inspect_issuer(issuer, below, purpose, is_anchor)?;
        if !issuer.is_valid_at(time) {
            return Err(validity_finding(issuer, time));
        }
        if !issuer.is_self_issued() {
            below = below.saturating_add(1);
        }
    }
    Ok(())
}

fn inspect_issuer(
    issuer: &Certificate<'_>,
    below: u64,
    purpose: Purpose,
    is_anchor: bool,
) -> Result<(), Finding> {
    let extensions = &issuer.extensions;
    let broken = |code: FindingCode, expected: &str, found: &str| {
        Err(Finding::new(code).about(issuer.subject_text()).expected(expected).found(found))
    };
    if !extensions.is_ca() {
        return broken(FindingCode::CertificateNotCa, "basicConstraints with cA", "none");
    }
    let may_sign = match extensions.key_usage {
        Some((_, usage)) => usage.contains(KeyUsage::KEY_CERT_SIGN),
        // Roots older than the rule have none; they were trusted by hand.
        None => is_anchor,
    };
    if !may_sign {
        return broken(FindingCode::CertificateNotCa, "keyUsage with keyCertSign", "none");
    }
    let limit = extensions.basic_constraints.and_then(|(_, constraints)| constraints.path_length);
    if limit.is_some_and(|limit| below > limit) {
        let found = format!("{below} CAs below it");
        let code = FindingCode::CertificatePathConstraint;
        return broken(code, "pathLenConstraint kept", &found);
    }
    if let Some((_, usages)) = &extensions.extended_key_usage
        && !usages.contains(*purpose.usage())
        && !(is_anchor && usages.contains(oid::KP_ANY))
    {
        let expected = super::Usages(vec![*purpose.usage()]).text();
        return broken(FindingCode::CertificateWrongUse, &expected, &usages.text());
    }
    Ok(())
}

/// The finding for a certificate outside its validity at `time`.
pub(crate) fn validity_finding(certificate: &Certificate<'_>, time: UnixSeconds) -> Finding {
    let (code, expected) = if time < certificate.not_before {
        (FindingCode::CertificateNotYetValid, format!("not before {}", certificate.not_before))
    } else {
        (FindingCode::CertificateExpiredWhenSigned, format!("not after {}", certificate.not_after))
    };
    Finding::new(code).about(certificate.subject_text()).expected(expected).found(format!("{time}"))
}

fn path_finding(leaf: &Certificate<'_>, time: UnixSeconds, error: &Error) -> Finding {
    use FindingCode as F;
    let unix =
        |time: &UnixTime| UnixSeconds::new(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let about = |code: F| Finding::new(code).about(leaf.subject_text());
    match error {
        Error::CertExpired { not_after, .. } => about(F::CertificateExpiredWhenSigned)
            .expected(format!("not after {}", unix(not_after)))
            .found(format!("{time}")),
        Error::CertNotValidYet { not_before, .. } => about(F::CertificateNotYetValid)
            .expected(format!("not before {}", unix(not_before)))
            .found(format!("{time}")),
        Error::UnknownIssuer => about(F::CertificateUnknownIssuer)
            .expected("an issuer in the trust root")
            .found(super::name::text(leaf.issuer)),
        Error::InvalidSignatureForPublicKey => about(F::CertificateUnknownIssuer)
            .expected("a signature by the named issuer")
            .found("another signature"),
        Error::PathLenConstraintViolated | Error::NameConstraintViolation => {
            about(F::CertificatePathConstraint).found(fault_name(error))
        }
        Error::RequiredEkuNotFoundContext(_) => {
            about(F::CertificateWrongUse).found("an issuer that may not issue for this use")
        }
        Error::CaUsedAsEndEntity => about(F::CertificateWrongUse).found("a CA"),
        Error::EndEntityUsedAsCa => about(F::CertificateNotCa).found("an end-entity certificate"),
        Error::UnsupportedCriticalExtension
        | Error::UnsupportedNameType
        | Error::UnsupportedCertVersion
        | Error::MalformedNameConstraint
        | Error::InvalidNetworkMaskConstraint => {
            about(F::CertificateConstraintNotSupported).found(fault_name(error))
        }
        Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => {
            about(F::CertificateChainTooLong).found(fault_name(error))
        }
        Error::SignatureAlgorithmMismatch
        | Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            about(F::CertificateKeyTooWeak).found("a signature algorithm that is not accepted")
        }
        Error::TrailingData(part) => {
            about(F::CertificateMalformed).found(format!("TrailingData({part:?})"))
        }
        other => about(F::CertificateMalformed).found(fault_name(other)),
    }
}

/// webpki's own names of the faults that tell no more than their name. Its `Debug` would bring the
/// text of server names and addresses into the WebAssembly module, which no path here has to do
/// with: 2 KB.
fn fault_name(error: &Error) -> &'static str {
    match error {
        Error::BadDer => "BadDer",
        Error::BadDerTime => "BadDerTime",
        Error::EmptyEkuExtension => "EmptyEkuExtension",
        Error::ExtensionValueInvalid => "ExtensionValueInvalid",
        Error::InvalidCertValidity => "InvalidCertValidity",
        Error::InvalidNetworkMaskConstraint => "InvalidNetworkMaskConstraint",
        Error::InvalidSerialNumber => "InvalidSerialNumber",
        Error::MalformedDnsIdentifier => "MalformedDnsIdentifier",
        Error::MalformedExtensions => "MalformedExtensions",
        Error::MalformedNameConstraint => "MalformedNameConstraint",
        Error::MaximumNameConstraintComparisonsExceeded => {
            "MaximumNameConstraintComparisonsExceeded"
        }
        Error::MaximumPathBuildCallsExceeded => "MaximumPathBuildCallsExceeded",
        Error::MaximumPathDepthExceeded => "MaximumPathDepthExceeded",
        Error::MaximumSignatureChecksExceeded => "MaximumSignatureChecksExceeded",
        Error::NameConstraintViolation => "NameConstraintViolation",
        Error::PathLenConstraintViolated => "PathLenConstraintViolated",
        Error::UnsupportedCertVersion => "UnsupportedCertVersion",
        Error::UnsupportedCriticalExtension => "UnsupportedCriticalExtension",
        Error::UnsupportedNameType => "UnsupportedNameType",
        // Of revocation and server names, which webpki is not asked about here.
        _ => "another fault",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_bear_webpki_names() {
        let named = [
            Error::BadDer,
            Error::BadDerTime,
            Error::EmptyEkuExtension,
            Error::ExtensionValueInvalid,
            Error::InvalidCertValidity,
            Error::InvalidNetworkMaskConstraint,
            Error::InvalidSerialNumber,
            Error::MalformedDnsIdentifier,
            Error::MalformedExtensions,
            Error::MalformedNameConstraint,
            Error::MaximumNameConstraintComparisonsExceeded,
            Error::MaximumPathBuildCallsExceeded,
            Error::MaximumPathDepthExceeded,
            Error::MaximumSignatureChecksExceeded,
            Error::NameConstraintViolation,
            Error::PathLenConstraintViolated,
            Error::UnsupportedCertVersion,
            Error::UnsupportedCriticalExtension,
            Error::UnsupportedNameType,
        ];
        for error in named {
            assert_eq!(fault_name(&error), format!("{error:?}"));
        }
    }
}
