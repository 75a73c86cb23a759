//! What is wrong with a TOML text, in words that do not repeat its values.
//!
//! A value that has the wrong type or is in the wrong place may be a secret: a PIN where the
//! name of a file belongs, an address with a password and without its scheme. `toml` quotes the
//! line, and serde the value. Here the line is named by its number, and a value by its type.

/// What introduces a value in serde's words, and what ends it.
const INTRODUCED: [&str; 2] = ["invalid type: ", "invalid value: "];
const ENDED: &str = ", expected ";

/// What is wrong, with the number of the line in `text`.
pub fn words(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    format!("{line}{}", message(error))
}

/// What is wrong, without its place.
pub fn message(error: &toml::de::Error) -> String {
    without_value(error.message())
}

/// `invalid type: string "x", expected a sequence` without the `"x"`.
fn without_value(message: &str) -> String {
    let cut = || {
        let start = INTRODUCED.iter().find(|start| message.starts_with(**start))?;
        let (found, expected) = message[start.len()..].rsplit_once(ENDED)?;
        // The type is in words; then comes the value, in quotes.
        let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
        Some(format!("{start}{kind}{ENDED}{expected}"))
    };
    cut().unwrap_or_else(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Settings {
        path: Option<PathBuf>,
        list: Option<Vec<String>>,
        small: Option<u8>,
        map: Option<BTreeMap<String, String>>,
    }

    fn told(text: &str) -> String {
        words(text, &toml::from_str::<Settings>(text).expect_err(text))
    }

    #[test]
    fn a_refused_value_is_named_by_its_type_alone() {
        for (text, expected) in [
            ("\nlist = 'hunter2'\n", "line 2: invalid type: string, expected a sequence"),
            ("path = 4711\n", "line 1: invalid type: integer, expected path string"),
            (
                "map = ', expected hunter2, expected x'",
                "line 1: invalid type: string, expected a map",
            ),
        ] {
            assert_eq!(told(text), expected);
        }
        for text in
            ["small = 4711\n", "path = 'hunter2", "path = hunter2\n", "list = {a='hunter2'}\n"]
        {
            let told = told(text);
            assert!(told.starts_with("line 1: "), "{told}");
            assert!(!told.contains("hunter2") && !told.contains("4711"), "{told}");
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        assert!(told("pth = 'hunter2'\n").contains("pth"), "a misspelling is found by it");
    }
}
