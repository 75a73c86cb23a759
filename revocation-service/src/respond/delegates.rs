//! The OCSP delegates: issued here and renewed, or read again from their files.
//!
//! What a delegate must be is [`crate::publish::authority`]'s; when this is done, the maintenance's.

use std::sync::Arc;

use countersign_core::{time::UnixSeconds, x509::Certificate};

use super::signing_queue::QueueError;
use crate::{
    publish::{
        Issuer, Issuers,
        authority::{AuthorityError, Delegate, IssuedDelegate},
    },
    register::storage::{CertificateRecord, Storage, StorageError},
};

/// Who registers the delegates that are issued here: this program.
const ACTOR: &str = env!("CARGO_PKG_NAME");

/// Why there is no new OCSP delegate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DelegateError {
    /// It could not be issued.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// It could not be registered.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The work was abandoned.
    #[error(transparent)]
    Abandoned(#[from] QueueError),
}

/// Issues the next OCSP delegate of `issuer`, if that is done here and it is time; it is
/// registered before it is used.
///
/// # Errors
/// [`DelegateError`]; the one in use stays.
pub(crate) async fn refresh_delegate(
    issuer: &Issuer,
    storage: &Storage,
    validity_seconds: u32,
    now: UnixSeconds,
) -> Result<(), DelegateError> {
    let authority = Arc::clone(&issuer.authority);
    let is_due = |delegate: &Delegate| now >= delegate.renew_at || now < delegate.not_before;
    if !authority.issues_delegates()
        || authority.delegate().is_some_and(|delegate| !is_due(&delegate))
    {
        return Ok(());
    }
    let issuing = tokio::task::spawn_blocking(move || {
        authority.issue_delegate(i64::from(validity_seconds), now)
    });
    let IssuedDelegate { delegate, certificate } =
        issuing.await.map_err(|_| QueueError::Abandoned)??;
    let record = Certificate::decode(&certificate)
        .map(|certificate| CertificateRecord::of(&certificate, issuer.id, now, ACTOR));
    storage.register(record.into_iter().collect()).await?;
    let (name, not_after) = (issuer.authority.name(), delegate.not_after);
    issuer.authority.use_delegate(delegate);
    tracing::info!(issuer = name, %not_after, "OCSP delegate issued");
    Ok(())
}

/// Reads every OCSP delegate again: after SIGHUP.
pub(crate) fn reload_delegates(issuers: &Issuers, now: UnixSeconds) {
    for issuer in issuers {
        match issuer.authority.reload_delegate(now) {
            Ok(()) => tracing::info!(issuer = issuer.authority.name(), "OCSP delegate read again"),
            Err(error) => tracing::error!(%error, "the OCSP delegate in use stays"),
        }
    }
}
