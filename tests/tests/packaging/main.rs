//! What `packaging/` hands to operators, held against the programs: units that systemd understands,
//! a configuration that the service takes, figures that it exports.

mod figures;
mod revocation;
mod timestamp;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use countersign_tests::{
    clients::run,
    programs::{COUNTERSIGN, Programs},
};
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse battery staple";
/// `systemd-analyze security` counts tenths from 0 (nothing exposed) to 100.
const MOST_EXPOSURE: &str = "20";

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(packaging(folder)).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn systemd_understands_the_units_and_finds_little_exposed() {
    let programs = Programs::find().expect("the programs");
    let folder = tempfile::tempdir().expect("a folder");
    for unit in files("systemd") {
        let name = unit.file_name().expect("a name").to_string_lossy().into_owned();
        let program = name.strip_suffix(".service").expect("a service");
        let installed = format!("/usr/bin/{program}");
        let text = read(&unit);
        assert!(text.contains(&format!("ExecStart={installed} ")), "{name}");
        let built = programs.path(program);
        let text = text.replace(&installed, &built.display().to_string());
        fs::write(folder.path().join(&name), text).expect("written");
        let said = run("systemd-analyze", folder.path(), ["verify", "--man=no", &name]).succeeds();
        let complaints: Vec<&str> = said
            .lines()
            .filter(|line| line.contains(&name))
            // systemd before 253 keeps the Type= before it, which is why there is one.
            .filter(|line| !line.ends_with("Failed to parse service type, ignoring: notify-reload"))
            .collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        let threshold = format!("--threshold={MOST_EXPOSURE}");
        run(
            "systemd-analyze",
            folder.path(),
            ["security", "--offline=true", "--no-pager", &threshold, &name],
        )
        .succeeds();
    }
}

/// A folder in which these commands of ours were run, and which has the passphrase in a file.
fn site(programs: &Programs, commands: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for command in commands {
        let mut program = programs.command(programs.path(COUNTERSIGN), folder.path());
        program.args(command.split(' ')).env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE);
        let output = program.output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    write_secret(folder.path(), "passphrase");
    folder
}

fn write_secret(folder: &Path, name: &str) {
    let path = folder.join(name);
    fs::write(&path, PASSPHRASE).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("permitted");
}

/// Has the program `--check` the packaged configuration, with paths of this folder in the place of
/// installed ones.
fn check_configuration(programs: &Programs, program: &str, folder: &Path) {
    let name = program.trim_start_matches("countersign-");
    let mut text = read(&packaging(&format!("{name}.toml")));
    for installed in [
        format!("/run/credentials/{program}.service/"),
        format!("/etc/countersign/{name}/"),
        format!("/var/lib/{program}/"),
    ] {
        assert!(text.contains(&installed), "{installed}");
        text = text.replace(&installed, "");
    }
    fs::write(folder.join("packaged.toml"), text).expect("written");
    let mut check = programs.command(programs.path(program), folder);
    let output = check.args(["--config", "packaged.toml", "--check"]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn units_and_configurations_name_the_same_credentials() {
    for unit in files("systemd") {
        let program = unit.file_stem().expect("a name").to_string_lossy().into_owned();
        let name = program.trim_start_matches("countersign-");
        let text = read(&unit);
        let loaded = text.lines().filter_map(|line| line.strip_prefix("LoadCredential="));
        let mut loaded: Vec<&str> =
            loaded.filter_map(|line| Some(line.split_once(':')?.0)).collect();
        loaded.sort_unstable();
        let configuration = read(&packaging(&format!("{name}.toml")));
        let folder = format!("\"/run/credentials/{program}.service/");
        // What is only an example in a comment is loaded by a drop-in.
        let settings = configuration.lines().filter(|line| !line.starts_with('#'));
        let mut named: Vec<&str> =
            settings.filter_map(|line| line.split_once(&folder)?.1.split('"').next()).collect();
        named.sort_unstable();
        assert!(!loaded.is_empty(), "{program}");
        assert_eq!(loaded, named, "{program}");
    }
}
