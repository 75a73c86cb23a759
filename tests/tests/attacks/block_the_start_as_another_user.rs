//! Another user of the machine locks a service's files, so that it does not start again, or reads who administers:
//! whatever the umask of who starts the service, its files are its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Stdio},
};

use countersign_tests::{
    programs::{REVOCATION, TIMESTAMP},
    scenario::{Limits, Site},
};

/// A service that is killed with this.
struct Loose(Child);

impl Drop for Loose {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a service under a umask that takes nothing away, and waits until it listens.
fn start(site: &Site, program: &str, configuration: &str) -> Loose {
    let mut command = site.shell.programs().command("sh", site.shell.folder());
    command.args(["-c", "umask 0; exec \"$0\" --config \"$1\"", program, configuration]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut service = Loose(command.spawn().expect("it starts"));
    let output = service.0.stdout.take().expect("a pipe");
    let listens = |line: &str| line.contains("public listening on");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    assert!(lines.any(|line| listens(&line)), "{program} ended");
    service
}

/// The files and folders that are not there in `before`, with who may do what to them.
fn made(folder: &Path, before: &[String]) -> Vec<(String, u32)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one"));
    let mut all = Vec::new();
    for entry in entries {
        let name = entry.path().to_string_lossy().into_owned();
        let metadata = entry.metadata().expect("metadata");
        let is_new = !before.contains(&name);
        if is_new {
            all.push((name, metadata.permissions().mode() & 0o777));
        }
        if metadata.is_dir() && is_new {
            all.extend(made(&entry.path(), before));
        }
    }
    all
}

#[test]
fn what_a_service_makes_is_its_own_whatever_the_umask() {
    let site = Site::found(&Limits::Usual).expect("founded");
    let folder = site.shell.folder();
    let timestamp = folder.join("timestamp.toml");
    let text = fs::read_to_string(&timestamp).expect("a configuration");
    fs::write(&timestamp, format!("{text}\n[audit]\nfolder = \"ledger\"\n")).expect("written");
    let before: Vec<_> = made(folder, &[]).into_iter().map(|(name, _)| name).collect();
    let services =
        [start(&site, TIMESTAMP, "timestamp.toml"), start(&site, REVOCATION, "revocation.toml")];
    let all = made(folder, &before);
    let has = |part: &str| all.iter().any(|(name, _)| name.ends_with(part));
    for part in ["revocation.db", "revocation.db-wal", "revocation.db-shm", "lock", "00000"] {
        assert!(has(part), "{part}: {all:?}");
    }
    for (name, mode) in &all {
        let is_folder = Path::new(name).is_dir();
        // A group may be let into a ledger's folder on purpose; others never, and nobody else writes.
        let is_record = name.contains("/pending/");
        let most = if is_folder || is_record { 0o750 } else { 0o600 };
        assert_eq!(mode & !most, 0, "{name} {mode:o}");
    }
    // flock(2) wants an open file, which the modes deny; and so says whoever tries.
    site.shell.succeed("chmod 755 .").expect("set");
    for (name, _) in all.iter().filter(|(name, _)| name.ends_with("lock")) {
        let line =
            format!("setpriv --reuid=65534 --regid=65534 --clear-groups flock -n {name} true");
        let ran = site.shell.run(&line).expect("a shell");
        assert!(ran.exit_code != 0 && ran.said().contains("denied"), "{name}: {}", ran.said());
    }
    drop(services);
    start(&site, REVOCATION, "revocation.toml");
}
