//! Words for a person or a log, without the secrets that somebody wrote into an address.
//!
//! A password in an address (`scheme://user:password@host`) and a PIN in a `pkcs11:` URI get into messages by
//! many ways: a file's name that is none, a value of the wrong type, an option in the wrong place. So this is
//! done where words leave a program, and not where each of them is made. It knows what a secret looks like, not
//! what it is: a passphrase that is given as the name of a file is shown as that name.

use std::borrow::Cow;

/// What is shown in place of a secret.
const CONCEALED: &str = "…";

/// The attribute of a `pkcs11:` URI with a PIN (RFC 7512 §2.4); any of its octets may be
/// percent-encoded.
const PIN: &[u8] = b"pin-value";

/// Longer than any address that is one: what a hostile file holds is shown in time that grows with its length.
const LONGEST_WORD: usize = 4096;

/// The text, with `…` for passwords in addresses and for PINs. JSON stays JSON.
pub fn concealed(text: &str) -> Cow<'_, str> {
    let authorities = text.match_indices("://").map(|(at, mark)| at + mark.len());
    let passwords = authorities.filter_map(|at| password_in(text, at));
    let mut secrets: Vec<_> =
        passwords.chain(pins(text).filter_map(|at| pin_in(text, at))).collect();
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

/// Whether the text contains a secret, or a name in an address, which may be a token.
pub fn holds_secret(text: &str) -> bool {
    let mut authorities =
        text.match_indices("://").map(|(at, mark)| word(&text[at + mark.len()..]));
    let is_login = |word: &str| {
        let end = word.find(['/', '?', '#', ',']).unwrap_or(word.len());
        word[..end].contains('@')
    };
    authorities.any(is_login) || matches!(concealed(text), Cow::Owned(_))
}

/// Whether the text contains a PIN, in a URI that will be refused for it.
pub fn holds_pin(text: &str) -> bool {
    pins(text).next().is_some()
}

/// Where PINs begin, however their attribute is written: `pin-value=`, `PIN%2dvalue%3D`.
fn pins(text: &str) -> impl Iterator<Item = usize> {
    let octets = text.as_bytes();
    let plain = text.match_indices('=').map(|(at, _)| (at, at + 1));
    let encoded = text.match_indices("%3").filter_map(|(at, _)| {
        octets
            .get(at + 2)
            .is_some_and(|digit| digit.eq_ignore_ascii_case(&b'd'))
            .then_some((at, at + 3))
    });
    plain.chain(encoded).filter(|(end, _)| names_pin(&octets[..*end])).map(|(_, start)| start)
}

/// Whether the octets end with the attribute's name.
fn names_pin(mut octets: &[u8]) -> bool {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    PIN.iter().rev().all(|wanted| {
        let (rest, found) = match octets {
            [rest @ .., b'%', high, low] if digit(*high).is_some() && digit(*low).is_some() => {
                let value = digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low);
                (rest, value.and_then(|value| u8::try_from(value).ok()))
            }
            [rest @ .., last] => (rest, Some(*last)),
            [] => return false,
        };
        octets = rest;
        found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    })
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
                "pkcs11:token=T?pin%2Dvalue=12&%70in-valu%65%3d34 pin%2dvalue%3D5",
                "pkcs11:token=T?pin%2Dvalue=…&%70in-valu%65%3d… pin%2dvalue%3D…",
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
    fn a_login_is_a_secret_to_another_program() {
        for text in [
            "http://token@h",
            "a,https://u:p@h:1/,b",
            "pkcs11:token=T?pin%2dvalue=1",
            "x://u:p/q@h",
        ] {
            assert!(holds_secret(text), "{text}");
        }
        for text in ["https://github.com/o/r/x.yml@refs/tags/1", "a@example.org", "http://h:80"] {
            assert!(!holds_secret(text), "{text}");
        }
    }

    #[test]
    fn everything_else_is_shown() {
        for text in [
            "https://github.com/o/r/.github/workflows/x.yml@refs/heads/main",
            "https://gitlab.example:8443/group//ci.yml@refs/heads/main",
            "http://[::1]:80/a@b http://user@h http://h:80",
            r#"{"a":"http://h:80","b":"c@d"}"#,
            "%2dvalue=1 pin%2value=2 pin%2d%2dvalue=3 pin-value%3=4",
            "pin-value= is refused; http:// and pkcs11:token=T?pin-source=file:/x",
        ] {
            assert_eq!(concealed(text), text);
        }
    }
}
