//! Every finding that a check can have, in a table for each area: code, rank, class, exit code, question,
//! clause, title, remedy.
//!
//! The command line, the JSON report, `countersign explain`, the page and the reference page in
//! `docs/findings.md` all read these tables; what only programs can find has a table of its own
//! (`cli/src/codes.rs`) with the same rows. A code is never reused and never renamed.

use alloc::{string::String, vec::Vec};
use core::{cmp::Reverse, fmt};

use serde::Serialize;

use crate::report::Question;

/// A row of a table as a [`FindingCode`]: the one place that knows how a row holds its texts.
#[macro_export]
macro_rules! finding_row {
    ($rank:literal, $code:literal, $class:ident, $exit:literal, $question:ident,
        $clause:literal, $title:literal, $remedy:literal) => {
        $crate::finding::FindingCode::of(&$crate::finding::Row {
            rank: $rank,
            class: $crate::finding::Class::$class,
            exit_code: $exit,
            question: $crate::report::Question::$question,
            texts: concat!($code, "\n", $clause, "\n", $title, "\n", $remedy),
        })
    };
}

/// Makes the rows of one area constants of [`FindingCode`], and a list of them.
macro_rules! findings {
    ($($name:ident = $rank:literal, $code:literal, $class:ident, $exit:literal, $question:ident,
        $clause:literal, $title:literal, $remedy:literal;)*) => {
        impl FindingCode {
            $(#[doc = $title]
            pub const $name: Self = $crate::finding_row!(
                $rank, $code, $class, $exit, $question, $clause, $title, $remedy
            );)*
        }

        /// The rows of this area.
        pub(super) const ROWS: &[FindingCode] = &[$(FindingCode::$name),*];
    };
}

mod bundle;
mod certificate;
mod content;
mod provenance;
mod revocation;
mod setup;
mod signature;
mod timestamp;
mod transparency;

/// The tables of this crate.
const AREAS: [&[FindingCode]; 9] = [
    setup::ROWS,
    content::ROWS,
    signature::ROWS,
    certificate::ROWS,
    timestamp::ROWS,
    revocation::ROWS,
    bundle::ROWS,
    transparency::ROWS,
    provenance::ROWS,
];

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
    /// The check is misconfigured; says nothing about the file.
    SetUp,
    /// It could not be checked; not a pass.
    NotChecked,
    /// Do not trust the file.
    Danger,
}

/// One row of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place among the rows of its class: a report leads with the least of the gravest class. Unique
    /// in all tables.
    pub rank: u16,
    /// What it means for the reader.
    pub class: Class,
    /// The exit code of the command line if this finding decides.
    pub exit_code: u8,
    /// The question that it answers.
    pub question: Question,
    /// Code, clause, title and remedy, a line each: the addresses of four texts, row for row, were
    /// the part of the WebAssembly module that nothing compresses.
    pub texts: &'static str,
}

/// What was found: a row of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FindingCode(&'static Row);

impl FindingCode {
    /// The finding of a row.
    pub const fn of(row: &'static Row) -> Self {
        Self(row)
    }

    /// Every finding that this crate can make, in order of rank.
    pub fn all() -> Vec<Self> {
        let mut all = AREAS.concat();
        all.sort_unstable();
        all
    }

    /// The dotted code: `timestamp.imprint.mismatch`.
    pub fn code(self) -> &'static str {
        self.text(0)
    }

    /// What it means for the reader.
    pub fn class(self) -> Class {
        self.0.class
    }

    /// The exit code of the command line when this finding decides.
    pub fn exit_code(self) -> u8 {
        self.0.exit_code
    }

    /// The question that it answers.
    pub fn question(self) -> Question {
        self.0.question
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
        self.0.texts.split('\n').nth(line).unwrap_or_default()
    }

    /// The finding of this crate with that dotted code.
    pub fn parse(code: &str) -> Option<Self> {
        AREAS.into_iter().flatten().copied().find(|each| each.code() == code)
    }

    /// Graver first, then by the column `rank`; the least is what a report leads with.
    pub fn rank(self) -> (Reverse<Class>, Self) {
        (Reverse(self.class()), self)
    }
}

impl Ord for FindingCode {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.0.rank.cmp(&other.0.rank)
    }
}

impl PartialOrd for FindingCode {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    let is_long = text.chars().nth(limit).is_some();
    if !is_long && !text.chars().any(is_steering) {
        return text;
    }
    let mut shown = made_visible(text.chars().take(limit));
    if is_long {
        shown.push('…');
    }
    shown
}

/// Text from somebody else, with control and bidirectional-override characters made visible; line feeds too.
pub fn made_visible(text: impl IntoIterator<Item = char>) -> String {
    let mut shown = String::new();
    for character in text {
        if is_steering(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
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
        for code in FindingCode::all() {
            let text = code.code();
            assert!(seen.insert(text), "{text} is repeated");
            assert!(text.contains('.'), "{text}");
            assert!(
                text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'-')),
                "{text}"
            );
            assert!(code.title().ends_with('.') && code.remedy().ends_with('.'), "{text}");
            assert!(!code.clause().is_empty(), "{text}");
            assert_eq!(FindingCode::parse(text), Some(code));
        }
    }

    #[test]
    fn ranks_are_unique() {
        let all = FindingCode::all();
        for pair in all.windows(2) {
            assert!(matches!(pair, [one, other] if one < other), "{pair:?}");
        }
    }

    #[test]
    fn only_notes_and_warnings_exit_with_zero() {
        for code in FindingCode::all() {
            let passes = matches!(code.class(), Class::Note | Class::Warning);
            assert_eq!(passes, code.exit_code() == 0, "{code}");
        }
    }

    #[test]
    fn danger_outranks_not_checked() {
        assert!(FindingCode::SIGNATURE_MISMATCH.rank() < FindingCode::BUNDLE_MALFORMED.rank());
        assert!(FindingCode::CONTENT_MISMATCH.rank() < FindingCode::SIGNATURE_MISMATCH.rank());
    }

    #[test]
    fn hostile_text_is_made_visible_and_short() {
        assert_eq!(quoted("a\u{202E}b\n".to_string()), "a\\u{202e}b\\u{a}");
        assert_eq!(quoted("x".repeat(100_000)).chars().count(), 201);
        assert_eq!(made_visible("\u{1b}".repeat(300).chars()).len(), 6 * 300);
        assert_eq!(quoted("Zoë <zoe@example.com>".to_string()), "Zoë <zoe@example.com>");
    }
}
