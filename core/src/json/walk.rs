//! One walk over a text: whether it is JSON (RFC 8259), with no key twice in an object, and not
//! too deep.
//!
//! Nothing is kept but the keys of the objects that are open. What is wrong is told in the words
//! of `serde_json` and at its line and column, so that a report reads the same whichever of the
//! two had read the text; a fuzz target holds the two against each other. They part in this: a
//! repeated keys and nesting that is too deep are faults here; where bytes in a string are not
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

/// What stands before a place in an array or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// The bracket that opens it.
    Opening,
    /// An element or member.
    Item,
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
        let mut before = Before::Opening;
        while self.item(before, b']', "expected `,` or `]`")? {
            before = Before::Item;
            self.value(below)?;
        }
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.step();
        let mut keys = BTreeSet::new();
        let mut before = Before::Opening;
        while self.item(before, b'}', "expected `,` or `}`")? {
            before = Before::Item;
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
        Some(())
    }

    /// To the next element or member, if there is one; else over the bracket that closes.
    fn item(&mut self, before: Before, closing: u8, expected: &str) -> Option<bool> {
        match self.after_space()? {
            byte if byte == closing => {
                self.step();
                Some(false)
            }
            _ if before == Before::Opening => Some(true),
            b',' => {
                self.step();
                if self.after_space()? == closing {
                    return self.wrong_here("trailing comma");
                }
                Some(true)
            }
            _ => self.wrong_here(expected),
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
mod tests;
