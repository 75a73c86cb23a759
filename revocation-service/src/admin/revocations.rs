//! Revoking: on disk, then in the CRL, then acknowledged.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use countersign_core::{
    crl::RevocationReason,
    time::UnixSeconds,
    x509::{Certificate, certificate::serial_text},
};
use countersign_daemon::problem::Problem;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use warp::reply::Response;

use super::{
    Actor,
    certificates::{issuer_of, named},
};
use crate::{
    authority::sha256,
    reply::{bad_request, json, of_storage},
    rules::{People, RevocationOrder},
    state::{CrlSource, Issuer, Service},
    storage::{CertificateRecord, Recorded, StorageError},
};

/// The body of `POST /v1/revocations`: a certificate, or issuer and serial number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    certificate: Option<String>,
    issuer: Option<String>,
    serial: Option<String>,
    reason: String,
    compromised_since: Option<String>,
}

#[derive(Serialize)]
struct Acknowledgement {
    issuer: String,
    serial: String,
    reason: &'static str,
    revocation_date: UnixSeconds,
    recorded_at: UnixSeconds,
}

/// Revokes the certificate that the JSON `body` names. When it answers 200, the revocation is on
/// disk and every CRL and OCSP answer from now on shows it.
///
/// # Errors
/// A problem; after `crl.not_published` the revocation is on disk all the same, and in every OCSP
/// answer.
pub(crate) async fn revoke(
    service: Arc<Service>,
    actor: Actor,
    body: &[u8],
) -> Result<Response, Problem> {
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        bad_request("revocation.malformed", format!("The JSON is not an order to revoke: {error}."))
    })?;
    let order = RevocationOrder {
        reason: reason(&body.reason)?,
        compromised_since: body.compromised_since.as_deref().map(time).transpose()?,
        now: service.now(),
        actor: actor.name().to_owned(),
        people: People::One,
    };
    let (issuer, serial) = target(&service, &body).await?;
    // A task of its own: a client that hangs up between disk and CRL stops neither.
    tokio::spawn(async move { carry_out(&service, &issuer, &serial, &order).await })
        .await
        .map_err(|_| Problem::internal())?
}

async fn carry_out(
    service: &Service,
    issuer: &Issuer,
    serial: &[u8],
    order: &RevocationOrder,
) -> Result<Response, Problem> {
    let CrlSource::Publisher(publisher) = &issuer.crls else { return Err(offline(issuer)) };
    let name = issuer.authority.name();
    refuse_wrong_clock(issuer, order.now)?;
    let Recorded { revocation, revision } =
        service.storage().revoke(issuer.id, serial, order).await.map_err(|error| {
            tracing::warn!(actor = order.actor, issuer = name, serial = serial_text(serial), %error, "revocation refused");
            of_storage(&error)
        })?;
    let serial = serial_text(serial);
    tracing::info!(
        actor = order.actor,
        issuer = name,
        serial,
        reason = revocation.reason.name(),
        revocation_date = %revocation.revocation_date,
        "revoked"
    );
    publisher.publish_revision(revision, service.now()).await.map_err(|error| {
        tracing::error!(issuer = name, serial, %error, "revoked, but no CRL shows it yet");
        let detail = "The revocation is recorded and OCSP shows it, but no new CRL could be published; \
                      the log has the reason. Repeat the request: that is safe.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "crl.not_published", detail)
    })?;
    let acknowledgement = Acknowledgement {
        issuer: name.to_owned(),
        serial,
        reason: revocation.reason.name(),
        revocation_date: revocation.revocation_date,
        recorded_at: revocation.recorded_at,
    };
    Ok(json(StatusCode::OK, &acknowledgement))
}

/// What is recorded cannot be moved later: a date from a clock that lost its time would void every
/// signature for ever.
fn refuse_wrong_clock(issuer: &Issuer, now: UnixSeconds) -> Result<(), Problem> {
    let not_before = issuer.authority.certificate().not_before;
    if now >= not_before {
        return Ok(());
    }
    let detail = format!(
        "The service's clock says {now}, before its issuer began at {not_before}; nothing was recorded. \
         Set the clock, and repeat the request."
    );
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "service.clock", detail))
}

/// The issuer's key is elsewhere: no CRL made here could show the revocation.
fn offline(issuer: &Issuer) -> Problem {
    let detail = format!(
        "The key of {} is not here. Make a new CRL where it is, and put it in this issuer's crl_file.",
        issuer.authority.name()
    );
    Problem::new(StatusCode::CONFLICT, "issuer.offline", detail)
}

async fn target(service: &Service, body: &Body) -> Result<(Arc<Issuer>, Vec<u8>), Problem> {
    match (&body.certificate, &body.issuer, &body.serial) {
        (Some(encoded), None, None) => {
            let malformed = |detail: String| bad_request("certificate.malformed", detail);
            let der = Base64::decode_vec(encoded)
                .map_err(|_| malformed("Send the certificate's DER in base64.".to_owned()))?;
            let certificate = Certificate::decode(&der)
                .map_err(|error| malformed(format!("The certificate cannot be read: {error}.")))?;
            let issuer = Arc::clone(issuer_of(service, &certificate)?);
            refuse_other_certificate(service, &issuer, &certificate).await?;
            Ok((issuer, certificate.serial.to_vec()))
        }
        (None, Some(issuer), Some(serial)) => {
            let (issuer, serial) = named(service, issuer, serial)?;
            Ok((Arc::clone(issuer), serial))
        }
        _ => {
            Err(bad_request("revocation.target", "Name either certificate, or issuer and serial."))
        }
    }
}

/// Revoking by certificate means that very certificate, not another one with its serial number.
async fn refuse_other_certificate(
    service: &Service,
    issuer: &Issuer,
    certificate: &Certificate<'_>,
) -> Result<(), Problem> {
    let known = service.storage().certificate(issuer.id, certificate.serial).await;
    match known.map_err(|error| of_storage(&error))? {
        Some(CertificateRecord { digests: Some(known), .. })
            if known.sha256 != sha256(certificate.raw) =>
        {
            let serial = certificate.serial_text();
            Err(of_storage(&StorageError::CertificateConflict { serial }))
        }
        // One that is missing altogether is refused when it is to be revoked.
        _ => Ok(()),
    }
}

fn reason(name: &str) -> Result<RevocationReason, Problem> {
    RevocationReason::parse(name).ok_or_else(|| {
        let names: Vec<_> = RevocationReason::ALL
            .into_iter()
            .filter(|reason| *reason != RevocationReason::RemoveFromCrl)
            .map(RevocationReason::name)
            .collect();
        bad_request(
            "revocation.reason.unknown",
            format!("The reason must be one of: {}.", names.join(", ")),
        )
    })
}

fn time(text: &str) -> Result<UnixSeconds, Problem> {
    UnixSeconds::parse_rfc3339(text).ok_or_else(|| {
        bad_request(
            "revocation.compromised_since.malformed",
            "Write the time as 2026-05-03T10:00:00Z.",
        )
    })
}
