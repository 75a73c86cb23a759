//! Why there is no signed answer, and what OCSP calls that.

use std::sync::Arc;

use countersign_signing::ocsp::OcspResponseStatus;

use super::signing_queue::QueueError;
use crate::register::storage::StorageError;

/// Why there is no signed answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Malformed,
    Unauthorized,
    Busy,
    NoDelegate,
    /// There is no valid CRL of those made elsewhere, which decide.
    StaleCrl,
    Storage(Arc<StorageError>),
    /// The token with the delegate's key is away.
    KeyAway,
    Signing,
}

impl Fault {
    /// The status of the refusal.
    pub(super) fn status(&self) -> OcspResponseStatus {
        match self {
            Self::Malformed => OcspResponseStatus::MalformedRequest,
            Self::Unauthorized => OcspResponseStatus::Unauthorized,
            Self::Busy | Self::NoDelegate | Self::StaleCrl | Self::KeyAway => {
                OcspResponseStatus::TryLater
            }
            Self::Storage(_) | Self::Signing => OcspResponseStatus::InternalError,
        }
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Storage(Arc::new(error))
    }
}

impl From<QueueError> for Fault {
    fn from(fault: QueueError) -> Self {
        match fault {
            QueueError::Full => Self::Busy,
            QueueError::Abandoned => Self::Signing,
        }
    }
}
