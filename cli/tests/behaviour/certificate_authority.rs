//! `ca`, `trust`, `policy`, `config`.

use countersign_core::x509::Certificate;
use countersign_signing::{ca::CertificateAuthority, key::Passphrase, profile::Authority};

use crate::world::{PASSPHRASE, Run, World, command};

fn split(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

#[test]
fn issues_every_profile_and_lists_it() {
    let world = World::new();
    for (profile, more) in [
        (
            "code-signer",
            "--uri https://example.org/release --oidc-issuer https://login.example.org",
        ),
        ("tsa", "--common-name Stamp"),
        ("ocsp", "--issuer signing"),
        ("tls-server", "--dns localhost --ip 127.0.0.1 --days 10"),
        ("tls-client", "--email admin@example.org"),
    ] {
        let text = format!(
            "--format json ca issue --dir ca --profile {profile} {more} --new-key new-{profile}.key --output new-{profile}.pem"
        );
        let run = world.keyed(&split(&text)).succeeds();
        let serial =
            run.json()["result"]["issued"]["serial"].as_str().expect("a serial").to_owned();
        let list = world.json(&["ca", "list", "--dir", "ca"]).succeeds().stdout;
        assert!(list.contains(&serial), "{profile}");
        let file = format!("new-{profile}.pem");
        world.json(&["inspect", &file]).succeeds();
    }
    // Signed by whom it should be, openssl says.
    let verified = std::process::Command::new("openssl")
        .args([
            "verify",
            "-CAfile",
            "ca/root/certificate.pem",
            "-untrusted",
            "ca/service/certificate.pem",
            "new-tls-server.pem",
        ])
        .current_dir(world.path())
        .output()
        .expect("openssl is there (apt-get install openssl)");
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn issues_for_requests_and_keys_of_others() {
    let world = World::new();
    world.keyed(&["key", "generate", "mine.key", "--algorithm", "p256"]).succeeds();
    let base = "ca issue --dir ca --profile code-signer --email a@example.org";
    world.keyed(&split(&format!("{base} --key mine.key --output by-key.pem"))).succeeds();
    let made = std::process::Command::new("openssl")
        .args(["req", "-new", "-key", "mine.key", "-subj", "/CN=ignored", "-out", "mine.csr"])
        .args(["-passin", &format!("pass:{PASSPHRASE}")])
        .current_dir(world.path())
        .output()
        .expect("openssl is there (apt-get install openssl)");
    assert!(made.status.success(), "{made:?}");
    world.keyed(&split(&format!("{base} --csr mine.csr --output by-csr.pem"))).succeeds();
    world.write("app", "x");
    let sign = [
        "sign",
        "app",
        "--key",
        "mine.key",
        "--trusted-root",
        "trusted_root.json",
        "--certificate",
    ];
    world.keyed(&[&sign[..], &["by-csr.pem"]].concat()).succeeds();
    let run = world.keyed(&split(&format!("--format json {base} --csr app --output none.pem")));
    assert_eq!(run.exits_with(2).finding(), "setup.request.invalid");
    world.keyed(&split(&format!("{base} --output none.pem"))).exits_with(2);
    world
        .keyed(&split(&format!("{base} --csr mine.csr --key mine.key --output none.pem")))
        .exits_with(2);
    assert!(!world.file("none.pem").exists());
}

#[test]
fn refuses_names_that_do_not_fit_the_profile() {
    let world = World::new();
    let before = world.json(&["ca", "list", "--dir", "ca"]).succeeds().stdout;
    for more in [
        "--profile code-signer",
        "--profile code-signer --email nobody",
        "--profile code-signer --dns example.org",
        "--profile code-signer --email a@example.org --days 0",
        "--profile tsa --email a@example.org",
        "--profile ocsp",
        "--profile ocsp --issuer nobody",
        "--profile tls-server",
        "--profile tls-server --ip 1.2.3",
        "--profile tls-client --email a@example.org --oidc-issuer https://x",
        "--profile root",
    ] {
        let text = format!("ca issue --dir ca {more} --new-key none.key --output none.pem");
        world.keyed(&split(&text)).exits_with(2);
    }
    assert!(!world.file("none.pem").exists() && !world.file("none.key").exists());
    assert_eq!(world.json(&["ca", "list", "--dir", "ca"]).succeeds().stdout, before);
}

#[test]
fn renews_with_the_same_names() {
    let world = World::new();
    let run = world
        .keyed(&split("--format json ca renew --dir ca --certificate signer.pem --output new.pem"));
    assert!(run.succeeds().stdout.contains("release@example.org"));
    world.write("app", "x");
    world
        .keyed(&split(
            "sign app --key signer.key --certificate new.pem --trusted-root trusted_root.json",
        ))
        .succeeds();
    world
        .keyed(&split(
            "ca renew --dir ca --certificate signer.pem --new-key new.key --output newer.pem",
        ))
        .succeeds();
    world.keyed(&split("ca renew --dir ca --serial 1234 --output none.pem")).exits_with(2);
    world.keyed(&split("ca renew --dir ca --certificate new.pem --output new.pem")).exits_with(3);
    world.keyed(&split("ca renew --dir ca --output none.pem")).exits_with(2);
}

#[test]
fn renews_a_ca_in_its_place_and_what_was_signed_stays_good() {
    let world = World::new();
    let sign = |file: &str, root: &str| {
        world.write(file, "x");
        let command = "sign FILE --key signer.key --certificate signer.pem --trusted-root ROOT";
        world.keyed(&split(&command.replace("FILE", file).replace("ROOT", root))).succeeds();
    };
    sign("before", "trusted_root.json");
    let old = world.read("ca/signing/certificate.pem");
    let run = world
        .keyed(&split("--format json ca renew --dir ca --ca signing --days 4000 --output ca.pem"));
    assert_eq!(run.succeeds().json()["result"]["issued"]["profile"], "signing-ca");
    let new = world.read("ca.pem");
    assert_ne!(new, old);
    // A key would make it another CA.
    let shorter = "--ca signing --days 1";
    let (keyed, two) = ("--ca signing --key signer.key", "--ca signing --serial 1");
    for wrong in [keyed, two, shorter, "--ca nobody", ""] {
        let command = format!("ca renew --dir ca {wrong} --output other.pem");
        world.keyed(&command.split_whitespace().collect::<Vec<_>>()).exits_with(2);
    }
    assert_eq!(world.read("ca/signing/certificate.pem"), new);
    world.run(&split("trust init --dir ca --output renewed.json")).succeeds();
    sign("after", "renewed.json");
    for file in ["before", "after"] {
        let command = "verify FILE --trusted-root renewed.json --policy policy.json --offline";
        world.run(&split(&command.replace("FILE", file))).succeeds();
    }
}

#[test]
fn an_authority_appears_whole_or_not_at_all() {
    let world = World::bare();
    let init =
        |more: &str| world.keyed(&split(&format!("--format json ca init --organisation X {more}")));
    assert_eq!(
        init("--dir ca --base-url example.org").exits_with(2).finding(),
        "setup.request.invalid"
    );
    assert_eq!(
        init("--dir missing/ca --base-url http://a").exits_with(3).finding(),
        "setup.output.unwritable"
    );
    assert_eq!(
        init("--dir /proc/ca --base-url http://a").exits_with(3).finding(),
        "setup.output.unwritable"
    );
    assert!(world.names().is_empty(), "{:?}", world.names());
    init("--dir ca --base-url http://a").succeeds();
    assert_eq!(
        init("--dir ca --base-url http://a").exits_with(3).finding(),
        "setup.output.unwritable"
    );
    let run = world.json(&["ca", "list", "--dir", "."]).exits_with(3);
    assert_eq!(run.finding(), "setup.input.unreadable");
    // Its passphrase may be its own.
    let mut command = command(world.path());
    command.env("COUNTERSIGN_CA_PASSPHRASE", "wrong").env("COUNTERSIGN_KEY_PASSPHRASE", PASSPHRASE);
    command.args(split("--format json ca crl --dir ca --ca root --output root.crl"));
    let run = Run::of(command.output().expect("starts")).exits_with(2);
    assert_eq!(run.finding(), "setup.key.unusable");
}

#[test]
fn crls_list_what_they_are_told_and_openssl_reads_them() {
    let world = World::new();
    let list = world.json(&["ca", "list", "--dir", "ca"]).succeeds().json();
    let certificates = list["result"]["certificates"].as_array().expect("a list").clone();
    let signer =
        certificates.iter().find(|each| each["profile"] == "code-signer").expect("the signer");
    let serial = signer["serial"].as_str().expect("a serial");
    let crl =
        |more: &str| world.keyed(&split(&format!("ca crl --dir ca --output signing.crl {more}")));
    crl(&format!("--ca signing --revoke {serial}:superseded:2026-01-01T00:00:00Z --number 7"))
        .succeeds();
    let shown = std::process::Command::new("openssl")
        .args(["crl", "-inform", "DER", "-in", "signing.crl", "-noout", "-text"])
        .current_dir(world.path())
        .output()
        .expect("openssl is there (apt-get install openssl)");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.to_lowercase().contains(serial) && shown.contains("Superseded"), "{shown}");
    let others = format!("--ca root --revoke {serial}:superseded:2026-01-01T00:00:00Z");
    world.keyed(&split(&format!("ca crl --dir ca --output root.crl {others}"))).exits_with(2);
    crl("--ca signing --revoke 1234:superseded:2026-01-01T00:00:00Z").exits_with(2);
    crl("--ca signing --revoke 1234:boredom:2026-01-01T00:00:00Z").exits_with(2);
    crl("--ca signing --revoke 1234:superseded:yesterday").exits_with(2);
    crl("--ca nobody").exits_with(2);
    // The number grows, and nothing but this authority's list is replaced.
    crl("--ca signing --number 7").exits_with(2);
    // What was revoked stays revoked, whether it is said again or not, and the list says so.
    let said = crl("--format json --ca signing").succeeds().json();
    assert_eq!((&said["result"]["revoked"], &said["result"]["added"]), (&1.into(), &0.into()));
    let inspect = |file: &str| {
        world.json(&["inspect", file]).succeeds().json()["results"][0]["object"].clone()
    };
    let shown = inspect("signing.crl");
    assert_eq!(shown["revokedCertificates"][0]["serialNumber"], serial, "{shown}");
    assert!(shown["expiredCertsOnCRL"].is_string(), "{shown}");
    let graver = format!("--ca signing --revoke {serial}:keyCompromise:2026-01-01T00:00:00Z");
    crl(&graver).succeeds();
    let shown = inspect("signing.crl");
    assert_eq!(shown["revokedCertificates"].as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(shown["revokedCertificates"][0]["reason"], "keyCompromise");
    let milder = format!("--ca signing --revoke {serial}:superseded:2026-01-02T00:00:00Z");
    crl(&milder).exits_with(2);
    // A hold is lifted when that is said, and not by leaving it out; nothing else is.
    let issue = "ca issue --dir ca --profile code-signer --email b@example.org --new-key b.key --output b.pem";
    world.keyed(&split(issue)).succeeds();
    let second = inspect("b.pem")["serialNumber"].as_str().expect("a serial").to_owned();
    let held = |more: &str| {
        world.keyed(&split(&format!("ca crl --dir ca --ca signing{more} --output held.crl")))
    };
    held(&format!(" --revoke {second}:certificateHold:2026-01-01T00:00:00Z")).succeeds();
    held("").succeeds();
    let shown = inspect("held.crl");
    assert_eq!(shown["revokedCertificates"].as_array().map(Vec::len), Some(2), "{shown}");
    held(&format!(" --release {serial}")).exits_with(2);
    let said = held(&format!(" --format json --release {second}")).succeeds().json();
    assert_eq!((&said["result"]["revoked"], &said["result"]["released"]), (&1.into(), &1.into()));
    let shown = inspect("held.crl");
    assert_eq!(shown["revokedCertificates"].as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(shown["revokedCertificates"][0]["serialNumber"], serial, "{shown}");
    held(&format!(" --release {second}")).exits_with(2);
    assert!(world.file("ca/crls/signing.crl").exists());
    let key = world.read("ca/root/key.pem");
    for output in ["ca/root/key.pem", "ca/ca.toml", "signing.crl"] {
        let run = world.keyed(&split(&format!("ca crl --dir ca --ca root --output {output}")));
        run.exits_with(3);
    }
    let over_key = "--format json trust init --dir ca --force --output ca/root/key.pem";
    let run = world.keyed(&split(over_key)).exits_with(3);
    assert_eq!(run.finding(), "setup.output.unwritable");
    assert_eq!(world.read("ca/root/key.pem"), key);
}

#[test]
fn trust_roots_are_shown_pinned_and_not_replaced_unasked() {
    let world = World::new();
    let value = world.json(&["trust", "show", "trusted_root.json"]).succeeds().json();
    let authority = &value["result"]["timestamp_authorities"][0];
    assert_eq!(authority["certificates"].as_array().map(Vec::len), Some(3));
    world
        .run(&["trust", "init", "--from-file", "trusted_root.json", "--output", "pinned.json"])
        .succeeds();
    assert_eq!(world.read("pinned.json"), world.read("trusted_root.json"));
    let run = world.json(&["trust", "init", "--dir", "ca"]).exits_with(3);
    assert_eq!(run.finding(), "setup.output.unwritable");
    world.run(&["trust", "init", "--dir", "ca", "--force"]).succeeds();
    world.write("bad.json", "{}");
    let run = world.json(&["trust", "init", "--from-file", "bad.json", "--output", "none.json"]);
    assert_eq!(run.exits_with(2).finding(), "setup.trust-root.malformed");
    assert!(!world.file("none.json").exists());
}

/// A policy that demands two timestamps wants two operators.
#[test]
fn files_of_one_operator_are_one_timestamp_authority() {
    let world = World::new();
    let keyed = |text: &str| world.keyed(&split(text)).succeeds();
    for (folder, organisation) in [("one", "One"), ("two", "Two"), ("two-anew", "Two")] {
        keyed(&format!(
            "ca init {folder} --organisation {organisation} --base-url http://127.0.0.1:9"
        ));
        for number in ["1", "2"] {
            keyed(&format!(
                "ca issue --dir {folder} --profile tsa --common-name Stamp{number} \
                 --new-key {folder}-{number}.key --output {folder}-{number}.pem"
            ));
            let file = format!("{folder}-{number}.pem");
            let root = world.read(&format!("{folder}/root/certificate.pem"));
            world.write(&file, [world.read(&file), root].concat());
        }
    }
    let trusted = |files: &[&str]| {
        let mut arguments = split("--format json trust init --dir ca --force");
        for file in files {
            arguments.extend(["--timestamp-authority", file]);
        }
        let result = world.run(&arguments).succeeds().json()["result"].clone();
        let authorities = result["timestamp_authorities"].as_array().expect("a list").clone();
        let names: Vec<String> =
            authorities.iter().map(|each| each["uri"].as_str().expect("text").to_owned()).collect();
        (names, result["timestamp_authority_count"].as_u64().expect("a number"))
    };
    assert_eq!(trusted(&[]).1, 1);
    let (names, count) = trusted(&["one-1.pem", "one-2.pem"]);
    assert_eq!((&names[1..], count), (&["one-1.pem", "one-1.pem"].map(String::from)[..], 2));
    // A root that was made anew has another key and the same name.
    let (names, count) = trusted(&["two-1.pem", "one-1.pem", "two-anew-1.pem"]);
    let expected = ["two-1.pem", "one-1.pem", "two-1.pem"].map(String::from);
    assert_eq!((&names[1..], count), (&expected[..], 3));
    // The same certificate is the CA's own.
    let whole = [world.read("tsa.pem"), world.read("ca/root/certificate.pem")].concat();
    world.write("tsa.pem", whole);
    assert_eq!(trusted(&["tsa.pem"]), (vec!["http://127.0.0.1:9".to_owned(); 2], 1));
    // What has nothing in common can be named.
    let (names, count) = trusted(&["stamps=one-1.pem", "stamps=two-1.pem", "two-2.pem"]);
    assert_eq!((names[1..].to_vec(), count), (vec!["stamps".to_owned(); 3], 2));
    std::fs::copy(world.file("one-1.pem"), world.file("a=b.pem")).expect("copied");
    assert_eq!(trusted(&["a=b.pem"]).0[1], "a=b.pem");
    let arguments = split("trust init --dir ca --force --timestamp-authority one-1.pem");
    let text = world.run(&arguments).succeeds().stdout;
    assert!(text.contains("2 different authorities") && text.contains("O=One"), "{text}");
}

#[test]
fn policies_are_written_and_checked() {
    let world = World::bare();
    let text = "policy init --identity a@example.org --identity *@example.com --oidc-issuer https://login.example.org --files app-* lib-* --compromise reject";
    world.run(&split(text)).succeeds();
    let value = world.json(&["policy", "lint", "policy.json"]).succeeds().json();
    assert_eq!(value["result"]["signers"][0]["files"][1], "lib-*");
    assert_eq!(value["result"]["remarks"].as_array().map(Vec::len), Some(0));
    world.run(&split(text)).exits_with(3);
    let last_known = format!("{text} --after-expiry last-known --output last-known.json");
    world.run(&split(&last_known)).succeeds();
    let value = world.json(&["policy", "lint", "last-known.json"]).succeeds().json();
    assert_eq!(value["result"]["remarks"].as_array().map(Vec::len), Some(1));
    let policy: serde_json::Value =
        serde_json::from_slice(&world.read("last-known.json")).expect("JSON");
    assert_eq!(policy["revocation"]["after_expiry"], "last-known");
}

#[test]
fn checks_configurations() {
    let world = World::new();
    world.write("good.toml", "trusted_root = \"trusted_root.json\"\npolicy = \"policy.json\"\n");
    world.write("typo.toml", "trusted_rot = \"trusted_root.json\"\n");
    world.write("dangling.toml", "policy = \"missing.json\"\n");
    world.run(&["config", "check", "good.toml"]).succeeds();
    world.run(&["config", "check"]).succeeds();
    let run = world.json(&["config", "check", "typo.toml"]).exits_with(2);
    assert_eq!(run.finding(), "setup.configuration.invalid");
    assert!(run.stdout.contains("line 1") && run.stdout.contains("trusted_rot"), "{run:#?}");
    world.json(&["config", "check", "dangling.toml"]).exits_with(3);
    world.json(&["config", "check", "missing.toml"]).exits_with(3);
}

/// D6: a list that leaves something out was taken for what the CA had revoked.
#[test]
fn a_crl_is_made_from_complete_ones_alone() {
    let world = World::new();
    let make = || world.keyed(&split("ca crl --dir ca --ca root --output root.crl"));
    make().succeeds();
    let passphrase = Passphrase::new(PASSPHRASE).expect("a passphrase");
    let ca = CertificateAuthority::open(&world.file("ca"), &passphrase).expect("opened");
    let now = ca.certificate(Authority::Root);
    let now = Certificate::decode(now).expect("a certificate").not_before.plus_seconds(600);
    let builder = ca.crl(Authority::Root, u64::MAX >> 1, now, now.plus_seconds(86_400));
    let key = ca.signer(Authority::Root).expect("a key");
    let delta = builder.expect("a builder").as_delta_since(1).build(&*key).expect("signed");
    let whole = std::fs::read(world.file("root.crl")).expect("read");
    for path in ["root.crl", "ca/crls/root.crl"] {
        std::fs::write(world.file(path), &delta).expect("written");
        let run = make().exits_with(3);
        assert!(run.stderr.contains("revocation.crl.delta"), "{path}: {}", run.stderr);
        std::fs::write(world.file(path), &whole).expect("written");
    }
    make().succeeds();
}
