//! A place in a text that is known to be JSON, and what stands there.
//!
//! Nothing is built: a value is where it begins, and whoever asks for a part goes over the text
//! again. So a document costs no memory beyond what is read out of it, however many numbers or
//! empty arrays somebody put into it. Only [`Document`](super::Document) makes the first value,
//! after its walk; text that is not JSON would give wrong values here, but neither panics nor
//! loops.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};

/// A value in a JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    text: &'a [u8],
    start: usize,
}

/// What kind of value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A text.
    String,
    /// An array.
    Sequence,
    /// An object.
    Map,
}

impl<'a> Value<'a> {
    /// The outermost value of a text.
    pub(super) fn first(text: &'a [u8]) -> Self {
        Self { text, start: after_space(text, 0) }
    }

    /// What kind of value it is.
    pub fn kind(self) -> Kind {
        match at(self.text, self.start) {
            b'n' => Kind::Null,
            b't' | b'f' => Kind::Boolean,
            b'"' => Kind::String,
            b'[' => Kind::Sequence,
            b'{' => Kind::Map,
            _ => Kind::Number,
        }
    }

    /// The text, where it is one.
    pub fn string(self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let literal = core::str::from_utf8(self.literal()).ok()?;
        let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
        Some(if inner.contains('\\') { Cow::Owned(unescaped(inner)) } else { Cow::Borrowed(inner) })
    }

    /// The whole number, where it is one that is not negative and fits.
    pub fn unsigned(self) -> Option<u64> {
        self.number()?.parse().ok()
    }

    /// The whole number, where it is one that fits. `-0` is none: JSON has no sign of zero but in
    /// floating point.
    pub fn signed(self) -> Option<i64> {
        self.number()?
            .parse()
            .ok()
            .filter(|number| *number != 0 || at(self.text, self.start) != b'-')
    }

    /// The number as it is written.
    pub fn number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then(|| core::str::from_utf8(self.literal()).ok())?
    }

    /// The keys and values of an object; none of anything else.
    pub fn members(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let mut next = self.inside(Kind::Map);
        core::iter::from_fn(move || {
            let text = self.text;
            let start = item(text, next)?;
            let colon = after_space(text, after_string(text, start));
            let value = after_space(text, colon.saturating_add(1));
            next = after_value(text, value);
            Some((Self { text, start }, Self { text, start: value }))
        })
    }

    /// The elements of an array; none of anything else.
    pub fn elements(self) -> impl Iterator<Item = Value<'a>> {
        let mut next = self.inside(Kind::Sequence);
        core::iter::from_fn(move || {
            let start = item(self.text, next)?;
            next = after_value(self.text, start);
            Some(Self { text: self.text, start })
        })
    }

    /// The value of a key, where it is an object that has it.
    pub fn member(self, name: &str) -> Option<Value<'a>> {
        self.members().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    /// Whether it is this text.
    pub(crate) fn is(self, text: &str) -> bool {
        self.string().is_some_and(|string| string == text)
    }

    /// What is wrong, and where: an object or array begins there, anything else ends there.
    #[cold]
    #[inline(never)]
    pub(crate) fn wrong(self, message: &str) -> String {
        match self.kind() {
            Kind::Sequence | Kind::Map => located(self.text, message, self.start),
            _ => self.wrong_at_end(message),
        }
    }

    /// What is wrong, and where it ends.
    #[cold]
    #[inline(never)]
    pub(crate) fn wrong_at_end(self, message: &str) -> String {
        located(self.text, message, after_value(self.text, self.start))
    }

    /// It is of another type than expected.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_not(self, expected: &str) -> String {
        self.wrong(&format!("invalid type: {}, expected {expected}", self.described()))
    }

    /// It is of the type, but not one of its values.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_beyond(self, expected: &str) -> String {
        self.wrong(&format!("invalid value: {}, expected {expected}", self.described()))
    }

    fn described(self) -> String {
        let literal = || core::str::from_utf8(self.literal()).unwrap_or_default();
        match self.kind() {
            Kind::Null => "null".to_string(),
            Kind::Boolean => format!("boolean `{}`", literal()),
            Kind::Number if self.signed().is_some() || self.unsigned().is_some() => {
                format!("integer `{}`", literal())
            }
            Kind::Number => format!("floating point `{}`", literal()),
            Kind::String => format!("string {}", shown(&self.string().unwrap_or_default())),
            Kind::Sequence => "sequence".to_string(),
            Kind::Map => "map".to_string(),
        }
    }

    fn literal(self) -> &'a [u8] {
        self.text.get(self.start..after_value(self.text, self.start)).unwrap_or_default()
    }

    /// After the bracket that opens, where it is of that kind; else where no item begins.
    fn inside(self, kind: Kind) -> usize {
        if self.kind() == kind { self.start.saturating_add(1) } else { self.text.len() }
    }
}

