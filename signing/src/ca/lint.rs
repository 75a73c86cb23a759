//! The lint before the signature: what a real key would sign is first signed with a key that is
//! thrown away, and looked at as a whole certificate by code that did not build it.

use countersign_core::x509::{Certificate, profile::inspect};

use super::{CaError, decode};
use crate::{certificate::UnsignedCertificate, key::FileKey};

/// Whether `unsigned` follows its profile.
pub(super) fn lint(
    unsigned: &UnsignedCertificate,
    throw_away_key: &FileKey,
) -> Result<(), CaError> {
    let bytes = unsigned.sign(throw_away_key)?;
    let certificate: Certificate<'_> = decode(&bytes, || "the prepared certificate".to_owned())?;
    let findings = inspect(&certificate, unsigned.profile());
    if findings.is_empty() { Ok(()) } else { Err(CaError::Lint { findings }) }
}
