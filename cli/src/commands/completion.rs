//! `completion`.

use clap::CommandFactory;
use serde_json::json;

use crate::{
    arguments::{Arguments, CompletionArguments},
    failure::Outcome,
    output::Answer,
};

/// Prints a completion script.
pub(super) fn run(arguments: &CompletionArguments) -> Outcome<Answer> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "countersign", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let result = json!({ "shell": arguments.shell.to_string(), "script": script });
    Answer::new(script, &result)
}
