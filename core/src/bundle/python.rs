//! Attestations of the Python package index (PEP 740): a bundle's parts under other names.
//!
//! PEP 740, "Attestation objects", and `pypi-attestations`, which makes of each a bundle v0.3 with
//! a DSSE envelope around the statement. The publisher that the index names beside them is not
//! read: nobody signed it.

use alloc::{format, string::String, vec::Vec};

use serde::Deserialize;

use super::{
    Bundle, Content, Envelope, IN_TOTO_PAYLOAD_TYPE, Verifier, Version, form::bounded,
    json_finding, log_entry::LogEntryForm,
};
use crate::{
    finding::{Finding, FindingCode},
    json::{Base64Octets, Value, strict},
    limits,
};

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct AttestationForm {
    version: u32,
    verification_material: MaterialForm,
    envelope: EnvelopeForm,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct MaterialForm {
    certificate: Base64Octets,
    transparency_entries: Vec<LogEntryForm>,
}

#[derive(Deserialize)]
#[serde(remote = "Self")]
struct EnvelopeForm {
    statement: Base64Octets,
    signature: Base64Octets,
}

strict! {
    object AttestationForm;
    object MaterialForm;
    object EnvelopeForm;
}

/// Whether an object is an attestation by its keys.
pub(super) fn is_attestation(root: Value<'_>) -> bool {
    let envelope = root.member("envelope");
    envelope.is_some_and(|envelope| envelope.member("statement").is_some())
        && root.member("verification_material").is_some()
}

/// An attestation as the bundle that it is.
pub(super) fn decode(root: Value<'_>) -> Result<Bundle, Finding> {
    let form: AttestationForm = root.read().map_err(|fault| json_finding(&fault))?;
    if form.version != 1 {
        return Err(Finding::new(FindingCode::BUNDLE_TOO_NEW)
            .about("version")
            .expected("an attestation of version 1 (PEP 740)")
            .found(format!("{}", form.version)));
    }
    let material = form.verification_material;
    bounded(material.transparency_entries.len(), limits::LOG_ENTRIES, "log entries")?;
    let log_entries = material.transparency_entries.into_iter().map(LogEntryForm::decode);
    let log_entries = log_entries.collect::<Result<_, _>>()?;
    if form.envelope.signature.0.is_empty() {
        return Err(FindingCode::SIGNATURE_ABSENT.into());
    }
    Ok(Bundle {
        verifier: Verifier::Certificate {
            certificate: material.certificate.0,
            further: Vec::new(),
        },
        content: Content::Envelope(Envelope {
            payload_type: String::from(IN_TOTO_PAYLOAD_TYPE),
            payload: form.envelope.statement.0,
            signature: form.envelope.signature.0,
        }),
        timestamps: Vec::new(),
        log_entries,
        version: Version::V0_2,
    })
}
