//! Configuration: a TOML file, then the environment over it.
//!
//! `COUNTERSIGN_TIMESTAMP_LIMITS__MAX_IN_FLIGHT=8` with the prefix `COUNTERSIGN_TIMESTAMP` sets
//! `max_in_flight` of the table `[limits]`: lower case, two underscores for a step down. A value that
//! reads as a TOML integer, boolean, array, inline table or quoted string is that; anything else is a
//! string. Arrays of tables cannot be reached into by the environment. Relative paths in a value
//! are relative to the working directory: nothing here changes a value.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use countersign_signing::toml_fault;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The largest configuration file that is read: a wrong path must not fill the memory.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why a configuration cannot be used; the message names file, line and key, or the variable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or a key in it is unknown, missing or of the wrong type.
    #[error("{}: line {line}{}: {message}", path.display(), key.as_ref().map(|key| format!(", key `{key}`")).unwrap_or_default())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key of that line, if it has one.
        key: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// A variable of the environment names an unknown key or has a wrong value.
    #[error("environment variable {variable}: {message}")]
    Environment {
        /// The variable.
        variable: String,
        /// What is wrong.
        message: String,
    },
    /// A key is missing and there is no line to point at.
    #[error("{message}")]
    Incomplete {
        /// What is missing.
        message: String,
    },
    /// A value is outside its range or not one of those allowed.
    #[error("key `{key}`: {value} is not allowed; use {expected}")]
    Range {
        /// The dotted key.
        key: String,
        /// The value found.
        value: String,
        /// What to write instead.
        expected: String,
    },
}

impl ConfigError {
    /// Checks an integer against its range.
    ///
    /// # Errors
    /// [`ConfigError::Range`] when `value` is outside `range`.
    pub fn check_range(key: &str, value: u64, range: RangeInclusive<u64>) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        Err(Self::refused(key, value, format!("{}–{}", range.start(), range.end())))
    }

    /// The [`ConfigError::Range`] of `key`, with `value` as the message shows it.
    pub fn refused(key: &str, value: impl Display, expected: impl Into<String>) -> Self {
        Self::Range { key: key.to_owned(), value: value.to_string(), expected: expected.into() }
    }

    /// The same for a value that is text: the message has it in quotation marks.
    pub fn refused_text(key: &str, value: &str, expected: impl Into<String>) -> Self {
        Self::refused(key, format_args!("{value:?}"), expected)
    }
}

/// Reads `path` (when given) and this process's environment over it.
///
/// Refusing unknown keys is the work of `T`: put `#[serde(deny_unknown_fields)]` on every table.
///
/// # Errors
/// The file is unreadable, over 1 MiB or not TOML; a key is unknown, missing or of the wrong type.
pub fn load<T: DeserializeOwned>(
    path: Option<&Path>,
    environment_prefix: &str,
) -> Result<T, ConfigError> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    load_with(path, environment_prefix, variables)
}

/// As [`load`], with the environment given by the caller.
///
/// # Errors
/// As [`load`].
pub fn load_with<T: DeserializeOwned>(
    path: Option<&Path>,
    environment_prefix: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let prefix = format!("{}_", environment_prefix.trim_end_matches('_'));
    let mut variables: Vec<(String, String)> = environment
        .into_iter()
        .filter(|(name, _)| name.len() > prefix.len() && name.starts_with(&prefix))
        .collect();
    variables.sort();

    let text = path.map_or(Ok(String::new()), read_bounded)?;
    let shown = path.unwrap_or(Path::new("configuration"));
    let mut table = DeTable::parse(&text).map_err(|error| in_file(shown, &text, &error))?;
    for (index, (name, value)) in variables.iter().enumerate() {
        // A span past the end of the file: an error there is known to be this variable's.
        let start = text.len() + 1 + index;
        let keys = name[prefix.len()..].to_ascii_lowercase();
        insert(table.get_mut(), &keys, &(start..start), typed(value))
            .map_err(|message| ConfigError::Environment { variable: name.clone(), message })?;
    }

    T::deserialize(toml::de::Deserializer::from(table)).map_err(|error| match error.span() {
        Some(span) if span.start > text.len() => ConfigError::Environment {
            variable: variables
                .get(span.start - text.len() - 1)
                .map(|(name, _)| name.clone())
                .unwrap_or_default(),
            message: toml_fault::message(&error),
        },
        Some(span) if path.is_some() && !is_of_whole_file(&span, &text, error.message()) => {
            in_file(shown, &text, &error)
        }
        _ => {
            let message = format!("{}: {}", shown.display(), toml_fault::message(&error));
            ConfigError::Incomplete { message }
        }
    })
}

/// One value or a list of them, for `#[serde(deserialize_with)]`.
///
/// # Errors
/// It is neither.
pub fn one_or_several<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral<T> {
        One(T),
        Several(Vec<T>),
    }
    Ok(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(one) => vec![one],
        OneOrSeveral::Several(several) => several,
    })
}

/// Whether an error is no line's: a key that is missing from the file is nowhere in it.
fn is_of_whole_file(span: &Range<usize>, text: &str, message: &str) -> bool {
    span.start == 0 && (span.end >= text.len() || message.starts_with("missing field"))
}

fn read_bounded(path: &Path) -> Result<String, ConfigError> {
    use std::io::Read;
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    let read = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(failed(std::io::Error::other("larger than 1 MiB")));
    }
    Ok(text)
}

/// The value as TOML if it clearly is TOML, else as a string. Floats stay strings: `1.3` is
/// more often the start of an object identifier than a number.
fn typed(value: &str) -> DeValue<'_> {
    let looks_like_toml = value.parse::<i64>().is_ok()
        || matches!(value, "true" | "false")
        || value.starts_with(['[', '{', '"', '\'']);
    match looks_like_toml.then(|| DeValue::parse(value)) {
        Some(Ok(parsed)) => parsed.into_inner(),
        _ => DeValue::String(value.into()),
    }
}

