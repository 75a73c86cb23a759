//! `config check --service` starts a program that PATH finds, and hands it the passphrases.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use countersign_tests::{
    programs::{COUNTERSIGN, TIMESTAMP},
    scenario::{Folder, Site},
};

const SECRETS: [&str; 3] =
    ["COUNTERSIGN_KEY_PASSPHRASE", "COUNTERSIGN_CA_PASSPHRASE", "COUNTERSIGN_PKCS11_PIN"];

/// Addresses with a login, in each way in which one is written.
const ADDRESSES: [(&str, &str); 6] = [
    ("https_proxy", "http://release:tr0ub4dor@proxy.example:3128"),
    ("HTTPS_PROXY", "release:tr0ub4dor@proxy.example:3128"),
    ("all_proxy", "socks5h://tr0ub4dor@proxy.example"),
    ("COUNTERSIGN_TSA_URLS", "http://tsa.example,https://release:tr0ub4dor@tsa.example/stamp"),
    ("COUNTERSIGN_ADMIN_URL", "https://tr0ub4dor@admin.example:3182"),
    ("COUNTERSIGN_TIMESTAMP_LISTEN", "postgres://release:tr0ub4dor@db.example/x"),
];

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
    command.envs(ADDRESSES);
    command.env("COUNTERSIGN_CERTIFICATE_IDENTITY", "https://git.example/ci.yml@refs/tags/1");
    command.env("http_proxy", "http://proxy.example:3128");
    command.args(["config", "check", "timestamp.toml", "--service", "timestamp"]);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = fs::read_to_string(folder.join("seen")).expect("the program ran");
    assert!(seen.contains("INNOCENT=handed on"), "{seen}");
    assert!(seen.contains("http_proxy=http://proxy.example:3128"), "{seen}");
    assert!(seen.contains("COUNTERSIGN_CERTIFICATE_IDENTITY="), "{seen}");
    assert!(!seen.contains("tr0ub4dor"), "{seen}");
}
