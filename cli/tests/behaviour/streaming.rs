//! Files of any size in constant memory.

use std::{fs, process::Stdio};

use crate::world::{World, command};

const SIZE: u64 = 200 << 20;
const MAXIMUM_KIBIBYTES: u64 = 60 << 10;

#[test]
fn a_large_file_costs_no_memory() {
    let world = World::new();
    fs::File::create(world.file("large"))
        .and_then(|file| file.set_len(SIZE))
        .expect("sparse files");
    world.sign(&["large", "--statement"]).succeeds();
    let mut child = command(world.path())
        .args(["verify", "large", "--trusted-root", "trusted_root.json", "--policy", "policy.json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    // VmHWM is the peak so far; the last reading before the end counts. What comes after the file
    // was read is small.
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let mut readings = 0;
    let exit = loop {
        if let Some(reading) = peak_kibibytes(&status) {
            peak = peak.max(reading);
            readings += 1;
        }
        if let Some(exit) = child.try_wait().expect("a child") {
            break exit;
        }
    };
    assert_eq!(exit.code(), Some(0));
    assert!(readings > 10, "only {readings} readings: it was not seen at work");
    assert!(peak > 0 && peak < MAXIMUM_KIBIBYTES, "{peak} KiB");
}

fn peak_kibibytes(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_download_cut_short_is_not_read_at_all() {
    let world = World::new();
    fs::File::create(world.file("large"))
        .and_then(|file| file.set_len(SIZE))
        .expect("sparse files");
    world.sign(&["large", "--statement"]).succeeds();
    fs::File::options()
        .write(true)
        .open(world.file("large"))
        .and_then(|file| file.set_len(SIZE - 1))
        .expect("cut");
    let run = world.verify(&["large"]).exits_with(10);
    assert_eq!(run.finding(), "content.incomplete");
    let artifact = &run.json()["results"][0]["artifact"];
    assert_eq!(artifact["digests"].as_array().map(Vec::len), Some(0), "it was hashed: {artifact}");
}

#[test]
fn reads_a_pipe() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    let mut child = command(world.path())
        .args([
            "verify",
            "/dev/stdin",
            "--bundle",
            "app.sigstore.json",
            "--trusted-root",
            "trusted_root.json",
        ])
        .args(["--policy", "policy.json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), b"x").expect("written");
    assert_eq!(child.wait().expect("ends").code(), Some(0));
}
