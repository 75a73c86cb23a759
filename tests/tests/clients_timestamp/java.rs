//! `jarsigner -tsa` of the JDK, and `BouncyCastle`.

use std::fs;

use countersign_tests::clients::run_java;

use super::service::{Key, OTHER_POLICY, Site, with_each_key};

/// Makes a jar with one file in it, and a trust store with the root and the signer: `-strict`
/// wants to find both.
fn prepare(site: &Site) {
    site.make_keystore();
    site.write("hello.txt", "hello");
    site.run("jar", "--create --file app.jar hello.txt").succeeds();
    site.run("openssl", "x509 -in signer.pem -out leaf.pem").succeeds();
    for (alias, file) in [("root", "root.pem"), ("signer", "leaf.pem")] {
        let import = format!("-importcert -noprompt -alias {alias} -file {file}");
        let store = "-keystore trust.p12 -storepass changeit";
        site.run("keytool", &format!("{import} {store}")).succeeds();
    }
}

/// Signs with timestamps, verifies strictly; a test for each key, since the JDK takes its time.
fn jarsigner_is_served(key: Key) {
    let site = &Site::start(key);
    prepare(site);
    for (number, more) in
        ["", "-tsadigestalg SHA-512", "-tsapolicyid POLICY"].into_iter().enumerate()
    {
        let jar = format!("app{number}.jar");
        fs::copy(site.path("app.jar"), site.path(&jar)).expect("copied");
        let more = more.replace("POLICY", OTHER_POLICY);
        let arguments = format!(
            "-keystore signer.p12 -storepass changeit -tsa {} {more} {jar} signer",
            site.url()
        );
        let text = site.run("jarsigner", &arguments).succeeds();
        assert!(text.contains("jar signed") && !text.contains("No -tsa"), "{text}");
        let text = site
            .run(
                "jarsigner",
                &format!(
                    "-verify -strict -verbose -certs -keystore trust.p12 -storepass changeit {jar}"
                ),
            )
            .succeeds();
        assert!(text.contains("jar verified."), "{text}");
        assert!(text.contains("Timestamped by"), "{text}");
        assert!(!text.contains("is invalid") && !text.contains("Error:"), "{text}");
    }
    let refused = site.run(
        "jarsigner",
        &format!(
            "-keystore signer.p12 -storepass changeit -tsa {} -tsapolicyid 1.2.3.4 app.jar signer",
            site.url()
        ),
    );
    refused.fails();
}

#[test]
fn jarsigner_is_served_with_a_p384_file() {
    jarsigner_is_served(Key::P384File);
}

#[test]
fn jarsigner_is_served_with_a_p256_file() {
    jarsigner_is_served(Key::P256File);
}

#[test]
fn jarsigner_is_served_with_an_rsa_file() {
    jarsigner_is_served(Key::Rsa3072File);
}

#[test]
fn jarsigner_is_served_with_a_token() {
    jarsigner_is_served(Key::P384Token);
}

#[test]
fn bouncy_castle_is_served() {
    with_each_key(|site| {
        let arguments = [&site.url(), "root.pem", OTHER_POLICY];
        let text = run_java("BouncyCastleStamp.java", site.folder(), arguments).succeeds();
        assert_eq!(text.matches(" verified, ").count(), 3, "{text}");
    });
}
