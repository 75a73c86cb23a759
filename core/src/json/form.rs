//! Forms: which fields an object has, of which types.
//!
//! `form!` writes the reading of a struct, little code for each: the fields are found by one
//! function for all forms. Faults are told in serde's words, which reports have always shown; of
//! several faults in one object, an unknown key is told first, then the first field of the form.

use alloc::{borrow::Cow, format, string::String, vec::Vec};

use base64ct::{Base64, Base64Unpadded, Encoding};

use super::value::{Kind, Value};

/// What can be read from a JSON value.
pub(crate) trait Form<'a>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    fn read(value: Value<'a>) -> Result<Self, String>;

    /// What stands for it where the key is missing; nothing where it must be there.
    fn absent() -> Option<Self> {
        None
    }
}

/// What becomes of keys that a form does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherKeys {
    Refused,
    Ignored,
    /// Refused; a known key may have the name that the field has in the protobuf definition.
    RefusedOfProtobuf,
}

/// Defines structs with their reading. `closed` refuses other keys, `open` ignores them; `protobuf`
/// refuses them too and takes a field by both of its names, `rawBytes` and `raw_bytes`, as readers
/// of protobuf's JSON must. `or` says what stands for a missing key, otherwise it must be there
/// unless it is an `Option`.
macro_rules! form {
    (@other_keys open) => { $crate::json::form::OtherKeys::Ignored };
    (@other_keys closed) => { $crate::json::form::OtherKeys::Refused };
    (@other_keys protobuf) => { $crate::json::form::OtherKeys::RefusedOfProtobuf };
    (@take $fields:ident) => { $fields.take() };
    (@take $fields:ident $default:expr) => { $fields.take_or($default) };
    ($(
        $(#[$attribute:meta])* $visibility:vis $manner:ident struct $name:ident {
            $($(#[$about:meta])* $shown:vis $field:ident: $type:ty = $key:literal $(or $default:expr)?,)*
        }
    )*) => { $(
        $(#[$attribute])* $visibility struct $name { $($(#[$about])* $shown $field: $type,)* }

        impl<'a> $crate::json::Form<'a> for $name {
            fn read(value: $crate::json::Value<'a>) -> Result<Self, alloc::string::String> {
                const KEYS: &[&str] = &[$($key),*];
                let mut found = [None; KEYS.len()];
                let other_keys = $crate::json::form!(@other_keys $manner);
                let what = concat!("struct ", stringify!($name));
                let mut fields = value.fields(what, KEYS, other_keys, &mut found)?;
                $(let $field = $crate::json::form!(@take fields $($default)?);)*
                // All are read before any is looked at: dropping what was read before, after each
                // of them, would be half of the code.
                if let ($(Some($field),)*) = ($($field,)*) {
                    return Ok(Self { $($field),* });
                }
                Err(fields.fault())
            }
        }
    )* };
}

pub(crate) use form;

/// The fields of an object, in the order of its form.
pub(crate) struct Fields<'a, 'f> {
    object: Value<'a>,
    keys: &'f [&'f str],
    found: &'f [Option<Value<'a>>],
    fault: Option<String>,
}

impl<'a> Value<'a> {
    /// Finds the values of `keys`, in one pass over the object.
    pub(crate) fn fields<'f>(
        self,
        what: &str,
        keys: &'f [&'f str],
        other_keys: OtherKeys,
        found: &'f mut [Option<Value<'a>>],
    ) -> Result<Fields<'a, 'f>, String> {
        if self.kind() != Kind::Map {
            return Err(self.is_not(what));
        }
        for (key, value) in self.members() {
            let name = key.string().unwrap_or_default();
            let is_protobuf = other_keys == OtherKeys::RefusedOfProtobuf;
            let is_name =
                |known: &&str| *known == name || (is_protobuf && is_original(&name, known));
            let index = keys.iter().position(is_name);
            match index.and_then(|index| found.get_mut(index)) {
                // The walk finds the same key twice; this is a field by its two names.
                Some(Some(_)) => {
                    let twice = format!("the field `{name}` is there under both of its names");
                    return Err(key.wrong(&twice));
                }
                Some(place) => *place = Some(value),
                None if other_keys == OtherKeys::Ignored => {}
                None => return Err(key.is_unknown("field", &name, keys)),
            }
        }
        Ok(Fields { object: self, keys, found, fault: None })
    }

    /// The one of `choices` whose name it is.
    pub(crate) fn choice<T: Copy>(self, choices: &[(&str, T)]) -> Result<T, String> {
        let Some(name) = self.string() else {
            return Err(self.wrong("expected value"));
        };
        let choice = choices.iter().find(|(known, _)| *known == name);
        choice.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(known, _)| *known).collect();
            self.is_unknown("variant", &name, &names)
        })
    }

    #[cold]
    #[inline(never)]
    fn is_unknown(self, what: &str, name: &str, known: &[&str]) -> String {
        let expected = match known {
            [one] => format!("`{one}`"),
            [one, other] => format!("`{one}` or `{other}`"),
            several => format!("one of `{}`", several.join("`, `")),
        };
        self.wrong(&format!("unknown {what} `{name}`, expected {expected}"))
    }
}

