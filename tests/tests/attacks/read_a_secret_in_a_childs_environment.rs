//! `config check --service` starts a program, and hands it the passphrases; or it starts one that PATH finds.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use countersign_core::finding::FindingCode;
use countersign_tests::{
    programs::{COUNTERSIGN, TIMESTAMP},
    scenario::{Folder, Site},
};

const SECRETS: [&str; 3] =
    ["COUNTERSIGN_KEY_PASSPHRASE", "COUNTERSIGN_CA_PASSPHRASE", "COUNTERSIGN_PKCS11_PIN"];

/// Addresses with a login, in each way in which one is written.
const ADDRESSES: [(&str, &str); 5] = [
    ("https_proxy", "http://release:tr0ub4dor@proxy.example:3128"),
    ("HTTPS_PROXY", "release:tr0ub4dor@proxy.example:3128"),
    ("all_proxy", "socks5h://tr0ub4dor@proxy.example"),
    ("COUNTERSIGN_TSA_URLS", "http://tsa.example,https://release:tr0ub4dor@tsa.example/stamp"),
    ("COUNTERSIGN_ADMIN_URL", "https://tr0ub4dor@admin.example:3182"),
];

/// The command line's program with no service's program beside it, and one that PATH finds.
fn site() -> (Site, Command) {
    let site = Site::new(Folder::Removed).expect("a folder");
    let folder = site.shell.folder();
    for name in ["alone", "evil"] {
        fs::create_dir(folder.join(name)).expect("made");
    }
    let alone = folder.join("alone").join(COUNTERSIGN);
    fs::copy(site.shell.programs().path(COUNTERSIGN), &alone).expect("copied");
    put_program(&folder.join("evil").join(TIMESTAMP));
    fs::write(folder.join("timestamp.toml"), "").expect("written");
    let mut command = Command::new(&alone);
    command.current_dir(folder).env("PATH", folder.join("evil"));
    command.args(["--format", "json", "config", "check", "timestamp.toml"]);
    command.args(["--service", "timestamp"]);
    (site, command)
}

fn put_program(path: &Path) {
    fs::write(path, "#!/bin/sh\n/usr/bin/env > seen\n").expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
}

#[test]
fn no_program_is_started_that_path_finds() {
    let (site, mut command) = site();
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let answer = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(answer.contains(FindingCode::INPUT_UNREADABLE.code()), "{answer}");
    assert!(answer.contains("--program"), "{answer}");
    // A name without a folder is a file here, and not a program that PATH finds.
    let output = command.args(["--program", TIMESTAMP]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(!site.shell.folder().join("seen").exists());
}

#[test]
fn a_program_that_is_started_gets_no_secret() {
    let (site, mut command) = site();
    let folder = site.shell.folder();
    command.args(["--program", &format!("evil/{TIMESTAMP}")]);
    command.env("INNOCENT", "handed on").envs(SECRETS.map(|name| (name, "tr0ub4dor")));
    command.envs(ADDRESSES);
    command.env("COUNTERSIGN_CERTIFICATE_IDENTITY", "https://git.example/ci.yml@refs/tags/1");
    command.env("http_proxy", "http://proxy.example:3128");
    command.env("COUNTERSIGN_TIMESTAMP_LISTEN", "postgres://release:its-own@db.example/x");
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = fs::read_to_string(folder.join("seen")).expect("the program ran");
    assert!(seen.contains("INNOCENT=handed on"), "{seen}");
    assert!(seen.contains("http_proxy=http://proxy.example:3128"), "{seen}");
    assert!(seen.contains("COUNTERSIGN_CERTIFICATE_IDENTITY="), "{seen}");
    assert!(seen.contains("its-own"), "its own settings are for it: {seen}");
    assert!(!seen.contains("tr0ub4dor"), "{seen}");
}
