//! The guard, the paths of faults, and what `strict!` takes back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may")]

use alloc::{vec, vec::Vec};

use super::*;

fn malformed(place: &str, text: &str, fault: JsonFault) {
    let JsonFault::Malformed { place: found, what } = fault else { panic!("{fault:?}: {text}") };
    assert_eq!(found, place, "{what}: {text}");
}

fn duplicate(place: &str) -> Result<(), JsonFault> {
    Err(JsonFault::DuplicateKey(place.into()))
}

#[test]
fn finds_repeated_keys_at_every_level() {
    assert_eq!(inspect(br#"{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}"#), Ok(()));
    assert_eq!(inspect(br#"{"a":[0,{"x":1,"x":2}]}"#), duplicate("a[1].x"));
    // The same key, once escaped; what is met first is told.
    assert_eq!(inspect(br#"{"a":1,"\u0061":2}"#), duplicate("a"));
    assert_eq!(inspect(br#"{"a":1,"b":{"x":0,"\u0078":0}"#), duplicate("b.x"));
    assert_eq!(inspect(br#"{"a":1,"a":}"#), duplicate("a"));
    let hostile = inspect("{\"\u{202E}\":1,\"\u{202E}\":1}".as_bytes());
    assert_eq!(hostile, duplicate("\\u{202e}"));
}

#[test]
fn refuses_keys_of_serde_json() {
    // Read as `serde_json::Value`, it is {"b":1}.
    let text = r#"{"a":[{"$serde_json::private::RawValue":"{\"b\":1}"}]}"#;
    let place = "a[0].$serde_json::private::RawValue";
    assert_eq!(inspect(text.as_bytes()), Err(JsonFault::ReservedKey(place.into())));
    let escaped = text.replace("$serde", "\\u0024serde");
    assert_eq!(inspect(escaped.as_bytes()), Err(JsonFault::ReservedKey(place.into())));
    let as_value = inspect(br#"{"a":"$serde_json::private::RawValue"}"#);
    assert_eq!(as_value, Ok(()));
}

#[test]
fn reads_objects_and_not_what_a_derived_struct_reads_besides() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        a: u8,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct Outer {
        #[serde(deserialize_with = "object")]
        one: Inner,
        #[serde(default, deserialize_with = "optional_object")]
        two: Option<Inner>,
    }
    let read = |text: &'static str| decode_object::<Outer>(text.as_bytes());
    let outer = |two| Outer { one: Inner { a: 1 }, two };
    assert_eq!(read(r#"{"one":{"a":1}}"#), Ok(outer(None)));
    assert_eq!(read(r#"{"one":{"a":1},"two":null}"#), Ok(outer(None)));
    assert_eq!(read(r#"{"one":{"a":1},"two":{"a":2}}"#), Ok(outer(Some(Inner { a: 2 }))));
    for text in [
        r#"[{"a":1},null]"#,
        r#"{"one":[1]}"#,
        r#"{"one":{"a":1},"two":[2]}"#,
        r#"{"one":{"a":1,"a":1}}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn many_keys_take_no_time_to_speak_of() {
    let keys: Vec<_> = (0..200_000).map(|number| format!("\"{number:x}\":0")).collect();
    assert_eq!(inspect(format!("{{{}}}", keys.join(",")).as_bytes()), Ok(()));
}

#[test]
fn bounds_the_nesting_where_the_limit_says() {
    let arrays = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!(inspect(&arrays(limits::JSON_DEPTH)), Ok(()));
    assert_eq!(inspect(&arrays(limits::JSON_DEPTH + 1)), Err(JsonFault::TooDeep));
    let objects = |depth: usize| format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert_eq!(inspect(objects(limits::JSON_DEPTH).as_bytes()), Ok(()));
    assert_eq!(inspect(objects(limits::JSON_DEPTH + 1).as_bytes()), Err(JsonFault::TooDeep));
    assert_eq!(inspect(&vec![b'['; 1_000_000]), Err(JsonFault::TooDeep));
}

#[test]
fn refuses_what_is_not_json() {
    for (text, place) in [
        ("[1,]", "[0]"),
        ("{}x", ""),
        ("{\"a\":{\"b\":[0,1e999]}}", "a.b[1]"),
        ("{\"a\":\u{1}}", "a"),
        ("{\"a\":\"\\ud83d\"}", "a"),
        ("{\"a\":01}", "a"),
        ("{\"a\" 1}", "a"),
        ("{\"a\":nul}", "a"),
        ("[\u{FEFF}]", "[0]"),
    ] {
        malformed(place, text, inspect(text.as_bytes()).unwrap_err());
    }
    malformed("a", "bytes", inspect(b"{\"a\":\"\xFF\"}").unwrap_err());
    for text in ["nul", "\u{FEFF}{}", "1", "\"text\""] {
        assert_eq!(inspect(text.as_bytes()), Err(JsonFault::NotJson), "{text}");
    }
    for text in ["{", "[1,", "{\"a\":\"b", "{\"a\":\"\\u00", "[tru", "[-"] {
        assert_eq!(inspect(text.as_bytes()), Err(JsonFault::Truncated), "{text}");
    }
    assert_eq!(inspect(b" \n"), Err(JsonFault::Empty));
    assert_eq!(inspect(&[0xFF]), Err(JsonFault::NotJson));
    // Line and column, for whoever edits the file.
    let fault = inspect(b"{\n  \"a\": [1 2]\n}").unwrap_err();
    assert_eq!(fault.to_string(), "a[0]: expected `,` or `]` at line 2 column 11");
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", deny_unknown_fields)]
struct Outer {
    the_name: String,
    #[serde(default)]
    list: Vec<u8>,
    inner: Option<Inner>,
    #[serde(default)]
    several: Vec<Inner>,
    #[serde(alias = "raw_bytes")]
    raw_bytes: Option<Base64Octets>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(remote = "Self")]
struct Inner {
    level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "lowercase")]
enum Level {
    Low,
    High,
}

strict! {
    object Outer;
    object Inner;
    string Level;
}

#[test]
fn faults_say_where_they_are() {
    for (text, place) in [
        ("{}", ""),
        (r#"{"theName":5}"#, "theName"),
        (r#"{"theName":{"a":1}}"#, "theName"),
        (r#"{"theName": ["a"] }"#, "theName"),
        ("{\n\"theName\":\n true ,\"list\":[]}", "theName"),
        (r#"{"theName":"é","list":[1, 2 ,256]}"#, "list[2]"),
        (r#"{"theName":"a","list":[1,[2]]}"#, "list[1]"),
        (r#"{"theName":"a","list":{}}"#, "list"),
        (r#"{"theName":"a","list":null}"#, "list"),
        (r#"{"theName":"a","liszt":[]}"#, "liszt"),
        (r#"{"theName":"a","inner":{}}"#, "inner"),
        (r#"{"theName":"a","inner":["low"]}"#, "inner"),
        (r#"{"theName":"a","inner":{"level":"middle"}}"#, "inner.level"),
        (r#"{"theName":"a","inner":{"level":{"low":null}}}"#, "inner.level"),
        (r#"{"theName":"a","several":[{"level":"low"},{"level":5 } ]}"#, "several[1].level"),
        (r#"{"theName":"a","several":[{"level":"low"}, {"x":{"y":[0]}}]}"#, "several[1]"),
        (r#"{"theName":"a","several":[{"level":"low"},["low"]]}"#, "several[1]"),
        (r#"{"theName":"a","rawBytes":"."}"#, "rawBytes"),
        (r#"{"theName":"a","rawBytes":"","raw_bytes":""}"#, "raw_bytes"),
        (r#"["a",[],null]"#, ""),
    ] {
        malformed(place, text, decode::<Outer>(text.as_bytes()).unwrap_err());
    }
    let fault = decode::<Outer>(br#"{"theName":"a","list":[1,"x"]}"#).unwrap_err();
    assert_eq!(fault.to_string(), "list[1]: invalid type: string \"x\", expected u8");
}

#[test]
fn reads_types_with_either_name_of_a_field() {
    let text = br#" {"raw_bytes":"AA==","inner":{"more":[{}],"level":"high"},"theName":"\u0041"} "#;
    let inner = Some(Inner { level: Level::High });
    let raw_bytes = Some(Base64Octets(vec![0]));
    let read = Outer { the_name: "A".into(), list: vec![], inner, several: vec![], raw_bytes };
    assert_eq!(decode(text), Ok(read));
}

#[test]
fn values_are_read_in_place() {
    let text = br#" {"a" : "x\"", "\u0062":[ {"c":"}]"} ,2 ], "d":null} "#;
    let root = Document::decode(text).unwrap().root();
    assert!(root.is_object() && !root.is_array() && root.elements().is_none());
    assert_eq!(root.member("a").and_then(Value::string).as_deref(), Some("x\""));
    let list = root.member("b").unwrap();
    assert!(list.is_array() && list.member("c").is_none() && list.string().is_none());
    let elements = list.elements().unwrap();
    assert_eq!(elements.len(), 2);
    assert_eq!(elements[0].member("c").and_then(Value::string).as_deref(), Some("}]"));
    assert_eq!(elements[1].read::<u64>(), Ok(2));
    assert!(root.member("d").is_some_and(Value::is_null));
    assert!(root.member("c").is_none());
}
