//! Keys in PKCS#11 tokens, with `SoftHSM`: docs/keys.md as it stands there, and what is refused.

use std::{fs, path::Path, process::Command};

use crate::{
    documentation::examples,
    world::{Run, World, clean, command},
};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "4711-0815";

#[test]
fn the_walk_through_works() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/keys.md");
    let script = examples(&fs::read_to_string(path).expect("docs/keys.md"));
    assert!(script.matches("countersign ").count() > 8, "{script}");
    let world = World::bare();
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = Command::new("bash");
    clean(&mut command, world.path());
    command.env("PATH", format!("{}:{path}", binary.parent().expect("a folder").display()));
    let output = command.args(["-euxc", &script]).output().expect("bash");
    assert!(
        output.status.success(),
        "{} (apt-get install softhsm2 opensc)",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A world with a token "T", whose key "k" is P-256.
fn world_with_token() -> World {
    let world = World::bare();
    fs::create_dir(world.file("tokens")).expect("made");
    let line = format!("directories.tokendir = {}\n", world.file("tokens").display());
    world.write("softhsm2.conf", line);
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "T", "--so-pin", "so-pin", "--pin", PIN])
        .env("SOFTHSM2_CONF", world.file("softhsm2.conf"))
        .output()
        .expect("softhsm2-util must be installed: apt-get install softhsm2");
    assert!(made.status.success());
    let arguments = ["key", "generate", "pkcs11:token=T;object=k", "--algorithm", "p256"];
    run(&world, PIN, &arguments).succeeds();
    world
}

fn run(world: &World, pin: &str, arguments: &[&str]) -> Run {
    let mut command = command(world.path());
    command
        .env("SOFTHSM2_CONF", world.file("softhsm2.conf"))
        .env("COUNTERSIGN_PKCS11_MODULE", MODULE)
        .env("COUNTERSIGN_PKCS11_PIN", pin)
        .args(["--format", "json"])
        .args(arguments);
    Run::of(command.output().expect("the program starts"))
}

#[test]
fn says_by_code_what_is_wrong_with_a_token() {
    let world = world_with_token();
    world.write("loose-pin", format!("{PIN}\n"));
    let loose = format!("pkcs11:token=T;object=k?pin-source={}", world.file("loose-pin").display());
    for (key, pin, exit_code, finding) in [
        ("pkcs11:token=T;object=k", "wrong", 2, "setup.token.unusable"),
        ("pkcs11:token=Other;object=k", PIN, 3, "setup.token.away"),
        ("pkcs11:token=T;object=other", PIN, 2, "setup.token.unusable"),
        ("pkcs11:token=T;object=k?module-path=/usr/lib/no.so", PIN, 2, "setup.token.unusable"),
        ("pkcs11:token=T;object=k?pin-value=4711-0815", PIN, 2, "setup.usage.invalid"),
        ("pkcs11:object=k", PIN, 2, "setup.usage.invalid"),
        (&loose, PIN, 2, "setup.key.permissions"),
    ] {
        let shown = run(&world, pin, &["key", "show", "--key", key]).exits_with(exit_code);
        assert_eq!(shown.finding(), finding, "{key}");
    }
    run(&world, PIN, &["key", "show", "--key", "pkcs11:token=T;object=k"]).succeeds();
    let again = run(&world, PIN, &["key", "generate", "pkcs11:token=T;object=k"]).exits_with(2);
    assert_eq!(again.finding(), "setup.token.unusable");
}

#[test]
fn signs_with_the_key_of_the_certificate_alone() {
    let world = world_with_token();
    let keyed = |text: &str| world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
    keyed("ca init ca --organisation Example --base-url http://127.0.0.1:9");
    keyed(
        "ca issue --dir ca --profile code-signer --new-key a.key --email a@example.com --output a.pem",
    );
    keyed("trust init --dir ca");
    world.write("app", "a program");
    let sign = ["sign", "app", "--certificate", "a.pem", "--trusted-root", "trusted_root.json"];
    let key = ["--key", "pkcs11:token=T;object=k"];
    let refused = run(&world, PIN, &[&sign[..], &key].concat()).exits_with(2);
    assert_eq!(refused.finding(), "setup.key.mismatch");
    assert!(!world.file("app.sigstore.json").exists());
}

#[test]
fn what_is_for_one_kind_of_key_is_refused_for_the_other() {
    let world = World::bare();
    let run = world.json(&["key", "generate", "a.key", "--algorithm", "rsa2048"]).exits_with(2);
    assert_eq!(run.finding(), "setup.usage.invalid");
    world.keyed(&["key", "generate", "a.key"]).succeeds();
    let run = world.json(&["key", "store-certificate", "--key", "a.key", "--certificate", "a.pem"]);
    assert_eq!(run.exits_with(2).finding(), "setup.usage.invalid");
    let shown = world.keyed(&["--format", "json", "key", "show", "--key", "a.key", "-o", "a.pub"]);
    let value = shown.succeeds().json();
    assert_eq!(value["result"]["algorithm"], "P-384");
    let pem = String::from_utf8(world.read("a.pub")).expect("PEM");
    assert_eq!(value["result"]["public_key"], pem.as_str());
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----"));
}
