//! Keys in PKCS#11 tokens, with `SoftHSM`: docs/keys.md as it stands there, and what is refused.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::{
    documentation::examples,
    world::{PASSPHRASE, Run, World, clean, command},
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

/// A key's location in the world's token.
fn uri(object: &str) -> String {
    format!("pkcs11:token=T;object={object}")
}

/// What openssl says of a CRL in DER, by an authority's certificate.
fn openssl_crl(world: &World, ca: &str, crl: &str) -> String {
    let certificate = format!("{ca}/certificate.pem");
    let output = Command::new("openssl")
        .args(["crl", "-inform", "DER", "-in", crl, "-CAfile", &certificate, "-noout", "-text"])
        .current_dir(world.path())
        .output()
        .expect("openssl is there (apt-get install openssl)");
    [output.stderr, output.stdout].map(|said| String::from_utf8_lossy(&said).into_owned()).concat()
}

#[test]
fn an_authority_signs_with_keys_in_a_token() {
    let world = world_with_token();
    for object in ["root", "signing"] {
        run(&world, PIN, &["key", "generate", &uri(object)]).succeeds();
    }
    let root = format!("root={}", uri("root"));
    let signing = format!("signing={}", uri("signing"));
    let passphrase = world.write("passphrase", "correct horse");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).expect("permitted");
    let init = "ca init ca --organisation Example --base-url http://127.0.0.1:9 \
                --ca-passphrase-file passphrase";
    let init: Vec<&str> = init.split_whitespace().collect();
    // A key of another kind than the authority's.
    let other = format!("root={}", uri("k"));
    let refused = run(&world, PIN, &[&init[..], &["--ca-key", &other]].concat()).exits_with(2);
    assert_eq!(refused.finding(), "setup.usage.invalid");
    assert!(!world.file("ca").exists());
    let made = run(&world, PIN, &[&init[..], &["--ca-key", &root, "--ca-key", &signing]].concat());
    let made = made.succeeds().json()["result"].clone();
    assert_eq!(made["authorities"][0]["key"], uri("root").as_str());
    for (ca, in_file) in [("root", false), ("signing", false), ("service", true)] {
        assert_eq!(world.file(&format!("ca/{ca}/key.pem")).exists(), in_file, "{ca}");
    }
    // With no passphrase at hand: none is needed for what a token's key signs.
    let crl = ["ca", "crl", "--dir", "ca", "--ca", "root", "--output", "root.crl"];
    run(&world, PIN, &crl).succeeds();
    let issue =
        "ca issue --dir ca --profile code-signer --email a@example.com --output a.pem --key";
    let issue: Vec<&str> = issue.split(' ').collect();
    let key = uri("k");
    run(&world, PIN, &[&issue[..], &[&key]].concat()).succeeds();
    let serial = run(&world, PIN, &["ca", "list", "--dir", "ca"]).succeeds().json();
    let all = serial["result"]["certificates"].as_array().expect("a list").clone();
    let signer = all.iter().find(|each| each["profile"] == "code-signer").expect("the signer");
    let serial = signer["serial"].as_str().expect("a serial number");
    let revoke = format!("{serial}:superseded:2026-05-03T10:00:00Z");
    let crl_of_signing =
        ["ca", "crl", "--dir", "ca", "--ca", "signing", "--output", "signing.crl", "--revoke"];
    run(&world, PIN, &[&crl_of_signing[..], &[&revoke]].concat()).succeeds();
    for (ca, words) in [("root", "No Revoked Certificates"), ("signing", "Superseded")] {
        let said = openssl_crl(&world, &format!("ca/{ca}"), &format!("{ca}.crl"));
        assert!(said.contains("verify OK") && said.contains(words), "{said}");
    }
    // What is wrong with the token is said as for every key in one.
    let failed = run(&world, "wrong", &crl).exits_with(2);
    assert_eq!(failed.finding(), "setup.token.unusable");
    fs::rename(world.file("tokens"), world.file("away")).expect("moved");
    fs::create_dir(world.file("tokens")).expect("made");
    assert_eq!(run(&world, PIN, &crl).exits_with(3).finding(), "setup.token.away");
}

