//! Somebody who can write to the CA's folder lays a symbolic link there: the CA appends to another file of the user's,
//! writes into another folder, or takes a file from elsewhere for its own.

use std::fs;

use countersign_tests::scenario::{Folder, Site};
use serde_json::Value;

const ISSUE: &str = "ca issue --dir ca --profile code-signer --email a@example.org --new-key new.key \
                     --output new.pem";
const CRL: &str = "ca crl --dir ca --ca root --output new.crl";
const RENEW: &str = "ca renew --dir ca --ca signing --days 3660 --output new.pem";
const LIST: &str = "ca list --dir ca";

fn founded() -> Site {
    let mut site = Site::new(Folder::Removed).expect("a folder");
    site.make_passphrase().expect("a passphrase");
    let founding = site.founding_commands();
    let first_two = founding.iter().take(2).map(String::as_str);
    let crl = "countersign ca crl --dir ca --ca root --output root.crl && cp -r ca untouched";
    for line in first_two.chain([crl]) {
        site.shell.succeed(line).expect("founded");
    }
    site
}

/// Moves what has that name in the CA's folder to `elsewhere` and lays a link in its place.
fn link(name: &str) -> String {
    format!("mv ca/{name} elsewhere && ln -s \"$PWD/elsewhere\" ca/{name}")
}

#[test]
fn no_link_in_the_folder_is_followed() {
    let site = founded();
    let mut issued = fs::read_dir(site.shell.folder().join("untouched/issued")).expect("a folder");
    let issued = issued.next().expect("the signer's certificate").expect("an entry").file_name();
    let issued = format!("issued/{}", issued.display());
    for (name, orders) in [
        ("ca.toml", &[LIST, ISSUE, CRL][..]),
        ("index.jsonl", &[LIST, ISSUE, RENEW]),
        ("issued", &[LIST, ISSUE, RENEW]),
        ("crls", &[CRL]),
        ("crls/root.crl", &[CRL]),
        ("signing", &[LIST, ISSUE, RENEW]),
        ("signing/certificate.pem", &[LIST, ISSUE, RENEW]),
        ("root/certificate.pem", &[CRL]),
        (issued.as_str(), &["ca renew --dir ca --certificate signer.pem --output new.pem"]),
    ] {
        for order in orders {
            let line = format!(
                "rm -rf ca elsewhere new.* && cp -r untouched ca && {} && cp -rp elsewhere before && \
                 countersign --format json {order}; code=$?; diff -r before elsewhere >&2 || exit 99; \
                 rm -rf before; exit $code",
                link(name)
            );
            let ran = site.shell.run(&line).expect("a shell");
            let value: Value = serde_json::from_str(&ran.stdout)
                .unwrap_or_else(|_| panic!("{name}, {order}: {}", ran.said()));
            let error = &value["error"];
            assert_eq!(error["code"], "setup.ca.altered", "{name}, {order}: {}", ran.said());
            let found = error["found"].as_str().expect("words");
            assert!(found.contains("symbolic link"), "{name}, {order}: {error}");
            assert_ne!(ran.exit_code, 99, "{name}, {order}: {}", ran.said());
            for made in ["new.pem", "new.crl", "new.key"] {
                assert!(!site.shell.folder().join(made).exists(), "{name}, {order}: {made}");
            }
        }
    }
}

/// What is not there yet is not made through a link either, and the folder itself may be reached by one.
#[test]
fn nothing_is_made_through_a_link_that_leads_to_nothing() {
    let site = founded();
    let folder = site.shell.folder();
    for (name, order) in [("index.jsonl", ISSUE), ("issued", ISSUE), ("crls", CRL)] {
        let line = format!(
            "rm -rf ca elsewhere new.* && cp -r untouched ca && rm -rf ca/{name} && \
             ln -s \"$PWD/elsewhere\" ca/{name} && countersign --format json {order}"
        );
        let ran = site.shell.run(&line).expect("a shell");
        let value: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
        assert_eq!(value["error"]["code"], "setup.ca.altered", "{name}: {}", ran.said());
        assert!(fs::symlink_metadata(folder.join("elsewhere")).is_err(), "{name}");
    }
    let line =
        format!("rm -rf ca && ln -s untouched ca && countersign {ISSUE} && countersign {CRL}");
    site.shell.succeed(&line).expect("the person who names the folder may name it by a link");
}
