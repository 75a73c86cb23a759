//! What is asked of whom: CRLs, timestamps, and nothing at all with `--offline`.

use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_core::{
    digest::HashAlgorithm,
    time::UnixSeconds,
    tsp::{FailureInfo, TimestampRequest},
};

use crate::{
    http::{Answer, Reply, Request, Server, timestamp_authority},
    world::{IDENTITY, PASSPHRASE, Run, World, clean, command},
};

/// A server that serves the CRLs of the world whose certificates name it, and stamps.
pub(crate) struct Services {
    pub(crate) server: Server,
    pub(crate) world: World,
}

pub(crate) fn services() -> Services {
    let server = Server::start(|_| Reply::status("503 Service Unavailable"));
    let world = World::with_base_url(&server.url);
    for ca in ["root", "signing", "timestamping"] {
        let text = format!("ca crl --dir ca --ca {ca} --output {ca}.crl");
        world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
    }
    let folder = world.path().to_owned();
    let stamp = timestamp_authority(&folder, PASSPHRASE);
    server.answer(move |request: &Request| {
        let path = request.line.split(' ').nth(1).unwrap_or_default();
        match path.strip_prefix("/crl/") {
            Some(name) => fs::read(folder.join(name))
                .map_or_else(|_| Reply::status("404 Not Found"), Reply::ok),
            None if path == "/ocsp" => Reply::status("404 Not Found"),
            None => stamp(request),
        }
    });
    Services { server, world }
}

impl Services {
    pub(crate) fn signed() -> Self {
        let services = services();
        services.world.write("app", "x");
        let url = services.server.url.clone();
        services.world.sign(&["app", "--timestamp-url", &url]).succeeds();
        services
    }

    pub(crate) fn verify(&self, more: &[&str]) -> Run {
        let fixed = [
            "verify",
            "app",
            "--trusted-root",
            "trusted_root.json",
            "--certificate-identity",
            IDENTITY,
        ];
        self.world.json(&[&fixed[..], more].concat())
    }
}

