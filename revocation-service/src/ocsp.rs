//! OCSP (RFC 6960, RFC 9654, RFC 9919): from the octets of a request to the octets of an answer.
//!
//! HTTP is the routes' business. Every answer is signed when it is asked for; nothing is cached
//! here.

use std::sync::Arc;

use countersign_core::{
    crl::RevocationReason,
    digest::HashAlgorithm,
    ocsp::{CertId, NonceKind, OcspRequest},
    time::UnixSeconds,
};
use countersign_signing::ocsp::{
    self, CertificateStatus, OcspResponseStatus, ResponseTerms, SingleResponse,
};

use crate::{
    authority::Delegate,
    config::NeverIssued,
    signing_queue::QueueFault,
    state::{CrlSource, Issuer, Service},
    storage::{Status, StorageError},
};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A signed one.
    Signed {
        /// The whole `OCSPResponse`, DER.
        der: Vec<u8>,
        /// Its thisUpdate and producedAt.
        this_update: UnixSeconds,
        /// Its nextUpdate.
        next_update: UnixSeconds,
        /// Whether it answers everybody who asks the same.
        reuse: Reuse,
    },
    /// An unsigned refusal.
    Refusal(OcspResponseStatus),
}

/// Who may be given an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Whoever asks the same question.
    Anyone,
    /// Only who asked: it has their nonce in it.
    Asker,
}

/// Answers one request.
pub async fn answer(service: &Service, request: &[u8]) -> Answer {
    match respond(service, request).await {
        Ok(answer) => answer,
        Err(fault) => {
            if let Fault::Storage(error) = &fault {
                tracing::error!(%error, cause = ?std::error::Error::source(error), "no OCSP answer");
            }
            Answer::Refusal(fault.status())
        }
    }
}

/// Why there is no signed answer.
pub(crate) enum Fault {
    Malformed,
    Unauthorized,
    Busy,
    NoDelegate,
    /// The CRL that decides ran out.
    StaleCrl,
    Storage(StorageError),
    Signing,
}

impl Fault {
    fn status(&self) -> OcspResponseStatus {
        match self {
            Self::Malformed => OcspResponseStatus::MalformedRequest,
            Self::Unauthorized => OcspResponseStatus::Unauthorized,
            Self::Busy | Self::NoDelegate | Self::StaleCrl => OcspResponseStatus::TryLater,
            Self::Storage(_) | Self::Signing => OcspResponseStatus::InternalError,
        }
    }
}

async fn respond(service: &Service, request: &[u8]) -> Result<Answer, Fault> {
    let settings = service.settings();
    let request = OcspRequest::decode(request, settings.ocsp_max_certificates)
        .map_err(|_| Fault::Malformed)?;
    // RFC 9654 §2.1: 16–32 octets are echoed, of other lengths the answer may leave the nonce out.
    let nonce = request.nonce.filter(|_| request.nonce_kind() == Some(NonceKind::Echo));
    let now = service.now();
    let (issuer, delegate) = responder(service, &request.certificates, now)?;
    let mut answers = statuses(service, issuer, &request.certificates, now).await?;
    if nonce.is_none() {
        answers.extend(twin(issuer, &request.certificates, &answers));
    }

    let validity = i64::from(settings.ocsp_validity_seconds);
    let next_update = now.plus_seconds(validity).min(delegate.not_after).min(horizon(issuer, now));
    // Nothing is ever dropped from the database: status is kept since the issuer began.
    let archive_cutoff = Some(issuer.authority.certificate().not_before);
    let reuse = if nonce.is_none() { Reuse::Anyone } else { Reuse::Asker };
    let nonce = nonce.map(<[u8]>::to_vec);
    let sign = move || {
        let responses: Vec<_> = answers
            .iter()
            .map(|(cert_id, status)| SingleResponse { cert_id, status: *status })
            .collect();
        let terms = ResponseTerms {
            produced_at: now,
            this_update: now,
            next_update,
            archive_cutoff,
            nonce: nonce.as_deref(),
        };
        delegate.signer.respond(&responses, &terms)
    };
    let signed = service.signing().run(sign).await;
    match signed {
        Ok(Ok(der)) => Ok(Answer::Signed { der, this_update: now, next_update, reuse }),
        Ok(Err(error)) => {
            tracing::error!(issuer = issuer.authority.name(), %error, "no OCSP answer");
            Err(Fault::Signing)
        }
        Err(QueueFault::Full) => Err(Fault::Busy),
        Err(QueueFault::Abandoned) => Err(Fault::Signing),
    }
}

