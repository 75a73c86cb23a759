//! The page in real browsers: a release in each state, made by the programs and served here, checked
//! by the driver in `web/tests/browser`.
//!
//! `make test` builds the page and the driver first; so does `make web`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use countersign_tests::scenario::{Limits, OpenPage, Site, built};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository")
}

/// Runs every flow of the driver in that browser.
fn check_page_in(browser: &str, program: &str) {
    assert!(Path::new(program).exists(), "{program} is missing: run scripts/setup test");
    let driver = repository().join("web/target/browser/main.js");
    assert!(driver.exists(), "{} is missing: run make web", driver.display());
    let dist = built("page").unwrap_or_else(|error| panic!("{error}")).join("..");
    let mut site = Site::found(&Limits::Usual).expect("a site");
    let page = OpenPage::open(&mut site).unwrap_or_else(|error| panic!("{error}"));
    let fetch = "countersign revocation fetch release/app-2.1 --trusted-root trusted_root.json \
                 --output-dir crls";
    site.shell.succeed(fetch).expect("CRLs");
    let ask = "openssl ocsp -issuer ca/signing/certificate.pem -cert signer.pem -no_nonce \
               -reqout question.ocsp";
    site.shell.succeed(ask).expect("an OCSP request");
    let output = Command::new("node")
        .args(["--test-reporter=spec"])
        .arg(&driver)
        .current_dir(repository().join("web"))
        .env("COUNTERSIGN_BROWSER", browser)
        .env("COUNTERSIGN_PAGE", page.url())
        .env("COUNTERSIGN_RELEASE", &page.downloads().folder)
        .env("COUNTERSIGN_ATTACK", &page.downloads().attack)
        .env("COUNTERSIGN_REVOCATION", page.downloads().revocation_origins.join(" "))
        .env("COUNTERSIGN_CRLS", site.shell.folder().join("crls"))
        .env("COUNTERSIGN_OCSP_REQUEST", site.shell.folder().join("question.ocsp"))
        .env("COUNTERSIGN_DIST", dist.canonicalize().expect("web/dist"))
        .env("COUNTERSIGN_SCREENSHOTS", repository().join("target/screenshots").join(browser))
        .stdin(Stdio::null())
        .output()
        .expect("node runs");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{browser}:\n{text}");
    // A run in which nothing was tested proves nothing.
    assert!(text.contains("✔ app-2.1 is verified"), "{browser}:\n{text}");
}

#[test]
fn the_page_in_chromium() {
    check_page_in("chromium", "/usr/bin/chromium");
}

#[test]
fn the_page_in_firefox() {
    check_page_in("firefox", "/usr/bin/firefox-esr");
}
