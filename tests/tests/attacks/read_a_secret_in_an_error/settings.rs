//! Every key of the settings file and every variable that the documentation names.

use std::{collections::BTreeSet, fs};

use super::{HELD, PASSWORD, Secrets, bare_addresses, each, quoted, seeds, text};

const DOCUMENTATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");

/// Commands that read every setting.
const READERS: [&str; 6] = [
    "config check",
    "sign app --force --trusted-root trusted_root.json --no-timestamp",
    "verify app --trusted-root trusted_root.json",
    "timestamp request app --output app.tsr --retries 0",
    "revocation list --issuer signing",
    "ca crl --dir ca --ca signing --output app.crl",
];

/// The settings file, where every program finds it.
const FILE: &str = "countersign/config.toml";

/// Settings that are right; nobody listens at the addresses.
pub(super) fn write_good(secrets: &Secrets) {
    let folder = secrets.folder();
    fs::create_dir_all(folder.join("countersign")).expect("made");
    let settings = "trusted_root = '../trusted_root.json'\npolicy = '../policy.json'\n\
                    key = '../signer.key'\ncertificate = '../signer.pem'\n\
                    admin_url = 'https://127.0.0.1:9'\n\
                    admin_certificate = '../admin.pem'\nadmin_key = '../admin.key'\n\
                    admin_ca = '../ca/root/certificate.pem'\n";
    fs::write(folder.join(FILE), settings).expect("written");
}

/// The rows of the documentation's table: a key, and variables.
fn documented() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = fs::read_to_string(DOCUMENTATION).expect("the documentation");
    let (_, table) = text.split_once("| Key | Environment | Flag |\n").expect("the table");
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let keys = rows.iter().filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    let variables = quoted(&text).filter(|word| {
        word.starts_with("COUNTERSIGN_")
            && word.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_')
    });
    let owned = |word: &str| word.to_owned();
    (
        keys.map(owned).collect(),
        variables.filter(|name| *name != "COUNTERSIGN_").map(owned).collect(),
    )
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn no_setting_and_no_variable_is_repeated_with_its_secret() {
    let secrets = Secrets::found();
    settings_are_not_repeated(&secrets);
    write_good(&secrets);
    addresses_in_variables_are_not_repeated(&secrets);
    secrets_in_variables_are_not_repeated(&secrets);
    secrets.search_files();
}

fn settings_are_not_repeated(secrets: &Secrets) {
    let (keys, _) = documented();
    assert!(keys.len() > 10, "{keys:?}");
    let mut all = Vec::new();
    for (place, key) in keys.iter().chain([&"no_such_key".to_owned()]).enumerate() {
        let bare = bare_addresses().into_iter().filter(|_| key.contains("url"));
        for (number, seed) in seeds().into_iter().chain(bare).enumerate() {
            for (form, line) in [
                format!("{key} = '{seed}'"),
                format!("{key} = ['{seed}']"),
                format!("{key} = {{ a = '{seed}' }}"),
                format!("{key} = '{seed}"),
                format!("{key} = {seed}"),
                format!("{key} = 1 '{seed}'"),
            ]
            .iter()
            .enumerate()
            {
                let name = format!("{place}-{form}-{number}.toml");
                fs::write(secrets.folder().join(&name), format!("{line}\n")).expect("written");
                // What is not of the right form is read by all of them alike.
                let is_list = key == "timestamp_urls";
                let readers = if form == usize::from(is_list) { READERS.len() } else { 1 };
                all.extend(READERS[..readers].iter().map(|reader| (name.clone(), *reader)));
            }
        }
    }
    each(&all, |(name, reader)| {
        let arguments = [words(&format!("--format json --config {name}")), words(reader)].concat();
        let line = || fs::read_to_string(secrets.folder().join(name)).expect("readable");
        secrets.search(&format!("{reader}: {}", line()), &secrets.countersign(&arguments));
    });
    let mut names: Vec<_> = all.into_iter().map(|(name, _)| name).collect();
    names.dedup();
    for name in names {
        fs::remove_file(secrets.folder().join(name)).expect("removed");
    }
}

fn addresses_in_variables_are_not_repeated(secrets: &Secrets) {
    let (_, mut variables) = documented();
    for name in ["COUNTERSIGN_TSA_URLS", "COUNTERSIGN_ADMIN_URL", "COUNTERSIGN_KEY"] {
        assert!(variables.contains(name), "{variables:?}");
    }
    let proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "NO_PROXY"];
    variables.extend(proxies.map(str::to_owned));
    let mut all = Vec::new();
    for name in variables.iter().filter(|name| !HELD.contains(&name.as_str())) {
        let proxy = format!("release:{PASSWORD}@127.0.0.1:9");
        let no_proxy = format!("ftp://release:{PASSWORD}@127.0.0.1:99999");
        let bare = bare_addresses().into_iter().filter(|_| name.contains("URL"));
        for value in seeds().into_iter().chain([proxy, no_proxy]).chain(bare) {
            // Without a scheme it is an address for proxies alone.
            let is_proxy = name.to_ascii_lowercase().ends_with("_proxy");
            if is_proxy || value.contains(':') == value.contains("://") || value.contains("pkcs11")
            {
                all.extend(READERS.map(|reader| (name.clone(), value.clone(), reader)));
            }
        }
    }
    each(&all, |(name, value, reader)| {
        let mut command = secrets.command("countersign");
        command.env(name, value);
        if name.to_ascii_lowercase().ends_with("_proxy") {
            // Not this machine, which is never asked by a proxy.
            command.env("COUNTERSIGN_TSA_URLS", "http://tsa.example.test");
            command.env("COUNTERSIGN_ADMIN_URL", "https://admin.example.test");
        }
        let output = command.args(words(reader)).output().expect("it starts");
        secrets.search(&format!("{name}={value} {reader}"), &output);
    });
}

/// A passphrase that does not fit is in no message either.
fn secrets_in_variables_are_not_repeated(secrets: &Secrets) {
    for reader in READERS {
        let mut command = secrets.command("countersign");
        command.envs(HELD.map(|name| (name, PASSWORD)));
        let output = command.args(words(reader)).output().expect("it starts");
        secrets.search(reader, &output);
        if reader.starts_with("sign") {
            let said = text(&output.stderr);
            assert!(said.contains("wrong passphrase"), "it was tried: {said}");
        }
    }
}
