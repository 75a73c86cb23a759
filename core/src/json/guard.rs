//! The guard: one pass over a text that refuses what a typed reading would let pass.
//!
//! If a key occurs twice, two readers may take different values: a bundle could be verified by one and
//! used by the other. A typed reading finds that only in objects that it reads, and a signed statement
//! has members that only others read. So the guard looks at every object, also at those that we ignore.
//!
//! It keeps the keys of the objects that are open, most of them borrowed, and the path to where it
//! is. `serde_json` judges the rest: the syntax (RFC 8259), UTF-8, and numbers beyond a double,
//! which another reader of the same text would refuse.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::{JsonFault, Text};
use crate::{finding::quoted, limits};

/// How the keys begin that `serde_json` keeps for itself.
const RESERVED: &str = "$serde_json::private::";

/// Passes over the whole text.
///
/// # Errors
/// [`JsonFault`], the first that is met.
pub(super) fn inspect(text: &[u8]) -> Result<(), JsonFault> {
    let mut guard = Guard::default();
    guard.pass(text).map_err(|error| match guard.fault.take() {
        Some(fault) => fault,
        None if error.is_eof() => JsonFault::Truncated,
        None => JsonFault::Malformed { place: guard.place(), what: error.to_string() },
    })
}

/// The path to that line and column of a text that has passed, counted as `serde_json` does: to
/// the value that has ended there, or begins there if it is an object or array.
pub(super) fn place(text: &str, line: usize, column: usize) -> String {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let mut end = lines.map(str::len).sum::<usize>().saturating_add(column);
    if matches!(text.as_bytes().get(end), Some(b'{' | b'[')) {
        end = end.saturating_add(1);
    }
    let mut guard = Guard::default();
    // It breaks off at the place: that is where the guard then is.
    match guard.pass(text.as_bytes().get(..end).unwrap_or_default()) {
        Ok(()) | Err(_) => guard.place(),
    }
}

/// A step from an object or array to what is in it.
enum Step<'a> {
    /// None yet.
    Opening,
    Key(Text<'a>),
    Index(usize),
}

#[derive(Default)]
struct Guard<'a> {
    /// A step for each object and array that is open.
    path: Vec<Step<'a>>,
    /// Which rule of ours is broken.
    fault: Option<JsonFault>,
}

impl<'a> Guard<'a> {
    fn pass(&mut self, text: &'a [u8]) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        Part { guard: self, index: None }.deserialize(&mut reader)?;
        reader.end()
    }

    fn open<E: Error>(&mut self) -> Result<(), E> {
        // Before the reader goes deeper: each level takes stack, and the library's own limit is not ours
        // to name in a finding.
        if self.path.len() >= limits::JSON_DEPTH {
            return Err(self.refuse(JsonFault::TooDeep));
        }
        self.path.push(Step::Opening);
        Ok(())
    }

    fn step(&mut self, step: Step<'a>) {
        if let Some(last) = self.path.last_mut() {
            *last = step;
        }
    }

    fn refuse<E: Error>(&mut self, fault: JsonFault) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            match step {
                Step::Opening => {}
                Step::Index(index) => place.extend(["[", &format!("{index}"), "]"]),
                Step::Key(Text(key)) if place.is_empty() => place.push_str(key),
                Step::Key(Text(key)) => place.extend([".", key]),
            }
        }
        quoted(place)
    }
}

/// Any value; an array's element if it has an index.
struct Part<'g, 'a> {
    guard: &'g mut Guard<'a>,
    index: Option<usize>,
}

impl<'a> DeserializeSeed<'a> for Part<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        if let Some(index) = self.index {
            self.guard.step(Step::Index(index));
        }
        reader.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Part<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<(), A::Error> {
        self.guard.open()?;
        let mut index = 0_usize;
        while let Some(()) =
            elements.next_element_seed(Part { guard: self.guard, index: Some(index) })?
        {
            index = index.saturating_add(1);
        }
        self.guard.path.pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        self.guard.open()?;
        // A tree: the sender chooses the keys, and no choice makes it slow, as some do a hash table. They
        // are compared without their escapes, since "a" and "\u0061" are one key to every reader.
        let mut keys = BTreeSet::new();
        while let Some(key) = members.next_key::<Text<'a>>()? {
            self.guard.step(Step::Key(key.clone()));
            if key.0.starts_with(RESERVED) {
                let place = self.guard.place();
                return Err(self.guard.refuse(JsonFault::ReservedKey(place)));
            }
            if !keys.insert(key) {
                let place = self.guard.place();
                return Err(self.guard.refuse(JsonFault::DuplicateKey(place)));
            }
            members.next_value_seed(Part { guard: self.guard, index: None })?;
        }
        self.guard.path.pop();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
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
}
