//! Certificates: registering what was issued, and showing what is known of one.

use std::sync::Arc;

use countersign_core::{
    asn1::Cursor,
    digest::encode_hex,
    time::UnixSeconds,
    x509::{Certificate, certificate::serial_text},
};
use countersign_daemon::problem::Problem;
use countersign_signing::pem;
use http::StatusCode;
use serde::Serialize;
use warp::reply::Response;

use super::Actor;
use crate::{
    authority::sha256,
    reply::{bad_request, json, of_storage},
    serial_number,
    state::{Issuer, Service},
    storage::{CertificateRecord, Digests, Registration, Status},
};

/// Certificates taken in one request: bounds the transaction and its signature checks.
const MAX_CERTIFICATES: usize = 64;

#[derive(Serialize)]
struct Registered {
    certificates: Vec<RegisteredCertificate>,
}

#[derive(Serialize)]
struct RegisteredCertificate {
    issuer: String,
    serial: String,
    sha256: Option<String>,
    outcome: &'static str,
}

#[derive(Serialize)]
struct Shown {
    issuer: String,
    serial: String,
    sha256: Option<String>,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    registered_at: UnixSeconds,
    registered_by: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<ShownRevocation>,
}

#[derive(Serialize)]
struct ShownRevocation {
    reason: &'static str,
    revocation_date: UnixSeconds,
    recorded_at: UnixSeconds,
    recorded_by: String,
}

/// Registers the certificates in `body`, PEM or DER: all or none. 201 when one of them is new,
/// 200 when all were known.
///
/// # Errors
/// A problem: unreadable, not issued by an issuer of this service, in conflict with another, or
/// storage failed.
pub(crate) async fn register(
    service: &Service,
    actor: &Actor,
    body: &[u8],
) -> Result<Response, Problem> {
    let encoded = split(body)?;
    if encoded.len() > MAX_CERTIFICATES {
        let detail = format!("Send at most {MAX_CERTIFICATES} certificates at a time.");
        return Err(bad_request("certificate.too_many", detail));
    }
    let mut names = Vec::with_capacity(encoded.len());
    let mut records = Vec::with_capacity(encoded.len());
    for (index, der) in encoded.iter().enumerate() {
        let (issuer, record) = record(service, actor, der, index + 1)?;
        names.push(issuer.authority.name().to_owned());
        records.push(record);
    }
    let outcomes =
        service.storage().register(records.clone()).await.map_err(|error| of_storage(&error))?;
    let mut status = StatusCode::OK;
    let mut certificates = Vec::with_capacity(outcomes.len());
    for ((issuer, record), outcome) in names.into_iter().zip(&records).zip(&outcomes) {
        let serial = serial_text(&record.serial);
        let outcome = match outcome {
            Registration::Known => "known",
            Registration::Registered
            | Registration::Completed
            | Registration::RegisteredRevoked => {
                status = StatusCode::CREATED;
                tracing::info!(actor = actor.name(), issuer, serial, "certificate registered");
                "registered"
            }
        };
        certificates.push(RegisteredCertificate {
            issuer,
            serial,
            sha256: record.digests.as_ref().map(|digests| encode_hex(&digests.sha256)),
            outcome,
        });
    }
    Ok(json(status, &Registered { certificates }))
}

/// The certificates in a body: PEM with any number, or DER, one after the other.
fn split(body: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    if body.first() != Some(&0x30) {
        return pem::decode_certificates(&String::from_utf8_lossy(body)).map_err(|error| {
            bad_request("certificate.malformed", format!("Send PEM or DER certificates: {error}."))
        });
    }
    let mut cursor = Cursor::new(body);
    let mut certificates = Vec::new();
    while !cursor.is_empty() {
        let next = cursor.any("certificate").map_err(|error| {
            bad_request("certificate.malformed", format!("This is not DER: {error}."))
        })?;
        certificates.push(next.raw.to_vec());
    }
    Ok(certificates)
}

