//! Every finding there is, in one append-only table: code, class, exit code, clause, title, remedy.
//!
//! The command line, the JSON report, `countersign explain`, the page and the reference page in
//! `docs/findings.md` all speak from this table. A code is never reused and never renamed. Order
//! is rank: where several things are wrong, the one that stands first within the gravest class is
//! the one the report leads with.
//!
//! The rows are in `table.rs`; here is what can be asked of a row, and a finding with its facts.

mod table;

pub use table::FindingCode;

use alloc::string::String;

use serde::Serialize;

/// What a finding means for the person who reads it; the four are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Worth knowing; changes nothing.
    Note,
    /// Worth acting on; still verified.
    Warning,
    /// Genuine, but old.
    Outdated,
    /// The check was not set up rightly; says nothing about the file.
    SetUp,
    /// It could not be checked; not a pass.
    NotChecked,
    /// Do not trust the file.
    Danger,
}

/// One row of the table.
#[derive(Debug)]
struct Row {
    class: Class,
    exit_code: u8,
    /// Code, clause, title and remedy, a line each: the addresses of four texts, row for row, were
    /// the part of the WebAssembly module that nothing compresses.
    texts: &'static str,
}

impl FindingCode {
    /// The dotted code: `timestamp.imprint.mismatch`.
    pub fn code(self) -> &'static str {
        self.text(0)
    }

    /// What it means for the reader.
    pub fn class(self) -> Class {
        self.row().class
    }

    /// The exit code of the command line when this finding decides.
    pub fn exit_code(self) -> u8 {
        self.row().exit_code
    }

    /// The clause of the specification, or of our documents, that it rests on.
    pub fn clause(self) -> &'static str {
        self.text(1)
    }

    /// What was found, in a sentence.
    pub fn title(self) -> &'static str {
        self.text(2)
    }

    /// The one thing to do.
    pub fn remedy(self) -> &'static str {
        self.text(3)
    }

    fn text(self, line: usize) -> &'static str {
        self.row().texts.split('\n').nth(line).unwrap_or_default()
    }

    /// The finding with that dotted code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|each| each.code() == code)
    }

    /// Graver first, then by place in the table; the least is what a report leads with.
    pub fn rank(self) -> (core::cmp::Reverse<Class>, Self) {
        (core::cmp::Reverse(self.class()), self)
    }
}

impl Serialize for FindingCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl core::fmt::Display for FindingCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.code())
    }
}

/// One thing that was found, with its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub code: FindingCode,
    /// What it is about: a certificate's subject, a file name, a place in the input.
    pub subject: Option<String>,
    /// What should have been.
    pub expected: Option<String>,
    /// What was.
    pub found: Option<String>,
}

impl Finding {
    /// A finding without facts.
    pub fn new(code: FindingCode) -> Self {
        Self { code, subject: None, expected: None, found: None }
    }

    /// What it is about.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(quoted(subject.into()));
        self
    }

    /// What should have been.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(quoted(expected.into()));
        self
    }

    /// What was.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(quoted(found.into()));
        self
    }
}

impl From<FindingCode> for Finding {
    fn from(code: FindingCode) -> Self {
        Self::new(code)
    }
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Finding", 9)?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("class", &self.code.class())?;
        object.serialize_field("exit_code", &self.code.exit_code())?;
        object.serialize_field("title", self.code.title())?;
        object.serialize_field("subject", &self.subject)?;
        object.serialize_field("expected", &self.expected)?;
        object.serialize_field("found", &self.found)?;
        object.serialize_field("clause", self.code.clause())?;
        object.serialize_field("remedy", self.code.remedy())?;
        object.end()
    }
}

/// Text from somebody else, cut to [`QUOTED_CHARACTERS`](crate::limits::QUOTED_CHARACTERS) and
/// with control and bidirectional-override characters made visible, so that no terminal or page
/// is steered by it.
pub fn quoted(text: String) -> String {
    let limit = crate::limits::QUOTED_CHARACTERS;
    let harmless = |character: char| !is_steering(character);
    if text.chars().all(harmless) && text.chars().nth(limit).is_none() {
        return text;
    }
    let mut shown = String::new();
    for character in text.chars().take(limit) {
        if harmless(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, string::ToString};

    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = BTreeSet::new();
        for code in FindingCode::ALL {
            let text = code.code();
            assert!(seen.insert(text), "{text} stands twice");
            assert!(text.contains('.'), "{text}");
            assert!(
                text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'-')),
                "{text}"
            );
            assert!(code.title().ends_with('.') && code.remedy().ends_with('.'), "{text}");
            assert!(!code.clause().is_empty(), "{text}");
            assert_eq!(FindingCode::parse(text), Some(*code));
        }
    }

    #[test]
    fn only_notes_and_warnings_exit_with_zero() {
        for code in FindingCode::ALL {
            let passes = matches!(code.class(), Class::Note | Class::Warning);
            assert_eq!(passes, code.exit_code() == 0, "{code}");
        }
    }

    #[test]
    fn danger_outranks_not_checked() {
        assert!(FindingCode::SignatureMismatch.rank() < FindingCode::BundleMalformed.rank());
        assert!(FindingCode::ContentMismatch.rank() < FindingCode::SignatureMismatch.rank());
    }

    #[test]
    fn hostile_text_is_made_visible_and_short() {
        assert_eq!(quoted("a\u{202E}b\n".to_string()), "a\\u{202e}b\\u{a}");
        assert_eq!(quoted("x".repeat(100_000)).chars().count(), 201);
        assert_eq!(quoted("Zoë <zoe@example.com>".to_string()), "Zoë <zoe@example.com>");
    }
}
