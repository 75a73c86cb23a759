//! The kinds of log entries that are read: the one list that feeds the decoder, the checks, what is
//! shown, and the documentation.

use core::fmt;

/// A kind of entry with its version, as Rekor names them.
///
/// A new kind is a row in [`ALL`](Self::ALL) and an arm in each method here and in
/// [`EntryBody::decode`](super::EntryBody::decode); the compiler asks for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// `hashedrekord` 0.0.1: a signature over a file's digest, in Rekor v1.
    HashedRekordV1,
    /// `hashedrekord` 0.0.2: a signature over a file's digest or over an envelope, in Rekor v2.
    HashedRekordV2,
    /// `dsse` 0.0.1: an envelope.
    Dsse,
    /// `intoto` 0.0.1: an envelope, its signature left out.
    IntotoV1,
    /// `intoto` 0.0.2: an envelope.
    IntotoV2,
}

impl EntryKind {
    /// Every kind that is read.
    pub const ALL: [Self; 5] =
        [Self::HashedRekordV1, Self::HashedRekordV2, Self::Dsse, Self::IntotoV1, Self::IntotoV2];

    /// The kind as entries name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HashedRekordV1 | Self::HashedRekordV2 => "hashedrekord",
            Self::Dsse => "dsse",
            Self::IntotoV1 | Self::IntotoV2 => "intoto",
        }
    }

    /// The version of the kind as entries name it.
    pub const fn version(self) -> &'static str {
        match self {
            Self::HashedRekordV1 | Self::Dsse | Self::IntotoV1 => "0.0.1",
            Self::HashedRekordV2 | Self::IntotoV2 => "0.0.2",
        }
    }

    /// The kind of that name and version; `None` if it is not read.
    pub fn parse(name: &str, version: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| (kind.name(), kind.version()) == (name, version))
    }

    /// Whether it may be an envelope's entry. Rekor v1 has a kind for envelopes and one for files, and
    /// checks signatures alike for both: an envelope that it has as a file was signed as a file. Rekor
    /// v2 has one kind for all.
    pub const fn may_be_of_an_envelope(self) -> bool {
        match self {
            Self::HashedRekordV1 => false,
            Self::HashedRekordV2 | Self::Dsse | Self::IntotoV1 | Self::IntotoV2 => true,
        }
    }

    /// Whether logs with entries of this kind have one tree (Rekor v2), in which an entry has one
    /// number. In Rekor v1 several trees follow each other; the number over all of them is another
    /// than the one in the tree, and only a promise says it.
    pub const fn is_in_one_tree(self) -> bool {
        match self {
            Self::HashedRekordV2 => true,
            Self::HashedRekordV1 | Self::Dsse | Self::IntotoV1 | Self::IntotoV2 => false,
        }
    }
}

/// `hashedrekord 0.0.2`.
impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_version() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.name(), kind.version()), Some(kind));
        }
        for (name, version) in [("hashedrekord", "0.0.3"), ("rpm", "0.0.1"), ("dsse", "0.0.2")] {
            assert_eq!(EntryKind::parse(name, version), None, "{name} {version}");
        }
    }
}
