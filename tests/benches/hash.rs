//! How fast `countersign verify` reads a large file, beside the digest alone.
//!
//! The program is run as a user runs it, on a file of 1 GiB in memory (tmpfs where there is one),
//! and timed in turns with the raw digest of as many octets. `make bench` builds the program first.

use std::{
    env,
    fs::File,
    hint::black_box,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use countersign_core::{
    crypto::aws_lc::AwsLc,
    digest::{HashAlgorithm, StreamingDigest},
};
use countersign_tests::world::{NOW, World};

const SIZE: usize = 1 << 30;
const BLOCK: usize = 1 << 20;
const ROUNDS: usize = 5;
const AIM: f64 = 0.95;

fn main() {
    let program = program();
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
    let folder = tempfile::tempdir_in(folder).expect("a temporary folder");
    let file = folder.path().join("big");
    write_big(&file);
    let world = World::new();
    println!("hashing 1 GiB");
    // A message signature of a P-384 key wants SHA-384; a statement is content with SHA-256.
    let small = b"another file";
    let bundles = [
        (HashAlgorithm::Sha384, world.sign(small, Some(NOW.minus_seconds(60)))),
        (HashAlgorithm::Sha256, world.attest("big", small, Some(NOW.minus_seconds(60)))),
    ];
    let trust = folder.path().join("trusted_root.json");
    std::fs::write(&trust, &world.trusted_root).expect("the trust root is written");
    for (algorithm, bundle) in bundles {
        let path = folder.path().join("bundle.json");
        std::fs::write(&path, bundle).expect("the bundle is written");
        let verify = || run(&program, &file, &path, &trust);
        let raw = || raw_digest(algorithm);
        bench(algorithm, verify, raw);
    }
}

fn program() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/countersign");
    assert!(folder.is_file(), "{} is missing: cargo build --release", folder.display());
    folder
}

fn write_big(path: &Path) {
    let mut file = File::create(path).expect("the file is created");
    let block: Vec<u8> = (0..BLOCK).map(|index| (index % 251) as u8).collect();
    for _ in 0..SIZE / BLOCK {
        file.write_all(&block).expect("the file is written");
    }
}

fn run(program: &Path, file: &Path, bundle: &Path, trust: &Path) {
    let status = Command::new(program)
        .args(["verify", "--offline", "--certificate-identity", "release@example.com"])
        .args(["--at", "2026-11-23T12:00:00Z", "--trusted-root"])
        .args([trust.as_os_str(), "--bundle".as_ref(), bundle.as_os_str(), file.as_os_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program runs");
    // The file is another one than was signed: content mismatch, after all of it was read.
    assert_eq!(status.code(), Some(10));
}

fn raw_digest(algorithm: HashAlgorithm) {
    let block: Vec<u8> = (0..BLOCK).map(|index| (index % 251) as u8).collect();
    let mut hash = StreamingDigest::new(&AwsLc, &[algorithm]);
    for _ in 0..SIZE / BLOCK {
        hash.update(black_box(&block));
    }
    black_box(hash.finish());
}

fn bench(algorithm: HashAlgorithm, verify: impl Fn(), raw: impl Fn()) {
    let timed = |call: &dyn Fn()| {
        let start = Instant::now();
        call();
        start.elapsed()
    };
    verify();
    let times: Vec<(Duration, Duration)> =
        (0..ROUNDS).map(|_| (timed(&verify), timed(&raw))).collect();
    let median = |mut values: Vec<Duration>| {
        values.sort_unstable();
        values[values.len() / 2].as_secs_f64()
    };
    let whole = median(times.iter().map(|(whole, _)| *whole).collect());
    let digest = median(times.iter().map(|(_, digest)| *digest).collect());
    let ratio = digest / whole;
    println!(
        "  {algorithm}  countersign verify {:>6.0} MiB/s   digest alone {:>6.0} MiB/s   ratio {ratio:.2} (aim ≥ {AIM})",
        1024.0 / whole,
        1024.0 / digest,
    );
}
