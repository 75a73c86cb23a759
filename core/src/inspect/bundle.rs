//! Bundles, and the statements in them.

use alloc::{format, string::String, vec, vec::Vec};

use super::{View, certificates, log, timestamp_response};
use crate::{
    bundle::{Bundle, Content, Field, Provenance, Statement, Verifier},
    finding::quoted,
    tsp::TimestampResponse,
};

pub(super) fn bundle(bundle: &Bundle) -> View {
    let signed = match &bundle.content {
        Content::MessageSignature { digest, signature } => View::Fields(vec![
            (
                "messageDigest",
                View::text(
                    digest.as_ref().map_or_else(|| String::from("none"), |each| format!("{each}")),
                ),
            ),
            ("signature", View::hex(signature)),
        ]),
        Content::Envelope(envelope) => View::Fields(vec![
            ("payloadType", View::text(envelope.payload_type.clone())),
            ("statement", statement(&envelope.payload)),
            ("signature", View::hex(&envelope.signature)),
        ]),
    };
    let kind = match &bundle.content {
        Content::MessageSignature { .. } => "messageSignature",
        Content::Envelope(_) => "dsseEnvelope",
    };
    let timestamps = bundle.timestamps.iter().map(|bytes| match TimestampResponse::decode(bytes) {
        Ok(response) => timestamp_response(&response),
        Err(finding) => View::text(finding.code.title()),
    });
    let verifier = match &bundle.verifier {
        Verifier::Certificate { certificate, further } => {
            let raws = core::iter::once(certificate).chain(further);
            ("certificates", certificates(raws.map(Vec::as_slice)))
        }
        Verifier::PublicKey { hint } => {
            ("publicKey", View::Fields(vec![("hint", View::text(hint.clone()))]))
        }
    };
    View::Fields(vec![
        ("kind", View::text("bundle")),
        ("content", View::text(kind)),
        (kind, signed),
        verifier,
        ("rfc3161Timestamps", View::List(timestamps.collect())),
        ("tlogEntries", View::List(bundle.log_entries.iter().map(log::entry).collect())),
    ])
}

fn statement(payload: &[u8]) -> View {
    let statement = match Statement::decode(payload) {
        Ok(statement) => statement,
        Err(finding) => return View::text(finding.code.title()),
    };
    let subjects = statement.subjects.iter().map(|subject| {
        let digests = subject.digests.iter().map(|digest| View::Text(format!("{digest}")));
        let mut parts = vec![("digest", View::List(digests.collect()))];
        if let Some(name) = &subject.name {
            parts.insert(0, ("name", View::text(name.clone())));
        }
        if let Some(size) = subject.size {
            parts.push(("size", View::Number(size)));
        }
        View::Fields(parts)
    });
    let mut fields = vec![
        ("predicateType", View::text(statement.predicate_type.clone())),
        ("subject", View::List(subjects.collect())),
    ];
    match Provenance::decode(payload) {
        Ok(None) => {}
        Ok(Some(decoded)) => fields.push(("provenance", provenance(&decoded))),
        Err(finding) => fields.push(("provenance", View::text(finding.code.title()))),
    }
    View::Fields(fields)
}

fn provenance(provenance: &Provenance) -> View {
    let field = |field: &Field| match field {
        Ok(text) => View::text(text.clone()),
        Err(fault) => View::Text(quoted(format!("({fault})"))),
    };
    View::Fields(vec![
        ("builder", field(&provenance.builder)),
        ("buildType", field(&provenance.build_type)),
        ("source", field(&provenance.source)),
        ("ref", field(&provenance.reference)),
    ])
}
