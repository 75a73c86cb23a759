//! One walk over a text: whether it is JSON (RFC 8259), with no key twice in an object, and not
//! too deep.
//!
//! Nothing is kept but the keys of the objects that are open. What is wrong is told in the words
//! of `serde_json` and at its line and column, so that a report reads the same whichever of the
//! two had read the text; a fuzz target holds the two against each other. They part in this: a
//! key that stands twice and too deep a nesting are faults here; where bytes in a string are not
//! UTF-8 the column is that of the first of them, also when an escape follows; that a number is
//! too large for a double is told at its end, and within a few units in its last place judged
//! more closely.
//!
//! This does not read: [`Value`](super::Value) does, and relies on this walk.

use alloc::{borrow::Cow, collections::BTreeSet};

use super::{
    JsonFault,
    value::{located, unescaped},
};
use crate::{finding::quoted, limits};

/// Walks over the whole text.
///
/// # Errors
/// The first fault that is met.
pub(super) fn walk(text: &[u8]) -> Result<(), JsonFault> {
    let mut walk = Walk { text, place: 0, fault: JsonFault::Truncated };
    if walk.value(0).is_none() {
        return Err(walk.fault);
    }
    if walk.after_space().is_some() {
        let _nothing: Option<()> = walk.wrong_here("trailing characters");
        return Err(walk.fault);
    }
    Ok(())
}

struct Walk<'a> {
    text: &'a [u8],
    /// The next byte's.
    place: usize,
    /// Why the walk stops; as long as nothing else is met, because the text ends.
    fault: JsonFault,
}

/// Every step gives nothing where the walk stops.
impl<'a> Walk<'a> {
    /// Over a value that stands in so many arrays and objects.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.after_space()? {
            b'n' => self.word(b"null"),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.string().map(drop),
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            _ => self.wrong_here("expected value"),
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.step();
        let below = self.below(depth)?;
        let mut is_first = true;
        loop {
            match self.after_space()? {
                b']' => {
                    self.step();
                    return Some(());
                }
                _ if is_first => is_first = false,
                b',' => {
                    self.step();
                    if self.after_space()? == b']' {
                        return self.wrong_here("trailing comma");
                    }
                }
                _ => return self.wrong_here("expected `,` or `]`"),
            }
            self.value(below)?;
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.step();
        let mut keys = BTreeSet::new();
        let mut is_first = true;
        loop {
            match self.after_space()? {
                b'}' => {
                    self.step();
                    return Some(());
                }
                _ if is_first => is_first = false,
                b',' => {
                    self.step();
                    if self.after_space()? == b'}' {
                        return self.wrong_here("trailing comma");
                    }
                }
                _ => return self.wrong_here("expected `,` or `}`"),
            }
            if self.peek()? != b'"' {
                return self.wrong_here("key must be a string");
            }
            let key = self.string()?;
            if keys.contains(&key) {
                return self.stop(JsonFault::DuplicateKey(quoted(key.into_owned())));
            }
            keys.insert(key);
            let below = self.below(depth)?;
            if self.after_space()? != b':' {
                return self.wrong_here("expected `:`");
            }
            self.step();
            self.value(below)?;
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        for expected in word {
            if self.next()? != *expected {
                return self.wrong_before("expected ident");
            }
        }
        Some(())
    }

    /// Over a string (RFC 8259 §7); what it stands for.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.step();
        let start = self.place;
        let mut has_escapes = false;
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.escape()?;
                }
                0..0x20 => {
                    let message =
                        "control character (\\u0000-\\u001F) found while parsing a string";
                    return self.wrong_before(message);
                }
                _ => {}
            }
        }
        let inner = self.text.get(start..self.place.saturating_sub(1)).unwrap_or_default();
        match core::str::from_utf8(inner) {
            Ok(inner) if has_escapes => Some(Cow::Owned(unescaped(inner))),
            Ok(inner) => Some(Cow::Borrowed(inner)),
            Err(error) => {
                let place = start.saturating_add(error.valid_up_to()).saturating_add(1);
                self.wrong_at("invalid unicode code point", place)
            }
        }
    }

    /// Over what follows a backslash.
    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => return Some(()),
            b'u' => {}
            _ => return self.wrong_before("invalid escape"),
        }
        match self.hexadecimal()? {
            0xDC00..=0xDFFF => self.wrong_before("lone leading surrogate in hex escape"),
            0xD800..=0xDBFF => {
                if self.next()? != b'\\' || self.next()? != b'u' {
                    return self.wrong_before("unexpected end of hex escape");
                }
                match self.hexadecimal()? {
                    0xDC00..=0xDFFF => Some(()),
                    _ => self.wrong_before("lone leading surrogate in hex escape"),
                }
            }
            _ => Some(()),
        }
    }

    /// Four hexadecimal digits as a number.
    fn hexadecimal(&mut self) -> Option<u32> {
        let end = self.place.saturating_add(4);
        let digits = self.text.get(self.place..end)?;
        self.place = end;
        let number = digits
            .iter()
            .try_fold(0, |number, digit| Some((number << 4) | char::from(*digit).to_digit(16)?));
        number.or_else(|| self.wrong_before("invalid escape"))
    }

    /// Over a number (RFC 8259 §6).
    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.step();
        }
        let mut significand = Significand::default();
        match self.next()? {
            b'0' if matches!(self.peek(), Some(b'0'..=b'9')) => {
                return self.wrong_here("invalid number");
            }
            b'0' => {}
            digit @ b'1'..=b'9' => {
                significand.push(digit);
                while let Some(digit) = self.digit() {
                    if !significand.push(digit) {
                        significand.exponent = significand.exponent.saturating_add(1);
                    }
                }
            }
            _ => return self.wrong_before("invalid number"),
        }
        if self.peek() == Some(b'.') {
            self.step();
            if !self.peek()?.is_ascii_digit() {
                return self.wrong_here("invalid number");
            }
            while let Some(digit) = self.digit() {
                if significand.push(digit) {
                    significand.exponent = significand.exponent.saturating_sub(1);
                }
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.step();
            self.exponent(&mut significand)?;
        }
        if significand.is_beyond_double() {
            return self.wrong_before("number out of range");
        }
        Some(())
    }

    fn exponent(&mut self, significand: &mut Significand) -> Option<()> {
        let is_negative = match self.peek()? {
            sign @ (b'+' | b'-') => {
                self.step();
                sign == b'-'
            }
            _ => false,
        };
        if !self.next()?.is_ascii_digit() {
            return self.wrong_before("invalid number");
        }
        self.place = self.place.saturating_sub(1);
        let mut exponent = 0_i32;
        while let Some(digit) = self.digit() {
            exponent = exponent.saturating_mul(10).saturating_add(i32::from(digit & 0x0F));
        }
        significand.exponent = significand.exponent.saturating_add(if is_negative {
            exponent.saturating_neg()
        } else {
            exponent
        });
        Some(())
    }

    /// The next byte, where it is a digit, and over it.
    fn digit(&mut self) -> Option<u8> {
        let digit = self.peek().filter(u8::is_ascii_digit)?;
        self.step();
        Some(digit)
    }

    fn after_space(&mut self) -> Option<u8> {
        loop {
            match self.peek()? {
                b' ' | b'\n' | b'\t' | b'\r' => self.step(),
                other => return Some(other),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.place).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.step();
        Some(byte)
    }

    fn step(&mut self) {
        self.place = self.place.saturating_add(1);
    }

    /// How deep the values of an array or object of that depth stand.
    fn below(&mut self, depth: usize) -> Option<usize> {
        if depth >= limits::JSON_DEPTH {
            return self.stop(JsonFault::TooDeep);
        }
        Some(depth.saturating_add(1))
    }

    /// The next byte is wrong.
    fn wrong_here<T>(&mut self, message: &str) -> Option<T> {
        self.wrong_at(message, self.place.saturating_add(1))
    }

    /// The byte before is wrong.
    fn wrong_before<T>(&mut self, message: &str) -> Option<T> {
        self.wrong_at(message, self.place)
    }

    fn wrong_at<T>(&mut self, message: &str, place: usize) -> Option<T> {
        let text = located(self.text, message, place.min(self.text.len()));
        self.stop(JsonFault::Malformed(text))
    }

    fn stop<T>(&mut self, fault: JsonFault) -> Option<T> {
        self.fault = fault;
        None
    }
}

