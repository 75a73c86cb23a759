//! Whatever is wrong with a file or flag: a finding of its own, its exit code, one JSON object.

use std::{fs, os::unix::fs::symlink};

use crate::world::{IDENTITY, World};

/// A world with `app` signed.
fn signed() -> World {
    let world = World::new();
    world.write("app", "the published octets");
    world.sign(&["app"]).succeeds();
    world
}

#[test]
fn names_what_is_wrong_with_the_file() {
    let world = signed();
    fs::create_dir(world.file("folder")).expect("made");
    symlink("nowhere", world.file("dangling")).expect("made");
    fs::copy(world.file("app.sigstore.json"), world.file("folder.sigstore.json")).expect("copied");
    for (file, code) in [
        ("missing", "setup.input.unreadable"),
        ("folder", "setup.input.folder"),
        ("dangling", "setup.input.unreadable"),
        ("app/below", "setup.input.unreadable"),
    ] {
        assert_eq!(world.verify(&[file]).exits_with(3).finding(), code, "{file}");
    }
    world.write("empty", "");
    let run = world.verify(&["empty", "--bundle", "app.sigstore.json"]).exits_with(10);
    assert_eq!(run.finding(), "content.mismatch");
}

#[test]
fn names_what_is_wrong_with_the_bundle() {
    let world = signed();
    let bundle = String::from_utf8(world.read("app.sigstore.json")).expect("UTF-8");
    let deep = format!("{{\"mediaType\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let twice = bundle.replacen(
        '{',
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",",
        1,
    );
    let newer = bundle.replace("bundle.v0.3", "bundle.v0.9");
    let cut = &bundle[..bundle.len() / 2];
    fs::create_dir(world.file("folder.json")).expect("made");
    for (name, content, code) in [
        ("empty", "", "bundle.empty"),
        ("array", "[]", "bundle.malformed"),
        ("word", "null", "bundle.not-json"),
        ("text", "not JSON", "bundle.not-json"),
        ("binary", "\u{0}\u{1}\u{2}", "bundle.not-json"),
        ("cut", cut, "bundle.truncated"),
        ("deep", &deep, "bundle.too-deep"),
        ("twice", &twice, "bundle.duplicate-key"),
        ("newer", &newer, "bundle.too-new"),
        ("large", &" ".repeat(10_000_000), "bundle.too-large"),
    ] {
        world.write(name, content);
        let run = world.verify(&["app", "--bundle", name]).exits_with(3);
        assert_eq!(run.finding(), code, "{name}");
    }
    let run = world.verify(&["app", "--bundle", "folder.json"]).exits_with(3);
    assert_eq!(run.finding(), "setup.input.folder");
    let run = world.verify(&["app", "--bundle", "missing.json"]).exits_with(3);
    assert_eq!(run.finding(), "bundle.not-found");
    world.write("unsigned", "no bundle beside it");
    assert_eq!(world.verify(&["unsigned"]).exits_with(3).finding(), "bundle.not-found");
}

