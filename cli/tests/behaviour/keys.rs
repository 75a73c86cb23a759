//! Key files and passphrases.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::world::{PASSPHRASE, Run, World, command};

#[test]
fn makes_keys_that_only_the_owner_reads_and_openssl_opens() {
    let world = World::bare();
    for algorithm in ["p384", "p256", "rsa3072"] {
        let name = format!("{algorithm}.key");
        world.keyed(&["key", "generate", &name, "--algorithm", algorithm]).succeeds();
        let mode = fs::metadata(world.file(&name)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let opened = std::process::Command::new("openssl")
            .args(["pkey", "-noout", "-in", &name, "-passin", &format!("pass:{PASSPHRASE}")])
            .current_dir(world.path())
            .status()
            .expect("openssl is there (apt-get install openssl)");
        assert!(opened.success(), "{algorithm}");
    }
}

#[test]
fn never_replaces_a_key() {
    let world = World::bare();
    world.keyed(&["key", "generate", "--output", "a.key"]).succeeds();
    let before = world.read("a.key");
    let run = world.keyed(&["--format", "json", "key", "generate", "a.key"]).exits_with(3);
    assert_eq!(run.finding(), "setup.output.unwritable");
    assert_eq!(world.read("a.key"), before);
}

#[test]
fn takes_passphrases_from_file_and_environment_and_never_waits_for_one() {
    let world = World::bare();
    world.write_secret("pass", format!("{PASSPHRASE}\nignored\n"));
    world.run(&["key", "generate", "a.key", "--key-passphrase-file", "pass"]).succeeds();
    for more in [&[][..], &["--no-input"]] {
        let run = world.json(&[&["key", "generate", "b.key"], more].concat()).exits_with(2);
        assert_eq!(run.finding(), "setup.passphrase.missing");
    }
    world.write_secret("none", "\n");
    world.json(&["key", "generate", "b.key", "--key-passphrase-file", "none"]).exits_with(2);
    let run = world.json(&["key", "generate", "b.key", "--key-passphrase-file", "missing"]);
    assert_eq!(run.exits_with(3).finding(), "setup.input.unreadable");
    // The file goes before the environment.
    let mut command = command(world.path());
    command.env("COUNTERSIGN_KEY_PASSPHRASE", "other").args([
        "key",
        "generate",
        "c.key",
        "--key-passphrase-file",
        "pass",
    ]);
    Run::of(command.output().expect("starts")).succeeds();
    assert_eq!(world.names(), ["a.key", "c.key", "none", "pass"]);
    let opened = std::process::Command::new("openssl")
        .args(["pkey", "-noout", "-in", "c.key", "-passin", "file:pass"])
        .current_dir(world.path())
        .status()
        .expect("openssl is there (apt-get install openssl)");
    assert!(opened.success());
}

#[test]
fn a_passphrase_file_that_others_may_use_is_refused_like_a_key() {
    let world = World::new();
    let pass = world.write_secret("pass", PASSPHRASE);
    let list = ["ca", "crl", "--dir", "ca", "--ca", "root", "--output", "a.crl"];
    let commands: [&[&str]; 2] = [
        &["key", "show", "--key", "signer.key", "--key-passphrase-file", "pass"],
        &[&list[..], &["--ca-passphrase-file", "pass"]].concat(),
    ];
    for arguments in commands {
        for mode in [0o640, 0o644, 0o666, 0o604] {
            fs::set_permissions(&pass, fs::Permissions::from_mode(mode)).expect("set");
            let run = world.json(arguments).exits_with(2);
            assert_eq!(run.finding(), "setup.key.permissions", "{arguments:?}");
            assert_eq!(run.json()["error"]["subject"], "pass");
        }
        fs::set_permissions(&pass, fs::Permissions::from_mode(0o600)).expect("set");
        world.json(arguments).succeeds();
    }
    // The settings name the same file: the same rule.
    fs::set_permissions(&pass, fs::Permissions::from_mode(0o644)).expect("set");
    world.write("settings.toml", "key_passphrase_file = 'pass'\n");
    let show = ["--config", "settings.toml", "key", "show", "--key", "signer.key"];
    assert_eq!(world.json(&show).exits_with(2).finding(), "setup.key.permissions");
}

#[test]
fn no_message_repeats_a_pin() {
    let world = World::bare();
    let pin = "4711-0815";
    let uri = format!("pkcs11:token=T;object=k?pin-value={pin}");
    let upper = format!("PKCS11:token=T?PIN-VALUE={pin}");
    let in_path = format!("pkcs11:token=T;pin-value={pin}");
    world.write("settings.toml", format!("key = '{uri}'\n"));
    let assigned = format!("--key={uri}");
    let shared = format!("root={uri}");
    for key in [&uri, &upper, &in_path] {
        for arguments in [
            &["key", "show", "--key", key][..],
            &["key", "generate", key],
            &["key", "show", key],
            &["sign", "app", "--key", key],
            &["key", "show", &assigned],
            &["ca", "init", "ca", "--ca-key", &shared],
            &["verify", key],
            &["inspect", key],
            &["timestamp", "request", "--timestamp-url", key],
            &["no-such-command", key],
            &["--config", "settings.toml", "key", "show"],
        ] {
            for run in [world.run(arguments), world.json(arguments)] {
                assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
                assert!(!run.stdout.contains(pin) && !run.stderr.contains(pin), "{run:?}");
            }
        }
    }
    for format in ["text", "json"] {
        let mut command = command(world.path());
        command.env("COUNTERSIGN_KEY", &uri).args(["--format", format, "key", "show"]);
        let run = Run::of(command.output().expect("starts")).exits_with(2);
        assert!(!run.stdout.contains(pin) && !run.stderr.contains(pin), "{run:?}");
    }
}

#[test]
fn names_what_is_wrong_with_a_key_file() {
    let world = World::new();
    world.write("app", "x");
    let sign = |key: &str| {
        let fixed = ["--format", "json", "sign", "app", "--certificate", "signer.pem"];
        world.keyed(&[&fixed[..], &["--trusted-root", "trusted_root.json", "--key", key]].concat())
    };
    fs::copy(world.file("signer.key"), world.file("loose.key")).expect("copied");
    fs::set_permissions(world.file("loose.key"), fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(sign("loose.key").exits_with(2).finding(), "setup.key.permissions");
    let private = |name: &str, content: &[u8]| {
        world.write(name, content);
        fs::set_permissions(world.file(name), fs::Permissions::from_mode(0o600)).expect("set");
    };
    private("empty.key", b"");
    private("cut.key", &world.read("signer.key")[..200]);
    private("certificate.key", &world.read("signer.pem"));
    for key in ["empty.key", "cut.key", "certificate.key"] {
        assert_eq!(sign(key).exits_with(2).finding(), "setup.key.unusable", "{key}");
    }
    assert_eq!(sign("missing.key").exits_with(3).finding(), "setup.input.unreadable");
    assert_eq!(sign(".").exits_with(3).finding(), "setup.input.folder");
    assert_eq!(sign("tsa.key").exits_with(2).finding(), "setup.key.mismatch");
    let mut command = command(world.path());
    command.env("COUNTERSIGN_KEY_PASSPHRASE", "wrong").args([
        "--format",
        "json",
        "sign",
        "app",
        "--certificate",
        "signer.pem",
        "--key",
        "signer.key",
        "--trusted-root",
        "trusted_root.json",
    ]);
    let run = Run::of(command.output().expect("starts")).exits_with(2);
    assert_eq!(run.finding(), "setup.key.unusable");
    assert!(!world.file("app.sigstore.json").exists());
}
