//! Whether a leaf may be used for a purpose, its path not looked at.

use alloc::{format, string::String};

use super::{Purpose, validate::inspect_key};
use crate::{
    finding::{Finding, FindingCode},
    oid,
    x509::{Certificate, KeyUsage},
};

/// Whether `leaf` may be used for `purpose`, by the rules that verifiers hold everybody's certificates
/// against: what its key is, and the extensions that say what it is for. Its path, its time and
/// whether it was revoked are not looked at.
///
/// # Errors
/// The first rule that it breaks, with what was expected and what was found.
pub fn inspect_leaf(leaf: &Certificate<'_>, purpose: Purpose) -> Result<(), Finding> {
    let extensions = &leaf.extensions;
    let broken = |code: FindingCode, expected: &str, found: String| {
        Err(Finding::new(code).about(leaf.display_name()).expected(expected).found(found))
    };
    inspect_key(leaf)?;
    let usages = extensions.extended_key_usage.as_ref();
    let usages_text = usages.map_or_else(|| String::from("none"), |(_, usages)| usages.text());
    match purpose {
        Purpose::CodeSigning => {
            if extensions.is_ca() {
                let code = FindingCode::CERTIFICATE_WRONG_USE;
                return broken(code, "an end-entity certificate", String::from("a CA"));
            }
            // CA/B CSBR §7.1.2.3: digitalSignature, codeSigning, never anyExtendedKeyUsage.
            let allowed = usages.is_some_and(|(_, usages)| {
                usages.contains(oid::KP_CODE_SIGNING) && !usages.contains(oid::KP_ANY)
            });
            if !allowed {
                return broken(FindingCode::CERTIFICATE_WRONG_USE, "codeSigning", usages_text);
            }
            let key_usage = extensions.key_usage.map(|(_, usage)| usage);
            if !key_usage.is_some_and(|usage| usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
                let found = key_usage
                    .map_or_else(|| String::from("no keyUsage"), |usage| usage.names().join(", "));
                return broken(FindingCode::CERTIFICATE_WRONG_USE, "digitalSignature", found);
            }
        }
        Purpose::TimeStamping => {
            if extensions.is_ca() {
                let code = FindingCode::TIMESTAMP_CERTIFICATE_IS_CA;
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
                return broken(FindingCode::TIMESTAMP_EKU, "timeStamping alone, critical", found);
            }
            let unfit = extensions.key_usage.is_some_and(|(_, usage)| {
                !usage.contains(KeyUsage::DIGITAL_SIGNATURE)
                    && !usage.contains(KeyUsage::CONTENT_COMMITMENT)
            });
            if unfit {
                let found = extensions.key_usage.map(|(_, usage)| usage.names().join(", "));
                let code = FindingCode::CERTIFICATE_WRONG_USE;
                return broken(code, "digitalSignature", found.unwrap_or_default());
            }
        }
    }
    Ok(())
}
