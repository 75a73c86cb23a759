//! What comes out: the outcome on stdout, as text or as one JSON object; talk on stderr.
//!
//! The JSON object has one form for every command and every outcome:
//! `{"command":…,"exit_code":…}` and one of `result` (an object), `results` (a list, for commands
//! that take several files) and `error` (a finding).
//!
//! Whatever it is, passwords in addresses and PINs are not in it.

use std::{
    fmt,
    io::{self, Write},
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use countersign_core::finding::{Class, Finding};
use countersign_signing::concealed::concealed;
use serde::Serialize;

use crate::{
    arguments::{Color, Format},
    failure::Failure,
};

/// What a command has to say when it ran.
#[derive(Debug)]
pub struct Answer {
    /// Words for stdout, with ANSI styles; ends with a line feed or is empty.
    pub text: String,
    /// The same as JSON.
    pub body: Body,
    /// The exit code; 0 when everything is well.
    pub exit_code: u8,
}

/// The part of the JSON object that is the command's own; JSON texts, so that fields keep their
/// order.
#[derive(Debug)]
pub enum Body {
    /// For `result`.
    One(String),
    /// For `results`.
    Several(Vec<String>),
}

impl Answer {
    /// A success with one result.
    ///
    /// # Errors
    /// When `result` has no JSON, which is a mistake of ours.
    pub fn new(text: impl Into<String>, result: &impl Serialize) -> Result<Self, Failure> {
        let body = Body::One(serde_json::to_string(result)?);
        Ok(Self { text: text.into(), body, exit_code: 0 })
    }
}

/// Where and how to print.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Text or JSON.
    pub format: Format,
    /// When colours are used.
    pub color: Color,
    /// Whether talk is left out.
    pub talk: Talk,
}

/// Whether the program says what it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// It does, on stderr.
    Normal,
    /// It does not; errors are printed all the same.
    Quiet,
}

/// Adding formatted words to a text.
pub trait Words {
    /// Adds `words`.
    fn add(&mut self, words: fmt::Arguments<'_>);
}

impl Words for String {
    fn add(&mut self, words: fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = fmt::Write::write_fmt(self, words);
    }
}

/// The styles of the text.
pub mod style {
    use super::{AnsiColor, Style};

    /// Everything is well.
    pub const GOOD: Style = AnsiColor::Green.on_default().bold();
    /// Danger.
    pub const BAD: Style = AnsiColor::Red.on_default().bold();
    /// Not checked, outdated, warnings.
    pub const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
    /// Headings.
    pub const STRONG: Style = Style::new().bold();
    /// What matters last.
    pub const FAINT: Style = Style::new().dimmed();
}

/// `text` in a style.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

impl Output {
    /// The choice for a stream: what was asked for; else anstream finds out whether the stream is a
    /// terminal and what `NO_COLOR` and `CLICOLOR` say.
    pub fn choice(self) -> ColorChoice {
        match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        }
    }

    /// Says something on stderr, unless quiet.
    pub fn say(self, text: &str) {
        if self.talk == Talk::Normal {
            self.complain(text);
        }
    }

    /// Says something on stderr in any case.
    pub fn complain(self, text: &str) {
        let mut stream = AutoStream::new(io::stderr(), self.choice());
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(stream, "{}", concealed(text));
    }

    /// Prints a command's answer; gives the exit code.
    pub fn answer(self, command: &str, answer: &Answer) -> u8 {
        let text = match self.format {
            Format::Text => answer.text.clone(),
            Format::Json => {
                let body = match &answer.body {
                    Body::One(json) => format!("\"result\":{json}"),
                    Body::Several(list) => format!("\"results\":[{}]", list.join(",")),
                };
                object(Some(command), answer.exit_code, &body)
            }
        };
        self.print(&text, answer.exit_code)
    }

    /// Prints a failure, of a command unless it never came to one; gives the exit code.
    pub fn failure(self, command: Option<&str>, failure: &Failure) -> u8 {
        let exit_code = failure.exit_code();
        match self.format {
            Format::Text => {
                self.complain(finding_text("error", failure.finding()).trim_end());
                exit_code
            }
            Format::Json => {
                let finding = serde_json::to_string(failure.finding()).unwrap_or_default();
                let text = object(command, exit_code, &format!("\"error\":{finding}"));
                self.print(&text, exit_code)
            }
        }
    }

    /// Writes to stdout. A reader that went away (`| head`) is no failure; a full disk is.
    fn print(self, text: &str, exit_code: u8) -> u8 {
        let mut stream = AutoStream::new(io::stdout(), self.choice());
        let written = stream.write_all(concealed(text).as_bytes()).and_then(|()| stream.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.complain(&format!("error: cannot write to standard output: {error}"));
                if exit_code == 0 { 3 } else { exit_code }
            }
            _ => exit_code,
        }
    }
}

fn object(command: Option<&str>, exit_code: u8, body: &str) -> String {
    let command = serde_json::Value::from(command);
    format!("{{\"command\":{command},\"exit_code\":{exit_code},{body}}}\n")
}

/// A finding in words: what is wrong, expected and found, what to do, the code.
pub fn finding_text(label: &str, finding: &Finding) -> String {
    let code = finding.code;
    let style = match code.class() {
        Class::Danger => style::BAD,
        Class::Note => style::STRONG,
        Class::Warning | Class::Outdated | Class::SetUp | Class::NotChecked => style::DOUBT,
    };
    let mut text = format!("{}: {}\n", styled(style, label), code.title());
    let facts = [
        ("about", finding.subject.as_deref()),
        ("expected", finding.expected.as_deref()),
        ("found", finding.found.as_deref()),
        ("do", Some(code.remedy())),
        ("code", Some(code.code())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            text.add(format_args!("  {:<10}{value}\n", format!("{name}:")));
        }
    }
    text
}
