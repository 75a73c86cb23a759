//! Who is refused before the service hears them, and whom the program does not believe: each time it
//! says which side refused, and why.

use crate::site::Site;

const LIST: &str = "countersign revocation list --issuer signing";

#[test]
fn a_certificate_that_is_refused_at_tls_is_named_with_the_reason() {
    let site = Site::start();
    site.succeed("countersign ca init other --organisation Other --base-url http://127.0.0.1:9");
    site.succeed(
        "countersign ca issue --dir other --profile tls-client --email admin@example.org \
         --new-key other.key --output other.pem",
    );
    for (certificate, words) in [
        ("other", "O=Other, issued by CN=Other Service CA,O=Other (UnknownCA)"),
        ("signer", "(UnsupportedCertificate)"),
    ] {
        let line =
            format!("{LIST} --admin-certificate {certificate}.pem --admin-key {certificate}.key");
        let found = site.refused(&line, 2, "setup.service.refused");
        assert!(found.starts_with("at TLS the service refused your certificate, CN="), "{found}");
        assert!(found.ends_with(words), "{found}");
    }
    // Also where the refusal comes while much is still being sent.
    site.write("large", &"#".repeat(16 << 20));
    let line =
        "countersign revocation import large --admin-certificate other.pem --admin-key other.key";
    let found = site.refused(line, 2, "setup.service.refused");
    assert!(found.ends_with("(UnknownCA)"), "{found}");
    // Known to the authority, and nobody here: the service's own words.
    site.succeed(
        "countersign ca issue --dir ca --profile tls-client --email stranger@example.org \
         --new-key stranger.key --output stranger.pem",
    );
    let line = format!("{LIST} --admin-certificate stranger.pem --admin-key stranger.key");
    let found = site.refused(&line, 2, "setup.service.refused");
    assert!(found.contains("actor.unknown"), "{found}");
    // Another's key: found out before anything is sent.
    let line = format!("{LIST} --admin-certificate admin.pem --admin-key second.key");
    site.refused(&line, 2, "setup.key.mismatch");
}

#[test]
fn a_server_that_is_not_believed_is_told_from_one_that_is_not_there() {
    let site = Site::start();
    site.succeed("countersign ca init other --organisation Other --base-url http://127.0.0.1:9");
    let admin = site.service.url("admin").to_owned();
    let public = site.service.address("public").to_owned();
    let by_name = admin.replace("127.0.0.1", "localhost");
    for (more, code, words) in [
        (
            "--admin-ca other/root/certificate.pem".to_owned(),
            "not-trusted",
            "its TLS certificate is not from --admin-ca",
        ),
        (format!("--admin-url {by_name}"), "not-trusted", "not valid for name \"localhost\""),
        (format!("--admin-url https://{public}"), "answer", "does not speak TLS"),
        ("--admin-url https://127.0.0.1:1".to_owned(), "unreachable", "connection refused"),
    ] {
        let found = site.refused(&format!("{LIST} {more}"), 3, &format!("setup.service.{code}"));
        assert!(found.contains(words), "{more}: {found}");
    }
    let plain = site.service.url("public").to_owned();
    site.refused(&format!("{LIST} --admin-url {plain}"), 2, "setup.usage.invalid");
}
