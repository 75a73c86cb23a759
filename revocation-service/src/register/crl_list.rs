//! Which of an issuer's lists a CRL is: the whole one or a shard, complete or a delta.
//!
//! A shard is fixed in a certificate when it is issued: its number modulo the count of shards, never
//! a window of time. Every list has an address of its own, which is its scope too: certificate and
//! list name it to the letter.

use std::fmt;

use countersign_signing::crl;

/// The certificates that a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrlScope {
    /// All of the issuer's.
    Whole,
    /// Those whose serial number modulo `of` is `index`.
    Shard {
        /// The remainder.
        index: u32,
        /// The modulus: how many shards there are.
        of: u32,
    },
}

/// What a list says of its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrlForm {
    /// Everything that is revoked.
    Complete,
    /// What changed since a complete list.
    Delta,
    /// The complete list that deltas are counted from; kept, not served.
    DeltaBase,
}

/// One list of an issuer. As text it is the list's key in storage: `whole`, `whole.delta`,
/// `3-of-16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlList {
    /// The certificates.
    pub scope: CrlScope,
    /// What it says of them.
    pub form: CrlForm,
}

impl CrlList {
    /// Everything that the issuer revoked.
    pub const WHOLE: Self = Self { scope: CrlScope::Whole, form: CrlForm::Complete };

    /// The issuer's name and the list that a path below `/crl/` names: `signing.crl`,
    /// `signing.delta.crl`, `signing/16/3.crl`, `signing/16/3.delta.crl`.
    pub fn of_path(path: &str) -> Option<(&str, Self)> {
        let stem = path.strip_suffix(".crl")?;
        let (stem, form) = match stem.strip_suffix(".delta") {
            Some(stem) => (stem, CrlForm::Delta),
            None => (stem, CrlForm::Complete),
        };
        let mut parts = stem.split('/');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let scope = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => CrlScope::Whole,
            (Some(of), Some(index), None) => {
                CrlScope::Shard { index: number(index)?, of: number(of)? }
            }
            _ => return None,
        };
        Some((name, Self { scope, form }))
    }

    /// Its path below `/crl/`, for the issuer of that name.
    pub fn path(self, name: &str) -> String {
        let form = if self.form == CrlForm::Delta { ".delta" } else { "" };
        match self.scope {
            CrlScope::Whole => format!("{name}{form}.crl"),
            CrlScope::Shard { index, of } => format!("{name}/{of}/{index}{form}.crl"),
        }
    }
}

impl CrlScope {
    /// The scopes of an issuer whose lists are cut into each of those counts of shards.
    pub fn all(shards: &[u32]) -> Vec<Self> {
        let cut = shards.iter().flat_map(|of| (0..*of).map(|index| Self::Shard { index, of: *of }));
        std::iter::once(Self::Whole).chain(cut).collect()
    }

    /// The address of its complete list, from that of the issuer's whole list.
    pub fn url(self, whole: &str) -> String {
        match self {
            Self::Whole => whole.to_owned(),
            Self::Shard { index, of } => crl::shard_url(whole, index, of),
        }
    }
}

impl fmt::Display for CrlScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::Shard { index, of } => write!(f, "{index}-of-{of}"),
        }
    }
}

impl fmt::Display for CrlList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            CrlForm::Complete => "",
            CrlForm::Delta => ".delta",
            CrlForm::DeltaBase => ".delta-base",
        };
        write!(f, "{}{form}", self.scope)
    }
}

impl CrlScope {
    /// Whether a certificate with that serial number (content octets of a positive INTEGER) belongs
    /// to it.
    pub fn contains(self, serial: &[u8]) -> bool {
        match self {
            Self::Whole => true,
            Self::Shard { index, of } => crl::shard_of(serial, of) == index,
        }
    }
}

/// A number in the one way that addresses are written.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_lists_and_nothing_else() {
        for path in ["signing.crl", "a.delta.crl", "a/16/3.crl", "a/16/3.delta.crl"] {
            let (name, list) = CrlList::of_path(path).expect(path);
            assert_eq!(list.path(name), path);
            let url = list.scope.url(&format!("http://x/crl/{name}.crl"));
            let url = match list.form {
                CrlForm::Delta => crl::delta_url(&url),
                _ => url,
            };
            assert_eq!(url, format!("http://x/crl/{path}"));
        }
        for path in ["", ".crl", "a.pem", "a/16.crl", "a/16/03.crl", "a/+16/3.crl", "a/16/3/4.crl"]
        {
            assert_eq!(CrlList::of_path(path), None, "{path}");
        }
    }

    #[test]
    fn every_list_has_a_name_of_its_own() {
        let shard = CrlScope::Shard { index: 3, of: 16 };
        let names: Vec<_> = [CrlScope::Whole, shard]
            .into_iter()
            .flat_map(|scope| {
                [CrlForm::Complete, CrlForm::Delta, CrlForm::DeltaBase]
                    .map(|form| CrlList { scope, form }.to_string())
            })
            .collect();
        assert_eq!(
            names,
            [
                "whole",
                "whole.delta",
                "whole.delta-base",
                "3-of-16",
                "3-of-16.delta",
                "3-of-16.delta-base"
            ]
        );
    }

    #[test]
    fn each_serial_number_is_in_one_shard() {
        for serial in [&[0x01][..], &[0, 0xFF], &[0x12, 0x34, 0x56, 0x78, 0x9A]] {
            let of = 16;
            let shards =
                (0..of).filter(|index| CrlScope::Shard { index: *index, of }.contains(serial));
            let last = u32::from(serial[serial.len() - 1]) % 16;
            assert_eq!(shards.collect::<Vec<_>>(), [last]);
        }
    }
}
