//! `inspect`: what is inside a file, not whether it is to be believed.

use std::path::Path;

use countersign_core::{
    finding::{Finding, FindingCode},
    inspect::{View, inspect},
    limits,
    pem::{self, Kind},
};
use serde::Serialize;

use crate::{
    arguments::InspectArguments,
    failure::{Failure, Outcome, path_text},
    input,
    output::{Answer, Body, Words, finding_text, style, styled},
};

/// What came of one file, or of one PEM block of it.
#[derive(Serialize)]
struct Shown<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Finding>,
}

/// Shows each file; one that cannot be shown keeps no other from being so.
pub(super) fn run(arguments: &InspectArguments) -> Outcome<Answer> {
    let mut text = String::new();
    let mut results = Vec::new();
    let mut worst: Option<FindingCode> = None;
    for path in &arguments.files {
        let file = path_text(path);
        text.add(format_args!("{}\n", styled(style::STRONG, &file)));
        for shown in look(path, &file) {
            if let Some(block) = shown.block {
                text.add(format_args!("  block {block}\n"));
            }
            if let Some(object) = &shown.object {
                render(object, 1, &mut text);
            }
            if let Some(error) = &shown.error {
                text.push_str(&finding_text("error", error));
                let graver = worst.is_none_or(|worst| error.code.rank() < worst.rank());
                worst = if graver { Some(error.code) } else { worst };
            }
            results.push(serde_json::to_string(&shown)?);
        }
    }
    let exit_code = worst.map_or(0, FindingCode::exit_code);
    Ok(Answer { text, body: Body::Several(results), exit_code })
}

/// What is in a file: of PEM each block with its number, so that a bad one hides no other.
fn look<'a>(path: &Path, file: &'a str) -> Vec<Shown<'a>> {
    let failed = |block, failure: &Failure| Shown {
        file,
        block,
        object: None,
        error: Some(failure.finding().clone()),
    };
    // PEM is a third longer than what it holds.
    let content = match input::read(path, limits::CRL_BYTES * 2) {
        Ok(content) => content,
        Err(failure) => return vec![failed(None, &failure)],
    };
    let mut each = Vec::new();
    if !pem::is_der(&content) && !begins_json(&content) {
        for block in pem::blocks(&content) {
            let number = Some(block.number);
            each.push(match block.decode() {
                Ok(octets) => {
                    let place = format!("block {} of {file}", block.number);
                    show(&octets, Shown { file, block: number, object: None, error: None }, place)
                }
                Err(fault) => failed(number, &Failure::of_pem_fault(path, &fault)),
            });
        }
    }
    match each.as_mut_slice() {
        [] => {}
        [only] => {
            // One block is the file.
            only.block = None;
            return each;
        }
        _ => return each,
    }
    let nothing = Shown { file, block: None, object: None, error: None };
    vec![match pem::object(content, Kind::Any) {
        Ok(octets) => show(&octets, nothing, file.to_owned()),
        Err(fault) => failed(None, &Failure::of_pem_fault(path, &fault)),
    }]
}

fn show<'a>(octets: &[u8], shown: Shown<'a>, place: String) -> Shown<'a> {
    match inspect(octets) {
        Ok(object) => Shown { object: Some(object), ..shown },
        Err(broken) => {
            Shown { object: broken.shown, error: Some(broken.finding.about(place)), ..shown }
        }
    }
}

fn begins_json(content: &[u8]) -> bool {
    content.trim_ascii_start().first() == Some(&b'{')
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
