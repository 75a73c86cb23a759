//! `config check --service` starts a program that PATH finds, and hands it the passphrases.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use countersign_tests::{
    programs::{COUNTERSIGN, TIMESTAMP},
    scenario::{Folder, Site},
};

const SECRETS: [&str; 3] =
    ["COUNTERSIGN_KEY_PASSPHRASE", "COUNTERSIGN_CA_PASSPHRASE", "COUNTERSIGN_PKCS11_PIN"];

#[test]
fn a_program_that_path_finds_gets_no_secret() {
    let site = Site::new(Folder::Removed).expect("a folder");
    let folder = site.shell.folder();
    for name in ["alone", "evil"] {
        fs::create_dir(folder.join(name)).expect("made");
    }
    // Alone: no service's program is beside it.
    let alone = folder.join("alone").join(COUNTERSIGN);
    fs::copy(site.shell.programs().path(COUNTERSIGN), &alone).expect("copied");
    let evil = folder.join("evil").join(TIMESTAMP);
    fs::write(&evil, "#!/bin/sh\n/usr/bin/env > seen\n").expect("written");
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).expect("set");
    fs::write(folder.join("timestamp.toml"), "").expect("written");
    let mut command = Command::new(&alone);
    command.current_dir(folder).env("PATH", folder.join("evil"));
    command.env("INNOCENT", "handed on").envs(SECRETS.map(|name| (name, "tr0ub4dor")));
    command.args(["config", "check", "timestamp.toml", "--service", "timestamp"]);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = fs::read_to_string(folder.join("seen")).expect("the program ran");
    assert!(seen.contains("INNOCENT=handed on"), "{seen}");
    assert!(!seen.contains("tr0ub4dor"), "{seen}");
}
