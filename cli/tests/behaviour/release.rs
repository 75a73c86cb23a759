//! A release from key to verdict: sign, verify, tamper.

use std::fs;

use serde_json::Value;

use crate::world::{IDENTITY, World};

#[test]
fn what_was_signed_verifies_and_what_was_changed_does_not() {
    let world = World::new();
    world.write("app", "the published octets");
    let run = world.sign(&["app"]).succeeds();
    assert_eq!(run.json()["results"][0]["signer"], IDENTITY);

    let run = world.verify(&["app"]).succeeds();
    let report = &run.json()["results"][0];
    assert_eq!(report["verdict"], "verified");
    assert_eq!(report["signer"]["identity"], IDENTITY);
    let text = world.run(&[
        "verify",
        "app",
        "--trusted-root",
        "trusted_root.json",
        "--policy",
        "policy.json",
    ]);
    let text = text.succeeds().stdout;
    assert!(
        text.starts_with("✔ Verified. app is genuine, signed by release@example.org"),
        "{text}"
    );
    assert!(text.contains("Who signed?"), "{text}");

    world.write("app", "the published octetz");
    assert_eq!(world.verify(&["app"]).exits_with(10).finding(), "content.mismatch");
    world.write("app", "the published octets");
    let bundle = String::from_utf8(world.read("app.sigstore.json")).expect("UTF-8");
    let at = bundle.find("\"signature\":\"").expect("a signature") + 40;
    let other = if &bundle[at..=at] == "A" { "B" } else { "A" };
    world.write("app.sigstore.json", format!("{}{other}{}", &bundle[..at], &bundle[at + 1..]));
    assert_eq!(world.verify(&["app"]).exits_with(11).finding(), "signature.mismatch");
}

#[test]
fn a_statement_tells_mishaps_apart() {
    let world = World::new();
    world.write("app", "the published octets");
    world.write("other", "another file");
    world.sign(&["app", "other", "--statement"]).succeeds();
    world.verify(&["app"]).succeeds();
    world.verify(&["app", "other"]).succeeds();

    world.write("app", "the published");
    assert_eq!(world.verify(&["app"]).exits_with(10).finding(), "content.incomplete");
    world.write("app", "the published octetz");
    assert_eq!(world.verify(&["app"]).exits_with(10).finding(), "content.mismatch");
    let run = world.verify(&["app", "--bundle", "other.sigstore.json"]).exits_with(10);
    assert_eq!(run.finding(), "content.other-file");
    fs::rename(world.file("other"), world.file("renamed")).expect("renamed");
    let run = world.verify(&["renamed", "--bundle", "other.sigstore.json"]).succeeds();
    let findings = run.json()["results"][0]["findings"].to_string();
    assert!(findings.contains("content.name-differs"), "{findings}");
}

#[test]
fn the_worst_of_several_files_decides() {
    let world = World::new();
    for name in ["good", "bad", "lost"] {
        world.write(name, name);
    }
    world.sign(&["good", "bad"]).succeeds();
    world.write("bad", "changed");
    let run = world.verify(&["good", "lost"]).exits_with(3);
    assert_eq!(run.json()["results"].as_array().map(Vec::len), Some(2));
    let run = world.verify(&["lost", "good", "bad"]).exits_with(10);
    let verdicts: Vec<_> = run.json()["results"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|report| report["verdict"].as_str().expect("a verdict").to_owned())
        .collect();
    assert_eq!(verdicts, ["not-checked", "verified", "rejected"]);
    let run = world.sign(&["missing", "lost"]).exits_with(3);
    assert_eq!(run.json()["results"][0]["error"]["code"], "setup.input.unreadable");
    assert!(world.file("lost.sigstore.json").exists(), "the others are signed all the same");
}

#[test]
fn verifies_a_digest_without_the_file() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    let report = world.verify(&["app"]).succeeds().json();
    let digest =
        report["results"][0]["artifact"]["digests"][0].as_str().expect("a digest").to_owned();
    assert!(digest.starts_with("sha384:"), "{digest}");
    world.verify(&[&digest, "--bundle", "app.sigstore.json"]).succeeds();
    world
        .verify(&[&digest.to_uppercase().replace("SHA", "sha"), "--bundle", "app.sigstore.json"])
        .succeeds();
}

