//! Who reads the log, the terminal of whoever checks a configuration, or a ticket, wants a part of the database's password.
//! An address in which a character was not escaped is taken apart at the wrong place, and what is shown or called unknown is
//! then a part of the password.

use std::fs;

use countersign_tests::{
    programs::REVOCATION,
    scenario::{Limits, Site},
};

const PARTS: [&str; 3] = ["hun", "4711", "ter2secret"];

/// Each is refused by what is wrong with it.
const WRONG: [&str; 8] = [
    "postgres://u:hun?ter2secret@127.0.0.1:9/r",
    "postgres://u:4711?ter2secret@127.0.0.1:9/r",
    "postgres://u:4711/ter2secret@127.0.0.1:9/r",
    "postgres://u:hun#ter2secret@127.0.0.1:9/r",
    "postgres://127.0.0.1:9/r?user=u&password=hun&ter2secret",
    "postgres://127.0.0.1:9/r?user=u&password=hun&ter2secret=4711",
    "host=localhost password=ter2secret",
    "postgres:u:ter2secret@127.0.0.1/r",
];

/// An `@` in a parameter needs no escape.
const RIGHT: [&str; 2] = [
    "postgres://u@127.0.0.1:9/r?password=hun@ter2secret",
    "postgres:///r?host=/nowhere&user=x&password=hun@ter2secret&sslmode=disable",
];

#[test]
fn no_part_of_a_databases_password_is_shown() {
    let site = Site::found(&Limits::Usual).expect("founded");
    let path = site.shell.folder().join("revocation.toml");
    let good = fs::read_to_string(&path).expect("a configuration");
    for address in WRONG.into_iter().chain(RIGHT) {
        let text = good.replace("\"revocation.db\"", &format!("\"{address}\""));
        assert_ne!(text, good);
        fs::write(&path, text).expect("written");
        // Nobody listens there; for how long a server is waited for is no matter here.
        for more in ["--check", ""] {
            let line = format!("timeout 3 {REVOCATION} --config revocation.toml {more}");
            let ran = site.shell.run(&line).expect("a shell");
            for part in PARTS {
                assert!(!ran.said().contains(part), "{address} {more}: {}", ran.said());
            }
            if WRONG.contains(&address) {
                assert_eq!(ran.exit_code, 2, "{address} {more}: {}", ran.said());
            }
        }
        for part in PARTS {
            let entries = fs::read_dir(site.shell.folder()).expect("a folder").flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            assert_eq!(names.filter(|name| name.contains(part)).count(), 0, "a file is named so");
        }
    }
}
