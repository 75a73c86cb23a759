//! `man`: manual pages from the grammar.

use std::{fs, path::Path};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use countersign_signing::files::{self, FileMode};
use serde_json::json;

use crate::{
    arguments::{Arguments, ManArguments},
    failure::{Failure, Outcome, path_text},
    interrupt::without_interruption,
    output::Answer,
};

/// Prints the page of the program, or writes those of all commands into a folder.
pub(super) fn run(arguments: &ManArguments) -> Outcome<Answer> {
    let mut program = Arguments::command();
    program.build();
    let Some(folder) = &arguments.folder else {
        let page = render(program)?;
        return Answer::new(page.clone(), &json!({ "page": page }));
    };
    fs::create_dir_all(folder).map_err(|error| Failure::unwritable(folder, error.to_string()))?;
    let mut written = Vec::new();
    write(program, "countersign", folder, &mut written)?;
    let text = format!("{} pages in {}\n", written.len(), path_text(folder));
    Answer::new(text, &json!({ "folder": path_text(folder), "pages": written }))
}

fn write(
    mut command: Command,
    name: &str,
    folder: &Path,
    written: &mut Vec<String>,
) -> Outcome<()> {
    let below: Vec<Command> = command.get_subcommands().cloned().collect();
    command = command.name(name.to_owned()).display_name(name.to_owned());
    let file = format!("{name}.1");
    let page = render(command)?;
    without_interruption(|| {
        files::replace(&folder.join(&file), page.as_bytes(), FileMode::Public)
    })?;
    written.push(file);
    for command in below.into_iter().filter(|command| command.get_name() != "help") {
        let name = format!("{name}-{}", command.get_name());
        write(command, &name, folder, written)?;
    }
    Ok(())
}

fn render(command: Command) -> Outcome<String> {
    let mut page = Vec::new();
    let rendered = Man::new(command).manual("Countersign").render(&mut page);
    rendered.map_err(|error| Failure::internal(error.to_string()))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