#[test]
fn names_what_is_wrong_with_trust_root_and_policy() {
    let world = signed();
    world.write("empty", "");
    world.write("object", "{}");
    world.write(
        "nobody.json",
        r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#,
    );
    for (root, exit, code) in [
        ("missing", 3, "setup.input.unreadable"),
        (".", 3, "setup.input.folder"),
        ("empty", 2, "setup.trust-root.malformed"),
        ("object", 2, "setup.trust-root.malformed"),
        ("app.sigstore.json", 2, "setup.trust-root.other-kind"),
        ("nobody.json", 2, "setup.trust-root.empty"),
    ] {
        let run = world.json(&["verify", "app", "--trusted-root", root, "--policy", "policy.json"]);
        assert_eq!(run.exits_with(exit).finding(), code, "{root}");
        let run = world.json(&["trust", "show", root]);
        assert_eq!(run.exits_with(exit).finding(), code, "{root}");
    }
    world.write("typo.json", format!(r#"{{"version":1,"signers":[{{"files":["**"],"identities":["{IDENTITY}"]}}],"revocaton":{{}}}}"#));
    world.write("anybody.json", r#"{"version":1,"signers":[{"files":["**"],"identities":["*"]}]}"#);
    for (policy, exit, code) in [
        ("missing", 3, "setup.input.unreadable"),
        ("empty", 2, "setup.policy.malformed"),
        ("trusted_root.json", 2, "setup.policy.other-kind"),
        ("typo.json", 2, "setup.policy.malformed"),
        ("anybody.json", 2, "setup.policy.malformed"),
    ] {
        let run = world.json(&[
            "verify",
            "app",
            "--trusted-root",
            "trusted_root.json",
            "--policy",
            policy,
        ]);
        assert_eq!(run.exits_with(exit).finding(), code, "{policy}");
        assert_eq!(
            world.json(&["policy", "lint", policy]).exits_with(exit).finding(),
            code,
            "{policy}"
        );
    }
    let run = world.json(&["policy", "lint", "typo.json"]);
    assert!(run.json()["error"]["subject"].as_str().is_some_and(|text| text.contains("typo.json")));
    world.json(&["policy", "init", "--identity", "**", "--output", "any.json"]).exits_with(2);
    assert!(!world.file("any.json").exists());
}

#[test]
fn a_regular_expression_in_a_policy_is_refused_with_what_to_write() {
    let world = World::bare();
    for (field, pattern, instead) in [
        ("identities", r"release@example\\.com", "release@example.com"),
        ("identities", "^release@example.com$", "release@example.com"),
        ("files", r".*\\.tar\\.gz", "*.tar.gz"),
        ("files", "app-(1|2)", "a pattern for each name"),
        ("files", "app-[a-z]", "a pattern for each name"),
    ] {
        let other = if field == "files" { "identities" } else { "files" };
        let other_pattern = if field == "files" { IDENTITY } else { "**" };
        world.write("policy.json", format!(
            r#"{{"version":1,"signers":[{{"{field}":["{pattern}"],"{other}":["{other_pattern}"]}}]}}"#
        ));
        let run = world.json(&["policy", "lint", "policy.json"]).exits_with(2);
        assert_eq!(run.finding(), "setup.policy.malformed", "{pattern}");
        let error = &run.json()["error"];
        let place = format!("policy.json: signers[0].{field}");
        assert_eq!(error["subject"], place.as_str(), "{pattern}");
        assert!(
            error["expected"].as_str().is_some_and(|text| text.starts_with(instead)),
            "{error}"
        );
    }
    let identity =
        ["policy", "init", "--identity", r"release@example\.com", "--output", "new.json"];
    assert_eq!(world.json(&identity).exits_with(2).finding(), "setup.policy.malformed");
    let files =
        ["policy", "init", "--identity", IDENTITY, "--files", r"app\.zip", "--output", "new.json"];
    assert_eq!(world.json(&files).exits_with(2).finding(), "setup.policy.malformed");
    assert!(!world.file("new.json").exists());
    let good = [
        "policy",
        "init",
        "--identity",
        IDENTITY,
        "--files",
        "app.*",
        "v1.*",
        "--output",
        "new.json",
    ];
    world.json(&good).succeeds();
}

#[test]
fn a_trust_root_needs_only_what_the_question_needs() {
    let world = signed();
    let root: serde_json::Value =
        serde_json::from_slice(&world.read("trusted_root.json")).expect("JSON");
    let alone = serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot.v0.2+json",
        "certificateAuthorities": root["certificateAuthorities"],
    });
    world.write("cas.json", alone.to_string());
    world.json(&["trust", "show", "cas.json"]).succeeds();
    let verify = |root: &str| {
        world.json(&["verify", "app", "--trusted-root", root, "--policy", "policy.json"])
    };
    verify("cas.json").succeeds();
    let alone = serde_json::json!({
        "mediaType": root["mediaType"], "timestampAuthorities": root["timestampAuthorities"],
    });
    world.write("tsas.json", alone.to_string());
    let run = verify("tsas.json").exits_with(2);
    assert_eq!(run.finding(), "setup.trust-root.empty");
    world.write("token", "");
    let stamp = |root: &str| {
        let fixed = ["timestamp", "verify", "--token", "token", "--data", "app", "--trusted-root"];
        world.json(&[&fixed[..], &[root]].concat())
    };
    assert_eq!(stamp("cas.json").exits_with(2).finding(), "setup.trust-root.empty");
    assert_ne!(stamp("tsas.json").finding(), "setup.trust-root.empty");

    let mut without = root;
    without["certificateAuthorities"][0]["validFor"] = serde_json::json!({});
    world.write("without.json", without.to_string());
    let run = verify("without.json").exits_with(2);
    assert_eq!(run.finding(), "setup.trust-root.malformed");
    let place = run.json()["error"]["subject"].as_str().expect("a place").to_owned();
    assert!(place.contains("certificateAuthorities[0].validFor"), "{place}");
}

#[test]
fn an_expected_signer_is_required() {
    let world = signed();
    let root = ["--trusted-root", "trusted_root.json"];
    for more in [
        &[][..],
        &["--certificate-oidc-issuer", "https://login.example.org"],
        &["--policy", "policy.json", "--certificate-identity", IDENTITY],
        &["--certificate-identity", "**"],
        &["--certificate-identity", ""],
    ] {
        let run = world.json(&[&["verify", "app"], &root[..], more].concat()).exits_with(2);
        assert!(run.finding().starts_with("setup."), "{run:#?}");
    }
    let run = world.json(&[&["verify", "app"], &root[..]].concat()).exits_with(2);
    assert_eq!(run.finding(), "setup.signer.not-named");
    let run = world.json(&["verify", "app", "--policy", "policy.json"]).exits_with(2);
    assert_eq!(run.finding(), "setup.usage.invalid");
    let other = ["--certificate-identity", "somebody@example.org"];
    let run =
        world.json(&[&["verify", "app", "--offline"], &root[..], &other].concat()).exits_with(12);
    assert_eq!(run.finding(), "certificate.identity.unexpected");
}

#[test]
fn judges_the_clock_before_anything_else() {
    let world = signed();
    let run = world.verify(&["app", "--at", "2019-12-31T23:59:59Z"]).exits_with(3);
    assert_eq!(run.finding(), "setup.clock.wrong");
    let run = world.verify(&["app", "--at", "2020-01-01T00:00:00Z"]).exits_with(12);
    assert_eq!(run.finding(), "certificate.not-yet-valid");
    let run = world.verify(&["app", "--at", "2100-01-01T00:00:00Z"]).exits_with(12);
    assert_eq!(run.finding(), "certificate.expired");
    for text in ["yesterday", "2026-01-01", "", "1700000000"] {
        assert_eq!(
            world.verify(&["app", "--at", text]).exits_with(2).finding(),
            "setup.usage.invalid"
        );
    }
}

#[test]
fn names_what_is_wrong_with_revocation_evidence() {
    let world = signed();
    world
        .keyed(&["ca", "crl", "--dir", "ca", "--ca", "signing", "--output", "good.crl"])
        .succeeds();
    world.keyed(&["ca", "crl", "--dir", "ca", "--ca", "root", "--output", "root.crl"]).succeeds();
    let policy = String::from_utf8(world.read("policy.json")).expect("UTF-8");
    let strict = policy.replacen("\"signer\": \"off\"", "\"signer\": \"required\"", 1);
    assert_ne!(policy, strict);
    world.write("policy.json", strict);
    let crl = world.read("good.crl");
    world.write("cut.crl", &crl[..crl.len() - 1]);
    world.write("long.crl", [crl.as_slice(), b"x"].concat());
    let mut flipped = crl.clone();
    *flipped.last_mut().expect("octets") ^= 1;
    world.write("flipped.crl", flipped);
    world.write("empty", "");
    for (flag, file, code) in [
        ("--crl", "cut.crl", "revocation.crl.malformed"),
        ("--crl", "long.crl", "revocation.crl.malformed"),
        ("--crl", "empty", "revocation.crl.malformed"),
        ("--crl", "signer.pem", "setup.input.malformed"),
        ("--crl", "flipped.crl", "revocation.crl.signature"),
        ("--crl", "root.crl", "revocation.unavailable"),
        ("--ocsp", "empty", "revocation.ocsp.malformed"),
        ("--ocsp", "good.crl", "revocation.ocsp.malformed"),
        ("--crl", "missing", "setup.input.unreadable"),
        ("--ocsp", ".", "setup.input.folder"),
    ] {
        let run = world.verify(&["app", "--offline", flag, file]).exits_with(3);
        assert_eq!(run.finding(), code, "{flag} {file}");
    }
    world.verify(&["app", "--offline", "--crl", "good.crl"]).succeeds();
    let late = ["--at", "2027-06-01T00:00:00Z"];
    let run = world.verify(&[&["app", "--offline", "--crl", "good.crl"], &late[..]].concat());
    assert_eq!(run.exits_with(3).finding(), "revocation.stale");
    // PEM does as well.
    let pem = std::process::Command::new("openssl")
        .args(["crl", "-inform", "DER", "-in", "good.crl"])
        .current_dir(world.path())
        .output()
        .expect("openssl is there (apt-get install openssl)");
    world.write("good.pem", pem.stdout);
    world.verify(&["app", "--offline", "--crl", "good.pem"]).succeeds();
}

#[test]
fn names_what_is_wrong_with_a_digest() {
    let world = signed();
    let hex = "00".repeat(48);
    let zero = format!("sha384:{hex}");
    assert_eq!(world.verify(&[&zero]).exits_with(3).finding(), "bundle.not-found");
    let bundle = ["--bundle", "app.sigstore.json"];
    let run = world.verify(&[&[zero.as_str()], &bundle[..]].concat()).exits_with(10);
    assert_eq!(run.finding(), "content.mismatch");
    let other = format!("sha256:{}", "00".repeat(32));
    let run = world.verify(&[&[other.as_str()], &bundle[..]].concat()).exits_with(3);
    assert_eq!(run.finding(), "content.digest.not-supplied");
    for text in ["sha256:00", "sha384:xyz", "sha512:"] {
        let run = world.verify(&[&[text], &bundle[..]].concat()).exits_with(2);
        assert_eq!(run.finding(), "setup.usage.invalid", "{text}");
    }
    // A file of such a name is not taken for what its name says.
    world.write(&zero, "something else");
    let run = world.verify(&[&[zero.as_str()], &bundle[..]].concat()).exits_with(2);
    assert_eq!(run.finding(), "setup.usage.invalid");
    let run = world.verify(&[&[format!("./{zero}").as_str()], &bundle[..]].concat()).exits_with(10);
    assert_eq!(run.finding(), "content.mismatch");
}

#[test]
fn shows_what_it_can_of_anything() {
    let world = signed();
    world.keyed(&["ca", "crl", "--dir", "ca", "--ca", "root", "--output", "root.crl"]).succeeds();
    for (file, kind) in [
        ("signer.pem", "certificate"),
        ("root.crl", "crl"),
        ("app.sigstore.json", "bundle"),
        ("trusted_root.json", "trusted-root"),
    ] {
        let run = world.json(&["inspect", file]).succeeds();
        assert_eq!(run.json()["results"][0]["object"]["kind"], kind, "{file}");
        assert!(world.run(&["inspect", file]).succeeds().stdout.contains(kind));
    }
    world.write("empty", "");
    world.write("octets", [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]);
    world.write("deep.der", [0x30, 0x80].repeat(10_000));
    world.write("deep.json", "{\"a\":".repeat(100_000));
    for file in ["empty", "octets", "deep.der", "app"] {
        let run = world.json(&["inspect", file]).exits_with(3);
        assert_eq!(run.finding(), "setup.input.malformed", "{file}");
    }
    let run = world.json(&["inspect", "missing"]).exits_with(3);
    assert_eq!(run.finding(), "setup.input.unreadable");
    assert_eq!(world.json(&["inspect", "."]).exits_with(3).finding(), "setup.input.folder");
    assert_eq!(world.json(&["inspect", "deep.json"]).exits_with(3).finding(), "bundle.too-deep");
    let run = world.json(&["inspect", "signer.pem", "missing"]).exits_with(3);
    // Both certificates of the signer's file, and what is wrong with the other file.
    assert_eq!(run.json()["results"].as_array().map(Vec::len), Some(3));
}

#[test]
fn names_with_control_characters_do_not_steer_the_terminal() {
    let world = signed();
    let name = "a\u{1b}[2Kb\u{202e}c";
    world.write(name, "x");
    for arguments in [
        &["verify", name, "--trusted-root", "trusted_root.json", "--policy", "policy.json"][..],
        &["inspect", name],
        &["policy", "lint", name],
    ] {
        let run = world.run(arguments);
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
        assert_ne!(run.code, 0);
    }
}
