//! Strict JSON: one walk that finds what a typed reading would let pass, then the typed reading.
//!
//! RFC 8259 leaves repeated keys open, and programs read them differently; RFC 7493 (I-JSON)
//! forbids them. The walk refuses them at every level, also inside fields we do not read, and
//! bounds the nesting. The typed reading (`value`, `form`) then goes over a text that is known to
//! be JSON and makes nothing but what it is asked for. All of it is our own for one reason:
//! `serde_json`, with a reader derived for each form, weighed an eighth of the WebAssembly module.
//! Tests and a fuzz target hold it against `serde_json`: the same values, the same words.

pub(crate) mod form;
mod text;
mod value;
mod walk;

use alloc::string::String;
use core::fmt;

pub(crate) use form::{Base64Octets, Form, Ignored, OtherKeys, form};
pub use text::text;
pub use value::{Kind, Value};

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
    /// Not JSON, or not of the expected shape; the text names line and column.
    Malformed(String),
    /// An object has the same key twice.
    DuplicateKey(String),
    /// Nested more deeply than [`limits::JSON_DEPTH`].
    TooDeep,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::NotJson => f.write_str("the file is not JSON"),
            Self::Truncated => f.write_str("the file breaks off"),
            Self::Malformed(message) => f.write_str(message),
            Self::DuplicateKey(key) => write!(f, "the key \"{key}\" occurs twice"),
            Self::TooDeep => write!(f, "more than {} levels deep", limits::JSON_DEPTH),
        }
    }
}

/// A document that the walk has passed.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a>(&'a [u8]);

impl<'a> Document<'a> {
    /// Walks over `bytes`.
    ///
    /// # Errors
    /// [`JsonFault`], the first that is met.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        inspect(bytes).map(|()| Self(bytes))
    }

    /// The object or array that it is.
    pub fn root(self) -> Value<'a> {
        Value::first(self.0)
    }

    /// Reads it as a `T`.
    ///
    /// # Errors
    /// [`JsonFault::Malformed`].
    pub(crate) fn read<T: Form<'a>>(self) -> Result<T, JsonFault> {
        T::read(self.root()).map_err(JsonFault::Malformed)
    }
}

/// Reads a value of type `T`, after the walk.
///
/// # Errors
/// [`JsonFault`], the first that is met.
pub(crate) fn decode<'a, T: Form<'a>>(bytes: &'a [u8]) -> Result<T, JsonFault> {
    Document::decode(bytes)?.read()
}

/// Walks over the whole document: JSON, no key twice, not too deep.
///
/// # Errors
/// [`JsonFault`].
pub fn inspect(bytes: &[u8]) -> Result<(), JsonFault> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(JsonFault::Empty),
        Some(b'{' | b'[') => {}
        Some(_) => return Err(JsonFault::NotJson),
    }
    walk::walk(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_repeated_keys_at_every_level() {
        assert_eq!(inspect(br#"{"a":1,"b":{"a":2}}"#), Ok(()));
        assert_eq!(inspect(br#"{"a":[{"x":1,"x":2}]}"#), Err(JsonFault::DuplicateKey("x".into())));
        // The same key, once escaped.
        assert!(matches!(inspect(br#"{"a":1,"\u0061":2}"#), Err(JsonFault::DuplicateKey(_))));
    }

    #[test]
    fn bounds_the_nesting() {
        let nested = |depth: usize| {
            let mut text = "[".repeat(depth);
            text.push_str(&"]".repeat(depth));
            text
        };
        assert_eq!(inspect(nested(60).as_bytes()), Ok(()));
        assert_eq!(inspect(nested(100).as_bytes()), Err(JsonFault::TooDeep));
        assert_eq!(inspect("[".repeat(1_000_000).as_bytes()), Err(JsonFault::TooDeep));
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in ["[1,]", "{}x", "{\"a\":1e999}", "{\"a\":\u{1}}"] {
            assert!(matches!(inspect(text.as_bytes()), Err(JsonFault::Malformed(_))), "{text}");
        }
        for text in ["nul", "\u{FEFF}{}", "1", "\"text\""] {
            assert_eq!(inspect(text.as_bytes()), Err(JsonFault::NotJson), "{text}");
        }
        for text in ["{", "[1,", "{\"a\":\"b"] {
            assert_eq!(inspect(text.as_bytes()), Err(JsonFault::Truncated), "{text}");
        }
        assert_eq!(inspect(b" \n"), Err(JsonFault::Empty));
        assert_eq!(inspect(&[0xFF]), Err(JsonFault::NotJson));
    }
}
