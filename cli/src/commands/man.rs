//! `man`: manual pages from the grammar.

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use serde_json::json;

use crate::{
    arguments::{Arguments, ManArguments},
    failure::{Failure, Outcome, path_text},
    output::Answer,
    writing::{Existing, write_all},
};

/// Prints the page of the program, or writes those of all commands into a folder.
pub(super) fn run(arguments: &ManArguments) -> Outcome<Answer> {
    let mut program = Arguments::command();
    program.build();
    let Some(folder) = &arguments.folder else {
        let page = render(program)?;
        return Answer::new(page.clone(), &json!({ "page": page }));
    };
    let mut pages = Vec::new();
    render_all(program, "countersign", &mut pages)?;
    write_all(folder, &pages, Existing::of(arguments.force))?;
    let names: Vec<_> = pages.iter().map(|(name, _)| name).collect();
    let text = format!("{} pages in {}\n", names.len(), path_text(folder));
    Answer::new(text, &json!({ "folder": path_text(folder), "pages": names }))
}

/// The pages of a command and those below it, each with the name of its file.
fn render_all(mut command: Command, name: &str, pages: &mut Vec<(String, String)>) -> Outcome<()> {
    let below: Vec<Command> = command.get_subcommands().cloned().collect();
    command = command.name(name.to_owned()).display_name(name.to_owned());
    pages.push((format!("{name}.1"), render(command)?));
    for command in below.into_iter().filter(|command| command.get_name() != "help") {
        let name = format!("{name}-{}", command.get_name());
        render_all(command, &name, pages)?;
    }
    Ok(())
}

fn render(command: Command) -> Outcome<String> {
    let mut page = Vec::new();
    let rendered = Man::new(command).manual("Countersign").render(&mut page);
    rendered.map_err(|error| Failure::internal(error.to_string()))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
