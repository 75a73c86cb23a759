//! Failures as HTTP: what a fault of storage or of a CRL means to an administrator.
//!
//! OCSP's own refusals are in its protocol; see [`crate::ocsp`]. Causes go to the log, never into a
//! reply.

use countersign_daemon::problem::Problem;
use http::StatusCode;

use crate::register::{
    rules::Refusal,
    storage::{PendingFault, StorageError},
};

/// 400 with that code.
pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}

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
        StorageError::Pending(fault) => of_proposal(*fault),
        StorageError::Decided { .. } => {
            Problem::new(StatusCode::CONFLICT, "pending.decided", detail)
        }
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

fn of_proposal(fault: PendingFault) -> Problem {
    let (status, code) = match fault {
        PendingFault::Unknown => (StatusCode::NOT_FOUND, "pending.unknown"),
        PendingFault::Expired => (StatusCode::CONFLICT, "pending.expired"),
        PendingFault::SamePerson => (StatusCode::FORBIDDEN, "pending.same_person"),
        PendingFault::AnotherPersons => (StatusCode::FORBIDDEN, "pending.another_persons"),
        PendingFault::NotAsShown => (StatusCode::CONFLICT, "pending.not_as_shown"),
        PendingFault::Outdated => (StatusCode::CONFLICT, "pending.outdated"),
        PendingFault::AnotherWaits { .. } => (StatusCode::CONFLICT, "pending.another_waits"),
        PendingFault::TooManyWait => (StatusCode::CONFLICT, "pending.too_many"),
        PendingFault::CommentTooLong => (StatusCode::BAD_REQUEST, "comment.too_long"),
    };
    Problem::new(status, code, fault.to_string())
}
