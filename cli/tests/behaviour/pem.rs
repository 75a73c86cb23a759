//! PEM as people have it: every block, lines of any length, text around it; what cannot be used is
//! named by its number. The same files give the same answers in JavaScript
//! (web/tests/node/verify.test.ts).

use std::process::Command;

use crate::world::World;

/// The lines between BEGIN and END, joined and cut again.
fn with_lines_of(width: usize, pem: &str) -> String {
    let mut out = String::new();
    let mut body = String::new();
    let mut is_inside = false;
    for line in pem.lines() {
        if line.starts_with("-----BEGIN") {
            is_inside = true;
            out.push_str(line);
            out.push_str("\r\n");
        } else if line.starts_with("-----END") {
            is_inside = false;
            for piece in std::mem::take(&mut body).as_bytes().chunks(width) {
                out.push_str(std::str::from_utf8(piece).expect("ASCII"));
                out.push_str("  \r\n");
            }
            out.push_str(line);
            out.push('\n');
        } else if is_inside {
            body.push_str(line);
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// A PEM text in all the forms that must be read like it.
fn forms(pem: &str) -> Vec<(&'static str, String)> {
    vec![
        ("76", with_lines_of(76, pem)),
        ("48", with_lines_of(48, pem)),
        ("one line", with_lines_of(usize::MAX, pem)),
        ("mark", format!("\u{feff}{pem}")),
        ("text", format!("Bag Attributes\n    friendlyName: x\nsubject=CN = x\n{pem}\n# end\n")),
        ("mac", pem.replace('\n', "\r")),
    ]
}

fn text(world: &World, name: &str) -> String {
    String::from_utf8(world.read(name)).expect("UTF-8")
}

/// An older CRL of the signing CA without the signer, and a newer one that lists it.
fn lists(world: &World) -> (String, String) {
    let serial = world.json(&["inspect", "signer.pem"]).succeeds().json();
    let serial =
        serial["results"][0]["object"]["serialNumber"].as_str().expect("a serial").to_owned();
    let crl = |arguments: &[&str]| {
        let fixed = ["ca", "crl", "--dir", "ca", "--ca", "signing", "--output"];
        world.keyed(&[&fixed[..], arguments].concat()).succeeds();
    };
    crl(&["old.crl", "--number", "1"]);
    let revoked = format!("{serial}:keyCompromise:2026-01-01T00:00:00Z");
    crl(&["new.crl", "--number", "2", "--revoke", &revoked]);
    let armoured = |name: &str| {
        let run = Command::new("openssl")
            .args(["crl", "-inform", "DER", "-text", "-in"])
            .arg(world.file(name))
            .output()
            .expect("openssl runs");
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).expect("UTF-8")
    };
    (armoured("old.crl"), armoured("new.crl"))
}

fn signed() -> World {
    let world = World::new();
    world.write("app", "the published octets");
    world.sign(&["--no-timestamp", "app"]).succeeds();
    world
        .json(&[
            "policy",
            "init",
            "--identity",
            crate::world::IDENTITY,
            "--timestamps",
            "0",
            "--revocation",
            "when-available",
            "--output",
            "looks.json",
        ])
        .succeeds();
    world
}

fn verify_with(world: &World, crl: &str) -> crate::world::Run {
    world.json(&[
        "verify",
        "app",
        "--trusted-root",
        "trusted_root.json",
        "--policy",
        "looks.json",
        "--offline",
        "--crl",
        crl,
    ])
}

#[test]
fn every_crl_of_a_file_counts() {
    let world = signed();
    let (old, new) = lists(&world);
    world.write("old.pem", &old);
    verify_with(&world, "old.pem").exits_with(0);
    for (name, text) in [("old first", format!("{old}{new}")), ("new first", format!("{new}{old}"))]
    {
        for (form, text) in forms(&text) {
            world.write("all.pem", text);
            let run = verify_with(&world, "all.pem").exits_with(14);
            assert_eq!(run.finding(), "revocation.revoked", "{name}, {form}");
        }
    }
}

#[test]
fn a_crl_file_that_cannot_be_used_says_why_and_which_block() {
    let world = signed();
    let (old, new) = lists(&world);
    let certificate = text(&world, "signer.pem");
    let naked: String = new.split("-----").nth(2).expect("a body").trim().to_owned();
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(old.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (content, place, words) in [
        (
            format!("{old}{}", new.replace("X509 CRL-----\nM", "X509 CRL-----\n!")).into_bytes(),
            "block 2 of all.pem",
            "Base64",
        ),
        (format!("{old}{certificate}").into_bytes(), "block 2 of all.pem", "CERTIFICATE"),
        (
            format!("{old}-----BEGIN X509 CRL-----\nMIIB").into_bytes(),
            "block 2 of all.pem",
            "END X509 CRL",
        ),
        (naked.into_bytes(), "all.pem", "without the lines"),
        (utf16, "all.pem", "UTF-16"),
    ] {
        world.write("all.pem", content);
        let run = verify_with(&world, "all.pem").exits_with(3);
        assert_eq!(run.finding(), "setup.input.malformed", "{words}");
        let error = &run.json()["error"];
        assert_eq!(error["subject"], place, "{words}");
        assert!(error["found"].as_str().is_some_and(|found| found.contains(words)), "{error}");
    }
}

#[test]
fn certificates_and_keys_are_read_in_every_form() {
    let world = signed();
    let parameters = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n";
    let certificate = text(&world, "signer.pem");
    let key = format!("{parameters}{}", text(&world, "signer.key"));
    for (form, certificate) in forms(&certificate) {
        world.write("form.pem", certificate);
        assert_eq!(
            world.json(&["inspect", "form.pem"]).succeeds().json()["results"][0]["object"]["kind"],
            "certificate",
            "{form}"
        );
        world
            .keyed(&[
                "sign",
                "app",
                "--force",
                "--no-timestamp",
                "--key",
                "signer.key",
                "--certificate",
                "form.pem",
                "--trusted-root",
                "trusted_root.json",
            ])
            .succeeds();
    }
    for (form, key) in forms(&key) {
        std::fs::remove_file(world.file("form.key")).ok();
        std::fs::copy(world.file("signer.key"), world.file("form.key"))
            .expect("copied, mode and all");
        world.write("form.key", key);
        let run = world.keyed(&["--format", "json", "key", "show", "--key", "form.key"]);
        assert_eq!(run.code, 0, "{form}: {run:?}");
        let public = run.json()["result"]["public_key"].as_str().expect("a key").to_owned();
        for (form, public) in forms(&format!("{parameters}{public}")) {
            world.write("form.pub", public);
            let made =
                ["policy", "init", "--key", "form.pub", "--output", "by-key.json", "--force"];
            assert_eq!(world.json(&made).code, 0, "{form}");
        }
    }
}

#[test]
fn requests_are_read_in_every_form() {
    let world = signed();
    let make = ["key", "request", "--key", "signer.key", "--common-name", "x", "--output", "x.csr"];
    world.keyed(&make).succeeds();
    let request = text(&world, "x.csr");
    for (number, (form, request)) in forms(&request).into_iter().enumerate() {
        world.write("form.csr", request);
        let output = format!("csr-{number}.pem");
        let run = world.keyed(&[
            "ca",
            "issue",
            "--dir",
            "ca",
            "--profile",
            "code-signer",
            "--csr",
            "form.csr",
            "--email",
            "a@example.org",
            "--output",
            &output,
        ]);
        assert_eq!(run.code, 0, "{form}: {run:?}");
    }
}

#[test]
fn inspect_shows_every_block_and_hides_none_behind_a_bad_one() {
    let world = signed();
    let certificate = text(&world, "signer.pem");
    let (old, _) = lists(&world);
    let bad = "-----BEGIN CERTIFICATE-----\nM!A=\n-----END CERTIFICATE-----\n";
    world.write("all.pem", format!("{bad}{old}{certificate}"));
    let shown = world.json(&["inspect", "all.pem"]).exits_with(3).json();
    let results = shown["results"].as_array().expect("results");
    assert_eq!(results[0]["error"]["code"], "setup.input.malformed");
    assert_eq!(results[0]["error"]["subject"], "block 1 of all.pem");
    assert_eq!((&results[1]["block"], &results[1]["object"]["kind"]), (&2.into(), &"crl".into()));
    assert_eq!(
        (&results[2]["block"], &results[2]["object"]["kind"]),
        (&3.into(), &"certificate".into())
    );
}
