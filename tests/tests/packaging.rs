//! What `packaging/` hands to operators, held against the programs: units that systemd understands,
//! a configuration that the service takes, figures that it exports.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use countersign_tests::{
    clients::run,
    programs::{COUNTERSIGN, Programs, Service, TIMESTAMP},
};
use serde_json::Value;
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

/// A folder with a key and certificates for the timestamp service.
fn timestamp_site(programs: &Programs) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for command in [
        "ca init ca --organisation Example --base-url http://127.0.0.1:9",
        "ca issue --dir ca --profile tsa --new-key key.pem --output chain.pem",
        "ca issue --dir ca --profile tls-server --ip 127.0.0.1 --new-key tls.key --output tls.pem",
    ] {
        let mut program = programs.command(programs.path(COUNTERSIGN), folder.path());
        program.args(command.split(' ')).env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE);
        let output = program.output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let passphrase = folder.path().join("passphrase");
    fs::write(&passphrase, PASSPHRASE).expect("written");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).expect("permitted");
    folder
}

#[test]
fn the_timestamp_service_takes_the_configuration() {
    let programs = Programs::find().expect("the programs");
    let folder = timestamp_site(&programs);
    let mut text = read(&packaging("timestamp.toml"));
    for (installed, here) in [
        ("/run/credentials/countersign-timestamp.service/", ""),
        ("/etc/countersign/timestamp/", ""),
        ("/var/lib/countersign-timestamp/", ""),
    ] {
        assert!(text.contains(installed), "{installed}");
        text = text.replace(installed, here);
    }
    fs::write(folder.path().join("timestamp.toml"), text).expect("written");
    let mut check = programs.command(programs.path(TIMESTAMP), folder.path());
    let output = check.args(["--config", "timestamp.toml", "--check"]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The names of figures in a `PromQL` expression.
fn figures(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = |word: &&str| word.starts_with("countersign_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

/// Every value of a member `name`, however deep.
fn members<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str().filter(|_| key == name) {
                    Some(text) => found.push(text),
                    None => members(value, name, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| members(value, name, found)),
        _ => {}
    }
}

/// The figures that the dashboard and the alerts of the timestamp service name.
fn named_figures() -> BTreeSet<String> {
    let dashboard: Value =
        serde_json::from_str(&read(&packaging("grafana/timestamp.json"))).expect("JSON");
    let mut expressions = Vec::new();
    members(&dashboard, "expr", &mut expressions);
    assert!(expressions.len() > 20, "{expressions:?}");
    let alerts = read(&packaging("prometheus/timestamp-alerts.yml"));
    let rules = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let rules: Vec<&str> = rules.collect();
    assert_eq!(rules.len(), alerts.matches("- alert: ").count());
    let documented = read(&packaging("../docs/timestamp-service.md"));
    for name in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(documented.contains(name), "docs/timestamp-service.md does not speak of {name}");
    }
    expressions.into_iter().chain(rules).flat_map(figures).collect()
}

/// Fetches with curl until `enough` says so.
fn fetch_until(url: &str, folder: &Path, enough: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let arguments = ["--silent", "--show-error", "--fail", "--insecure", "--noproxy", "*", url];
        let text = run("curl", folder, arguments).succeeds();
        if enough(&text) || Instant::now() > deadline {
            return text;
        }
    }
}

#[test]
fn every_figure_of_dashboard_and_alerts_is_exported() {
    let programs = Programs::find().expect("the programs");
    let folder = timestamp_site(&programs);
    let common = "metrics_listen = '127.0.0.1:0'\nlisten = '127.0.0.1:0'\nkey = 'key.pem'\n\
                  key_passphrase_file = 'passphrase'\ncertificate_chain = 'chain.pem'\n\
                  [[policy]]\noid = '1.2.3.4'\n[audit]\nfolder = 'FOLDER'\n";
    // One that issues; and one with TLS and with a time source that never answers.
    let tables = [
        ("a", String::new()),
        (
            "b",
            "[tls]\ncertificate = 'tls.pem'\nkey = 'tls.key'\nkey_passphrase_file = 'passphrase'\n\
             [clock]\nsources = ['ntp:127.0.0.1:9']\n"
                .to_owned(),
        ),
    ];
    let mut exported = String::new();
    for (name, tables) in tables {
        let configuration = format!("{name}.toml");
        let text = format!("{}{tables}", common.replace("FOLDER", name));
        fs::write(folder.path().join(&configuration), text).expect("written");
        let listeners = ["public", "metrics"];
        let service =
            Service::start(&programs, TIMESTAMP, folder.path(), &configuration, &listeners)
                .unwrap_or_else(|error| panic!("{error}"));
        let query = "ts -query -digest \
                     2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 -out query";
        run("openssl", folder.path(), query.split_whitespace()).succeeds();
        let url = service.url("public");
        let post = format!(
            "--silent --show-error --insecure --noproxy * --output answer \
             --header Content-Type:application/timestamp-query --data-binary @query {url}/"
        );
        run("curl", folder.path(), post.split_whitespace()).succeeds();
        let metrics = format!("{}/metrics", service.url("metrics"));
        let seen = |text: &str| name == "a" || text.contains("countersign_clock_polls_total{");
        exported.push_str(&fetch_until(&metrics, folder.path(), seen));
        service.stop().expect("it ends");
    }
    let exported: BTreeSet<&str> = exported
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap_or_default())
        .collect();
    let named = named_figures();
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<&String> =
        named.iter().filter(|name| !exported.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not exported: {missing:?}, but {exported:?}");
}
