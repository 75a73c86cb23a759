//! Anchored patterns of the policy: always the whole text, never a part of it.
//!
//! `*` stands for any run of characters that stays within one part of the name; `**` for any run.
//! Everything else stands for itself. There are no regular expressions: unanchored ones have let
//! strangers' identities pass elsewhere.

use alloc::{string::String, vec, vec::Vec};

/// What a pattern is about, which decides where its `*` stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file name: `*` stops at `/`.
    FileName,
    /// An e-mail address or URI: `*` stops at `/` and `@`.
    Identity,
}

/// What a pattern of a name can match, by how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// E-mail addresses: it has an `@`, and no `:` before it.
    Email,
    /// URIs: it has a scheme.
    Uri,
    /// Text that is neither.
    Other,
}

/// A pattern that matches whole texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    kind: Kind,
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Exactly(char),
    RunInPart,
    Run,
}

impl Pattern {
    /// A pattern from its text.
    pub fn new(text: &str, kind: Kind) -> Self {
        let mut tokens: Vec<Token> = Vec::new();
        for character in text.chars() {
            match (character, tokens.last_mut()) {
                ('*', Some(last @ Token::RunInPart)) => *last = Token::Run,
                ('*', Some(Token::Run)) => {}
                ('*', _) => tokens.push(Token::RunInPart),
                _ => tokens.push(Token::Exactly(character)),
            }
        }
        Self { text: String::from(text), kind, tokens }
    }

    /// The text it was made from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says whose names it matches: it has no star, or its host (of a URI) or domain (of
    /// an e-mail address) has none. Anything wider would let strangers in.
    pub fn names_a_host(&self) -> bool {
        if self.tokens.iter().all(|token| matches!(token, Token::Exactly(_))) {
            return !self.tokens.is_empty();
        }
        let is_whole = |part: &str| !part.is_empty() && !part.contains('*');
        match scheme_and_rest(&self.text) {
            Some((scheme, rest)) => {
                is_whole(scheme) && is_whole(rest.split('/').next().unwrap_or_default())
            }
            None => self
                .text
                .rsplit_once('@')
                .is_some_and(|(local, domain)| is_whole(domain) && !local.contains(':')),
        }
    }

    /// Names of which kind it matches. A URI may end in what looks like somebody's e-mail address
    /// (`https://git.example/…@refs/heads/x@example.com`), so no pattern matches both.
    pub fn form(&self) -> Form {
        let local = self.text.split_once('@').map(|(local, _)| local);
        match local {
            Some(local) if !local.contains(':') => Form::Email,
            _ if self.text.contains(':') => Form::Uri,
            _ => Form::Other,
        }
    }

    /// Whether a `**` comes before an `@`, which it would match too: then what follows the `@` can
    /// be chosen by whoever chooses the rest of the name.
    pub fn runs_across_at(&self) -> bool {
        let run = self.tokens.iter().position(|token| *token == Token::Run);
        run.and_then(|run| self.tokens.get(run..))
            .is_some_and(|rest| rest.contains(&Token::Exactly('@')))
    }

    /// Whether the whole of `text` matches. Takes time proportional to both lengths' product.
    pub fn matches(&self, text: &str) -> bool {
        // reached[i]: the text so far can be matched by the first i tokens.
        let mut reached = vec![false; self.tokens.len().saturating_add(1)];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        self.skip_runs(&mut reached);
        for character in text.chars() {
            let mut next = vec![false; reached.len()];
            for (index, token) in self.tokens.iter().enumerate() {
                if reached.get(index) != Some(&true) {
                    continue;
                }
                let (target, fits) = match token {
                    Token::Exactly(wanted) => (index.saturating_add(1), *wanted == character),
                    Token::RunInPart => (index, !self.is_separator(character)),
                    Token::Run => (index, true),
                };
                if let Some(slot) = next.get_mut(target).filter(|_| fits) {
                    *slot = true;
                }
            }
            self.skip_runs(&mut next);
            reached = next;
        }
        reached.last() == Some(&true)
    }

    /// A run may be empty: whatever reaches it reaches what follows it.
    fn skip_runs(&self, reached: &mut [bool]) {
        for (index, token) in self.tokens.iter().enumerate() {
            let is_run = !matches!(token, Token::Exactly(_));
            if is_run
                && reached.get(index) == Some(&true)
                && let Some(slot) = reached.get_mut(index.saturating_add(1))
            {
                *slot = true;
            }
        }
    }

    /// What to write in its place, if it looks like a regular expression: `\.`, `.*`, `^`, `$`,
    /// `(a|b)`, `[a-z]`. Such a pattern matches nothing that was meant. Only for people who write
    /// patterns: a file's name may really hold these characters.
    pub fn in_place_of_regular_expression(&self) -> Option<String> {
        let text = self.text.as_str();
        let is_regular = text.starts_with('^')
            || text.ends_with('$')
            || text.contains('\\')
            || text.contains(".+")
            || has_dot_star(text)
            || has_in_order(text, ['(', '|', ')'])
            || has_in_order(text, ['[', '-', ']']);
        if !is_regular {
            return None;
        }
        let text = text.trim_start_matches('^').trim_end_matches('$');
        let text = text.replace("\\.", "\u{0}").replace(".*", "*").replace(".+", "*");
        let text = text.replace('\u{0}', ".");
        let is_plain = !text.contains(['\\', '(', '[', '|']) && !text.is_empty();
        Some(if is_plain { text } else { String::from("a pattern for each name that is meant") })
    }

