//! `explain`: the tables of findings, row by row.

use countersign_core::finding::{Class, Finding, FindingCode};
use serde_json::{Value, json};

use crate::{
    arguments::ExplainArguments,
    codes,
    failure::Outcome,
    output::{Answer, style, styled},
};

/// Explains a code, or lists them all.
pub(super) fn run(arguments: &ExplainArguments) -> Outcome<Answer> {
    match &arguments.code {
        Some(text) => match codes::parse(text.trim()) {
            Some(code) => Answer::new(explanation(code), &row(code)),
            None => Err(unknown(text).into()),
        },
        None => list(),
    }
}

fn list() -> Outcome<Answer> {
    let line = |code: &FindingCode| {
        format!("{:<46} {:>2}  {}\n", code.code(), code.exit_code(), code.title())
    };
    let all = codes::all();
    let text: String = all.iter().map(line).collect();
    let rows: Vec<Value> = all.iter().map(|code| row(*code)).collect();
    Answer::new(text, &json!({ "findings": rows }))
}

fn row(code: FindingCode) -> Value {
    json!({
        "code": code.code(),
        "class": code.class(),
        "exit_code": code.exit_code(),
        "title": code.title(),
        "clause": code.clause(),
        "remedy": code.remedy(),
    })
}

fn explanation(code: FindingCode) -> String {
    let class = match code.class() {
        Class::Danger => "danger: do not trust the file",
        Class::NotChecked => "not checked: it could not be checked; do not open the file yet",
        Class::SetUp => "set-up: the check is misconfigured; this says nothing about the file",
        Class::Outdated => "outdated: genuine, but old",
        Class::Warning => "warning: verified, but worth acting on",
        Class::Note => "note: verified, and worth knowing",
    };
    format!(
        "{}\n  {}\n\n  class:     {class}\n  exit code: {}\n  rests on:  {}\n  do:        {}\n",
        styled(style::STRONG, code.code()),
        code.title(),
        code.exit_code(),
        code.clause(),
        code.remedy(),
    )
}

/// Names the codes that share the longest beginning.
fn unknown(text: &str) -> Finding {
    let shared = |code: &FindingCode| {
        code.code().bytes().zip(text.bytes()).take_while(|(left, right)| left == right).count()
    };
    let all = codes::all();
    let longest = all.iter().map(shared).max().unwrap_or(0);
    let near = all.iter().filter(|code| longest > 2 && shared(code) == longest);
    let near: Vec<_> = near.take(4).map(|code| code.code()).collect();
    let expected = match near.as_slice() {
        [] => "a code of `countersign explain --list`".to_owned(),
        near => near.join(" or "),
    };
    Finding::new(codes::USAGE_INVALID).about("CODE").expected(expected).found(text)
}
