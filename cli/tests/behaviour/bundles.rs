//! Bundles as people have them: beside the file, several a file, from a pipe, or something else.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use crate::world::{Run, World, command};

const VERIFY: [&str; 5] =
    ["verify", "--trusted-root", "trusted_root.json", "--policy", "policy.json"];

fn signed(names: &[&str]) -> World {
    let world = World::new();
    for name in names {
        world.write(name, format!("the content of {name}"));
        world.sign(&[name, "--statement"]).succeeds();
    }
    world
}

/// Runs `verify` with something on standard input.
fn piped(world: &World, arguments: &[&str], input: &[u8]) -> Run {
    let mut child = command(world.path())
        .args(["--format", "json"])
        .args(VERIFY)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    // The program may end before it has read everything.
    let _ = stdin.write_all(input);
    drop(stdin);
    Run::of(child.wait_with_output().expect("ends"))
}

#[test]
fn finds_a_bundle_a_line_beside_the_file() {
    let world = signed(&["app", "lib"]);
    let line = |name: &str| {
        let value: serde_json::Value =
            serde_json::from_slice(&world.read(&format!("{name}.sigstore.json"))).expect("JSON");
        format!("{value}\n")
    };
    let both = format!("{}\n{}", line("lib"), line("app"));
    fs::remove_file(world.file("app.sigstore.json")).expect("there");
    world.write("app.sigstore.jsonl", &both);
    world.verify(&["app"]).succeeds();
    // One file of lines for several files.
    world.verify(&["app", "lib", "--bundle", "app.sigstore.jsonl"]).succeeds();
    world.write("other", "signed by nobody");
    let run = world.verify(&["other", "--bundle", "app.sigstore.jsonl"]).exits_with(10);
    assert_eq!(run.finding(), "content.other-file");
}

#[test]
fn of_two_subjects_of_one_name_the_smaller_one_verifies() {
    let world = World::new();
    world.write("app", "small");
    world.write("large", "a longer content");
    let subject = |file: &str| {
        let text = Command::new("sha256sum").arg(world.file(file)).output().expect("coreutils");
        let hex = String::from_utf8_lossy(&text.stdout)[..64].to_owned();
        let size = world.read(file).len();
        serde_json::json!({
            "name": "app", "digest": { "sha256": hex }, "annotations": { "size": size },
        })
    };
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject("large"), subject("app")],
        "predicateType": "https://example.com/p",
        "predicate": {},
    });
    world.write("statement.json", statement.to_string());
    world.sign(&["app", "--statement=statement.json"]).succeeds();
    world.verify(&["app"]).succeeds();
    world.write("app", "smal");
    assert_eq!(world.verify(&["app"]).exits_with(10).finding(), "content.incomplete");
}

#[test]
fn a_bundle_named_as_the_file_is_told_as_such() {
    let world = signed(&["app"]);
    let run = world.verify(&["app.sigstore.json"]).exits_with(2);
    assert_eq!(run.finding(), "setup.artifact.is-bundle");
    assert_eq!(run.json()["results"][0]["findings"][0]["expected"], "app");
}

#[test]
fn bundles_among_the_files_are_used_and_counted() {
    let world = signed(&["app", "lib"]);
    let names = ["app", "app.sigstore.json", "lib", "lib.sigstore.json"];
    let run = world.verify(&names).succeeds();
    assert_eq!(run.json()["results"].as_array().map(Vec::len), Some(2));
    let run = world.run(&[&VERIFY[..], &names].concat()).succeeds();
    let summary = "2 verified, 0 failed. 2 bundles were used for the files beside them.";
    assert!(run.stdout.trim_end().ends_with(summary), "{run:#?}");
    world.write("lib", "changed");
    let run = world.run(&[&VERIFY[..], &names].concat()).exits_with(10);
    assert!(run.stdout.contains("1 verified, 1 failed."), "{run:#?}");
    // What nobody reads as a bundle is judged.
    world.write("app.sigstore.jsonl", "malware");
    let run = world.verify(&["app", "app.sigstore.json", "app.sigstore.jsonl"]).exits_with(3);
    assert_eq!(run.json()["results"].as_array().map(Vec::len), Some(2));
    // One file has no summary.
    let run = world.run(&[&VERIFY[..], &["app"]].concat()).succeeds();
    assert!(!run.stdout.contains("failed."), "{run:#?}");
}

#[test]
fn names_signatures_of_other_kinds_beside_the_file() {
    let world = World::new();
    world.write("app", "x");
    for (ending, content, code) in [
        ("asc", "-----BEGIN PGP SIGNATURE-----\n\nx", "bundle.pgp"),
        ("minisig", "untrusted comment: x\nRUQ", "bundle.minisign"),
        (
            "intoto.jsonl",
            r#"{"payloadType":"","payload":"","signatures":[]}"#,
            "bundle.envelope-only",
        ),
        ("bundle", r#"{"base64Signature":"","cert":"","rekorBundle":{}}"#, "bundle.cosign-old"),
        ("sig", &"MEUC".repeat(24), "bundle.bare-signature"),
        ("sig", "of another program", "bundle.not-found"),
    ] {
        let path = world.write(&format!("app.{ending}"), content);
        assert_eq!(world.verify(&["app"]).exits_with(3).finding(), code, "{ending}");
        fs::remove_file(path).expect("there");
    }
}

#[test]
fn reads_standard_input_once() {
    let world = signed(&["app"]);
    let (file, bundle) = (world.read("app"), world.read("app.sigstore.json"));
    piped(&world, &["-", "--bundle", "app.sigstore.json"], &file).succeeds();
    piped(&world, &["app", "--bundle", "-"], &bundle).succeeds();
    let run = piped(&world, &["-", "--bundle", "-"], &file).exits_with(2);
    assert_eq!(run.finding(), "setup.usage.invalid");
    let run = piped(&world, &["-"], &file).exits_with(3);
    assert_eq!(run.finding(), "bundle.not-found");
    let run = piped(&world, &["-", "--bundle", "app.sigstore.json"], b"something else, and longer")
        .exits_with(10);
    assert_eq!(run.finding(), "content.mismatch");
}

#[test]
fn reads_policy_and_trust_root_from_pipes() {
    let world = signed(&["app"]);
    let run = Command::new("bash")
        .arg("-c")
        .arg(
            r#""$0" verify app --trusted-root <(cat trusted_root.json) --policy - --bundle <(cat app.sigstore.json) < policy.json"#,
        )
        .arg(env!("CARGO_BIN_EXE_countersign"))
        .current_dir(world.path())
        .output();
    Run::of(run.expect("bash")).succeeds();
}

#[test]
fn tells_trust_root_and_policy_apart() {
    let world = signed(&["app"]);
    let run = world.json(&[
        "verify",
        "app",
        "--trusted-root",
        "policy.json",
        "--policy",
        "trusted_root.json",
    ]);
    assert_eq!(run.exits_with(2).finding(), "setup.policy.other-kind");
    let run =
        world.json(&["verify", "app", "--trusted-root", "policy.json", "--policy", "policy.json"]);
    assert_eq!(run.exits_with(2).finding(), "setup.trust-root.other-kind");
    let run = world.verify(&["app", "--bundle", "policy.json"]).exits_with(3);
    assert_eq!(run.finding(), "bundle.other-kind");
}
