//! An issuer whose key came here: what its last CRL made elsewhere revokes must be on record, since the next CRL
//! and every answer go by the record alone.

use countersign_core::crl::{CertificateList, revives};

use super::{CrlError, RevokedSerials, revoked_in, succession::said};
use crate::register::storage::{RevocationList, StoredCrl};

/// Refuses an issuer whose `stored` whole list, which was made elsewhere, revokes what `recorded` does not. A hold counts
/// too: nobody lifted it.
///
/// # Errors
/// [`CrlError::NotImported`], [`CrlError::Malformed`].
pub(crate) fn refuse_loss(stored: &StoredCrl, recorded: &RevocationList) -> Result<(), CrlError> {
    let list = CertificateList::decode(&stored.der)
        .map_err(|error| CrlError::Malformed(error.to_string()))?;
    let recorded: RevokedSerials = recorded
        .entries
        .iter()
        .map(|(serial, known)| (serial.clone(), (known.reason, known.revocation_date)))
        .collect();
    let listed = revoked_in(&list)?;
    let mut missing: Vec<&[u8]> = listed
        .iter()
        .filter(|(serial, revoked)| match recorded.get(*serial) {
            None => true,
            Some(known) => revives(**revoked, Some(*known)).is_some(),
        })
        .map(|(serial, _)| serial.as_slice())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    missing.sort_unstable();
    Err(CrlError::NotImported { published: stored.number, serials: said(missing.into_iter()) })
}
