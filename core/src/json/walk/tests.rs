//! The walk against `serde_json`, and the rules that are ours.

use alloc::{format, string::ToString, vec, vec::Vec};

use super::*;

/// What `serde_json` says of it, in our terms.
fn reference(text: &[u8]) -> Result<(), JsonFault> {
    match serde_json::from_slice::<serde_json::Value>(text) {
        Ok(_) => Ok(()),
        Err(error) if error.is_eof() => Err(JsonFault::Truncated),
        Err(error) => Err(JsonFault::Malformed(error.to_string())),
    }
}

fn assert_agrees(text: &[u8]) {
    match walk(text) {
        // What serde_json lets pass; whether rightly refused, other tests say.
        Err(JsonFault::DuplicateKey(_)) => {}
        outcome => assert_eq!(outcome, reference(text), "{}", text.escape_ascii()),
    }
}

const TEXT: &[u8] =
    br#" {"a":[null,true,false,-0.5e+10,0,[],{}],"\u00e9\ud83d\ude00\"\n":"x\u0041",
        "b" : {"c":12,"d":""} }
"#;

#[test]
fn agrees_with_serde_json_wherever_a_text_breaks_off() {
    for end in 0..=TEXT.len() {
        assert_agrees(TEXT.get(..end).unwrap_or_default());
    }
}

#[test]
fn agrees_with_serde_json_on_a_byte_changed_left_out_or_put_in() {
    let bytes = br#"{}[],:"\/+-.0123456789abcdefEnrtuDx \n"#;
    for place in 0..TEXT.len() {
        let (before, after) = TEXT.split_at(place);
        let rest = after.get(1..).unwrap_or_default();
        assert_agrees(&[before, rest].concat());
        for byte in bytes.iter().copied().chain([0, 1, 0x1F, 0x7F]) {
            assert_agrees(&[before, &[byte], rest].concat());
            assert_agrees(&[before, &[byte], after].concat());
        }
    }
}

#[test]
fn agrees_with_serde_json_on_bytes_that_are_no_utf8() {
    for hostile in [&b"\xFF"[..], b"\xC3", b"\xED\xA0\x80", b"\xF0\x9F\x98", b"\x80\xC3\xA9"] {
        for place in 0..TEXT.len() {
            let (before, after) = TEXT.split_at(place);
            let text = [before, hostile, after].concat();
            let (ours, theirs) = (walk(&text), reference(&text));
            let in_string = format!("{ours:?}").contains("unicode");
            // The column of theirs is approximate when an escape follows.
            if in_string && after.iter().take_while(|byte| **byte != b'"').any(|b| *b == b'\\') {
                assert!(format!("{theirs:?}").contains("invalid unicode code point"));
            } else {
                assert_eq!(ours, theirs, "{}", text.escape_ascii());
            }
        }
    }
}

#[test]
fn agrees_with_serde_json_on_numbers() {
    let numbers = "0 -0 -1 00 01 -01 - + +1 .5 5. 1.e5 1e 1e+ 1e- 1E5 1e+05 1.5e-3 1e5.5 1ee5 0x1 1_000 NaN \
        Infinity -Infinity 18446744073709551615 18446744073709551616 123456789012345678901234567890 1e308 1e309 \
        -1e309 1.7976931348623157e308 1.9e308 17976931348623157e292 19e307 0.0019e311 0.0019e310 0e999999 1e-999999 \
        1e-99999999999 0e99999999999 0.0e5 123456789012345678901234567890e280 123456789012345678901234567890e279";
    for number in numbers.split_whitespace() {
        assert_agrees(format!("[{number}]").as_bytes());
        assert_agrees(format!("[{number}").as_bytes());
        assert_agrees(number.as_bytes());
    }
    let long = format!("[{}]", "9".repeat(308));
    assert_agrees(long.as_bytes());
    let too_long = format!("[{}.5]", "9".repeat(309));
    assert_agrees(too_long.as_bytes());
    let too_large = "number out of range at line 1 column 14".into();
    assert_eq!(walk(b"[1e99999999999]"), Err(JsonFault::Malformed(too_large)));
}

#[test]
fn agrees_with_serde_json_on_surrogates_marks_and_what_trails() {
    for text in [
        r#"["\ud83d\ude00"]"#,
        r#"["\uD83D\uDE00\ud83d\ude00"]"#,
        r#"["\ud83d"]"#,
        r#"["\ud83dx"]"#,
        r#"["\ud83d\n"]"#,
        r#"["\ud83d\ud83d\ude00"]"#,
        r#"["\ude00"]"#,
        r#"["\ude00\ud83d"]"#,
        r#"["\ud83d\u0041"]"#,
        r#"["\ud83d\u00"]"#,
        r#"["\u00G0"]"#,
        r#"["\u{41}"]"#,
        "\u{FEFF}[]",
        "[\u{FEFF}]",
        "[]\u{FEFF}",
        "\u{A0}[]",
        "\x0C[]",
        "[] []",
        "[],",
        "[]]",
        "{}x",
        "[]\n \t\r\n",
        "[]\0",
        "[] // no comment",
    ] {
        assert_agrees(text.as_bytes());
    }
}

#[test]
fn refuses_repeated_keys_where_they_are_met() {
    // What is met first is told, whatever follows.
    assert_eq!(walk(br#"{"a":1,"a":}"#), Err(JsonFault::DuplicateKey("a".into())));
    assert_eq!(walk(br#"{"a":1,"b":{"x":0,"\u0078":0}"#), Err(JsonFault::DuplicateKey("x".into())));
    assert_eq!(walk(br#"{"a":{"a":{}},"b":[{"a":1},{"a":1}]}"#), Ok(()));
    let hostile = walk("{\"\u{202E}\":1,\"\u{202E}\":1}".as_bytes());
    assert_eq!(hostile, Err(JsonFault::DuplicateKey("\\u{202e}".into())));
}

#[test]
fn many_keys_take_no_time_to_speak_of() {
    let keys: Vec<_> = (0..200_000).map(|number| format!("\"{number:x}\":0")).collect();
    let text = format!("{{{}}}", keys.join(","));
    assert_eq!(walk(text.as_bytes()), Ok(()));
}

#[test]
fn bounds_the_nesting_where_the_limit_says() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!(walk(&nested(limits::JSON_DEPTH)), Ok(()));
    assert_eq!(walk(&nested(limits::JSON_DEPTH + 1)), Err(JsonFault::TooDeep));
    let objects = |depth: usize| format!("{}{{}}{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert_eq!(walk(objects(limits::JSON_DEPTH).as_bytes()), Ok(()));
    assert_eq!(walk(objects(limits::JSON_DEPTH + 1).as_bytes()), Err(JsonFault::TooDeep));
}