/// The issuer that answers: that of the first `CertID` that names one of ours. `CertIDs` of others in
/// the same request are answered `unknown`, since one signature can only speak for one issuer.
fn responder<'a>(
    service: &'a Service,
    certificates: &[CertId<'_>],
    now: UnixSeconds,
) -> Result<(&'a Arc<Issuer>, Arc<Delegate>), Fault> {
    let issuer = certificates
        .iter()
        .find_map(|id| service.issuers().iter().find(|issuer| issuer.authority.is_named_by(id)))
        .ok_or(Fault::Unauthorized)?;
    let delegate = issuer.authority.delegate().ok_or(Fault::Unauthorized)?;
    if !delegate.is_valid_at(now) {
        tracing::error!(
            issuer = issuer.authority.name(),
            not_before = %delegate.not_before,
            not_after = %delegate.not_after,
            "the OCSP delegate's certificate is not valid now"
        );
        return Err(Fault::NoDelegate);
    }
    Ok((issuer, delegate))
}

/// `CertID` (DER, as asked) and status of every certificate, in order.
async fn statuses(
    service: &Service,
    issuer: &Issuer,
    certificates: &[CertId<'_>],
    now: UnixSeconds,
) -> Result<Vec<(Vec<u8>, CertificateStatus)>, Fault> {
    let mut answers = Vec::with_capacity(certificates.len() + 1);
    for id in certificates {
        let status = if issuer.authority.is_named_by(id) {
            status(service, issuer, id.serial, now).await?
        } else {
            CertificateStatus::Unknown
        };
        answers.push((id.raw.to_vec(), status));
    }
    Ok(answers)
}

/// What is known of a serial number (content octets) of `issuer`.
///
/// # Errors
/// Storage failed, or a CRL made elsewhere ran out and does not list it.
pub(crate) async fn status(
    service: &Service,
    issuer: &Issuer,
    serial: &[u8],
    now: UnixSeconds,
) -> Result<CertificateStatus, Fault> {
    // Dates recorded while the clock was ahead: an answer never speaks of what is to come.
    let revoked =
        |reason, date: UnixSeconds| CertificateStatus::Revoked { reason, date: date.min(now) };
    // A CRL made elsewhere is the authority on what its issuer revoked.
    if let CrlSource::File(watch) = &issuer.crls {
        let is_stale = watch.current().is_overdue(now);
        match watch.entry(serial) {
            // Old evidence still proves a revocation, but not that it is still on hold.
            Some((reason, date)) if !is_stale || reason != RevocationReason::CertificateHold => {
                return Ok(revoked(reason, date));
            }
            _ if is_stale => return Err(Fault::StaleCrl),
            _ => {}
        }
    }
    Ok(match service.storage().status(issuer.id, serial).await.map_err(Fault::Storage)? {
        Status::Good => CertificateStatus::Good,
        Status::Revoked(revocation) => revoked(revocation.reason, revocation.revocation_date),
        Status::NeverIssued => match service.settings().never_issued {
            NeverIssued::Unknown => CertificateStatus::Unknown,
            NeverIssued::Revoked => CertificateStatus::NeverIssued,
        },
    })
}

/// Until when answers about `issuer` may be believed: those that follow a CRL made elsewhere, no
/// longer than it.
fn horizon(issuer: &Issuer, now: UnixSeconds) -> UnixSeconds {
    match &issuer.crls {
        CrlSource::File(watch) if !watch.current().is_overdue(now) => {
            watch.current().validity.next_update
        }
        _ => UnixSeconds::new(i64::MAX),
    }
}

/// The same answer under the other `CertID` that clients use, SHA-1 or SHA-256, so that one kept
/// response serves both kinds. Only where one certificate was asked for, and after its answer:
/// some clients read the first alone.
fn twin(
    issuer: &Issuer,
    certificates: &[CertId<'_>],
    answers: &[(Vec<u8>, CertificateStatus)],
) -> Option<(Vec<u8>, CertificateStatus)> {
    let ([asked], [(_, status)]) = (certificates, answers) else { return None };
    let other = match asked.hash? {
        HashAlgorithm::Sha1 => HashAlgorithm::Sha256,
        _ => HashAlgorithm::Sha1,
    };
    let cert_id = ocsp::cert_id(other, issuer.authority.certificate_der(), asked.serial).ok()?;
    Some((cert_id, *status))
}
