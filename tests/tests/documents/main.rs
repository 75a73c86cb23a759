//! Documents say what the code does: the findings page, the schemas, the examples in prose.

mod findings;

use std::{env, fs, path::PathBuf};

use countersign_cli::codes;
use countersign_core::{policy::Policy, tlog::EntryKind};
use countersign_tests::world::{Given, NOW, World};
use serde_json::{Value, json};

fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(relative)
}

fn read(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

fn schema(relative: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&read(relative)).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

/// `COUNTERSIGN_WRITE_DOCUMENTS=1` writes the page instead of comparing it (`make doc`).
#[test]
fn the_findings_page_is_current() {
    let page = findings::page();
    if env::var_os("COUNTERSIGN_WRITE_DOCUMENTS").is_some() {
        fs::write(path("docs/findings.md"), &page).expect("docs/findings.md can be written");
    }
    assert_eq!(read("docs/findings.md"), page, "run `make doc`");
}

#[test]
fn reports_follow_their_schema() {
    let validator = schema("docs/report.schema.json");
    let world = World::new();
    let given = world.given(b"file");
    let bundles = [
        world.sign(b"file", Some(NOW.minus_seconds(60))),
        world.attest("other", b"other", Some(NOW.minus_seconds(60))),
        b"{}".to_vec(),
    ];
    for bundle in bundles {
        let without_name = Given { name: None, ..given.clone() };
        for given in [&given, &without_name] {
            let report = serde_json::to_value(world.verify(&bundle, given)).expect("JSON");
            let faults: Vec<String> =
                validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}\n{report:#}");
        }
    }
}

/// What the schema refuses the decoder refuses, and the other way round.
#[test]
fn the_policy_schema_and_the_decoder_agree() {
    let validator = schema("docs/policy.schema.json");
    let signers = json!([{"files": ["**"], "identities": ["release@example.com"]}]);
    let with = |key: &str, value: Value| {
        let mut policy = json!({"version": 1, "signers": signers});
        policy[key] = value;
        policy
    };
    let cases = [
        (true, json!({"version": 1, "signers": signers})),
        (true, with("$schema", json!("policy.schema.json"))),
        (true, with("timestamps", json!({"required": 0}))),
        (true, with("transparency", json!("off"))),
        (true, with("transparency", json!("required"))),
        (true, with("certificate_transparency", json!("when-listed"))),
        (true, with("revocation", json!({}))),
        (true, with("revocation", json!({"signer": "off", "authorities": "required"}))),
        (true, with("revocation", json!({"offline": {"max_age_seconds": 1}}))),
        (true, with("revocation", json!({"max_age_seconds": null, "compromise": "reject"}))),
        (false, json!({"version": 2, "signers": signers})),
        (false, json!({"signers": signers})),
        (false, json!({"version": 1, "signers": []})),
        (false, json!({"version": 1, "signers": [{"files": ["**"], "identities": ["**"]}]})),
        (false, json!({"version": 1, "signers": [{"files": ["**"], "identities": [""]}]})),
        (false, json!({"version": 1, "signers": [{"files": ["**"], "identities": ["*@*"]}]})),
        (
            false,
            json!({"version": 1, "signers": [{"files": ["**"], "identities": ["https://**"]}]}),
        ),
        (
            true,
            json!({"version": 1, "signers": [{"files": ["**"], "identities": ["*@a.example"]}]}),
        ),
        (
            true,
            json!({"version": 1, "signers": [{"files": ["**"], "identities": ["https://a/*@b*"]}]}),
        ),
        (false, json!({"version": 1, "signers": [{"files": [""], "identities": ["a@b"]}]})),
        (false, json!({"version": 1, "signers": [{"files": [], "identities": ["a@b"]}]})),
        (false, json!({"version": 1, "signers": [{"identities": ["a@b"]}]})),
        (false, with("timestamps", json!({}))),
        (false, with("timestamps", json!({"required": -1}))),
        (false, with("timestamps", json!({"required": 256}))),
        (true, with("names", json!("exact"))),
        (false, with("names", json!("same"))),
        (false, with("transparency", json!("always"))),
        (false, with("certificate_transparency", json!(true))),
        (false, with("revocation", json!({"signer": "sometimes"}))),
        (false, with("revocation", json!({"offline": {}}))),
        (false, with("surprise", json!(1))),
        (false, json!([])),
    ];
    for (valid, policy) in cases {
        assert_eq!(validator.is_valid(&policy), valid, "schema: {policy}");
        let decoded = Policy::decode(policy.to_string().as_bytes());
        assert_eq!(decoded.is_ok(), valid, "decoder: {policy} {decoded:?}");
    }
}

/// The page says which kinds of log entries are read, each with its versions: no more, and no fewer.
#[test]
fn the_page_on_others_bundles_names_every_kind_of_log_entry() {
    let page = read("docs/verifying.md");
    let (_, rest) = page.split_once("log entries ").expect("the list of log entries");
    let (list, _) = rest.split_once(';').expect("the list ends");
    let mut named: Vec<(String, String)> = Vec::new();
    let mut name = String::new();
    for word in list.split_whitespace().filter(|word| *word != "and") {
        let word = word.trim_end_matches(',');
        match word.strip_prefix('`') {
            Some(kind) => kind.trim_end_matches('`').clone_into(&mut name),
            None => named.push((name.clone(), word.to_owned())),
        }
    }
    let read = EntryKind::ALL.map(|kind| (kind.name().to_owned(), kind.version().to_owned()));
    assert_eq!(named, read);
}

/// The JSON examples of `docs/policy.md` are policies.
#[test]
fn the_policy_page_shows_policies_that_work() {
    let page = read("docs/policy.md");
    let blocks: Vec<&str> =
        page.split("```json").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "docs/policy.md shows no policy");
    for block in blocks.iter().filter(|block| block.contains("\"version\"")) {
        let policy = Policy::decode(block.as_bytes());
        assert!(policy.is_ok(), "{policy:?}\n{block}");
    }
}

/// Clauses that name a document of ours name one that exists.
#[test]
fn clauses_point_to_documents_that_exist() {
    for code in codes::all() {
        for word in code.clause().split([' ', ';', ',']) {
            if word.starts_with("docs/") || word.starts_with("core/") {
                assert!(path(word).exists(), "{code} names {word}");
            }
        }
    }
}

/// The crates and paths that SECURITY.md names are there: a reader looks for them.
#[test]
fn the_security_page_names_what_exists() {
    let (page, lock) = (read("SECURITY.md"), read("Cargo.lock"));
    let is_crate = |name: &str| lock.contains(&format!("\nname = \"{name}\"\n"));
    let is_name = |text: &str| {
        text.chars().all(|letter| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter)
        })
    };
    let quoted: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    assert!(!quoted.is_empty(), "SECURITY.md names nothing");
    for name in quoted.iter().filter(|text| is_name(text)) {
        assert!(
            is_crate(name) || path(name).is_dir(),
            "SECURITY.md names {name}: no crate, no folder"
        );
    }
    for named in quoted.iter().filter(|text| text.contains('/') && !text.contains(' ')) {
        assert!(path(named).exists(), "SECURITY.md names {named}, which is not there");
    }
    // It names this one without backquotes.
    assert!(!page.contains("aws-lc-rs") || is_crate("aws-lc-rs"), "there is no aws-lc-rs");
}
