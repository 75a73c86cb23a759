//! A list on its way to a place, and what may lie there already.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Issuer, PublishedCrl};

/// What was seen or written is believed to be there for this long; then it is looked at anew.
pub(super) const KNOWN_FOR: Duration = Duration::from_mins(10);

/// A list on its way to a place.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// Its path below the place.
    pub(super) place: String,
    pub(super) crl: Arc<PublishedCrl>,
    pub(super) issuer: Arc<Issuer>,
}

impl Due {
    /// The number of what lies at its place, if that is a list of the same issuer, for the same
    /// distribution point, and as complete. Anything else has none, and gives way: whoever could put a high
    /// number there would keep every later list out.
    pub(super) fn number_of(&self, there: &Bytes) -> Option<u64> {
        let there = PublishedCrl::inspect(there, 0, &self.issuer.authority).ok()?;
        (there.url == self.crl.url && there.form == self.crl.form).then_some(there.number)
    }
}
