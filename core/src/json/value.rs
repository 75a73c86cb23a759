//! A value of a document, as it is written.
//!
//! Nothing is built: each question reads the text again, and leaves nothing but its answer. So a
//! document costs no memory beyond what is asked for, however many numbers or empty arrays
//! somebody put into it.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{JsonFault, Text};

/// A value; only a [`Document`](super::Document) makes the first.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The value that makes up `text`, which the guard has passed.
    pub(super) fn of(text: &'a str) -> Self {
        Self(text)
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.0.trim_start().starts_with('{')
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.0.trim_start().starts_with('[')
    }

    /// Its text, if it is a string.
    pub fn string(self) -> Option<Cow<'a, str>> {
        serde_json::from_str(self.0).ok().map(|Text(text)| text)
    }

    /// The value of a key, if it is an object that has it.
    pub fn member(self, name: &str) -> Option<Value<'a>> {
        let mut reader = serde_json::Deserializer::from_str(self.0);
        reader.deserialize_map(Member(name)).ok().flatten()
    }

    /// The elements, if it is an array.
    pub fn elements(self) -> Option<Vec<Value<'a>>> {
        serde_json::from_str(self.0).ok()
    }

    /// Reads it as a `T`.
    ///
    /// # Errors
    /// [`JsonFault::Malformed`], with the path from here.
    pub(crate) fn read<T: Deserialize<'a>>(self) -> Result<T, JsonFault> {
        serde_json::from_str(self.0).map_err(|error| super::malformed(self.0, &error))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(reader).map(|raw| Self(raw.get()))
    }
}

/// Finds the value of the key of that name.
struct Member<'n>(&'n str);

impl<'a> Visitor<'a> for Member<'_> {
    type Value = Option<Value<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Text(key)) = members.next_key()? {
            if key == self.0 {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
