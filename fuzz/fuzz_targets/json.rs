//! The reader of JSON, held against `serde_json`: what both take must be the same tree, and what
//! one refuses must be refused by both in the same words, but for the differences that
//! core/src/json/walk.rs names.
#![no_main]

use countersign_core::json::{Document, JsonFault, Kind, Value};
use serde_json::Value as Theirs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match (Document::decode(data), serde_json::from_slice::<Theirs>(data)) {
        (Ok(ours), Ok(theirs)) => assert_same(ours.root(), &theirs),
        (Ok(_), Err(error)) => assert!(is_of_size(&error.to_string()), "{error}"),
        // Rules of ours.
        (Err(JsonFault::DuplicateKey(_) | JsonFault::TooDeep), _) => {}
        (Err(JsonFault::Empty | JsonFault::NotJson), theirs) => {
            assert!(!theirs.is_ok_and(|theirs| theirs.is_object() || theirs.is_array()));
        }
        (Err(JsonFault::Truncated), theirs) => {
            let theirs = theirs.expect_err("it breaks off");
            assert!(theirs.is_eof() || is_of_size(&theirs.to_string()), "{theirs}");
        }
        (Err(JsonFault::Malformed(ours)), Ok(_)) => assert!(is_of_size(&ours), "{ours}"),
        (Err(JsonFault::Malformed(ours)), Err(theirs)) => {
            let theirs = theirs.to_string();
            let is_near = |words: &str| ours.starts_with(words) && theirs.starts_with(words);
            // A column that theirs gives approximately, or not at the number's end.
            let differs = is_near("invalid unicode code point") || is_near("number out of range");
            // A number that one of the two takes; what is wrong stands later.
            let is_of_size = is_of_size(&ours) || is_of_size(&theirs);
            assert!(ours == theirs || differs || is_of_size, "{ours}, not {theirs}");
        }
    }
});

/// Whether a double was too small for a number: at the limit the two judge differently.
fn is_of_size(words: &str) -> bool {
    words.starts_with("number out of range")
}

fn assert_same(ours: Value<'_>, theirs: &Theirs) {
    match theirs {
        Theirs::Null => assert_eq!(ours.kind(), Kind::Null),
        Theirs::Bool(_) => assert_eq!(ours.kind(), Kind::Boolean),
        Theirs::Number(number) => {
            assert!(ours.number().is_some());
            assert_eq!((ours.unsigned(), ours.signed()), (number.as_u64(), number.as_i64()));
        }
        Theirs::String(text) => assert_eq!(ours.string().as_deref(), Some(&**text)),
        Theirs::Array(list) => {
            let elements: Vec<_> = ours.elements().collect();
            assert_eq!((ours.kind(), elements.len()), (Kind::Sequence, list.len()));
            for (ours, theirs) in elements.into_iter().zip(list) {
                assert_same(ours, theirs);
            }
        }
        Theirs::Object(map) => {
            let mut count = 0;
            for (key, value) in ours.members() {
                let key = key.string().expect("a key is a text");
                assert_same(value, &map[&*key]);
                count += 1;
            }
            assert_eq!((ours.kind(), count), (Kind::Map, map.len()));
        }
    }
}
