//! The npm package in Node: its own tests (`web/tests/node`), which also run the whole corpus
//! through WebAssembly and hold each report against the native one, byte for byte.
//!
//! `make test` has built the package by then (`make web` does it alone).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn test_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/target/tests");
    let entries = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make web`", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.to_string_lossy().ends_with(".test.js"))
        .collect();
    files.sort();
    files
}

/// The number behind `# NAME ` in TAP.
fn counted(tap: &str, name: &str) -> usize {
    let line = tap.lines().rev().find_map(|line| line.strip_prefix(&format!("# {name} ")));
    line.and_then(|number| number.trim().parse().ok())
        .unwrap_or_else(|| panic!("node does not say how many {name}:\n{tap}"))
}

#[test]
fn the_npm_package_passes_its_tests_and_agrees_with_the_native_core() {
    let corpus = tempfile::tempdir().expect("a folder");
    let folder = corpus.path().join("corpus");
    let written =
        Command::new(env!("CARGO_BIN_EXE_countersign-corpus")).arg(&folder).output().expect("runs");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let files = test_files();
    assert!(files.len() > 4, "only {} test files: run `make web`", files.len());
    let output = Command::new("node")
        .args(["--test", "--test-reporter=tap"])
        .args(&files)
        .env("COUNTERSIGN_CORPUS", format!("{}/", folder.display()))
        .output()
        .expect("node starts; `make test` brings one that is new enough");
    let tap = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{tap}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((counted(&tap, "fail"), counted(&tap, "skipped"), counted(&tap, "todo")), (0, 0, 0));
    assert!(counted(&tap, "pass") > 30, "{tap}");
}