#[test]
fn a_key_that_moved_into_a_token_is_found_by_the_settings() {
    let world = world_with_token();
    let keyed = |text: &str| world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
    keyed("ca init ca --organisation Example --base-url http://127.0.0.1:9");
    let script = format!(
        "openssl pkey -in ca/signing/key.pem -passin 'pass:{PASSPHRASE}' -out plain.pem \
         && softhsm2-util --import plain.pem --token T --label signing --id 01 --pin {PIN} \
         && rm plain.pem ca/signing/key.pem"
    );
    let mut command = Command::new("sh");
    clean(&mut command, world.path());
    command.env("SOFTHSM2_CONF", world.file("softhsm2.conf")).args(["-ec", &script]);
    let moved = command.output().expect("a shell");
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    let settings = String::from_utf8(world.read("ca/ca.toml")).expect("text");
    let settings = format!("{settings}\n[keys]\nsigning = \"{}\"\n", uri("signing"));
    world.write("ca/ca.toml", &settings);
    let crl = |ca| ["ca", "crl", "--dir", "ca", "--ca", ca, "--output", "list.crl"];
    run(&world, PIN, &crl("signing")).succeeds();
    assert!(openssl_crl(&world, "ca/signing", "list.crl").contains("verify OK"));
    // Another CA's key is refused before anything is signed.
    fs::remove_file(world.file("list.crl")).expect("removed");
    world.write("ca/ca.toml", settings.replace("\nsigning =", "\ntimestamping ="));
    let refused = run(&world, PIN, &crl("timestamping")).exits_with(2);
    assert_eq!(refused.finding(), "setup.key.mismatch");
}

/// The settings of a CA say which key it has, and neither which library reaches it nor where its PIN is.
#[test]
fn a_new_authority_does_not_keep_how_its_token_is_reached() {
    let world = world_with_token();
    run(&world, PIN, &["key", "generate", &uri("root")]).succeeds();
    world.write_secret("pin", PIN);
    world.write_secret("passphrase", PASSPHRASE);
    let pin_file = world.file("pin");
    let files = format!("module-path={MODULE}&pin-source=file:{}", pin_file.display());
    let root = format!("root={}?{files}", uri("root"));
    let run_alone = |arguments: &[&str]| {
        let mut command = command(world.path());
        command.env("SOFTHSM2_CONF", world.file("softhsm2.conf"));
        Run::of(command.args(["--format", "json"]).args(arguments).output().expect("it starts"))
    };
    let init = "ca init ca --organisation Example --base-url http://127.0.0.1:9 \
                --ca-passphrase-file passphrase --ca-key";
    let init: Vec<&str> = init.split_whitespace().chain([root.as_str()]).collect();
    let made = run_alone(&init).succeeds();
    assert!(made.stderr.contains("COUNTERSIGN_PKCS11_MODULE"), "{made:#?}");
    assert_eq!(made.json()["result"]["authorities"][0]["key"], uri("root").as_str());
    let settings = String::from_utf8(world.read("ca/ca.toml")).expect("text");
    assert!(settings.contains(&uri("root")) && !settings.contains('?'), "{settings}");
    let crl = ["ca", "crl", "--dir", "ca", "--ca", "root", "--output", "root.crl"];
    let unnamed = run_alone(&crl).exits_with(2);
    assert_eq!(unnamed.finding(), "setup.token.unusable");
    let by_file = [&crl[..], &["--ca-passphrase-file", "pin"]].concat();
    run(&world, "unused", &by_file).succeeds();
    assert!(openssl_crl(&world, "ca/root", "root.crl").contains("verify OK"));
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
