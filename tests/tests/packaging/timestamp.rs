//! The timestamp service's configuration, dashboard and alerts.

use std::fs;

use countersign_tests::{
    clients::run,
    programs::{Programs, Service, TIMESTAMP},
};

use crate::{check_configuration, figures, site};

/// A key and certificates.
const COMMANDS: [&str; 3] = [
    "ca init ca --organisation Example --base-url http://127.0.0.1:9",
    "ca issue --dir ca --profile tsa --new-key key.pem --output chain.pem",
    "ca issue --dir ca --profile tls-server --ip 127.0.0.1 --new-key tls.key --output tls.pem",
];

#[test]
fn the_timestamp_service_takes_the_configuration() {
    let programs = Programs::find().expect("the programs");
    let folder = site(&programs, &COMMANDS);
    check_configuration(&programs, TIMESTAMP, folder.path());
}

#[test]
fn every_figure_of_dashboard_and_alerts_is_exported() {
    let programs = Programs::find().expect("the programs");
    let folder = site(&programs, &COMMANDS);
    let common = "metrics_listen = '127.0.0.1:0'\nlisten = '127.0.0.1:0'\nkey = 'key.pem'\n\
                  key_passphrase_file = 'passphrase'\ncertificate_chain = 'chain.pem'\n\
                  [[policy]]\noid = '1.2.3.4'\n[audit]\nfolder = 'FOLDER'\n";
    // One that issues; and one with TLS and with a time source that never answers.
    let tables = [
        ("a", String::new()),
        (
            "b",
            "[tls]\ncertificate = 'tls.pem'\nkey = 'tls.key'\nkey_passphrase_file = 'passphrase'\n\
             [clock]\nsources = ['ntp:127.0.0.1:9']\n"
                .to_owned(),
        ),
    ];
    let mut exported = String::new();
    for (name, tables) in tables {
        let configuration = format!("{name}.toml");
        let text = format!("{}{tables}", common.replace("FOLDER", name));
        fs::write(folder.path().join(&configuration), text).expect("written");
        let listeners = ["public", "metrics"];
        let service =
            Service::start(&programs, TIMESTAMP, folder.path(), &configuration, &listeners)
                .unwrap_or_else(|error| panic!("{error}"));
        let query = "ts -query -digest \
                     2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 -out query";
        run("openssl", folder.path(), query.split_whitespace()).succeeds();
        let url = service.url("public");
        let post = format!(
            "--silent --show-error --insecure --noproxy * --output answer \
             --header Content-Type:application/timestamp-query --data-binary @query {url}/"
        );
        run("curl", folder.path(), post.split_whitespace()).succeeds();
        let metrics = format!("{}/metrics", service.url("metrics"));
        let seen = |text: &str| name == "a" || text.contains("countersign_clock_polls_total{");
        exported.push_str(&figures::fetch_until(&metrics, folder.path(), seen));
        service.stop().expect("it ends");
    }
    figures::check_all_exported("timestamp", &exported);
}
