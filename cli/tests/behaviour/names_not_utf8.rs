//! Names and arguments that are not UTF-8: shown with replacement characters, never a mistake of
//! ours, and nothing is left behind by a command that fails.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStringExt,
};

use clap::{Arg, Command, CommandFactory};
use countersign_cli::arguments::Arguments;

use crate::world::{PASSPHRASE, Run, World, command};

/// `stem`, an octet that no UTF-8 has, `end`.
fn odd(stem: &str, end: &str) -> OsString {
    OsString::from_vec([stem.as_bytes(), b"\xff", end.as_bytes()].concat())
}

fn keyed(world: &World, arguments: &[&OsStr]) -> Run {
    let mut command = command(world.path());
    command.env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE);
    command.env("COUNTERSIGN_CA_PASSPHRASE", PASSPHRASE).args(arguments);
    Run::of(command.output().expect("the program starts"))
}

/// The words of a command line, in which `@` stands for an octet that no UTF-8 has.
fn line(text: &str) -> Vec<OsString> {
    let octet = |octet: u8| if octet == b'@' { 0xff } else { octet };
    text.split(' ').map(|word| OsString::from_vec(word.bytes().map(octet).collect())).collect()
}

fn run(world: &World, text: &str) -> Run {
    let words = line(text);
    keyed(world, &words.iter().map(OsString::as_os_str).collect::<Vec<_>>())
}

#[test]
fn files_with_such_names_are_made_used_and_shown() {
    let world = World::new();
    std::fs::write(world.path().join(odd("app", "")), "the published octets").expect("written");
    let sign = "sign app@ --key signer.key --certificate signer.pem --trusted-root root@.json";
    for (text, place) in [
        ("trust init --dir ca --output root@.json", "trusted_root"),
        ("trust show root@.json", "trusted_root"),
        ("policy init --identity urn:example:release --output policy@.json", "policy"),
        ("policy lint policy@.json", "file"),
        ("key generate key@.key", "key"),
        ("key show --key key@.key", "key"),
        ("key show --key key@.key --output public@.pem", "key"),
        ("key request --key key@.key --common-name Example --output csr@.pem", "request"),
        ("ca init ca@ --organisation Example --base-url http://127.0.0.1:9", "folder"),
        ("ca list --dir ca@", "certificates"),
        ("ca issue --dir ca@ --profile tsa --new-key tsa@.key --output tsa@.pem", "certificate"),
        ("ca crl --dir ca@ --ca root --output root@.crl", "crl"),
        ("man man@", "folder"),
        ("inspect tsa@.pem", "results"),
        (sign, "results"),
        ("verify app@ --trusted-root root@.json --policy policy.json", "results"),
    ] {
        let value = run(&world, &format!("--format json {text}")).exits_with(0).json();
        let shown = if place == "results" { &value[place] } else { &value["result"][place] };
        assert!(!shown.is_null(), "{text}: {value}");
        if let Some(name) = shown.as_str() {
            assert!(name.contains('\u{fffd}'), "{text}: {value}");
        }
    }
    run(&world, &format!("{sign} --force")).exits_with(0);
    run(&world, "man man@ --force").exits_with(0);
    let made = run(&world, "key generate text@.key").exits_with(0);
    assert!(made.stdout.contains("text\u{fffd}.key"), "{made:#?}");
}

/// The arguments of a command that take a value.
fn valued(command: &Command) -> Vec<&Arg> {
    let takes = |argument: &&Arg| argument.get_action().takes_values();
    command.get_arguments().filter(takes).collect()
}

fn walk(command: &Command, path: &[OsString], found: &mut Vec<Vec<OsString>>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let path = [path, &[OsString::from(below.get_name())]].concat();
        let odd = || odd("odd", "");
        found.push([&path[..], &[odd()]].concat());
        found.push([&path[..], &[odd(), odd()]].concat());
        let options = valued(below).into_iter().filter_map(|argument| argument.get_long());
        let options: Vec<OsString> = options.map(|long| format!("--{long}").into()).collect();
        for option in &options {
            found.push([&path[..], &[option.clone(), odd()]].concat());
            found.push([&path[..], &[odd(), option.clone(), odd()]].concat());
        }
        walk(below, &path, found);
    }
}

#[test]
fn no_argument_of_any_command_that_is_not_utf8_is_a_mistake_of_ours() {
    let world = World::bare();
    let mut lines = Vec::new();
    walk(&Arguments::command(), &[], &mut lines);
    assert!(lines.len() > 300, "{}", lines.len());
    for words in lines {
        let words = [&["--format".into(), "json".into()][..], &words].concat();
        let run = keyed(&world, &words.iter().map(OsString::as_os_str).collect::<Vec<_>>());
        assert_ne!(run.code, 70, "{words:?}: {run:#?}");
        if run.code != 0 {
            assert_eq!(world.names(), Vec::<String>::new(), "{words:?}: {run:#?}");
        }
        for name in world.names() {
            // Made by a command that succeeded.
            let path = world.path().join(odd("odd", ""));
            assert_eq!(name, "odd\u{fffd}", "{words:?}");
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            removed.expect("removed");
        }
    }
}