/// Whether `name` is the protobuf definition's name of the field that JSON calls `known`:
/// `raw_bytes` of `rawBytes`.
fn is_original(name: &str, known: &str) -> bool {
    let mut rest = name.chars();
    let same = known.chars().all(|character| {
        if !character.is_ascii_uppercase() {
            return rest.next() == Some(character);
        }
        rest.next() == Some('_') && rest.next() == Some(character.to_ascii_lowercase())
    });
    same && rest.next().is_none()
}

impl<'a, 'f> Fields<'a, 'f> {
    /// The next field; nothing when it cannot be read, which is kept as the fault.
    pub(crate) fn take<T: Form<'a>>(&mut self) -> Option<T> {
        let (key, value) = self.next();
        match value {
            Some(value) => self.kept(T::read(value)),
            None => T::absent().or_else(|| {
                let missing = self.object.wrong_at_end(&format!("missing field `{key}`"));
                self.kept(Err(missing))
            }),
        }
    }

    /// The next field, or `default` where its key is missing.
    pub(crate) fn take_or<T: Form<'a>>(&mut self, default: T) -> Option<T> {
        match self.next().1 {
            Some(value) => self.kept(T::read(value)),
            None => Some(default),
        }
    }

    fn kept<T>(&mut self, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|fault| self.fault.get_or_insert(fault).len()).ok()
    }

    /// The first fault that was met.
    pub(crate) fn fault(self) -> String {
        self.fault.unwrap_or_default()
    }

    #[inline(never)]
    fn next(&mut self) -> (&'f str, Option<Value<'a>>) {
        let (Some((key, keys)), Some((value, found))) =
            (self.keys.split_first(), self.found.split_first())
        else {
            return ("", None);
        };
        (self.keys, self.found) = (keys, found);
        (key, *value)
    }
}

impl<'a> Form<'a> for Value<'a> {
    fn read(value: Value<'a>) -> Result<Self, String> {
        Ok(value)
    }
}

impl<'a> Form<'a> for Cow<'a, str> {
    #[inline(never)]
    fn read(value: Value<'a>) -> Result<Self, String> {
        value.string().ok_or_else(|| value.is_not("a string"))
    }
}

impl<'a> Form<'a> for String {
    #[inline(never)]
    fn read(value: Value<'a>) -> Result<Self, String> {
        <Cow<'a, str>>::read(value).map(Cow::into_owned)
    }
}

impl<'a> Form<'a> for u32 {
    fn read(value: Value<'a>) -> Result<Self, String> {
        whole(value, "u32", u32::MAX)
    }
}

impl<'a> Form<'a> for u8 {
    fn read(value: Value<'a>) -> Result<Self, String> {
        let number = whole(value, "u8", u8::MAX.into())?;
        number.try_into().map_err(|_| value.is_beyond("u8"))
    }
}

fn whole(value: Value<'_>, what: &str, most: u32) -> Result<u32, String> {
    let number = value.unsigned().and_then(|number| u32::try_from(number).ok());
    match number.filter(|number| *number <= most) {
        Some(number) => Ok(number),
        None if value.unsigned().is_some() || value.signed().is_some() => {
            Err(value.is_beyond(what))
        }
        None => Err(value.is_not(what)),
    }
}

