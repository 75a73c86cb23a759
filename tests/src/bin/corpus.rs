//! Writes the corpus as files, each case with the report that it must lead to.
//!
//! `cargo run -p countersign-tests --bin countersign-corpus -- [FOLDER]`, by default
//! `target/corpus`. What stands in a case's folder says `countersign_tests::corpus`. A folder that
//! is there is replaced.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use countersign_core::crypto::aws_lc::AwsLc;
use countersign_tests::corpus::{Case, cases};

fn main() -> ExitCode {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/corpus");
    let folder = env::args_os().nth(1).map_or(default, PathBuf::from);
    let cases = cases();
    match write(&folder, &cases) {
        Ok(()) => {
            println!("{} cases in {}", cases.len(), folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("countersign-corpus: {}: {error}", folder.display());
            ExitCode::from(3)
        }
    }
}

fn write(folder: &Path, cases: &[Case]) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for (index, case) in cases.iter().enumerate() {
        let folder = folder.join(format!("{index:03}-{}", case.name));
        fs::create_dir_all(&folder)?;
        for (name, octets) in case.files() {
            fs::write(folder.join(name), octets)?;
        }
        let report = serde_json::to_string(&case.verify(&AwsLc))?;
        fs::write(folder.join("expected-report.json"), report)?;
    }
    Ok(())
}
