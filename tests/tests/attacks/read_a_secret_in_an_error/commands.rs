//! Every option and operand of every command, as `--help` lists them.

use super::{Secrets, bare_addresses, each, seeds, text};

/// A command, as far as a test has to know it.
struct Grammar {
    path: Vec<String>,
    /// Options that it cannot do without, and operands, by the names of their values.
    required: Vec<String>,
    options: Vec<String>,
    operands: Vec<String>,
}

/// The option's name at the beginning of a line of help, if it takes a value.
fn option_in(line: &str) -> Option<String> {
    let line = line.trim_start();
    let line = match line.split_once(", ") {
        Some((short, long)) if short.len() == 2 && short.starts_with('-') => long,
        _ => line,
    };
    let end = line.find([' ', '=', '['])?;
    (line.starts_with("--") && line[end..].contains('<')).then(|| line[..end].to_owned())
}

/// The commands at `path` and below.
fn grammars(secrets: &Secrets, path: &[String]) -> Vec<Grammar> {
    let help = secrets.countersign(&[path, &["--help".to_owned()]].concat());
    let help = text(&help.stdout);
    let section = |name: &str| {
        let start = help.split_once(&format!("\n{name}:\n"));
        start.map(|(_, rest)| rest.split("\n\n").next().unwrap_or(rest).to_owned())
    };
    if let Some(commands) = section("Commands") {
        let names = commands.lines().filter_map(|line| line.strip_prefix("  "));
        let names = names.filter_map(|line| line.split(' ').next());
        let below = names.filter(|name| !name.is_empty() && *name != "help");
        return below
            .flat_map(|name| grammars(secrets, &[path, &[name.to_owned()]].concat()))
            .collect();
    }
    let usage = help.split_once("Usage: countersign ").expect("a usage").1;
    let usage = usage.split("\n\n").next().unwrap_or_default();
    // What may be left out, and all but the first of several to choose from.
    let usage = usage.replace("[OPTIONS]", "").replace("<--", "--");
    let usage = usage.split('|').next().unwrap_or_default();
    let mut required: Vec<String> = Vec::new();
    let mut words = usage.split_whitespace().skip(path.len());
    while let Some(word) = words.next() {
        if word.starts_with("--") {
            required.push(word.to_owned());
            words.next();
        } else if word.starts_with('<') {
            required.push(word.trim_matches(['<', '>', '.']).to_owned());
        }
    }
    let lines = help.lines().filter(|line| line.starts_with("  "));
    let options = lines.filter_map(option_in).collect();
    let operands = section("Arguments").unwrap_or_default();
    let operands = operands.lines().filter_map(|line| line.strip_prefix("  "));
    let operands = operands.filter(|line| line.starts_with(['<', '[']));
    let operands = operands.map(|line| line.trim_matches(['<', '>', '[', ']', '.']).to_owned());
    vec![Grammar { path: path.to_vec(), required, options, operands: operands.collect() }]
}

/// Something good for what a command cannot do without.
fn good(name: &str) -> &str {
    match name {
        "--dir" | "FOLDER" => "ca",
        "--profile" => "tsa",
        "--ca" | "--issuer" => "signing",
        "--base-url" => "http://127.0.0.1:9",
        "--reason" => "superseded",
        "--certificate" | "CERTIFICATE" => "signer.pem",
        "--output" | "--output-dir" => "out",
        "SHELL" => "bash",
        "ID" => "1",
        _ => "app",
    }
}

/// The arguments that have `value` for `name` and something good for the others.
fn arguments(grammar: &Grammar, name: &str, value: &str) -> Vec<String> {
    let mut arguments = grammar.path.clone();
    for required in grammar.required.iter().filter(|required| *required != name) {
        if required.starts_with("--") {
            arguments.push(required.clone());
        }
        arguments.push(good(required).to_owned());
    }
    if name.starts_with("--") {
        arguments.push(format!("{name}={value}"));
    } else {
        arguments.push(value.to_owned());
    }
    arguments
}

#[test]
fn no_command_repeats_a_secret_that_one_of_its_options_holds() {
    let secrets = Secrets::found();
    super::settings::write_good(&secrets);
    let commands = grammars(&secrets, &[]);
    let global: Vec<_> = commands[0].options.iter().rev().take(3).cloned().collect();
    assert!(global.contains(&"--config".to_owned()), "{global:?}");
    let mut all = Vec::new();
    for (place, grammar) in commands.iter().enumerate() {
        let names = grammar.options.iter().chain(&grammar.operands);
        // What every command has is tried with one.
        let names = names.filter(|name| place == 0 || !global.contains(name));
        for name in names.map(String::as_str).chain(["--no-such-option", "OPERAND"]) {
            let bare = bare_addresses().into_iter().filter(|_| name.contains("-url"));
            let seeds = seeds().into_iter().chain(bare);
            all.extend(seeds.map(|seed| arguments(grammar, name, &seed)));
        }
    }
    // None was missed by how help is read.
    let has = |words: &[&str], name: &str| {
        let found = commands.iter().find(|grammar| grammar.path == words).expect("a command");
        found.options.iter().chain(&found.operands).any(|option| option == name)
    };
    assert!(has(&["sign"], "--statement") && has(&["sign"], "--key") && has(&["sign"], "FILE"));
    assert!(has(&["revocation", "approve"], "ID") && has(&["ca", "init"], "--ca-key"));
    assert!(commands.len() > 30 && all.len() > 1_000, "{} {}", commands.len(), all.len());
    each(&all, |arguments| {
        // What a file holds is in neither form or in both.
        let holds_address = arguments.iter().any(|argument| argument.contains("://"));
        let forms = if holds_address { &["text", "json"][..] } else { &["json"] };
        for format in forms {
            let form = ["--format", format].map(str::to_owned);
            let is_form = arguments.iter().any(|argument| argument.starts_with("--format"));
            let form = if is_form { &[][..] } else { &form[..] };
            let output = secrets.countersign(&[form, arguments].concat());
            secrets.search(&arguments.join(" "), &output);
        }
    });
    secrets.search_files();
}