#[test]
fn fetches_what_the_certificates_name() {
    let Services { server, world } = Services::signed();
    let services = Services { server, world };
    let before = services.server.asked().len();
    let report = services.verify(&[]).succeeds().json();
    assert!(report["results"][0]["timestamps"][0]["time"].is_string());
    let asked = services.server.asked().split_off(before);
    for ca in ["root", "signing", "timestamping"] {
        let line = format!("GET /crl/{ca}.crl HTTP/1.1");
        assert_eq!(asked.iter().filter(|each| **each == line).count(), 1, "{asked:?}");
    }
    // Several files of one signer: each address is asked once.
    services.world.write("copy", "x");
    let before = services.server.asked().len();
    let run = services.verify(&["copy", "--bundle", "app.sigstore.json"]).succeeds();
    assert_eq!(run.json()["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(services.server.asked().len() - before, 3);
}

fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixSeconds::new(i64::try_from(since.as_secs()).expect("small")).to_string()
}

#[test]
fn a_revoked_signer_is_rejected_and_one_revoked_later_is_not() {
    let services = Services::signed();
    let world = &services.world;
    let list = world.json(&["ca", "list", "--dir", "ca"]).succeeds().json();
    let all = list["result"]["certificates"].as_array().expect("a list").clone();
    let signer = all.iter().find(|each| each["profile"] == "code-signer").expect("the signer");
    let serial = signer["serial"].as_str().expect("a serial");
    let revoke = |reason: &str, date: &str| {
        let text = format!(
            "ca crl --dir ca --ca signing --output signing.crl --revoke {serial}:{reason}:{date}"
        );
        world.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
    };
    // Later than the timestamp's upper bound, which its accuracy puts a second or two ahead.
    thread::sleep(Duration::from_secs(4));
    revoke("superseded", &now());
    let report = services.verify(&[]).succeeds().json().to_string();
    assert!(report.contains("revocation.revoked-after-signing"), "{report}");
    revoke("keyCompromise", "2026-01-01T00:00:00Z");
    assert_eq!(services.verify(&[]).exits_with(14).finding(), "revocation.revoked");
}

#[test]
fn what_cannot_be_fetched_is_not_a_pass() {
    let services = Services::signed();
    let large = vec![0_u8; 33 << 20];
    let url = services.server.url.clone();
    let answers: [(&str, &str, Box<Answer>); 5] = [
        ("HTTP 500", "answer", Box::new(|_: &Request| Reply::status("500 Internal Server Error"))),
        ("a web page, not a CRL", "answer", Box::new(|_: &Request| Reply::ok("<html>"))),
        ("an empty answer", "answer", Box::new(|_: &Request| Reply::ok(""))),
        ("over 33554432 bytes", "answer", Box::new(move |_: &Request| Reply::ok(large.clone()))),
        (
            "over 3 redirects",
            "redirect",
            Box::new(move |_: &Request| Reply::redirect(&format!("{url}/crl/signing.crl"))),
        ),
    ];
    for (what, code, answer) in answers {
        services.server.answer(answer);
        let run = services.verify(&["--no-cache"]).exits_with(3);
        assert_eq!(run.finding(), "revocation.unavailable", "{what}");
        assert!(run.stderr.contains(&format!("setup.service.{code}")), "{what}: {run:#?}");
        assert!(run.stderr.contains(what), "{what}: {run:#?}");
    }
    let asked = services.server.asked().len();
    let run = services.verify(&["--offline", "--no-cache"]).exits_with(3);
    assert_eq!(run.finding(), "revocation.unavailable");
    assert_eq!(services.server.asked().len(), asked, "offline is offline");
}

#[test]
fn follows_a_redirect() {
    let services = Services::signed();
    let folder = services.world.path().to_owned();
    services.server.answer(move |request| {
        let path = request.line.split(' ').nth(1).unwrap_or_default();
        match (path.strip_prefix("/crl/"), path.strip_prefix("/moved/")) {
            (Some(name), _) => Reply::redirect(&format!("/moved/{name}")),
            (None, Some(name)) => Reply::ok(fs::read(folder.join(name)).expect("a CRL")),
            (None, None) => Reply::status("404 Not Found"),
        }
    });
    services.verify(&[]).succeeds();
    // To where nobody is, and to what is no web address.
    for target in ["https://127.0.0.1:1/x.crl", "file:///etc/passwd"] {
        services.server.answer(move |_| Reply::redirect(target));
        let run = services.verify(&["--no-cache"]).exits_with(3);
        assert_eq!(run.finding(), "revocation.unavailable", "{target}");
    }
}

#[test]
fn fetched_evidence_serves_offline() {
    let services = Services::signed();
    let world = &services.world;
    let fetch = [
        "revocation",
        "fetch",
        "app",
        "--trusted-root",
        "trusted_root.json",
        "--output-dir",
        "evidence",
    ];
    let run = world.json(&fetch).succeeds();
    assert_eq!(run.json()["result"]["fetched"].as_array().map(Vec::len), Some(3));
    let crls = ["evidence/root.crl", "evidence/signing.crl", "evidence/timestamping.crl"];
    let asked = services.server.asked().len();
    services.verify(&[&["--offline", "--crl"], &crls[..]].concat()).succeeds();
    // Given and fresh, they are not fetched again online either.
    services.verify(&[&["--crl"], &crls[..]].concat()).succeeds();
    assert_eq!(services.server.asked().len(), asked);
    services.server.answer(|_| Reply::status("404 Not Found"));
    // What was kept is as good as what would have come, which is said.
    let run = world.json(&[&fetch[..], &["--force"]].concat()).succeeds();
    assert!(run.stderr.contains("the kept CRL of"), "{}", run.stderr);
    let mut elsewhere = command(world.path());
    elsewhere.env("XDG_CACHE_HOME", world.file("nothing")).args(["--format", "json"]).args(fetch);
    let run = Run::of(elsewhere.output().expect("starts")).exits_with(3);
    assert_eq!(run.finding(), "revocation.unavailable");
}

#[test]
fn asks_the_next_authority_when_one_fails() {
    let Services { server, world } = services();
    world.write("app", "x");
    let failing = Server::start(|_| Reply::status("500 Internal Server Error"));
    let run = world
        .sign(&["app", "--timestamp-url", &failing.url, "--timestamp-url", &server.url])
        .succeeds();
    assert_eq!(run.json()["results"][0]["timestamp"]["url"], server.url);
    assert!(run.stderr.contains("trying the next"), "{run:#?}");
    let run = world.sign(&["app", "--force", "--timestamp-url", &failing.url]).exits_with(3);
    assert_eq!(run.finding(), "setup.service.answer");
    world.sign(&["app", "--force", "--timestamp-url", "ftp://127.0.0.1/"]).exits_with(2);
    let run =
        world.sign(&["app", "--force", "--timestamp-url", "http://127.0.0.1:1"]).exits_with(3);
    assert_eq!(run.finding(), "setup.service.unreachable");
}

#[test]
fn answers_that_do_not_fit_the_question_are_refused() {
    let Services { server, world } = services();
    world.write("app", "x");
    let request = |more: &[&str]| {
        let fixed =
            ["timestamp", "request", "app", "--timestamp-url", &server.url, "--output", "app.tsr"];
        world.json(&[&fixed[..], more].concat())
    };
    let run = request(&["--trusted-root", "trusted_root.json"]).succeeds();
    assert_eq!(run.json()["result"]["verified"], true);
    assert_eq!(request(&[]).exits_with(3).finding(), "setup.output.unwritable");
    let old = world.read("app.tsr");
    // An old answer to the same question.
    server.answer(move |_| Reply::ok(old.clone()));
    assert_eq!(request(&["--force"]).exits_with(13).finding(), "timestamp.nonce.mismatch");
    assert_eq!(request(&["--force", "--no-nonce"]).succeeds().json()["result"]["verified"], false);
    let other = format!("sha384:{}", "00".repeat(48));
    let run = world.json(&[
        "timestamp",
        "request",
        "--digest",
        &other,
        "--timestamp-url",
        &server.url,
        "--output",
        "other.tsr",
    ]);
    assert_eq!(run.exits_with(13).finding(), "timestamp.imprint.mismatch");
    let run = request(&["--force", "--no-nonce", "--policy-oid", "1.2.3"]).exits_with(13);
    assert_eq!(run.finding(), "timestamp.policy.mismatch");
    // PKIStatus rejection, failInfo badAlg.
    server
        .answer(|_| Reply::ok([0x30, 0x09, 0x30, 0x07, 0x02, 0x01, 0x02, 0x03, 0x02, 0x07, 0x80]));
    assert_eq!(request(&["--force"]).exits_with(13).finding(), "timestamp.refused");
    server.answer(|_| Reply::ok("nonsense"));
    assert_eq!(request(&["--force"]).exits_with(3).finding(), "setup.service.answer");
    assert!(!world.file("other.tsr").exists());
}

#[test]
fn verifies_timestamps_against_whom_it_is_told() {
    let Services { server, world } = services();
    world.write("app", "x");
    world.write("other", "y");
    let text = format!(
        "timestamp request app --timestamp-url {} --output app.tsr --hash sha256",
        server.url
    );
    world.run(&text.split(' ').collect::<Vec<_>>()).succeeds();
    let verify = |text: &str| {
        world.json(&[&["timestamp", "verify"], &text.split(' ').collect::<Vec<_>>()[..]].concat())
    };
    let run = verify("--token app.tsr --data app --trusted-root trusted_root.json").succeeds();
    assert_eq!(run.json()["result"]["policy"], "1.3.6.1.4.1.99999.1");
    verify("--token app.tsr --data app --ca-file ca/root/certificate.pem --untrusted tsa.pem")
        .succeeds();
    let run =
        verify("--token app.tsr --data other --trusted-root trusted_root.json").exits_with(13);
    assert_eq!(run.finding(), "timestamp.imprint.mismatch");
    let run = verify("--token app.tsr --data app --ca-file signer.pem").exits_with(13);
    assert_eq!(run.finding(), "timestamp.authority.not-trusted");
    let run = verify(
        "--token app.tsr --data app --trusted-root trusted_root.json --at 2026-01-01T00:00:00Z",
    );
    assert_eq!(run.exits_with(13).finding(), "timestamp.future");
    let wrong = format!("sha384:{}", "00".repeat(48));
    let run = verify(&format!("--token app.tsr --digest {wrong} --trusted-root trusted_root.json"))
        .exits_with(3);
    assert_eq!(run.finding(), "content.digest.not-supplied");
    let token = Command::new("openssl")
        .args(["ts", "-reply", "-in", "app.tsr", "-token_out", "-out", "app.token"])
        .current_dir(world.path())
        .output()
        .expect("openssl is there (apt-get install openssl)");
    assert!(token.status.success(), "{token:?}");
    verify("--token app.token --data app --trusted-root trusted_root.json").succeeds();
    let tsr = world.read("app.tsr");
    for (name, content) in [("empty", &[][..]), ("cut", &tsr[..tsr.len() - 1]), ("json", b"{}")] {
        world.write(name, content);
        let run = verify(&format!("--token {name} --data app --trusted-root trusted_root.json"));
        assert_eq!(run.exits_with(13).finding(), "timestamp.malformed", "{name}");
    }
    let run = verify("--token missing --data app --trusted-root trusted_root.json").exits_with(3);
    assert_eq!(run.finding(), "setup.input.unreadable");
    verify("--token app.tsr --data app").exits_with(2);
}

#[test]
fn offline_opens_no_socket() {
    let services = Services::signed();
    let sockets = |more: &[&str]| {
        let mut command = Command::new("strace");
        clean(&mut command, services.world.path());
        command.args([
            "-f",
            "-e",
            "trace=network",
            "-o",
            "trace",
            env!("CARGO_BIN_EXE_countersign"),
        ]);
        command.args(["verify", "app", "--trusted-root", "trusted_root.json"]);
        command.args(["--certificate-identity", IDENTITY]).args(more);
        let output = command.output().expect("strace is there (apt-get install strace)");
        let trace = String::from_utf8(services.world.read("trace")).expect("UTF-8");
        assert!(
            output.status.code().is_some_and(|code| code == 0 || code == 3),
            "{output:?} {trace}"
        );
        trace.lines().filter(|line| line.contains("socket(") || line.contains("connect(")).count()
    };
    assert!(sockets(&[]) > 0, "this would show a socket");
    assert_eq!(sockets(&["--offline"]), 0);
    assert_eq!(sockets(&["--offline", "--crl", "signing.crl"]), 0);
}

/// A list of another authority with the same names must not keep the right one from being fetched.
#[test]
fn a_strangers_crl_does_not_stand_in_for_the_right_one() {
    let services = Services::signed();
    let stranger = World::with_base_url(&services.server.url);
    for ca in ["root", "signing"] {
        let text = format!("ca crl --dir ca --ca {ca} --output {ca}.crl");
        stranger.keyed(&text.split(' ').collect::<Vec<_>>()).succeeds();
        fs::copy(
            stranger.file(&format!("{ca}.crl")),
            services.world.file(&format!("evil-{ca}.crl")),
        )
        .expect("copied");
    }
    let evil = ["--crl", "evil-root.crl", "--crl", "evil-signing.crl"];
    services.verify(&evil).succeeds();
    let asked = services.server.asked();
    for ca in ["root", "signing"] {
        let line = format!("GET /crl/{ca}.crl HTTP/1.1");
        assert!(asked.contains(&line), "{ca}: {asked:?}");
    }
}

/// A login provider that the environment demands is demanded of an identity from a flag too.
#[test]
fn a_login_provider_that_is_set_is_not_dropped() {
    let services = Services::signed();
    services.verify(&[]).succeeds();
    let mut command = command(services.world.path());
    command.env("COUNTERSIGN_CERTIFICATE_OIDC_ISSUER", "https://login.example").args([
        "--format",
        "json",
        "verify",
        "app",
        "--trusted-root",
        "trusted_root.json",
        "--certificate-identity",
        IDENTITY,
    ]);
    let run = Run::of(command.output().expect("starts")).exits_with(12);
    assert_eq!(run.finding(), "certificate.oidc-issuer.unexpected");
}

/// Opening a pipe waits for its writer, and there may be none.
#[test]
fn a_pipe_in_place_of_evidence_is_refused_at_once() {
    let services = Services::signed();
    let made = Command::new("mkfifo").arg(services.world.file("pipe")).status();
    assert!(made.expect("mkfifo is there").success());
    for flag in ["--bundle", "--crl", "--ocsp"] {
        let run = services.verify(&[flag, "pipe"]).exits_with(3);
        assert_eq!(run.finding(), "setup.input.unreadable", "{flag}");
    }
}

/// A `TimeStampResp` that refuses for a reason.
fn refusal(failure: FailureInfo) -> Reply {
    Reply::ok(countersign_signing::tsp::refusal(failure, "as asked"))
}

fn request(world: &World, more: &[&str]) -> Run {
    let fixed = ["timestamp", "request", "app", "--output", "app.tsr", "--force"];
    world.json(&[&fixed[..], more].concat())
}

#[test]
fn what_may_pass_is_tried_again_and_what_does_not_is_not() {
    let services = services();
    let (world, server) = (&services.world, &services.server);
    world.write("app", "x");
    let stamp = Arc::new(timestamp_authority(world.path(), PASSPHRASE));
    // Twice in trouble, then well again.
    let troubles: [fn() -> Reply; 4] = [
        || refusal(FailureInfo::TimeNotAvailable),
        || refusal(FailureInfo::SystemFailure),
        || Reply::status("503 Service Unavailable"),
        || Reply {
            headers: "Retry-After: 1\r\n".to_owned(),
            ..Reply::status("429 Too Many Requests")
        },
    ];
    for trouble in troubles {
        let (stamp, asked) = (Arc::clone(&stamp), AtomicU32::new(0));
        server.answer(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => trouble(),
            _ => stamp(request),
        });
        let answer = request(world, &["--timestamp-url", &server.url]).succeeds().json();
        assert_eq!(answer["result"]["requests"], 3);
    }
    // Not for ever.
    server.answer(|_| refusal(FailureInfo::SystemFailure));
    let before = server.asked().len();
    let run = request(world, &["--timestamp-url", &server.url, "--retries", "1"]);
    assert_eq!(run.exits_with(13).finding(), "timestamp.refused");
    assert_eq!(server.asked().len() - before, 2);
    for (lasting, code) in [
        ((|| refusal(FailureInfo::UnacceptedPolicy)) as fn() -> Reply, 13),
        (|| refusal(FailureInfo::BadRequest), 13),
        (|| Reply::status("404 Not Found"), 3),
        (|| Reply::status("415 Unsupported Media Type"), 3),
    ] {
        server.answer(move |_| lasting());
        let before = server.asked().len();
        request(world, &["--timestamp-url", &server.url]).exits_with(code);
        assert_eq!(server.asked().len() - before, 1);
    }
}

