//! Help, completion, manual, version, colours, and refusals of what is not in the grammar.

use clap::{Command, CommandFactory};
use countersign_cli::{arguments::Arguments, codes};

use crate::world::{Run, World, command};

/// Every command as it is typed, without the program's name.
pub(crate) fn commands() -> Vec<Vec<String>> {
    fn walk(command: &Command, path: &[String], found: &mut Vec<Vec<String>>) {
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            let path = [path, &[below.get_name().to_owned()]].concat();
            found.push(path.clone());
            walk(below, &path, found);
        }
    }
    let mut found = Vec::new();
    walk(&Arguments::command(), &[], &mut found);
    found
}

#[test]
fn every_command_of_the_issue_is_there() {
    let names: Vec<String> = commands().iter().map(|path| path.join(" ")).collect();
    for name in [
        "key generate",
        "ca init",
        "ca issue",
        "ca renew",
        "ca list",
        "ca crl",
        "trust init",
        "trust show",
        "policy init",
        "policy lint",
        "sign",
        "verify",
        "timestamp request",
        "timestamp verify",
        "revoke",
        "revocation status",
        "revocation fetch",
        "revocation register",
        "revocation list",
        "revocation pending",
        "revocation approve",
        "revocation reject",
        "revocation import",
        "revocation export",
        "revocation backup",
        "audit verify",
        "audit show",
        "audit head",
        "inspect",
        "explain",
        "config check",
        "completion",
        "man",
        "version",
    ] {
        assert!(names.iter().any(|each| each == name), "{name}");
    }
}

#[test]
fn every_command_explains_itself() {
    let world = World::bare();
    for path in commands() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let run = world.run(&arguments).succeeds();
        assert!(run.stdout.contains("Usage:") && run.stderr.is_empty(), "{path:?}");
    }
    assert!(world.run(&["help", "ca", "issue"]).succeeds().stdout.contains("--profile"));
}

#[test]
fn completes_for_every_shell() {
    let world = World::bare();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = world.run(&["completion", shell]).succeeds();
        assert!(run.stdout.contains("countersign"), "{shell}");
    }
    world.run(&["completion", "tcsh"]).exits_with(2);
}

#[test]
fn writes_a_manual_page_for_every_command() {
    let world = World::bare();
    assert!(world.run(&["man"]).succeeds().stdout.contains(".TH"));
    world.run(&["man", "pages"]).succeeds();
    for path in commands() {
        let page = world.read(&format!("pages/countersign-{}.1", path.join("-")));
        assert!(String::from_utf8_lossy(&page).contains(".TH"), "{path:?}");
    }
    world.run(&["man", "/proc/none"]).exits_with(3);
}

#[test]
fn says_its_version_to_people_and_programs() {
    let world = World::bare();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(world.run(&["version"]).succeeds().stdout, format!("countersign {version}\n"));
    assert_eq!(world.run(&["--version"]).succeeds().stdout, format!("countersign {version}\n"));
    for arguments in [["version", "--json"].as_slice(), &["version", "--format", "json"]] {
        let value = world.run(arguments).succeeds().json();
        assert_eq!(value["result"]["version"], version);
        assert_eq!(value["command"], "version");
    }
}

#[test]
fn explains_every_code() {
    let world = World::bare();
    let list = world.run(&["explain", "--list"]).succeeds().stdout;
    for code in codes::all() {
        assert!(list.contains(code.code()), "{code}");
    }
    let run = world.json(&["explain", "content.mismatch"]).succeeds();
    assert_eq!(run.json()["result"]["exit_code"], 10);
    let run = world.json(&["explain", "content.mismtch"]).exits_with(2);
    assert_eq!(run.json()["error"]["expected"], "content.mismatch");
    world.run(&["explain"]).exits_with(2);
}

#[test]
fn refuses_what_it_does_not_know_in_both_forms() {
    let world = World::bare();
    for arguments in [
        &["nonsense"][..],
        &["verify"],
        &["verify", "--nonsense", "x"],
        &["sign"],
        &[],
        &["ca"],
        &["version", "--format", "xml"],
        &["verify", "x", "--color", "green"],
        &["timestamp", "verify", "--token", "x"],
        &["revoke", "--reason", "boredom"],
    ] {
        let run = world.run(arguments).exits_with(2);
        assert!(run.stdout.is_empty(), "{run:#?}");
        assert!(run.stderr.contains("setup.usage.invalid"), "{run:#?}");
    }
    for arguments in [&["nonsense"][..], &["verify"], &["verify", "x", "--at", "yesterday"]] {
        let run = world.json(arguments).exits_with(2);
        assert_eq!(run.finding(), "setup.usage.invalid");
        assert!(run.stderr.is_empty(), "{run:#?}");
    }
}

#[test]
fn nothing_that_was_typed_steers_the_terminal() {
    let world = World::bare();
    let steering = "a\u{202E}b\u{1b}[31mc\nerror: d";
    for arguments in [
        &[steering][..],
        &["verify", "x", &format!("--{steering}")],
        &["verify", "x", "--format", steering],
        &["verify", "x", "--at", steering],
        &["explain", steering],
        &["sign", "x", "--timestamp-url", steering],
        &["revoke", "--reason", steering],
        &["trust", "show", steering],
        &["inspect", steering],
        &["completion", steering],
    ] {
        for color in ["never", "always"] {
            let arguments = [arguments, &["--color", color]].concat();
            let run = world.run(&arguments);
            assert!([2, 3].contains(&run.code), "{run:#?}");
            let text = format!("{}{}", run.stdout, run.stderr);
            assert!(!text.contains('\u{202E}'), "{arguments:?} {text:?}");
            assert!(!text.contains("\u{1b}[31mc"), "{arguments:?} {text:?}");
            assert!(!text.lines().any(|line| line.starts_with("error: d")), "{arguments:?} {text}");
        }
    }
    // What is ordinary keeps its styles and its words.
    let run = world.run(&["--color", "always", "vrify"]).exits_with(2);
    assert!(run.stderr.contains('\u{1b}'), "{run:#?}");
    assert!(run.stderr.contains("a similar subcommand exists"), "{run:#?}");
    let run = world.run(&[steering]).exits_with(2);
    assert!(run.stderr.contains("a\\u{202e}b\\u{1b}[31mc\\u{a}error: d"), "{run:#?}");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let world = World::bare();
    let explain = ["explain", "content.mismatch"];
    let run_with = |name: &str, value: &str, more: &[&str]| {
        let mut command = command(world.path());
        command.args(more).args(explain).env(name, value);
        Run::of(command.output().expect("starts")).succeeds().stdout
    };
    let escape = '\u{1b}';
    assert!(!world.run(&explain).stdout.contains(escape), "not a terminal");
    assert!(run_with("A", "b", &["--color", "always"]).contains(escape));
    assert!(run_with("COUNTERSIGN_COLOR", "always", &[]).contains(escape));
    assert!(!run_with("CLICOLOR_FORCE", "1", &["--color", "never"]).contains(escape));
    assert!(run_with("CLICOLOR_FORCE", "1", &[]).contains(escape));
    assert!(!run_with("NO_COLOR", "1", &[]).contains(escape));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let world = World::bare();
    let mut child = command(world.path())
        .args(["explain", "--list"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let run = Run::of(child.wait_with_output().expect("ends")).succeeds();
    assert!(run.stderr.is_empty(), "{run:#?}");
}
