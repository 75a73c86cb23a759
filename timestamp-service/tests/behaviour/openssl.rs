//! `openssl ts` and `curl` as clients.

use std::path::Path;
use std::process::{Command, Output};

use crate::rig::{POLICY, Rig, authorities};

fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().unwrap_or_else(|error| {
        panic!("{program} must be installed (apt-get install {program}): {error}")
    })
}

fn succeeds(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = run(program, arguments, folder);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    text
}

/// `curl` posts `query.tsq` and writes `reply.tsr`; `version` is its flag for the HTTP version.
fn post(rig: &Rig, folder: &Path, version: &str) {
    let url = rig.url();
    let post = [
        "--silent",
        "--show-error",
        "--fail",
        version,
        "--max-time",
        "8",
        "--header",
        "Content-Type: application/timestamp-query",
        "--data-binary",
        "@query.tsq",
        "--output",
        "reply.tsr",
        &url,
    ];
    succeeds("curl", &post, folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_verifies_what_it_asked_for() {
    let rig = Rig::start().await;
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    std::fs::write(folder.join("data"), "a release").expect("written");
    std::fs::write(folder.join("other"), "another release").expect("written");
    let root = authorities().path("root.pem").display().to_string();
    for (hash, version) in
        [("-sha256", "--http1.0"), ("-sha384", "--http1.1"), ("-sha512", "--http2-prior-knowledge")]
    {
        succeeds(
            "openssl",
            &[
                "ts",
                "-query",
                "-data",
                "data",
                hash,
                "-cert",
                "-tspolicy",
                POLICY,
                "-out",
                "query.tsq",
            ],
            folder,
        );
        post(&rig, folder, version);
        let verify =
            ["ts", "-verify", "-queryfile", "query.tsq", "-in", "reply.tsr", "-CAfile", &root];
        assert!(succeeds("openssl", &verify, folder).contains("Verification: OK"));
        let wrong = ["ts", "-verify", "-data", "other", "-in", "reply.tsr", "-CAfile", &root];
        assert!(!run("openssl", &wrong, folder).status.success(), "another file must not verify");
        let text = succeeds("openssl", &["ts", "-reply", "-in", "reply.tsr", "-text"], folder);
        assert!(text.contains("Status: Granted.") && text.contains(POLICY), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_verifies_a_token_without_certificates_given_the_chain() {
    let rig = Rig::start().await;
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    std::fs::write(folder.join("data"), "a release").expect("written");
    countersign_signing::pem::write_certificates(&folder.join("chain.pem"), &rig.chain)
        .expect("written");
    let root = authorities().path("root.pem").display().to_string();
    succeeds(
        "openssl",
        &["ts", "-query", "-data", "data", "-sha256", "-no_nonce", "-out", "query.tsq"],
        folder,
    );
    post(&rig, folder, "--http1.1");
    let verify = [
        "ts",
        "-verify",
        "-data",
        "data",
        "-in",
        "reply.tsr",
        "-CAfile",
        &root,
        "-untrusted",
        "chain.pem",
    ];
    assert!(succeeds("openssl", &verify, folder).contains("Verification: OK"));
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_reads_a_refusal() {
    let rig = Rig::start().await;
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    std::fs::write(folder.join("data"), "a release").expect("written");
    succeeds("openssl", &["ts", "-query", "-data", "data", "-sha1", "-out", "query.tsq"], folder);
    post(&rig, folder, "--http1.1");
    let text = succeeds("openssl", &["ts", "-reply", "-in", "reply.tsr", "-text"], folder);
    assert!(text.contains("unrecognized or unsupported algorithm identifier"), "{text}");
    assert!(text.contains("use sha256, sha384, sha512"), "{text}");
}