#[test]
fn several_authorities_are_asked_in_turn_and_the_most_telling_failure_is_told() {
    let services = services();
    let (world, server) = (&services.world, &services.server);
    world.write("app", "x");
    let nobody = "http://127.0.0.1:1";
    let urls = ["--timestamp-url", &server.url, "--timestamp-url", nobody, "--retries", "0"];
    server.answer(|_| refusal(FailureInfo::UnacceptedPolicy));
    let run = request(world, &urls);
    assert_eq!(run.exits_with(13).finding(), "timestamp.refused");
    // The one that refused is not asked again, the one that was not there is: until it is there.
    let late = Server::start(|_| Reply::status("503 Service Unavailable"));
    let (stamp, asked) = (timestamp_authority(world.path(), PASSPHRASE), AtomicU32::new(0));
    late.answer(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status("503 Service Unavailable"),
        _ => stamp(request),
    });
    let before = server.asked().len();
    let urls = ["--timestamp-url", &server.url, "--timestamp-url", &late.url];
    let answer = request(world, &urls).succeeds().json();
    assert_eq!(answer["result"]["url"], late.url);
    assert_eq!((server.asked().len() - before, late.asked().len()), (1, 2));
}

#[test]
fn another_hash_is_tried_where_an_authority_does_not_accept_the_first() {
    let services = services();
    let (world, server) = (&services.world, &services.server);
    world.write("app", "x");
    let stamp = timestamp_authority(world.path(), PASSPHRASE);
    server.answer(move |request| {
        let decoded = TimestampRequest::decode(&request.body).expect("a request");
        match decoded.message_imprint.algorithm {
            Some(HashAlgorithm::Sha256) => stamp(request),
            _ => refusal(FailureInfo::BadAlg),
        }
    });
    let url = ["--timestamp-url", &server.url];
    let hashes = |list| [&url[..], &["--hash", list]].concat();
    let answer = request(world, &hashes("sha512,sha384,sha256")).succeeds().json();
    assert_eq!(answer["result"]["requests"], 3);
    let imprint = answer["result"]["imprint"].as_str().expect("an imprint");
    assert!(imprint.starts_with("sha256:"), "{imprint}");
    let before = server.asked().len();
    let run = request(world, &hashes("sha512,sha384"));
    assert_eq!(run.exits_with(13).finding(), "timestamp.refused");
    assert_eq!(server.asked().len() - before, 2, "badAlg does not pass by itself");
    request(world, &hashes("sha1")).exits_with(2);
}
