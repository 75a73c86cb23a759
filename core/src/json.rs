//! Strict JSON: one walk that finds what a typed reading would let pass, then the typed reading.
//!
//! RFC 8259 leaves repeated keys open, and programs read them differently; RFC 7493 (I-JSON)
//! forbids them. The walk refuses them at every level, also inside fields we do not read, and
//! bounds the nesting. Whether a text is JSON is `serde_json`'s to say. The typed reading (`value`,
//! `form`) then goes over a text that is known to be JSON and makes nothing but what it is asked
//! for; a reader derived for each form weighed a tenth of the WebAssembly module.

pub(crate) mod form;
pub(crate) mod value;

use alloc::{collections::BTreeSet, string::String};
use core::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};

pub(crate) use form::{Base64Octets, Form, Ignored, OtherKeys, form};
pub(crate) use value::{Kind, Value};

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
    /// A key stands twice in one object.
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
            Self::DuplicateKey(key) => write!(f, "the key \"{key}\" stands twice"),
            Self::TooDeep => write!(f, "more than {} levels deep", limits::JSON_DEPTH),
        }
    }
}

/// A document that the walk has passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'a>(&'a [u8]);

impl<'a> Document<'a> {
    /// Walks over `bytes`.
    ///
    /// # Errors
    /// [`JsonFault`], the first that is met.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        inspect(bytes).map(|()| Self(bytes))
    }

    /// The object or array that it is.
    pub(crate) fn root(self) -> Value<'a> {
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
    let mut fault = None;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let walk = Walk { depth: 0, fault: &mut fault };
    let outcome = walk.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (fault, outcome) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) if error.is_eof() => Err(JsonFault::Truncated),
        (None, Err(error)) => Err(JsonFault::Malformed(alloc::format!("{error}"))),
        (None, Ok(())) => Ok(()),
    }
}

struct Walk<'f> {
    depth: usize,
    fault: &'f mut Option<JsonFault>,
}

impl Walk<'_> {
    fn below(&mut self) -> Option<Walk<'_>> {
        let depth = self.depth.saturating_add(1);
        if depth > limits::JSON_DEPTH {
            *self.fault = Some(JsonFault::TooDeep);
            return None;
        }
        Some(Walk { depth, fault: self.fault })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<(), A::Error> {
        loop {
            let Some(below) = self.below() else { return Err(A::Error::custom("too deep")) };
            if sequence.next_element_seed(below)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                *self.fault = Some(JsonFault::DuplicateKey(crate::finding::quoted(key)));
                return Err(A::Error::custom("duplicate key"));
            }
            seen.insert(key);
            let Some(below) = self.below() else { return Err(A::Error::custom("too deep")) };
            map.next_value_seed(below)?;
        }
        Ok(())
    }
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
