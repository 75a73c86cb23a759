//! What a list made elsewhere may take back of the one before it: a hold, and what has had its time.
//!
//! The rule for one entry is `core`'s ([`revives`]); here it is held against whole lists, and against what is
//! known of the certificates.

use countersign_core::{
    crl::{Revival, revives},
    time::UnixSeconds,
    x509::certificate::serial_text,
};

use super::{CrlError, RevokedSerials};
use crate::register::storage::{Evidence, IssuerId, Storage, StorageError};

/// Serial numbers that a refusal says; a list may have a million.
const SAID_SERIALS: usize = 20;

/// The list before.
#[derive(Clone, Debug)]
pub(crate) struct Before<'a> {
    /// Its `CRLNumber`, as text.
    pub(crate) number: String,
    pub(crate) this_update: UnixSeconds,
    /// expiredCertsOnCRL.
    pub(crate) expired_certificates_since: Option<UnixSeconds>,
    pub(crate) revoked: &'a RevokedSerials,
}

/// Refuses a list that takes something back of the one before; the gravest kind is said first. `issuer` is whose
/// list it is, if its certificates are registered here.
///
/// # Errors
/// [`CrlError::Revives`]; storage failed.
pub(crate) async fn refuse_revival(
    (storage, issuer): (&Storage, Option<IssuerId>),
    before: &Before<'_>,
    next: &RevokedSerials,
) -> Result<(), CrlError> {
    let mut revived: Vec<(Revival, &[u8])> = before
        .revoked
        .iter()
        .filter_map(|(serial, revoked)| {
            Some((revives(*revoked, next.get(serial).copied())?, serial.as_slice()))
        })
        .collect();
    revived.sort_unstable();
    let mut refused = Vec::new();
    for (revival, serial) in revived {
        let may_be_dropped = match issuer {
            Some(issuer) if revival == Revival::Forgotten => {
                may_be_dropped((storage, issuer), before, serial).await?
            }
            _ => false,
        };
        if !may_be_dropped {
            refused.push((revival, serial));
        }
    }
    let Some((gravest, _)) = refused.first().copied() else { return Ok(()) };
    let of_kind = refused.iter().filter(|(revival, _)| *revival == gravest);
    Err(CrlError::Revives {
        published: before.number.clone(),
        revival: gravest,
        how: match gravest {
            Revival::Forgotten => "lists what this one does not",
            Revival::Lightened => "lists for a graver reason",
            Revival::MovedLater => "lists from an earlier date on",
        },
        serials: said(of_kind.map(|(_, serial)| *serial)),
    })
}

/// The first of many serial numbers, and how many more there are.
pub(super) fn said<'a>(serials: impl Iterator<Item = &'a [u8]>) -> String {
    let serials: Vec<String> = serials.map(serial_text).collect();
    let more = serials.len().saturating_sub(SAID_SERIALS);
    let said = serials.into_iter().take(SAID_SERIALS).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{said} and {more} more") } else { said }
}

/// Whether an entry has had its time: its certificate had run out before the list that has it last
/// (RFC 5280 §3.3), and that list does not say that it keeps such entries.
async fn may_be_dropped(
    (storage, issuer): (&Storage, IssuerId),
    before: &Before<'_>,
    serial: &[u8],
) -> Result<bool, StorageError> {
    // An import could say that any certificate ran out.
    let known = storage.certificate(issuer, serial).await?;
    let Some(known) = known.filter(|known| known.evidence == Evidence::Certificate) else {
        return Ok(false);
    };
    let kept_since = before.expired_certificates_since;
    let is_kept = kept_since.is_some_and(|since| since <= known.not_after);
    Ok(!is_kept && known.not_after < before.this_update)
}
