//! The guard, held against a look at the whole tree: it passes what `serde_json` reads and nothing
//! else, unless a key occurs twice in an object or the nesting is deeper than the limit.
#![no_main]

use std::{collections::HashSet, fmt};

use countersign_core::{
    json::{self, JsonFault},
    limits,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let tree = serde_json::from_slice::<Tree>(data);
    match (json::inspect(data), tree) {
        (Ok(()), Ok(tree)) => assert!(!tree.has_key_twice() && tree.depth() <= limits::JSON_DEPTH),
        (Ok(()), Err(error)) => panic!("not JSON: {error}"),
        (Err(JsonFault::DuplicateKey(_)), Ok(tree)) => assert!(tree.has_key_twice()),
        (Err(JsonFault::TooDeep), Ok(tree)) => assert!(tree.depth() > limits::JSON_DEPTH),
        // What breaks a rule may also not be JSON, further on.
        (Err(JsonFault::DuplicateKey(_) | JsonFault::TooDeep), Err(_)) => {}
        (Err(JsonFault::ReservedKey(_)), _) => {
            let text = String::from_utf8_lossy(data);
            assert!(text.contains("private") || text.contains('\\'));
        }
        (Err(JsonFault::Empty | JsonFault::NotJson), tree) => {
            assert!(!matches!(tree, Ok(Tree::Array(_) | Tree::Object(_))));
        }
        (Err(JsonFault::Truncated), tree) => assert!(tree.is_err_and(|error| error.is_eof())),
        (Err(JsonFault::Malformed { what, .. }), tree) => {
            assert_eq!(what, tree.expect_err("it is not JSON").to_string());
        }
    }
});

/// A document with every key that it has.
#[derive(Debug)]
enum Tree {
    Scalar,
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    fn inner(&self) -> Vec<&Tree> {
        match self {
            Self::Scalar => Vec::new(),
            Self::Array(elements) => elements.iter().collect(),
            Self::Object(members) => members.iter().map(|(_, value)| value).collect(),
        }
    }

    fn depth(&self) -> usize {
        let below = self.inner().into_iter().map(Self::depth).max().unwrap_or(0);
        if matches!(self, Self::Scalar) { 0 } else { below + 1 }
    }

    fn has_key_twice(&self) -> bool {
        let mut keys = HashSet::new();
        let here = match self {
            Self::Object(members) => members.iter().any(|(key, _)| !keys.insert(key)),
            _ => false,
        };
        here || self.inner().into_iter().any(Self::has_key_twice)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Tree::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_entry()? {
            list.push(member);
        }
        Ok(Tree::Object(list))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar)
    }
}
