//! Every key of both services' configurations, as the services themselves list them.

use std::fs;

use countersign_tests::programs::{REVOCATION, Service, TIMESTAMP};
use toml::{Table, Value};

use super::{Secrets, each, quoted, seeds, text};

/// A key by its path; a table of a list stands for all of them.
type Place = Vec<String>;

/// What a service says to a configuration that it only checks.
fn check(secrets: &Secrets, program: &str, name: &str, configuration: &str) -> String {
    fs::write(secrets.folder().join(name), configuration).expect("written");
    let output = secrets.command(program).args(["--check", "--config", name]).output();
    let output = output.expect("it starts");
    secrets.search(configuration, &output);
    text(&[output.stdout, output.stderr].concat())
}

/// The keys of a table and below, by what the service says to one that it does not know.
fn places(secrets: &Secrets, program: &str, table: &[String], head: &str) -> Vec<Place> {
    let said = check(secrets, program, "walk.toml", &format!("{head}no_such_key = 1\n"));
    let Some((_, known)) = said.split_once(", expected ") else { return Vec::new() };
    let mut found = Vec::new();
    for key in quoted(known) {
        let place = [table, &[key.to_owned()]].concat();
        let dotted = place.join(".");
        let below = [format!("[{dotted}]\n"), format!("[[{dotted}]]\n")]
            .iter()
            .map(|head| places(secrets, program, &place, head))
            .find(|below| !below.is_empty());
        found.extend(below.unwrap_or_else(|| vec![place]));
    }
    found
}

/// The value at a place, made if it is not there.
fn at<'t>(table: &'t mut Table, place: &[String], lists: &[String]) -> &'t mut Value {
    let (first, rest) = place.split_first().expect("a key");
    let is_list = lists.contains(first);
    let made = || if is_list { Value::Array(Vec::new()) } else { Value::Table(Table::new()) };
    let value = table.entry(first.clone()).or_insert_with(made);
    if rest.is_empty() {
        return value;
    }
    let value = match value {
        Value::Array(all) => {
            if all.is_empty() {
                all.push(Value::Table(Table::new()));
            }
            &mut all[0]
        }
        value => value,
    };
    if !value.is_table() {
        *value = Value::Table(Table::new());
    }
    at(value.as_table_mut().expect("a table"), rest, lists)
}

/// Puts each secret at each place of a configuration that is right otherwise.
fn nothing_is_repeated(
    secrets: &Secrets,
    (program, file): (&'static str, &str),
    listeners: &[&str],
    least: usize,
) {
    let good = fs::read_to_string(secrets.folder().join(file)).expect("a configuration");
    let good: Table = good.parse().expect("TOML");
    let places = places(secrets, program, &[], "");
    assert!(places.len() >= least, "{places:?}");
    let lists: Vec<_> =
        good.iter().filter(|(_, value)| value.is_array()).map(|(key, _)| key.clone()).collect();
    let mut all = Vec::new();
    for (number, place) in places.iter().enumerate() {
        for (seed, value) in seeds().into_iter().enumerate() {
            let mut table = good.clone();
            *at(&mut table, place, &lists) = Value::String(value.clone());
            all.push((format!("{number}-{seed}.toml"), table.to_string(), place, value));
        }
    }
    each(&all, |(name, configuration, place, value)| {
        let said = check(secrets, program, name, configuration);
        // By the environment as well, where it reaches.
        let variable = program.to_uppercase().replace('-', "_");
        let variable = format!("{variable}_{}", place.join("__").to_uppercase());
        let mut command = secrets.command(program);
        command.args(["--check", "--config", file]).env(&variable, value);
        let output = command.output().expect("it starts");
        secrets.search(&format!("{variable}={value}"), &output);
        if said.contains("is good") || said.contains("is usable") {
            start(secrets, program, name, listeners);
        }
    });
    assert!(secrets.folder().join(format!("{program}.log")).is_file(), "one was started");
    for (name, ..) in &all {
        fs::remove_file(secrets.folder().join(name)).expect("removed");
    }
    secrets.search_files();
}

/// Starts the service, whatever comes of it: its log is searched at the end.
fn start(secrets: &Secrets, program: &'static str, name: &str, listeners: &[&str]) {
    let programs = secrets.site.shell.programs();
    match Service::start(programs, program, secrets.folder(), name, listeners) {
        Ok(service) => service.kill(),
        Err(error) => {
            let error = error.to_string();
            let found = secrets.words.iter().find(|word| error.contains(*word));
            assert!(found.is_none(), "{name} shows {found:?}: {error}");
        }
    }
}

#[test]
fn no_service_repeats_a_secret_of_its_configuration() {
    let secrets = Secrets::found();
    nothing_is_repeated(&secrets, (TIMESTAMP, "timestamp.toml"), &["public"], 30);
    nothing_is_repeated(&secrets, (REVOCATION, "revocation.toml"), &["public", "admin"], 60);
}
