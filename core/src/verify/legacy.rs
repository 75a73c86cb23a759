//! The bundle's timestamps that are not in DER, if the caller takes such.

#[cfg(feature = "ber")]
use alloc::vec::Vec;

use super::opened::Opened;
#[cfg(feature = "ber")]
use crate::tsp::LegacyTimestamp;
use crate::{
    bundle::Bundle,
    finding::Finding,
    tsp::{self, Stamped, TokenForm, VerifiedTimestamp},
};

/// For each of the bundle's timestamps, how it is read if it is not in DER. Empty if only DER is
/// taken.
#[derive(Clone, Debug, Default)]
pub(super) struct LegacyTokens {
    #[cfg(feature = "ber")]
    tokens: Vec<Option<LegacyTimestamp>>,
}

impl LegacyTokens {
    pub(super) fn of(bundle: &Bundle, form: TokenForm) -> Self {
        match form {
            #[cfg(feature = "ber")]
            TokenForm::BerToo => {
                let decode = |token: &Vec<u8>| LegacyTimestamp::decode(token);
                Self { tokens: bundle.timestamps.iter().map(decode).collect() }
            }
            TokenForm::Der => {
                let _ = bundle;
                Self::default()
            }
        }
    }

    #[cfg(feature = "ber")]
    fn get(&self, index: usize) -> Option<&LegacyTimestamp> {
        self.tokens.get(index)?.as_ref()
    }

    /// Whether the timestamp of that index is read though it is not in DER.
    #[cfg(feature = "ber")]
    pub(super) fn contains(&self, index: usize) -> bool {
        self.get(index).is_some()
    }

    #[cfg(not(feature = "ber"))]
    #[expect(clippy::unused_self, reason = "as in the other build")]
    pub(super) fn contains(&self, _index: usize) -> bool {
        false
    }
}

impl<'a> Opened<'a> {
    /// Verifies one of the bundle's timestamps.
    pub(super) fn verify_token(
        &self,
        index: usize,
        token: &'a [u8],
        stamped: Stamped<'_>,
    ) -> Result<VerifiedTimestamp<'a>, Finding> {
        let authorities = &self.context.trust.timestamp_authorities;
        let (means, now) = (self.context.means(), self.context.now);
        #[cfg(feature = "ber")]
        if let Some(legacy) = self.part.legacy.get(index) {
            return tsp::verify_legacy_by(means, legacy, stamped, authorities, now);
        }
        let _ = index;
        tsp::verify_by(means, token, stamped, authorities, now)
    }
}