    fn is_separator(&self, character: char) -> bool {
        match self.kind {
            Kind::FileName => character == '/',
            Kind::Identity => matches!(character, '/' | '@'),
        }
    }
}

/// Whether `.*` is in a place where it is no pattern for a name's ending: `app.*` and `v1.*` are patterns.
fn has_dot_star(text: &str) -> bool {
    let before = |at: usize| text.get(..at).and_then(|before| before.chars().next_back());
    let is_ending = |last: char| last.is_alphanumeric() || last == '*';
    text.match_indices(".*").any(|(at, _)| !before(at).is_some_and(is_ending))
}

fn has_in_order(text: &str, wanted: [char; 3]) -> bool {
    let mut wanted = wanted.into_iter().peekable();
    for character in text.chars() {
        wanted.next_if_eq(&character);
    }
    wanted.peek().is_none()
}

/// The text before and after the first `://`. The standard library's search for a text in a text
/// is made for long ones, and weighs 1 KB in the WebAssembly module.
pub(crate) fn scheme_and_rest(uri: &str) -> Option<(&str, &str)> {
    uri.match_indices(':').find_map(|(at, _)| {
        let (scheme, rest) = uri.split_at_checked(at)?;
        Some((scheme, rest.strip_prefix("://")?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern, Kind::Identity).matches(text)
    }

    #[test]
    fn matches_the_whole_text_only() {
        assert!(identity("release@example.com", "release@example.com"));
        assert!(!identity("release@example.com", "release@example.com.evil.example"));
        assert!(!identity("release@example.com", "pre-release@example.com"));
        assert!(!identity("release@exampleXcom", "release@example.com"));
        assert!(!identity("", "a"));
    }

    #[test]
    fn tells_regular_expressions_from_patterns() {
        for (text, instead) in [
            (r"release@example\.com", "release@example.com"),
            (".*@example.com", "*@example.com"),
            ("^release@example.com$", "release@example.com"),
            (r"app-.*\.tar\.gz", "app-*.tar.gz"),
            (r"https://github\.com/example/.+", "https://github.com/example/*"),
            ("(alice|bob)@example.com", "a pattern for each name that is meant"),
            ("app-[a-z].zip", "a pattern for each name that is meant"),
            (r"app-\d", "a pattern for each name that is meant"),
        ] {
            let pattern = Pattern::new(text, Kind::Identity);
            let found = pattern.in_place_of_regular_expression();
            assert_eq!(found.as_deref(), Some(instead), "{text}");
        }
        for text in [
            "**",
            "*.zip",
            "app.*",
            "refs/tags/v1.*",
            "a*.*",
            "app (1).zip",
            "c++-[1].zip",
            "a$b",
            "release@example.com",
            "https://example.com/**",
        ] {
            let pattern = Pattern::new(text, Kind::FileName);
            assert_eq!(pattern.in_place_of_regular_expression(), None, "{text}");
        }
    }

    #[test]
    fn a_star_stays_within_its_part() {
        assert!(identity("*@example.com", "zoë@example.com"));
        assert!(!identity("*@example.com", "a@evil.example@example.com"));
        let workflow = "https://git.example/org/*/.github/workflows/release.yml@refs/tags/*";
        assert!(identity(
            workflow,
            "https://git.example/org/app/.github/workflows/release.yml@refs/tags/v1"
        ));
        assert!(!identity(
            workflow,
            "https://git.example/org/a/b/.github/workflows/release.yml@refs/tags/v1"
        ));
        assert!(identity("https://git.example/**", "https://git.example/a/b@c"));
        assert!(Pattern::new("*.tgz", Kind::FileName).matches("pkg@1.0.tgz"));
        assert!(!Pattern::new("*.tgz", Kind::FileName).matches("dir/pkg.tgz"));
    }

    #[test]
    fn a_pattern_is_for_names_of_one_kind() {
        let form = |text| Pattern::new(text, Kind::Identity).form();
        for text in ["release@example.com", "*@example.com", "**@example.com", "a/b@example.com"] {
            assert_eq!(form(text), Form::Email, "{text}");
        }
        for text in [
            "https://git.example/**",
            "https://git.example/org/app@refs/tags/*",
            "spiffe://example.com/signer",
            "urn:example:a@b",
            "mailto:a@example.com",
        ] {
            assert_eq!(form(text), Form::Uri, "{text}");
        }
        assert_eq!(form("release"), Form::Other);
    }

    #[test]
    fn knows_runs_that_cross_an_at_sign() {
        let crosses = |text| Pattern::new(text, Kind::Identity).runs_across_at();
        for text in ["**@example.com", "a**b@example.com", "https://a/**@refs/heads/main", "***@b"]
        {
            assert!(crosses(text), "{text}");
        }
        for text in ["*@example.com", "https://a/*@refs/heads/**", "https://a/**", "a@b", "@**"] {
            assert!(!crosses(text), "{text}");
        }
    }

    #[test]
    fn hostile_patterns_take_no_exponential_time() {
        let pattern = "*a".repeat(100);
        assert!(!identity(&pattern, &"a".repeat(5_000).replace("aaaaa", "aaab")));
    }

    #[test]
    fn knows_patterns_that_let_strangers_in() {
        let named = |text| Pattern::new(text, Kind::Identity).names_a_host();
        for text in ["a@b", "*@example.com", "https://git.example/**", "https://a/*@refs/*", "x"] {
            assert!(named(text), "{text}");
        }
        for text in ["", "*", "**", "*@*", "**@**", "*@*.*", "**e**", "https://**", "*://a/b", "a*"]
        {
            assert!(!named(text), "{text}");
        }
    }
}
