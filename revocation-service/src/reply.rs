//! Failures as HTTP: what a fault of storage or of a CRL means to an administrator.
//!
//! OCSP's own refusals are in its protocol; see [`crate::respond`]. Causes go to the log, never into a
//! reply.

use countersign_core::x509::Certificate;
use countersign_daemon::problem::Problem;
use http::StatusCode;

use crate::register::{rules::Refusal, storage::StorageError};

/// What storage refused, or that it failed.
pub(crate) fn of_storage(error: &StorageError) -> Problem {
    let detail = error.to_string();
    match error {
        StorageError::NotRegistered { .. } => {
            Problem::new(StatusCode::NOT_FOUND, "certificate.not_registered", detail)
        }
        StorageError::CertificateConflict { .. } => {
            Problem::new(StatusCode::CONFLICT, "certificate.conflict", detail)
        }
        StorageError::KeyChanged { .. } => {
            Problem::new(StatusCode::CONFLICT, "certificate.changed", detail)
        }
        StorageError::Refused(refusal) => Problem::new(status_of(refusal), refusal.code(), detail),
        StorageError::Pending(fault) => fault.problem(),
        StorageError::ReleaseConflict { .. } => {
            Problem::new(StatusCode::CONFLICT, "release.conflict", detail)
        }
        StorageError::BackupExists { .. } => {
            Problem::new(StatusCode::CONFLICT, "backup.exists", detail)
        }
        StorageError::BackupElsewhere => {
            Problem::new(StatusCode::CONFLICT, "backup.elsewhere", detail)
        }
        StorageError::IssuerChanged { .. }
        | StorageError::CrlNumber { .. }
        | StorageError::CrlRevision { .. }
        | StorageError::CrlOvertaken
        | StorageError::Corrupt { .. }
        | StorageError::InUse { .. }
        | StorageError::Replaced
        | StorageError::Database(_) => {
            tracing::error!(%error, cause = ?std::error::Error::source(error), "storage failed");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "service.storage",
                "The database failed; the log has the reason. Repeating the request is safe.",
            )
        }
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::CompromisedSinceMissing { .. }
        | Refusal::CompromisedSinceFuture { .. }
        | Refusal::CompromisedSinceBeforeValidity { .. } => StatusCode::BAD_REQUEST,
        Refusal::DateLater { .. }
        | Refusal::ReasonLowered { .. }
        | Refusal::HoldRelease
        | Refusal::Undo => StatusCode::CONFLICT,
    }
}

/// 422: none of this service's issuers signed the certificate that an administrator sent.
pub(crate) fn unknown_issuer(certificate: &Certificate<'_>) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "certificate.issuer.unknown",
        format!(
            "No issuer of this service signed the certificate of {}.",
            certificate.subject_text()
        ),
    )
}
