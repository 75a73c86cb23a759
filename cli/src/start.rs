//! From the arguments to the exit code: grammar, panics, printing.

use std::{
    env,
    ffi::OsString,
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

use clap::{
    Parser, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use countersign_core::finding::{Finding, made_visible};
use countersign_signing::{concealed::holds_pin, key::TokenUriError};

use crate::{
    arguments::{Arguments, Color, Command, Format},
    codes, commands,
    failure::Failure,
    interrupt,
    output::{Output, Talk, Words},
    session::Session,
};

/// Runs the program; `arguments` begin with its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    countersign_signing::dumps::refuse();
    interrupt::listen();
    let early = early_output(&arguments);
    if let Some(failure) = refused_for_a_pin(&arguments) {
        return ExitCode::from(early.failure(None, &failure));
    }
    ExitCode::from(guarded(early, || run_caught(&arguments, early)))
}

/// A PIN in an argument is refused before anything repeats the argument in a message.
fn refused_for_a_pin(arguments: &[OsString]) -> Option<Failure> {
    let holds_pin = |argument: &OsString| {
        let text = argument.to_string_lossy();
        text.to_ascii_lowercase().contains("pkcs11:") && holds_pin(&text)
    };
    arguments.iter().any(holds_pin).then(|| Failure::usage(TokenUriError::PinValue.to_string()))
}

/// Runs `work`; a panic in it becomes a finding like any other.
fn guarded(early: Output, work: impl FnOnce() -> u8) -> u8 {
    remember_panics();
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let found = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        let failure = Failure::internal(found.unwrap_or_else(|| "a panic".to_owned()));
        early.failure(None, &failure)
    })
}

fn run_caught(arguments: &[OsString], early: Output) -> u8 {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(error, early),
    };
    let command = commands::name(&parsed.command);
    let output = match output_of(&parsed) {
        Ok(output) => output,
        Err(failure) => return early.failure(Some(command), &failure),
    };
    let answer = Session::start(&parsed.global, output)
        .and_then(|session| commands::run(&parsed.command, &session));
    match answer {
        Ok(answer) => output.answer(command, &answer),
        Err(failure) => output.failure(Some(command), &failure),
    }
}

/// Clap's word on arguments that are not in the grammar, or its help.
fn refuse(error: clap::Error, output: Output) -> u8 {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_help {
        // Like everything on stdout: a reader that went away is no failure.
        let _ = error.print();
        return 0;
    }
    let (error, steers) = harmless(error);
    let error = &error;
    let rendered = without_logins(error, error.render().to_string());
    let plain = lines_made_visible(&rendered);
    let first: Vec<_> = plain.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let first = first.join(" ");
    let first = first.strip_prefix("error: ").unwrap_or(&first);
    let failure = Failure::usage(first);
    if output.format == Format::Json {
        return output.failure(None, &failure);
    }
    // The words of a parser of ours repeat values too.
    let mut text = if plain == rendered && !steers {
        without_logins(error, error.render().ansi().to_string())
    } else {
        plain
    };
    text.add(format_args!("code: {}", codes::USAGE_INVALID));
    output.complain(&text);
    failure.exit_code()
}

/// The same error, with nothing in what was typed that steers a terminal. A line feed does, too: it begins a
/// line that seems to be ours. And whether there was anything.
fn harmless(mut error: clap::Error) -> (clap::Error, bool) {
    let mut steers = false;
    let mut visible = |text: &String| {
        let shown = made_visible(text.chars());
        steers |= shown != *text;
        shown
    };
    let typed: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(visible(text)))),
            ContextValue::Strings(texts) => {
                Some((kind, ContextValue::Strings(texts.iter().map(&mut visible).collect())))
            }
            _ => None,
        })
        .collect();
    for (kind, value) in typed {
        error.insert(kind, value);
    }
    if steers {
        // Clap's hints repeat what was typed, in words that nobody else can take apart.
        error.remove(ContextKind::Suggested);
    }
    (error, steers)
}