/// A number's first digits, and the power of ten that they are to be multiplied by.
#[derive(Default)]
struct Significand {
    digits: u64,
    exponent: i32,
}

impl Significand {
    /// Whether the digit still has a place.
    fn push(&mut self, digit: u8) -> bool {
        let longer = self.digits.checked_mul(10);
        let longer = longer.and_then(|digits| digits.checked_add(u64::from(digit & 0x0F)));
        self.digits = longer.unwrap_or(self.digits);
        longer.is_some()
    }

    /// Whether no finite double is near it. Nobody here reads such a number, but another reader of
    /// the same text would refuse it.
    fn is_beyond_double(&self) -> bool {
        const NINETEEN_DIGITS: u64 = 1_000_000_000_000_000_000;
        // Half a unit in the last place above the largest double, 1.797…e308.
        const LIMIT: u64 = 1_797_693_134_862_315_808;
        let (mut digits, mut exponent) = (self.digits, self.exponent);
        if digits == 0 {
            return false;
        }
        if digits / 10 >= NINETEEN_DIGITS {
            digits /= 10;
            exponent = exponent.saturating_add(1);
        }
        while digits < NINETEEN_DIGITS {
            digits = digits.saturating_mul(10);
            exponent = exponent.saturating_sub(1);
        }
        (exponent, digits) >= (290, LIMIT)
    }
}

#[cfg(test)]
mod tests {
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
                if in_string && after.iter().take_while(|byte| **byte != b'"').any(|b| *b == b'\\')
                {
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
        assert_eq!(
            walk(br#"{"a":1,"b":{"x":0,"\u0078":0}"#),
            Err(JsonFault::DuplicateKey("x".into()))
        );
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
        let objects =
            |depth: usize| format!("{}{{}}{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert_eq!(walk(objects(limits::JSON_DEPTH).as_bytes()), Ok(()));
        assert_eq!(walk(objects(limits::JSON_DEPTH + 1).as_bytes()), Err(JsonFault::TooDeep));
    }
}
