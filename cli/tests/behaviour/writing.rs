//! Nothing is left half-written, and nothing is replaced that must not be.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::world::{PASSPHRASE, World, command};

#[test]
fn leaves_nothing_where_it_cannot_write() {
    let world = World::new();
    world.write("app", "x");
    fs::create_dir(world.file("taken")).expect("made");
    let before = world.names();
    for output in ["/proc/none", "missing/out", "taken", "/dev/null", "app/below", "/sys/out"] {
        let run = world.sign(&["app", "--output", output, "--force"]).exits_with(3);
        assert_eq!(run.finding(), "setup.output.unwritable", "{output}");
        for text in [
            format!("--format json policy init --identity a@example.org --force --output {output}"),
            format!("--format json trust init --dir ca --force --output {output}"),
            format!("--format json ca crl --dir ca --ca root --output {output}"),
            format!(
                "--format json ca renew --dir ca --certificate signer.pem --force --output {output}"
            ),
        ] {
            let run = world.keyed(&text.split(' ').collect::<Vec<_>>()).exits_with(3);
            assert_eq!(run.finding(), "setup.output.unwritable", "{text}");
        }
        let run = world.keyed(&["--format", "json", "key", "generate", output]).exits_with(3);
        assert_eq!(run.finding(), "setup.output.unwritable", "{output}");
    }
    assert_eq!(world.names(), before);
    assert!(fs::read_dir(world.file("taken")).expect("readable").next().is_none());
    assert!(!fs::metadata("/dev/null").expect("there").is_file());
}

#[test]
fn manual_pages_replace_nothing_unasked() {
    let world = World::bare();
    world.json(&["man", "pages"]).exits_with(0);
    fs::remove_file(world.file("pages/countersign.1")).expect("removed");
    world.write("pages/countersign-verify.1", "somebody's own page");
    let refused = world.json(&["man", "pages"]).exits_with(3);
    assert_eq!(refused.finding(), "setup.output.unwritable");
    assert_eq!(world.read("pages/countersign-verify.1"), b"somebody's own page");
    assert!(!world.file("pages/countersign.1").exists(), "all of them or none");
    world.json(&["man", "pages", "--force"]).exits_with(0);
    assert_ne!(world.read("pages/countersign-verify.1"), b"somebody's own page");
    // What --force replaces is a file, and no key.
    world.write("pages/countersign-verify.1", "-----BEGIN PRIVATE KEY-----\n");
    let refused = world.json(&["man", "pages", "--force"]).exits_with(3);
    assert_eq!(refused.finding(), "setup.output.unwritable");
    assert_eq!(world.json(&["man", "--force"]).exits_with(2).finding(), "setup.usage.invalid");
}

#[test]
fn a_full_disk_leaves_nothing() {
    // /dev/full takes nothing; as stdout it must not look like success.
    let world = World::bare();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("there on Linux");
    let status = command(world.path())
        .arg("version")
        .stdout(Stdio::from(full))
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.expect("starts").code(), Some(3));
}

#[test]
fn an_interruption_ends_with_130_and_leaves_nothing() {
    let world = World::new();
    let file = fs::File::create(world.file("huge")).expect("made");
    // Nobody hashes that within the test.
    file.set_len(1 << 42).expect("sparse files");
    let before = world.names();
    let mut child = command(world.path())
        .env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE)
        .args(["sign", "huge", "--key", "signer.key", "--certificate", "signer.pem"])
        .args(["--trusted-root", "trusted_root.json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    // It has the file open: then it is at work on it, and listens to signals long since.
    let descriptors = format!("/proc/{}/fd", child.id());
    let opened = || {
        fs::read_dir(&descriptors).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                fs::read_link(entry.path()).is_ok_and(|target| target.ends_with("huge"))
            })
        })
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while !opened() {
        assert!(Instant::now() < deadline, "it never opened the file");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("not zero");
    kill_process(pid, Signal::INT).expect("sent");
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    assert_eq!(world.names(), before);
}