/// Puts `value` at the place `keys` (steps parted by `__`), over what the file says.
fn insert<'i>(
    table: &mut DeTable<'i>,
    keys: &str,
    span: &Range<usize>,
    value: DeValue<'i>,
) -> Result<(), String> {
    let key = |name: &str| Spanned::new(span.clone(), DeString::Owned(name.to_owned()));
    match keys.split_once("__") {
        None => {
            // Removed first: an insert over an equal key would keep the old key's span.
            table.remove(keys);
            table.insert(key(keys), spanned(value, span));
            Ok(())
        }
        Some((step, rest)) => {
            if table.get(step).is_none() {
                table.insert(key(step), Spanned::new(span.clone(), DeValue::Table(DeTable::new())));
            }
            match table.get_mut(step).map(Spanned::get_mut) {
                Some(DeValue::Table(inner)) => insert(inner, rest, span, value),
                _ => Err(format!("`{step}` is not a table")),
            }
        }
    }
}

/// The value with `span` on every part of it.
fn spanned<'i>(value: DeValue<'i>, span: &Range<usize>) -> Spanned<DeValue<'i>> {
    let value = match value {
        DeValue::Array(items) => {
            DeValue::Array(items.into_iter().map(|item| spanned(item.into_inner(), span)).collect())
        }
        DeValue::Table(entries) => DeValue::Table(
            entries
                .into_iter()
                .map(|(key, item)| {
                    (Spanned::new(span.clone(), key.into_inner()), spanned(item.into_inner(), span))
                })
                .collect(),
        ),
        scalar => scalar,
    };
    Spanned::new(span.clone(), value)
}

/// An error of the TOML reader, with the line and the key at its place.
fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let key =
        content.split_once('=').map(|(key, _)| key.trim().to_owned()).filter(|key| !key.is_empty());
    ConfigError::File { path: path.to_owned(), line, key, message: toml_fault::message(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        listen: String,
        #[serde(default)]
        accepted: Vec<String>,
        #[serde(default)]
        limits: Inner,
    }

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        count: u32,
    }

    fn parse(file: Option<&str>, environment: &[(&str, &str)]) -> Result<Sample, ConfigError> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("service.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).expect("written");
        }
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load_with(file.map(|_| path.as_path()), "APP", environment)
    }

    #[test]
    fn environment_wins_over_the_file_and_reaches_into_tables() {
        let sample = parse(
            Some("listen = \"a\"\n[limits]\ncount = 1\n"),
            &[
                ("APP_LISTEN", "127.0.0.1:0"),
                ("APP_LIMITS__COUNT", "7"),
                ("APP_ACCEPTED", "[\"1.3\", \"x\"]"),
            ],
        )
        .expect("loads");
        assert_eq!(sample.listen, "127.0.0.1:0");
        assert_eq!(sample.accepted, ["1.3", "x"]);
        assert_eq!(sample.limits.count, 7);
    }

    #[test]
    fn the_environment_alone_is_enough() {
        let sample = parse(None, &[("APP_LISTEN", "1.3"), ("OTHER_LISTEN", "no")]).expect("loads");
        assert_eq!(sample.listen, "1.3");
    }

    #[test]
    fn names_line_and_key_of_an_unknown_key() {
        let error = parse(Some("listen = \"a\"\n\nlisten_adress = 1\n"), &[])
            .expect_err("refused")
            .to_string();
        assert!(error.contains("line 3") && error.contains("key `listen_adress`"), "{error}");
    }

    #[test]
    fn names_line_and_key_of_a_wrong_type() {
        let error = parse(Some("listen = \"a\"\n[limits]\ncount = \"many\"\n"), &[])
            .expect_err("refused")
            .to_string();
        assert!(
            error.contains("line 3")
                && error.contains("`count`")
                && error.contains("string, expected u32"),
            "{error}"
        );
    }

    #[test]
    fn names_the_variable_that_is_wrong() {
        for (name, value) in [
            ("APP_LIMITS__COUNT", "many"),
            ("APP_LIMITS__NONE", "1"),
            ("APP_NONE", "1"),
            ("APP_ACCEPTED", "[1]"),
        ] {
            let error =
                parse(Some("listen = \"a\"\n"), &[(name, value)]).expect_err("refused").to_string();
            assert!(error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn names_the_key_that_is_missing() {
        let files = [
            Some("[limits]\ncount = 1\n"),
            Some("accepted = []\n\n[limits]\ncount = 1\n"),
            Some(""),
            None,
        ];
        for file in files {
            let error = parse(file, &[]).expect_err("refused").to_string();
            assert!(error.contains("listen") && !error.contains("line"), "{error}");
        }
    }

    #[test]
    fn names_the_line_of_a_syntax_error() {
        let error =
            parse(Some("listen = \"a\"\nlimits = = 3\n"), &[]).expect_err("refused").to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_refused_value_is_not_repeated() {
        for (file, environment) in [
            (Some("listen = 4711\n"), &[][..]),
            (Some("listen = 'a'\naccepted = '4711'\n"), &[]),
            (Some("listen = 'a'\nlimits = '4711'\n"), &[]),
            (None, &[("APP__LISTEN", "4711")]),
            (Some("listen = 'a'\n"), &[("APP__LIMITS__COUNT", "a4711")]),
        ] {
            let error = parse(file, environment).expect_err("refused").to_string();
            assert!(!error.contains("4711"), "{error}");
        }
    }
}
