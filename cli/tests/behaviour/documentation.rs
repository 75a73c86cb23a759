//! The examples of docs/cli.md, run from top to bottom.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use crate::{
    http::{Answer, Reply, Request, Server, timestamp_authority},
    world::{World, clean},
};

/// The examples: every block of kind `sh`.
pub(crate) fn examples(text: &str) -> String {
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn the_examples_work() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let text = fs::read_to_string(path).expect("docs/cli.md");
    let server = Server::start(|_| Reply::status("503 Service Unavailable"));
    let world = World::bare();
    let folder = world.path().to_owned();
    let stamp: Mutex<Option<Arc<Answer>>> = Mutex::new(None);
    server.answer(move |request: &Request| {
        let path = request.line.split(' ').nth(1).unwrap_or_default();
        if let Some(name) = path.strip_prefix("/crl/") {
            // What an earlier example made; where none did, signing goes on with a warning.
            return fs::read(folder.join(name))
                .map_or_else(|_| Reply::status("404 Not Found"), Reply::ok);
        }
        if path == "/ocsp" {
            return Reply::status("404 Not Found");
        }
        // The authority's key is made by an example, with the page's passphrase.
        let mut stamp = stamp.lock().expect("unpoisoned");
        let answer = stamp.get_or_insert_with(|| {
            Arc::new(timestamp_authority(&folder, "correct-horse-battery-staple"))
        });
        answer(request)
    });
    let script = examples(&text)
        .replace("http://tsa.example.org", &server.url)
        .replace("http://pki.example.org", &server.url);
    assert!(script.matches("countersign ").count() > 25, "{script}");
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = Command::new("bash");
    clean(&mut command, world.path());
    command.env("PATH", format!("{}:{path}", binary.parent().expect("a folder").display()));
    let output = command.args(["-euxc", &script]).output().expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The examples of docs/verifying.md, with the bundles that they speak of.
#[test]
fn the_examples_with_public_bundles_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/verifying.md")).expect("docs/verifying.md");
    let world = World::bare();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(root.join("tests/data/public-good/."))
        .arg(world.path())
        .status();
    assert!(copied.expect("cp").success());
    let script = examples(&text);
    assert!(script.matches("countersign verify ").count() >= 5, "{script}");
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = Command::new("bash");
    clean(&mut command, world.path());
    command.env("PATH", format!("{}:{path}", binary.parent().expect("a folder").display()));
    let output = command.args(["-euxc", &script]).output().expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.matches("✔ Verified.").count(), script.matches("countersign verify ").count());
}

#[test]
fn the_page_names_every_command_variable_and_exit_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let text = fs::read_to_string(path).expect("docs/cli.md");
    for path in crate::grammar::commands() {
        let is_leaf = !crate::grammar::commands()
            .iter()
            .any(|other| other.len() > path.len() && other.starts_with(&path));
        if is_leaf {
            let name = path.join(" ");
            assert!(text.contains(&format!("countersign {name}")), "{name}");
        }
    }
    for code in countersign_cli::codes::all() {
        assert!(text.contains(&format!("| {} |", code.exit_code())), "{code}");
    }
    let settings = include_str!("../../src/settings.rs");
    for variable in settings.split('"').filter(|text| text.starts_with("COUNTERSIGN_")) {
        assert!(text.contains(variable), "{variable}");
    }
}