/// The same lines, with nothing in them that steers a terminal.
fn lines_made_visible(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| made_visible(line.chars())).collect();
    lines.join("\n")
}

/// Clap's words without the name and password in an address that lacks its scheme: that is what an
/// address is refused for, and what `concealed` cannot tell from other words.
fn without_logins(error: &clap::Error, words: String) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    };
    let (value, argument) = (context(ContextKind::InvalidValue), context(ContextKind::InvalidArg));
    let is_address = value.is_some() && argument.is_some_and(|name| name.ends_with("<URL>"));
    value.into_iter().chain(argument).fold(words, |words, text| match text.rsplit_once('@') {
        // A name alone may be a token.
        Some((login, rest)) if (is_address || login.contains(':')) && !text.contains("://") => {
            words.replace(text, &format!("…@{rest}"))
        }
        _ => words,
    })
}

/// How to print, from flags and environment.
fn output_of(arguments: &Arguments) -> Result<Output, Failure> {
    let global = &arguments.global;
    let wants_json = matches!(&arguments.command, Command::Version(version) if version.json);
    let typed = if wants_json { Some(Format::Json) } else { global.format };
    let format = from_environment(typed, "COUNTERSIGN_FORMAT")?;
    let color = from_environment(global.color, "COUNTERSIGN_COLOR")?;
    let talk = if global.quiet { Talk::Quiet } else { Talk::Normal };
    Ok(Output { format, color, talk })
}

fn from_environment<T: ValueEnum + Default>(typed: Option<T>, name: &str) -> Result<T, Failure> {
    if let Some(typed) = typed {
        return Ok(typed);
    }
    let Some(text) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(T::default());
    };
    T::from_str(&text.to_string_lossy(), true).map_err(|_| {
        let names: Vec<_> = T::value_variants()
            .iter()
            .filter_map(|each| each.to_possible_value().map(|value| value.get_name().to_owned()))
            .collect();
        let finding = Finding::new(codes::USAGE_INVALID).about(name);
        finding.expected(names.join(", ")).found(text.to_string_lossy()).into()
    })
}

/// How to print before the arguments are understood, or if they never are: what can be seen of
/// `--format` and `--color` at a glance.
fn early_output(arguments: &[OsString]) -> Output {
    let texts: Vec<_> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let value = |flag: &str| {
        let with_equals = texts.iter().find_map(|text| text.strip_prefix(flag)?.strip_prefix('='));
        let place = texts.iter().position(|text| *text == flag);
        with_equals.or_else(|| texts.get(place? + 1).copied())
    };
    let format = value("--format").and_then(|text| Format::from_str(text, true).ok());
    let color = value("--color").and_then(|text| Color::from_str(text, true).ok());
    Output {
        format: format
            .unwrap_or_else(|| from_environment(None, "COUNTERSIGN_FORMAT").unwrap_or_default()),
        color: color
            .unwrap_or_else(|| from_environment(None, "COUNTERSIGN_COLOR").unwrap_or_default()),
        talk: Talk::Normal,
    }
}

/// The message of the last panic.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Instead of a panic's own words on stderr, a finding is printed when it arrives.
fn remember_panics() {
    panic::set_hook(Box::new(|info| {
        let mut last = PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(info.to_string().replace('\n', " "));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_as_a_finding_of_ours() {
        let output = Output { format: Format::Json, color: Color::Never, talk: Talk::Quiet };
        assert_eq!(guarded(output, || 7), 7);
        assert_eq!(guarded(output, || panic!("a bug")), 70);
    }

    #[test]
    fn sees_the_form_before_the_grammar_does() {
        let early = |texts: &[&str]| {
            early_output(&texts.iter().map(OsString::from).collect::<Vec<_>>()).format
        };
        assert_eq!(early(&["countersign", "nonsense", "--format", "json"]), Format::Json);
        assert_eq!(early(&["countersign", "--format=JSON", "nonsense"]), Format::Json);
        assert_eq!(early(&["countersign", "--format"]), Format::Text);
        assert_eq!(early(&["countersign"]), Format::Text);
    }
}
