//! One invariant, which no way in has to think of: no certificate is good whose proven key is that of a
//! certificate that is revoked for keyCompromise.
//!
//! Whatever writes such a revocation (an order, an import, an approval) does so by [`write`], and whatever
//! proves the key of a certificate that has one asks [`catch_up`]. Both keep the key and revoke its
//! certificates in the same transaction. An import's word for a key takes nothing: it could name any key.
//! What is on record without an order is [`on_record`]'s.

pub(super) mod on_record;

use countersign_core::{crl::RevocationReason, time::UnixSeconds};
use sqlx::AnyConnection;

use super::{
    IssuerId, KeyRecorded, Revocation, RevokedKey, Storage, StorageError, certificates, keys,
    revocations,
};
use crate::register::rules::{People, RevocationOrder};

/// What the compromise of a certificate's key takes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CompromiseReach {
    /// The key, and every certificate with it.
    #[default]
    Everywhere,
    /// The key, and every certificate with it that one of these issuers issued: the others' CRLs are made
    /// elsewhere.
    Issuers(Vec<IssuerId>),
    /// That certificate alone.
    Certificate,
}

impl CompromiseReach {
    fn has(&self, issuer: IssuerId) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Issuers(issuers) => issuers.contains(&issuer),
            Self::Certificate => false,
        }
    }
}

impl Storage {
    /// Says how far a compromise reaches, before anything is revoked: once. Until then it is
    /// [`CompromiseReach::Everywhere`].
    pub fn limit_compromises(&self, reach: CompromiseReach) {
        // A second call would be one of the same process, with the same configuration.
        let _ = self.compromises.set(reach);
    }

    /// How far a compromise reaches.
    pub(crate) fn reach(&self) -> &CompromiseReach {
        self.compromises.get().unwrap_or(&CompromiseReach::Everywhere)
    }
}

/// A certificate: its issuer, and the content octets of its serial number.
pub(crate) type Place<'a> = (IssuerId, &'a [u8]);

/// What a revocation changed.
#[derive(Debug)]
pub(crate) struct Written {
    /// The revision of its issuer that contains it.
    pub(crate) revision: i64,
    /// Those of the issuers whose certificates it took with it.
    pub(crate) others: Vec<(IssuerId, i64)>,
}

/// Writes the revocation of a certificate, and what follows from it for its key.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    place: Place<'_>,
    revocation: &Revocation,
    now: UnixSeconds,
) -> Result<Written, StorageError> {
    let revision = revocations::write(connection, place.0, place.1, revocation).await?;
    let others = match compromised_key(connection, reach, place, revocation).await? {
        Some(key) => take(connection, reach, place, (key, revocation), now).await?.revisions,
        None => Vec::new(),
    };
    Ok(Written { revision, others })
}

/// What follows for the key of a certificate whose revocation is on record already, if that was not done:
/// its key was not proven then. Where the key is on record, what becomes of its certificates is decided.
pub(crate) async fn catch_up(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    place: Place<'_>,
    revocation: &Revocation,
    now: UnixSeconds,
) -> Result<Option<Vec<(IssuerId, i64)>>, StorageError> {
    let Some(key) = compromised_key(connection, reach, place, revocation).await? else {
        return Ok(None);
    };
    if keys::of(connection, key).await?.is_some() {
        return Ok(None);
    }
    let taken = take(connection, reach, place, (key, revocation), now).await?;
    Ok(Some(taken.revisions))
}

/// The key that a revocation takes with it: that of a compromise, if it is proven.
async fn compromised_key(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    (issuer, serial): Place<'_>,
    revocation: &Revocation,
) -> Result<Option<[u8; 32]>, StorageError> {
    let is_certificates = *reach == CompromiseReach::Certificate;
    if revocation.reason != RevocationReason::KeyCompromise || is_certificates {
        return Ok(None);
    }
    let certificate = certificates::certificate(connection, issuer, serial).await?;
    Ok(certificate.and_then(|certificate| certificate.proven_key()))
}

/// Keeps the key, and revokes its other certificates: that one stays as it was decided.
async fn take(
    connection: &mut AnyConnection,
    reach: &CompromiseReach,
    (issuer, serial): Place<'_>,
    (spki_sha256, cause): ([u8; 32], &Revocation),
    now: UnixSeconds,
) -> Result<KeyRecorded, StorageError> {
    keys::keep(connection, &RevokedKey { spki_sha256, revocation: cause.clone() }).await?;
    let order = RevocationOrder {
        reason: cause.reason,
        compromised_since: Some(cause.revocation_date),
        now,
        actor: cause.actor.clone(),
        people: People::One,
    };
    let is_other = |each: &super::OfKey| {
        reach.has(each.issuer) && (each.issuer, &*each.serial) != (issuer, serial)
    };
    keys::take_certificates(connection, spki_sha256, &order, is_other).await
}