#[test]
fn signs_what_the_user_claims() {
    let world = World::new();
    world.write("app", "x");
    world.write("predicate.json", r#"{"purl":"pkg:generic/app@2.1"}"#);
    let kind = "https://example.org/claim/v1";
    world.sign(&["app", "--statement=predicate.json", "--predicate-type", kind]).succeeds();
    let shown = world.json(&["inspect", "app.sigstore.json"]).succeeds().stdout;
    assert!(shown.contains(kind), "{shown}");

    // A whole statement is signed as it is, if it is about the file.
    let digest =
        world.verify(&["app"]).succeeds().json()["results"][0]["artifact"]["digests"][0].clone();
    let hex =
        digest.as_str().and_then(|text| text.strip_prefix("sha256:")).expect("SHA-256").to_owned();
    let statement = |hex: &str| {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"app","digest":{{"sha256":"{hex}"}}}}],"predicateType":"{kind}","predicate":{{}}}}"#
        )
    };
    world.write("statement.json", statement(&hex));
    world.sign(&["app", "--statement=statement.json", "--force"]).succeeds();
    world.verify(&["app"]).succeeds();
    world.write("statement.json", statement(&"00".repeat(32)));
    let run =
        world.sign(&["app", "--statement=statement.json", "--output", "none.json"]).exits_with(10);
    assert_eq!(run.finding(), "content.mismatch");
    for content in ["[]", "{", "", r#"{"a":1,"a":2}"#] {
        world.write("statement.json", content);
        world.sign(&["app", "--statement=statement.json", "--output", "none.json"]).exits_with(3);
    }
    assert!(!world.file("none.json").exists());
}

#[test]
fn a_bundle_is_never_replaced_unasked() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    let before = world.read("app.sigstore.json");
    assert_eq!(world.sign(&["app"]).exits_with(3).finding(), "setup.output.unwritable");
    assert_eq!(world.read("app.sigstore.json"), before);
    world.sign(&["app", "--force"]).succeeds();
    assert_ne!(world.read("app.sigstore.json"), before);
    world.sign(&["app", "--output", "elsewhere.json"]).succeeds();
    world.verify(&["app", "--bundle", "elsewhere.json"]).succeeds();
    world.sign(&["app", "app", "--output", "one.json"]).exits_with(2);
}

#[test]
fn what_nobody_could_verify_is_not_written() {
    let world = World::new();
    world.write("app", "x");
    let issue = |text: &str| world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
    issue(
        "ca issue --dir ca --profile tls-client --email a@example.org --new-key tls.key --output tls.pem",
    );
    let sign = |more: &[&str]| world.keyed(&[&["--format", "json", "sign", "app"], more].concat());
    let root = ["--trusted-root", "trusted_root.json"];
    let run = sign(&[&["--key", "tls.key", "--certificate", "tls.pem"], &root[..]].concat());
    assert_eq!(run.exits_with(12).json()["results"][0]["error"]["class"], "danger");
    let run = sign(&[&["--key", "tsa.key", "--certificate", "tsa.pem"], &root[..]].concat());
    assert_eq!(run.exits_with(12).finding(), "certificate.identity.absent");
    // Another authority's trust root.
    issue("ca init other --organisation Other --base-url http://127.0.0.1:9");
    issue("trust init --dir other --output other.json");
    let run = sign(&[
        "--key",
        "signer.key",
        "--certificate",
        "signer.pem",
        "--trusted-root",
        "other.json",
    ]);
    assert_eq!(run.exits_with(12).finding(), "certificate.unknown-issuer");
    let run = sign(&["--key", "signer.key", "--certificate", "signer.pem"]).exits_with(2);
    assert_eq!(run.finding(), "setup.usage.invalid");
    assert!(!world.names().iter().any(|name| name.contains("sigstore")), "{:?}", world.names());
}

#[test]
fn another_authority_is_not_believed() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    let keyed = |text: &str| world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
    keyed("ca init other --organisation Other --base-url http://127.0.0.1:9");
    keyed("trust init --dir other --output other.json");
    let run = world.json(&[
        "verify",
        "app",
        "--trusted-root",
        "other.json",
        "--policy",
        "policy.json",
        "--offline",
    ]);
    assert_eq!(run.exits_with(12).finding(), "certificate.unknown-issuer");
}

#[test]
fn quiet_says_the_verdict_and_nothing_else() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    let arguments =
        ["-q", "verify", "app", "--trusted-root", "trusted_root.json", "--policy", "policy.json"];
    let run = world.run(&arguments).succeeds();
    assert_eq!(run.stdout.lines().count(), 1, "{run:#?}");
    assert!(run.stderr.is_empty());
}

#[test]
fn reports_keep_their_form() {
    let world = World::new();
    world.write("app", "x");
    world.sign(&["app"]).succeeds();
    let value = world.verify(&["app"]).succeeds().json();
    let keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, ["command", "exit_code", "results"]);
    assert_eq!(value["results"][0]["checks"].as_array().map(Vec::len), Some(5));
    let value = world.json(&["trust", "show", "trusted_root.json"]).succeeds().json();
    assert!(matches!(value["result"], Value::Object(_)));
    let value = world.json(&["trust", "show", "missing"]).exits_with(3).json();
    for field in ["code", "class", "title", "remedy", "clause", "found"] {
        assert!(value["error"][field].is_string(), "{field}: {value}");
    }
}
