//! The revocation service's configuration, dashboard and alerts.

use std::fs;

use countersign_tests::{
    clients::run,
    programs::{Programs, REVOCATION, Service},
};

use crate::{check_configuration, figures, packaging, site, write_secret};

/// A CA, and the admin listener's certificate.
const COMMANDS: [&str; 4] = [
    "ca init ca --organisation Example --base-url http://127.0.0.1:9",
    "ca issue --dir ca --profile code-signer --email a@example.org --new-key a.key --output a.pem",
    "ca issue --dir ca --profile tls-server --ip 127.0.0.1 --new-key admin-key.pem --output admin.pem",
    "ca crl --dir ca --ca root --output root.crl",
];

#[test]
fn the_revocation_service_takes_the_configuration() {
    let programs = Programs::find().expect("the programs");
    let folder = site(&programs, &COMMANDS);
    for (made, installed) in [
        ("ca/signing/certificate.pem", "signing.pem"),
        ("ca/signing/key.pem", "issuer-key.pem"),
        ("ca/timestamping/certificate.pem", "timestamping.pem"),
        ("ca/timestamping/key.pem", "timestamping-key.pem"),
        ("ca/service/certificate.pem", "service.pem"),
        ("ca/service/key.pem", "service-key.pem"),
        ("ca/root/certificate.pem", "root.pem"),
    ] {
        fs::copy(folder.path().join(made), folder.path().join(installed)).expect("copied");
    }
    for secret in
        ["issuer-passphrase", "timestamping-passphrase", "service-passphrase", "admin-passphrase"]
    {
        write_secret(folder.path(), secret);
    }
    check_configuration(&programs, REVOCATION, folder.path());
}

/// Verifiers ask for the CRL of every issuer that is in a chain, and an administrator whose own issuer is
/// not served can never be locked out.
#[test]
fn the_packaged_configuration_serves_every_issuer_that_certificates_need() {
    let text = fs::read_to_string(packaging("revocation.toml")).expect("a configuration");
    for issuer in ["root", "signing", "timestamping", "service"] {
        assert!(text.contains(&format!("\n[[issuer]]\nname = \"{issuer}\"\n")), "{issuer}");
    }
    assert!(text.contains("\nclient_ca = \"/etc/countersign/revocation/service.pem\"\n"));
    assert!(text.contains("\ncertificate = \"/etc/countersign/revocation/service.pem\"\n"));
}

#[test]
fn every_figure_of_the_revocation_services_dashboard_and_alerts_is_exported() {
    let programs = Programs::find().expect("the programs");
    let folder = site(&programs, &COMMANDS);
    let text = "listen = '127.0.0.1:0'\nmetrics_listen = '127.0.0.1:0'\ndatabase = 'revocation.db'\n\
                public_url = 'http://127.0.0.1:9'\ndelta_crl_validity_seconds = 3600\n\
                crl_folder = 'crl'\n\
                [[issuer]]\nname = 'signing'\ncertificate = 'ca/signing/certificate.pem'\n\
                key = 'ca/signing/key.pem'\nkey_passphrase_file = 'passphrase'\n\
                ocsp_delegate = 'automatic'\n";
    fs::write(folder.path().join("a.toml"), text).expect("written");
    let listeners = ["public", "metrics"];
    let service = Service::start(&programs, REVOCATION, folder.path(), "a.toml", &listeners)
        .unwrap_or_else(|error| panic!("{error}"));
    let ask = format!(
        "ocsp -issuer ca/signing/certificate.pem -cert a.pem -no_nonce -noverify -url {}/ocsp",
        service.url("public")
    );
    run("openssl", folder.path(), ask.split(' ')).succeeds();
    let metrics = format!("{}/metrics", service.url("metrics"));
    // Looked up every ten seconds.
    let seen = |text: &str| text.contains("countersign_revocation_pending_approvals ");
    let exported = figures::fetch_until(&metrics, folder.path(), seen);
    service.stop().expect("it ends");
    figures::check_all_exported("revocation", &exported);
}
