//! The runbook docs/key-compromise.md, step by step as the operator would: its own commands, in
//! order, against the real services.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use countersign_tests::scenario::{Limits, Site};
use serde_json::Value;

fn runbook() -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/key-compromise.md");
    fs::read_to_string(path).expect("the runbook")
}

/// The shell commands of a page.
fn blocks(page: &str) -> Vec<String> {
    page.split("```sh\n")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect()
}

/// Adds the second person to the service's configuration.
fn with_second_person(site: &Site) {
    let issue = "countersign ca issue --dir ca --profile tls-client --email second@example.org \
                 --new-key second.key --output second.pem";
    site.shell.succeed(issue).expect("issued");
    let path = site.shell.folder().join("revocation.toml");
    let mut file = fs::File::options().append(true).open(path).expect("opened");
    let second = "\n[[administrator]]\nidentity = \"second@example.org\"\nroles = [\"approver\"]\n";
    file.write_all(second.as_bytes()).expect("written");
}

#[test]
fn every_command_of_the_runbook_does_what_it_says() {
    let mut site = Site::found(&Limits::Usual).expect("a site");
    with_second_person(&site);
    let timestamp = site.start_timestamp().expect("started");
    let revocation = site.start_revocation().expect("started");
    site.export_administration(&revocation);
    let (public_url, timestamp_url) = (site.base_url(), timestamp.url("public"));
    site.shell.export("PUBLIC_URL", &public_url);
    site.shell.export("TIMESTAMP_URL", timestamp_url);
    // What was there before: a certificate and a release, registered as they should be.
    for line in [
        "countersign revocation register signer.pem",
        "echo program > App.tar.gz",
        "countersign sign App.tar.gz --key signer.key --certificate signer.pem \
         --trusted-root trusted_root.json --timestamp-url \"$TIMESTAMP_URL\"",
        "countersign revocation register --bundle App.tar.gz.sigstore.json",
    ] {
        site.shell.succeed(line).expect("the start");
    }
    let page = runbook();
    // Since before that release, so that it is affected: the page tells to write one's own time.
    let certificate_time = "SINCE=$(date -u -d '-20 seconds' +%Y-%m-%dT%H:%M:%SZ)";
    let page = page.replace("SINCE=$(date -u +%Y-%m-%dT%H:%M:%SZ)", certificate_time);
    let blocks = blocks(&page);
    assert_eq!(blocks.len(), 10, "the commands of the runbook");
    // One shell for all of them, as the operator's: a variable set in one step is there in the next.
    let script = format!("set -eu\nset -o pipefail\n{}", blocks.join("\n"));
    fs::write(site.shell.folder().join("runbook.sh"), script).expect("written");
    let ran = site.shell.succeed("bash runbook.sh").expect("every step");

    let revoked = fs::read_to_string(site.shell.folder().join("revoked.json")).expect("kept");
    let revoked: Value = serde_json::from_str(&revoked).expect("JSON");
    let affected = &revoked["result"]["affected_releases"];
    assert_eq!(affected[0]["name"], "App.tar.gz", "{revoked}");
    assert!(ran.said().contains("Would be revoked"), "{}", ran.said());
    assert!(ran.said().contains("approved"), "{}", ran.said());
    // The proposal was carried out: the date is the one the operator chose.
    site.shell
        .succeed("countersign revocation list --issuer signing --format json > listed.json")
        .expect("listed");
    let listed = fs::read_to_string(site.shell.folder().join("listed.json")).expect("kept");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let date = &listed["result"]["certificates"][0]["revocation"]["revocation_date"];
    assert_eq!(*date, revoked["result"]["revocation_date"]);
    // Who ordered what, and who approved.
    let record = fs::read_to_string(site.shell.folder().join("incident.jsonl")).expect("kept");
    for words in ["laptop stolen, ticket 4711", "checked with the owner of the log", "second@"] {
        assert!(record.contains(words), "{words} is not in\n{record}");
    }
    drop((timestamp, revocation));
}