fn record<'a>(
    service: &'a Service,
    actor: &Actor,
    der: &[u8],
    position: usize,
) -> Result<(&'a Arc<Issuer>, CertificateRecord), Problem> {
    let certificate = Certificate::decode(der).map_err(|error| {
        bad_request(
            "certificate.malformed",
            format!("Certificate {position} cannot be read: {error}."),
        )
    })?;
    let issuer = issuer_of(service, &certificate)?;
    warn_of_other_distribution_point(issuer, &certificate);
    let record = CertificateRecord {
        issuer: issuer.id,
        serial: certificate.serial.to_vec(),
        digests: Some(Digests {
            sha256: sha256(der),
            spki_sha256: sha256(certificate.public_key.raw),
            subject: certificate.subject.to_vec(),
        }),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        registered_at: service.now(),
        actor: actor.name().to_owned(),
    };
    Ok((issuer, record))
}

/// The issuer of a certificate that an administrator sent.
///
/// # Errors
/// 422: none of this service's issuers signed it.
pub(super) fn issuer_of<'a>(
    service: &'a Service,
    certificate: &Certificate<'_>,
) -> Result<&'a Arc<Issuer>, Problem> {
    service.issuer_of(certificate).ok_or_else(|| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "certificate.issuer.unknown",
            format!(
                "No issuer of this service signed the certificate of {}.",
                certificate.subject_text()
            ),
        )
    })
}

/// The issuer and the serial number (content octets) that an administrator named.
///
/// # Errors
/// 404 or 400.
pub(super) fn named<'a>(
    service: &'a Service,
    issuer: &str,
    serial: &str,
) -> Result<(&'a Arc<Issuer>, Vec<u8>), Problem> {
    let known = service.issuer_named(issuer).ok_or_else(|| {
        let names: Vec<_> =
            service.issuers().iter().map(|issuer| issuer.authority.name()).collect();
        let detail = format!("There is no issuer of that name; there are: {}.", names.join(", "));
        Problem::new(StatusCode::NOT_FOUND, "issuer.unknown", detail)
    })?;
    let serial = serial_number::parse(serial).ok_or_else(|| {
        bad_request(
            "certificate.serial.malformed",
            "Write the serial number in hexadecimal, at most 20 octets.",
        )
    })?;
    Ok((known, serial))
}

/// A verifier compares the CRL's distribution point with the certificate's: where they differ, it
/// can use no CRL of ours for this certificate.
fn warn_of_other_distribution_point(issuer: &Issuer, certificate: &Certificate<'_>) {
    let urls = &certificate.extensions.crl_urls;
    if let Some(url) = issuer.authority.crl_url()
        && !urls.contains(&url)
    {
        tracing::warn!(
            issuer = issuer.authority.name(),
            serial = certificate.serial_text(),
            crl_url = url,
            certificate_urls = ?urls,
            "the certificate's CRL distribution point is not the CRL's"
        );
    }
}

/// Shows what is known of one certificate.
///
/// # Errors
/// 404 when it is not registered; storage failed.
pub(crate) async fn show(
    service: &Service,
    issuer: &str,
    serial: &str,
) -> Result<Response, Problem> {
    let (issuer, serial) = named(service, issuer, serial)?;
    let failed = |error| of_storage(&error);
    let missing = || crate::storage::StorageError::NotRegistered { serial: serial_text(&serial) };
    let record = service.storage().certificate(issuer.id, &serial).await.map_err(failed)?;
    let record = record.ok_or_else(|| of_storage(&missing()))?;
    let revocation = match service.storage().status(issuer.id, &serial).await.map_err(failed)? {
        Status::Revoked(revocation) => Some(ShownRevocation {
            reason: revocation.reason.name(),
            revocation_date: revocation.revocation_date,
            recorded_at: revocation.recorded_at,
            recorded_by: revocation.actor,
        }),
        Status::Good | Status::NeverIssued => None,
    };
    let shown = Shown {
        issuer: issuer.authority.name().to_owned(),
        serial: serial_text(&serial),
        sha256: record.digests.map(|digests| encode_hex(&digests.sha256)),
        not_before: record.not_before,
        not_after: record.not_after,
        registered_at: record.registered_at,
        registered_by: record.actor,
        status: if revocation.is_some() { "revoked" } else { "good" },
        revocation,
    };
    Ok(json(StatusCode::OK, &shown))
}