impl<'a, T: Form<'a>> Form<'a> for Option<T> {
    fn read(value: Value<'a>) -> Result<Self, String> {
        if value.kind() == Kind::Null { Ok(None) } else { T::read(value).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<'a, T: Form<'a>> Form<'a> for Vec<T> {
    fn read(value: Value<'a>) -> Result<Self, String> {
        if value.kind() != Kind::Sequence {
            return Err(value.is_not("a sequence"));
        }
        let mut list = Self::new();
        for element in value.elements() {
            list.push(T::read(element)?);
        }
        Ok(list)
    }
}

/// A value that is there and not looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ignored;

impl<'a> Form<'a> for Ignored {
    fn read(_: Value<'a>) -> Result<Self, String> {
        Ok(Self)
    }
}

/// Octets that stand in JSON as base64, as readers of protobuf's JSON take it: the standard or the
/// URL-safe alphabet (RFC 4648 §4, §5), with or without padding, and with white space as
/// tools that break lines leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base64Octets(pub(crate) Vec<u8>);

impl<'a> Form<'a> for Base64Octets {
    #[inline(never)]
    fn read(value: Value<'a>) -> Result<Self, String> {
        let text = <Cow<'a, str>>::read(value)?;
        octets(&text).map(Self).ok_or_else(|| value.wrong("not base64"))
    }
}

/// What base64 in any of its spellings stands for.
fn octets(text: &str) -> Option<Vec<u8>> {
    if let Ok(octets) = Base64::decode_vec(text) {
        return Some(octets);
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\r' | '\n' | ' ' | '\t' => {}
            '-' => plain.push('+'),
            '_' => plain.push('/'),
            other => plain.push(other),
        }
    }
    // Padding is there as a whole or not at all; a `=` elsewhere is refused by the decoder.
    let padding = plain.len().saturating_sub(plain.trim_end_matches('=').len());
    let is_whole = padding == 0 || (padding < 3 && plain.len().is_multiple_of(4));
    plain.truncate(plain.len().saturating_sub(padding));
    Base64Unpadded::decode_vec(&plain).ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use super::*;
    use crate::json::{self, JsonFault};

    form! {
        #[derive(Debug, PartialEq)]
        closed struct Closed {
            name: String = "theName",
            list: Vec<u8> = "list",
            inner: Option<Open> = "inner",
            number: u32 = "number" or 7,
        }

        #[derive(Debug, PartialEq)]
        open struct Open {
            names: Vec<String> = "names" or Vec::new(),
            level: Level = "level" or Level::Low,
        }

        #[derive(Debug, PartialEq)]
        closed struct Single {
            one: String = "one",
        }

        #[derive(Debug, PartialEq)]
        protobuf struct Protobuf {
            raw_bytes: Option<Base64Octets> = "rawBytes",
            chain: Option<String> = "x509CertificateChain",
        }

        #[derive(Debug, PartialEq)]
        closed struct Double {
            one: Option<Single> = "one",
            two: Option<Level> = "two",
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        Low,
        High,
    }

    impl<'a> Form<'a> for Level {
        fn read(value: Value<'a>) -> Result<Self, String> {
            value.choice(&[("low", Self::Low), ("high", Self::High)])
        }
    }

    /// The same forms, derived.
    mod derived {
        use alloc::{string::String, vec::Vec};

        use super::Level;

        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Closed {
            #[serde(rename = "theName")]
            pub(super) name: String,
            pub(super) list: Vec<u8>,
            pub(super) inner: Option<Open>,
            #[serde(default = "seven")]
            pub(super) number: u32,
        }

        fn seven() -> u32 {
            7
        }

        #[derive(serde::Deserialize)]
        pub(super) struct Open {
            #[serde(default)]
            pub(super) names: Vec<String>,
            #[serde(default = "low")]
            pub(super) level: Level,
        }

        fn low() -> Level {
            Level::Low
        }

        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Single {
            pub(super) one: String,
        }

        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Double {
            pub(super) one: Option<Single>,
            pub(super) two: Option<Level>,
        }
    }

    impl From<derived::Closed> for Closed {
        fn from(other: derived::Closed) -> Self {
            let inner = other.inner.map(|open| Open { names: open.names, level: open.level });
            Self { name: other.name, list: other.list, inner, number: other.number }
        }
    }

    impl From<derived::Double> for Double {
        fn from(other: derived::Double) -> Self {
            Self { one: other.one.map(|single| Single { one: single.one }), two: other.two }
        }
    }

    fn assert_as_derived<T, D>(text: &str)
    where
        T: for<'a> Form<'a> + From<D> + PartialEq + core::fmt::Debug,
        D: serde::de::DeserializeOwned,
    {
        let theirs = serde_json::from_str::<D>(text).map(T::from);
        let theirs = theirs.map_err(|error| JsonFault::Malformed(format!("{error}")));
        assert_eq!(json::decode::<T>(text.as_bytes()), theirs, "{text}");
    }

    #[test]
    fn reads_and_refuses_in_the_words_of_serde() {
        for text in [
            r#"{"theName":"a","list":[]}"#,
            r#"{"theName":"\u0041","list":[0,255],"inner":null,"number":4294967295}"#,
            r#"{"inner":{"other":[{}],"names":["b","c"],"level":"high"},"theName":"","list":[1]}"#,
            r#"{"inner":{},"theName":"","list":[1]}"#,
            "{\n  \"list\": []\n}",
            r#"{"theName":"a"}"#,
            r#"{"theName":"a","list":[256]}"#,
            r#"{"theName":"a","list":[-1 ]}"#,
            r#"{"theName":"a","list":[1.5]}"#,
            r#"{"theName":"a","list":[{}]}"#,
            r#"{"theName":"a","list":["x\""]}"#,
            r#"{"theName":"a","list":{}}"#,
            r#"{"theName":"a","list":null}"#,
            r#"{"theName":null,"list":[]}"#,
            r#"{"theName":5,"list":[]}"#,
            r#"{"theName":[5],"list":[]}"#,
            "{\"theName\":\n true ,\"list\":[]}",
            r#"{"theName":"a","list":[],"name":"b"}"#,
            r#"{"theName":"a","list":[],"number":4294967296}"#,
            r#"{"theName":"a","list":[],"number":-5}"#,
            r#"{"theName":"a","list":[],"number":"5"}"#,
            r#"{"theName":"a","list":[],"number":null}"#,
            r#"{"theName":"a","list":[],"inner":"x"}"#,
            r#"{"theName":"a","list":[],"inner":{"level":"middle"}}"#,
            r#"{"theName":"a","list":[],"inner":{"level":5}}"#,
            r#"{"theName":"a","list":[],"inner":{"names":"x"}}"#,
        ] {
            assert_as_derived::<Closed, derived::Closed>(text);
        }
        for text in [
            "{}",
            r#"{"three":1}"#,
            r#"{"one":{"two":1}}"#,
            r#"{"one":{"one":"x"},"two":"low"}"#,
            r#"{"one":{}}"#,
            r#"{"one":{ }   }"#,
        ] {
            assert_as_derived::<Double, derived::Double>(text);
        }
    }

    #[test]
    fn an_array_is_no_object() {
        // A derived reading would take the elements for the fields in their order.
        let fault = json::decode::<Single>(br#"["x"]"#).unwrap_err();
        assert!(matches!(fault, JsonFault::Malformed(text) if text.contains("sequence")));
    }

    #[test]
    fn fields_of_protobuf_have_two_names() {
        let read = |text: &str| json::decode::<Protobuf>(text.as_bytes());
        let json = read(r#"{"rawBytes":"AA==","x509CertificateChain":"x"}"#).unwrap();
        assert_eq!(json.raw_bytes, Some(Base64Octets(alloc::vec![0])));
        assert_eq!(read(r#"{"raw_bytes":"AA==","x509_certificate_chain":"x"}"#), Ok(json));
        for text in [
            r#"{"rawBytes":"AA==","raw_bytes":"AA=="}"#,
            r#"{"raw_bytes":"AA==","rawBytes":"AA=="}"#,
            r#"{"raw_Bytes":"AA=="}"#,
            r#"{"rawbytes":"AA=="}"#,
            r#"{"raw__bytes":"AA=="}"#,
            r#"{"raw_bytes_":"AA=="}"#,
            r#"{"x509_Certificate_chain":"x"}"#,
        ] {
            assert!(matches!(read(text), Err(JsonFault::Malformed(_))), "{text}");
        }
        // A form of ours has one name for each field.
        assert!(json::decode::<Closed>(br#"{"the_name":"a","list":[]}"#).is_err());
    }

    #[test]
    fn base64_is_read_in_every_spelling_of_protobuf() {
        let bytes = [0xFB, 0xFF, 0xFE, 0x01];
        for text in [
            "+//+AQ==",
            "-__-AQ==",
            "+/_-AQ==",
            "+//+AQ",
            "-__-AQ",
            "+//+\r\nAQ==\n",
            " +//+\tAQ= =",
        ] {
            assert_eq!(octets(text).as_deref(), Some(bytes.as_slice()), "{text}");
        }
        assert_eq!(octets(""), Some(Vec::new()));
        for text in [
            "+//+AQ=",
            "+//+AQ===",
            "+//+A",
            "+//+AR==",
            "=+//+AQ=",
            "+//=+AQ=",
            "+//+\u{B}AQ==",
            "+//+.AQ==",
            "====",
            "=",
            "+//+\u{A0}AQ==",
            "+//+AQ==AA==",
        ] {
            assert_eq!(octets(text), None, "{text}");
        }
    }
}
