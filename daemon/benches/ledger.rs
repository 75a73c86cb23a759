//! Appends a second to the audit ledger, by callers, beside what the disk can flush in the same run.
//!
//! On the disk that holds cargo's target folder: a file system in memory would flush for nothing.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use countersign_daemon::ledger::{Durability, Ledger, Options};
use serde::Serialize;
use tokio::runtime::Builder;

/// Each measurement lasts this long.
const SPAN: Duration = Duration::from_secs(3);

/// As large as a timestamp service's record.
#[derive(Debug, Serialize)]
struct Record {
    serial: &'static str,
    algorithm: &'static str,
    imprint: &'static str,
    policy: &'static str,
    time: &'static str,
}

const RECORD: Record = Record {
    serial: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    algorithm: "sha384",
    imprint: "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    policy: "1.3.6.1.4.1.99999.1",
    time: "2026-11-23T07:05:00Z",
};

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    println!("audit ledger on {}", folder.path().display());
    println!(
        "{:<22}{:>12}{:>10}{:>18}{:>8}",
        "", "records/s", "p99 ms", "fdatasync alone/s", "ratio"
    );
    for (durability, callers) in [
        (Durability::Strict, 1),
        (Durability::Strict, 16),
        (Durability::Strict, 256),
        (Durability::Relaxed, 16),
    ] {
        let name = format!("{durability:?}, {callers} callers").to_lowercase();
        let folder = folder.path().join(name.replace([',', ' '], ""));
        std::fs::create_dir(&folder).expect("made");
        // Before and after: a disk is not the same from one second to the next.
        let before = flushes_alone(&folder);
        let (appended, p99) = appends(&folder, durability, callers);
        let alone = f64::midpoint(before, flushes_alone(&folder));
        let ratio = appended / alone;
        println!("{name:<22}{appended:>12.0}{p99:>10.2}{alone:>18.0}{ratio:>8.1}");
    }
}

/// Flushes a second of a file that grows by a record each.
fn flushes_alone(folder: &Path) -> f64 {
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).open(folder.join("alone")).expect("opened");
    let line = [b'x'; 400];
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < SPAN {
        file.write_all(&line).expect("written");
        file.sync_data().expect("flushed");
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// Appends a second, and the slowest of a hundred.
fn appends(folder: &Path, durability: Durability, callers: u32) -> (f64, f64) {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let options = Options { durability, ..Options::new("bench") };
    let ledger = Ledger::open(folder, options).expect("opened");
    let start = Instant::now();
    let calling: Vec<_> = (0..callers)
        .map(|_| {
            let ledger = ledger.clone();
            runtime.spawn(async move {
                let mut waits = Vec::new();
                while start.elapsed() < SPAN {
                    let asked = Instant::now();
                    ledger.append("token", &RECORD).await.expect("kept");
                    waits.push(asked.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    runtime.block_on(async {
        for caller in calling {
            waits.extend(caller.await.expect("no panic"));
        }
    });
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    let count = u32::try_from(waits.len()).unwrap_or(u32::MAX);
    (f64::from(count) / start.elapsed().as_secs_f64(), p99.as_secs_f64() * 1000.0)
}
