//! The programs of PostgreSQL that Debian installed; for the tests here and for the benchmark in
//! `tests/benches/revocation`.

use std::{fs, io, os::unix::process::CommandExt, path::PathBuf, process::Command};

use rustix::process::geteuid;

/// Where Debian has the binaries of each version.
const BINARIES: &str = "/usr/lib/postgresql";

/// A program of the newest version there is, run as somebody who is not root: PostgreSQL refuses
/// root.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(newest().join("bin").join(name));
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    command.current_dir("/").env_remove("PGHOST").env_remove("PGPORT");
    command
}

fn newest() -> PathBuf {
    let versions = fs::read_dir(BINARIES)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    versions
        .unwrap_or_default()
        .into_iter()
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| {
            path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()).unwrap_or(0)
        })
        .expect("PostgreSQL is installed (scripts/setup installs it)")
}

/// User and group to run as: nobody special when this is root, else whoever this is.
pub(crate) fn owner() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let number = |flag| {
        let output = Command::new("id").args([flag, "nobody"]).output().expect("id runs");
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().expect("a number")
    };
    Some((number("-u"), number("-g")))
}
