//! `inspect`: what is inside a file, not whether it is to be believed.

use std::path::Path;

use countersign_core::{
    finding::FindingCode,
    inspect::{View, inspect},
    limits,
};
use serde::Serialize;

use crate::{
    arguments::InspectArguments,
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, Body, Words, finding_text, style, styled},
};

#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a> {
    Object { file: String, object: &'a View },
    Failed { file: String, error: &'a countersign_core::finding::Finding },
}

/// Shows each file; one that cannot be shown keeps no other from being so.
pub(super) fn run(arguments: &InspectArguments) -> Outcome<Answer> {
    let mut text = String::new();
    let mut results = Vec::new();
    let mut worst: Option<FindingCode> = None;
    for path in &arguments.files {
        let file = path_text(path);
        text.add(format_args!("{}\n", styled(style::STRONG, &file)));
        match look(path) {
            Ok(object) => {
                render(&object, 1, &mut text);
                results.push(serde_json::to_string(&Shown::Object { file, object: &object })?);
            }
            Err(failure) => {
                let error = failure.finding();
                text.push_str(&finding_text("error", error));
                results.push(serde_json::to_string(&Shown::Failed { file, error })?);
                let graver = worst.is_none_or(|worst| error.code.rank() < worst.rank());
                worst = if graver { Some(error.code) } else { worst };
            }
        }
    }
    let exit_code = worst.map_or(0, FindingCode::exit_code);
    Ok(Answer { text, body: Body::Several(results), exit_code })
}

fn look(path: &Path) -> Outcome<View> {
    let content = input::read_der(path, limits::CRL_BYTES)?;
    inspect(&content).map_err(|finding| Failure::from(finding).about(path_text(path)))
}

/// A tree as indented lines; what is short stays on one.
fn render(view: &View, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match view {
        View::Fields(fields) => {
            for (name, value) in fields {
                if let Some(value) = plain(value) {
                    text.add(format_args!("{indent}{name}: {value}\n"));
                } else {
                    text.add(format_args!("{indent}{name}:\n"));
                    render(value, depth + 1, text);
                }
            }
        }
        View::List(items) => {
            for item in items {
                if let Some(value) = plain(item) {
                    text.add(format_args!("{indent}- {value}\n"));
                } else {
                    text.add(format_args!("{indent}-\n"));
                    render(item, depth + 1, text);
                }
            }
        }
        other => text.add(format_args!("{indent}{}\n", plain(other).unwrap_or_default())),
    }
}

fn plain(view: &View) -> Option<String> {
    match view {
        View::Text(value) => Some(value.clone()),
        View::Number(value) => Some(value.to_string()),
        View::Flag(true) => Some("yes".to_owned()),
        View::Flag(false) => Some("no".to_owned()),
        View::List(items) if items.is_empty() => Some("none".to_owned()),
        View::List(_) | View::Fields(_) => None,
    }
}
