//! JSON, read by `serde_json` behind a guard.
//!
//! RFC 8259 leaves repeated keys open, and programs read them differently; RFC 7493 (I-JSON)
//! forbids them. serde cannot see them in fields that it ignores, so `guard` passes over the whole
//! text first: it refuses a key that occurs twice, at any level and however it is escaped, and keys
//! that `serde_json` keeps for itself, and bounds the nesting. Only a [`Document`], which the guard has passed, is read further: as a type
//! that derives `Deserialize`, or value by value.
//!
//! Derived types read more than JSON's objects and strings for structs and enums; `strict!` and
//! [`Object`] take that back. Nothing is guessed here about what a document is for.

mod base64;
mod certificates;
mod guard;
mod object;
mod strict;
mod text;
mod value;

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};
use core::fmt;

pub(crate) use base64::Base64Octets;
pub(crate) use certificates::{CertificateChainForm, CertificateForm};
pub use object::{Object, object, optional_object};
use serde::Deserialize;
pub(crate) use strict::strict;
pub use text::text;
pub use value::Value;

use crate::limits;

/// Why bytes are not the JSON that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// Nothing but white space.
    Empty,
    /// It does not begin as an object or array does.
    NotJson,
    /// It ends before it is complete.
    Truncated,
    /// Not JSON, or not of the expected shape.
    Malformed {
        /// The path to it, `signers[0].files`; empty if it is the whole document.
        place: String,
        /// What is wrong; with line and column if it is not JSON.
        what: String,
    },
    /// An object has the same key twice; the path to it.
    DuplicateKey(String),
    /// A key that `serde_json` keeps for itself; the path to it. A reading as `serde_json::Value` takes
    /// what is in it for the whole object, so that two readers of one text would see two documents.
    ReservedKey(String),
    /// Nested more deeply than [`limits::JSON_DEPTH`].
    TooDeep,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::NotJson => f.write_str("the file is not JSON"),
            Self::Truncated => f.write_str("the file breaks off"),
            Self::Malformed { place, what } if place.is_empty() => f.write_str(what),
            Self::Malformed { place, what } => write!(f, "{place}: {what}"),
            Self::DuplicateKey(place) => write!(f, "the key {place} occurs twice"),
            Self::ReservedKey(place) => write!(f, "the key {place} is reserved"),
            Self::TooDeep => write!(f, "more than {} levels deep", limits::JSON_DEPTH),
        }
    }
}

/// A string; borrowed unless it has escapes, and compared without them.
#[derive(Clone, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A document that the guard has passed.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a>(&'a str);

impl<'a> Document<'a> {
    /// Passes the guard over `bytes`, of any size: what it keeps is smaller than they are.
    ///
    /// # Errors
    /// [`JsonFault`], the first that is met.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => return Err(JsonFault::Empty),
            Some(b'{' | b'[') => {}
            Some(_) => return Err(JsonFault::NotJson),
        }
        guard::inspect(bytes)?;
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(Self(text)),
            Err(error) => {
                Err(JsonFault::Malformed { place: String::new(), what: format!("{error}") })
            }
        }
    }

    /// The object or array that it is.
    pub fn root(self) -> Value<'a> {
        Value::of(self.0)
    }

    /// Reads it as a `T`.
    ///
    /// # Errors
    /// [`JsonFault::Malformed`].
    pub(crate) fn read<T: Deserialize<'a>>(self) -> Result<T, JsonFault> {
        self.root().read()
    }
}

/// Reads a value of type `T`, after the guard.
///
/// # Errors
/// [`JsonFault`], the first that is met.
pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, JsonFault> {
    Document::decode(bytes)?.read()
}

/// Reads an object, after the guard: never an array whose elements a derived struct would take for its
/// fields in their order.
///
/// # Errors
/// [`JsonFault`], the first that is met.
pub fn decode_object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, JsonFault> {
    decode(bytes).map(|Object(value)| value)
}

/// Looks whether it is a document: JSON, no key twice in an object, not too deep.
///
/// # Errors
/// [`JsonFault`], the first that is met.
pub fn inspect(bytes: &[u8]) -> Result<(), JsonFault> {
    Document::decode(bytes).map(drop)
}

/// What a typed reading of `text`, which the guard has passed, found wrong, and where.
fn malformed(text: &str, error: &serde_json::Error) -> JsonFault {
    let place = guard::place(text, error.line(), error.column());
    // The path says more, and a part of a document does not know its line.
    let position = format!(" at line {} column {}", error.line(), error.column());
    let what = error.to_string();
    let what = what.strip_suffix(&position).unwrap_or(&what);
    JsonFault::Malformed { place, what: String::from(what) }
}

#[cfg(test)]
mod tests;
