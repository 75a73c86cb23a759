//! Words for a person or a log, without the secrets that somebody wrote into an address.
//!
//! A password in an address (`scheme://user:password@host`) and a PIN in a `pkcs11:` URI get into messages by
//! many ways: a file's name that is none, a value of the wrong type, an option in the wrong place. So this is
//! done where words leave a program, and not where each of them is made. It knows what a secret looks like, not
//! what it is: a passphrase that is given as the name of a file is shown as that name.

use std::borrow::Cow;

/// What stands for a secret.
const CONCEALED: &str = "…";

/// The attribute of a `pkcs11:` URI with a PIN (RFC 7512 §2.4).
const PIN: &str = "pin-value=";

/// Longer than any address that is one: what a hostile file holds is shown in time that grows with its length.
const LONGEST_WORD: usize = 4096;

/// The text, with `…` for passwords in addresses and for PINs. JSON stays JSON.
pub fn concealed(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    let behind = |mark: &'static str| lower.match_indices(mark).map(move |(at, _)| at + mark.len());
    let passwords = behind("://").filter_map(|at| password_in(text, at));
    let mut secrets: Vec<_> =
        passwords.chain(behind(PIN).filter_map(|at| pin_in(text, at))).collect();
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_unstable();
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in secrets {
        // One within another is gone already.
        if start >= done {
            shown.push_str(&text[done..start]);
            shown.push_str(CONCEALED);
        }
        done = done.max(end);
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

/// The PIN that begins there.
fn pin_in(text: &str, start: usize) -> Option<(usize, usize)> {
    let word = word(&text[start..]);
    let pin = &word[..word.find(['&', ';']).unwrap_or(word.len())];
    (!pin.is_empty() && pin != CONCEALED).then_some((start, start + pin.len()))
}

/// The password of an address whose authority begins there (RFC 3986 §3.2.1).
fn password_in(text: &str, authority: usize) -> Option<(usize, usize)> {
    let word = word(&text[authority..]);
    let colon = word.find(':')?;
    let path = word.find(['/', '?', '#']).unwrap_or(word.len());
    let own = word[..path].rfind('@');
    // A password with a slash that was not percent-encoded. Behind the colon of a host is a number, and in
    // brackets an IPv6 address.
    let is_port =
        || word[colon + 1..path.max(colon + 1)].bytes().all(|octet| octet.is_ascii_digit());
    let at = own.or_else(|| {
        let is_host = colon > path || word.starts_with('[') || is_port();
        if is_host { None } else { word.rfind('@') }
    })?;
    let is_secret = colon < at && colon + 1 < at && &word[colon + 1..at] != CONCEALED;
    is_secret.then_some((authority + colon + 1, authority + at))
}

/// Up to a blank, or the end of a string of JSON.
fn word(text: &str) -> &str {
    let mut is_escaped = false;
    let end = text.char_indices().find(|(at, character)| {
        let ends = character.is_whitespace() || (*character == '"' && !is_escaped);
        is_escaped = *character == '\\' && !is_escaped;
        ends || *at >= LONGEST_WORD
    });
    end.map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_pins_are_not_shown() {
        for (text, shown) in [
            ("found 'http://a:se@cret@h/x' for", "found 'http://a:…@h/x' for"),
            ("https://a:p/w?d@h:1 and postgres://:x@/d", "https://a:…@h:1 and postgres://:…@/d"),
            (r#"{"a":"http://u:p\"q@h","b":"c@d"}"#, r#"{"a":"http://u:…@h","b":"c@d"}"#),
            (
                "pkcs11:token=T?PIN-VALUE=12&x=http://u:p@h",
                "pkcs11:token=T?PIN-VALUE=…&x=http://u:…@h",
            ),
            (
                "\u{1b}[33mroot=pkcs11:a;pin-value=9;object=k",
                "\u{1b}[33mroot=pkcs11:a;pin-value=…;object=k",
            ),
        ] {
            assert_eq!(concealed(text), shown);
            assert_eq!(concealed(shown), shown, "once is enough");
        }
    }

    #[test]
    fn everything_else_is_shown() {
        for text in [
            "https://github.com/o/r/.github/workflows/x.yml@refs/heads/main",
            "https://gitlab.example:8443/group//ci.yml@refs/heads/main",
            "http://[::1]:80/a@b http://user@h http://h:80",
            r#"{"a":"http://h:80","b":"c@d"}"#,
            "pin-value= is refused; http:// and pkcs11:token=T?pin-source=file:/x",
        ] {
            assert_eq!(concealed(text), text);
        }
    }
}
