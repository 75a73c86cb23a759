//! Bundles that are really out there, through the program.

use std::{fs, path::Path};

use crate::world::{Run, World, command};

/// A copy of a file of tests/data/public-good.
fn copy(world: &World, from: &str, to: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/public-good").join(from);
    world.write(to, fs::read(&path).unwrap_or_else(|error| panic!("{from}: {error}")));
}

/// A blob that was signed with `cosign sign-blob --key`, its key, and the public trust root.
fn managed() -> World {
    let world = World::bare();
    copy(&world, "managed-key/artifact.txt", "artifact.txt");
    copy(&world, "managed-key/bundle.sigstore.json", "artifact.txt.sigstore.json");
    copy(&world, "managed-key/key.pub", "publisher.pem");
    copy(&world, "trusted_root.json", "trusted_root.json");
    world
}

#[test]
fn a_bare_key_verifies_what_it_signed() {
    let world = managed();
    let verify = ["verify", "artifact.txt", "--key", "publisher.pem", "--offline"];
    let run = world.json(&[&verify[..], &["--trusted-root", "trusted_root.json"]].concat());
    let report = run.succeeds().json()["results"][0].clone();
    let fingerprint = report["signer"]["key"]["fingerprint"].as_str().expect("a fingerprint");
    assert!(fingerprint.starts_with("sha256:4cb32c48"), "{fingerprint}");
    let text = world.run(&[&verify[..], &["--trusted-root", "trusted_root.json"]].concat());
    assert!(text.succeeds().stdout.contains("signed by key sha256:4cb32c48"));
    // Without a trust root nobody else is asked, which is said.
    let run = world.run(&verify).succeeds();
    assert!(run.stdout.contains("transparency.not-checked"), "{}", run.stdout);

    let without = ["verify", "artifact.txt", "--trusted-root", "trusted_root.json"];
    let run = world.json(&[&without[..], &["--certificate-identity", "a@example.org"]].concat());
    assert_eq!(run.exits_with(3).finding(), "signature.key.not-given");
    world.write("artifact.txt", "another text");
    assert_eq!(world.json(&verify).exits_with(10).finding(), "content.mismatch");
}

#[test]
fn the_logs_of_a_trust_root_are_shown() {
    let world = managed();
    let shown = world.json(&["trust", "show", "trusted_root.json"]).succeeds().json();
    let log = &shown["result"]["transparency_logs"][0];
    assert_eq!(log["base_url"], "https://rekor.sigstore.dev");
    assert_eq!(shown["result"]["certificate_logs"].as_array().map(Vec::len), Some(2));
    let text = world.run(&["trust", "show", "trusted_root.json"]).succeeds().stdout;
    assert!(text.contains("Signatures logged in\n  https://rekor.sigstore.dev, trusted"), "{text}");
}

#[test]
fn a_policy_names_keys() {
    let world = managed();
    let init = ["policy", "init", "--key", "publisher.pem", "--timestamps", "1"];
    world.run(&init).succeeds();
    let lint = world.json(&["policy", "lint", "policy.json"]).succeeds().json();
    let key = &lint["result"]["signers"][0]["keys"][0];
    assert!(key.as_str().is_some_and(|text| text.starts_with("sha256:4cb32c48")), "{lint}");
    let verify = |policy: &str| {
        let arguments = ["verify", "artifact.txt", "--key", "publisher.pem", "--offline"];
        let rest = ["--trusted-root", "trusted_root.json", "--policy", policy];
        world.json(&[&arguments[..], &rest].concat())
    };
    verify("policy.json").succeeds();
    let identity = ["policy", "init", "--identity", "a@example.org", "--output", "people.json"];
    world.run(&identity).succeeds();
    assert_eq!(verify("people.json").exits_with(12).finding(), "signature.key.not-allowed");

    // Not a public key.
    for wrong in ["artifact.txt", "trusted_root.json"] {
        let run = world.json(&["policy", "init", "--key", wrong, "--output", "x.json"]);
        assert_eq!(run.exits_with(2).finding(), "setup.public-key.malformed");
        let run = world.json(&["verify", "artifact.txt", "--key", wrong]);
        assert_eq!(run.exits_with(2).finding(), "setup.public-key.malformed");
    }
    // A policy that is set holds as one that is typed; an identity that is set gives way to the key.
    let set = |environment: &[(&str, &str)], more: &[&str]| {
        let mut command = command(world.path());
        command.envs(environment.iter().copied());
        command.args(["--format", "json", "verify", "artifact.txt", "--offline"]);
        command.args(["--trusted-root", "trusted_root.json"]).args(more);
        Run::of(command.output().expect("starts"))
    };
    let key = ["--key", "publisher.pem"];
    set(&[("COUNTERSIGN_POLICY", "policy.json")], &key).succeeds();
    let people = ("COUNTERSIGN_POLICY", "people.json");
    assert_eq!(set(&[people], &key).exits_with(12).finding(), "signature.key.not-allowed");
    set(&[people], &[&key[..], &["--policy", "policy.json"]].concat()).succeeds();
    set(&[("COUNTERSIGN_CERTIFICATE_IDENTITY", "a@example.org")], &key).succeeds();
    let issuer = ("COUNTERSIGN_CERTIFICATE_OIDC_ISSUER", "https://login.example");
    assert_eq!(set(&[people, issuer], &[]).exits_with(2).finding(), "setup.usage.invalid");
    let both = ["verify", "x", "--key", "publisher.pem", "--certificate-identity", "a@example.org"];
    assert_eq!(world.json(&both).exits_with(2).finding(), "setup.usage.invalid");
}

#[test]
fn a_policy_with_expectations_of_provenance_is_written_and_heeded() {
    let world = World::bare();
    copy(&world, "sigstore.js@2.0.0-provenance.sigstore.json", "bundle.json");
    copy(&world, "trusted_root.json", "trusted_root.json");
    let digest = "sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c";
    let workflow =
        "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";
    let of = |reference: &str, output: &str| {
        let init = [
            "policy",
            "init",
            "--identity",
            workflow,
            "--oidc-issuer",
            "https://token.actions.githubusercontent.com",
            "--revocation",
            "off",
            "--predicate-type",
            "https://slsa.dev/provenance/v1",
            "--builder",
            "https://github.com/actions/runner/github-hosted",
            "--source",
            "https://github.com/sigstore/sigstore-js",
            "--ref",
            reference,
            "--build-type",
            "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
            "--output",
            output,
        ];
        world.run(&init).succeeds();
        world.json(&[
            "verify",
            digest,
            "--bundle",
            "bundle.json",
            "--trusted-root",
            "trusted_root.json",
            "--policy",
            output,
        ])
    };
    of("refs/heads/main", "right.json").succeeds();
    let run = of("refs/tags/*", "other.json").exits_with(16);
    assert_eq!(run.finding(), "provenance.ref.unexpected");
    let lint = world.json(&["policy", "lint", "right.json"]).succeeds().json();
    assert_eq!(lint["result"]["signers"][0]["provenance"]["refs"][0], "refs/heads/main");
}
