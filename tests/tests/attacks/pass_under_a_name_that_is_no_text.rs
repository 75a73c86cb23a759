//! A file's name has octets that are not UTF-8. Shown, all of them look alike (`�`), and so a file under one such name
//! passes for another, or a signer's file for one that this signer may not sign.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStringExt,
    path::Path,
    process::Output,
};

use countersign_tests::{
    programs::COUNTERSIGN,
    scenario::{Folder, Site},
};
use serde_json::Value;

/// `app`, an octet that no UTF-8 has.
fn odd(octet: u8) -> OsString {
    OsString::from_vec([b"app-", &[octet][..]].concat())
}

fn founded() -> Site {
    let mut site = Site::new(Folder::Removed).expect("a folder");
    site.make_passphrase().expect("a passphrase");
    let founding = site.founding_commands();
    let trust = "countersign trust init --dir ca --output trusted_root.json".to_owned();
    for line in [&founding[0], &founding[1], &trust] {
        site.shell.succeed(line).expect("founded");
    }
    site
}

fn countersign(site: &Site, words: &str, file: &OsStr) -> Output {
    let programs = site.shell.programs();
    let mut command = programs.command(programs.path(COUNTERSIGN), site.shell.folder());
    let passphrase = fs::read_to_string(site.shell.folder().join("passphrase")).expect("readable");
    command.env("COUNTERSIGN_KEY_PASSPHRASE", passphrase.trim());
    command.args(["--format", "json"]).args(words.split(' ')).arg(file);
    command.output().expect("it starts")
}

/// The report of a verification under a policy for `files` with `names`.
fn verify(site: &Site, file: &OsStr, files: &str, names: &str) -> Value {
    let policy = format!(
        r#"{{"version":1,"names":"{names}","timestamps":{{"required":0}},
            "signers":[{{"files":["{files}"],"identities":["release@example.org"]}}],
            "revocation":{{"signer":"off","authorities":"off","timestamp_authorities":"off"}}}}"#
    );
    fs::write(site.shell.folder().join("policy.json"), policy).expect("written");
    let words =
        "verify --trusted-root trusted_root.json --policy policy.json --bundle app.sigstore.json";
    let output = countersign(site, words, file);
    let value: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    value["results"][0].clone()
}

fn codes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|each| each["code"].as_str().expect("a code").to_owned()).collect()
}

const SIGN: &str = "sign --key signer.key --certificate signer.pem --trusted-root trusted_root.json \
                    --no-timestamp --no-revocation-check --statement --output app.sigstore.json";

/// The name that the old program signed for a file whose name is not UTF-8 is `app-�`.
#[test]
fn a_name_that_is_not_utf8_is_no_name() {
    let site = founded();
    let folder = site.shell.folder();
    fs::write(folder.join("app-\u{fffd}"), "an old release").expect("written");
    assert!(countersign(&site, SIGN, OsStr::new("app-\u{fffd}")).status.success());
    let exact = verify(&site, OsStr::new("app-\u{fffd}"), "**", "exact");
    assert_eq!(exact["verdict"], "verified", "{exact}");
    for octet in [0xfe, 0xff] {
        fs::write(folder.join(odd(octet)), "an old release").expect("written");
        let exact = verify(&site, &odd(octet), "**", "exact");
        assert_eq!(codes(&exact)[0], "content.name.not-supplied", "{exact}");
        assert_eq!(exact["verdict"], "not-checked", "{exact}");
        // As any other name, it is noted where names are noted.
        let noted = verify(&site, &odd(octet), "**", "noted");
        assert_eq!(noted["verdict"], "verified", "{noted}");
        assert!(codes(&noted).contains(&"content.name-differs".to_owned()), "{noted}");
        // It matches no pattern but the one for every file.
        for files in ["app-*", "other-*", "*"] {
            let other = verify(&site, &odd(octet), files, "noted");
            assert_eq!(codes(&other)[0], "setup.policy.no-signer", "{files}: {other}");
        }
    }
}

#[test]
fn a_name_that_is_not_utf8_is_not_signed() {
    let site = founded();
    fs::write(site.shell.folder().join(odd(0xff)), "x").expect("written");
    let output = countersign(&site, SIGN, &odd(0xff));
    let value: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let error =
        if value["error"].is_null() { &value["results"][0]["error"] } else { &value["error"] };
    assert_eq!(error["code"], "setup.usage.invalid", "{value}");
    assert!(!Path::new(&site.shell.folder().join("app.sigstore.json")).exists());
    // A signature of the file itself covers no name.
    assert!(countersign(&site, &SIGN.replace("--statement ", ""), &odd(0xff)).status.success());
}