/// What is wrong, and in which line and column of the text that place is.
#[cold]
#[inline(never)]
pub(super) fn located(text: &[u8], message: &str, place: usize) -> String {
    let before = text.get(..place).unwrap_or(text);
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len);
    format!("{message} at line {line} column {column}")
}

/// The byte there; after the end, one that no JSON holds.
fn at(text: &[u8], place: usize) -> u8 {
    text.get(place).copied().unwrap_or(0)
}

fn after_space(text: &[u8], mut place: usize) -> usize {
    while matches!(at(text, place), b' ' | b'\n' | b'\t' | b'\r') {
        place = place.saturating_add(1);
    }
    place
}

/// Where the next member or element begins, if there is one.
fn item(text: &[u8], place: usize) -> Option<usize> {
    let mut place = after_space(text, place);
    if at(text, place) == b',' {
        place = after_space(text, place.saturating_add(1));
    }
    (place < text.len() && !matches!(at(text, place), b']' | b'}')).then_some(place)
}

/// Where the string that begins there has ended.
fn after_string(text: &[u8], start: usize) -> usize {
    let mut place = start.saturating_add(1);
    loop {
        let rest = text.get(place..).unwrap_or_default();
        let Some(found) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
            return text.len();
        };
        place = place.saturating_add(found);
        if at(text, place) == b'"' {
            return place.saturating_add(1);
        }
        place = place.saturating_add(2);
    }
}

/// Where the value that begins there has ended.
fn after_value(text: &[u8], start: usize) -> usize {
    let mut place = start;
    let mut depth = 0_usize;
    loop {
        match at(text, place) {
            b'"' => place = after_string(text, place),
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                place = place.saturating_add(1);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                place = place.saturating_add(1);
            }
            _ if depth > 0 => place = place.saturating_add(1),
            _ => {
                let rest = text.get(place..).unwrap_or_default();
                let is_end =
                    |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\t' | b'\r');
                let length = rest.iter().position(is_end).unwrap_or(rest.len());
                return place.saturating_add(length);
            }
        }
        if depth == 0 || place >= text.len() {
            return place.min(text.len());
        }
    }
}

