//! Pages of what is listed in the order of digests.

use countersign_core::digest::decode_hex;

use crate::problem::Problem;

/// Entries on a page, unless the query asks for fewer.
pub const PAGE: u32 = 1000;

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only what is behind this digest.
    pub after: Option<[u8; 32]>,
    /// At most so many entries.
    pub limit: u32,
}

impl Page {
    /// Reads `after` and `limit` from a query; `other` takes any other name with its value, if it knows it.
    ///
    /// # Errors
    /// 400.
    pub fn read(
        query: &str,
        mut other: impl FnMut(&str, &str) -> Option<()>,
    ) -> Result<Self, Problem> {
        let mut page = Self { after: None, limit: PAGE };
        for (name, value) in pairs(query) {
            let wrong =
                || Problem::bad_request("query.malformed", format!("{name} cannot be {value:?}."));
            match name {
                "after" => page.after = Some(digest(value).ok_or_else(wrong)?),
                "limit" => page.limit = limit(value).ok_or_else(wrong)?,
                _ => other(name, value).ok_or_else(wrong)?,
            }
        }
        Ok(page)
    }

    /// What to give as `after` for the next page, if this one is full and ends with `last`. One that must
    /// not end between entries of the same digest may be longer.
    pub fn next(self, count: usize, last: Option<&str>) -> Option<String> {
        let is_full = u32::try_from(count).is_ok_and(|count| count >= self.limit);
        last.filter(|_| is_full).map(ToOwned::to_owned)
    }
}

/// The number of entries that a query asks for.
pub fn limit(value: &str) -> Option<u32> {
    value.parse().ok().filter(|limit| (1..=PAGE).contains(limit))
}

/// Names and values of a query. No value here has a character that needs escaping.
pub fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// A SHA-256 in hexadecimal.
pub fn digest(text: &str) -> Option<[u8; 32]> {
    decode_hex(text).and_then(|octets| octets.try_into().ok())
}