/// A text in quotation marks, as `Debug` shows it; but characters that merely are not printable
/// stand for themselves: the tables that tell which they are weigh 3 KB in the WebAssembly module.
/// What could steer a terminal or a page, a finding makes visible (`quoted`).
fn shown(text: &str) -> String {
    let mut shown = String::from("\"");
    for character in text.chars() {
        match character {
            '\0' => shown.push_str("\\0"),
            '"' | '\\' | '\t' | '\n' | '\r' => shown.extend(character.escape_default()),
            _ if character.is_control() => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown.push('"');
    shown
}

/// The text that a string's inside stands for (RFC 8259 §7).
pub(super) fn unescaped(inner: &str) -> String {
    let mut text = String::new();
    let mut rest = inner.chars();
    while let Some(character) = rest.next() {
        let character = match (character, character == '\\') {
            (_, false) => character,
            (_, true) => match rest.next().unwrap_or_default() {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let mut point = hexadecimal(&mut rest);
                    if (0xD800..0xDC00).contains(&point) {
                        let _backslash_u = (rest.next(), rest.next());
                        let low = hexadecimal(&mut rest) & 0x3FF;
                        let pair = ((point & 0x3FF) << 10) | low;
                        point = pair.saturating_add(0x1_0000);
                    }
                    char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
                other => other,
            },
        };
        text.push(character);
    }
    text
}

/// The next four characters as a number.
fn hexadecimal(rest: &mut core::str::Chars<'_>) -> u32 {
    let digit = |character: char| character.to_digit(16).unwrap_or(0);
    rest.by_ref().take(4).fold(0, |number, character| (number << 4) | digit(character))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use alloc::vec::Vec;

    use super::*;
    use crate::json::Document;

    fn assert_same(ours: Value<'_>, theirs: &serde_json::Value) {
        match theirs {
            serde_json::Value::Null => assert_eq!(ours.kind(), Kind::Null),
            serde_json::Value::Bool(_) => assert_eq!(ours.kind(), Kind::Boolean),
            serde_json::Value::Number(number) => {
                assert_eq!(ours.unsigned(), number.as_u64(), "{number}");
                assert_eq!(ours.signed(), number.as_i64(), "{number}");
                assert_eq!(ours.kind(), Kind::Number);
            }
            serde_json::Value::String(text) => assert_eq!(ours.string().as_deref(), Some(&**text)),
            serde_json::Value::Array(list) => {
                let elements: Vec<_> = ours.elements().collect();
                assert_eq!((ours.kind(), elements.len()), (Kind::Sequence, list.len()));
                for (ours, theirs) in elements.into_iter().zip(list) {
                    assert_same(ours, theirs);
                }
            }
            serde_json::Value::Object(map) => {
                assert_eq!((ours.kind(), ours.members().count()), (Kind::Map, map.len()));
                for (key, theirs) in map {
                    assert_same(ours.member(key).unwrap(), theirs);
                }
            }
        }
    }

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            "[]",
            " [ ] ",
            "{}",
            "\n{ }\t",
            r#"[null , true,false, "", "a", [], [[]], {"":{}}]"#,
            "[0,-0,-0.0,1,-1,1.5,1e3,-2E-2,18446744073709551615,18446744073709551616,9223372036854775807,-9223372036854775808,-9223372036854775809]",
            r#"{"a" : 1 , "b":[ {"c":"}]\"," , "d" : "\\"} ,2 ],"e":"\\\"{["}"#,
            r#"["\"\\\/\b\f\n\r\t\u0000\u00e9\u20AC\uD83D\uDE00x\udbff\udfff","é€😀","a\u0041"]"#,
            r#"{"\u0061b":"key with an escape","é":"\"","\"":[1]}"#,
        ] {
            let document = Document::decode(text.as_bytes()).unwrap();
            assert_same(document.root(), &serde_json::from_str(text).unwrap());
        }
    }

    #[test]
    fn shows_texts_as_debug_does() {
        let ascii: String = (0..=0x7F_u8).map(char::from).collect();
        for text in ["", "a", "é€😀'", "\u{85}\u{9F}", &ascii] {
            assert_eq!(shown(text), format!("{text:?}"));
        }
        assert_eq!(shown("\u{300}\u{E000}"), "\"\u{300}\u{E000}\"");
    }

    #[test]
    fn text_that_is_no_json_neither_panics_nor_loops() {
        for text in [
            "", "{", "[", "\"", "{\"", "{\"a", "{\"a\":", "[\"\\", "]]", "}{", "[,,", "{,:}",
            "[1 2",
        ] {
            let value = Value::first(text.as_bytes());
            assert!(value.members().take(100).count() < 100, "{text}");
            assert!(value.elements().take(100).count() < 100, "{text}");
            assert!(!value.wrong("x").is_empty() && !value.is_not("y").is_empty());
        }
    }
}
